//! The program against a real server on loopback, with certificates made here.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};

struct Identity {
    key: PKey<Private>,
    certificate: X509,
}

/// Its own authority, as a test needs no other.
fn identity(host: &str) -> Identity {
    let key = PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_text("CN", host).expect("a name");
    let name = name.build();
    let mut certificate = X509::builder().expect("a certificate");
    certificate.set_version(2).expect("version 3");
    let serial = BigNum::from_u32(1).and_then(|number| number.to_asn1_integer());
    certificate
        .set_serial_number(&serial.expect("a number"))
        .expect("a serial number");
    certificate.set_subject_name(&name).expect("a subject");
    certificate.set_issuer_name(&name).expect("an issuer");
    certificate.set_pubkey(&key).expect("a public key");
    let (from, to) = (Asn1Time::days_from_now(0), Asn1Time::days_from_now(1));
    certificate
        .set_not_before(&from.expect("a time"))
        .expect("a beginning");
    certificate
        .set_not_after(&to.expect("a time"))
        .expect("an end");
    let authority = BasicConstraints::new().ca().build().expect("an extension");
    certificate
        .append_extension(authority)
        .expect("an authority");
    let names = SubjectAlternativeName::new()
        .dns(host)
        .build(&certificate.x509v3_context(None, None))
        .expect("an extension");
    certificate.append_extension(names).expect("a host name");
    certificate
        .sign(&key, MessageDigest::sha256())
        .expect("a signature");
    Identity {
        certificate: certificate.build(),
        key,
    }
}

/// Answers one connection with `status`, if the client lets it; returns the port.
fn serve(identity: &Identity, status: &'static str) -> u16 {
    let mut acceptor =
        SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).expect("an acceptor");
    acceptor.set_private_key(&identity.key).expect("the key");
    acceptor
        .set_certificate(&identity.certificate)
        .expect("the certificate");
    let acceptor = acceptor.build();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let Ok(mut stream) = acceptor.accept(stream) else {
            return; // the client does not trust us
        };
        let mut request = [0; 4096];
        let read = stream.read(&mut request).expect("a request");
        assert!(request[..read].starts_with(b"GET /page HTTP/1.1\r\n"));
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\nhello");
        stream.write_all(answer.as_bytes()).expect("an answer sent");
        stream.shutdown().ok();
    });
    port
}

fn file(name: &str, identity: &Identity) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, identity.certificate.to_pem().expect("PEM")).expect("a file");
    path
}

fn fetch(authorities: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hello-fetch"))
        .args(arguments)
        .env_clear()
        .env("SSL_CERT_FILE", authorities)
        .env("SSL_CERT_DIR", "/nonexistent")
        .output()
        .expect("the program")
}

fn said(output: &Output) -> (i32, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let code = output.status.code().expect("an exit code");
    (code, String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn a_trusted_page_is_fetched() {
    let server = identity("localhost");
    let url = format!("https://localhost:{}/page", serve(&server, "200 OK"));
    let (code, text) = said(&fetch(&file("trusted.pem", &server), &[&url]));
    assert_eq!((code, text), (0, format!("{url}: 200, 5 bytes\n")));
}

#[test]
fn an_unknown_authority_is_not_trusted() {
    let url = format!(
        "https://localhost:{}/page",
        serve(&identity("localhost"), "200 OK")
    );
    let stranger = file("stranger.pem", &identity("localhost"));
    let (code, text) = said(&fetch(&stranger, &[&url]));
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("certificate verify failed"), "{text}");
}

#[test]
fn a_certificate_for_another_host_is_not_trusted() {
    let server = identity("elsewhere.example");
    let url = format!("https://localhost:{}/page", serve(&server, "200 OK"));
    let (code, text) = said(&fetch(&file("elsewhere.pem", &server), &[&url]));
    assert_eq!(code, 4, "{text}");
}

#[test]
fn no_authorities_at_all_trust_nobody() {
    let server = identity("localhost");
    let url = format!("https://localhost:{}/page", serve(&server, "200 OK"));
    let (code, text) = said(&fetch(Path::new("/nonexistent.pem"), &[&url]));
    assert_eq!(code, 4, "{text}");
}

#[test]
fn another_status_is_said() {
    let server = identity("localhost");
    let url = format!("https://localhost:{}/page", serve(&server, "404 Not Found"));
    let (code, text) = said(&fetch(&file("missing.pem", &server), &[&url]));
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("answered 404"), "{text}");
}

#[test]
fn nobody_there_is_no_answer() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let url = format!("https://localhost:{port}/page");
    let (code, text) = said(&fetch(&file("nobody.pem", &identity("localhost")), &[&url]));
    assert_eq!(code, 3, "{text}");
}

#[test]
fn usage_is_said() {
    let here = Path::new("/nonexistent");
    for arguments in [
        &[][..],
        &["http://localhost/"],
        &["https://localhost/", "https://localhost/"],
        &["--help"],
    ] {
        let (code, text) = said(&fetch(here, arguments));
        assert_eq!(code, 2, "{arguments:?}");
        assert!(text.starts_with("usage: hello-fetch"), "{text}");
    }
    let (code, text) = said(&fetch(here, &["--version"]));
    assert_eq!((code, text.starts_with("hello-fetch 0.")), (0, true));
}
