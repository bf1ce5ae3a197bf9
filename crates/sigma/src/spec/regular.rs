//! Regular expressions: PCRE as Sigma means it, for an engine without look-around.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};

use crate::diagnostic::{Refusal, shown};
use crate::predicate::RegexSource;
use crate::yaml::Position;

/// Bytes of a compiled regular expression: bounds the time to load it as well.
const REGEX_BYTES: usize = 4 << 20;
/// Bytes that each direction of its automaton may keep while it is in use; it starts over when
/// they are full, and goes without an automaton where that happens too often.
const AUTOMATON_BYTES: usize = 2 << 20;

/// Compiles `source`.
pub(super) fn compile(source: &RegexSource, at: Position) -> Result<Regex, Refusal> {
    let build = |pattern: &str| {
        RegexBuilder::new(pattern)
            .case_insensitive(source.insensitive)
            .multi_line(source.multi_line)
            .dot_matches_new_line(source.dot_all)
            .size_limit(REGEX_BYTES)
            .dfa_size_limit(AUTOMATON_BYTES)
            .nest_limit(64)
            .build()
    };
    match ascii_classes(&source.pattern) {
        Cow::Owned(ascii) => build(&ascii).or_else(|_| build(&source.pattern)),
        Cow::Borrowed(pattern) => build(pattern),
    }
    .map_err(|error| refusal(&source.pattern, &error, at))
}

/// `\d`, `\w`, `\s` and `\b` as PCRE means them unless told otherwise: of ASCII alone. With all
/// of Unicode an expression such as `<\w+:` takes 0.7 MB instead of 10 kB.
fn ascii_classes(pattern: &str) -> Cow<'_, str> {
    if !pattern.contains('\\') {
        return Cow::Borrowed(pattern);
    }
    let mut written = String::with_capacity(pattern.len() + 64);
    let mut classes = 0usize;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let Some(escaped) = chars.next() else {
                    written.push('\\');
                    break;
                };
                let special = escaped == 'b' && chars.peek() == Some(&'{');
                match replacement(escaped, classes > 0).filter(|_| !special) {
                    Some(replacement) => written.push_str(replacement),
                    None => written.extend(['\\', escaped]),
                }
            }
            '[' => {
                classes += 1;
                written.push(c);
                if let Some(caret) = chars.next_if_eq(&'^') {
                    written.push(caret);
                }
                // A bracket that closes at once is a character of the class.
                if let Some(bracket) = chars.next_if_eq(&']') {
                    written.push(bracket);
                }
            }
            ']' => {
                classes = classes.saturating_sub(1);
                written.push(c);
            }
            c => written.push(c),
        }
    }
    Cow::Owned(written)
}

fn replacement(escaped: char, in_class: bool) -> Option<&'static str> {
    Some(match (escaped, in_class) {
        ('d', false) => "[0-9]",
        ('d', true) => "0-9",
        ('D', _) => "[^0-9]",
        ('w', false) => "[0-9A-Za-z_]",
        ('w', true) => "0-9A-Za-z_",
        ('W', _) => "[^0-9A-Za-z_]",
        ('s', false) => r"[\t-\r\x20]",
        ('s', true) => r"\t-\r\x20",
        ('S', _) => r"[^\t-\r\x20]",
        ('b', false) => r"(?-u:\b)",
        ('B', false) => r"(?-u:\B)",
        _ => return None,
    })
}

fn refusal(pattern: &str, error: &regex::Error, at: Position) -> Refusal {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
    let message = format!("regular expression `{}`: {}", shown(pattern), shown(reason));
    let mend = match error {
        regex::Error::CompiledTooBig(_) => "shorten repetitions such as `{1000}`",
        _ if ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|look| pattern.contains(look)) => {
            "Sigma's regular expressions have no look-around: use a second search in the condition"
        }
        _ => "",
    };
    Refusal::new(at, message, mend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_ascii() {
        for (pattern, text, expected) in [
            (r"^\w+$", "ab_9", true),
            (r"^\w+$", "é", false),
            (r"^[\w/-]+$", "a/b-c", true),
            (r"^[^\W_]+$", "ab", true),
            (r"^[^\W_]+$", "a_b", false),
            (r"^\d{2}$", "42", true),
            (r"^\d$", "٣", false),
            (r"\bid\b", "x id y", true),
            (r"\bid\b", "xid", false),
            (r"\bid\b", "éid", true),
            (r"a\Bb", "ab", true),
            (r"^\S\s\S$", "é\té", true),
            (r"^[]\d]+$", "]1]", true),
            (r"^[^]\d]+$", "ab", true),
            (r"\\d", r"\d", true),
            (r"^\[\d\]$", "[1]", true),
            (r"^\pL$", "é", true),
            (r"^[[:alpha:]\d]+$", "a1", true),
        ] {
            let source = RegexSource {
                pattern: pattern.into(),
                insensitive: false,
                multi_line: false,
                dot_all: false,
            };
            let regex = compile(&source, Position::default()).unwrap();
            assert_eq!(regex.is_match(text), expected, "{pattern} on {text}");
        }
    }
}
