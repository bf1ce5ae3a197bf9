//! One question: sent, read, repaired once.

use std::time::Duration;

use vigie_event::{Clock, Lang};

use super::Transport;
use super::answer::{Answer, Flaw};
use super::fault::Fault;
use super::form::{Form, Message, Reply, body, read_reply};
use super::probe::milliseconds;
use super::prompt::Prompt;

/// Characters of a wrong answer that are shown to the model again.
const SHOWN_AGAIN: usize = 600;
/// How much more room an answer gets that was cut off.
const MORE_ROOM: u32 = 6;

/// The model that is asked, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Its name, as the server knows it.
    pub name: String,
    /// Tokens of an answer at most.
    pub max_tokens: u32,
    /// How long to wait for an answer.
    pub timeout: Duration,
    /// Whether it may add a text of its own.
    pub notes: bool,
    /// The language in which facts are given and a text is to be written.
    pub lang: Lang,
}

/// A valid answer and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The answer.
    pub answer: Answer,
    /// Whether it is the second try.
    pub repaired: bool,
    /// Tokens read, over all tries.
    pub prompt_tokens: u32,
    /// Tokens written, over all tries.
    pub answer_tokens: u32,
    /// Milliseconds from the question to the answer.
    pub latency_ms: u32,
    /// The version that the server names: hostile.
    pub version: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The server gave none; the tokens that were used before.
    Server(Fault, u32),
    /// What it gave was wrong twice; the tokens that were used.
    Invalid(Flaw, u32),
}

/// Asks `prompt` in `form`.
///
/// # Errors
/// The server does not answer, or its answer is wrong even after it was told so.
pub fn ask(
    transport: &dyn Transport,
    model: &Model,
    form: Form,
    prompt: &Prompt,
    clock: &dyn Clock,
) -> Result<Asked, Failed> {
    let start = clock.now();
    let send = |messages: &[Message], max_tokens: u32| -> Result<Reply, Fault> {
        let request = body(&model.name, form, "verdict", &prompt.schema, messages, max_tokens);
        read_reply(&transport.complete(&request, model.timeout)?)
    };
    let asked = |answer: Answer, repaired: bool, replies: &[&Reply]| Asked {
        answer,
        repaired,
        prompt_tokens: total(replies.iter().map(|reply| reply.prompt_tokens)),
        answer_tokens: total(replies.iter().map(|reply| reply.answer_tokens)),
        latency_ms: milliseconds(clock.now().since(start)),
        version: replies.first().map(|reply| reply.version.clone()).unwrap_or_default(),
    };

    let first =
        send(&prompt.messages, model.max_tokens).map_err(|fault| Failed::Server(fault, 0))?;
    let flaw = match Answer::read(&first.text, &prompt.offer, model.notes) {
        Ok(answer) => return Ok(asked(answer, false, &[&first])),
        Err(flaw) => flaw,
    };
    let cut_off = first.is_cut || flaw == Flaw::CutOff;
    let (messages, room) = if cut_off {
        // It was right as far as it went: the same question, with room for the whole answer.
        (prompt.messages.clone(), model.max_tokens.saturating_mul(MORE_ROOM))
    } else {
        let mut messages = prompt.messages.clone();
        let shown: String = first.text.chars().take(SHOWN_AGAIN).collect();
        messages.push(Message::new("assistant", shown));
        messages.push(Message::new(
            "user",
            format!("That answer is not valid: {flaw}. Answer again, with the JSON object alone."),
        ));
        (messages, model.max_tokens)
    };
    let second = send(&messages, room).map_err(|fault| Failed::Server(fault, used(&[&first])))?;
    match Answer::read(&second.text, &prompt.offer, model.notes) {
        Ok(answer) => Ok(asked(answer, true, &[&first, &second])),
        Err(flaw) => Err(Failed::Invalid(flaw, used(&[&first, &second]))),
    }
}

/// Tokens of `replies`, read and written.
fn used(replies: &[&Reply]) -> u32 {
    total(replies.iter().flat_map(|reply| [reply.prompt_tokens, reply.answer_tokens]))
}

/// The sum of counts that a server states, and may state wrongly.
fn total(counts: impl Iterator<Item = u32>) -> u32 {
    counts.fold(0, u32::saturating_add)
}
