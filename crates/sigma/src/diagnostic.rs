//! What is wrong with a rule, where, and how to mend it.

use std::fmt;

use vigie_yaml::{Position, Refusal, shown};

/// How bad a finding about a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiagnosticLevel {
    /// The rule is loaded; something in it is probably not what its author meant.
    Warning,
    /// The rule is not loaded.
    Error,
}

impl DiagnosticLevel {
    /// The name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A finding about a rule file. Displays as `file:line:column: error: message (mend)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// The file, as it was named by the caller.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// Whether the rule was refused.
    pub level: DiagnosticLevel,
    /// What is wrong: lowercase, no full stop.
    pub message: String,
    /// What to do about it; empty where nothing better can be said than the message.
    pub mend: String,
}

impl Diagnostic {
    /// What `refusal` says of `file`.
    pub(crate) fn of(refusal: Refusal, file: &str, level: DiagnosticLevel) -> Self {
        let Refusal { at, message, mend } = refusal;
        Self { file: file.to_owned(), line: at.line, column: at.column, level, message, mend }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, level, message, mend } = self;
        write!(f, "{file}:{line}:{column}: {}: {message}", level.name())?;
        if !mend.is_empty() {
            write!(f, " ({mend})")?;
        }
        Ok(())
    }
}

/// The findings about one document that do not refuse it.
#[derive(Debug, Default)]
pub(crate) struct Warnings(pub Vec<Refusal>);

impl Warnings {
    pub fn add(&mut self, at: Position, message: impl Into<String>, mend: impl Into<String>) {
        self.0.push(Refusal::new(at, message, mend));
    }
}

/// `did you mean …?` with the known name that is nearest to `name`, else the list of all.
pub(crate) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let lower = name.to_lowercase();
    // Names this long are no slip of the finger, and the distance is quadratic in the length.
    if lower.len() <= 64 {
        let best = known
            .iter()
            .map(|candidate| {
                (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate)
            })
            .min_by_key(|(distance, _)| *distance);
        if let Some((distance, candidate)) = best
            && distance <= 1 + candidate.chars().count() / 3
        {
            return format!("did you mean `{}`?", shown(candidate));
        }
    }
    if known.is_empty() || known.len() > 40 {
        return String::new();
    }
    let known: Vec<_> = known.into_iter().map(shown).collect();
    format!("known: {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_nearest_name() {
        let known = ["contains", "startswith", "endswith"];
        for (name, expected) in [
            ("contain", "did you mean `contains`?"),
            ("Startswith", "did you mean `startswith`?"),
            ("zzz", "known: contains, startswith, endswith"),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
        assert!(nearest(&"x".repeat(100_000), known).starts_with("known"));
    }

    #[test]
    fn known_names_with_control_characters_are_shown_without() {
        for name in ["selection", "zzz"] {
            let mend = nearest(name, ["selectio\u{1b}n", &"x".repeat(100)]);
            assert!(mend.contains("selectio n"), "{mend}");
            assert!(mend.len() < 120, "{mend}");
        }
    }

    #[test]
    fn displays_place_and_mend() {
        let refusal = Refusal::new(Position { line: 3, column: 7 }, "unknown modifier", "");
        let mut diagnostic = Diagnostic::of(refusal, "a.yml", DiagnosticLevel::Error);
        assert_eq!(diagnostic.to_string(), "a.yml:3:7: error: unknown modifier");
        diagnostic.mend = "mend it".into();
        assert_eq!(diagnostic.to_string(), "a.yml:3:7: error: unknown modifier (mend it)");
    }
}
