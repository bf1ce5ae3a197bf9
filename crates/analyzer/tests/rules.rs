//! Walks the shipped rules: each one loads, is complete in both languages, fires on its own
//! fixture and stays quiet on the other.

// Helpers of tests may panic as tests may; clippy exempts only the tests themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use vigie_analyzer::{attack, quick};
use vigie_event::{Event, Localized, RecordRef, Severity, Source, Timestamp};
use vigie_parser::{Options, Parser, Reference};
use vigie_sigma::{Correlator, DiagnosticLevel, Matcher, Rule, RuleKind, RuleSet, RuleText};

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules");
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

fn shipped() -> Arc<RuleSet> {
    let texts: Vec<(String, String)> = files(Path::new(RULES), "yml")
        .iter()
        .map(|path| (stem(path).to_owned(), fs::read_to_string(path).unwrap()))
        .collect();
    let (rules, diagnostics) =
        RuleSet::load(texts.iter().map(|(file, text)| RuleText { file, text }));
    let errors: Vec<String> = diagnostics
        .iter()
        .filter(|found| found.level == DiagnosticLevel::Error)
        .map(ToString::to_string)
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    Arc::new(rules)
}

/// Reads a file through parser, matcher and correlator; the numbers of alerts by rule id.
struct Run {
    parser: Parser,
    matcher: Matcher,
    correlator: Correlator,
    rules: Arc<RuleSet>,
    fired: BTreeMap<String, usize>,
}

impl Run {
    fn new(rules: &Arc<RuleSet>) -> Self {
        let reference = Timestamp::parse("2026-11-21T00:00:00Z").unwrap();
        let reference = Reference::Fixed(reference);
        Self {
            parser: Parser::new(Options { timezone: TimeZone::UTC, reference }),
            matcher: Matcher::new(Arc::clone(rules)),
            correlator: Correlator::new(Arc::clone(rules)),
            rules: Arc::clone(rules),
            fired: BTreeMap::new(),
        }
    }

    /// Feeds lines; tells of each whether a rule that raises alerts by itself matched it.
    fn feed<'l>(&mut self, name: &str, lines: impl Iterator<Item = &'l str>) -> Vec<bool> {
        let source = Source::file(name, 1, None);
        let observed = Timestamp::parse("2026-11-21T00:00:00Z").unwrap();
        let mut event = Event::default();
        let mut firings = Vec::new();
        let mut offset = 0;
        let mut matched_lines = Vec::new();
        for line in lines {
            let record = RecordRef { source: &source, offset, observed, bytes: line.as_bytes() };
            offset += line.len() as u64 + 1;
            self.parser.parse(&record, &mut event);
            let matched = self.matcher.matches(&event);
            let mut loud = false;
            for rule in matched.iter().filter_map(|index| self.rules.rule(*index)) {
                *self.fired.entry(rule.reference.id.clone()).or_default() += 1;
                loud |= !rule.silent;
            }
            matched_lines.push(loud);
            firings.clear();
            self.correlator.observe(&event, matched, &mut firings);
            for firing in firings.iter().filter(|firing| firing.raised) {
                let rule = self.rules.rule(firing.rule).unwrap();
                *self.fired.entry(rule.reference.id.clone()).or_default() += 1;
            }
        }
        matched_lines
    }
}

#[test]
fn every_rule_fires_on_its_fixture_and_only_there() {
    let rules = shipped();
    let fixtures = Path::new(RULES).join("fixtures");
    let mut wrong = Vec::new();
    for path in files(Path::new(RULES), "yml") {
        let of_file: Vec<&Rule> =
            rules.rules().iter().filter(|rule| rule.file == stem(&path) && !rule.silent).collect();
        assert!(!of_file.is_empty(), "{} raises nothing", path.display());
        for kind in ["fires", "quiet"] {
            let fixture = ["log", "json"]
                .map(|extension| fixtures.join(format!("{}.{kind}.{extension}", stem(&path))))
                .into_iter()
                .find(|fixture| fixture.exists())
                .unwrap_or_else(|| panic!("{} has no fixture `{kind}`", path.display()));
            let text = fs::read_to_string(&fixture).unwrap();
            let mut run = Run::new(&rules);
            run.feed(fixture.to_str().unwrap(), text.lines());
            for rule in &of_file {
                let fired = run.fired.contains_key(&rule.reference.id);
                if fired != (kind == "fires") {
                    wrong.push(format!("{kind}: {} ({})", rule.reference.title.en, rule.file));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_fixture_has_its_rules() {
    let names: BTreeSet<String> =
        files(Path::new(RULES), "yml").iter().map(|path| stem(path).to_owned()).collect();
    for entry in fs::read_dir(Path::new(RULES).join("fixtures")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let of = name.split('.').next().unwrap();
        assert!(names.contains(of), "{name} belongs to no file of rules");
    }
}

/// Whether a text stands in both languages, the French one typeset as French is.
fn both(text: &Localized) -> bool {
    !text.en.is_empty() && !text.fr.is_empty() && !text.fr.contains('\'') && text.en != text.fr
}

#[test]
fn every_rule_is_complete() {
    let rules = shipped();
    let mut ids = BTreeSet::new();
    for rule in rules.rules() {
        let (name, guidance) = (&rule.reference.title.en, &rule.guidance);
        let id = rule.reference.id.as_str();
        // RFC 9562: version 4 is random.
        assert!(id.len() == 36 && id.as_bytes()[14] == b'4', "{name}: {id} is no random UUID");
        assert!(ids.insert(id), "{name}: {id} stands twice");
        assert!(both(&rule.reference.title), "{name}: title");
        assert!(!rule.description.is_empty(), "{name}: description");
        assert_eq!(rule.author, "Vigie", "{name}");
        // Whatever is logged can carry words for language models.
        let anywhere =
            rule.kind != RuleKind::Detection || rule.tags.iter().any(|tag| tag == "llm.injection");
        assert_eq!(anywhere, rule.logsource.is_empty(), "{name}");
        for tag in &rule.tags {
            let Some(what) = tag.strip_prefix("attack.") else { continue };
            let known = attack::tactic(what).is_some() || attack::technique(what).is_some();
            assert!(known, "{name}: {tag}");
        }
        assert!(!attack::of_tags(&rule.tags).is_empty(), "{name}: no ATT&CK tag");
        // An input that raised alerts would flood, and an alert that is somebody's input only would
        // be lost; Sigma's `generate` decides between them. What is informational and no input marks.
        let informational = rule.reference.level == Severity::Informational;
        let marks = informational && rule.tags.iter().any(|tag| tag == "llm.injection");
        assert_eq!(rule.silent, informational && !marks, "{name}: is it an input or an alert?");
        if rule.silent {
            continue;
        }
        assert!(both(&guidance.explanation), "{name}: explanation");
        for texts in [&guidance.recommendations, &guidance.false_positives] {
            assert!(!texts.is_empty() && texts.iter().all(both), "{name}: {texts:?}");
        }
        assert!(guidance.category.is_some(), "{name}: category");
        assert!(!guidance.actions.is_empty(), "{name}: actions");
    }
}

#[test]
fn the_agents_interface_says_what_the_rules_say() {
    let rules = shipped();
    for kind in quick::KINDS {
        let line = format!(
            r#"{{"type": "{}", "src": "203.0.113.7", "timestamp": "2026-01-05T10:12:13.123456Z"}}"#,
            kind.name
        );
        let mut run = Run::new(&rules);
        run.feed("agents", std::iter::once(line.as_str()));
        let found: Vec<&Rule> = run
            .fired
            .keys()
            .filter_map(|id| rules.by_id(id))
            .filter(|rule| !rule.silent && rule.file == "agents")
            .collect();
        assert_eq!(found.len(), 1, "{}", kind.name);
        assert_eq!(found[0].reference.level, kind.severity, "{}", kind.name);
        assert_eq!(found[0].guidance.actions[0], kind.action, "{}", kind.name);
    }
}

/// How much of each kind of line is recognised, in per cent; the floors lie a little below what
/// was measured when the rules were written.
#[test]
fn web_rules_tell_attacks_from_ordinary_requests() {
    let path = Path::new(SHARED).join("web-attacks/cases.jsonl");
    let Ok(text) = fs::read_to_string(&path) else {
        println!("skipped: no {}", path.display());
        return;
    };
    let rules = shipped();
    let mut run = Run::new(&rules);
    let mut seen: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for line in text.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let expect = &case["expect"];
        let kind = if expect["attack"] == true {
            format!("{} paranoia {}", case["suite"].as_str().unwrap(), expect["paranoia"])
        } else {
            "ordinary".to_owned()
        };
        let line = case["line"].as_str().unwrap();
        let matched = run.feed("access.log", std::iter::once(line))[0];
        let (hits, all) = seen.entry(kind).or_default();
        *hits += usize::from(matched);
        *all += 1;
    }
    println!("{seen:?}");
    let share = |kind: &str| {
        let (hits, all) = seen[kind];
        hits * 100 / all.max(1)
    };
    assert_eq!(seen["ordinary"].0, 0, "ordinary requests must stay silent");
    assert!(share("crs-access paranoia 1") >= 94);
    assert!(share("http-params paranoia null") >= 98);
}

#[test]
fn ten_thousand_ordinary_requests_raise_no_attack() {
    let path = Path::new(SHARED).join("samples/apache_access-elastic.log");
    let Ok(bytes) = fs::read(&path) else {
        println!("skipped: no {}", path.display());
        return;
    };
    let rules = shipped();
    let mut run = Run::new(&rules);
    let text = String::from_utf8_lossy(&bytes);
    run.feed("access.log", text.lines());
    for (id, count) in &run.fired {
        let rule = rules.by_id(id).unwrap();
        if !rule.silent {
            println!("{count} × {} ({})", rule.reference.title.en, rule.file);
        }
        let attack = ["web_injection", "web_execution"].contains(&rule.file.as_str());
        assert!(!attack, "{count} × {}", rule.reference.title.en);
    }
}
