//! What text must have for a regular expression to be found in it.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::fold::{fold, fold_char};

/// Alternatives beyond which nothing is said.
const MOST: usize = 16;
/// Bytes that each of several alternatives must have at least: a shorter one is in too many texts.
const SHORTEST: usize = 3;

/// Literals, folded, of which every text has one in which `expression` is found; none where
/// nothing is known of them.
pub(super) fn literals(expression: &Hir) -> Vec<String> {
    let mut literals = needs(expression).best;
    literals.sort_unstable();
    literals.dedup();
    match &*literals {
        [_] => literals,
        many if least(many) >= SHORTEST => literals,
        _ => Vec::new(),
    }
}

/// What a part of an expression needs.
#[derive(Default)]
struct Needs {
    /// All that it matches, where that is a few texts but for case.
    whole: Option<Vec<String>>,
    /// Texts of which one stands in whatever it matches; none where nothing is known, and perhaps
    /// empty ones.
    best: Vec<String>,
}

impl Needs {
    fn whole(texts: Vec<String>) -> Self {
        Self { best: texts.clone(), whole: Some(texts) }
    }
}

/// Bytes of the shortest text; 0 where there is none.
fn least(texts: &[String]) -> usize {
    texts.iter().map(String::len).min().unwrap_or(0)
}

/// Leaves in `best` what tells more: of few long texts one is seldom there.
fn improve(best: &mut Vec<String>, other: Vec<String>) {
    // One text may be as short as it is; of several the shortest must be long enough.
    let worth = |texts: &[String]| match texts {
        [text] => text.len(),
        many => Some(least(many)).filter(|least| *least >= SHORTEST).unwrap_or(0),
    };
    if worth(&other) > worth(best) {
        *best = other;
    }
}

fn needs(part: &Hir) -> Needs {
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => Needs::whole(vec![String::new()]),
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0)
            .map_or_else(|_| Needs::default(), |text| Needs::whole(vec![fold(text)])),
        HirKind::Class(class) => one_letter(class)
            .map_or_else(Needs::default, |letter| Needs::whole(vec![letter.into()])),
        HirKind::Capture(capture) => needs(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            Needs { whole: None, best: needs(&repetition.sub).best }
        }
        HirKind::Repetition(repetition) if repetition.max == Some(1) => {
            let there = needs(&repetition.sub).whole.filter(|texts| texts.len() < MOST);
            there.map_or_else(Needs::default, |mut texts| {
                texts.push(String::new());
                Needs::whole(texts)
            })
        }
        HirKind::Repetition(_) => Needs::default(),
        HirKind::Concat(parts) => in_turn(parts),
        HirKind::Alternation(parts) => any_of(parts),
    }
}

fn in_turn(parts: &[Hir]) -> Needs {
    let (mut run, mut best) = (vec![String::new()], Vec::new());
    let mut whole = true;
    for part in parts {
        let needs = needs(part);
        if let Some(texts) = needs.whole {
            if run.len() * texts.len() <= MOST {
                run = joined(&run, &texts);
                continue;
            }
            improve(&mut best, std::mem::replace(&mut run, texts));
        } else {
            improve(&mut best, std::mem::replace(&mut run, vec![String::new()]));
            improve(&mut best, needs.best);
        }
        whole = false;
    }
    if whole {
        return Needs::whole(run);
    }
    improve(&mut best, run);
    Needs { whole: None, best }
}

/// Each of `heads` with each of `tails` behind it.
fn joined(heads: &[String], tails: &[String]) -> Vec<String> {
    let mut all = Vec::with_capacity(heads.len() * tails.len());
    for head in heads {
        all.extend(tails.iter().map(|tail| [head.as_str(), tail].concat()));
    }
    all
}

fn any_of(parts: &[Hir]) -> Needs {
    let mut whole = Some(Vec::new());
    let mut best = Vec::new();
    for part in parts {
        let needs = needs(part);
        // One of which nothing is known spoils them all.
        if needs.best.is_empty() || best.len() + needs.best.len() > MOST {
            return Needs::default();
        }
        best.extend(needs.best);
        whole = whole.zip(needs.whole).map(|(mut all, texts)| {
            all.extend(texts);
            all
        });
    }
    Needs { whole, best }
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
    use proptest::prelude::*;
    use proptest::string::string_regex;

    use crate::fold::fold;
    use crate::predicate::RegexSource;
    use crate::regular::Regular;
    use vigie_yaml::Position;

    /// Pieces of expressions, to be put one behind the other.
    const PIECES: &[&str] = &[
        "abc",
        "X",
        "(abc|defg)",
        "(?:ab|c)",
        "(ghi|)",
        "(?:xyz)?",
        "(?:Ab|cDe|f)?",
        "[a-z]+",
        "k{2,3}",
        "(?:foo|bar|baz)+",
        "(?:one|t(?:wo|hree))",
        "(?:q|rst)*",
        "É",
        "[ef]",
        " ",
    ];

    #[test]
    fn literals_that_must_be_there() {
        for (pattern, insensitive, expected) in [
            ("abc", false, &["abc"][..]),
            ("^ABC$", false, &["abc"]),
            ("(?i)Abc-Kiss", false, &["abc-kiss"]),
            ("Abc-Kiss", true, &["abc-kiss"]),
            (r"\\Temp\\[a-z]+\.exe", false, &[r"\temp\"]),
            ("(abc)+d?ef", false, &["abc"]),
            ("(abc)(de)", false, &["abcde"]),
            ("a{2,3}bcd", false, &["bcd"]),
            ("abc|abd", false, &["abc", "abd"]),
            ("x(abc|def)yz", false, &["xabcyz", "xdefyz"]),
            ("[a-z]+", false, &[]),
            ("(abc)*", false, &[]),
            ("[aA][bB]", false, &["ab"]),
            ("(?-u:[xX])y", false, &["xy"]),
            (r"\b(?:curl|wget)\b.*\|\s*(?:ba)?sh\b", false, &["curl", "wget"]),
            (
                r"\b(?:chmod|bash|sh)\b[^|;]*\s/(?:dev/shm|var/tmp)/",
                false,
                &["/dev/shm/", "/var/tmp/"],
            ),
            ("(?:un)?link", false, &["link", "unlink"]),
            ("[abc]xyz", false, &["xyz"]),
            ("(abc|de)", false, &[]),
            ("(abc|[x-z]+)", false, &[]),
            ("(abc|)def", false, &["abcdef", "def"]),
            ("(abc|def.)+", false, &["abc", "def"]),
            ("(?:ab|cd|ef)(?:ab|cd|ef)(?:ab|cd|ef)xyz", false, &["abxyz", "cdxyz", "efxyz"]),
            ("É[eé]", true, &["é"]),
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

    proptest! {
        #[test]
        fn whatever_is_found_has_one_of_them(
            (pattern, text) in prop::collection::vec(prop::sample::select(PIECES), 1..7)
                .prop_map(|pieces| pieces.concat())
                .prop_flat_map(|pattern| (Just(pattern.clone()), string_regex(&pattern).unwrap())),
            insensitive in any::<bool>(),
        ) {
            let source = RegexSource {
                pattern: pattern.as_str().into(),
                insensitive,
                multi_line: false,
                dot_all: false,
            };
            let regular = Regular::new(&source, Position::default()).unwrap();
            let text = if insensitive { text.to_uppercase() } else { text };
            prop_assert!(regular.is_match(&text), "{} on {}", pattern, text);
            let (folded, literals) = (fold(&text), regular.required());
            let has = literals.iter().any(|literal| folded.contains(literal.as_str()));
            prop_assert!(has || literals.is_empty(), "{}: {:?} in {}", pattern, literals, text);
        }
    }
}
