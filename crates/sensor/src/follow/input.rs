//! Opening what a path leads to, and telling files apart.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::lines::head_fingerprint;
use crate::read::{Compression, decoder};

/// Bytes of a file's beginning by which copies are told from other files with the same first
/// line.
pub(super) const HEAD: usize = 4_096;

/// What the system calls a file. It may call another file so once this one is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    pub device: u64,
    pub inode: u64,
}

impl FileId {
    pub fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// Where a file's bytes come from.
pub(super) enum Input {
    /// A plain file, which may grow and shrink.
    Plain(File),
    /// A compressed copy, which is read through once. Positioned where the lines go on.
    Packed(Box<dyn Read + Send>),
}

/// Opens a regular file. Anything else is refused without waiting for a writer, as a pipe would.
pub(super) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::other("is no regular file"));
    }
    Ok((file, metadata))
}

/// Fills as much of `buffer` as the file has at `offset`.
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read_at(room, offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The first bytes of a file's (decompressed) content, at most [`HEAD`].
pub(super) fn head(file: &File, compression: Compression) -> io::Result<Vec<u8>> {
    let mut head = vec![0; HEAD];
    if compression == Compression::None {
        let count = read_at(file, &mut head, 0)?;
        head.truncate(count);
        return Ok(head);
    }
    head.clear();
    decompressed(file, compression)?.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// A file's content from its beginning.
pub(super) fn decompressed(
    file: &File,
    compression: Compression,
) -> io::Result<Box<dyn Read + Send>> {
    let mut file = file.try_clone()?;
    io::Seek::rewind(&mut file)?;
    decoder(compression, BufReader::new(file))
}

/// The fingerprint of the file's first line, if that line is whole.
pub(super) fn fingerprint(file: &File) -> io::Result<Option<u64>> {
    let mut head = [0; crate::lines::HEAD_BYTES];
    let count = read_at(file, &mut head, 0)?;
    Ok(head_fingerprint(head.get(..count).unwrap_or_default(), false))
}

/// Whether the byte before `offset` ends a line, or `offset` is the beginning.
pub(super) fn begins_line(file: &File, offset: u64) -> io::Result<bool> {
    let Some(before) = offset.checked_sub(1) else { return Ok(true) };
    let mut byte = [0];
    Ok(read_at(file, &mut byte, before)? == 1 && byte == *b"\n")
}

/// Offset of the last line's beginning if it has no end yet, else the file's size.
pub(super) fn end_of_last_line(file: &File, size: u64) -> io::Result<u64> {
    const WINDOW: u64 = 64 * 1024;
    let start = size.saturating_sub(WINDOW);
    let mut window = vec![0; WINDOW as usize];
    let count = read_at(file, &mut window, start)?;
    let window = window.get(..count).unwrap_or_default();
    Ok(match memchr::memrchr(b'\n', window) {
        Some(found) => start + found as u64 + 1,
        None if start == 0 => 0,
        None => size,
    })
}
