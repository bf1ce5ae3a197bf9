//! Where to go on: which of the files in the folder were read how far, and which not at all?

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use vigie_event::{Cursor, Format, Source};

use super::input::{self, FileId, Input};
use super::siblings::{self, Sibling};
use super::tail::Tail;
use crate::read::Compression;

/// A file that was read up to `offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub fingerprint: u64,
    pub id: FileId,
    pub offset: u64,
}

/// What has been read under one name, the newest last.
#[derive(Debug, Default)]
pub(super) struct Memory(Vec<Known>);

/// Files remembered under one name; rotation keeps fewer.
const MAX_KNOWN: usize = 256;

impl Memory {
    /// From the cursors of all sources, what concerns `name`.
    pub fn of(name: &str, cursors: &[(Arc<Source>, Cursor)]) -> Self {
        let mut memory = Self::default();
        for (source, cursor) in cursors {
            if let Cursor::File { fingerprint, device, inode, offset } = *cursor
                && source.name == name
            {
                let id = FileId { device, inode };
                memory.learn(Known { fingerprint, id, offset });
            }
        }
        memory
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Remembers how far a file was read; what was known of it by content and inode is replaced.
    pub fn learn(&mut self, known: Known) {
        let same =
            |old: &Known| old.fingerprint == known.fingerprint && old.id.inode == known.id.inode;
        self.0.retain(|old| !same(old));
        self.0.push(known);
        let excess = self.0.len().saturating_sub(MAX_KNOWN);
        self.0.drain(..excess);
    }

    /// Whether a file with this first line was read.
    pub fn has(&self, fingerprint: Option<u64>) -> bool {
        self.0.iter().any(|known| Some(known.fingerprint) == fingerprint)
    }

    /// How far exactly this file was read, if it still holds what was read of it.
    pub fn offset_of(&self, file: &File, id: FileId, size: u64) -> Option<u64> {
        let fingerprint = input::fingerprint(file).ok()??;
        let known =
            self.0.iter().rev().find(|known| known.id == id && known.fingerprint == fingerprint)?;
        continues(file, size, known.offset).then_some(known.offset)
    }
}

/// Whether reading a plain file can go on at `offset`: there a line begins, or the file ends.
fn continues(file: &File, size: u64, offset: u64) -> bool {
    offset <= size && (offset == size || input::begins_line(file, offset).unwrap_or(false))
}

/// Where to go on under a name after a start.
pub(super) struct Resumption {
    /// Rotated files of which the rest is to be read, oldest first.
    pub rotated: Vec<Tail>,
    /// How far the file that stands under the name now was read; `None`: not at all.
    pub offset: Option<u64>,
    /// Nothing that was read before is there any more.
    pub gap: bool,
}

/// Finds what was read before among the file `current` (with its identity and size) that stands
/// at `path` now and its rotated copies, and what was never read since.
pub(super) fn resume(
    path: &Path,
    name: &str,
    format: Option<Format>,
    memory: &Memory,
    current: Option<(&File, FileId, u64)>,
) -> Resumption {
    let inodes: Vec<u64> = memory.0.iter().map(|known| known.id.inode).collect();
    let mut siblings = siblings::scan(path, &inodes);
    if let Some((_, id, _)) = current {
        siblings.retain(|sibling| sibling.id != id);
    }
    let current_fingerprint =
        current.and_then(|(file, ..)| input::fingerprint(file).ok().flatten());

    // Each known file is at most one of those there. By identity first: the same beginning alone
    // may also be a header that all of them share.
    let mut offset = None;
    let mut offsets: Vec<Option<u64>> = vec![None; siblings.len()];
    let mut unplaced = Vec::new();
    for known in &memory.0 {
        let is_current = current.is_some_and(|(file, id, size)| {
            id.inode == known.id.inode
                && current_fingerprint == Some(known.fingerprint)
                && continues(file, size, known.offset)
        });
        if is_current {
            offset = offset.max(Some(known.offset));
            continue;
        }
        let place = siblings.iter().position(|sibling| {
            sibling.id.inode == known.id.inode
                && !sibling.is_packed()
                && sibling.fingerprint == Some(known.fingerprint)
                && continues(&sibling.file, sibling.size, known.offset)
        });
        match place.and_then(|place| offsets.get_mut(place)) {
            Some(slot) => *slot = (*slot).max(Some(known.offset)),
            None => unplaced.push(*known),
        }
    }
    for known in by_content_alone(&unplaced, &memory.0) {
        let is_current = offset.is_none()
            && current.is_some_and(|(file, _, size)| {
                current_fingerprint == Some(known.fingerprint)
                    && continues(file, size, known.offset)
            });
        if is_current {
            offset = Some(known.offset);
            continue;
        }
        // Newest first; a plain copy tells by its size whether it can be the one.
        let place = siblings.iter().zip(&offsets).rposition(|(sibling, offset)| {
            offset.is_none()
                && sibling.fingerprint == Some(known.fingerprint)
                && (sibling.is_packed() || continues(&sibling.file, sibling.size, known.offset))
        });
        if let Some(slot) = place.and_then(|place| offsets.get_mut(place)) {
            *slot = Some(known.offset);
        }
    }

    let newest_read = offsets.iter().rposition(Option::is_some);
    let gap = !memory.is_empty() && newest_read.is_none() && offset.is_none();
    let first_unread = newest_read.filter(|_| offset.is_none()).map_or(siblings.len(), |at| at + 1);
    let placed: Vec<_> = siblings
        .iter()
        .zip(&offsets)
        .filter(|(_, offset)| offset.is_some())
        .map(|(sibling, _)| (sibling.fingerprint, sibling.head.clone()))
        .chain(current.and_then(|(file, ..)| {
            Some((current_fingerprint, input::head(file, Compression::None).ok()?))
        }))
        .collect();
    let mut rotated = Vec::new();
    for (place, (sibling, known)) in siblings.into_iter().zip(offsets).enumerate() {
        let unread = place >= first_unread && is_new(&sibling, memory, &placed);
        let Some(from) = known.or(unread.then_some(0)) else { continue };
        match tail_of(&sibling, name, format, from) {
            Ok(Some(tail)) => rotated.push(tail),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(path = %sibling.path.display(), %error, "rotated copy not readable");
            }
        }
    }
    Resumption { rotated, offset, gap }
}

/// Of the files whose inodes are gone, those to look for by their first line: one for each first
/// line, as far as it was read, and none where another file with that first line is still there.
fn by_content_alone(unplaced: &[Known], all: &[Known]) -> Vec<Known> {
    let mut wanted: Vec<Known> = Vec::new();
    for known in unplaced {
        let placed = all
            .iter()
            .any(|other| other.fingerprint == known.fingerprint && !unplaced.contains(other));
        if placed {
            continue;
        }
        match wanted.iter_mut().find(|other| other.fingerprint == known.fingerprint) {
            Some(other) if other.offset >= known.offset => {}
            Some(other) => *other = *known,
            None => wanted.push(*known),
        }
    }
    wanted
}

/// Whether a sibling is no mere copy of what was read: neither of the files `placed` (first line
/// and beginning) nor of one that is gone. A first line that several of them share is a header
/// and tells nothing.
fn is_new(sibling: &Sibling, memory: &Memory, placed: &[(Option<u64>, Vec<u8>)]) -> bool {
    let is_header = placed.iter().any(|(fingerprint, _)| *fingerprint == sibling.fingerprint);
    sibling.size > 0
        && !placed.iter().any(|(_, head)| sibling.begins_like(head))
        && (is_header || !memory.has(sibling.fingerprint))
}

/// Reads the sibling from `offset` on; `None` where there is nothing left.
fn tail_of(
    sibling: &Sibling,
    name: &str,
    format: Option<Format>,
    offset: u64,
) -> io::Result<Option<Tail>> {
    let source = (offset > 0)
        .then_some(sibling.fingerprint)
        .flatten()
        .map(|fingerprint| Source::file(name, fingerprint, format));
    if sibling.is_packed() {
        let mut reader = input::decompressed(&sibling.file, sibling.compression)?;
        let skipped = io::copy(&mut (&mut reader).take(offset), &mut io::sink())?;
        return Ok((skipped == offset).then(|| Tail::packed_at(sibling.id, reader, offset, source)));
    }
    if sibling.size <= offset {
        return Ok(None);
    }
    Tail::plain_at(sibling.id, sibling.file.try_clone()?, offset, source).map(Some)
}

/// After a file was truncated: the copy that was made of it before, to read what it had beyond
/// what was read.
pub(super) fn copy_of(path: &Path, tail: &Tail) -> Option<(FileId, Input, SystemTime)> {
    let fingerprint = tail.fingerprint();
    let position = tail.position();
    let anchor = tail.anchor();
    let start = position - anchor.len() as u64;
    for sibling in siblings::scan(path, &[]).into_iter().rev() {
        if sibling.id == tail.id || (fingerprint.is_some() && sibling.fingerprint != fingerprint) {
            continue;
        }
        let mut before = vec![0; anchor.len()];
        if sibling.is_packed() {
            let Ok(mut reader) = input::decompressed(&sibling.file, sibling.compression) else {
                continue;
            };
            let skipped = io::copy(&mut (&mut reader).take(start), &mut io::sink());
            if skipped.is_ok_and(|skipped| skipped == start)
                && reader.read_exact(&mut before).is_ok()
                && before == anchor
            {
                return Some((sibling.id, Input::Packed(reader), sibling.modified));
            }
        } else if input::read_at(&sibling.file, &mut before, start)
            .is_ok_and(|count| count == before.len())
            && before == anchor
        {
            return Some((sibling.id, Input::Plain(sibling.file), sibling.modified));
        }
    }
    None
}

/// Rotated files that came and went between two looks at a name: written after `since`, never
/// read, and not among the files `open`. Compressed ones are none of them: that takes longer.
pub(super) fn missed(
    path: &Path,
    memory: &Memory,
    open: &[(FileId, Vec<u8>)],
    since: SystemTime,
) -> Vec<Tail> {
    siblings::scan(path, &[])
        .into_iter()
        .filter(|sibling| {
            let opened =
                open.iter().any(|(id, head)| *id == sibling.id || sibling.begins_like(head));
            !sibling.is_packed()
                && sibling.size > 0
                && sibling.modified >= since
                && !opened
                && !memory.has(sibling.fingerprint)
        })
        .map(|sibling| Tail::new(sibling.id, Input::Plain(sibling.file)))
        .collect()
}
