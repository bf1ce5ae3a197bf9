//! One open file: which bytes are new, and are they still those of the file that we began?

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Instant;

use vigie_event::{Cursor, Format, Source, Timestamp};

use super::hole;
use super::input::{self, FileId, Input};
use crate::batch::Batcher;
use crate::lines::{Line, Lines, Lost, line_fingerprint};

/// Bytes read at a time.
pub(super) const CHUNK: usize = 64 * 1024;
/// Bytes before the position that are read again and compared with each read. Whoever truncates
/// a file and writes it anew past the position will hardly write the same bytes there.
pub(super) const ANCHOR: usize = 256;

/// What reading on led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// There may be more at once.
    More,
    /// Everything has been read.
    End,
    /// The file no longer holds what had been read of it.
    Truncated,
}

/// How the records of a file are named.
pub(super) struct Naming<'n> {
    pub name: &'n str,
    pub format: Option<Format>,
    pub observed: Timestamp,
}

/// One open file and how far it has been read.
pub(super) struct Tail {
    pub id: FileId,
    pub input: Input,
    /// The file's name for its records, once its first line is whole.
    pub source: Option<Arc<Source>>,
    /// Nothing will be written any more: to be closed at its end.
    pub complete: bool,
    /// When it last had something new.
    pub grown: Instant,
    lines: Lines,
    anchor: Vec<u8>,
    in_hole: bool,
}

impl Tail {
    /// A file to be read from its beginning.
    pub fn new(id: FileId, input: Input) -> Self {
        Self {
            id,
            input,
            source: None,
            complete: false,
            grown: Instant::now(),
            lines: Lines::default(),
            anchor: Vec::new(),
            in_hole: false,
        }
    }

    /// A plain file to be read from `offset`, where a line begins.
    pub fn plain_at(
        id: FileId,
        file: File,
        offset: u64,
        source: Option<Arc<Source>>,
    ) -> io::Result<Self> {
        let anchored = offset.min(ANCHOR as u64);
        let mut anchor = vec![0; anchored as usize];
        let count = input::read_at(&file, &mut anchor, offset - anchored)?;
        anchor.truncate(count);
        let mut tail = Self::new(id, Input::Plain(file));
        tail.lines = Lines::at(offset);
        tail.anchor = anchor;
        tail.source = source;
        Ok(tail)
    }

    /// A compressed copy of which the bytes before `offset` have been taken already.
    pub fn packed_at(
        id: FileId,
        reader: Box<dyn Read + Send>,
        offset: u64,
        source: Option<Arc<Source>>,
    ) -> Self {
        let mut tail = Self::new(id, Input::Packed(reader));
        tail.lines = Lines::at(offset);
        tail.source = source;
        tail.complete = true;
        tail
    }

    /// The copy of a truncated file takes over what the file had: its unfinished line too.
    pub fn take_over(&mut self, id: FileId, input: Input) -> Self {
        let mut copy = Self::new(id, input);
        copy.lines = std::mem::take(&mut self.lines);
        copy.anchor = std::mem::take(&mut self.anchor);
        copy.source = self.source.take();
        copy.complete = true;
        copy
    }

    /// Offset of the next byte to read.
    pub fn position(&self) -> u64 {
        self.lines.position()
    }

    /// Offset after the last whole line.
    pub fn consumed(&self) -> u64 {
        self.lines.start()
    }

    /// The bytes before [`Tail::position`], at most [`ANCHOR`].
    pub fn anchor(&self) -> &[u8] {
        &self.anchor
    }

    /// The fingerprint of the first line, once it is known.
    pub fn fingerprint(&self) -> Option<u64> {
        self.source.as_ref().map(|source| source.fingerprint)
    }

    /// The size of a plain file now.
    pub fn size(&self) -> u64 {
        match &self.input {
            Input::Plain(file) => file.metadata().map_or(0, |metadata| metadata.len()),
            Input::Packed(_) => u64::MAX,
        }
    }

    /// What was lost since the last call.
    pub fn take_lost(&mut self) -> Lost {
        self.lines.take_lost()
    }

    /// Reads the next bytes, up to offset `limit`, and hands whole lines to `batcher`.
    pub fn read(
        &mut self,
        limit: u64,
        scratch: &mut [u8],
        naming: &Naming<'_>,
        batcher: &mut Batcher,
    ) -> io::Result<Progress> {
        let wanted = limit.saturating_sub(self.position()).min(CHUNK as u64) as usize;
        let (position, known) = (self.position(), self.fingerprint());
        let fresh = match &mut self.input {
            Input::Plain(file) => {
                // The order counts: once the head has been seen unchanged, the anchor, which comes
                // with the new bytes, proves that they continue the old ones.
                let file = &*file;
                if known.is_some() && input::fingerprint(file)? != known {
                    return Ok(Progress::Truncated);
                }
                let anchored = self.anchor.len();
                let room = scratch.get_mut(..anchored + wanted).unwrap_or_default();
                let count = input::read_at(file, room, position - anchored as u64)?;
                let read = scratch.get(..count).unwrap_or_default();
                let Some(fresh) = read.strip_prefix(&*self.anchor) else {
                    return Ok(Progress::Truncated);
                };
                fresh
            }
            Input::Packed(reader) => {
                let room = scratch.get_mut(..wanted).unwrap_or_default();
                let count = loop {
                    match reader.read(room) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        result => break result?,
                    }
                };
                scratch.get(..count).unwrap_or_default()
            }
        };
        if fresh.is_empty() {
            return Ok(Progress::End);
        }
        self.grown = Instant::now();
        let count = fresh.len();
        if self.position() == 0 && hole::begins(fresh) {
            self.in_hole = true;
            let fingerprint = line_fingerprint(fresh);
            self.source = Some(Source::file(naming.name, fingerprint, naming.format));
        }
        let mut fresh = fresh;
        if self.in_hole {
            let zeros = hole::zeros(fresh);
            fresh = fresh.get(zeros..).unwrap_or_default();
            self.in_hole = fresh.is_empty();
            let mut offset = self.position() + zeros as u64;
            if let (true, Input::Plain(file)) = (self.in_hole, &self.input) {
                offset = hole::next_data(file, offset);
            }
            self.lines = Lines::at(offset);
            self.anchor = vec![0; offset.min(ANCHOR as u64) as usize];
        }
        remember(&mut self.anchor, fresh);
        let (source, id) = (&mut self.source, self.id);
        self.lines.push(fresh, |line| deliver(line, source, id, naming, batcher));
        // A short read is the end for now.
        let packed = matches!(self.input, Input::Packed(_));
        Ok(if packed || count == wanted { Progress::More } else { Progress::End })
    }

    /// Hands out the last line, which will get no end any more.
    pub fn finish(&mut self, naming: &Naming<'_>, batcher: &mut Batcher) {
        let (source, id) = (&mut self.source, self.id);
        self.lines.finish(|line| deliver(line, source, id, naming, batcher));
    }

    /// Begins again, after the file has been truncated.
    pub fn restart(&mut self) {
        self.lines = Lines::default();
        self.anchor.clear();
        self.in_hole = false;
        self.source = None;
        self.grown = Instant::now();
    }
}

/// Keeps the last [`ANCHOR`] bytes read.
fn remember(anchor: &mut Vec<u8>, fresh: &[u8]) {
    if let Some(tail) = fresh.len().checked_sub(ANCHOR).and_then(|start| fresh.get(start..)) {
        anchor.clear();
        anchor.extend_from_slice(tail);
        return;
    }
    let excess = (anchor.len() + fresh.len()).saturating_sub(ANCHOR);
    anchor.drain(..excess.min(anchor.len()));
    anchor.extend_from_slice(fresh);
}

fn deliver(
    line: Line<'_>,
    source: &mut Option<Arc<Source>>,
    id: FileId,
    naming: &Naming<'_>,
    batcher: &mut Batcher,
) {
    // Reading from the middle, the source is known from the start: so this is the first line.
    let source = source.get_or_insert_with(|| {
        Source::file(naming.name, line_fingerprint(line.bytes), naming.format)
    });
    let cursor = Cursor::File {
        fingerprint: source.fingerprint,
        device: id.device,
        inode: id.inode,
        offset: line.end,
    };
    batcher.push(source, line.offset, naming.observed, line.bytes, Some(cursor));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_anchor_is_the_last_bytes_read() {
        let text: Vec<u8> = (0..4_000u32).map(|n| (n * 7 % 251) as u8).collect();
        for step in [1, 7, 100, 255, 256, 257, 1_000] {
            let mut anchor = Vec::new();
            let mut end = 0;
            for chunk in text.chunks(step) {
                remember(&mut anchor, chunk);
                end += chunk.len();
                assert_eq!(anchor, text[end.saturating_sub(ANCHOR)..end], "{step}");
            }
        }
    }
}
