//! One request, and what came of it.

use std::time::Duration;

use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body, Error};

/// For all of it: names, connection, handshake, answer. A Raspberry Pi Zero needs seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// More than this is no greeting.
const LARGEST: u64 = 64 << 20;

#[derive(Debug)]
pub(crate) enum Outcome {
    Fetched { status: u16, bytes: usize },
    Refused(u16),
    NoAnswer(String),
    NotTrusted(String),
}

pub(crate) fn get(url: &str) -> Outcome {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::NativeTls)
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    let agent: Agent = Agent::config_builder()
        .tls_config(tls)
        .https_only(true)
        .http_status_as_error(false)
        .timeout_global(Some(LIMIT))
        .build()
        .into();
    match agent.get(url).call() {
        Ok(answer) => {
            let status = answer.status();
            if status.is_success() {
                read(status.as_u16(), answer.into_body())
            } else {
                Outcome::Refused(status.as_u16())
            }
        }
        Err(error) => failed(&error),
    }
}

fn read(status: u16, mut body: Body) -> Outcome {
    match body.with_config().limit(LARGEST).read_to_vec() {
        Ok(content) => Outcome::Fetched {
            status,
            bytes: content.len(),
        },
        Err(error) => failed(&error),
    }
}

/// A handshake that failed, for whatever reason, left a server that nobody vouches for.
fn failed(error: &Error) -> Outcome {
    match error {
        Error::NativeTls(why) => Outcome::NotTrusted(why.to_string()),
        Error::Tls(why) => Outcome::NotTrusted((*why).to_owned()),
        other => Outcome::NoAnswer(other.to_string()),
    }
}
