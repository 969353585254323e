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

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode, header::CONTENT_TYPE};
    use axum::response::Response;
    use tower::ServiceExt;

    use super::*;

    async fn get(path: &str) -> Response {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        router().oneshot(request).await.expect("a response")
    }

    async fn text(response: Response) -> String {
        let bytes = to_bytes(response.into_body(), 1024).await.expect("a body");
        String::from_utf8(bytes.into()).expect("UTF-8")
    }

    #[tokio::test]
    async fn root_says_who_and_where() {
        let response = get("/").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(
            text(response).await,
            format!(
                r#"{{"service":"hello-http","version":"{}","arch":"{}"}}"#,
                env!("CARGO_PKG_VERSION"),
                std::env::consts::ARCH
            )
        );
    }

    #[tokio::test]
    async fn healthz_is_ok() {
        let response = get("/healthz").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text(response).await, "ok");
    }

    #[tokio::test]
    async fn other_paths_are_not_found() {
        assert_eq!(get("/nowhere").await.status(), StatusCode::NOT_FOUND);
    }
}
