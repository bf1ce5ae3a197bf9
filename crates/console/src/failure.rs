//! What does a request get that cannot be served?
//!
//! Handlers give a [`Failure`]; the frame (see `context`) turns it into a page or, under `/api/`,
//! into a problem document (RFC 9457), in the reader's language.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use vigie_store::state::StateError;

use crate::auth::password::HashingFailed;
use crate::secret::NoRandomness;

/// Why a request cannot be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It makes no sense.
    BadRequest,
    /// Nobody is signed in.
    NotSignedIn,
    /// The person's role does not allow it.
    Forbidden,
    /// It did not come from the console's own pages.
    ForeignOrigin,
    /// There is no such thing.
    NotFound,
    /// It contradicts what is there.
    Conflict,
    /// The console does not answer under that name.
    WrongHost,
    /// Too many attempts; seconds to wait.
    TooMany(u64),
    /// Something of ours broke. The text goes to the log only.
    Internal(String),
}

impl Failure {
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        if let Self::TooMany(seconds) = self {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        match error {
            StateError::NotFound { .. } => Self::NotFound,
            StateError::Conflict(_) => Self::Conflict,
            StateError::Invalid(_) | StateError::BadCursor(_) => Self::BadRequest,
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        Self::Internal(format!("page cannot be rendered: {error}"))
    }
}

impl From<NoRandomness> for Failure {
    fn from(error: NoRandomness) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<HashingFailed> for Failure {
    fn from(error: HashingFailed) -> Self {
        match error {
            HashingFailed::Busy => Self::TooMany(5),
            broken @ HashingFailed::Broken(_) => Self::Internal(broken.to_string()),
        }
    }
}

/// Title and explanation of a failure with this status, as keys.
pub(crate) fn texts(failure: Option<&Failure>, status: StatusCode) -> (&'static str, &'static str) {
    if failure == Some(&Failure::ForeignOrigin) {
        return ("error-origin-title", "error-origin-text");
    }
    match status.as_u16() {
        401 => ("error-401-title", "error-401-text"),
        403 => ("error-403-title", "error-403-text"),
        404 => ("error-404-title", "error-404-text"),
        405 => ("error-405-title", "error-405-text"),
        409 => ("error-409-title", "error-409-text"),
        413 => ("error-413-title", "error-413-text"),
        421 => ("error-421-title", "error-421-text"),
        429 => ("error-429-title", "error-429-text"),
        503 => ("error-503-title", "error-503-text"),
        400..=499 => ("error-400-title", "error-400-text"),
        _ => ("error-500-title", "error-500-text"),
    }
}
