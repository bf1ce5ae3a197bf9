//! Rules of others, such as SigmaHQ's as they are cloned: what loads is copied into the rules
//! folder, verbatim, with the licence; what does not is told.

mod coverage;
mod place;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::bail;
use vigie_event::Severity;
use vigie_sigma::{Diagnostic, DiagnosticLevel, Rule, RuleSet, Status};

use crate::rulebook::{self, Rulebook};
use crate::shipped::{self, RuleFile};

pub use coverage::{Coverage, LogsourceRow, TacticRow};
pub use place::place;

/// The folders of SigmaHQ's repository that hold rules for use.
const FOLDERS: [&str; 6] = [
    "rules",
    "rules-emerging-threats",
    "rules-threat-hunting",
    "rules-dfir",
    "rules-compliance",
    "rules-placeholder",
];
/// Looks at what still loads after files were left out; each takes away what the last one broke.
const ROUNDS: usize = 8;

/// Which rules to take.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// By status.
    pub statuses: Vec<Status>,
    /// Of this level or worse.
    pub level: Severity,
    /// By product, and rules that name none; empty: all.
    pub products: Vec<String>,
}

impl Wanted {
    fn takes(&self, rule: &Rule) -> bool {
        let product = rule.logsource.product.as_deref();
        let fits = |wanted: &String| product.is_none_or(|has| has.eq_ignore_ascii_case(wanted));
        self.statuses.contains(&rule.status)
            && rule.reference.level >= self.level
            && (self.products.is_empty() || self.products.iter().any(fits))
    }
}

/// A file to be copied.
pub struct Taken {
    /// Its place in the source folder, and in the imported one.
    pub relative: PathBuf,
    pub file: RuleFile,
    /// Its rules: id, title, author.
    pub rules: Vec<(String, String, String)>,
}

/// What an import would do.
pub struct Plan {
    /// Where the rules come from.
    pub source: PathBuf,
    pub taken: Vec<Taken>,
    /// Files with the terms of use.
    pub licences: Vec<PathBuf>,
    /// Why rules were refused.
    pub refused: Vec<Diagnostic>,
    /// Rules in files that the options leave out.
    pub left_out: usize,
    pub changes: Changes,
    pub coverage: Coverage,
}

/// What differs from the last import: titles by rule id.
#[derive(Default)]
pub struct Changes {
    pub new: BTreeMap<String, String>,
    pub changed: BTreeMap<String, String>,
    pub gone: BTreeMap<String, String>,
    pub same: usize,
}

/// Looks at the rules below `source`, as if they were to replace what is in `target`, beside the
/// other rules of `book`.
///
/// # Errors
/// A folder cannot be listed, or there is no rule.
pub fn plan(
    source: &Path,
    target: &Path,
    book: &Rulebook,
    wanted: &Wanted,
) -> anyhow::Result<Plan> {
    let mut refused = Vec::new();
    let files = source_files(source, &mut refused)?;
    if files.is_empty() && refused.is_empty() {
        bail!("no rule (*.yml, *.yaml) in {}", source.display());
    }
    let base = base(book, target)?;
    let (rules, diagnostics) = compile(&base, files.iter().map(|(_, file)| file))?;
    let mut names: BTreeSet<&str> = files.iter().map(|(_, file)| file.name.as_str()).collect();
    refuse(&mut names, diagnostics, &mut refused);
    let by_file = by_file(&rules);
    let mut left_out = 0;
    names.retain(|name| {
        let own = by_file.get(name).map_or(&[][..], Vec::as_slice);
        // A file without rules holds filters, which are of use to whichever rules stay.
        let takes = own.is_empty() || own.iter().any(|rule| wanted.takes(rule));
        left_out += if takes { 0 } else { own.len() };
        takes
    });
    // Taking files away may break correlations over their rules.
    let mut last = None;
    for _ in 0..ROUNDS {
        let chosen = files.iter().filter(|(_, file)| names.contains(file.name.as_str()));
        let (rules, diagnostics) = compile(&base, chosen.map(|(_, file)| file))?;
        let before = names.len();
        refuse(&mut names, diagnostics, &mut refused);
        last = Some(rules);
        if names.len() == before {
            break;
        }
    }
    let rules = last.unwrap_or_default();
    refused.sort_by(|left, right| (&left.file, left.line).cmp(&(&right.file, right.line)));
    let own: Vec<&Rule> =
        rules.rules().iter().filter(|rule| names.contains(rule.file.as_str())).collect();
    let mut of_file = group(own.iter().copied());
    let changes = changes(&own, &earlier(&base, target)?);
    let coverage = Coverage::of(&own);
    let licences = licences(source)?;
    let taken = files
        .iter()
        .filter(|(_, file)| names.contains(file.name.as_str()))
        .map(|(relative, file)| Taken {
            relative: relative.clone(),
            file: file.clone(),
            rules: of_file
                .remove(file.name.as_str())
                .unwrap_or_default()
                .into_iter()
                .map(|rule| {
                    let reference = &rule.reference;
                    (reference.id.clone(), reference.title.en.clone(), rule.author.clone())
                })
                .collect(),
        })
        .collect();
    let source = source.to_owned();
    Ok(Plan { source, taken, licences, refused, left_out, changes, coverage })
}

/// The files below `source`, with their places in it.
fn source_files(
    source: &Path,
    unread: &mut Vec<Diagnostic>,
) -> anyhow::Result<Vec<(PathBuf, RuleFile)>> {
    let mut paths = Vec::new();
    let known: Vec<PathBuf> =
        FOLDERS.iter().map(|name| source.join(name)).filter(|path| path.is_dir()).collect();
    if known.is_empty() {
        rulebook::rule_files(source, &mut paths)?;
    }
    for folder in known {
        rulebook::rule_files(&folder, &mut paths)?;
    }
    let files = paths.iter().filter_map(|path| {
        let relative = path.strip_prefix(source).ok()?.to_owned();
        let file = rulebook::read(path, unread)?;
        // A pipeline would change the rules beside it, which nobody asked for.
        let pipeline = file.source().is_ok_and(|source| source.is_pipeline());
        (!pipeline).then_some((relative, file))
    });
    Ok(files.collect())
}

/// The rules beside which the imported ones will stand.
fn base(book: &Rulebook, target: &Path) -> anyhow::Result<Vec<RuleFile>> {
    let mut files = shipped::rule_files();
    for path in book.files()? {
        if !path.starts_with(target) {
            files.extend(rulebook::read(&path, &mut Vec::new()));
        }
    }
    Ok(files)
}

fn compile<'f>(
    base: &'f [RuleFile],
    files: impl Iterator<Item = &'f RuleFile>,
) -> anyhow::Result<(RuleSet, Vec<Diagnostic>)> {
    let all: Vec<RuleFile> = base.iter().chain(files).cloned().collect();
    shipped::compile(&all)
}

/// Takes the files that were refused out of `names`.
fn refuse(names: &mut BTreeSet<&str>, diagnostics: Vec<Diagnostic>, refused: &mut Vec<Diagnostic>) {
    let errors = diagnostics.into_iter().filter(|one| one.level == DiagnosticLevel::Error);
    let own: Vec<Diagnostic> = errors.filter(|one| names.contains(one.file.as_str())).collect();
    for problem in &own {
        names.remove(problem.file.as_str());
    }
    refused.extend(own);
}

fn by_file(rules: &RuleSet) -> BTreeMap<&str, Vec<&Rule>> {
    group(rules.rules().iter())
}

fn group<'r>(rules: impl Iterator<Item = &'r Rule>) -> BTreeMap<&'r str, Vec<&'r Rule>> {
    let mut files: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in rules {
        files.entry(rule.file.as_str()).or_default().push(rule);
    }
    files
}

/// Rules of the last import: version and title by id.
fn earlier(base: &[RuleFile], target: &Path) -> anyhow::Result<BTreeMap<String, (String, String)>> {
    let mut paths = Vec::new();
    rulebook::rule_files_if_any(target, &mut paths)?;
    if paths.is_empty() {
        return Ok(BTreeMap::new());
    }
    let files: Vec<RuleFile> =
        paths.iter().filter_map(|path| rulebook::read(path, &mut Vec::new())).collect();
    let names: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let (rules, _) = compile(base, files.iter())?;
    let own = rules.rules().iter().filter(|rule| names.contains(rule.file.as_str()));
    Ok(own
        .map(|rule| {
            let reference = &rule.reference;
            let title = reference.title.en.clone();
            (reference.id.clone(), (reference.version.clone(), title))
        })
        .collect())
}

fn changes(now: &[&Rule], before: &BTreeMap<String, (String, String)>) -> Changes {
    let mut changes = Changes::default();
    let mut gone = before.clone();
    for rule in now {
        let reference = &rule.reference;
        let title = reference.title.en.clone();
        match gone.remove(&reference.id) {
            None => drop(changes.new.insert(reference.id.clone(), title)),
            Some((version, _)) if version == reference.version => changes.same += 1,
            Some(_) => drop(changes.changed.insert(reference.id.clone(), title)),
        }
    }
    changes.gone = gone.into_iter().map(|(id, (_, title))| (id, title)).collect();
    changes
}

/// Files with the terms of use: in `source`, or beside it where it is one of the folders of a
/// repository.
fn licences(source: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let own = licences_in(source)?;
    let is_part =
        source.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"rules"));
    match source.parent() {
        Some(parent) if own.is_empty() && is_part => licences_in(parent),
        _ => Ok(own),
    }
}

fn licences_in(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    // The empty path is the folder at hand.
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_uppercase();
        let starts = ["LICENSE", "LICENCE", "COPYING", "NOTICE"];
        if starts.iter().any(|start| name.starts_with(start)) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
