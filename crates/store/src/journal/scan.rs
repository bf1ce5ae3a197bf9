//! Walking over the frames of a segment.

use std::io;

use rustix::io::Errno;

use super::Position;
use super::disk::{DiskFile, read_full};
use super::frame::{FRAME_HEAD_BYTES, FRAME_MAGIC, FrameHead};

/// Read at once.
const CHUNK: usize = 256 * 1024;
/// Read at once where the disk has bad places.
const PAGE: u64 = 4096;

/// A part of a file in memory.
#[derive(Default)]
pub(super) struct Window {
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// `length` bytes at `offset`, reading ahead but never past `limit`; `None` where `limit` or
    /// the file's end comes first.
    pub(super) fn get(
        &mut self,
        file: &dyn DiskFile,
        offset: u64,
        length: usize,
        limit: u64,
    ) -> io::Result<Option<&[u8]>> {
        if offset.checked_add(length as u64).is_none_or(|end| end > limit) {
            return Ok(None);
        }
        if self.slice(offset, length).is_none() {
            let ahead = usize::try_from(limit - offset).unwrap_or(usize::MAX).min(CHUNK);
            self.fill(file, offset, length.max(ahead))?;
        }
        Ok(self.slice(offset, length))
    }

    fn slice(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let start = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        self.bytes.get(start..start.checked_add(length)?)
    }

    fn fill(&mut self, file: &dyn DiskFile, offset: u64, length: usize) -> io::Result<()> {
        self.bytes.clear();
        self.bytes.shrink_to(length.max(CHUNK));
        self.bytes.resize(length, 0);
        self.start = offset;
        let read = read_full(file, &mut self.bytes, offset).or_else(|error| {
            if error.raw_os_error() == Some(Errno::IO.raw_os_error()) {
                return self.salvage(file, offset);
            }
            Err(error)
        });
        self.bytes.truncate(*read.as_ref().unwrap_or(&0));
        read.map(|_| ())
    }

    /// Reads page by page. Pages that the disk cannot read any more are left as zeros, which no
    /// checksum fits: so they count as rotten, and what stands around them is read.
    fn salvage(&mut self, file: &dyn DiskFile, offset: u64) -> io::Result<usize> {
        let length = file.length()?.saturating_sub(offset);
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(self.bytes.len());
        self.bytes.fill(0);
        let mut at = 0;
        while at < length {
            let next = ((offset + at as u64) / PAGE + 1) * PAGE - offset;
            let next = usize::try_from(next).unwrap_or(length).min(length);
            if let Some(page) = self.bytes.get_mut(at..next)
                && read_full(file, page, offset + at as u64).is_err()
            {
                page.fill(0);
            }
            at = next;
        }
        Ok(length)
    }
}

/// What stands at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A frame's head. The body has not been looked at.
    Head(FrameHead),
    /// Nothing: this is the end.
    End,
    /// Something that is no frame.
    Bad,
}

/// The frames of one segment up to `limit`.
pub(super) struct Scan<'f> {
    pub(super) file: &'f dyn DiskFile,
    pub(super) salt: u32,
    pub(super) limit: u64,
}

impl Scan<'_> {
    /// What stands at `offset`.
    pub(super) fn head(&self, window: &mut Window, offset: u64) -> io::Result<Found> {
        if offset >= self.limit {
            return Ok(Found::End);
        }
        let Some(bytes) = window.get(self.file, offset, FRAME_HEAD_BYTES, self.limit)? else {
            return Ok(Found::Bad);
        };
        let head = FrameHead::decode(bytes, self.salt)
            .filter(|head| offset.saturating_add(head.frame_bytes()) <= self.limit);
        Ok(head.map_or(Found::Bad, Found::Head))
    }

    /// The body of the frame at `offset`; `None` where it is not as it was written.
    pub(super) fn body<'w>(
        &self,
        window: &'w mut Window,
        offset: u64,
        head: &FrameHead,
    ) -> io::Result<Option<&'w [u8]>> {
        let at = offset + FRAME_HEAD_BYTES as u64;
        let body = window.get(self.file, at, head.body_bytes as usize, self.limit)?;
        Ok(body.filter(|body| head.fits(body, self.salt)))
    }

    /// The first whole frame after the bad place at `offset` that starts at `from` or later.
    pub(super) fn resume(
        &self,
        window: &mut Window,
        offset: u64,
        from: Position,
    ) -> io::Result<Option<(u64, FrameHead)>> {
        let mut at = offset.saturating_add(1);
        while let Some(found) = self.find_magic(window, at)? {
            if let Found::Head(head) = self.head(window, found)?
                && head.first >= from
                && self.body(window, found, &head)?.is_some()
            {
                return Ok(Some((found, head)));
            }
            at = found + 1;
        }
        Ok(None)
    }

    fn find_magic(&self, window: &mut Window, mut at: u64) -> io::Result<Option<u64>> {
        while at < self.limit {
            let length = (self.limit - at).min(CHUNK as u64) as usize;
            let Some(bytes) = window.get(self.file, at, length, self.limit)? else {
                return Ok(None);
            };
            if let Some(index) = bytes.windows(FRAME_MAGIC.len()).position(|w| w == FRAME_MAGIC) {
                return Ok(Some(at + index as u64));
            }
            if length < CHUNK {
                return Ok(None);
            }
            at += (length - (FRAME_MAGIC.len() - 1)) as u64;
        }
        Ok(None)
    }
}
