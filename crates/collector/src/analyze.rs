//! The analyzer's interface: `POST /analyze`, `GET /health`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;

use crate::answer::{Refusal, healthy, json, not_found, wrong_method};
use crate::auth::{self, Token};
use crate::body::{self, EVENT_LIMIT};

/// Judges one event. Answers within milliseconds: callers wait.
pub trait Analyse: Send + Sync + 'static {
    /// The result for `event`, a JSON object: severity, category, recommended action …
    fn analyse(&self, event: Value) -> Value;
}

/// The analyzer's interface (port 6002).
pub fn analyze_router(token: Token, analyst: Arc<dyn Analyse>) -> Router {
    Router::new()
        .route("/analyze", post(analyze))
        .layer(from_fn_with_state(token, auth::require))
        .route("/health", get(healthy))
        .method_not_allowed_fallback(wrong_method)
        .fallback(not_found)
        .with_state(analyst)
}

async fn analyze(
    State(analyst): State<Arc<dyn Analyse>>,
    request: Request,
) -> Result<Response, Refusal> {
    let event = object(request).await?;
    let result = analyst.analyse(event);
    Ok(json(StatusCode::OK, format!(r#"{{"status": "analyzed", "result": {result}}}"#)))
}

/// The JSON object that is a request's body.
pub async fn object(request: Request) -> Result<Value, Refusal> {
    let whole = body::read(request, EVENT_LIMIT, None).await?;
    let bytes = whole.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&whole.bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(Refusal::no_data());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) if !object.is_empty() => Ok(Value::Object(object)),
        Ok(Value::Object(_) | Value::Null) => Err(Refusal::no_data()),
        Ok(_) => Err(Refusal::bad("the body is no JSON object")),
        Err(error) => Err(Refusal::bad(format!("invalid JSON: {error}"))),
    }
}
