//! What is served.

use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

#[derive(Clone, Serialize)]
struct Identity {
    service: &'static str,
    version: &'static str,
    arch: &'static str,
}

const IDENTITY: Identity = Identity {
    service: env!("CARGO_PKG_NAME"),
    version: env!("CARGO_PKG_VERSION"),
    arch: std::env::consts::ARCH,
};

pub(crate) fn router() -> Router {
    Router::new()
        .route("/", get(Json(IDENTITY)))
        .route("/healthz", get("ok"))
}
