//! Does a server answer, which form of the schema does it take, and does it hold to it?

use serde_json::json;
use vigie_event::Clock;

use super::Transport;
use super::ask::Model;
use super::fault::Fault;
use super::form::{Form, Message, body, read_reply};

/// Tokens of the probe's answer.
const TOKENS: u32 = 120;

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The form to use.
    pub form: Form,
    /// Whether the server holds answers to the schema.
    pub enforced: bool,
    /// How long the answer took, in milliseconds.
    pub latency_ms: u32,
    /// The version that the server names: hostile.
    pub version: String,
}

/// Asks for something that the schema does not allow: `nonce`, which stands in the schema alone, is
/// the only legal answer. A server that gives it holds to schemas; one that answers otherwise does
/// not. The forms are tried from the surest on, until one is held to; else the first that got any
/// answer is taken.
///
/// # Errors
/// The server cannot be reached, refuses the key, or takes no form.
pub fn probe(
    transport: &dyn Transport,
    model: &Model,
    nonce: u64,
    clock: &dyn Clock,
) -> Result<Found, Fault> {
    let legal = format!("vigie-{nonce:016x}");
    let schema = json!({
        "type": "object",
        "required": ["word"],
        "properties": { "word": { "type": "string", "enum": [legal] } },
        "additionalProperties": false,
    });
    let messages = [
        Message::new("system", "You answer in one short sentence."),
        Message::new("user", "Which colour has the sky on a clear day?"),
    ];
    let mut answered: Option<Found> = None;
    let mut refused: Option<Fault> = None;
    for form in [Form::JsonSchema, Form::JsonObject] {
        let request = body(&model.name, form, "probe", &schema, &messages, TOKENS);
        let start = clock.now();
        match transport.complete(&request, model.timeout).and_then(|body| read_reply(&body)) {
            Ok(reply) => {
                let latency_ms = milliseconds(clock.now().since(start));
                let word = serde_json::from_str::<serde_json::Value>(&reply.text).ok();
                let enforced = word.is_some_and(|word| word == json!({ "word": legal }));
                let found = Found { form, enforced, latency_ms, version: reply.version };
                if enforced {
                    return Ok(found);
                }
                answered.get_or_insert(found);
            }
            // The server does not take this form, but it is there.
            Err(fault @ (Fault::Status(_) | Fault::Garbled)) => refused = Some(fault),
            Err(fault) => return Err(fault),
        }
    }
    if let Some(found) = answered {
        return Ok(found);
    }
    let request = body(&model.name, Form::Plain, "probe", &schema, &messages, TOKENS);
    let start = clock.now();
    let reply = transport
        .complete(&request, model.timeout)
        .and_then(|body| read_reply(&body))
        .map_err(|fault| refused.unwrap_or(fault))?;
    let latency_ms = milliseconds(clock.now().since(start));
    Ok(Found { form: Form::Plain, enforced: false, latency_ms, version: reply.version })
}

/// Nanoseconds as milliseconds.
pub(super) fn milliseconds(nanos: i64) -> u32 {
    u32::try_from(nanos / 1_000_000).unwrap_or(0)
}
