//! The compiled matcher answers as a naive evaluator does that knows nothing of tables,
//! witnesses or programs, over generated rules and events.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use support::{event, event_of, rule, rules};
use vigie_event::{Event, Value};
use vigie_sigma::Matcher;

/// A value in an event.
#[derive(Clone, Debug)]
enum Held {
    Text(String),
    Integer(i64),
    Null,
    List(Vec<String>),
}

/// What a search asks of a field.
#[derive(Clone, Debug)]
enum Question {
    /// Modifiers of place and case, and patterns of `*`, `?` and letters.
    Text {
        place: Place,
        cased: bool,
        all: bool,
        neq: bool,
        values: Vec<String>,
    },
    Regex {
        insensitive: bool,
        value: String,
    },
    Compare(&'static str, i64),
    Exists(bool),
    Null,
    Windash(String),
    FieldRef(usize),
    Cidr(&'static str),
    Base64(String),
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Whole,
    Start,
    End,
    Anywhere,
}

#[derive(Clone, Debug)]
enum Condition {
    Search(usize),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Some(usize),
}

#[derive(Clone, Debug)]
struct Rule {
    /// Each a conjunction of questions to distinct fields, or keywords.
    searches: Vec<Search>,
    condition: Condition,
}

#[derive(Clone, Debug)]
enum Search {
    Fields(Vec<(usize, Question)>),
    Keywords { all: bool, values: Vec<String> },
}

const FIELDS: [&str; 5] = ["f0", "f1", "event.action", "f3", "f4"];

// The naive evaluator.

fn lower(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c == 'ſ' { 's'.to_lowercase() } else { c.to_lowercase() })
        .collect()
}

fn glob(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|skipped| glob(rest, &text[skipped..])),
        Some(('?', rest)) => !text.is_empty() && glob(rest, &text[1..]),
        Some((c, rest)) => text.first() == Some(c) && glob(rest, &text[1..]),
    }
}

fn fits(place: Place, cased: bool, pattern: &str, text: &str) -> bool {
    let pattern = match place {
        Place::Whole => pattern.to_owned(),
        Place::Start => format!("{pattern}*"),
        Place::End => format!("*{pattern}"),
        Place::Anywhere => format!("*{pattern}*"),
    };
    let prepare = |text: &str| if cased { text.to_owned() } else { lower(text) };
    let chars = |text: String| text.chars().collect::<Vec<_>>();
    glob(&chars(prepare(&pattern)), &chars(prepare(text)))
}

fn texts(held: Option<&Held>) -> Vec<String> {
    match held {
        Some(Held::Text(text)) => vec![text.clone()],
        Some(Held::Integer(number)) => vec![number.to_string()],
        Some(Held::List(members)) => members.clone(),
        Some(Held::Null) | None => Vec::new(),
    }
}

fn asks(question: &Question, field: usize, event: &[Option<Held>]) -> bool {
    let held = event[field].as_ref();
    let texts_here = texts(held);
    let any = |fits: &dyn Fn(&str) -> bool| texts_here.iter().any(|text| fits(text));
    match question {
        Question::Text { place, cased, all, neq, values } => {
            let one = |value: &String| any(&|text| fits(*place, *cased, value, text));
            let found = if *all && !neq { values.iter().all(one) } else { values.iter().any(one) };
            found != *neq
        }
        Question::Regex { insensitive, value } => {
            let regex =
                regex::RegexBuilder::new(value).case_insensitive(*insensitive).build().unwrap();
            any(&|text| regex.is_match(text))
        }
        Question::Compare(operator, bound) => any(&|text| {
            text.parse::<i64>().is_ok_and(|number| match *operator {
                "lt" => number < *bound,
                "lte" => number <= *bound,
                "gt" => number > *bound,
                _ => number >= *bound,
            })
        }),
        Question::Exists(wanted) => held.is_some() == *wanted,
        Question::Null => match held {
            None | Some(Held::Null) => true,
            Some(Held::List(members)) => members.is_empty(),
            _ => false,
        },
        Question::Windash(value) => {
            let variants = ["-", "/", "–", "—", "―"].map(|dash| value.replace('-', dash));
            any(&|text| variants.iter().any(|value| fits(Place::Anywhere, false, value, text)))
        }
        Question::FieldRef(other) => {
            let others = texts(event[*other].as_ref());
            any(&|text| others.iter().any(|other| lower(text) == lower(other)))
        }
        Question::Cidr(network) => {
            let network: ipnet::IpNet = network.parse().unwrap();
            any(&|text| {
                text.parse().is_ok_and(|address: std::net::IpAddr| network.contains(&address))
            })
        }
        Question::Base64(value) => {
            let encoded = base64(value);
            any(&|text| fits(Place::Whole, false, &encoded, text))
        }
    }
}

/// Of one or three ASCII letters, by the table.
fn base64(value: &str) -> String {
    match value {
        "abc" => "YWJj".into(),
        _ => "YQ==".into(),
    }
}

fn holds(rule: &Rule, condition: &Condition, event: &[Option<Held>], raw: &str) -> bool {
    let search = |index: usize| match &rule.searches[index] {
        Search::Fields(questions) => {
            questions.iter().all(|(field, question)| asks(question, *field, event))
        }
        Search::Keywords { all, values } => {
            let mut everywhere = vec![raw.to_owned()];
            // Numbers stand in the record in the real world; made text is searched as well.
            for held in event.iter().flatten() {
                if !matches!(held, Held::Integer(_)) {
                    everywhere.extend(texts(Some(held)));
                }
            }
            let one = |value: &String| {
                everywhere.iter().any(|text| fits(Place::Anywhere, false, value, text))
            };
            if *all { values.iter().all(one) } else { values.iter().any(one) }
        }
    };
    match condition {
        Condition::Search(index) => search(index % rule.searches.len()),
        Condition::Not(inner) => !holds(rule, inner, event, raw),
        Condition::And(a, b) => holds(rule, a, event, raw) && holds(rule, b, event, raw),
        Condition::Or(a, b) => holds(rule, a, event, raw) || holds(rule, b, event, raw),
        Condition::Some(least) => {
            let least = 1 + least % rule.searches.len();
            (0..rule.searches.len()).filter(|index| search(*index)).count() >= least
        }
    }
}

// The same as YAML.

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn write_rule(rule: &Rule, index: usize) -> String {
    let mut yaml = format!("title: t\nid: r{index}\nlogsource: {{service: sshd}}\ndetection:\n");
    for (number, search) in rule.searches.iter().enumerate() {
        writeln!(yaml, "    s{number}:").unwrap();
        match search {
            Search::Keywords { all: false, values } => {
                for value in values {
                    writeln!(yaml, "        - {}", quoted(value)).unwrap();
                }
            }
            Search::Keywords { all: true, values } => {
                let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
                writeln!(yaml, "        '|all': [{}]", values.join(", ")).unwrap();
            }
            Search::Fields(questions) => {
                for (field, question) in questions {
                    let (modifiers, value) = write_question(question);
                    writeln!(yaml, "        {}{modifiers}: {value}", FIELDS[*field]).unwrap();
                }
            }
        }
    }
    // Every search is named, so that none draws a warning.
    let condition = write_condition(&rule.condition, rule.searches.len());
    writeln!(yaml, "    condition: ({condition}) or ({condition} and all of them)").unwrap();
    yaml
}

fn write_question(question: &Question) -> (String, String) {
    match question {
        Question::Text { place, cased, all, neq, values } => {
            let mut modifiers = match place {
                Place::Whole => String::new(),
                Place::Start => "|startswith".into(),
                Place::End => "|endswith".into(),
                Place::Anywhere => "|contains".into(),
            };
            for (wanted, name) in
                [(*cased, "|cased"), (*all && values.len() > 1, "|all"), (*neq, "|neq")]
            {
                if wanted {
                    modifiers += name;
                }
            }
            let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
            (modifiers, format!("[{}]", values.join(", ")))
        }
        Question::Regex { insensitive, value } => {
            (if *insensitive { "|re|i" } else { "|re" }.into(), quoted(value))
        }
        Question::Compare(operator, bound) => (format!("|{operator}"), bound.to_string()),
        Question::Exists(wanted) => ("|exists".into(), wanted.to_string()),
        Question::Null => (String::new(), "null".into()),
        Question::Windash(value) => ("|windash|contains".into(), quoted(value)),
        Question::FieldRef(other) => ("|fieldref".into(), FIELDS[*other].into()),
        Question::Cidr(network) => ("|cidr".into(), quoted(network)),
        Question::Base64(value) => ("|base64".into(), quoted(value)),
    }
}

fn write_condition(condition: &Condition, searches: usize) -> String {
    match condition {
        Condition::Search(index) => format!("s{}", index % searches),
        Condition::Not(inner) => format!("not ({})", write_condition(inner, searches)),
        Condition::And(a, b) => {
            format!("({} and {})", write_condition(a, searches), write_condition(b, searches))
        }
        Condition::Or(a, b) => {
            format!("({} or {})", write_condition(a, searches), write_condition(b, searches))
        }
        Condition::Some(least) => format!("{} of s*", 1 + least % searches),
    }
}

fn build_event(event: &[Option<Held>], raw: &str) -> Event {
    event_of(
        raw,
        event.iter().zip(FIELDS).filter_map(|(held, name)| {
            let value = match held.as_ref()? {
                Held::Text(text) => Value::Made(text.as_str().into()),
                Held::Integer(number) => Value::Integer(*number),
                Held::Null => Value::Null,
                Held::List(members) => Value::List(
                    members.iter().map(|text| Value::Made(text.as_str().into())).collect(),
                ),
            };
            Some((name, value))
        }),
    )
}

// Small alphabets, so that rules and events meet.

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[abAB]{0,4}",
        "[aé\u{212A}kKÉſs]{1,3}",
        "(-| -|/| /|–)[ab]",
        "[0-9]{1,2}",
        Just("192.0.2.7".to_owned()),
        Just("YWJj".to_owned()),
        Just("yq==".to_owned()),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    prop_oneof!["[abAB*?]{1,4}", "[abAB]{1,3}", "[aékKs?]{1,3}", "[0-9]{1,2}"]
}

fn question() -> impl Strategy<Value = Question> {
    let place = prop_oneof![
        Just(Place::Whole),
        Just(Place::Start),
        Just(Place::End),
        Just(Place::Anywhere)
    ];
    let values = prop::collection::vec(pattern(), 1..7);
    prop_oneof![
        8 => (place, any::<bool>(), any::<bool>(), prop::bool::weighted(0.2), values)
            .prop_map(|(place, cased, all, neq, values)| Question::Text { place, cased, all, neq, values }),
        1 => (any::<bool>(), "[ab]{1,2}[.]?[ab]?").prop_map(|(insensitive, value)| Question::Regex { insensitive, value }),
        1 => (prop_oneof![Just("lt"), Just("lte"), Just("gt"), Just("gte")], 0..99i64)
            .prop_map(|(operator, bound)| Question::Compare(operator, bound)),
        1 => any::<bool>().prop_map(Question::Exists),
        1 => Just(Question::Null),
        1 => "-[ab]".prop_map(Question::Windash),
        1 => (0..FIELDS.len()).prop_map(Question::FieldRef),
        1 => prop_oneof![Just("192.0.2.0/24"), Just("10.0.0.0/8")].prop_map(Question::Cidr),
        1 => prop_oneof![Just("abc"), Just("a")].prop_map(|value| Question::Base64(value.into())),
    ]
}

fn search() -> impl Strategy<Value = Search> {
    let fields = prop::collection::btree_map(0..FIELDS.len(), question(), 1..4)
        .prop_map(|questions| Search::Fields(questions.into_iter().collect()));
    let keywords = (any::<bool>(), prop::collection::vec("[abk]{1,2}([*?][ab])?", 2..4))
        .prop_map(|(all, values)| Search::Keywords { all, values });
    prop_oneof![6 => fields, 1 => keywords]
}

fn rule_strategy() -> impl Strategy<Value = Rule> {
    let leaf = prop_oneof![
        4 => any::<usize>().prop_map(Condition::Search),
        1 => any::<usize>().prop_map(Condition::Some),
    ];
    let condition = leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Condition::Not(inner.into())),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Condition::And(a.into(), b.into())),
            (inner.clone(), inner).prop_map(|(a, b)| Condition::Or(a.into(), b.into())),
        ]
    });
    (prop::collection::vec(search(), 1..5), condition)
        .prop_map(|(searches, condition)| Rule { searches, condition })
}

fn held() -> impl Strategy<Value = Option<Held>> {
    prop_oneof![
        6 => text().prop_map(|text| Some(Held::Text(text))),
        1 => (0..99i64).prop_map(|number| Some(Held::Integer(number))),
        1 => Just(Some(Held::Null)),
        2 => prop::collection::vec(text(), 0..3).prop_map(|members| Some(Held::List(members))),
        3 => Just(None),
    ]
}

type Case = (Vec<Option<Held>>, String);

fn cases(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Case>> {
    prop::collection::vec((prop::collection::vec(held(), FIELDS.len()), "[abk -]{0,6}"), count)
}

/// Compares `matcher` with the naive evaluator.
fn compare(generated: &[Rule], matcher: &mut Matcher, cases: &[Case]) -> Result<(), TestCaseError> {
    for (held, raw) in cases {
        let event = build_event(held, raw);
        let found: Vec<u32> = matcher.matches(&event).iter().map(|rule| rule.0).collect();
        let expected: Vec<u32> = generated
            .iter()
            .enumerate()
            .filter(|(_, rule)| holds(rule, &rule.condition, held, raw))
            .map(|(index, _)| index as u32)
            .collect();
        prop_assert_eq!(found, expected, "{:?} {:?}\n{}", held, raw, write_rules(generated));
    }
    Ok(())
}

fn write_rules(generated: &[Rule]) -> String {
    let yaml = generated.iter().enumerate().map(|(index, rule)| write_rule(rule, index));
    yaml.collect::<Vec<_>>().join("---\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_engine_answers_as_the_naive_evaluator(
        generated in prop::collection::vec(rule_strategy(), 1..12),
        events in cases(2..12),
    ) {
        let rules = rules(&write_rules(&generated));
        prop_assert_eq!(rules.rules().len(), generated.len());
        let mut matcher = Matcher::new(rules);
        compare(&generated, &mut matcher, &events)?;
        // Each event comes several times, and with values of its neighbour's.
        let (everything, others) = (events.iter().cycle(), events.iter().skip(1).cycle());
        let again = everything.zip(others).take(4 * events.len() + 8).enumerate();
        let again: Vec<Case> = again
            .map(|(turn, ((held, raw), (other, _)))| {
                let mut held = held.clone();
                if turn >= 2 * events.len() {
                    held[turn % FIELDS.len()].clone_from(&other[turn % FIELDS.len()]);
                }
                (held, raw.clone())
            })
            .collect();
        compare(&generated, &mut matcher, &again)?;
    }
}

/// Events until the signs by which rules are found are chosen by what was seen.
const TRAFFIC: usize = 256;

/// Two events make up nearly all of the traffic, so the matcher learns other signs than it
/// guessed at; by these it must find the rules in events that it never saw.
#[test]
fn signs_learned_from_traffic_find_what_the_naive_evaluator_finds() {
    const CASES: u32 = 200;
    let (rules_found_otherwise, compared) = (Cell::new(0_usize), Cell::new(0_usize));
    let strategy =
        (prop::collection::vec(rule_strategy(), 1..12), cases(2..3), cases(2..8), cases(24..25));
    let mut runner = TestRunner::new(ProptestConfig {
        source_file: Some(file!()),
        ..ProptestConfig::with_cases(CASES)
    });
    let result = runner.run(&strategy, |(generated, common, others, unseen)| {
        let rules = rules(&write_rules(&generated));
        let mut learned = Matcher::new(Arc::clone(&rules));
        let build = |cases: &[Case]| -> Vec<Event> {
            cases.iter().map(|(held, raw)| build_event(held, raw)).collect()
        };
        let (common, others) = (build(&common), build(&others));
        for number in 0..TRAFFIC {
            let among = if number % 41 == 0 { &others } else { &common };
            learned.matches(&among[number / 4 % among.len()]);
        }
        // The plan in use is not the first one.
        prop_assert!(learned.learned() >= 1);
        compare(&generated, &mut learned, &unseen)?;
        for event in build(&unseen) {
            let mut guessing = Matcher::new(Arc::clone(&rules));
            guessing.matches(&event);
            learned.matches(&event);
            compared.set(compared.get() + 1);
            let differ = guessing.candidates() != learned.candidates();
            rules_found_otherwise.set(rules_found_otherwise.get() + usize::from(differ));
        }
        Ok(())
    });
    result.unwrap();
    let (differ, compared) = (rules_found_otherwise.get(), compared.get());
    assert!(differ * 20 > compared, "other rules were looked at in {differ} of {compared} events");
}

/// Every event has the sign that is guessed to be rare, and nearly none the other.
#[test]
fn a_rule_is_found_by_the_sign_that_traffic_seldom_has() {
    let rules = rules(&rule("    s: {event.action: login, f0|contains: abc}\n    condition: s"));
    let mut matcher = Matcher::new(rules);
    let event = |f0: &str| event(&[("event.action", "login"), ("f0", f0)]);
    let (common, rare) = (event("nothing"), event("xabcx"));
    let mut look = |event: &Event| (matcher.matches(event).len(), matcher.candidates());
    assert_eq!([look(&common), look(&rare)], [(0, 1), (1, 1)]);
    for _ in 0..TRAFFIC {
        look(&common);
    }
    assert_eq!([look(&common), look(&rare)], [(0, 0), (1, 1)]);
    assert!(matcher.learned() >= 1);
}
