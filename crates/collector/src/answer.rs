//! Answers, and what goes wrong as one.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use vigie_store::journal::JournalError;

use crate::event_text::EventTextError;
use crate::intake::IntakeError;

/// Why a request gets no answer of its own: a status and a sentence for whoever sent it.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: StatusCode,
    pub error: String,
}

impl Refusal {
    pub fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into() }
    }

    pub fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub fn no_data() -> Self {
        Self::bad("No data")
    }

    pub fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy; send it again in a moment")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = format!("{{\"error\": {}}}", Value::from(self.error));
        let mut response = json(self.status, body);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<EventTextError> for Refusal {
    fn from(error: EventTextError) -> Self {
        let status = match error {
            EventTextError::TooLarge(..) | EventTextError::TooMany(_) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

/// The sender learns what it can do; paths and system errors are in the log.
impl From<IntakeError> for Refusal {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Journal(JournalError::TooLarge { .. }) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too much at once; send smaller requests")
            }
            IntakeError::Journal(error) if error.is_out_of_room() => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "no room left to keep events; nothing was accepted, send it again later",
            ),
            IntakeError::TooManySources => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string())
            }
            IntakeError::Journal(_) | IntakeError::Stopped => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "events cannot be kept at the moment; nothing was accepted, send it again later",
            ),
        }
    }
}

/// A JSON answer.
pub fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.into()).into_response()
}

/// The answer for a path that there is none of.
pub async fn not_found() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "Not found")
}

/// The answer for a method that a path does not take.
pub async fn wrong_method() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
}

/// `GET /health` of a role that has nothing to count.
pub async fn healthy() -> Response {
    json(StatusCode::OK, r#"{"status": "ok"}"#)
}
