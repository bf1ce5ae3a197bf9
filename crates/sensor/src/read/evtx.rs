//! Windows event log files (EVTX) as text: one JSON object a line, in the form of `evtx_dump`,
//! `{"Event": {"System": {…}, "EventData": {…}}}`.
//!
//! A chunk of 64 KiB is decoded at a time. What is damaged in it is counted and skipped; the
//! chunks after it are read.

use std::io::{self, Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use evtx::{EvtxParser, IntoIterChunks, ParserSettings};

/// How such a file begins.
pub(crate) const MAGIC: &[u8] = b"ElfFile\0";

/// The lines of a Windows event log file.
pub(crate) struct EvtxLines<R: Read + Seek> {
    chunks: IntoIterChunks<R>,
    settings: Arc<ParserSettings>,
    ready: Vec<u8>,
    taken: usize,
    damaged: Arc<AtomicU64>,
}

impl<R: Read + Seek> EvtxLines<R> {
    /// Reads the file's header. Damaged records are counted in `damaged`.
    ///
    /// # Errors
    /// The header cannot be read or is damaged.
    pub(crate) fn open(input: R, damaged: Arc<AtomicU64>) -> io::Result<Self> {
        let settings = ParserSettings::new().num_threads(1).indent(false);
        let parser = EvtxParser::from_read_seek(input).map_err(|error| first_cause(&error))?;
        let chunks = parser.with_configuration(settings.clone()).into_chunks();
        Ok(Self { chunks, settings: Arc::new(settings), ready: Vec::new(), taken: 0, damaged })
    }

    /// Decodes the next chunk that holds anything. Whether there was one.
    fn decode(&mut self) -> bool {
        self.ready.clear();
        self.taken = 0;
        while self.ready.is_empty() {
            let Some(chunk) = self.chunks.next() else {
                return false;
            };
            let mut damaged = 0;
            if let Ok(mut data) = chunk
                && let Ok(mut chunk) = data.parse(Arc::clone(&self.settings))
            {
                for record in chunk.iter() {
                    match record.and_then(evtx::EvtxRecord::into_json_bytes) {
                        Ok(record) => {
                            self.ready.extend_from_slice(&record.data);
                            self.ready.push(b'\n');
                        }
                        Err(_) => damaged += 1,
                    }
                }
            } else {
                damaged += 1;
            }
            self.damaged.fetch_add(damaged, Ordering::Relaxed);
        }
        true
    }
}

/// The innermost cause of the decoder's error: the outer ones only say that there is one.
fn first_cause(error: &evtx::err::EvtxError) -> io::Error {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    io::Error::other(cause.to_string())
}

impl<R: Read + Seek> Read for EvtxLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready.len() && !self.decode() {
            return Ok(0);
        }
        let mut rest = self.ready.get(self.taken..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}
