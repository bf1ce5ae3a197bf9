//! Values with wildcards.

use memchr::memmem;

use crate::fold::{fold, fold_char};

/// The characters that `windash` takes for one another.
pub(crate) const DASHES: [char; 5] = ['-', '/', '–', '—', '―'];

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Token {
    /// This character.
    Literal(char),
    /// `?`: any one character.
    AnyOne,
    /// `*`: any run of characters, none included.
    AnyRun,
    /// Any of [`DASHES`].
    Dash,
}

/// A value with its wildcards, as written: not yet folded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Pattern(Vec<Token>);

/// Where a literal stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Anchor {
    Whole,
    Start,
    End,
    Anywhere,
}

/// What a pattern comes down to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    /// Any text at all.
    Any,
    /// A literal.
    Literal(Anchor, String),
    /// Neither.
    Glob(Pattern),
}

impl Pattern {
    /// Reads Sigma's escapes: `\` before `*`, `?` and `\` takes their meaning, before anything
    /// else it is itself.
    pub fn parse(text: &str) -> Self {
        let mut tokens = Vec::with_capacity(text.len());
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let token = match c {
                '*' => Token::AnyRun,
                '?' => Token::AnyOne,
                '\\' => match chars.next_if(|next| matches!(next, '*' | '?' | '\\')) {
                    Some(escaped) => Token::Literal(escaped),
                    None => Token::Literal('\\'),
                },
                c => Token::Literal(c),
            };
            tokens.push(token);
        }
        Self(tokens)
    }

    /// `text` without wildcards.
    pub fn plain(text: &str) -> Self {
        Self(text.chars().map(Token::Literal).collect())
    }

    /// The text, where it has neither wildcards nor interchangeable dashes.
    pub fn literal(&self) -> Option<String> {
        literal(&self.0)
    }

    /// The longest text without wildcards in it, in bytes; empty where there is none.
    pub fn longest_literal(&self) -> String {
        let runs = self.0.split(|token| !matches!(token, Token::Literal(_)));
        let texts = runs.filter_map(literal);
        texts.max_by_key(String::len).unwrap_or_default()
    }

    /// Preceded by `*`.
    pub fn open_start(&mut self) {
        self.0.insert(0, Token::AnyRun);
    }

    /// Followed by `*`.
    pub fn open_end(&mut self) {
        self.0.push(Token::AnyRun);
    }

    /// Makes the dashes that begin a word interchangeable: those with no word character before
    /// and one after, as in `-enc` and `/c`. Others, as in `foo-bar`, are no flags.
    pub fn open_dashes(&mut self) {
        let word = |token: Option<&Token>| matches!(token, Some(Token::Literal(c)) if c.is_alphanumeric() || *c == '_');
        let flags: Vec<usize> = (0..self.0.len())
            .filter(|&at| {
                let dash = matches!(self.0.get(at), Some(Token::Literal(c)) if DASHES.contains(c));
                let before = at.checked_sub(1).and_then(|before| self.0.get(before));
                dash && !word(before) && word(self.0.get(at + 1))
            })
            .collect();
        for at in flags {
            if let Some(token) = self.0.get_mut(at) {
                *token = Token::Dash;
            }
        }
    }

    /// What it comes down to; folded unless `cased`.
    pub fn shape(mut self, cased: bool) -> Shape {
        self.0.dedup_by(|a, b| *a == Token::AnyRun && *b == Token::AnyRun);
        if !cased {
            for token in &mut self.0 {
                if let Token::Literal(c) = token {
                    *c = fold_char(*c);
                }
            }
        }
        let starts_open = self.0.first() == Some(&Token::AnyRun);
        let ends_open = self.0.last() == Some(&Token::AnyRun);
        if starts_open && self.0.len() == 1 {
            return Shape::Any;
        }
        let end = self.0.len() - usize::from(ends_open);
        let inner = self.0.get(usize::from(starts_open)..end).unwrap_or_default();
        let Some(text) = literal(inner) else {
            return Shape::Glob(self);
        };
        let anchor = match (starts_open, ends_open) {
            (false, false) => Anchor::Whole,
            (false, true) => Anchor::Start,
            (true, false) => Anchor::End,
            (true, true) => Anchor::Anywhere,
        };
        // Each character alone is folded already.
        Shape::Literal(anchor, if cased || text.is_ascii() { text } else { fold(&text) })
    }
}

/// The text of `tokens`, where these are characters only.
fn literal(tokens: &[Token]) -> Option<String> {
    let mut text = String::with_capacity(tokens.len());
    for token in tokens {
        let Token::Literal(c) = token else { return None };
        text.push(*c);
    }
    Some(text)
}

/// A pattern made ready: its runs between `*`.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    segments: Vec<Segment>,
    starts_open: bool,
    ends_open: bool,
}

#[derive(Clone, Debug)]
enum Segment {
    Literal(Box<memmem::Finder<'static>>),
    Tokens(Vec<Token>, Option<Run>),
}

/// The longest literal among a segment's tokens, by which its places are found.
#[derive(Clone, Debug)]
struct Run {
    finder: Box<memmem::Finder<'static>>,
    /// Tokens, and so characters, before it.
    before: usize,
}

impl Run {
    fn of(tokens: &[Token]) -> Option<Self> {
        let mut longest: (usize, usize) = (0, 0);
        let mut first = 0;
        for run in tokens
            .chunk_by(|left, right| matches!((left, right), (Token::Literal(_), Token::Literal(_))))
        {
            if matches!(run.first(), Some(Token::Literal(_))) && run.len() > longest.1 {
                longest = (first, run.len());
            }
            first += run.len();
        }
        let (before, length) = longest;
        let run = tokens.get(before..before + length).filter(|run| !run.is_empty())?;
        let text = literal(run)?;
        let finder = Box::new(memmem::Finder::new(text.as_bytes()).into_owned());
        Some(Self { finder, before })
    }

    /// The places in `text`, in order, at which a segment with this run may begin.
    fn places<'t>(&'t self, text: &'t str) -> impl Iterator<Item = usize> + 't {
        let mut from = 0;
        // Overlapping ones too, which the finder's own iterator leaves out.
        let found = std::iter::from_fn(move || {
            let at = from + self.finder.find(text.as_bytes().get(from..)?)?;
            from = at + 1;
            Some(at)
        });
        found.filter_map(|at| {
            let ahead = text.get(..at)?;
            match self.before.checked_sub(1) {
                None => Some(at),
                Some(back) => ahead.char_indices().rev().nth(back).map(|(place, _)| place),
            }
        })
    }
}

impl Glob {
    /// Makes `pattern` ready.
    pub fn new(pattern: &Pattern) -> Self {
        let tokens = &pattern.0;
        let segments = tokens
            .split(|token| *token == Token::AnyRun)
            .filter(|segment| !segment.is_empty())
            .map(|segment| match Pattern(segment.to_vec()).literal() {
                Some(text) => {
                    Segment::Literal(Box::new(memmem::Finder::new(text.as_bytes()).into_owned()))
                }
                None => Segment::Tokens(segment.to_vec(), Run::of(segment)),
            })
            .collect();
        Self {
            segments,
            starts_open: tokens.first() == Some(&Token::AnyRun),
            ends_open: tokens.last() == Some(&Token::AnyRun),
        }
    }

    /// Whether all of `text` fits. The text must be folded where the pattern was.
    ///
    /// Takes each segment at its first place after the one before, which is right since `*`
    /// takes up any rest; the last one of a closed end must stand at the end.
    pub fn matches(&self, text: &str) -> bool {
        let mut rest = text;
        let last = self.segments.len().saturating_sub(1);
        for (index, segment) in self.segments.iter().enumerate() {
            let at_start = index == 0 && !self.starts_open;
            let at_end = index == last && !self.ends_open;
            let taken = match (at_start, at_end) {
                (true, true) => return segment.prefix(rest) == Some(rest.len()),
                (true, false) => segment.prefix(rest),
                (false, true) => return segment.suffix(rest),
                (false, false) => segment.find(rest),
            };
            match taken.and_then(|end| rest.get(end..)) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        !self.segments.is_empty() || self.starts_open || text.is_empty()
    }
}

impl Segment {
    /// Where it ends if it stands at the start of `text`.
    fn prefix(&self, text: &str) -> Option<usize> {
        match self {
            Self::Literal(finder) => {
                text.as_bytes().starts_with(finder.needle()).then(|| finder.needle().len())
            }
            Self::Tokens(tokens, _) => tokens_prefix(tokens, text),
        }
    }

    /// Whether it stands at the end of `text`.
    fn suffix(&self, text: &str) -> bool {
        match self {
            Self::Literal(finder) => text.as_bytes().ends_with(finder.needle()),
            Self::Tokens(tokens, _) => {
                // One token is one character, so the place is known.
                let start = text.char_indices().rev().nth(tokens.len() - 1);
                start
                    .and_then(|(at, _)| text.get(at..))
                    .is_some_and(|end| tokens_prefix(tokens, end) == Some(end.len()))
            }
        }
    }

    /// Where its first occurrence in `text` ends.
    fn find(&self, text: &str) -> Option<usize> {
        match self {
            Self::Literal(finder) => {
                finder.find(text.as_bytes()).map(|at| at + finder.needle().len())
            }
            Self::Tokens(tokens, run) => {
                let ends = |at: usize| Some(at + tokens_prefix(tokens, text.get(at..)?)?);
                match run {
                    Some(run) => run.places(text).find_map(ends),
                    None => text.char_indices().find_map(|(at, _)| ends(at)),
                }
            }
        }
    }
}

fn tokens_prefix(tokens: &[Token], text: &str) -> Option<usize> {
    let mut chars = text.chars();
    for token in tokens {
        let c = chars.next()?;
        let fits = match token {
            Token::Literal(literal) => *literal == c,
            Token::Dash => DASHES.contains(&c),
            Token::AnyOne | Token::AnyRun => true,
        };
        if !fits {
            return None;
        }
    }
    Some(text.len() - chars.as_str().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(pattern: &str) -> Glob {
        Glob::new(&Pattern::parse(pattern))
    }

    #[test]
    fn reads_escapes_as_the_specification_says() {
        for (written, expected) in [
            (r"a\b", Some(r"a\b")),
            (r"a\\b", Some(r"a\b")),
            (r"\*", Some("*")),
            (r"\?", Some("?")),
            (r"\\*", None),
            (r"\\\*", Some(r"\*")),
            (r"\\\", Some(r"\\")),
            (r"\\\\", Some(r"\\")),
            (r"\", Some(r"\")),
            ("a*", None),
        ] {
            assert_eq!(Pattern::parse(written).literal().as_deref(), expected, "{written}");
        }
    }

    #[test]
    fn comes_down_to_the_simplest_shape() {
        for (written, expected) in [
            ("Ab", Shape::Literal(Anchor::Whole, "ab".into())),
            ("a*", Shape::Literal(Anchor::Start, "a".into())),
            ("*a", Shape::Literal(Anchor::End, "a".into())),
            ("**a**", Shape::Literal(Anchor::Anywhere, "a".into())),
            ("***", Shape::Any),
            ("", Shape::Literal(Anchor::Whole, String::new())),
        ] {
            assert_eq!(Pattern::parse(written).shape(false), expected, "{written}");
        }
        assert!(matches!(Pattern::parse("a?").shape(false), Shape::Glob(_)));
    }

    #[test]
    fn matches_whole_texts() {
        for (pattern, text, expected) in [
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "acd", false),
            ("a*a", "a", false),
            ("a?c", "aéc", true),
            ("a?c", "ac", false),
            ("?", "", false),
            ("??", "éé", true),
            ("*a?", "xab", true),
            ("*a?", "ab", true),
            ("*a?", "abx", false),
            ("*ab*ab", "xabab", true),
            ("*ab*ab", "xab", false),
            ("a*?b*c", "axbxc", true),
            ("a*?b*c", "abxc", false),
            // The literal that fits overlaps one that does not.
            ("*?-aba", "-aba", false),
            ("*[?aba*", "aba[xababa", true),
            ("*b?aba*", "ababxaba", true),
            ("*x?aa*", "axaaaa", true),
            ("*é?a*", "aéxa", true),
        ] {
            assert_eq!(glob(pattern).matches(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn only_dashes_that_begin_a_word_are_interchangeable() {
        let mut pattern = Pattern::parse("* -a foo-bar /c*");
        pattern.open_dashes();
        let glob = Glob::new(&pattern);
        for (text, expected) in [
            ("x -a foo-bar /c", true),
            ("x /a foo-bar -c", true),
            ("x –a foo-bar ―c y", true),
            ("x -a foo/bar /c", false),
        ] {
            assert_eq!(glob.matches(text), expected, "{text}");
        }
    }
}
