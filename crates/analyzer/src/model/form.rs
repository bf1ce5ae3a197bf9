//! The chat completions interface: how a question is sent and an answer is read.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fault::Fault;

/// How a server is told the schema. Servers differ: llama.cpp's, Ollama's, LM Studio's and vLLM's
/// take the nested form, llama-cpp-python's only the second, and some none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Form {
    /// `{"type": "json_schema", "json_schema": {"name", "strict", "schema"}}`
    #[default]
    JsonSchema,
    /// `{"type": "json_object", "schema"}`
    JsonObject,
    /// The schema stands in the prompt only.
    Plain,
}

impl Form {
    /// All forms, the surest first.
    pub const ALL: [Self; 3] = [Self::JsonSchema, Self::JsonObject, Self::Plain];

    /// The name in every machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JsonSchema => "json_schema",
            Self::JsonObject => "json_object",
            Self::Plain => "plain",
        }
    }
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: &'static str,
    /// What it says.
    pub content: String,
}

impl Message {
    /// A message.
    pub fn new(role: &'static str, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

/// The body of a request.
pub fn body(
    model: &str,
    form: Form,
    name: &str,
    schema: &Value,
    messages: &[Message],
    max_tokens: u32,
) -> String {
    let mut messages = messages.to_vec();
    let format = match form {
        Form::JsonSchema => Some(json!({
            "type": "json_schema",
            "json_schema": { "name": name, "strict": true, "schema": schema },
        })),
        Form::JsonObject => Some(json!({ "type": "json_object", "schema": schema })),
        Form::Plain => {
            if let Some(last) = messages.last_mut() {
                last.content +=
                    "\nAnswer with one JSON object of this JSON schema, without any other text:\n";
                last.content += &schema.to_string();
            }
            None
        }
    };
    let mut request = json!({
        "model": model,
        "messages": messages,
        "temperature": 0.0,
        "top_p": 1.0,
        "seed": 7,
        "max_tokens": max_tokens,
        "stream": false,
    });
    if let (Some(format), Some(object)) = (format, request.as_object_mut()) {
        object.insert("response_format".to_owned(), format);
    }
    request.to_string()
}

/// What a server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The model's text: hostile.
    pub text: String,
    /// Whether the text ended for want of room.
    pub is_cut: bool,
    /// Tokens read.
    pub prompt_tokens: u32,
    /// Tokens written.
    pub answer_tokens: u32,
    /// The model and version that the server names: hostile.
    pub version: String,
}

#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    model: Option<String>,
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    content: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Usage {
    prompt_tokens: u32,
    completion_tokens: u32,
}

/// Reads an answer's body.
///
/// # Errors
/// [`Fault::Garbled`] where it is none of this interface.
pub fn read_reply(body: &[u8]) -> Result<Reply, Fault> {
    let completion: Completion = serde_json::from_slice(body).map_err(|_| Fault::Garbled)?;
    let choice = completion.choices.into_iter().next().ok_or(Fault::Garbled)?;
    let usage = completion.usage.unwrap_or_default();
    Ok(Reply {
        text: choice.message.content.unwrap_or_default(),
        is_cut: choice.finish_reason.as_deref() == Some("length"),
        prompt_tokens: usage.prompt_tokens,
        answer_tokens: usage.completion_tokens,
        version: completion.model.unwrap_or_default().chars().take(100).collect(),
    })
}
