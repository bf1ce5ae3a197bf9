//! A lending iterator over the records of one finished file.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memchr::{memchr, memrchr};
use vigie_event::{Clock, Format, RecordRef, Source, SourceKind, Timestamp};

use super::compression::{Compression, MAGIC_BYTES, decoder};
use super::error::ReadError;
use super::evtx::{self, EvtxLines};
use crate::lines::{HEAD_BYTES, Lost, MAX_LINE, head_fingerprint, without_terminator};

/// Bytes asked of the file or decompressor at a time.
const CHUNK: usize = 64 * 1024;
/// Bytes of lines that are looked at together whether they are text; what stands after them is not
/// kept from it by a byte among them that is none.
const TOGETHER: usize = 2_000;
/// The largest Windows event log that is read from a pipe or decompressed, in bytes.
const MOST_EVTX: u64 = 1 << 30;
/// The source's name where standard input is read.
const STDIN: &str = "-";

/// Reads a finished file record by record, in the manner of an iterator that lends its items:
/// nothing is allocated for a line.
///
/// A record is a line without its end (`\n` or `\r\n`), also the last one without an end, also an
/// empty one. Its offset is that of its first byte in the decompressed stream. Of a Windows event
/// log file (EVTX) a record is an event as one JSON object.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    source: Arc<Source>,
    observed: Timestamp,
    compression: Compression,
    input: Input,
    size: Option<u64>,
    taken: Arc<AtomicU64>,
    buffer: Vec<u8>,
    /// Where in `buffer` the next record begins, up to where it has been searched for a line's
    /// end, and where the filled part ends.
    start: usize,
    searched: usize,
    filled: usize,
    /// A copy of whole lines in `buffer` that are known to be text, how far it has been handed out,
    /// and up to where in `buffer` it has been looked for such lines.
    text: String,
    taken_text: usize,
    checked: usize,
    /// Offset of `buffer[start]` in the decompressed stream.
    offset: u64,
    ended: bool,
    error: Option<ReadError>,
    lost: Lost,
    damaged: Arc<AtomicU64>,
}

/// Where a line stands in the buffer, without its end, and its offset in the stream.
struct Line {
    start: usize,
    end: usize,
    offset: u64,
}

/// A `Read` without a useful `Debug`.
struct Input(Box<dyn Read + Send>);

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Input")
    }
}

/// The first bytes of `input`, fewer where it ends before.
fn head(input: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(length);
    input.take(length as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// An error that belongs behind what was read before it.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Counts the bytes that pass.
struct Counted<R>(R, Arc<AtomicU64>);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Reader {
    /// Opens the file at `path`, or standard input where it is `-`. A finished file counts as
    /// observed when it was last modified, standard input when it was opened.
    ///
    /// # Errors
    /// The file is missing, may not be read or is a directory. Damaged data shows in
    /// [`Reader::next`].
    pub fn open(path: &Path, format: Option<Format>, clock: &dyn Clock) -> Result<Self, ReadError> {
        if path.as_os_str() == STDIN {
            let (kind, now) = (SourceKind::Stdin, clock.now());
            return Self::new(path, kind, io::stdin(), format, now, None, Arc::default());
        }
        let opening = |error| ReadError::opening(path, error);
        let mut file = File::open(path).map_err(opening)?;
        let metadata = file.metadata().map_err(opening)?;
        if metadata.is_dir() {
            return Err(ReadError::Directory { path: path.to_owned() });
        }
        let modified =
            metadata.modified().ok().and_then(|time| jiff::Timestamp::try_from(time).ok());
        let observed = modified.map_or_else(|| clock.now(), Timestamp::from);
        let (kind, damaged) = (SourceKind::File, Arc::default());
        if !metadata.is_file() {
            return Self::new(path, kind, file, format, observed, None, damaged);
        }
        let begin = head(&mut file, evtx::MAGIC.len()).map_err(opening)?;
        file.rewind().map_err(opening)?;
        if begin == evtx::MAGIC {
            let file = BufReader::with_capacity(CHUNK, file);
            let lines = EvtxLines::open(file, Arc::clone(&damaged))
                .map_err(|error| ReadError::header(path, error))?;
            return Self::new(path, kind, lines, format, observed, None, damaged);
        }
        Self::new(path, kind, file, format, observed, Some(metadata.len()), damaged)
    }

    fn new(
        path: &Path,
        kind: SourceKind,
        input: impl Read + Send + 'static,
        format: Option<Format>,
        observed: Timestamp,
        size: Option<u64>,
        damaged: Arc<AtomicU64>,
    ) -> Result<Self, ReadError> {
        let opening = |error| ReadError::opening(path, error);
        let taken = Arc::new(AtomicU64::new(0));
        let mut input = Counted(input, Arc::clone(&taken));
        let magic = head(&mut input, MAGIC_BYTES).map_err(opening)?;
        let compression = Compression::of(&magic);
        let input = Cursor::new(magic).chain(input);
        let mut input: Box<dyn Read + Send> = match compression {
            // A buffer more would only cost a copy.
            Compression::None => Box::new(input),
            _ => decoder(compression, BufReader::with_capacity(CHUNK, input)).map_err(opening)?,
        };
        let mut begin = Vec::with_capacity(evtx::MAGIC.len());
        let failed = (&mut input).take(evtx::MAGIC.len() as u64).read_to_end(&mut begin).err();
        input = if begin == evtx::MAGIC {
            // From a pipe, or compressed: the format jumps about, so it is taken in whole.
            let mut whole = begin;
            input.take(MOST_EVTX).read_to_end(&mut whole).map_err(opening)?;
            let lines = EvtxLines::open(Cursor::new(whole), Arc::clone(&damaged));
            Box::new(lines.map_err(|error| ReadError::header(path, error))?)
        } else {
            Box::new(Cursor::new(begin).chain(Failed(failed)).chain(input))
        };
        let mut reader = Self {
            path: path.to_owned(),
            source: Source::file("", 0, format),
            observed,
            compression,
            input: Input(input),
            size,
            taken,
            buffer: vec![0; CHUNK],
            start: 0,
            searched: 0,
            filled: 0,
            text: String::new(),
            taken_text: 0,
            checked: 0,
            offset: 0,
            ended: false,
            error: None,
            lost: Lost::default(),
            damaged,
        };
        let fingerprint = reader.first_fingerprint();
        let name = path.to_string_lossy().into_owned();
        reader.source = Arc::new(Source { kind, name, fingerprint, format });
        Ok(reader)
    }

    /// The file's records come from here.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// How the file is compressed.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Bytes taken from the file so far, and its size where it is known, for progress.
    pub fn progress(&self) -> (u64, Option<u64>) {
        (self.taken.load(Ordering::Relaxed), self.size)
    }

    /// What was lost so far: the ends of lines over [`MAX_LINE`], damaged records of Windows event
    /// logs.
    pub fn lost(&self) -> Lost {
        Lost { damaged: self.damaged.load(Ordering::Relaxed), ..self.lost }
    }

    /// The next record, or `None` at the end.
    ///
    /// # Errors
    /// The data is damaged or cannot be read on. Everything before the damage has been handed
    /// out by then; after the error there is nothing more.
    // An iterator cannot lend what it owns.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<RecordRef<'_>>, ReadError> {
        self.text.clear();
        self.taken_text = 0;
        let Some(line) = self.next_line()? else { return Ok(None) };
        let bytes = self.buffer.get(line.start..line.end).unwrap_or_default();
        let (source, offset, observed) = (&self.source, line.offset, self.observed);
        Ok(Some(RecordRef { source, offset, observed, bytes }))
    }

    /// The next record, and its bytes as text where they are known to be that: lines that were read
    /// together are looked at together, which costs less.
    ///
    /// # Errors
    /// As [`Reader::next`].
    #[inline]
    pub fn next_text(&mut self) -> Result<Option<(RecordRef<'_>, Option<&str>)>, ReadError> {
        if self.taken_text == self.text.len() && self.start >= self.checked {
            self.look_ahead();
        }
        let lines = self.text.as_bytes().get(self.taken_text..).unwrap_or_default();
        let Some(found) = memchr(b'\n', lines) else {
            return Ok(self.next()?.map(|record| (record, None)));
        };
        let line = self.text.get(self.taken_text..self.taken_text + found).unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        let (offset, length) = (self.offset, found + 1);
        self.taken_text += length;
        self.start += length;
        self.searched = self.start;
        self.offset += length as u64;
        let (source, observed, bytes) = (&self.source, self.observed, line.as_bytes());
        Ok(Some((RecordRef { source, offset, observed, bytes }, Some(line))))
    }

    /// Takes the next whole lines together, where they are text.
    #[cold]
    fn look_ahead(&mut self) {
        self.text.clear();
        self.taken_text = 0;
        let most = self.filled.min(self.start + TOGETHER);
        let read = self.buffer.get(self.start..most).unwrap_or_default();
        let whole = memrchr(b'\n', read).map_or(0, |last| last + 1);
        self.checked = self.start + whole;
        let lines = read.get(..whole).unwrap_or_default();
        if let Ok(text) = simdutf8::basic::from_utf8(lines) {
            self.text.push_str(text);
        }
    }

    /// The next line, or `None` at the end.
    #[inline]
    fn next_line(&mut self) -> Result<Option<Line>, ReadError> {
        let end = loop {
            let unsearched = self.buffer.get(self.searched..self.filled).unwrap_or_default();
            if let Some(found) = memchr(b'\n', unsearched) {
                let end = self.searched + found + 1;
                if end - self.start > MAX_LINE + 1 {
                    return Ok(Some(self.cut_line()));
                }
                break end;
            }
            self.searched = self.filled;
            if self.filled - self.start > MAX_LINE {
                return Ok(Some(self.cut_line()));
            }
            if self.ended {
                if self.start == self.filled {
                    return self.error.take().map_or(Ok(None), Err);
                }
                break self.filled;
            }
            self.fill();
        };
        let (start, offset) = (self.start, self.offset);
        self.start = end;
        self.searched = end;
        self.offset += (end - start) as u64;
        let line = self.buffer.get(start..end).unwrap_or_default();
        Ok(Some(Line { start, end: start + without_terminator(line).len(), offset }))
    }

    /// Hands out the beginning of a line that is too long, after skipping its rest.
    fn cut_line(&mut self) -> Line {
        self.compact();
        let offset = self.offset;
        let kept = MAX_LINE;
        let mut length = MAX_LINE as u64;
        // The beginning stays where it is; what follows passes through the room behind it.
        loop {
            let tail = self.buffer.get(kept..self.filled).unwrap_or_default();
            if let Some(found) = memchr(b'\n', tail) {
                let rest = kept + found + 1;
                length += found as u64 + 1;
                let cut = length - 1 - MAX_LINE as u64;
                return self.lend_cut(offset, length, cut, rest);
            }
            length += tail.len() as u64;
            self.filled = kept;
            if self.ended {
                return self.lend_cut(offset, length, length - MAX_LINE as u64, kept);
            }
            self.read_more();
        }
    }

    fn lend_cut(&mut self, offset: u64, length: u64, cut: u64, next: usize) -> Line {
        if cut > 0 {
            self.lost.cut_lines += 1;
            self.lost.cut_bytes += cut;
        }
        self.offset += length;
        self.start = next;
        self.searched = next;
        Line { start: 0, end: MAX_LINE, offset }
    }

    /// Makes room and reads on.
    fn fill(&mut self) {
        self.compact();
        if self.filled + CHUNK / 2 > self.buffer.len() {
            // Doubling keeps a long line's cost linear; the bound is a line and a chunk.
            let length = (self.buffer.len() * 2).min(MAX_LINE + 2 * CHUNK);
            self.buffer.resize(length, 0);
        }
        self.read_more();
    }

    /// Moves what has not been handed out to the buffer's beginning.
    fn compact(&mut self) {
        self.text.clear();
        (self.taken_text, self.checked) = (0, 0);
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.searched -= self.start;
            self.start = 0;
        }
    }

    fn read_more(&mut self) {
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        match self.input.0.read(room) {
            Ok(0) => self.ended = true,
            Ok(count) => self.filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.ended = true;
                self.error = Some(self.failed(error));
            }
        }
    }

    fn failed(&self, error: io::Error) -> ReadError {
        let path = self.path.clone();
        let offset = self.taken.load(Ordering::Relaxed);
        if error.kind() == io::ErrorKind::IsADirectory {
            return ReadError::Directory { path };
        }
        match self.compression {
            Compression::None => ReadError::Io { path, offset, error },
            compression => {
                let delivered = self.offset + (self.filled - self.start) as u64;
                ReadError::Corrupt { path, compression, offset, delivered, error }
            }
        }
    }

    /// Reads until the first line's fingerprint is known.
    fn first_fingerprint(&mut self) -> u64 {
        loop {
            let head = self.buffer.get(..self.filled.min(HEAD_BYTES)).unwrap_or_default();
            if let Some(fingerprint) = head_fingerprint(head, self.ended) {
                return fingerprint;
            }
            self.read_more();
        }
    }
}

#[cfg(test)]
mod tests;
