//! Serves until told to stop, then lets open connections finish.

use std::io;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// Connections that are still open `grace` after `stop` are dropped.
pub(crate) async fn until(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> io::Result<()> {
    let (stopping, stopped) = oneshot::channel();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        stop.await;
        let _ = stopping.send(());
    });
    let out_of_patience = async move {
        let _ = stopped.await;
        sleep(grace).await;
    };
    tokio::select! {
        result = server => result,
        () = out_of_patience => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::Arc;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;
    use tokio::time::timeout;

    use super::*;

    const LONG: Duration = Duration::from_secs(10);
    const SHORT: Duration = Duration::from_millis(200);

    async fn local_listener() -> TcpListener {
        TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port")
    }

    #[tokio::test]
    async fn ends_at_once_when_nobody_is_connected() {
        let server = until(local_listener().await, Router::new(), ready(()), LONG * 2);
        timeout(LONG, server)
            .await
            .expect("an end in time")
            .expect("a clean end");
    }

    /// A route that takes `work`, a request to it, and the stop as soon as that request is being served.
    async fn stop_during_a_request(work: Duration, grace: Duration) -> String {
        let listener = local_listener().await;
        let address = listener.local_addr().expect("a bound address");
        let serving = Arc::new(Notify::new());
        let entered = Arc::clone(&serving);
        let router = Router::new().route(
            "/",
            get(async move || {
                entered.notify_one();
                sleep(work).await;
                "done"
            }),
        );
        let stop = async move { serving.notified().await };
        let server = until(listener, router, stop, grace);
        let client = async {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream
                .write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
                .await
                .expect("a request sent");
            stream
        };
        let both = async { tokio::join!(server, client) };
        let (result, mut stream) = timeout(LONG, both).await.expect("an end in time");
        result.expect("a clean end");
        let mut answer = vec![0; 1024];
        let read = timeout(SHORT, stream.read(&mut answer)).await;
        let length = read.map_or(0, |read| read.expect("an answer"));
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[tokio::test]
    async fn a_request_being_served_is_finished() {
        let answer = stop_during_a_request(SHORT, LONG).await;
        assert!(answer.ends_with("done"), "{answer:?}");
    }

    #[tokio::test]
    async fn a_request_that_takes_too_long_is_dropped() {
        let answer = stop_during_a_request(LONG, SHORT).await;
        assert_eq!(answer, "");
    }
}
