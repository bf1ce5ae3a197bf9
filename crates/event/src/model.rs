//! The language model's part: what stood behind a second verdict, and how its server is doing.

use serde::{Deserialize, Serialize};

use crate::{Severity, Timestamp};

/// What a model advises and only people may do. Nothing acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "advice", rename_all = "snake_case")]
pub enum Proposal {
    /// To think of the incident as less severe.
    Lower {
        /// As severe as the model said.
        to: Severity,
    },
    /// To think of it as more severe, though somebody in its logs speaks to models.
    Raise {
        /// As severe as the model said.
        to: Severity,
    },
    /// To close the incident as harmless.
    Close,
}

/// How a model came to its verdict. Kept with the verdict and shown beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
// Four facts that hold or not, each by itself.
#[allow(clippy::struct_excessive_bools)]
pub struct ModelTrace {
    /// The version that the server names; written by the server, so never trusted.
    pub version: String,
    /// 16 hexadecimal digits that change with the constant part of the prompt.
    pub prompt: String,
    /// Tokens read and written, over all tries.
    pub prompt_tokens: u32,
    /// Tokens of the answers.
    pub answer_tokens: u32,
    /// From the question to the answer, in milliseconds.
    pub latency_ms: u32,
    /// Whether the server is known to hold answers to the schema.
    pub schema_enforced: bool,
    /// Whether the first answer had to be repaired.
    pub repaired: bool,
    /// Whether the verdict was known already, from a question about the same facts.
    pub cached: bool,
    /// Whether the model named the same severity and category as the first analyst.
    pub agrees: bool,
    /// What the model advises and only people may do.
    pub proposals: Vec<Proposal>,
    /// What the model wrote in words of its own, where that is allowed: untrusted text.
    pub note: String,
}

/// How the configured model is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelStatus {
    /// The model's name as it is configured.
    pub model: String,
    /// Where its server is, without any key.
    pub url: String,
    /// The version that the server names; untrusted.
    pub version: String,
    /// Whether the server answered when it was last spoken to.
    pub reachable: bool,
    /// How long it took to answer the probe, in milliseconds.
    pub latency_ms: Option<u32>,
    /// Whether it holds answers to a schema; `None` before it was found out.
    pub schema_enforced: Option<bool>,
    /// How the schema is sent: `json_schema`, `json_object` or `plain`.
    pub form: String,
    /// What is wrong, in English; empty while all is well.
    pub problem: String,
    /// When this was last found out.
    pub checked: Timestamp,
    /// Incidents that wait for a second verdict.
    pub waiting: u64,
    /// Second verdicts given since the start.
    pub verdicts: u64,
    /// Of these, known already from a question about the same facts.
    pub cached: u64,
    /// Answers that had to be repaired since the start.
    pub repaired: u64,
    /// Incidents left with the first verdict alone since the start, because no answer was usable.
    pub fallbacks: u64,
    /// Tokens used today (UTC).
    pub tokens_today: u64,
}
