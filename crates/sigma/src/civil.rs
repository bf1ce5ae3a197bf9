//! Parts of a date and time, as they stand: no time zone is applied.

use vigie_event::{Timestamp, date_of, days_of};

/// A part that a time modifier asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TimePart {
    /// 0–59.
    Minute,
    /// 0–23.
    Hour,
    /// 1–31.
    Day,
    /// ISO 8601 week, 1–53.
    Week,
    /// 1–12.
    Month,
    /// The year's number.
    Year,
}

/// A date and, where it is known, a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    year: i32,
    month: u32,
    day: u32,
    time: Option<(i64, i64)>,
}

impl Civil {
    /// Reads text that begins like `2026-01-05T10:12` or `2026-01-05 10:12` (`/` for `-` too).
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.trim_start().as_bytes();
        let number = |from: usize, to: usize| {
            bytes
                .get(from..to)?
                .iter()
                .try_fold(0i64, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0')))
        };
        let separator = |at: usize| bytes.get(at).is_some_and(|b| matches!(b, b'-' | b'/'));
        if !separator(4) || !separator(7) {
            return None;
        }
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let time = match (bytes.get(10), number(11, 13), bytes.get(13), number(14, 16)) {
            (Some(b'T' | b't' | b' '), Some(hour), Some(b':'), Some(minute))
                if hour < 24 && minute < 60 =>
            {
                Some((hour, minute))
            }
            _ => None,
        };
        Some(Self { year: year as i32, month: month as u32, day: day as u32, time })
    }

    /// The UTC date and time of an instant.
    pub fn of(instant: Timestamp) -> Self {
        let seconds = instant.seconds();
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        Self { year, month, day, time: Some((rest / 3_600, rest % 3_600 / 60)) }
    }

    /// One of its parts; `None` for the time of day of a date alone.
    pub fn part(self, part: TimePart) -> Option<i64> {
        Some(match part {
            TimePart::Minute => self.time?.1,
            TimePart::Hour => self.time?.0,
            TimePart::Day => self.day.into(),
            TimePart::Week => self.week(),
            TimePart::Month => self.month.into(),
            TimePart::Year => self.year.into(),
        })
    }

    /// ISO 8601: the week of the year that its Thursday falls in.
    fn week(self) -> i64 {
        let days = days_of(self.year, self.month, self.day);
        // 1970-01-01 was a Thursday.
        let thursday = days - (days + 3).rem_euclid(7) + 3;
        let (year, _, _) = date_of(thursday);
        (thursday - days_of(year, 1, 1)) / 7 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_dates() {
        use TimePart::{Day, Hour, Minute, Month, Week, Year};
        for (text, part, expected) in [
            ("2026-01-05T10:12:13Z", Minute, Some(12)),
            ("2026-01-05 10:12", Hour, Some(10)),
            ("2026/01/05", Day, Some(5)),
            ("2026-01-05", Hour, None),
            ("2026-01-05T10:12:13Z", Week, Some(2)),
            ("2021-01-03", Week, Some(53)),
            ("2024-12-30", Week, Some(1)),
            ("2026-11-05T00:00", Month, Some(11)),
            ("2026-11-05T00:00", Year, Some(2026)),
            ("2026-13-05", Year, None),
            ("yesterday", Year, None),
            ("", Year, None),
            ("éééééééé", Year, None),
        ] {
            let found = Civil::parse(text).and_then(|civil| civil.part(part));
            assert_eq!(found, expected, "{text} {part:?}");
        }
    }

    #[test]
    fn instants_are_utc() {
        let instant = Timestamp::parse("2026-01-05T23:59:59Z").unwrap();
        assert_eq!(Civil::of(instant), Civil::parse("2026-01-05T23:59").unwrap());
    }
}
