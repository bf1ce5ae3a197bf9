//! Compressed streams, recognised by their first bytes.

use std::fmt;
use std::io::{self, BufRead, Read};

use liblzma::stream::{CONCATENATED, Stream};

/// Memory that one xz stream may ask for, in bytes; `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 128 * 1024 * 1024;
/// Binary logarithm of the largest zstd window; `zstd --long` needs 27.
const ZSTD_WINDOW: u32 = 27;

/// Bytes of a file's head that tell how it is compressed.
pub(crate) const MAGIC_BYTES: usize = 10;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
}

impl Compression {
    /// How a file that begins with `head` is compressed.
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            // The level alone could begin a line of text; a block's or the end's mark cannot.
            [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
                if rest.starts_with(&[0x31, 0x41, 0x59, 0x26, 0x53, 0x59])
                    || rest.starts_with(&[0x17, 0x72, 0x45, 0x38, 0x50, 0x90]) =>
            {
                Self::Bzip2
            }
            _ => Self::None,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        })
    }
}

/// What `input` holds, decompressed where its first bytes say that it is compressed.
///
/// # Errors
/// The first bytes cannot be read. Reading on fails where the stream is damaged.
pub fn unpacked<'i>(mut input: impl BufRead + Send + 'i) -> io::Result<Box<dyn Read + Send + 'i>> {
    let mut head = Vec::with_capacity(MAGIC_BYTES);
    input.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut head)?;
    let compression = Compression::of(&head);
    decoder(compression, io::Cursor::new(head).chain(input))
}

/// Decompresses `input`, all of its members one after the other.
pub(crate) fn decoder<'i>(
    compression: Compression,
    input: impl BufRead + Send + 'i,
) -> io::Result<Box<dyn Read + Send + 'i>> {
    Ok(match compression {
        Compression::None => Box::new(input),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            Box::new(decoder)
        }
        Compression::Xz => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(input, stream))
        }
    })
}
