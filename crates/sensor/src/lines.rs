//! Bytes as they arrive → whole lines, with their offsets.

use std::ops::AddAssign;

use memchr::memchr;
use serde::Serialize;
use vigie_event::fingerprint;

/// The longest line that is kept whole, in bytes. Of longer ones the beginning is kept and the
/// rest is counted as lost.
pub const MAX_LINE: usize = 16 * 1024 * 1024;

/// Bytes of the first line that its fingerprint covers.
const FINGERPRINT_BYTES: usize = 1_024;

/// Bytes of a file's head that always suffice for its fingerprint: the line and its terminator.
pub(crate) const HEAD_BYTES: usize = FINGERPRINT_BYTES + 2;

/// What could not be kept of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// Lines over [`MAX_LINE`], of which only the beginning was kept.
    pub cut_lines: u64,
    /// Bytes that those lines lost.
    pub cut_bytes: u64,
    /// Times that a file which had not been read to its end was gone, so that an unknown number
    /// of lines is missing.
    pub gaps: u64,
    /// Records of a Windows event log file, or whole chunks of it, that are damaged.
    pub damaged: u64,
}

impl Lost {
    /// Whether nothing was lost.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for Lost {
    fn add_assign(&mut self, other: Self) {
        self.cut_lines += other.cut_lines;
        self.damaged += other.damaged;
        self.cut_bytes += other.cut_bytes;
        self.gaps += other.gaps;
    }
}

/// `line` without its end, `\n` or `\r\n`.
pub(crate) fn without_terminator(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The fingerprint of the first line of a file that begins with `head`; `None` while the line has
/// neither ended nor reached the length that the fingerprint covers. `complete`: nothing follows
/// `head`.
pub(crate) fn head_fingerprint(head: &[u8], complete: bool) -> Option<u64> {
    let head = head.get(..HEAD_BYTES).unwrap_or(head);
    if let Some(end) = memchr(b'\n', head) {
        return Some(line_fingerprint(without_terminator(head.get(..end).unwrap_or(head))));
    }
    (complete || head.len() == HEAD_BYTES).then(|| line_fingerprint(without_terminator(head)))
}

/// The fingerprint of a first line, given without its end.
pub(crate) fn line_fingerprint(line: &[u8]) -> u64 {
    fingerprint(line.get(..FINGERPRINT_BYTES).unwrap_or(line))
}

/// One whole line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'l> {
    /// Offset of its first byte.
    pub offset: u64,
    /// Offset of the first byte after its end.
    pub end: u64,
    /// Its bytes, without the line's end.
    pub bytes: &'l [u8],
}

/// Cuts a stream of chunks into lines and holds the unfinished last one, at most [`MAX_LINE`]
/// bytes of it.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pending: Vec<u8>,
    start: u64,
    dropped: u64,
    lost: Lost,
}

/// Memory that an idle source may keep for its next unfinished line, in bytes.
const IDLE_CAPACITY: usize = 64 * 1024;

impl Lines {
    /// Lines of a stream of which the next byte has this offset.
    pub fn at(offset: u64) -> Self {
        Self { start: offset, ..Self::default() }
    }

    /// Offset of the first byte that belongs to no whole line yet.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Offset of the next byte to push.
    pub fn position(&self) -> u64 {
        self.start + self.pending.len() as u64 + self.dropped
    }

    /// What was lost since the last call.
    pub fn take_lost(&mut self) -> Lost {
        std::mem::take(&mut self.lost)
    }

    /// Takes the next bytes and hands each line that they complete to `emit`.
    pub fn push(&mut self, mut chunk: &[u8], mut emit: impl FnMut(Line<'_>)) {
        if self.position() > self.start {
            let Some(end) = memchr(b'\n', chunk) else {
                self.hold(chunk);
                return;
            };
            let (rest_of_line, rest) = chunk.split_at(end + 1);
            self.hold(rest_of_line);
            self.emit_held(1, &mut emit);
            chunk = rest;
        }
        while let Some(end) = memchr(b'\n', chunk) {
            let (line, rest) = chunk.split_at(end + 1);
            if line.len() > MAX_LINE {
                self.hold(line);
                self.emit_held(1, &mut emit);
            } else {
                let end = self.start + line.len() as u64;
                emit(Line { offset: self.start, end, bytes: without_terminator(line) });
                self.start = end;
            }
            chunk = rest;
        }
        self.hold(chunk);
    }

    /// Hands out the last line, which no line end will follow.
    pub fn finish(&mut self, mut emit: impl FnMut(Line<'_>)) {
        self.emit_held(0, &mut emit);
    }

    /// `terminator`: bytes of the line's end, whose dropping is no loss.
    fn emit_held(&mut self, terminator: u64, emit: &mut impl FnMut(Line<'_>)) {
        let end = self.position();
        if end == self.start {
            return;
        }
        let cut = self.dropped.saturating_sub(terminator);
        if cut > 0 {
            self.lost.cut_lines += 1;
            self.lost.cut_bytes += cut;
        }
        emit(Line { offset: self.start, end, bytes: without_terminator(&self.pending) });
        self.start = end;
        self.dropped = 0;
        self.pending.clear();
        self.pending.shrink_to(IDLE_CAPACITY);
    }

    fn hold(&mut self, bytes: &[u8]) {
        let room = MAX_LINE - self.pending.len().min(MAX_LINE);
        let (kept, dropped) = bytes.split_at(room.min(bytes.len()));
        self.pending.extend_from_slice(kept);
        self.dropped += dropped.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(chunks: &[&[u8]]) -> (Vec<(u64, u64, Vec<u8>)>, Lost) {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        for chunk in chunks {
            lines.push(chunk, |line| out.push((line.offset, line.end, line.bytes.to_vec())));
        }
        lines.finish(|line| out.push((line.offset, line.end, line.bytes.to_vec())));
        (out, lines.take_lost())
    }

    fn naive(text: &[u8]) -> Vec<(u64, u64, Vec<u8>)> {
        let mut out = Vec::new();
        let mut offset = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let end = offset + line.len() as u64;
            out.push((offset, end, without_terminator(line).to_vec()));
            offset = end;
        }
        out
    }

    proptest! {
        #[test]
        fn cuts_like_the_naive_oracle(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200),
            cuts in proptest::collection::vec(0usize..200, 0..6),
        ) {
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let chunks: Vec<_> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            let (lines, lost) = run(&chunks);
            prop_assert_eq!(lines, naive(&text));
            prop_assert!(lost.is_nothing());
        }
    }

    #[test]
    fn keeps_16_mib_whole_and_counts_what_it_cuts() {
        let whole = vec![b'a'; MAX_LINE - 1];
        let (lines, lost) = run(&[&whole, b"\n"]);
        assert_eq!(lines, [(0, MAX_LINE as u64, whole)]);
        assert!(lost.is_nothing());

        let long = vec![b'b'; MAX_LINE + 5_000];
        for chunks in [&[&long[..], b"\nnext\n"][..], &[&[&long[..], b"\nnext\n"].concat()[..]]] {
            let (lines, lost) = run(chunks);
            let end = long.len() as u64 + 1;
            assert_eq!(lines[0].1, end);
            assert_eq!(lines[0].2.len(), MAX_LINE);
            assert_eq!(lines[1], (end, end + 5, b"next".to_vec()));
            assert_eq!((lost.cut_lines, lost.cut_bytes), (1, 5_000));
        }
    }

    #[test]
    fn fingerprints_the_first_line_alone() {
        let long = [b'x'; 2_000];
        for (head, complete, expected) in [
            (&b"one\ntwo"[..], false, Some(fingerprint(b"one"))),
            (b"one\r\ntwo", false, Some(fingerprint(b"one"))),
            (b"one", false, None),
            (b"one", true, Some(fingerprint(b"one"))),
            (b"", false, None),
            (&long[..1_025], false, None),
            (&long[..], false, Some(fingerprint(&long[..1_024]))),
            (&[&long[..1_024], b"\r\n"].concat(), false, Some(fingerprint(&long[..1_024]))),
        ] {
            assert_eq!(head_fingerprint(head, complete), expected);
        }
    }
}
