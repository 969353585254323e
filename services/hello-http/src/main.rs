//! Says over HTTP which service it is and which processor it was built for.

mod config;
mod listen;
mod routes;
mod serve;
mod shutdown;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use config::Config;

/// Well inside the ten seconds that container engines leave between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);

const USAGE_ERROR: u8 = 2;

fn main() -> ExitCode {
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(error) => return fail(&error, ExitCode::from(USAGE_ERROR)),
    };
    match run(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, ExitCode::FAILURE),
    }
}

fn fail(error: &dyn std::error::Error, code: ExitCode) -> ExitCode {
    eprintln!("{}: {error}", env!("CARGO_PKG_NAME"));
    code
}

#[tokio::main]
async fn run(config: &Config) -> io::Result<()> {
    // Before the announcement: whoever reads it may send a signal at once, and a process that is
    // PID 1 of its container has no default action to end it.
    let stop = shutdown::signalled()?;
    let listener = listen::on_port(config.port)?;
    announce(listener.local_addr()?.port());
    serve::until(listener, routes::router(), stop, GRACE).await
}

/// A closed stdout is no reason to stop serving.
fn announce(port: u16) {
    let _ = writeln!(
        io::stdout(),
        "{} {} listening on port {port}",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_VERSION"),
    );
}
