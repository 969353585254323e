//! The real program: started, asked over TLS, stopped.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{
    HandshakeError, SslConnector, SslConnectorBuilder, SslMethod, SslStream, SslVerifyMode,
    SslVersion,
};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509Name};

const LIMIT: Duration = Duration::from_secs(20);

fn program(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hello-tls"));
    command
        .env_remove("TLS_CERT")
        .env_remove("TLS_KEY")
        .env("PORT", "0")
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    command
}

struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = program(variables)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a piped stdout"))
            .read_line(&mut line)
            .expect("a line on stdout");
        let port = line
            .trim_end()
            .rsplit_once(" listening on port ")
            .and_then(|(_, port)| port.parse().ok())
            .unwrap_or_else(|| panic!("no port in {line:?}"));
        Self { child, port }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream.set_read_timeout(Some(LIMIT)).expect("a time limit");
        stream
    }

    fn shake_hands(
        &self,
        client: SslConnectorBuilder,
        host: &str,
    ) -> Result<SslStream<TcpStream>, HandshakeError<TcpStream>> {
        client.build().connect(host, self.connect())
    }

    fn stop(mut self, signal: &str) -> ExitStatus {
        send_signal(signal, self.child.id());
        wait(&mut self.child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The shell's own `kill`: std cannot send a signal, and this needs neither `unsafe` nor a crate.
fn send_signal(signal: &str, pid: u32) {
    let status = Command::new("sh")
        .args(["-c", r#"kill -s "$1" "$2""#, "sh", signal, &pid.to_string()])
        .status()
        .expect("a shell");
    assert!(status.success(), "kill -s {signal} {pid}: {status}");
}

fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("a child to wait for") {
            return status;
        }
        sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    panic!("still running after {LIMIT:?}");
}

fn run(variables: &[(&str, &str)]) -> Output {
    let mut child = program(variables)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    wait(&mut child);
    child.wait_with_output().expect("its output")
}

/// A client that takes any certificate.
fn credulous() -> SslConnectorBuilder {
    let mut client = SslConnector::builder(SslMethod::tls_client()).expect("a client");
    client.set_verify(SslVerifyMode::NONE);
    client
}

/// A client that takes this one certificate and no other.
fn trusting(certificate: X509) -> SslConnectorBuilder {
    let mut client = SslConnector::builder(SslMethod::tls_client()).expect("a client");
    let mut store = X509StoreBuilder::new().expect("a store");
    store.add_cert(certificate).expect("a trusted certificate");
    client.set_cert_store(store.build());
    client
}

fn get(stream: &mut SslStream<TcpStream>, path: &str) -> String {
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .expect("a request sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

struct Pair {
    folder: PathBuf,
    certificate: X509,
}

impl Pair {
    /// RSA, where the server's own would be EC.
    fn new(test: &str, host: &str) -> Self {
        let key = Rsa::generate(2048).and_then(PKey::from_rsa).expect("a key");
        let certificate = certify(&key, host);
        let folder = std::env::temp_dir().join(format!("hello-tls-{test}-{}", std::process::id()));
        fs::create_dir(&folder).expect("a new folder");
        let pair = Self {
            folder,
            certificate,
        };
        fs::write(pair.path("crt"), pair.certificate.to_pem().expect("PEM")).expect("a file");
        fs::write(
            pair.path("key"),
            key.private_key_to_pem_pkcs8().expect("PEM"),
        )
        .expect("a file");
        pair
    }

    fn path(&self, kind: &str) -> String {
        let path = self.folder.join(format!("server.{kind}"));
        path.to_str().expect("a UTF-8 path").to_owned()
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn certify(key: &PKey<Private>, host: &str) -> X509 {
    let mut name = X509Name::builder().expect("a name");
    name.append_entry_by_nid(Nid::COMMONNAME, host)
        .expect("a common name");
    let name = name.build();
    let start = Asn1Time::days_from_now(0).expect("today");
    let end = Asn1Time::days_from_now(2).expect("a later day");
    let mut builder = X509::builder().expect("a certificate");
    let names = SubjectAlternativeName::new()
        .dns(host)
        .build(&builder.x509v3_context(None, None))
        .expect("a name");
    builder
        .set_version(2)
        .and_then(|()| builder.set_subject_name(&name))
        .and_then(|()| builder.set_issuer_name(&name))
        .and_then(|()| builder.set_not_before(&start))
        .and_then(|()| builder.set_not_after(&end))
        .and_then(|()| builder.set_pubkey(key))
        .and_then(|()| builder.append_extension(names))
        .and_then(|()| builder.sign(key, MessageDigest::sha256()))
        .expect("a signed certificate");
    builder.build()
}

#[test]
fn answers_over_tls_1_3_and_ends_cleanly_on_sigterm() {
    let server = Server::start(&[]);

    let mut stream = server
        .shake_hands(credulous(), "localhost")
        .expect("a handshake");
    assert_eq!(stream.ssl().version_str(), "TLSv1.3");
    let root = get(&mut stream, "/");
    assert!(root.starts_with("HTTP/1.1 200 OK\r\n"), "{root}");
    let (_, body) = root.split_once("\r\n\r\n").expect("a body");
    assert_eq!(
        body,
        format!(
            r#"{{"service":"hello-tls","version":"{}","arch":"{}"}}"#,
            env!("CARGO_PKG_VERSION"),
            std::env::consts::ARCH
        )
    );

    let mut stream = server
        .shake_hands(credulous(), "localhost")
        .expect("a handshake");
    let health = get(&mut stream, "/healthz");
    assert!(health.starts_with("HTTP/1.1 200 OK\r\n"), "{health}");
    assert!(health.ends_with("\r\n\r\nok"), "{health}");

    assert_eq!(server.stop("TERM").code(), Some(0));
}

#[test]
fn ends_cleanly_on_sigint() {
    assert_eq!(Server::start(&[]).stop("INT").code(), Some(0));
}

#[test]
fn the_self_signed_certificate_holds_for_every_local_name() {
    let server = Server::start(&[]);
    let certificate = server
        .shake_hands(credulous(), "localhost")
        .expect("a handshake")
        .ssl()
        .peer_certificate()
        .expect("a certificate");
    for host in ["localhost", "127.0.0.1", "::1"] {
        server
            .shake_hands(trusting(certificate.clone()), host)
            .unwrap_or_else(|error| panic!("{host}: {error}"));
    }
    server
        .shake_hands(trusting(certificate), "elsewhere.test")
        .expect_err("a name that is not in the certificate");
}

#[test]
fn tls_1_2_is_enough() {
    let server = Server::start(&[]);
    let mut client = credulous();
    client
        .set_max_proto_version(Some(SslVersion::TLS1_2))
        .expect("a version");
    let mut stream = server
        .shake_hands(client, "localhost")
        .expect("a handshake");
    assert_eq!(stream.ssl().version_str(), "TLSv1.2");
    assert!(get(&mut stream, "/healthz").ends_with("ok"));
}

#[test]
fn alpn_settles_on_http_1_1() {
    let server = Server::start(&[]);
    let mut client = credulous();
    client
        .set_alpn_protos(b"\x02h2\x08http/1.1")
        .expect("protocols");
    let stream = server
        .shake_hands(client, "localhost")
        .expect("a handshake");
    assert_eq!(
        stream.ssl().selected_alpn_protocol(),
        Some(&b"http/1.1"[..])
    );

    let mut client = credulous();
    client.set_alpn_protos(b"\x02h2").expect("protocols");
    server
        .shake_hands(client, "localhost")
        .expect_err("no protocol in common");
}

#[test]
fn a_failed_handshake_does_not_end_the_server() {
    let server = Server::start(&[]);
    let mut plain = server.connect();
    plain
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .expect("plain text sent");
    let mut refusal = Vec::new();
    // Reset or closed: both are the end of this client.
    let _ = plain.read_to_end(&mut refusal);
    drop(server.connect());

    let mut stream = server
        .shake_hands(credulous(), "localhost")
        .expect("a handshake");
    assert!(get(&mut stream, "/healthz").ends_with("ok"));
    assert_eq!(server.stop("TERM").code(), Some(0));
}

#[test]
fn open_connections_do_not_hold_up_the_end() {
    let server = Server::start(&[]);
    let _silent = server.connect();
    let _idle = server
        .shake_hands(credulous(), "localhost")
        .expect("a handshake");
    assert_eq!(server.stop("TERM").code(), Some(0));
}

#[test]
fn presents_the_certificate_it_was_given() {
    let pair = Pair::new("given", "pi.test");
    let server = Server::start(&[
        ("TLS_CERT", &pair.path("crt")),
        ("TLS_KEY", &pair.path("key")),
    ]);
    let mut stream = server
        .shake_hands(trusting(pair.certificate.clone()), "pi.test")
        .expect("a verified handshake");
    assert_eq!(
        stream.ssl().peer_certificate().as_ref(),
        Some(&pair.certificate)
    );
    assert!(get(&mut stream, "/healthz").ends_with("ok"));
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    for (set, missing) in [("TLS_CERT", "TLS_KEY"), ("TLS_KEY", "TLS_CERT")] {
        let output = run(&[(set, "some.pem")]);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(output.stdout, b"");
        let message = String::from_utf8_lossy(&output.stderr);
        let expected = format!("hello-tls: {set} is set and {missing} is not: ");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn unreadable_files_are_refused() {
    let output = run(&[("TLS_CERT", "nowhere.crt"), ("TLS_KEY", "nowhere.key")]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr);
    let expected = "hello-tls: TLS_CERT: cannot read nowhere.crt: ";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn a_bad_port_is_refused() {
    let output = run(&[("PORT", "https")]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "hello-tls: PORT is \"https\": expected a number from 0 to 65535\n"
    );
}
