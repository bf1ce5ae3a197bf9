//! Frames: a batch or a table of cursors with its head and checksums.

use std::sync::Arc;

use vigie_event::{Batch, Cursor, RecordRef, Source, Timestamp};

use super::{JournalError, Position};
use crate::varint::{put_number, put_signed, take_bytes, take_signed};

/// Bytes of a frame's head.
pub(super) const FRAME_HEAD_BYTES: usize = 36;
/// What a frame starts with.
pub(super) const FRAME_MAGIC: [u8; 4] = *b"VJB1";

/// The body is zstd.
pub(super) const COMPRESSED: u8 = 1;
/// The body is a table of cursors.
pub(super) const TABLE: u8 = 2;
/// All before the frame was durable when it was written.
pub(super) const DURABLE_BEFORE: u8 = 4;

/// Smaller bodies are not worth a compressor's time.
const COMPRESS_FROM: usize = 4096;
const ZSTD_LEVEL: i32 = 1;
/// The largest body that is believed, in bytes before compression.
const MAX_BODY: usize = 2 << 30;

/// What stands before a frame's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHead {
    pub(super) body_bytes: u32,
    pub(super) first: Position,
    pub(super) records: u32,
    pub(super) raw_bytes: u32,
    pub(super) flags: u8,
    pub(super) body_sum: u32,
}

impl FrameHead {
    fn encode(&self, salt: u32) -> [u8; FRAME_HEAD_BYTES] {
        let mut head = [0; FRAME_HEAD_BYTES];
        let fields: [&[u8]; 7] = [
            &FRAME_MAGIC,
            &self.body_bytes.to_le_bytes(),
            &self.first.0.to_le_bytes(),
            &self.records.to_le_bytes(),
            &self.raw_bytes.to_le_bytes(),
            &[self.flags, 0, 0, 0],
            &self.body_sum.to_le_bytes(),
        ];
        let (content, sum) = head.split_at_mut(FRAME_HEAD_BYTES - 4);
        let bytes = fields.into_iter().flatten();
        content.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        sum.copy_from_slice(&checksum(salt, content).to_le_bytes());
        head
    }

    /// Reads a head; `None` where there is none.
    pub(super) fn decode(bytes: &[u8], salt: u32) -> Option<Self> {
        let (content, rest) = bytes.split_at_checked(FRAME_HEAD_BYTES - 4)?;
        let fields = content.strip_prefix(&FRAME_MAGIC)?;
        if checksum(salt, content).to_le_bytes() != *rest.first_chunk::<4>()? {
            return None;
        }
        let (body_bytes, fields) = fields.split_first_chunk()?;
        let (first, fields) = fields.split_first_chunk()?;
        let (records, fields) = fields.split_first_chunk()?;
        let (raw_bytes, fields) = fields.split_first_chunk()?;
        let (flags, fields) = fields.split_first_chunk::<4>()?;
        let (body_sum, _) = fields.split_first_chunk()?;
        Some(Self {
            body_bytes: u32::from_le_bytes(*body_bytes),
            first: Position(u64::from_le_bytes(*first)),
            records: u32::from_le_bytes(*records),
            raw_bytes: u32::from_le_bytes(*raw_bytes),
            flags: flags[0],
            body_sum: u32::from_le_bytes(*body_sum),
        })
    }

    /// The position after the frame.
    pub(super) fn end(&self) -> Position {
        self.first.plus(u64::from(self.records))
    }

    /// Bytes of head and body.
    pub(super) fn frame_bytes(&self) -> u64 {
        FRAME_HEAD_BYTES as u64 + u64::from(self.body_bytes)
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether `body` is the one that was written.
    pub(super) fn fits(&self, body: &[u8], salt: u32) -> bool {
        body.len() == self.body_bytes as usize && checksum(salt, body) == self.body_sum
    }
}

fn checksum(salt: u32, bytes: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new_with_initial(salt);
    sum.update(bytes);
    sum.finalize()
}

/// Writes frames behind each other.
pub(super) struct FrameWriter {
    /// The frames.
    pub(super) bytes: Vec<u8>,
    packed: Vec<u8>,
    compressor: Option<zstd::bulk::Compressor<'static>>,
}

impl FrameWriter {
    pub(super) fn new() -> Self {
        // Without a compressor (no memory for it) bodies stay as they are.
        let compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL).ok();
        Self { bytes: Vec::new(), packed: Vec::new(), compressor }
    }

    /// Forgets the frames, and memory beyond `keep` bytes.
    pub(super) fn clear(&mut self, keep: usize) {
        self.bytes.clear();
        self.bytes.shrink_to(keep);
        self.packed.shrink_to(keep);
    }

    /// Adds `batch` as the frame that starts at `first`. Nothing is added on an error.
    pub(super) fn batch(
        &mut self,
        batch: &Batch,
        first: Position,
        flags: u8,
        salt: u32,
        compress: bool,
    ) -> Result<(), JournalError> {
        let records = u32::try_from(batch.records.len())
            .ok()
            .filter(|records| first.0.checked_add(u64::from(*records)).is_some())
            .ok_or(JournalError::Exhausted(first))?;
        let source = json(&*batch.source)?;
        let cursor = batch.cursor.as_ref().map(json).transpose()?.unwrap_or_default();
        let start = self.open();
        for part in [&source, &cursor] {
            put_number(&mut self.bytes, part.len() as u64);
            self.bytes.extend_from_slice(part);
        }
        let (mut offset, mut observed) = (0_u64, 0_i64);
        for record in &batch.records {
            put_signed(&mut self.bytes, record.offset.wrapping_sub(offset) as i64);
            put_signed(&mut self.bytes, record.observed.nanos().wrapping_sub(observed));
            put_number(&mut self.bytes, record.bytes.len() as u64);
            self.bytes.extend_from_slice(&record.bytes);
            (offset, observed) = (record.offset, record.observed.nanos());
        }
        self.close(start, first, records, flags, salt, compress)
    }

    /// Adds a table of cursors.
    pub(super) fn table(
        &mut self,
        cursors: &[(Arc<Source>, Cursor)],
        first: Position,
        salt: u32,
    ) -> Result<(), JournalError> {
        let rows: Vec<_> = cursors.iter().map(|(source, cursor)| (&**source, cursor)).collect();
        let table = json(&rows)?;
        let start = self.open();
        self.bytes.extend_from_slice(&table);
        self.close(start, first, 0, TABLE | DURABLE_BEFORE, salt, true)
    }

    fn open(&mut self) -> usize {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; FRAME_HEAD_BYTES]);
        start
    }

    fn close(
        &mut self,
        start: usize,
        first: Position,
        records: u32,
        mut flags: u8,
        salt: u32,
        compress: bool,
    ) -> Result<(), JournalError> {
        let body_at = start + FRAME_HEAD_BYTES;
        let raw_bytes = self.bytes.len() - body_at;
        if raw_bytes > MAX_BODY {
            self.bytes.truncate(start);
            return Err(JournalError::TooLarge { bytes: raw_bytes, limit: MAX_BODY });
        }
        if compress && raw_bytes > COMPRESS_FROM && self.pack(body_at) {
            self.bytes.truncate(body_at);
            self.bytes.extend_from_slice(&self.packed);
            flags |= COMPRESSED;
        }
        let body = self.bytes.get(body_at..).unwrap_or_default();
        let head = FrameHead {
            body_bytes: body.len() as u32,
            first,
            records,
            raw_bytes: raw_bytes as u32,
            flags,
            body_sum: checksum(salt, body),
        };
        if let Some(place) = self.bytes.get_mut(start..body_at) {
            place.copy_from_slice(&head.encode(salt));
        }
        Ok(())
    }

    /// Compresses the body into `packed`; whether it got smaller.
    fn pack(&mut self, body_at: usize) -> bool {
        let (Some(compressor), Some(body)) = (&mut self.compressor, self.bytes.get(body_at..))
        else {
            return false;
        };
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(body.len()));
        compressor.compress_to_buffer(body, &mut self.packed).is_ok()
            && self.packed.len() < body.len()
    }
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, JournalError> {
    serde_json::to_vec(value).map_err(|error| JournalError::Encode(error.to_string()))
}

/// Puts the body as it was before compression into `raw`; `None` where it cannot be.
pub(super) fn unpack(head: &FrameHead, body: &[u8], raw: &mut Vec<u8>) -> Option<()> {
    raw.clear();
    if !head.has(COMPRESSED) {
        raw.extend_from_slice(body);
        return Some(());
    }
    let size = head.raw_bytes as usize;
    if size > MAX_BODY {
        return None;
    }
    raw.reserve(size);
    let written = zstd::zstd_safe::decompress(raw, body).ok()?;
    (written == size).then_some(())
}

/// The rows of a table of cursors.
pub(super) fn decode_table(raw: &[u8]) -> Option<Vec<(Arc<Source>, Cursor)>> {
    let rows: Vec<(Source, Cursor)> = serde_json::from_slice(raw).ok()?;
    Some(rows.into_iter().map(|(source, cursor)| (Arc::new(source), cursor)).collect())
}

/// A batch's body, taken apart without copying.
pub(super) struct Body<'b> {
    /// JSON of the source.
    pub(super) source: &'b [u8],
    /// JSON of the cursor; empty: none.
    pub(super) cursor: &'b [u8],
    /// The records.
    pub(super) records: &'b [u8],
}

impl<'b> Body<'b> {
    pub(super) fn decode(mut raw: &'b [u8]) -> Option<Self> {
        let source = take_bytes(&mut raw)?;
        let cursor = take_bytes(&mut raw)?;
        Some(Self { source, cursor, records: raw })
    }
}

/// The records of a batch, borrowed from its body.
#[derive(Clone, Debug)]
pub(super) struct Records<'b> {
    rest: &'b [u8],
    left: u32,
    source: &'b Arc<Source>,
    offset: u64,
    observed: i64,
}

impl<'b> Records<'b> {
    pub(super) fn new(bytes: &'b [u8], count: u32, source: &'b Arc<Source>) -> Self {
        Self { rest: bytes, left: count, source, offset: 0, observed: 0 }
    }

    fn take(&mut self) -> Option<RecordRef<'b>> {
        self.offset = self.offset.wrapping_add(take_signed(&mut self.rest)? as u64);
        self.observed = self.observed.wrapping_add(take_signed(&mut self.rest)?);
        let bytes = take_bytes(&mut self.rest)?;
        Some(RecordRef {
            source: self.source,
            offset: self.offset,
            observed: Timestamp::from_nanos(self.observed),
            bytes,
        })
    }
}

impl<'b> Iterator for Records<'b> {
    type Item = RecordRef<'b>;

    fn next(&mut self) -> Option<RecordRef<'b>> {
        self.left = self.left.checked_sub(1)?;
        self.take()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left as usize))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vigie_event::{Record, SourceKind};

    use super::*;

    fn round_trip(batch: &Batch, compress: bool) -> Batch {
        let mut frames = FrameWriter::new();
        frames.batch(batch, Position(9), DURABLE_BEFORE, 5, compress).unwrap();
        let head = FrameHead::decode(&frames.bytes, 5).unwrap();
        assert_eq!(FrameHead::decode(&frames.bytes, 6), None);
        assert_eq!(head.frame_bytes(), frames.bytes.len() as u64);
        assert_eq!(head.end(), Position(9 + batch.records.len() as u64));
        let body = &frames.bytes[FRAME_HEAD_BYTES..];
        assert!(head.fits(body, 5));
        let mut raw = Vec::new();
        unpack(&head, body, &mut raw).unwrap();
        let body = Body::decode(&raw).unwrap();
        let source = Arc::new(serde_json::from_slice::<Source>(body.source).unwrap());
        let records = Records::new(body.records, head.records, &source)
            .map(|record| Record {
                source: Arc::clone(record.source),
                offset: record.offset,
                observed: record.observed,
                bytes: record.bytes.to_vec(),
            })
            .collect();
        let cursor = match body.cursor {
            [] => None,
            cursor => Some(serde_json::from_slice(cursor).unwrap()),
        };
        Batch { source: Arc::clone(&source), cursor, records }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            records in prop::collection::vec(
                (any::<u64>(), any::<i64>(), prop::collection::vec(any::<u8>(), 0..300)),
                0..40,
            ),
            compress in any::<bool>(),
            sequence in prop::option::of(any::<u64>()),
        ) {
            let source = Source::named(SourceKind::Http, "näme \"1\"", None);
            let records = records
                .into_iter()
                .map(|(offset, observed, bytes)| Record {
                    source: Arc::clone(&source),
                    offset,
                    observed: Timestamp::from_nanos(observed),
                    bytes,
                })
                .collect();
            let cursor = sequence.map(|number| Cursor::Sequence { number });
            let batch = Batch { source, cursor, records };
            prop_assert_eq!(round_trip(&batch, compress), batch);
        }

        #[test]
        fn any_bytes_are_refused_or_read(raw in prop::collection::vec(any::<u8>(), 0..200)) {
            let source = Source::named(SourceKind::Http, "a", None);
            if let Some(body) = Body::decode(&raw) {
                let read: usize =
                    Records::new(body.records, 50, &source).map(|record| record.bytes.len()).sum();
                prop_assert!(read <= raw.len());
            }
        }
    }

    #[test]
    fn long_batches_of_like_lines_are_compressed() {
        let source = Source::named(SourceKind::Http, "a", None);
        let record = Record {
            source: Arc::clone(&source),
            offset: 0,
            observed: Timestamp::default(),
            bytes: vec![b'x'; 300],
        };
        let batch = Batch { source, cursor: None, records: vec![record; 100] };
        let mut frames = FrameWriter::new();
        frames.batch(&batch, Position(0), 0, 0, true).unwrap();
        assert!(frames.bytes.len() < 3_000);
        assert_eq!(round_trip(&batch, true), batch);
    }
}
