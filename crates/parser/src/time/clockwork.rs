//! From a written time to the instant that it means.
//!
//! The time zone is asked once an hour of local time, since its answer holds for the hour (all
//! offsets in use change on the hour). Lines that begin with one date and hour, byte for byte, have
//! them read once.

use jiff::civil;
use jiff::tz::TimeZone;
use vigie_event::{Timestamp, days_of};

use super::{SECOND, Wall, Written, plain, two};
use crate::text;

const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
/// How far back a time without a year is looked for; 29 February may be eight years away.
const YEARS_BACK: i16 = 9;

/// Turns written times into instants.
#[derive(Debug)]
pub struct Clockwork {
    zone: TimeZone,
    /// Year, month, day and hour of the last local time, and the instant at which it began.
    hour: (i16, i8, i8, i8),
    hour_start: i64,
    /// Month, day and hour of the last time without a year, the instant at which that hour began
    /// in the year chosen, and in the year after.
    yearless: (i8, i8, i8),
    yearless_start: i64,
    yearless_next: i64,
    stamp: Stamp,
    dated: Dated,
    /// Year, month and day of the last time with an offset, in days since 1970.
    day: (i16, i8, i8),
    days: i64,
}

/// Bytes of `Jan  2 03:`.
const STAMPED_HOUR: usize = 10;
/// Bytes of `2026-01-02T03:`.
const DATED_HOUR: usize = 14;

/// The date and hour at the start of a line, the instant at which that hour began in the year
/// chosen, and in the year after.
#[derive(Debug)]
struct Stamp {
    hour: [u8; STAMPED_HOUR],
    start: i64,
    next: i64,
}

/// The same where the line has year and offset; `start` is without the offset.
#[derive(Debug)]
struct Dated {
    hour: [u8; DATED_HOUR],
    start: i64,
}

impl Clockwork {
    pub fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            hour: (0, 0, 0, 0),
            hour_start: 0,
            yearless: (0, 0, 0),
            yearless_start: 0,
            yearless_next: 0,
            // No text has these bytes.
            stamp: Stamp { hour: [0xFF; STAMPED_HOUR], start: 0, next: 0 },
            dated: Dated { hour: [0xFF; DATED_HOUR], start: 0 },
            day: (0, 0, 0),
            days: 0,
        }
    }

    /// The instant at the start of the line in `bytes`, where date and hour stand there as in a line remembered
    /// and mean the same year, and the length of the time and the space behind it. `None`: read
    /// it.
    #[inline]
    pub fn stamped(&self, bytes: &[u8], reference: Timestamp) -> Option<(Timestamp, usize)> {
        match bytes.split_first_chunk() {
            Some((hour, rest)) if *hour == self.stamp.hour => self.stamp.read(rest, reference),
            _ => match bytes.split_first_chunk() {
                Some((hour, rest)) if *hour == self.dated.hour => self.dated.read(rest),
                _ => None,
            },
        }
    }

    /// Remembers how `written`, the time at the start of `line` and the last one asked for, was
    /// understood.
    pub fn remember_stamp(&mut self, line: &str, written: Written) {
        let bytes = line.as_bytes();
        match written {
            Written::Local(wall) if wall.year == 0 => {
                if let Some(hour) = bytes.first_chunk()
                    && plain(bytes) == Some(wall)
                    && self.yearless == (wall.month, wall.day, wall.hour)
                {
                    self.stamp =
                        Stamp { hour: *hour, start: self.yearless_start, next: self.yearless_next };
                }
            }
            Written::Local(_) => {}
            Written::Offset(wall, _) => {
                // Other times with an offset have no dash or slash there.
                if let Some(hour) = bytes.first_chunk::<DATED_HOUR>()
                    && matches!(hour, [b'0'..=b'9', _, _, _, b'-' | b'/', ..])
                    && let Some(start) = self.hour_of_day(wall)
                {
                    self.dated = Dated { hour: *hour, start };
                }
            }
        }
    }

    /// When the hour began, without the offset.
    fn hour_of_day(&mut self, wall: Wall) -> Option<i64> {
        let day = (wall.year, wall.month, wall.day);
        if self.day != day {
            (self.days, self.day) = (days_of_date(wall)?, day);
        }
        (self.days * 86_400 + i64::from(wall.hour) * 3_600).checked_mul(SECOND)
    }

    /// The instant of `written`. A missing year is chosen so that the instant is the latest that
    /// lies at most a day after `reference`. `None` for dates that do not exist.
    pub fn instant(&mut self, written: Written, reference: Timestamp) -> Option<Timestamp> {
        match written {
            Written::Offset(wall, offset) => {
                let start = self.hour_of_day(wall)?.checked_sub(i64::from(offset) * SECOND)?;
                Some(Timestamp::from_nanos(start.checked_add(within_hour(wall))?))
            }
            Written::Local(wall) if wall.year == 0 => self.yearless(wall, reference),
            Written::Local(wall) => {
                let start = self.start_of_hour(wall.year, wall.month, wall.day, wall.hour)?;
                Some(Timestamp::from_nanos(start.checked_add(within_hour(wall))?))
            }
        }
    }

    fn yearless(&mut self, wall: Wall, reference: Timestamp) -> Option<Timestamp> {
        let latest = reference.nanos().saturating_add(DAY);
        let within = within_hour(wall);
        let key = (wall.month, wall.day, wall.hour);
        if self.yearless != key
            || self.yearless_start.saturating_add(within) > latest
            || self.yearless_next.saturating_add(within) <= latest
        {
            self.choose_year(wall, reference, latest.saturating_sub(within))?;
            self.yearless = key;
        }
        Some(Timestamp::from_nanos(self.yearless_start.saturating_add(within)))
    }

    fn choose_year(&mut self, wall: Wall, reference: Timestamp, latest: i64) -> Option<()> {
        let zoned = jiff::Timestamp::from(reference).to_zoned(self.zone.clone());
        let newest = zoned.year().saturating_add(1);
        let mut next = i64::MAX;
        for year in (newest.saturating_sub(YEARS_BACK)..=newest).rev() {
            let Some(start) = self.start_of_hour(year, wall.month, wall.day, wall.hour) else {
                continue;
            };
            if start <= latest {
                (self.yearless_start, self.yearless_next) = (start, next);
                return Some(());
            }
            next = start;
        }
        None
    }

    fn start_of_hour(&mut self, year: i16, month: i8, day: i8, hour: i8) -> Option<i64> {
        if self.hour == (year, month, day, hour) {
            return Some(self.hour_start);
        }
        let local = civil::DateTime::new(year, month, day, hour, 0, 0, 0).ok()?;
        let zoned = self.zone.to_ambiguous_timestamp(local).compatible().ok()?;
        let start = i64::try_from(zoned.as_nanosecond()).ok()?;
        self.hour = (year, month, day, hour);
        self.hour_start = start;
        Some(start)
    }
}

impl Stamp {
    /// Reads `04:05 ` behind the hour.
    #[inline]
    fn read(&self, rest: &[u8], reference: Timestamp) -> Option<(Timestamp, usize)> {
        let eight @ [_, _, _, _, _, b' ', next, _] = *rest.first_chunk()? else { return None };
        if next == b' ' || next.is_ascii_digit() {
            return None;
        }
        let within = minute_and_second(eight)?;
        let instant = self.start.saturating_add(within);
        let latest = reference.nanos().saturating_add(DAY);
        (instant <= latest && self.next.saturating_add(within) > latest)
            .then_some((Timestamp::from_nanos(instant), STAMPED_HOUR + 6))
    }
}

impl Dated {
    /// Reads `04:05[.<fraction>](Z|±hh:mm) ` behind the hour.
    #[inline]
    fn read(&self, rest: &[u8]) -> Option<(Timestamp, usize)> {
        const SCALE: [i64; 10] =
            [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, SECOND];
        let (mut within, mut at) = (minute_and_second(*rest.first_chunk()?)?, 5);
        if rest.get(at) == Some(&b'.') {
            let (fraction, digits) = text::leading_number(rest.get(at + 1..)?)?;
            within += fraction * SCALE.get(9_usize.checked_sub(digits)?)?;
            at += 1 + digits;
        }
        let offset = match *rest.get(at..)? {
            [b'Z', ..] => {
                at += 1;
                0
            }
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2, ..] => {
                at += 6;
                let offset = i64::from(two(h1, h2)?) * 3_600 + i64::from(two(m1, m2)?) * 60;
                if sign == b'-' { -offset } else { offset }
            }
            _ => return None,
        };
        // A bracket behind it makes it the server's error log.
        match rest.get(at..)? {
            [b' ', b'[', ..] => None,
            [b' ', ..] => {
                let instant = self.start.checked_sub(offset * SECOND)?.checked_add(within)?;
                Some((Timestamp::from_nanos(instant), DATED_HOUR + at + 1))
            }
            _ => None,
        }
    }
}

/// `04:05` and three bytes more, in nanoseconds.
#[inline]
fn minute_and_second(bytes: [u8; 8]) -> Option<i64> {
    // Digits become their values, the colon 0.
    let values = u64::from_le_bytes(bytes) ^ 0x0030_303A_3030;
    // Sixteen is reached from ten on.
    let others = (values & 0xF0_F0FF_F0F0) | (values.wrapping_add(0x06_0600_0606) & 0xF0_F000_F0F0);
    if others != 0 {
        return None;
    }
    let value = |place: u32| (values >> (8 * place) & 0xF) as i64;
    let (minute, second) = (value(0) * 10 + value(1), value(3) * 10 + value(4));
    (minute < 60 && second < 61).then_some((minute * 60 + second) * SECOND)
}

fn within_hour(wall: Wall) -> i64 {
    (i64::from(wall.minute) * 60 + i64::from(wall.second)) * SECOND + i64::from(wall.nanos)
}

/// Days since 1970-01-01; `None` for dates that do not exist.
fn days_of_date(wall: Wall) -> Option<i64> {
    const LENGTHS: [i8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *LENGTHS.get(usize::try_from(wall.month - 1).ok()?)?;
    let leap = wall.year % 4 == 0 && (wall.year % 100 != 0 || wall.year % 400 == 0);
    if wall.day < 1 || wall.day > length || (wall.month == 2 && wall.day == 29 && !leap) {
        return None;
    }
    Some(days_of(
        wall.year.into(),
        wall.month.cast_unsigned().into(),
        wall.day.cast_unsigned().into(),
    ))
}
