//! Fetches a page over HTTPS; its exit code says whether the server could be trusted.

mod fetch;

use std::io::{self, Write};
use std::process::ExitCode;

use fetch::Outcome;

const USAGE: &str = "usage: hello-fetch https://HOST[:PORT][/PATH], or hello-fetch --version
Certificate authorities are those of OpenSSL's folder, or of the file that SSL_CERT_FILE names.
Exit code: 0 fetched, 1 another status than 2xx, 2 usage, 3 no answer, 4 not to be trusted.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--version"] => say(&format!("hello-fetch {}", env!("CARGO_PKG_VERSION"))),
        [url] if url.starts_with("https://") => report(url),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn report(url: &str) -> ExitCode {
    match fetch::get(url) {
        Outcome::Fetched { status, bytes } => say(&format!("{url}: {status}, {bytes} bytes")),
        Outcome::Refused(status) => fail(1, url, &format!("the server answered {status}")),
        Outcome::NoAnswer(why) => fail(3, url, &why),
        Outcome::NotTrusted(why) => fail(4, url, &why),
    }
}

/// Output that was lost must not pass for success.
fn say(text: &str) -> ExitCode {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(3, "standard output", &error.to_string()),
    }
}

fn fail(code: u8, what: &str, why: &str) -> ExitCode {
    eprintln!("hello-fetch: {what}: {why}");
    ExitCode::from(code)
}
