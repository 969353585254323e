//! SIGTERM and SIGINT, as something to wait for.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Ends when one of them arrives. The handlers are in place when this function returns.
pub(crate) fn signalled() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
