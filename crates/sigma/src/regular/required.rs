//! What text must have for a regular expression to be found in it.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::fold::{fold, fold_char};

/// The longest literal, folded, that every text has in which `expression` is found; `None` where
/// there is none.
pub(super) fn literal(expression: &Hir) -> Option<String> {
    Some(needs(expression).longest).filter(|longest| !longest.is_empty())
}

/// What a part of an expression needs.
#[derive(Default)]
struct Needs {
    /// All that it matches, where that is one text but for case.
    whole: Option<String>,
    /// The longest literal in whatever it matches; maybe empty.
    longest: String,
}

impl Needs {
    fn whole(text: String) -> Self {
        Self { longest: text.clone(), whole: Some(text) }
    }
}

fn needs(part: &Hir) -> Needs {
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => Needs::whole(String::new()),
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0)
            .map_or_else(|_| Needs::default(), |text| Needs::whole(fold(text))),
        HirKind::Class(class) => {
            one_letter(class).map_or_else(Needs::default, |letter| Needs::whole(letter.into()))
        }
        HirKind::Capture(capture) => needs(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            Needs { whole: None, longest: needs(&repetition.sub).longest }
        }
        HirKind::Concat(parts) => in_turn(parts),
        HirKind::Repetition(_) | HirKind::Alternation(_) => Needs::default(),
    }
}

fn in_turn(parts: &[Hir]) -> Needs {
    let (mut run, mut longest) = (String::new(), String::new());
    let mut whole = true;
    for part in parts {
        let needs = needs(part);
        if let Some(text) = needs.whole {
            run.push_str(&text);
            continue;
        }
        whole = false;
        for candidate in [std::mem::take(&mut run), needs.longest] {
            if candidate.len() > longest.len() {
                longest = candidate;
            }
        }
    }
    if whole {
        return Needs::whole(run);
    }
    if run.len() > longest.len() {
        longest = run;
    }
    Needs { whole: None, longest }
}

/// The folded letter of which all members of a class are forms.
fn one_letter(class: &Class) -> Option<char> {
    /// No letter has more forms.
    const FORMS: usize = 4;
    let mut forms: Vec<char> = Vec::new();
    match class {
        Class::Unicode(class) => {
            for range in class.ranges() {
                forms.extend((range.start()..=range.end()).take(FORMS + 1));
            }
        }
        Class::Bytes(class) => {
            for range in class.ranges().iter().filter(|_| class.is_ascii()) {
                forms.extend((range.start()..=range.end()).take(FORMS + 1).map(char::from));
            }
        }
    }
    let letter = fold_char(*forms.first()?);
    (forms.len() <= FORMS && forms.iter().all(|form| fold_char(*form) == letter)).then_some(letter)
}

#[cfg(test)]
mod tests {
    use crate::predicate::RegexSource;
    use crate::regular::Regular;
    use crate::yaml::Position;

    #[test]
    fn literals_that_must_be_there() {
        for (pattern, insensitive, expected) in [
            ("abc", false, Some("abc")),
            ("^ABC$", false, Some("abc")),
            ("(?i)Abc-Kiss", false, Some("abc-kiss")),
            ("Abc-Kiss", true, Some("abc-kiss")),
            (r"\\Temp\\[a-z]+\.exe", false, Some(r"\temp\")),
            ("(abc)+d?ef", false, Some("abc")),
            ("(abc)(de)", false, Some("abcde")),
            ("a{2,3}bcd", false, Some("bcd")),
            ("abc|abd", false, None),
            ("x(abc|def)yz", false, Some("yz")),
            ("[a-z]+", false, None),
            ("(abc)*", false, None),
            ("[aA][bB]", false, Some("ab")),
            ("(?-u:[xX])y", false, Some("xy")),
            ("É[eé]", true, Some("é")),
        ] {
            let source = RegexSource {
                pattern: pattern.into(),
                insensitive,
                multi_line: false,
                dot_all: false,
            };
            let regular = Regular::new(&source, Position::default()).unwrap();
            assert_eq!(regular.required(), expected, "{pattern}");
        }
    }
}
