//! What the environment may set.

use std::env;
use std::ffi::OsString;
use std::fmt;

const DEFAULT_PORT: u16 = 8080;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// 0 lets the kernel choose.
    pub(crate) port: u16,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ConfigError {
    BadPort(OsString),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadPort(value) => {
                let value = value.to_string_lossy();
                write!(f, "PORT is {value:?}: expected a number from 0 to 65535")
            }
        }
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    pub(crate) fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| env::var_os(name))
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let port = lookup("PORT").map_or(Ok(DEFAULT_PORT), parse_port)?;
        Ok(Self { port })
    }
}

fn parse_port(value: OsString) -> Result<u16, ConfigError> {
    value
        .to_str()
        .and_then(|text| text.parse().ok())
        .ok_or(ConfigError::BadPort(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_port(value: Option<&str>) -> Result<Config, ConfigError> {
        Config::from_lookup(|name| value.filter(|_| name == "PORT").map(OsString::from))
    }

    #[test]
    fn port_defaults_to_8080() {
        assert_eq!(with_port(None), Ok(Config { port: 8080 }));
    }

    #[test]
    fn port_is_read() {
        assert_eq!(with_port(Some("0")), Ok(Config { port: 0 }));
        assert_eq!(with_port(Some("65535")), Ok(Config { port: 65535 }));
    }

    #[test]
    fn bad_port_is_named_in_the_message() {
        for value in ["", "http", "65536", "-1", "80 "] {
            let error = with_port(Some(value)).expect_err(value);
            assert_eq!(
                error.to_string(),
                format!("PORT is {value:?}: expected a number from 0 to 65535")
            );
        }
    }
}
