//! Times as logs write them. Reading is arithmetic on bytes.

mod clockwork;

pub use clockwork::Clockwork;

use vigie_event::Timestamp;

const SECOND: i64 = 1_000_000_000;

/// A date and time of the clock on the wall, with `year` 0 where none was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wall {
    pub year: i16,
    pub month: i8,
    pub day: i8,
    pub hour: i8,
    pub minute: i8,
    /// 0–60; a leap second counts as the next minute's first.
    pub second: i8,
    pub nanos: i32,
}

/// A time as it was written: on the wall, or with its offset from UTC in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Local time.
    Local(Wall),
    /// Time with an offset.
    Offset(Wall, i32),
}

/// Reads along bytes.
#[derive(Clone, Copy)]
struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    fn digit(&mut self) -> Option<i8> {
        let byte = self.peek()?;
        byte.is_ascii_digit().then(|| {
            self.at += 1;
            (byte - b'0') as i8
        })
    }

    fn two(&mut self) -> Option<i8> {
        Some(self.digit()? * 10 + self.digit()?)
    }

    fn four(&mut self) -> Option<i16> {
        Some(i16::from(self.two()?) * 100 + i16::from(self.two()?))
    }

    fn month_name(&mut self) -> Option<i8> {
        let month = month_of(*self.bytes.get(self.at..)?.first_chunk()?)?;
        self.at += 3;
        Some(month)
    }

    /// `hh:mm:ss` and a fraction after a point or a comma.
    fn time_of_day(&mut self, wall: &mut Wall) -> Option<()> {
        wall.hour = self.two()?;
        self.skip(b':')?;
        wall.minute = self.two()?;
        self.skip(b':')?;
        wall.second = self.two()?;
        if wall.hour > 23 || wall.minute > 59 || wall.second > 60 {
            return None;
        }
        if matches!(self.peek(), Some(b'.' | b','))
            && self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit)
        {
            self.at += 1;
            let mut scale = 100_000_000;
            while let Some(digit) = self.digit() {
                wall.nanos += i32::from(digit) * scale;
                scale /= 10;
            }
        }
        Some(())
    }

    /// `Z`, `±hh:mm`, `±hhmm` or `±hh`, in seconds east of UTC.
    fn offset(&mut self) -> Option<i32> {
        let sign = match self.peek()? {
            b'Z' | b'z' => {
                self.at += 1;
                return Some(0);
            }
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let start = self.at;
        self.at += 1;
        let Some(hours) = self.two() else {
            self.at = start;
            return None;
        };
        if self.peek() == Some(b':') {
            self.at += 1;
        }
        let minutes = self.two().unwrap_or(0);
        Some(sign * (i32::from(hours) * 3_600 + i32::from(minutes) * 60))
    }

    fn day(&mut self) -> Option<i8> {
        let first = self.digit()?;
        Some(self.digit().map_or(first, |second| first * 10 + second))
    }

    fn year_ahead(&self) -> bool {
        let year = self.bytes.get(self.at..self.at + 4);
        year.is_some_and(|year| {
            year.iter().all(u8::is_ascii_digit)
                && (year.starts_with(b"19") || year.starts_with(b"20"))
        }) && self.bytes.get(self.at + 4).is_none_or(|next| *next == b' ')
    }

    fn weekday(&mut self) {
        let name = self.bytes.get(self.at..self.at + 3);
        if matches!(name, Some(b"Mon" | b"Tue" | b"Wed" | b"Thu" | b"Fri" | b"Sat" | b"Sun")) {
            let at = self.at + 3;
            match self.bytes.get(at) {
                Some(b' ') => self.at = at + 1,
                Some(b',') if self.bytes.get(at + 1) == Some(&b' ') => self.at = at + 2,
                _ => {}
            }
        }
    }
}

/// Bytes of a time in the form of RFC 3164.
const PLAIN: usize = 15;

/// `Jan  2 03:04:05 ` and no year behind it: what nearly every line begins with, at a third of
/// the cost. `None`: some other form, if any.
fn plain(bytes: &[u8]) -> Option<Wall> {
    let [a, b, c, b' ', d1, d2, b' ', h1, h2, b':', m1, m2, b':', s1, s2, b' ', next] =
        *bytes.first_chunk()?
    else {
        return None;
    };
    if next == b' ' || next.is_ascii_digit() {
        return None;
    }
    let day = if d1 == b' ' { b'0' } else { d1 };
    let wall = Wall {
        year: 0,
        month: month_of([a, b, c])?,
        day: two(day, d2)?,
        hour: two(h1, h2)?,
        minute: two(m1, m2)?,
        second: two(s1, s2)?,
        nanos: 0,
    };
    (wall.hour < 24 && wall.minute < 60 && wall.second < 61).then_some(wall)
}

/// The number that two digits make.
#[inline]
fn two(high: u8, low: u8) -> Option<i8> {
    let digits = high.is_ascii_digit() && low.is_ascii_digit();
    digits.then(|| ((high - b'0') * 10 + low - b'0') as i8)
}

fn month_of(name: [u8; 3]) -> Option<i8> {
    Some(match &name {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    })
}

/// A time at the start of `text` as syslog writes it, and its length in bytes:
/// `Jan  2 03:04:05`, `Jan 2 2024 03:04:05.678`, `Tue Jan  2 03:04:05 2024`,
/// `2024 Jan  2 03:04:05`.
pub fn month_first(text: &str) -> Option<(Written, usize)> {
    if let Some(wall) = plain(text.as_bytes()) {
        return Some((Written::Local(wall), PLAIN));
    }
    let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
    let mut wall = Wall::default();
    reader.weekday();
    if reader.year_ahead() {
        wall.year = reader.four()?;
        reader.spaces();
    }
    wall.month = reader.month_name()?;
    reader.skip(b' ')?;
    reader.spaces();
    wall.day = reader.day()?;
    reader.skip(b' ')?;
    reader.spaces();
    if wall.year == 0 && reader.year_ahead() {
        wall.year = reader.four()?;
        reader.spaces();
    }
    reader.time_of_day(&mut wall)?;
    let mut ahead = reader;
    ahead.spaces();
    if wall.year == 0 && ahead.at > reader.at && ahead.year_ahead() {
        wall.year = ahead.four()?;
        reader = ahead;
    }
    let mut ahead = reader;
    ahead.spaces();
    if let Some(offset) = ahead.offset()
        && wall.year != 0
        && ahead.peek().is_none_or(|next| next == b' ')
    {
        return Some((Written::Offset(wall, offset), ahead.at));
    }
    Some((Written::Local(wall), reader.at))
}

/// A time at the start of `text` as ISO 8601 and RFC 3339 have it, and its length in bytes:
/// `2024-01-02T03:04:05.678+01:00`, `2024-01-02 03:04:05,678`, `2024/01/02 03:04:05`.
pub fn iso(text: &str) -> Option<(Written, usize)> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
    let mut wall = Wall { year: reader.four()?, ..Wall::default() };
    let separator = reader.peek().filter(|byte| matches!(byte, b'-' | b'/'))?;
    reader.skip(separator)?;
    wall.month = reader.two()?;
    reader.skip(separator)?;
    wall.day = reader.two()?;
    if wall.year == 0 || !matches!(reader.peek(), Some(b'T' | b't' | b' ')) {
        return None;
    }
    reader.at += 1;
    reader.time_of_day(&mut wall)?;
    let mut ahead = reader;
    if ahead.peek() == Some(b' ') {
        ahead.at += 1;
    }
    // After a space only a whole `+hhmm` is an offset: a host may be called `-1`.
    let written = ahead.offset().filter(|_| {
        ahead.peek().is_none_or(|next| !next.is_ascii_alphanumeric())
            && (ahead.at >= reader.at + 6 || reader.peek() != Some(b' '))
    });
    match written {
        Some(offset) => Some((Written::Offset(wall, offset), ahead.at)),
        None => Some((Written::Local(wall), reader.at)),
    }
}

/// `26/Dec/2016:16:16:28 +0200`, as nearly every access log has it. `None`: some other form, if
/// any.
fn plain_access(bytes: &[u8]) -> Option<Written> {
    let [
        d1,
        d2,
        b'/',
        a,
        b,
        c,
        b'/',
        y1,
        y2,
        y3,
        y4,
        b':',
        h1,
        h2,
        b':',
        m1,
        m2,
        b':',
        s1,
        s2,
        b' ',
        sign @ (b'+' | b'-'),
        o1,
        o2,
        o3,
        o4,
    ] = *bytes.first_chunk()?
    else {
        return None;
    };
    let wall = Wall {
        year: i16::from(two(y1, y2)?) * 100 + i16::from(two(y3, y4)?),
        month: month_of([a, b, c])?,
        day: two(d1, d2)?,
        hour: two(h1, h2)?,
        minute: two(m1, m2)?,
        second: two(s1, s2)?,
        nanos: 0,
    };
    let offset = i32::from(two(o1, o2)?) * 3_600 + i32::from(two(o3, o4)?) * 60;
    let offset = if sign == b'-' { -offset } else { offset };
    (wall.hour < 24 && wall.minute < 60 && wall.second < 61)
        .then_some(Written::Offset(wall, offset))
}

/// The time in brackets of access logs, such as `26/Dec/2016:16:16:28 +0200`, in full.
pub fn access(text: &str) -> Option<Written> {
    if let Some(written) = plain_access(text.as_bytes()) {
        return Some(written);
    }
    let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
    let mut wall = Wall { day: reader.two()?, ..Wall::default() };
    reader.skip(b'/')?;
    wall.month = reader.month_name()?;
    reader.skip(b'/')?;
    wall.year = reader.four()?;
    reader.skip(b':')?;
    reader.time_of_day(&mut wall)?;
    reader.spaces();
    match reader.offset() {
        Some(offset) => Some(Written::Offset(wall, offset)),
        None => Some(Written::Local(wall)),
    }
}

/// An instant in seconds, milliseconds, microseconds or nanoseconds since the epoch; which, its
/// size tells: seconds reach the year 5138, milliseconds begin in 1973.
pub fn epoch(number: f64) -> Option<Timestamp> {
    let scale = match number.abs() {
        n if !n.is_finite() || n < 1e8 => return None,
        n if n < 1e11 => 1e9,
        n if n < 1e14 => 1e6,
        n if n < 1e17 => 1e3,
        n if n < 9.2e18 => 1.0,
        _ => return None,
    };
    // Whole and fraction apart, and the fraction to the microsecond: a double holds 53 bits, which
    // is where its precision ends for times of our days.
    let whole = number.trunc();
    let fraction = ((number - whole) * scale / 1e3).round() as i64 * 1_000;
    (whole as i64).checked_mul(scale as i64)?.checked_add(fraction).map(Timestamp::from_nanos)
}

/// The same of a whole number, exactly.
pub fn epoch_integer(number: i64) -> Option<Timestamp> {
    let scale = match number.unsigned_abs() {
        n if n < 100_000_000 => return None,
        n if n < 100_000_000_000 => SECOND,
        n if n < 100_000_000_000_000 => 1_000_000,
        n if n < 100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    number.checked_mul(scale).map(Timestamp::from_nanos)
}

#[cfg(test)]
mod tests;
