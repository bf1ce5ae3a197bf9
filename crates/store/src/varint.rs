//! Numbers in as few bytes as they need: LEB128, zigzag where they have a sign.

/// Appends `number`.
pub(crate) fn put_number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// Appends `number`, whose sign costs one bit.
pub(crate) fn put_signed(to: &mut Vec<u8>, number: i64) {
    put_number(to, ((number << 1) ^ (number >> 63)) as u64);
}

/// Takes a number from the front; `None` where there is none.
pub(crate) fn take_number(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Takes a number with a sign from the front.
pub(crate) fn take_signed(from: &mut &[u8]) -> Option<i64> {
    let number = take_number(from)?;
    Some((number >> 1) as i64 ^ -((number & 1) as i64))
}

/// Takes a length and as many bytes from the front.
pub(crate) fn take_bytes<'b>(from: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(take_number(from)?).ok()?;
    let (bytes, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        for number in [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN] {
            let mut bytes = Vec::new();
            put_signed(&mut bytes, number);
            put_number(&mut bytes, number as u64);
            let mut rest = bytes.as_slice();
            assert_eq!(take_signed(&mut rest), Some(number));
            assert_eq!(take_number(&mut rest), Some(number as u64));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        for mut bytes in [&[0x80][..], &[0xFF; 11], &[3, 1, 2], &[]] {
            assert_eq!(take_bytes(&mut bytes), None);
        }
    }
}
