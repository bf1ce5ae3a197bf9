//! The responder's interface: `POST /respond`, `GET /status`, `GET /health`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;

use crate::analyze::object;
use crate::answer::{Refusal, healthy, json, not_found, wrong_method};
use crate::auth::{self, Token};
use crate::ingest::BoxFuture;

/// Does what an analyzer's result asks for, as far as policy and protection allow.
pub trait Respond: Send + Sync + 'static {
    /// What was done about `result`, a JSON object; kept before the future resolves.
    fn respond(&self, result: Value) -> BoxFuture<'_, Result<Value, RespondError>>;

    /// Blocked addresses and tickets.
    fn status(&self) -> BoxFuture<'_, Result<Value, RespondError>>;
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RespondError {
    /// The result asks for something that cannot be understood; the sender is told.
    #[error("{0}")]
    Invalid(String),
    /// Vigie cannot do it at the moment; the log is told, the sender only that.
    #[error("{0}")]
    Unavailable(String),
}

impl From<RespondError> for Refusal {
    fn from(error: RespondError) -> Self {
        match error {
            RespondError::Invalid(error) => Self::bad(error),
            RespondError::Unavailable(error) => {
                tracing::error!(%error, "the responder cannot answer");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the responder cannot answer at the moment; send it again later",
                )
            }
        }
    }
}

/// The responder's interface (port 6003).
pub fn respond_router(token: Token, responder: Arc<dyn Respond>) -> Router {
    Router::new()
        .route("/respond", post(respond))
        .route("/status", get(status))
        .layer(from_fn_with_state(token, auth::require))
        .route("/health", get(healthy))
        .method_not_allowed_fallback(wrong_method)
        .fallback(not_found)
        .with_state(responder)
}

async fn respond(
    State(responder): State<Arc<dyn Respond>>,
    request: Request,
) -> Result<Response, Refusal> {
    let result = object(request).await?;
    Ok(json(StatusCode::OK, responder.respond(result).await?.to_string()))
}

async fn status(State(responder): State<Arc<dyn Respond>>) -> Result<Response, Refusal> {
    Ok(json(StatusCode::OK, responder.status().await?.to_string()))
}
