//! The rules in force: the shipped ones, those of the configured files and folders, and those of
//! the rules folder. Start, reload and the commands all load them here.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use vigie_event::fingerprint;
use vigie_sigma::{Diagnostic, DiagnosticLevel, RuleSet};

use crate::config::Config;
use crate::shipped::{self, Content, RuleFile};

/// The part of the rules folder that `vigie rules import` writes.
pub const IMPORTED: &str = "imported";
/// Folders within folders that are followed at most.
const MAX_DEPTH: usize = 32;

/// Where the rules in force stand.
#[derive(Clone, Debug, Default)]
pub struct Rulebook {
    /// Files and folders that the configuration names. They must exist.
    pub paths: Vec<PathBuf>,
    /// The rules folder. It need not exist.
    pub folder: PathBuf,
    /// Rules that the configuration itself makes.
    pub made: Vec<RuleFile>,
}

/// Rules, with what they were made of.
pub struct Loaded {
    pub rules: Arc<RuleSet>,
    /// What is wrong, in the order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
    /// Files that are wrong now and go on in their earlier form.
    pub kept: BTreeSet<String>,
    /// The files besides the shipped ones, in the form in which they were loaded.
    files: Vec<RuleFile>,
}

impl Loaded {
    /// Files of which a rule was refused.
    pub fn refused(&self) -> BTreeSet<&str> {
        refused(&self.diagnostics)
    }
}

/// Files of which a rule was refused.
pub fn refused(diagnostics: &[Diagnostic]) -> BTreeSet<&str> {
    diagnostics
        .iter()
        .filter(|problem| problem.level == DiagnosticLevel::Error)
        .map(|problem| problem.file.as_str())
        .collect()
}

impl Rulebook {
    /// The rules of `config`, with the data in `data`.
    pub fn of(config: &Config, data: &Path) -> Self {
        let folder = &config.detection.rules_folder;
        Self {
            paths: config.detection.rules.clone(),
            folder: if folder.as_os_str().is_empty() { data.join("rules") } else { folder.clone() },
            made: crate::decoys::rule_files(&config.analysis),
        }
    }

    /// Loads all of it. With what was loaded `before`, a file that has become wrong goes on in its
    /// earlier form, and rules that are in force come before new ones that take their ids.
    ///
    /// # Errors
    /// A configured path or the rules folder cannot be listed. A file that cannot be read is a
    /// diagnostic.
    pub fn load(&self, before: Option<&Loaded>) -> anyhow::Result<Loaded> {
        let mut unread = Vec::new();
        let mut files: Vec<RuleFile> =
            self.files()?.iter().filter_map(|path| read(path, &mut unread)).collect();
        let earlier = before.map(Loaded::good).unwrap_or_default();
        let mut kept = BTreeSet::new();
        for problem in &unread {
            // Unreadable is as wrong as not understood; gone is gone.
            if let Some(file) = earlier.get(problem.file.as_str()) {
                kept.insert(problem.file.clone());
                files.push((*file).clone());
            }
        }
        files.sort_by_key(|file| !earlier.contains_key(file.name.as_str()));
        let mut all = shipped::rule_files();
        all.extend(self.made.iter().cloned());
        let shipped = all.len();
        all.append(&mut files);
        let (mut rules, mut diagnostics) = shipped::compile(&all)?;
        let wrong = refused(&diagnostics);
        let mended = all.iter_mut().filter(|file| wrong.contains(file.name.as_str()));
        let mut told = Vec::new();
        for file in mended {
            let Some(good) = earlier.get(file.name.as_str()) else { continue };
            if good.content != file.content {
                told.extend(diagnostics.iter().filter(|one| one.file == file.name).cloned());
                kept.insert(file.name.clone());
                file.content.clone_from(&good.content);
            }
        }
        if !told.is_empty() {
            (rules, diagnostics) = shipped::compile(&all)?;
            diagnostics.retain(|one| !kept.contains(&one.file));
            diagnostics.append(&mut told);
        }
        diagnostics.append(&mut unread);
        let files = all.split_off(shipped);
        Ok(Loaded { rules: Arc::new(rules), diagnostics, kept, files })
    }

    /// A fingerprint of names, sizes and times of all files: it changes when there is something
    /// to load. What cannot be listed leaves its error in it.
    pub fn stamp(&self) -> u64 {
        let mut bytes = Vec::new();
        match self.files() {
            Err(error) => bytes.extend_from_slice(format!("{error:#}").as_bytes()),
            Ok(files) => {
                for path in files {
                    bytes.extend_from_slice(path.as_os_str().as_encoded_bytes());
                    let Ok(about) = path.metadata() else { continue };
                    for number in [about.size(), about.ino(), about.mtime() as u64] {
                        bytes.extend_from_slice(&number.to_le_bytes());
                    }
                    bytes.extend_from_slice(&about.mtime_nsec().to_le_bytes());
                }
            }
        }
        fingerprint(&bytes)
    }

    /// All rule files: configured ones first, then those of the rules folder, imported ones last,
    /// so that a rule of one's own comes before an imported one of the same id.
    pub fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for path in &self.paths {
            let before = files.len();
            if path.is_dir() {
                rule_files(path, &mut files)?;
            } else if path.exists() {
                files.push(path.clone());
            }
            if files.len() == before {
                bail!("no rule (*.yml, *.yaml) in {}", path.display());
            }
        }
        let mut own = Vec::new();
        // A path that is configured too is read once.
        let mut seen: BTreeSet<PathBuf> = files.iter().cloned().collect();
        rule_files_if_any(&self.folder, &mut own)?;
        let imported = self.folder.join(IMPORTED);
        own.sort_by_key(|path| path.starts_with(&imported));
        files.extend(own.into_iter().filter(|path| seen.insert(path.clone())));
        Ok(files)
    }
}

impl Loaded {
    /// The files that were right, by name.
    fn good(&self) -> BTreeMap<&str, &RuleFile> {
        let refused = self.refused();
        let was_right = |file: &&RuleFile| {
            self.kept.contains(&file.name) || !refused.contains(file.name.as_str())
        };
        self.files.iter().filter(was_right).map(|file| (file.name.as_str(), file)).collect()
    }
}

/// The rule files below `dir`, in the order of their names; what begins with a dot is left out.
/// A folder that does not exist has none.
pub fn rule_files_if_any(dir: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    match dir.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => rule_files(dir, files),
    }
}

/// As [`rule_files_if_any`], of a folder that must exist.
pub fn rule_files(dir: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    walk(dir, MAX_DEPTH, files)
}

fn walk(dir: &Path, depth: usize, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let cannot_list = || format!("cannot list {}", dir.display());
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(dir).with_context(cannot_list)? {
        let entry = entry.with_context(cannot_list)?;
        // Told by the folder itself: thousands of files are looked at every few seconds.
        let kind = entry.file_type().with_context(cannot_list)?;
        entries.push((entry.path(), kind));
    }
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    for (path, kind) in entries {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let is_rule = path.extension().is_some_and(|end| end == "yml" || end == "yaml");
        // A link to a folder could lead in a circle; a link to a file cannot.
        if hidden {
        } else if kind.is_dir() {
            if depth > 0 {
                match walk(&path, depth - 1, files) {
                    // Exchanged by an import just now: the next look finds what is there then.
                    Err(error) if is_gone(&error) => {}
                    walked => walked?,
                }
            }
        } else if is_rule && (kind.is_file() || path.is_file()) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_gone(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Reads a rule file; what keeps it from being read goes to `unread`, but for its being gone.
pub fn read(path: &Path, unread: &mut Vec<Diagnostic>) -> Option<RuleFile> {
    let name = path.display().to_string();
    let mut complain = |line: usize, message: String, mend: &str| {
        unread.push(Diagnostic {
            file: name.clone(),
            line,
            column: 1,
            level: DiagnosticLevel::Error,
            message,
            mend: mend.to_owned(),
        });
    };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            complain(1, format!("cannot be read: {error}"), "");
            return None;
        }
    };
    if let Err(error) = std::str::from_utf8(&bytes) {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.split(|byte| *byte == b'\n').count();
        complain(line, "not UTF-8 text".to_owned(), "save the file as UTF-8");
        return None;
    }
    Some(RuleFile { name, content: Content::Text(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: u8, value: &str) -> String {
        format!(
            "title: Rule {id}\nid: 7f6b1c9a-0000-4000-8000-0000000000{id:02}\nlogsource: {{ product: linux }}\ndetection:\n  one:\n    user.name: {value}\n  condition: one\n"
        )
    }

    fn own(loaded: &Loaded) -> Vec<&str> {
        let rules = loaded.rules.rules().iter();
        let own = rules.filter(|rule| rule.reference.title.en.starts_with("Rule "));
        own.map(|rule| rule.reference.title.en.as_str()).collect()
    }

    #[test]
    fn a_wrong_file_goes_on_in_its_earlier_form() {
        let dir = tempfile::tempdir().unwrap();
        let book = Rulebook { folder: dir.path().join("rules"), ..Rulebook::default() };
        let first = book.load(None).unwrap();
        assert!(own(&first).is_empty() && first.diagnostics.is_empty());

        std::fs::create_dir(&book.folder).unwrap();
        let write = |name: &str, text: &str| std::fs::write(book.folder.join(name), text).unwrap();
        write("a.yml", &rule(1, "root"));
        write("b.yml", &rule(2, "root"));
        let stamp = book.stamp();
        let second = book.load(Some(&first)).unwrap();
        assert_eq!(own(&second), ["Rule 1", "Rule 2"]);

        write("a.yml", "title: [\n");
        write("b.yml", "title: caf\u{e9}");
        std::fs::write(book.folder.join("b.yml"), b"title: caf\xe9").unwrap();
        write("c.yml", "title: [\n");
        // It would take the id of a rule that works, and stands before it by name.
        write("a0.yml", &rule(1, "admin"));
        assert_ne!(book.stamp(), stamp);
        let third = book.load(Some(&second)).unwrap();
        let mut titles = own(&third);
        titles.sort_unstable();
        assert_eq!(titles, ["Rule 1", "Rule 2"]);
        assert_eq!(third.kept.len(), 2, "{:?}", third.kept);
        assert_eq!(third.refused().len(), 4, "{:?}", third.diagnostics);
        let version = |loaded: &Loaded| {
            let rule = loaded.rules.by_id("7f6b1c9a-0000-4000-8000-000000000001").unwrap();
            rule.reference.version.clone()
        };
        assert_eq!(version(&third), version(&second));

        // As long as it stays wrong; and what is gone is gone.
        std::fs::remove_file(book.folder.join("b.yml")).unwrap();
        std::fs::remove_file(book.folder.join("a0.yml")).unwrap();
        let fourth = book.load(Some(&third)).unwrap();
        assert_eq!(own(&fourth), ["Rule 1"]);
        assert_eq!(version(&fourth), version(&second));
    }

    #[test]
    fn a_configured_path_must_be_there() {
        let book = Rulebook { paths: vec!["/nowhere/at/all".into()], ..Rulebook::default() };
        assert!(book.load(None).is_err());
    }
}
