//! `GET /api/v1/model`: how the language model is doing.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::console::Console;
use crate::context::Context;
use crate::failure::Failure;

/// `GET /api/v1/model`: `model` is null where none is configured.
pub(crate) async fn show(
    State(console): State<Console>,
    context: Context,
) -> Result<Response, Failure> {
    context.reader()?;
    let status = console.state.model_status().await?;
    let agreement = console.state.agreement().await?;
    Ok(Json(json!({
        "kind": "model",
        "model": status,
        "agreement": { "verdicts": agreement.verdicts, "agree": agreement.agree },
    }))
    .into_response())
}
