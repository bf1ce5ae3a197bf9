//! A segment's name and head.

use vigie_event::Timestamp;

use super::Position;

/// Bytes before the first frame.
pub(super) const HEAD_BYTES: usize = 1024;
const COPY_AT: usize = 512;
const MAGIC: &[u8; 8] = b"VGJOURNL";
const VERSION: u32 = 1;
const SUFFIX: &str = ".segment";

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) first: Position,
    pub(super) created: Timestamp,
    pub(super) salt: u32,
}

/// Why a head cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadHead {
    /// Neither copy is whole.
    Damaged,
    /// Another version of the format.
    Version(u32),
}

impl Head {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut copy = Vec::with_capacity(HEAD_BYTES);
        copy.extend_from_slice(MAGIC);
        copy.extend_from_slice(&VERSION.to_le_bytes());
        copy.extend_from_slice(&self.salt.to_le_bytes());
        copy.extend_from_slice(&self.first.0.to_le_bytes());
        copy.extend_from_slice(&self.created.nanos().to_le_bytes());
        let sum = crc32fast::hash(&copy);
        copy.extend_from_slice(&sum.to_le_bytes());
        let mut head = copy.clone();
        head.resize(COPY_AT, 0);
        head.extend_from_slice(&copy);
        head.resize(HEAD_BYTES, 0);
        head
    }

    /// Reads the first whole copy.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadHead> {
        let copies = [bytes, bytes.get(COPY_AT..).unwrap_or_default()];
        copies.into_iter().find_map(Self::decode_copy).unwrap_or(Err(BadHead::Damaged))
    }

    fn decode_copy(bytes: &[u8]) -> Option<Result<Self, BadHead>> {
        let (content, rest) = bytes.split_at_checked(32)?;
        let (sum, _) = rest.split_first_chunk()?;
        let (magic, fields) = content.split_first_chunk::<8>()?;
        if magic != MAGIC || crc32fast::hash(content) != u32::from_le_bytes(*sum) {
            return None;
        }
        let (version, fields) = fields.split_first_chunk()?;
        let (salt, fields) = fields.split_first_chunk()?;
        let (first, fields) = fields.split_first_chunk()?;
        let (created, _) = fields.split_first_chunk()?;
        let version = u32::from_le_bytes(*version);
        if version != VERSION {
            return Some(Err(BadHead::Version(version)));
        }
        Some(Ok(Self {
            first: Position(u64::from_le_bytes(*first)),
            created: Timestamp::from_nanos(i64::from_le_bytes(*created)),
            salt: u32::from_le_bytes(*salt),
        }))
    }
}

/// The name of the segment that starts at `first`.
pub(super) fn file_name(first: Position) -> String {
    format!("{:016x}{SUFFIX}", first.0)
}

/// The position in a segment's name; `None` for other files.
pub(super) fn parse_file_name(name: &str) -> Option<Position> {
    let digits = name.strip_suffix(SUFFIX)?;
    let plain =
        digits.len() == 16 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !plain {
        return None;
    }
    u64::from_str_radix(digits, 16).ok().map(Position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_copy_is_enough() {
        let head =
            Head { first: Position(77), created: Timestamp::from_seconds(5), salt: 0xDEAD_BEEF };
        let bytes = head.encode();
        assert_eq!(bytes.len(), HEAD_BYTES);
        assert_eq!(Head::decode(&bytes), Ok(head));
        for broken in [0, COPY_AT] {
            let mut bytes = bytes.clone();
            bytes[broken + 17] ^= 1;
            assert_eq!(Head::decode(&bytes), Ok(head));
            bytes[COPY_AT - broken + 20] ^= 1;
            assert_eq!(Head::decode(&bytes), Err(BadHead::Damaged));
        }
        assert_eq!(Head::decode(&bytes[..20]), Err(BadHead::Damaged));
    }

    #[test]
    fn names_are_positions() {
        for (name, expected) in [
            ("00000000000186a0.segment", Some(Position(100_000))),
            ("00000000000186A0.segment", None),
            ("+0000000000186a0.segment", None),
            ("186a0.segment", None),
            ("00000000000186a0.segment.new", None),
            ("lock", None),
        ] {
            assert_eq!(parse_file_name(name), expected, "{name}");
        }
        assert_eq!(file_name(Position(100_000)), "00000000000186a0.segment");
    }
}
