//! The rotated copies of a log, beside it: `name.1`, `name-20260105`, `name.2.gz` …
//!
//! A name only makes a candidate; what a file holds decides. Links and anything but regular files
//! are passed over, so that whoever may write into the folder can lead us nowhere.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::input::{self, FileId};
use crate::lines::head_fingerprint;
use crate::read::Compression;

/// Names in a folder that are looked at.
const MAX_NAMES: usize = 100_000;
/// Candidates that are opened, newest first.
const MAX_OPENED: usize = 64;

/// One rotated copy.
pub(super) struct Sibling {
    pub path: PathBuf,
    pub id: FileId,
    pub file: File,
    pub size: u64,
    pub modified: SystemTime,
    pub compression: Compression,
    /// The beginning of its content.
    pub head: Vec<u8>,
    /// Of its first line.
    pub fingerprint: Option<u64>,
}

impl Sibling {
    pub fn is_packed(&self) -> bool {
        self.compression != Compression::None
    }

    /// Whether the file that begins with `head` holds the same content, as far as one goes.
    pub fn begins_like(&self, head: &[u8]) -> bool {
        !head.is_empty()
            && !self.head.is_empty()
            && (self.head.starts_with(head) || head.starts_with(&self.head))
    }
}

/// The rotated copies of the log at `path`, least recently written first: by their names, and
/// whatever has one of `inodes`. Where `path` is a link, also those of the file that it leads to.
pub(super) fn scan(path: &Path, inodes: &[u64]) -> Vec<Sibling> {
    let mut names = Vec::new();
    list(path, inodes, &mut names);
    if let Ok(target) = fs::canonicalize(path)
        && target.file_name() != path.file_name()
    {
        list(&target, inodes, &mut names);
    }
    // Files written in one tick of the file system's clock are told apart by their names.
    names.sort_by_cached_key(|(modified, path)| (*modified, age_by_name(path), path.clone()));
    names.dedup();
    let newest = names.len().saturating_sub(MAX_OPENED);
    let mut siblings: Vec<_> = names.drain(newest..).filter_map(|(_, path)| open(path)).collect();
    // While it is being compressed, a copy stands there twice.
    let plain: Vec<PathBuf> = siblings
        .iter()
        .filter(|sibling| !sibling.is_packed())
        .map(|sibling| sibling.path.clone())
        .collect();
    siblings.retain(|sibling| {
        !(sibling.is_packed() && plain.contains(&sibling.path.with_extension("")))
    });
    siblings
}

/// Adds the candidates beside `path` with the time when they were last written.
fn list(path: &Path, inodes: &[u64], names: &mut Vec<(SystemTime, PathBuf)>) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.take(MAX_NAMES).flatten() {
        let other = entry.file_name();
        let wanted = is_rotated(name.as_bytes(), other.as_bytes()) || inodes.contains(&entry.ino());
        if !wanted || other == name {
            continue;
        }
        // Of links this is the link's own metadata.
        let Ok(metadata) = entry.metadata() else { continue };
        if let (true, Ok(modified)) = (metadata.is_file(), metadata.modified()) {
            names.push((modified, entry.path()));
        }
    }
}

/// Orders names by age, oldest first: `app.log.2` is older than `app.log.1`, `app.log-20260105`
/// than `app.log-20260106`.
fn age_by_name(path: &Path) -> i64 {
    const DATES: i64 = 10_000_000;
    let name = path.file_name().unwrap_or_default().as_bytes();
    let numbers = name.split(|byte| matches!(byte, b'.' | b'-' | b'_'));
    let number = numbers
        .filter_map(|part| std::str::from_utf8(part).ok()?.parse::<i64>().ok())
        .find(|number| *number >= 0);
    match number {
        Some(date) if date >= DATES => date,
        Some(generation) => -generation,
        None => 0,
    }
}

fn open(path: PathBuf) -> Option<Sibling> {
    let (file, metadata) = input::open(&path).ok()?;
    let link = fs::symlink_metadata(&path).ok()?;
    if FileId::of(&link) != FileId::of(&metadata) {
        return None;
    }
    let mut magic = [0; crate::read::MAGIC_BYTES];
    let count = input::read_at(&file, &mut magic, 0).ok()?;
    let compression = Compression::of(magic.get(..count)?);
    // A copy that is still being compressed has no readable head yet: not this time.
    let head = input::head(&file, compression).ok()?;
    let fingerprint = head_fingerprint(&head, false);
    Some(Sibling {
        id: FileId::of(&metadata),
        size: metadata.len(),
        modified: metadata.modified().ok()?,
        path,
        file,
        compression,
        head,
        fingerprint,
    })
}

/// Whether `candidate` is a name that rotation gives to `name`: a separator and a digit after the
/// name (`auth.log.1`, `auth.log-20260105.gz`), or a year before its extension
/// (`auth-20260105.log.xz`). A mere number there (`worker-2.log`) is as often another log.
fn is_rotated(name: &[u8], candidate: &[u8]) -> bool {
    if let Some([b'.' | b'-' | b'_', digit, ..]) = candidate.strip_prefix(name) {
        return digit.is_ascii_digit();
    }
    let path = Path::new(OsStr::from_bytes(name));
    let (Some(stem), Some(extension)) = (path.file_stem(), path.extension()) else { return false };
    let Some(rest) = candidate.strip_prefix(stem.as_bytes()) else { return false };
    let packed = [&b".gz"[..], b".zst", b".bz2", b".xz"];
    let rest = packed.iter().find_map(|suffix| rest.strip_suffix(*suffix)).unwrap_or(rest);
    matches!(rest, [b'.' | b'-' | b'_', b'2', b'0', tens, ones, ..]
        if tens.is_ascii_digit() && ones.is_ascii_digit())
        && rest
            .strip_suffix(extension.as_bytes())
            .is_some_and(|rest| rest.ends_with(b".") && rest.len() > 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_names_by_age() {
        for (older, newer) in [
            ("app.log.2", "app.log.1"),
            ("app.log.10.gz", "app.log.9.gz"),
            ("app-20260105.log", "app-20260106.log"),
        ] {
            assert!(age_by_name(Path::new(older)) < age_by_name(Path::new(newer)), "{older}");
        }
    }

    #[test]
    fn knows_the_names_that_rotation_gives() {
        for (name, candidate, expected) in [
            ("auth.log", "auth.log.1", true),
            ("auth.log", "auth.log.12.gz", true),
            ("auth.log", "auth.log-20260105", true),
            ("auth.log", "auth.log-20260105-1767607933.zst", true),
            ("auth.log", "auth.log.2026-01-05", true),
            ("auth.log", "auth-20260105.log", true),
            ("auth.log", "auth-20260105.log.xz", true),
            ("auth.log", "auth.2026-01-05.log", true),
            ("auth.log", "auth.1.log", false),
            ("worker.log", "worker-2.log", false),
            ("worker.log", "worker-2026.log", true),
            ("auth.log", "auth.log", false),
            ("auth.log", "auth.log.swp", false),
            ("auth.log", "auth.logs.1", false),
            ("auth.log", "auth-failures.log", false),
            ("auth.log", "other.log.1", false),
            ("messages", "messages-20260105", true),
            ("messages", "messages.1.bz2", true),
        ] {
            let rotated = is_rotated(name.as_bytes(), candidate.as_bytes());
            assert_eq!(rotated, expected, "{name} {candidate}");
        }
    }
}
