//! Why something is refused, and where it stands.

use crate::Position;

/// Why something in a file is refused, before the file's name is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where it stands.
    pub at: Position,
    /// What is wrong: lowercase, no full stop.
    pub message: String,
    /// What to do about it; empty where nothing better can be said than the message.
    pub mend: String,
}

impl Refusal {
    /// Refuses what stands at `at`.
    pub fn new(at: Position, message: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { at, message: message.into(), mend: mend.into() }
    }
}

/// Text from a file as it may stand in a message: cut at 60 characters, without control
/// characters.
pub fn shown(text: &str) -> String {
    let mut shown: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(60).collect();
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_text_is_short_and_on_one_line() {
        assert_eq!(shown("a\nb"), "a b");
        assert_eq!(shown(&"x".repeat(61)).chars().count(), 61);
    }
}
