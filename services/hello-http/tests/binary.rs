//! The real program: started, asked, stopped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(20);

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hello-http"));
    command.env("PORT", "0").stdin(Stdio::null());
    command
}

struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let mut child = program()
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

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        stream.set_read_timeout(Some(LIMIT)).expect("a time limit");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        .expect("a request sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
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

fn run_with_port(port: &str) -> Output {
    let mut child = program()
        .env("PORT", port)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    wait(&mut child);
    child.wait_with_output().expect("its output")
}

#[test]
fn answers_and_ends_cleanly_on_sigterm() {
    let server = Server::start();

    let root = server.get("/");
    assert!(root.starts_with("HTTP/1.1 200 OK\r\n"), "{root}");
    let (_, body) = root.split_once("\r\n\r\n").expect("a body");
    assert_eq!(
        body,
        format!(
            r#"{{"service":"hello-http","version":"{}","arch":"{}"}}"#,
            env!("CARGO_PKG_VERSION"),
            std::env::consts::ARCH
        )
    );

    let health = server.get("/healthz");
    assert!(health.starts_with("HTTP/1.1 200 OK\r\n"), "{health}");
    assert!(health.ends_with("\r\n\r\nok"), "{health}");

    assert_eq!(server.stop("TERM").code(), Some(0));
}

#[test]
fn ends_cleanly_on_sigint() {
    assert_eq!(Server::start().stop("INT").code(), Some(0));
}

#[test]
fn an_idle_connection_does_not_hold_up_the_end() {
    let server = Server::start();
    let _idle = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
    assert_eq!(server.stop("TERM").code(), Some(0));
}

#[test]
fn a_bad_port_is_refused() {
    let output = run_with_port("eighty");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "hello-http: PORT is \"eighty\": expected a number from 0 to 65535\n"
    );
}

#[test]
fn a_taken_port_is_an_error() {
    let server = Server::start();
    let output = run_with_port(&server.port.to_string());
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        message.starts_with(&format!(
            "hello-http: cannot listen on port {}",
            server.port
        )),
        "{message}"
    );
}
