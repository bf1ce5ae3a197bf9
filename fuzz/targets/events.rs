//! Any bytes as a log, through the parser, the shipped rules and their correlations. All rules
//! together find what each finds alone, and what a regular expression finds that asks the same.
#![no_main]

use std::cell::RefCell;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use regex::Regex;
use vigie_event::{Event, FieldId, Format, ValueRef};
use vigie_fuzz::Reader;
use vigie_sigma::{Correlator, Matcher, RuleIndex, RuleSet, RuleText};

/// More lines add time, not ways through the code.
const MAX_LINES: usize = 8;

/// Questions of Sigma, and the same as regular expressions over each text of the field.
const QUESTIONS: [(&str, &str, &str); 12] = [
    ("message", "|contains: fail", "(?is)fail"),
    ("message", "|contains: ['k?s', ' port ']", r"(?is)k.s| port "),
    ("message", "|contains|all: [for, from]", r"(?is)for.*from|from.*for"),
    ("message", "|startswith: ['a', '{']", r"(?is)\A(a|\{)"),
    ("message", "|endswith|cased: [ssh2, Z]", r"(?s)(ssh2|Z)\z"),
    ("message", ": '*a*s?k*'", r"(?is)\A.*a.*s.k.*\z"),
    ("user.name", ": [root, 'adm*', '?']", r"(?is)\A(root|adm.*|.)\z"),
    ("url.original", "|contains: ['../', '%27', union]", r"(?is)\.\./|%27|union"),
    ("source.ip", "|startswith: ['192.0.2.', '2001:db8:']", r"(?is)\A(192\.0\.2\.|2001:db8:)"),
    ("event.action", "|cased: ssh_login", r"(?s)\Assh_login\z"),
    ("EventID", ": [1, 4625, '46*']", r"(?is)\A(1|4625|46.*)\z"),
    ("CommandLine", "|contains|windash: ' -k'", "(?is) [-/\u{2013}\u{2014}\u{2015}]k"),
];

struct Rules {
    /// The shipped rules and the questions.
    all: Arc<RuleSet>,
    /// Its matcher. Matchers live as long as the fuzzer: what they learn on the way changes no
    /// answer, and they are not made in an instant.
    matcher: Matcher,
    /// The id of each detection, and a matcher that knows no other.
    alone: Vec<(String, Matcher)>,
    /// Ids of the questions, their fields and answers.
    naive: Vec<(String, FieldId, Regex)>,
}

thread_local! {
    static RULES: RefCell<Rules> = RefCell::new(rules());
}

fn rules() -> Rules {
    let mut texts = shipped();
    let mut naive = Vec::new();
    for (number, (field, question, regex)) in QUESTIONS.into_iter().enumerate() {
        let id = format!("q{number}");
        texts.push(format!(
            "title: {id}\nid: {id}\nlogsource: {{category: any}}\ndetection:\n    s:\n        {field}{question}\n    condition: s\n"
        ));
        let field = FieldId::intern(field).expect("a short name");
        naive.push((id, field, Regex::new(regex).expect("a regular expression")));
    }
    let load = |text: &str| RuleSet::load([RuleText { file: "fuzz.yml", text }]);
    let (all, diagnostics) = load(&texts.join("\n---\n"));
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    let alone = texts.iter().flat_map(|text| text.split("\n---\n")).filter_map(|text| {
        let (set, _) = load(text);
        // A correlation by itself is refused.
        let id = set.rules().first()?.reference.id.clone();
        Some((id, Matcher::new(Arc::new(set))))
    });
    let all = Arc::new(all);
    Rules { matcher: Matcher::new(Arc::clone(&all)), all, alone: alone.collect(), naive }
}

fn shipped() -> Vec<String> {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../rules"));
    let files = folder.expect("the shipped rules").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some()).collect();
    files.sort();
    files.iter().map(|path| std::fs::read_to_string(path).expect("a rule file")).collect()
}

/// Whether one of the texts of a field answers the question.
fn answers(event: &Event, field: FieldId, regex: &Regex) -> bool {
    let fits =
        |value: ValueRef<'_>| !matches!(value, ValueRef::Null) && regex.is_match(&value.to_text());
    match event.get(field) {
        Some(ValueRef::List(members)) => members.iter().any(fits),
        Some(value) => fits(value),
        None => false,
    }
}

/// The ids of the rules that match, in the order of the alphabet.
fn found(rules: &RuleSet, matched: &[RuleIndex]) -> Vec<String> {
    let ids = matched.iter().filter_map(|rule| Some(rules.rule(*rule)?.reference.id.clone()));
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids
}

fn read(rules: &mut Rules, bytes: &[u8], format: Option<Format>) {
    let Rules { all, matcher, alone, naive } = rules;
    let mut reader = Reader::new(format);
    let mut correlator = Correlator::new(Arc::clone(all));
    let mut fired = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n').take(MAX_LINES) {
        let mut event = reader.read(line);
        let matched = matcher.matches(&event);
        correlator.observe(&event, matched, &mut fired);
        let routed = found(all, matched);

        let logsources = std::mem::take(&mut event.logsources);
        let together = found(all, matcher.matches(&event));
        let fits = |id: &&String| {
            all.by_id(id).is_some_and(|rule| {
                logsources.is_empty() || logsources.iter().any(|one| rule.logsource.fits(one))
            })
        };
        assert!(routed.iter().eq(together.iter().filter(fits)), "{routed:?} of {together:?}");

        for (id, matcher) in alone.iter_mut() {
            let alone = !matcher.matches(&event).is_empty();
            assert_eq!(together.contains(id), alone, "{id} among all and alone on {event:?}");
        }
        for (id, field, regex) in naive.iter() {
            let naive = answers(&event, *field, regex);
            assert_eq!(together.contains(id), naive, "{id} ({regex}) on {event:?}");
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    RULES.with_borrow_mut(|rules| {
        read(rules, bytes, None);
        read(rules, bytes, Format::ALL.get(bytes.len() % 16).copied());
    });
});
