//! `vigie rules`: check, list, match, test. Without paths they work with the rules in force.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use serde_json::json;
use vigie_detector::{Detector, Settings};
use vigie_event::{Event, RecordRef, Source, Timestamp, fingerprint};
use vigie_parser::{Options, Parser, Reference};
use vigie_sigma::{
    Correlator, Diagnostic, DiagnosticLevel, Matcher, Placeholders, RuleKind, RuleSet,
};

use super::{rules_history, rules_import};
use crate::cli::{Global, InputArgs, MatchArgs, RulesArgs, RulesCommand};
use crate::config::Config;
use crate::rulebook::{self, Rulebook};
use crate::shipped::{self, Fixture, RuleFile};
use crate::{input, output};

/// The moment before which times without a year in fixtures lie: 2026-12-31T00:00:00Z.
const FIXTURES_READ: Timestamp = Timestamp::from_seconds(1_798_675_200);

pub fn run(global: &Global, args: RulesArgs) -> anyhow::Result<ExitCode> {
    let book = || in_force(args.config.as_deref(), args.data.as_deref());
    let placeholders = placeholders(&args.placeholders)?;
    let files = |paths: &[PathBuf]| {
        files(paths, book).map(|files| Files { placeholders: placeholders.clone(), ..files })
    };
    match args.command {
        RulesCommand::Check { paths } => check(global, &files(&paths)?),
        RulesCommand::List { paths } => list(global, &files(&paths)?),
        RulesCommand::Match(matching) => {
            let files = files(&matching.paths)?;
            if matching.history {
                let config = Config::load(args.config.as_deref(), std::env::vars())?;
                let data = config.data_dir(args.data.as_deref())?;
                return rules_history::run(global, &matching, &config, &data, files.load()?);
            }
            let MatchArgs { files: paths, format, timezone, reference, .. } = matching;
            matches(global, &InputArgs { files: paths, format, timezone, reference }, &files)
        }
        RulesCommand::Test { paths } => test(global, &paths, &files(&paths)?),
        // The centre would not know them, and refuse what was imported.
        RulesCommand::Import(_) if !args.placeholders.is_empty() => {
            bail!(
                "imported rules keep: put their values into `vars` of a pipeline in the rules folder (docs/rules.md) instead of --placeholder"
            )
        }
        RulesCommand::Import(import) => rules_import::run(global, &import, &book()?),
    }
}

/// The values that `NAME=VALUE` and `NAME=@FILE` give. In a file each line is a value; empty
/// lines and those that begin with `#` are none.
fn placeholders(given: &[String]) -> anyhow::Result<Placeholders> {
    let mut values: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in given {
        let Some((name, value)) = one.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            bail!("--placeholder `{}`: NAME=VALUE or NAME=@FILE", output::inert(one));
        };
        let of_name = values.entry(name.trim_matches('%')).or_default();
        let Some(file) = value.strip_prefix('@') else {
            of_name.push(value.to_owned());
            continue;
        };
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
        let lines = text.lines().map(str::trim);
        of_name.extend(
            lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned),
        );
    }
    Ok(values.into_iter().map(|(name, values)| (name.to_owned(), values)).collect())
}

/// Where the rules in force stand.
pub fn in_force(config: Option<&Path>, data: Option<&Path>) -> anyhow::Result<Rulebook> {
    let config = Config::load(config, std::env::vars())?;
    Ok(Rulebook::of(&config, &config.data_dir(data)?))
}

/// Rule files, and what is wrong with those that cannot be read.
struct Files {
    read: Vec<RuleFile>,
    unread: Vec<Diagnostic>,
    placeholders: Placeholders,
}

/// The files of `paths`, or of the rules in force where there are none.
fn files(
    paths: &[PathBuf],
    in_force: impl FnOnce() -> anyhow::Result<Rulebook>,
) -> anyhow::Result<Files> {
    let mut unread = Vec::new();
    let files = if paths.is_empty() {
        let book = in_force()?;
        let own = book.files()?;
        let mut files = shipped::rule_files();
        files.extend(book.made.iter().cloned());
        files.extend(own.iter().filter_map(|path| rulebook::read(path, &mut unread)));
        files
    } else {
        shipped::read_rule_files(paths)?
    };
    Ok(Files { read: files, unread, placeholders: Placeholders::new() })
}

impl Files {
    fn compile(&self) -> anyhow::Result<(RuleSet, Vec<Diagnostic>)> {
        let (rules, mut diagnostics) = shipped::compile_with(&self.read, &self.placeholders)?;
        diagnostics.extend(self.unread.iter().cloned());
        Ok((rules, diagnostics))
    }

    /// Loads them, saying on stderr what is wrong with those that cannot be.
    fn load(&self) -> anyhow::Result<RuleSet> {
        let (rules, diagnostics) = self.compile()?;
        for diagnostic in &diagnostics {
            tracing::warn!("{}", output::inert(&diagnostic.to_string()));
        }
        Ok(rules)
    }
}

fn check(global: &Global, files: &Files) -> anyhow::Result<ExitCode> {
    let (rules, diagnostics) = files.compile()?;
    let mut out = output::stdout();
    for diagnostic in &diagnostics {
        if global.json {
            output::json_line(&mut out, &wire(diagnostic))?;
        } else {
            writeln!(out, "{}", output::inert(&diagnostic.to_string()))?;
        }
    }
    out.flush()?;
    let refused =
        diagnostics.iter().filter(|problem| problem.level == DiagnosticLevel::Error).count();
    tracing::info!(loaded = rules.rules().len(), refused, "rules checked");
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A diagnostic as `--json` gives it.
pub fn wire(diagnostic: &Diagnostic) -> serde_json::Value {
    json!({
        "kind": "diagnostic", "file": diagnostic.file, "line": diagnostic.line,
        "column": diagnostic.column, "level": diagnostic.level.name(),
        "message": diagnostic.message, "mend": diagnostic.mend,
    })
}

fn list(global: &Global, files: &Files) -> anyhow::Result<ExitCode> {
    let rules = files.load()?;
    let lang = global.lang();
    let mut out = output::stdout();
    for rule in rules.rules() {
        let reference = &rule.reference;
        if global.json {
            let kind = match rule.kind {
                RuleKind::Detection => "detection",
                RuleKind::Correlation => "correlation",
            };
            let object = json!({
                "kind": "rule", "id": reference.id, "title": reference.title.get(lang),
                "level": reference.level, "version": reference.version, "type": kind,
                "tags": rule.tags, "silent": rule.silent, "author": rule.author,
                "description": rule.description, "file": rule.file, "line": rule.line,
                "explanation": rule.guidance.explanation.get(lang),
            });
            output::json_line(&mut out, &object)?;
        } else if !rule.silent {
            let title = output::inert(reference.title.get(lang));
            let attack: Vec<String> = rule
                .tags
                .iter()
                .filter_map(|tag| tag.strip_prefix("attack.t"))
                .map(|technique| format!("T{technique}"))
                .collect();
            writeln!(out, "{:<13} {title}  [{}]", reference.level.name(), attack.join(" "))?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn matches(global: &Global, args: &InputArgs, files: &Files) -> anyhow::Result<ExitCode> {
    let rules = Arc::new(files.load()?);
    let mut matcher = Matcher::new(Arc::clone(&rules));
    let options = input::parser_options(args)?;
    let mut out = output::stdout();
    let mut failed = false;
    for path in &args.files {
        let mut correlator = Correlator::new(Arc::clone(&rules));
        let mut fired = Vec::new();
        let read = input::Input::open(path, args.format, &options).and_then(|mut input| {
            while input.advance()? {
                let hits = matcher.matches(&input.event);
                fired.clear();
                correlator.observe(&input.event, hits, &mut fired);
                let raised = fired.iter().filter(|firing| firing.raised).map(|firing| firing.rule);
                for index in hits.iter().copied().chain(raised) {
                    let Some(rule) = rules.rule(index) else { continue };
                    let object = json!({
                        "file": path.display().to_string(), "record": input.number,
                        "rule_id": rule.reference.id, "rule_title": rule.reference.title.en,
                        "level": rule.reference.level, "tags": rule.tags,
                    });
                    output::json_line(&mut out, &object)?;
                }
            }
            Ok(())
        });
        if let Err(error) = read {
            if output::is_broken_pipe(&error) {
                return Err(error);
            }
            out.flush()?;
            output::complain(&error, global.lang());
            failed = true;
        }
    }
    out.flush()?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Runs each rule file's rules over its fixtures: all of them fire on `NAME.fires.*`, none on
/// `NAME.quiet.*`. Fixtures stand in a folder `fixtures` beside the rule file. Among the rules in
/// force, files of one's own that have none are counted, since imported rules have none.
fn test(global: &Global, paths: &[PathBuf], loaded: &Files) -> anyhow::Result<ExitCode> {
    let mut out = output::stdout();
    let (mut passed, mut failed) = (0_u64, 0_u64);
    let files = &loaded.read;
    let mut may_have_none = BTreeSet::new();
    let fixtures = if paths.is_empty() {
        let own = files.get(shipped::rule_files().len()..).unwrap_or_default();
        may_have_none.extend(own.iter().map(|file| file.name.as_str()));
        let mut fixtures = fixtures_beside(own)?;
        fixtures.extend(shipped::fixtures());
        fixtures
    } else {
        fixtures_beside(files)?
    };
    let mut untested = 0_u64;
    // Correlations may refer to rules of other files, so all are loaded together.
    let (rules, diagnostics) = loaded.compile()?;
    for diagnostic in &diagnostics {
        writeln!(out, "{}", output::inert(&diagnostic.to_string()))?;
    }
    failed += diagnostics.iter().filter(|one| one.level == DiagnosticLevel::Error).count() as u64;
    let rules = Arc::new(rules);
    for file in files {
        let stem = Path::new(&file.name).file_stem().unwrap_or_default().to_string_lossy();
        let own: Vec<_> =
            rules.rules().iter().filter(|rule| rule.file == file.name && !rule.silent).collect();
        for (kind, should_fire) in [("fires", true), ("quiet", false)] {
            let prefix = format!("{stem}.{kind}.");
            let of_file: Vec<_> = fixtures
                .iter()
                .filter(|fixture| {
                    Path::new(&fixture.name)
                        .file_name()
                        .is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
                })
                .collect();
            let mut fired = BTreeSet::new();
            for fixture in &of_file {
                fired.extend(rules_that_fire(&rules, fixture));
            }
            if of_file.is_empty() && may_have_none.contains(file.name.as_str()) {
                untested += if should_fire { own.len() as u64 } else { 0 };
                continue;
            }
            for rule in &own {
                let id = &rule.reference.id;
                let wrong = if of_file.is_empty() {
                    Some(format!("has no fixture {prefix}*"))
                } else if should_fire && !fired.contains(id) {
                    Some(format!("does not fire on {prefix}*"))
                } else if !should_fire && fired.contains(id) {
                    Some(format!("fires on {prefix}*"))
                } else {
                    None
                };
                match wrong {
                    None => passed += 1,
                    Some(wrong) => {
                        failed += 1;
                        let title = output::inert(&rule.reference.title.en);
                        writeln!(out, "{}:{}: `{title}` {wrong}", rule.file, rule.line)?;
                    }
                }
            }
        }
    }
    if global.json {
        output::json_line(
            &mut out,
            &json!({"kind": "stats", "passed": passed, "failed": failed, "untested": untested}),
        )?;
    } else if untested > 0 {
        writeln!(out, "{passed} passed, {failed} failed, {untested} rules without fixtures")?;
    } else {
        writeln!(out, "{passed} passed, {failed} failed")?;
    }
    out.flush()?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn fixtures_beside(files: &[RuleFile]) -> anyhow::Result<Vec<Fixture>> {
    let folders: BTreeSet<PathBuf> = files
        .iter()
        .map(|file| Path::new(&file.name))
        // What the configuration makes stands in no folder.
        .filter(|path| path.is_file())
        .map(|path| path.with_file_name("fixtures"))
        .filter(|folder| folder.is_dir())
        .collect();
    let mut fixtures = Vec::new();
    for folder in folders {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let bytes =
                std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            fixtures.push(Fixture { name: path.display().to_string(), bytes: bytes.into() });
        }
    }
    Ok(fixtures)
}

/// Ids of the rules that raise an alert on a fixture.
fn rules_that_fire(rules: &Arc<RuleSet>, fixture: &Fixture) -> BTreeSet<String> {
    let mut detector = Detector::new(Arc::clone(rules), Settings::default());
    let options =
        Options { timezone: jiff::tz::TimeZone::UTC, reference: Reference::Fixed(FIXTURES_READ) };
    let mut parser = Parser::new(options);
    let mut event = Event::default();
    let source = Source::file(fixture.name.as_str(), fingerprint(&fixture.bytes), None);
    let mut offset = 0;
    for line in fixture.bytes.split(|byte| *byte == b'\n') {
        if !line.is_empty() {
            let record =
                RecordRef { source: &source, offset, observed: FIXTURES_READ, bytes: line };
            parser.parse(&record, &mut event);
            detector.observe(&event);
        }
        offset += line.len() as u64 + 1;
    }
    detector.take_changes().alerts.into_iter().map(|alert| alert.rule.id.clone()).collect()
}
