//! Who may speak: everybody who has the token.

use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use crate::answer::Refusal;

/// The header that carries the token.
const HEADER: &str = "x-auth-token";

/// The token of the agents' interface. Never shown.
#[derive(Clone)]
pub struct Token(Arc<[u8]>);

impl Token {
    /// The token with this text. An empty one lets nobody in.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().as_bytes().into())
    }

    /// Whether `presented` is the token. Takes the same time wherever the two differ; only the
    /// length could be told, which is no secret.
    fn is(&self, presented: &[u8]) -> bool {
        !self.0.is_empty() && bool::from(self.0.ct_eq(presented))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Lets a request through that carries the token, before any of its body is read.
pub async fn require(State(token): State<Token>, request: Request, next: Next) -> Response {
    let presented = request.headers().get(HEADER).map(axum::http::HeaderValue::as_bytes);
    if presented.is_some_and(|presented| token.is(presented)) {
        return next.run(request).await;
    }
    Refusal::new(StatusCode::UNAUTHORIZED, "Unauthorized").into_response()
}
