//! What the environment may set.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

const DEFAULT_PORT: u16 = 8443;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// 0 lets the kernel choose.
    pub(crate) port: u16,
    /// None asks for a self-signed certificate.
    pub(crate) files: Option<Files>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ConfigError {
    BadPort(OsString),
    OneWithoutTheOther {
        set: &'static str,
        missing: &'static str,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadPort(value) => {
                let value = value.to_string_lossy();
                write!(f, "PORT is {value:?}: expected a number from 0 to 65535")
            }
            Self::OneWithoutTheOther { set, missing } => write!(
                f,
                "{set} is set and {missing} is not: set both, or neither for a self-signed certificate"
            ),
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
        let files = pair(lookup("TLS_CERT"), lookup("TLS_KEY"))?;
        Ok(Self { port, files })
    }
}

fn parse_port(value: OsString) -> Result<u16, ConfigError> {
    value
        .to_str()
        .and_then(|text| text.parse().ok())
        .ok_or(ConfigError::BadPort(value))
}

fn pair(
    certificate: Option<OsString>,
    key: Option<OsString>,
) -> Result<Option<Files>, ConfigError> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(Files {
            certificate: certificate.into(),
            key: key.into(),
        })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(ConfigError::OneWithoutTheOther {
            set: "TLS_CERT",
            missing: "TLS_KEY",
        }),
        (None, Some(_)) => Err(ConfigError::OneWithoutTheOther {
            set: "TLS_KEY",
            missing: "TLS_CERT",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_lookup(|name| {
            let (_, value) = variables.iter().find(|(set, _)| *set == name)?;
            Some(value.into())
        })
    }

    #[test]
    fn nothing_set_is_8443_and_self_signed() {
        let config = Config {
            port: 8443,
            files: None,
        };
        assert_eq!(with(&[]), Ok(config));
    }

    #[test]
    fn everything_is_read() {
        let config = Config {
            port: 443,
            files: Some(Files {
                certificate: "c.pem".into(),
                key: "k.pem".into(),
            }),
        };
        let variables = [("PORT", "443"), ("TLS_CERT", "c.pem"), ("TLS_KEY", "k.pem")];
        assert_eq!(with(&variables), Ok(config));
    }

    #[test]
    fn bad_port_is_named_in_the_message() {
        for value in ["", "https", "65536", "-1"] {
            let error = with(&[("PORT", value)]).expect_err(value);
            assert_eq!(
                error.to_string(),
                format!("PORT is {value:?}: expected a number from 0 to 65535")
            );
        }
    }

    #[test]
    fn one_file_without_the_other_is_refused() {
        for (set, missing) in [("TLS_CERT", "TLS_KEY"), ("TLS_KEY", "TLS_CERT")] {
            let error = with(&[(set, "some.pem")]).expect_err(set);
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("{set} is set and {missing} is not")),
                "{error}"
            );
        }
    }
}
