//! Searches for the few bytes that a line has, eight at a time: preparing a wider search costs more
//! than it saves here.

use super::{HIGHS, ONES};

/// Where the first `wanted` stands in `bytes`, eight bytes at a time: for the few bytes that are
/// looked at here, preparing a wider search costs more than it saves.
#[inline]
pub fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    let (eights, tail) = bytes.as_chunks::<8>();
    let pattern = ONES * u64::from(wanted);
    for (index, eight) in eights.iter().enumerate() {
        let differs = u64::from_le_bytes(*eight) ^ pattern;
        // The lowest byte of which the high bit is set is the first that does not differ.
        let same = differs.wrapping_sub(ONES) & !differs & HIGHS;
        if same != 0 {
            return Some(index * 8 + same.trailing_zeros() as usize / 8);
        }
    }
    let at = tail.iter().position(|byte| *byte == wanted)?;
    Some(eights.len() * 8 + at)
}

/// Where the last `wanted` stands in `bytes`.
#[inline]
pub fn rfind(bytes: &[u8], wanted: u8) -> Option<usize> {
    let (front, eights) = bytes.as_rchunks::<8>();
    let pattern = ONES * u64::from(wanted);
    for (index, eight) in eights.iter().enumerate().rev() {
        let differs = u64::from_le_bytes(*eight) ^ pattern;
        // The high bit is set in each byte that does not differ, and in no other.
        let same = !(((differs & !HIGHS) + !HIGHS) | differs) & HIGHS;
        if same != 0 {
            return Some(front.len() + index * 8 + 7 - same.leading_zeros() as usize / 8);
        }
    }
    front.iter().rposition(|byte| *byte == wanted)
}

/// Where the first `wanted` stands, which is short and begins with an ASCII character. Much
/// cheaper than `str::find`, whose searcher costs more than the few bytes that it looks at here.
#[inline]
pub fn find_text(text: &str, wanted: &str) -> Option<usize> {
    let (bytes, wanted) = (text.as_bytes(), wanted.as_bytes());
    let first = *wanted.first()?;
    let mut from = 0;
    loop {
        let at = from + find(bytes.get(from..)?, first)?;
        if bytes.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// What follows `start`, where `text` begins with it.
#[inline]
pub fn after<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    text.as_bytes().starts_with(start.as_bytes()).then(|| text.get(start.len()..))?
}

/// Splits at the first `at`, which is an ASCII character.
#[inline]
pub fn split(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = find(text.as_bytes(), at)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// Splits at the first `at`, which is short and begins with an ASCII character.
#[inline]
pub fn split_at<'t>(text: &'t str, at: &str) -> Option<(&'t str, &'t str)> {
    let place = find_text(text, at)?;
    Some((text.get(..place)?, text.get(place + at.len()..)?))
}

/// Splits at the last `at`, which is an ASCII character.
#[inline]
pub fn rsplit(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = rfind(text.as_bytes(), at)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// Splits at the last `at`, which is short and ends with an ASCII character.
#[inline]
pub fn rsplit_at<'t>(text: &'t str, at: &str) -> Option<(&'t str, &'t str)> {
    let place = rfind_text(text, at)?;
    Some((text.get(..place)?, text.get(place + at.len()..)?))
}

/// Where the last `wanted` stands, which is short and ends with an ASCII character.
#[inline]
pub fn rfind_text(text: &str, wanted: &str) -> Option<usize> {
    let (bytes, wanted) = (text.as_bytes(), wanted.as_bytes());
    let last = *wanted.last()?;
    let mut end = bytes.len();
    loop {
        let head = bytes.get(..end)?;
        let place = rfind(head, last)?;
        if head.get(..=place)?.ends_with(wanted) {
            return Some(place + 1 - wanted.len());
        }
        end = place;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_as_the_standard_library_does() {
        let text = "a from b from  from, \u{fffd}from c\u{80} fro from";
        for cut in 0..text.len() {
            let Some(text) = text.get(cut..) else { continue };
            for wanted in [" from", "from ", "f", " ", ", ", "nothing", "m"] {
                assert_eq!(find_text(text, wanted), text.find(wanted), "{wanted}: {text}");
                assert_eq!(split_at(text, wanted), text.split_once(wanted), "{wanted}: {text}");
                assert_eq!(rsplit_at(text, wanted), text.rsplit_once(wanted), "{wanted}: {text}");
                assert_eq!(after(text, wanted), text.strip_prefix(wanted), "{wanted}: {text}");
            }
            for wanted in [b' ', b'f', b',', b'x'] {
                let expected = text.bytes().position(|byte| byte == wanted);
                assert_eq!(find(text.as_bytes(), wanted), expected, "{wanted}: {text}");
                let expected = text.bytes().rposition(|byte| byte == wanted);
                assert_eq!(rfind(text.as_bytes(), wanted), expected, "{wanted}: {text}");
            }
        }
    }

    #[test]
    fn searches_bytes_of_every_value() {
        for byte in 0..=255_u8 {
            let around = [byte.wrapping_sub(1), byte.wrapping_add(1), byte ^ 0x80, 0, 255];
            for length in 0..20 {
                for at in 0..length {
                    let mut bytes: Vec<u8> = around.iter().copied().cycle().take(length).collect();
                    bytes[at] = byte;
                    let expected = bytes.iter().position(|other| *other == byte);
                    assert_eq!(find(&bytes, byte), expected, "{byte} in {bytes:?}");
                    let expected = bytes.iter().rposition(|other| *other == byte);
                    assert_eq!(rfind(&bytes, byte), expected, "{byte} in {bytes:?}");
                }
            }
        }
    }
}
