//! Serves until told to stop, then lets open connections finish.

use std::io;
use std::time::Duration;

use axum::Router;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::handshake::TlsListener;

/// Connections that are still open `grace` after `stop` are dropped.
pub(crate) async fn until(
    listener: TlsListener,
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
