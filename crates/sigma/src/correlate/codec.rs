//! Bytes of a snapshot: variable-length integers (seven bits a byte, least first; signed ones
//! zigzagged), 16 raw bytes for event ids, and texts with their length in front.

use super::SnapshotError;

#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub fn signed(&mut self, number: i64) {
        self.number((number << 1 ^ number >> 63) as u64);
    }

    pub fn wide(&mut self, number: u128) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub fn fixed(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

#[derive(Debug)]
pub(super) struct Reader<'r> {
    bytes: &'r [u8],
    at: usize,
}

impl<'r> Reader<'r> {
    pub fn new(bytes: &'r [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn damaged(&self) -> SnapshotError {
        SnapshotError::Damaged(self.at)
    }

    pub fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub fn take(&mut self, count: usize) -> Result<&'r [u8], SnapshotError> {
        let end = self.at.checked_add(count).ok_or_else(|| self.damaged())?;
        let taken = self.bytes.get(self.at..end).ok_or_else(|| self.damaged())?;
        self.at = end;
        Ok(taken)
    }

    pub fn byte(&mut self) -> Result<u8, SnapshotError> {
        self.take(1).map(|bytes| bytes.first().copied().unwrap_or_default())
    }

    pub fn number(&mut self) -> Result<u64, SnapshotError> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.damaged())
    }

    /// A count of things that take at least one byte each, so it is bounded by what is left.
    pub fn count(&mut self) -> Result<usize, SnapshotError> {
        let count = usize::try_from(self.number()?).map_err(|_| self.damaged())?;
        if count > self.bytes.len() - self.at { Err(self.damaged()) } else { Ok(count) }
    }

    pub fn small(&mut self) -> Result<u32, SnapshotError> {
        u32::try_from(self.number()?).map_err(|_| self.damaged())
    }

    pub fn signed(&mut self) -> Result<i64, SnapshotError> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub fn wide(&mut self) -> Result<u128, SnapshotError> {
        let damaged = self.damaged();
        let bytes = self.take(16)?.try_into().map_err(|_| damaged)?;
        Ok(u128::from_le_bytes(bytes))
    }

    pub fn fixed(&mut self) -> Result<u64, SnapshotError> {
        let damaged = self.damaged();
        let bytes = self.take(8)?.try_into().map_err(|_| damaged)?;
        Ok(u64::from_le_bytes(bytes))
    }

    pub fn raw(&mut self) -> Result<&'r [u8], SnapshotError> {
        let length = self.count()?;
        self.take(length)
    }

    pub fn text(&mut self) -> Result<&'r str, SnapshotError> {
        let damaged = self.damaged();
        std::str::from_utf8(self.raw()?).map_err(|_| damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        let numbers = [0, 1, 0x7F, 0x80, 0x3FFF, 0x4000, u64::MAX - 1, u64::MAX];
        let signed = [0, 1, -1, i64::MIN, i64::MAX, -300];
        let mut writer = Writer::default();
        for number in numbers {
            writer.number(number);
        }
        for number in signed {
            writer.signed(number);
        }
        writer.wide(u128::MAX - 5);
        writer.text("é");
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes);
        for number in numbers {
            assert_eq!(reader.number(), Ok(number));
        }
        for number in signed {
            assert_eq!(reader.signed(), Ok(number));
        }
        assert_eq!(reader.wide(), Ok(u128::MAX - 5));
        assert_eq!(reader.text(), Ok("é"));
        assert!(reader.is_empty());
    }

    #[test]
    fn damage_is_an_error() {
        assert!(Reader::new(&[0x80; 11]).number().is_err());
        assert!(Reader::new(&[0xFF; 10]).number().is_err());
        assert!(Reader::new(&[5, b'a']).text().is_err());
        assert!(Reader::new(&[2, 0xC3, 0x28]).text().is_err());
        assert!(Reader::new(&[1; 7]).fixed().is_err());
        assert!(Reader::new(&[0xFF, 0xFF, 0xFF, 0x7F]).count().is_err());
    }
}
