//! Connections whose handshake is done, for `axum::serve`.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use axum::serve::Listener;
use openssl::ssl::{Ssl, SslAcceptor};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_openssl::SslStream;

/// Further clients wait in the kernel's queue.
const MOST_AT_ONCE: usize = 256;

type Connection = (SslStream<TcpStream>, SocketAddr);

/// Each handshake is a task of its own, so that a slow client holds up no other.
pub(crate) struct TlsListener {
    tcp: TcpListener,
    acceptor: SslAcceptor,
    limit: Duration,
    handshakes: JoinSet<Option<Connection>>,
}

impl TlsListener {
    /// A handshake that takes longer than `limit` is given up.
    pub(crate) fn new(tcp: TcpListener, acceptor: SslAcceptor, limit: Duration) -> Self {
        Self {
            tcp,
            acceptor,
            limit,
            handshakes: JoinSet::new(),
        }
    }

    fn begin(&mut self, stream: TcpStream, peer: SocketAddr) {
        let acceptor = self.acceptor.clone();
        let limit = self.limit;
        self.handshakes.spawn(async move {
            // A client that fails or dawdles is its own affair: nobody is left to tell.
            let stream = timeout(limit, accept(&acceptor, stream)).await.ok()?.ok()?;
            Some((stream, peer))
        });
    }
}

async fn accept(acceptor: &SslAcceptor, stream: TcpStream) -> io::Result<SslStream<TcpStream>> {
    let mut stream = SslStream::new(Ssl::new(acceptor.context())?, stream)?;
    Pin::new(&mut stream)
        .accept()
        .await
        .map_err(io::Error::other)?;
    Ok(stream)
}

impl Listener for TlsListener {
    type Io = SslStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Connection {
        loop {
            tokio::select! {
                Some(finished) = self.handshakes.join_next() => {
                    if let Ok(Some(connection)) = finished {
                        return connection;
                    }
                }
                (stream, peer) = Listener::accept(&mut self.tcp),
                    if self.handshakes.len() < MOST_AT_ONCE => self.begin(stream, peer),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::{acceptor, identity};

    const LONG: Duration = Duration::from_secs(30);
    const SHORT: Duration = Duration::from_millis(200);

    async fn listener(limit: Duration) -> (TlsListener, SocketAddr) {
        let tcp = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = tcp.local_addr().expect("a bound address");
        let identity = identity::self_signed().expect("an identity");
        let acceptor = acceptor::presenting(&identity).expect("an acceptor");
        (TlsListener::new(tcp, acceptor, limit), address)
    }

    async fn shake_hands(address: SocketAddr) -> SslStream<TcpStream> {
        let mut connector = SslConnector::builder(SslMethod::tls_client()).expect("a builder");
        connector.set_verify(SslVerifyMode::NONE);
        let ssl = connector
            .build()
            .configure()
            .and_then(|configuration| configuration.into_ssl("localhost"))
            .expect("a client");
        let tcp = TcpStream::connect(address).await.expect("a connection");
        let mut stream = SslStream::new(ssl, tcp).expect("a stream");
        Pin::new(&mut stream).connect().await.expect("a handshake");
        stream
    }

    #[tokio::test]
    async fn silent_and_broken_clients_hold_up_no_other() {
        let (mut listener, address) = listener(LONG).await;
        let _silent = TcpStream::connect(address).await.expect("a connection");
        let mut broken = TcpStream::connect(address).await.expect("a connection");
        broken
            .write_all(b"GET / HTTP/1.1\r\n\r\n")
            .await
            .expect("plain text");

        let meeting = async { tokio::join!(listener.accept(), shake_hands(address)) };
        let ((_, peer), client) = timeout(LONG / 2, meeting)
            .await
            .expect("a handshake in time");
        assert_eq!(peer, client.get_ref().local_addr().expect("an address"));
    }

    #[tokio::test]
    async fn a_silent_client_is_dropped_after_the_limit() {
        let (mut listener, address) = listener(SHORT).await;
        let mut silent = TcpStream::connect(address).await.expect("a connection");
        let mut byte = [0];
        tokio::select! {
            _ = listener.accept() => panic!("a connection without a handshake"),
            read = timeout(LONG, silent.read(&mut byte)) => {
                assert_eq!(read.expect("the end in time").expect("an orderly end"), 0);
            }
        }
    }
}
