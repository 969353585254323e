//! The certificate and key a server presents: read from files, or made at start.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
};
use openssl::x509::{X509, X509Builder, X509Name};

use crate::config::Files;

const DAYS_VALID: u32 = 90;

/// RFC 5280 allows 20 octets; the highest bit would be a sign.
const SERIAL_BITS: i32 = 159;

/// X.509 counts its versions from 0.
const X509_V3: i32 = 2;

pub(crate) struct Identity {
    /// The server's own certificate first, then those that lead to its root.
    pub(crate) chain: Vec<X509>,
    pub(crate) key: PKey<Private>,
}

#[derive(Debug)]
pub(crate) enum IdentityError {
    Unreadable {
        variable: &'static str,
        path: PathBuf,
        cause: io::Error,
    },
    NoCertificate(PathBuf),
    NoKey(PathBuf),
    KeyOfAnother(Files),
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable {
                variable,
                path,
                cause,
            } => write!(f, "{variable}: cannot read {}: {cause}", path.display()),
            Self::NoCertificate(path) => {
                write!(f, "TLS_CERT: no PEM certificate in {}", path.display())
            }
            Self::NoKey(path) => write!(
                f,
                "TLS_KEY: no PEM private key without a passphrase in {}",
                path.display()
            ),
            Self::KeyOfAnother(files) => write!(
                f,
                "TLS_KEY: {} is not the key of the first certificate in {}",
                files.key.display(),
                files.certificate.display()
            ),
        }
    }
}

impl std::error::Error for IdentityError {}

pub(crate) fn from_files(files: &Files) -> Result<Identity, IdentityError> {
    let pem = read("TLS_CERT", &files.certificate)?;
    let chain = X509::stack_from_pem(&pem).unwrap_or_default();
    let Some(own) = chain.first() else {
        return Err(IdentityError::NoCertificate(files.certificate.clone()));
    };

    let pem = read("TLS_KEY", &files.key)?;
    // Without a passphrase at hand OpenSSL would ask the terminal for one.
    let key = PKey::private_key_from_pem_passphrase(&pem, b"")
        .map_err(|_| IdentityError::NoKey(files.key.clone()))?;

    if !own.public_key().is_ok_and(|public| public.public_eq(&key)) {
        return Err(IdentityError::KeyOfAnother(files.clone()));
    }
    Ok(Identity { chain, key })
}

fn read(variable: &'static str, path: &Path) -> Result<Vec<u8>, IdentityError> {
    fs::read(path).map_err(|cause| IdentityError::Unreadable {
        variable,
        path: path.to_owned(),
        cause,
    })
}

/// An EC P-256 key and a certificate for this machine's own names.
pub(crate) fn self_signed() -> Result<Identity, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
    let certificate = certify(&key)?;
    Ok(Identity {
        chain: vec![certificate],
        key,
    })
}

fn certify(key: &PKey<Private>) -> Result<X509, ErrorStack> {
    let name = common_name("localhost")?;
    let mut builder = X509::builder()?;
    builder.set_version(X509_V3)?;
    builder.set_serial_number(random_serial()?.as_ref())?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_not_before(Asn1Time::days_from_now(0)?.as_ref())?;
    builder.set_not_after(Asn1Time::days_from_now(DAYS_VALID)?.as_ref())?;
    builder.set_pubkey(key)?;
    append_extensions(&mut builder)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

fn append_extensions(builder: &mut X509Builder) -> Result<(), ErrorStack> {
    let names = SubjectAlternativeName::new()
        .dns("localhost")
        .ip("127.0.0.1")
        .ip("::1")
        .build(&builder.x509v3_context(None, None))?;
    builder.append_extension(BasicConstraints::new().critical().build()?)?;
    builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
    builder.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
    builder.append_extension(names)
}

fn common_name(name: &str) -> Result<X509Name, ErrorStack> {
    let mut builder = X509Name::builder()?;
    builder.append_entry_by_nid(Nid::COMMONNAME, name)?;
    Ok(builder.build())
}

fn random_serial() -> Result<Asn1Integer, ErrorStack> {
    let mut number = BigNum::new()?;
    // The top bit set keeps it positive, never zero and always of one length.
    number.rand(SERIAL_BITS, MsbOption::ONE, false)?;
    number.to_asn1_integer()
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;
    use std::env;

    use openssl::pkey::Id;
    use openssl::symm::Cipher;

    use super::*;

    fn fresh() -> Identity {
        self_signed().expect("an identity")
    }

    fn from(certificate: &Path, key: &Path) -> Result<Identity, IdentityError> {
        from_files(&Files {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        })
    }

    fn message(result: Result<Identity, IdentityError>) -> String {
        result.err().expect("a refusal").to_string()
    }

    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let path = env::temp_dir().join(format!("hello-tls-{test}-{}", std::process::id()));
            fs::create_dir(&path).expect("a new folder");
            Self(path)
        }

        fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, bytes).expect("a written file");
            path
        }

        fn pair(&self, name: &str, identity: &Identity) -> (PathBuf, PathBuf) {
            let certificate = identity.chain[0].to_pem().expect("PEM");
            let key = identity.key.private_key_to_pem_pkcs8().expect("PEM");
            (
                self.file(&format!("{name}.crt"), &certificate),
                self.file(&format!("{name}.key"), &key),
            )
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn self_signed_is_p256_and_signed_by_itself() {
        let Identity { chain, key } = fresh();
        let certificate = &chain[0];
        assert_eq!(key.id(), Id::EC);
        assert_eq!(
            key.ec_key().expect("EC").group().curve_name(),
            Some(Nid::X9_62_PRIME256V1)
        );
        assert_eq!(certificate.version(), X509_V3);
        assert!(certificate.verify(&key).expect("a check"));
    }

    #[test]
    fn self_signed_names_this_machine() {
        let identity = fresh();
        let names = identity.chain[0].subject_alt_names().expect("names");
        let hosts: Vec<_> = names.iter().filter_map(|name| name.dnsname()).collect();
        let addresses: Vec<_> = names.iter().filter_map(|name| name.ipaddress()).collect();
        assert_eq!(hosts, ["localhost"]);
        let ipv6_loopback = std::net::Ipv6Addr::LOCALHOST.octets();
        assert_eq!(addresses, [&[127, 0, 0, 1][..], &ipv6_loopback[..]]);
    }

    #[test]
    fn self_signed_is_valid_for_ninety_days_from_now() {
        let identity = fresh();
        let certificate = &identity.chain[0];
        let validity = certificate
            .not_before()
            .diff(certificate.not_after())
            .expect("a difference");
        assert_eq!((validity.days, validity.secs), (90, 0));
        let soon = Asn1Time::days_from_now(1).expect("tomorrow");
        assert_eq!(
            certificate.not_before().compare(&soon).expect("an order"),
            Ordering::Less
        );
    }

    #[test]
    fn serials_are_positive_and_differ() {
        let serial = || random_serial().and_then(|s| s.to_bn()).expect("a number");
        let (one, other) = (serial(), serial());
        assert_ne!(one, other);
        assert_eq!(one.num_bits(), SERIAL_BITS);
        assert!(!one.is_negative());
    }

    #[test]
    fn files_are_read_with_their_chain() {
        let folder = Folder::new("chain");
        let (own, issuer) = (fresh(), fresh());
        let (_, key) = folder.pair("own", &own);
        let mut pem = own.chain[0].to_pem().expect("PEM");
        pem.extend(issuer.chain[0].to_pem().expect("PEM"));
        let certificates = folder.file("chain.crt", &pem);

        let identity = from(&certificates, &key).expect("an identity");
        assert_eq!(identity.chain, [own.chain, issuer.chain].concat());
        assert!(identity.key.public_eq(&own.key));
    }

    #[test]
    fn a_missing_file_is_named() {
        let folder = Folder::new("missing");
        let (certificate, key) = folder.pair("own", &fresh());
        let nowhere = folder.0.join("nowhere");
        let said = message(from(&nowhere, &key));
        assert!(said.starts_with("TLS_CERT: cannot read "), "{said}");
        let said = message(from(&certificate, &nowhere));
        assert!(said.starts_with("TLS_KEY: cannot read "), "{said}");
    }

    #[test]
    fn files_of_something_else_are_named() {
        let folder = Folder::new("swapped");
        let (certificate, key) = folder.pair("own", &fresh());
        let said = message(from(&key, &key));
        assert!(
            said.starts_with("TLS_CERT: no PEM certificate in "),
            "{said}"
        );
        let said = message(from(&certificate, &certificate));
        assert!(said.starts_with("TLS_KEY: no PEM private key"), "{said}");
    }

    #[test]
    fn an_encrypted_key_is_refused_without_asking() {
        let folder = Folder::new("encrypted");
        let identity = fresh();
        let (certificate, _) = folder.pair("own", &identity);
        let pem = identity
            .key
            .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"secret")
            .expect("PEM");
        let said = message(from(&certificate, &folder.file("locked.key", &pem)));
        assert!(said.starts_with("TLS_KEY: no PEM private key"), "{said}");
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let folder = Folder::new("mismatch");
        let (certificate, _) = folder.pair("own", &fresh());
        let (_, key) = folder.pair("other", &fresh());
        let said = message(from(&certificate, &key));
        assert!(said.contains("is not the key of"), "{said}");
    }
}
