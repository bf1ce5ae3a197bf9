//! Reading a segment through, telling a torn tail from rot.

use std::io;
use std::path::PathBuf;

use super::Position;
use super::frame::{DURABLE_BEFORE, FrameHead};
use super::head::HEAD_BYTES;
use super::scan::{Found, Scan, Window};
use super::segment::Damage;

/// Positions that are missing in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) offset: u64,
    pub(super) first: Position,
    pub(super) end: Position,
}

impl Gap {
    pub(super) fn damage(self, path: PathBuf) -> Damage {
        Damage { path, offset: self.offset, first: self.first, end: self.end }
    }
}

/// What reading a segment through has shown.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Bytes up to the torn tail.
    pub(super) good: u64,
    /// The position after the last good frame.
    pub(super) end: Position,
    pub(super) gaps: Vec<Gap>,
    pub(super) torn_batches: u64,
    pub(super) torn_records: u64,
}

/// Visits every good frame (offset, head, body as stored) that starts before `bound`.
pub(super) fn walk(
    scan: &Scan<'_>,
    first: Position,
    bound: Option<Position>,
    mut visit: impl FnMut(u64, &FrameHead, &[u8]),
) -> io::Result<Walk> {
    let mut window = Window::default();
    let mut walked = Walk { good: HEAD_BYTES as u64, end: first, ..Walk::default() };
    let mut bad_from = None;
    loop {
        let offset = walked.good;
        let head = match scan.head(&mut window, offset)? {
            Found::End => break,
            Found::Head(head) => Some(head),
            Found::Bad => None,
        };
        // A frame without records may stand at the bound: it came before the next segment.
        if head.is_some_and(|head| bound.is_some_and(|bound| head.end() > bound)) {
            break;
        }
        let body = match &head {
            Some(head) => scan.body(&mut window, offset, head)?.map(|body| (head, body)),
            None => None,
        };
        let Some((head, body)) = body else {
            let Some(resumed) = rotten(scan, &mut window, &mut walked, head)? else {
                break;
            };
            bad_from.get_or_insert(offset);
            walked.good = resumed;
            continue;
        };
        if head.first > walked.end {
            let gap_offset = bad_from.unwrap_or(offset);
            walked.gaps.push(Gap { offset: gap_offset, first: walked.end, end: head.first });
        }
        bad_from = None;
        visit(offset, head, body);
        walked.good = offset + head.frame_bytes();
        walked.end = head.end().max(walked.end);
    }
    Ok(walked)
}

/// At a bad place: where to go on, if what stands there was durable once; `None` where it is the
/// start of a torn tail, which is counted.
fn rotten(
    scan: &Scan<'_>,
    window: &mut Window,
    walked: &mut Walk,
    head: Option<FrameHead>,
) -> io::Result<Option<u64>> {
    let (mut batches, mut records) = (0, 0);
    let mut count = |head: &FrameHead| {
        batches += 1;
        records += u64::from(head.records);
    };
    if let Some(head) = &head {
        count(head);
    }
    let mut resumed = None;
    let mut from = walked.good;
    while let Some((offset, head)) = scan.resume(window, from, walked.end)? {
        let first = *resumed.get_or_insert(offset);
        if head.has(DURABLE_BEFORE) {
            return Ok(Some(first));
        }
        count(&head);
        from = offset;
    }
    (walked.torn_batches, walked.torn_records) = (batches, records);
    Ok(None)
}
