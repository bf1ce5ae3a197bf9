//! The rules that a command works with: the shipped ones, which are part of the binary, or those
//! of files and folders; and the processing pipelines that say how fields are called here.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use include_dir::{Dir, include_dir};
use vigie_sigma::{Diagnostic, Pipelines, Placeholders, RuleSet, RuleSource, RuleText};

// The shipped files, read ahead by the build script: `RULES`; and `PIPELINES`, which are always
// applied, each to the logsources that it names.
include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

static FIXTURES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../rules/fixtures");

/// A file of rules.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// Its path, for messages.
    pub name: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a file of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A shipped one's documents, read when the binary was built.
    Packed(&'static [u8]),
    /// Another's bytes, which should be UTF-8.
    Text(Vec<u8>),
}

impl RuleFile {
    /// Its bytes; of a shipped one those of its packed documents.
    pub fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Packed(bytes) => bytes,
            Content::Text(bytes) => bytes,
        }
    }

    /// What the engine reads of it.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn source(&self) -> anyhow::Result<RuleSource<'_>> {
        let file = &self.name;
        Ok(match &self.content {
            Content::Packed(documents) => RuleSource::Packed { file, documents },
            Content::Text(bytes) => {
                let text = std::str::from_utf8(bytes)
                    .with_context(|| format!("{file}: not UTF-8 text"))?;
                RuleText { file, text }.into()
            }
        })
    }
}

/// A log to run rules over: they fire on it, or keep quiet.
#[derive(Debug)]
pub struct Fixture {
    /// Its path.
    pub name: String,
    /// Its bytes.
    pub bytes: Cow<'static, [u8]>,
}

/// The shipped rule files.
pub fn rule_files() -> Vec<RuleFile> {
    let file = |(name, documents): &(&str, &'static [u8])| RuleFile {
        name: (*name).to_owned(),
        content: Content::Packed(documents),
    };
    RULES.iter().map(file).collect()
}

/// The fixtures of the shipped rules.
pub fn fixtures() -> Vec<Fixture> {
    let mut fixtures: Vec<_> = FIXTURES
        .files()
        .map(|file| Fixture {
            name: Path::new("rules/fixtures").join(file.path()).display().to_string(),
            bytes: file.contents().into(),
        })
        .collect();
    fixtures.sort_by(|left, right| left.name.cmp(&right.name));
    fixtures
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
    Ok(RuleFile { name: path.display().to_string(), content: Content::Text(bytes) })
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
    let mut rules = Vec::new();
    let mut pipelines: Vec<_> =
        PIPELINES.iter().map(|(file, documents)| RuleSource::Packed { file, documents }).collect();
    for file in files {
        let source = file.source()?;
        if source.is_pipeline() { &mut pipelines } else { &mut rules }.push(source);
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
