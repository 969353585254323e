//! Says over HTTPS which service it is and which processor it was built for.

mod acceptor;
mod config;
mod handshake;
mod identity;
mod listen;
mod routes;
mod serve;
mod shutdown;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use openssl::ssl::SslAcceptor;

use config::Config;
use handshake::TlsListener;

/// Well inside the ten seconds that container engines leave between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);

/// Generous for a Raspberry Pi Zero at both ends, short for a client that only holds the socket.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

const USAGE_ERROR: u8 = 2;

fn main() -> ExitCode {
    let (config, acceptor) = match configure() {
        Ok(configured) => configured,
        Err(error) => return fail(error.as_ref(), ExitCode::from(USAGE_ERROR)),
    };
    match run(&config, acceptor) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, ExitCode::FAILURE),
    }
}

fn fail(error: &dyn Error, code: ExitCode) -> ExitCode {
    eprintln!("{}: {error}", env!("CARGO_PKG_NAME"));
    code
}

fn configure() -> Result<(Config, SslAcceptor), Box<dyn Error>> {
    let config = Config::from_env()?;
    let identity = match &config.files {
        Some(files) => identity::from_files(files)?,
        None => identity::self_signed()?,
    };
    let acceptor = acceptor::presenting(&identity)?;
    Ok((config, acceptor))
}

#[tokio::main]
async fn run(config: &Config, acceptor: SslAcceptor) -> io::Result<()> {
    // Before the announcement: whoever reads it may send a signal at once, and a process that is
    // PID 1 of its container has no default action to end it.
    let stop = shutdown::signalled()?;
    let listener = listen::on_port(config.port)?;
    announce(listener.local_addr()?.port());
    let listener = TlsListener::new(listener, acceptor, HANDSHAKE_LIMIT);
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
