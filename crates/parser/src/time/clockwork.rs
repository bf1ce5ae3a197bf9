//! From a written time to the instant that it means.
//!
//! The time zone is asked once an hour of local time, since its answer holds for the hour (all
//! offsets in use change on the hour). Lines that begin with one date and hour, byte for byte, have
//! them read once.

use jiff::civil;
use jiff::tz::TimeZone;
use vigie_event::Timestamp;

use super::{SECOND, Wall, Written, plain, two};

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
}

/// Bytes of `Jan  2 03:`.
const STAMPED_HOUR: usize = 10;

/// The date and hour at the start of a line, the instant at which that hour began in the year
/// chosen, and in the year after.
#[derive(Debug, Default)]
struct Stamp {
    hour: [u8; STAMPED_HOUR],
    start: i64,
    next: i64,
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
            stamp: Stamp::default(),
        }
    }

    /// The instant of `Jan  2 03:04:05 ` at the start of `line`, where date and hour stand there as
    /// in the line remembered last and mean the same year. `None`: read it.
    #[inline]
    pub fn stamped(&self, line: &str, reference: Timestamp) -> Option<Timestamp> {
        let (hour, rest) = line.as_bytes().split_first_chunk::<STAMPED_HOUR>()?;
        if *hour != self.stamp.hour {
            return None;
        }
        let [m1, m2, b':', s1, s2, b' ', next] = *rest.first_chunk()? else { return None };
        let (minute, second) = (two(m1, m2)?, two(s1, s2)?);
        if next == b' ' || next.is_ascii_digit() || minute > 59 || second > 60 {
            return None;
        }
        let within = (i64::from(minute) * 60 + i64::from(second)) * SECOND;
        let instant = self.stamp.start.saturating_add(within);
        let latest = reference.nanos().saturating_add(DAY);
        (instant <= latest && self.stamp.next.saturating_add(within) > latest)
            .then_some(Timestamp::from_nanos(instant))
    }

    /// Remembers how the time at the start of `line` was understood, where it stands there as
    /// `Jan  2 03:04:05 ` and was the last one without a year.
    pub fn remember_stamp(&mut self, line: &str) {
        let Some(hour) = line.as_bytes().first_chunk() else { return };
        if let Some(wall) = plain(line.as_bytes())
            && self.yearless == (wall.month, wall.day, wall.hour)
        {
            (self.stamp.start, self.stamp.next) = (self.yearless_start, self.yearless_next);
            self.stamp.hour = *hour;
        }
    }

    /// The instant of `written`. A missing year is chosen so that the instant is the latest that
    /// lies at most a day after `reference`. `None` for dates that do not exist.
    pub fn instant(&mut self, written: Written, reference: Timestamp) -> Option<Timestamp> {
        match written {
            Written::Offset(wall, offset) => {
                let days = days_from_civil(wall)?;
                let seconds = days * 86_400 + i64::from(wall.hour) * 3_600 - i64::from(offset);
                let nanos = seconds.checked_mul(SECOND)?.checked_add(within_hour(wall))?;
                Some(Timestamp::from_nanos(nanos))
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

fn within_hour(wall: Wall) -> i64 {
    (i64::from(wall.minute) * 60 + i64::from(wall.second)) * SECOND + i64::from(wall.nanos)
}

/// Days since 1970-01-01 of a date in the Gregorian calendar (Howard Hinnant's algorithm).
fn days_from_civil(wall: Wall) -> Option<i64> {
    const LENGTHS: [i8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *LENGTHS.get(usize::try_from(wall.month - 1).ok()?)?;
    let leap = wall.year % 4 == 0 && (wall.year % 100 != 0 || wall.year % 400 == 0);
    if wall.day < 1 || wall.day > length || (wall.month == 2 && wall.day == 29 && !leap) {
        return None;
    }
    let year = i64::from(wall.year) - i64::from(wall.month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = (i64::from(wall.month) + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + i64::from(wall.day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}
