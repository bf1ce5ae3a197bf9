//! The rules that a command works with: the shipped ones, which are part of the binary, or those
//! of files and folders; and the processing pipelines that say how fields are called here.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use include_dir::{Dir, include_dir};
use vigie_sigma::{Diagnostic, Pipelines, Placeholders, RuleSet, RuleText};

static RULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../rules");
/// Those of its folder `default` are always applied; each of them is for the logsources that it
/// names.
static PIPELINES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../pipelines");

/// A file of rules, or a fixture, with its text.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// Its path, for messages.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The shipped rule files.
pub fn rule_files() -> Vec<RuleFile> {
    files_of("rules", &RULES, is_rule)
}

/// The fixtures of the shipped rules.
pub fn fixture_files() -> Vec<RuleFile> {
    RULES.get_dir("fixtures").map(|dir| files_of("rules", dir, |_| true)).unwrap_or_default()
}

fn files_of(folder: &str, dir: &Dir<'_>, wanted: fn(&Path) -> bool) -> Vec<RuleFile> {
    let mut files: Vec<RuleFile> = dir
        .files()
        .filter(|file| wanted(file.path()))
        .map(|file| RuleFile {
            name: Path::new(folder).join(file.path()).display().to_string(),
            bytes: file.contents().to_vec(),
        })
        .collect();
    files.sort_by(|left, right| left.name.cmp(&right.name));
    files
}

fn is_rule(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml")
}

/// The rule files that `paths` name, folders with all that is in them.
pub fn read_rule_files(paths: &[PathBuf]) -> anyhow::Result<Vec<RuleFile>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            collect(path, &mut files)?;
        } else {
            files.push(read(path)?);
        }
    }
    if files.is_empty() && !paths.is_empty() {
        bail!(
            "no rule (*.yml, *.yaml) in {}",
            paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
        );
    }
    Ok(files)
}

fn collect(dir: &Path, files: &mut Vec<RuleFile>) -> anyhow::Result<()> {
    let entries =
        std::fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.with_context(|| format!("cannot list {}", dir.display()))?.path());
    }
    paths.sort();
    for path in paths {
        // A link to a folder could lead in a circle; a link to a file cannot.
        if path.is_dir() && !path.is_symlink() {
            collect(&path, files)?;
        } else if path.is_file() && is_rule(&path) {
            files.push(read(&path)?);
        }
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<RuleFile> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(RuleFile { name: path.display().to_string(), bytes })
}

/// Compiles rule files, pipelines among them applied beside the shipped default ones; a file
/// that is not UTF-8 is an error of its own.
pub fn compile(files: &[RuleFile]) -> anyhow::Result<(RuleSet, Vec<Diagnostic>)> {
    compile_with(files, &Placeholders::new())
}

/// Compiles rule files as [`compile`] does, with values for their placeholders.
pub fn compile_with(
    files: &[RuleFile],
    placeholders: &Placeholders,
) -> anyhow::Result<(RuleSet, Vec<Diagnostic>)> {
    let defaults = PIPELINES
        .get_dir("default")
        .map(|dir| files_of("pipelines", dir, is_rule))
        .unwrap_or_default();
    let mut rules = Vec::new();
    let mut pipelines = Vec::new();
    for file in defaults.iter().chain(files) {
        let text = std::str::from_utf8(&file.bytes)
            .with_context(|| format!("{}: not UTF-8 text", file.name))?;
        let text = RuleText { file: &file.name, text };
        if Pipelines::is_pipeline(text.text) { &mut pipelines } else { &mut rules }.push(text);
    }
    let (pipelines, mut diagnostics) = Pipelines::read(pipelines);
    let (rules, more) = RuleSet::load_with(rules, &pipelines, placeholders);
    diagnostics.extend(more);
    Ok((rules, diagnostics))
}

/// The rules of `paths`, or the shipped ones where there are none.
pub fn load(paths: &[PathBuf]) -> anyhow::Result<(RuleSet, Vec<Diagnostic>)> {
    let files = if paths.is_empty() { rule_files() } else { read_rule_files(paths)? };
    compile(&files)
}
