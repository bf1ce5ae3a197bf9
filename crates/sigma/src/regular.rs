//! Regular expressions: PCRE as Sigma means it, for an engine without look-around.

mod required;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};
use vigie_yaml::{Position, Refusal, shown};

use crate::predicate::RegexSource;

/// Bytes of a compiled regular expression: bounds the time to load it as well.
const REGEX_BYTES: usize = 4 << 20;
/// Bytes that each direction of its automaton may keep while it is in use; it starts over when
/// they are full, and goes without an automaton where that happens too often.
const AUTOMATON_BYTES: usize = 2 << 20;
/// States up to which an expression surely fits into [`REGEX_BYTES`]: a state takes some 40 bytes.
const FEW_STATES: usize = 32_768;
/// Groups inside groups.
const MOST_NESTED: u32 = 64;

/// A regular expression that is known to be sound. Most are never asked, so each is compiled when
/// it first is; clones share that.
#[derive(Clone, Debug)]
pub(crate) struct Regular(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: RegexSource,
    required: Vec<String>,
    compiled: OnceLock<Option<Regex>>,
}

impl Regular {
    /// Checks `source`; compiles it at once where only that tells whether it is too large.
    pub fn new(source: &RegexSource, at: Position) -> Result<Self, Refusal> {
        let pattern = ascii_classes(&source.pattern);
        let parsed = parse(source, &pattern).or_else(|| parse(source, &source.pattern));
        let compiled = OnceLock::new();
        let few = |parsed: &Hir| states(parsed, source.insensitive) <= FEW_STATES;
        if !parsed.as_ref().is_some_and(few) {
            let regex = compile(source).map_err(|error| refusal(&source.pattern, &error, at))?;
            // It was not set before.
            let _ = compiled.set(Some(regex));
        }
        let required = parsed.as_ref().map(required::literals).unwrap_or_default();
        Ok(Self(Arc::new(Inner { source: source.clone(), required, compiled })))
    }

    /// Whether it is found in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        let Inner { source, compiled, .. } = &*self.0;
        let regex = compiled.get_or_init(|| compile(source).ok());
        regex.as_ref().is_some_and(|regex| regex.is_match(text))
    }

    /// Literals, folded, of which every text has one in which it is found; none where nothing is
    /// known of them.
    pub fn required(&self) -> &[String] {
        &self.0.required
    }
}

/// Parses an expression as if case mattered: to turn letters into classes would take half the time,
/// and what is asked of it is asked of folded text.
fn parse(source: &RegexSource, pattern: &str) -> Option<Hir> {
    let mut parser = ParserBuilder::new()
        .multi_line(source.multi_line)
        .dot_matches_new_line(source.dot_all)
        .nest_limit(MOST_NESTED)
        .build();
    parser.parse(pattern).ok()
}

fn compile(source: &RegexSource) -> Result<Regex, regex::Error> {
    let build = |pattern: &str| {
        RegexBuilder::new(pattern)
            .case_insensitive(source.insensitive)
            .multi_line(source.multi_line)
            .dot_matches_new_line(source.dot_all)
            .size_limit(REGEX_BYTES)
            .dfa_size_limit(AUTOMATON_BYTES)
            .nest_limit(MOST_NESTED)
            .build()
    };
    match ascii_classes(&source.pattern) {
        Cow::Owned(ascii) => build(&ascii).or_else(|_| build(&source.pattern)),
        Cow::Borrowed(pattern) => build(pattern),
    }
}

/// An upper bound of the states that an expression takes, whose letters stand for all their forms
/// where it is `insensitive`.
fn states(part: &Hir, insensitive: bool) -> usize {
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) if insensitive => literal.0.len() * (4 * FORMS + 1),
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(class) if insensitive => states_of_forms(class),
        HirKind::Class(class) => states_of(class),
        HirKind::Capture(capture) => states(&capture.sub, insensitive).saturating_add(2),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(0).max(repetition.min) as usize + 1;
            states(&repetition.sub, insensitive).saturating_add(2).saturating_mul(times)
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts
            .iter()
            .map(|part| states(part, insensitive))
            .fold(parts.len(), usize::saturating_add),
    }
}

/// Forms of a letter, such as `s`, `S` and `ſ`: none has more in all of Unicode.
const FORMS: usize = 4;
/// A range of characters is at most so many ways to go through their bytes.
const RANGE: usize = 40;

/// An upper bound of the states that a class takes.
fn states_of(class: &Class) -> usize {
    match class {
        Class::Unicode(class) => {
            let range = |range: &ClassUnicodeRange| if range.end().is_ascii() { 1 } else { RANGE };
            class.ranges().iter().map(range).sum::<usize>() + 1
        }
        Class::Bytes(class) => class.ranges().len() + 1,
    }
}

/// An upper bound of the states that a class takes with all forms of its letters. Nothing is known
/// of one that has some letters beyond ASCII and some not.
fn states_of_forms(class: &Class) -> usize {
    if let Class::Unicode(letters) = class
        && !letters.is_ascii()
    {
        let mut others = letters.clone();
        others.negate();
        if !others.is_ascii() {
            return usize::MAX;
        }
    }
    // Each range may bring one of small and one of capital letters; `ſ` and `K` come to those of
    // ASCII, or cut the one beyond it in three.
    3 * states_of(class) + 8
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
            let regex = Regular::new(&source, Position::default()).unwrap();
            assert_eq!(regex.is_match(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn few_states_are_never_too_large() {
        for piece in ["s", "θ", "[a-z]", "[^;]", "[^;k-s]", "(?:a[^|]|[0-9])", "(?-u:[x-z])", "é|s"]
        {
            for insensitive in [false, true] {
                let source = |times: usize| RegexSource {
                    pattern: format!("(?:{piece}){{{times}}}").into(),
                    insensitive,
                    multi_line: false,
                    dot_all: false,
                };
                let is_few = |times: &usize| {
                    let source = source(*times);
                    let parsed = parse(&source, &source.pattern).unwrap();
                    states(&parsed, insensitive) <= FEW_STATES
                };
                let most = (1..40_000).step_by(50).take_while(is_few).last();
                // Nothing is known of letters of two kinds in all their forms.
                assert_eq!(most.is_none(), insensitive && piece == "é|s", "{piece}");
                let fits = most.is_none_or(|most| compile(&source(most)).is_ok());
                assert!(fits, "{piece} {most:?} times");
            }
        }
    }

    #[test]
    fn only_what_may_be_too_large_is_compiled_at_once() {
        for (pattern, insensitive, expected) in [
            ("^never[0-9]+$", false, Some(false)),
            (r"\w{2,5}\s(a|b)*", false, Some(false)),
            (r"\w{2,5}\s(a|b)*[^;|]+\d{10}", true, Some(false)),
            (r"\pL{50}", false, Some(true)),
            (r"\pL", true, Some(true)),
            ("[^a]{300}", false, Some(false)),
            ("[^a]{3000}", false, Some(true)),
            ("a{60000}", false, Some(true)),
            ("ab{100}", true, Some(false)),
            ("ab{3000}", true, Some(true)),
            ("(a{1000}){1000}", false, None),
            ("(a{1000}){100}", true, None),
            (r"(?:\pL{1000}){9}", false, None),
            ("(a", false, None),
            ("(?=a)", false, None),
        ] {
            let source = RegexSource {
                pattern: pattern.into(),
                insensitive,
                multi_line: false,
                dot_all: false,
            };
            let regular = Regular::new(&source, Position::default()).ok();
            let at_once = regular.map(|regular| regular.0.compiled.get().is_some());
            assert_eq!(at_once, expected, "{pattern}");
        }
    }
}
