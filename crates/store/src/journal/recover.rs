//! Opening: what a crash or a bad disk has left is found, cut or noted, and told.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vigie_event::{Cursor, Source};

use super::cursors::Cursors;
use super::disk::{Disk, DiskFile, read_full};
use super::frame::{Body, FrameHead, TABLE, decode_table, unpack};
use super::head::{BadHead, HEAD_BYTES, Head, parse_file_name};
use super::scan::Scan;
use super::segment::{Damage, Segment, Shared};
use super::walk::{Walk, walk};
use super::writer::Active;
use super::{JournalError, JournalOptions, Position};

/// What opening a journal has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// The torn tail, where there was one. Nothing in it was acknowledged.
    pub cut: Option<Cut>,
    /// Acknowledged records that are lost to damage, as far as opening has met them: readers meet
    /// damage in older segments ([`Journal::damage`](super::Journal::damage)).
    pub damage: Vec<Damage>,
}

impl Recovery {
    /// Whether all was in order.
    pub fn is_clean(&self) -> bool {
        self.cut.is_none() && self.damage.is_empty()
    }
}

/// A torn tail that was cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// The segment.
    pub path: PathBuf,
    /// Its length now, in bytes.
    pub offset: u64,
    /// Bytes cut.
    pub bytes: u64,
    /// Batches in them, as far as they could be told.
    pub batches: u64,
    /// Records in them, as far as they could be told.
    pub records: u64,
}

/// Opens what is on `disk`.
pub(super) fn open(
    disk: Arc<dyn Disk>,
    options: JournalOptions,
) -> Result<(Shared, Option<Active>, Recovery), JournalError> {
    let failed = |doing, name: &str, error| JournalError::io(doing, disk.path(name), error);
    let names = disk.list().map_err(|error| failed("list", "", error))?;
    for leftover in names.iter().filter(|name| name.ends_with(".segment.new")) {
        disk.remove(leftover).map_err(|error| failed("remove", leftover, error))?;
    }
    // What is found may have its name only in memory yet.
    disk.sync_names().map_err(|error| failed("make durable", "", error))?;

    let mut firsts: Vec<Position> = names.iter().filter_map(|name| parse_file_name(name)).collect();
    firsts.sort_unstable();
    let mut recovery = Recovery::default();
    let mut segments: Vec<Arc<Segment>> = Vec::with_capacity(firsts.len());
    for (index, first) in firsts.iter().enumerate() {
        match open_segment(&*disk, *first, index as u64)? {
            Some(segment) => segments.push(Arc::new(segment)),
            None => recovery.damage.push(set_aside(&*disk, *first, firsts.get(index + 1))?),
        }
    }

    let active = segments.last().map(|last| open_last(&*disk, last, &mut recovery)).transpose()?;
    let (active, mut end) = active.unzip();
    let known_end = end.unwrap_or_default();
    let lost_end = recovery.damage.iter().map(|damage| damage.end).max().unwrap_or_default();
    let wanted = options.not_before.max(lost_end);
    if wanted > known_end {
        end = Some(wanted);
    }
    let end = end.unwrap_or_default();
    // Positions must not be given twice: where the end was lost, a new segment starts behind.
    let active = active.filter(|_| end == known_end);
    if end > known_end && options.not_before > lost_end.max(known_end) && !firsts.is_empty() {
        let name = segments.last().map_or("", |last| last.name.as_str());
        let offset = segments.last().map_or(0, |last| last.durable());
        recovery.damage.push(Damage {
            path: disk.path(name),
            offset,
            first: lost_end.max(known_end),
            end,
        });
    }
    let cursors = recover_cursors(&*disk, &segments)?;
    let shared = Shared::new(disk, options, segments, cursors, end);
    for damage in &recovery.damage {
        shared.report(damage.clone());
    }
    Ok((shared, active, recovery))
}

/// Looks at what is on `disk` and changes nothing: what is torn or damaged is left out. Whoever
/// has the journal open may go on writing; what is complete now can be read.
pub(super) fn view(disk: Arc<dyn Disk>) -> Result<Shared, JournalError> {
    let names = disk.list().map_err(|error| JournalError::io("list", disk.path(""), error))?;
    let mut firsts: Vec<Position> = names.iter().filter_map(|name| parse_file_name(name)).collect();
    firsts.sort_unstable();
    let mut segments: Vec<Arc<Segment>> = Vec::with_capacity(firsts.len());
    for (index, first) in firsts.iter().enumerate() {
        match open_segment(&*disk, *first, index as u64) {
            Ok(segment) => segments.extend(segment.map(Arc::new)),
            // Dropped by retention just now.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    let mut end = Position::default();
    if let Some(last) = segments.last() {
        let walked = disk
            .open(&last.name, false)
            .and_then(|file| {
                walk_segment(&*file, last, None, |offset, head, _| last.mark(head.first, offset))
            })
            .map_err(|error| JournalError::io("read", disk.path(&last.name), error))?;
        last.set_durable(walked.good);
        end = walked.end;
    }
    Ok(Shared::new(disk, JournalOptions::default(), segments, Cursors::default(), end))
}

/// `None` where the head cannot be read.
fn open_segment(
    disk: &dyn Disk,
    first: Position,
    serial: u64,
) -> Result<Option<Segment>, JournalError> {
    let name = super::head::file_name(first);
    let failed = |error| JournalError::io("read", disk.path(&name), error);
    let file = disk.open(&name, false).map_err(failed)?;
    let mut bytes = vec![0; HEAD_BYTES];
    let read = read_full(&*file, &mut bytes, 0).map_err(failed)?;
    match Head::decode(bytes.get(..read).unwrap_or_default()) {
        Ok(head) if head.first == first => {
            let length = file.length().map_err(failed)?;
            Ok(Some(Segment::new(serial, name, head, length)))
        }
        Ok(_) | Err(BadHead::Damaged) => Ok(None),
        Err(BadHead::Version(version)) => {
            Err(JournalError::Newer { path: disk.path(&name), version })
        }
    }
}

/// Renames a segment that cannot be read, so that its name can be used and people can look at it.
fn set_aside(
    disk: &dyn Disk,
    first: Position,
    next: Option<&Position>,
) -> Result<Damage, JournalError> {
    let name = super::head::file_name(first);
    let aside = format!("{name}.damaged");
    disk.rename(&name, &aside)
        .and_then(|()| disk.sync_names())
        .map_err(|error| JournalError::io("rename", disk.path(&name), error))?;
    // How many records the last one had is not known.
    let end = next.copied().unwrap_or_else(|| first.plus(1));
    Ok(Damage { path: disk.path(&aside), offset: 0, first, end })
}

/// Reads the last segment through, cuts its torn tail and makes the rest durable, since nobody
/// knows whether the crash came before or after that. Returns the position after it.
fn open_last(
    disk: &dyn Disk,
    segment: &Arc<Segment>,
    recovery: &mut Recovery,
) -> Result<(Active, Position), JournalError> {
    let failed = |doing, error| JournalError::io(doing, disk.path(&segment.name), error);
    let file = disk.open(&segment.name, true).map_err(|error| failed("open", error))?;
    let walked = walk_segment(&*file, segment, None, |offset, head, _| {
        segment.mark(head.first, offset);
    })
    .map_err(|error| failed("read", error))?;
    let length = segment.durable();
    if walked.good < length {
        file.truncate(walked.good).map_err(|error| failed("cut", error))?;
        recovery.cut = Some(Cut {
            path: disk.path(&segment.name),
            offset: walked.good,
            bytes: length - walked.good,
            batches: walked.torn_batches,
            records: walked.torn_records,
        });
    }
    file.sync().map_err(|error| failed("make durable", error))?;
    segment.set_durable(walked.good);
    let gaps = walked.gaps.into_iter();
    recovery.damage.extend(gaps.map(|gap| gap.damage(disk.path(&segment.name))));
    let active = Active { segment: Arc::clone(segment), file, length: walked.good };
    Ok((active, walked.end))
}

/// Damage in a segment of which all records before `end` should be there.
pub(super) fn check_segment(shared: &Shared, segment: &Segment, end: Position) -> Vec<Damage> {
    let path = || shared.disk.path(&segment.name);
    let walked = shared
        .disk
        .open(&segment.name, false)
        .and_then(|file| walk_segment(&*file, segment, Some(end), |_, _, _| {}));
    match walked {
        Ok(walked) => {
            let missing = (walked.end < end).then(|| Damage {
                path: path(),
                offset: walked.good,
                first: walked.end,
                end,
            });
            walked.gaps.into_iter().map(|gap| gap.damage(path())).chain(missing).collect()
        }
        Err(error) => {
            tracing::error!(%error, segment = segment.name, "journal segment cannot be checked");
            Vec::new()
        }
    }
}

fn walk_segment(
    file: &dyn DiskFile,
    segment: &Segment,
    bound: Option<Position>,
    visit: impl FnMut(u64, &FrameHead, &[u8]),
) -> io::Result<Walk> {
    let scan = Scan { file, salt: segment.head.salt, limit: segment.durable() };
    walk(&scan, segment.head.first, bound, visit)
}

/// The last cursors: from the last segment alone, unless its table is damaged.
fn recover_cursors(disk: &dyn Disk, segments: &[Arc<Segment>]) -> Result<Cursors, JournalError> {
    let mut steps: Vec<Vec<(Arc<Source>, Cursor)>> = Vec::new();
    let mut bound = None;
    for segment in segments.iter().rev() {
        let mut rows = Vec::new();
        let mut raw = Vec::new();
        let mut complete = false;
        disk.open(&segment.name, false)
            .and_then(|file| {
                walk_segment(&*file, segment, bound, |_, head, body| {
                    if unpack(head, body, &mut raw).is_none() {
                        return;
                    }
                    if head.has(TABLE) {
                        let table = decode_table(&raw);
                        complete |= table.is_some();
                        rows.extend(table.unwrap_or_default());
                    } else {
                        rows.extend(batch_cursor(&raw));
                    }
                })
            })
            .map_err(|error| JournalError::io("read", disk.path(&segment.name), error))?;
        steps.push(rows);
        if complete {
            break;
        }
        bound = Some(segment.head.first);
    }
    let mut cursors = Cursors::default();
    for (source, cursor) in steps.into_iter().rev().flatten() {
        cursors.set(&source, cursor);
    }
    Ok(cursors)
}

fn batch_cursor(raw: &[u8]) -> Option<(Arc<Source>, Cursor)> {
    let body = Body::decode(raw)?;
    let cursor = serde_json::from_slice(body.cursor).ok()?;
    let source = serde_json::from_slice(body.source).ok()?;
    Some((Arc::new(source), cursor))
}
