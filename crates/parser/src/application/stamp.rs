//! What applications put in front of their messages: the name of a container, a time in one of
//! many forms.

use crate::text;
use crate::time::{self, Written};
use vigie_event::Timestamp;

/// A time at the start of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stamp {
    /// On the wall or with an offset.
    Written(Written),
    /// Seconds since the epoch.
    Instant(Timestamp),
}

/// Splits the time, and what stands in front of it, from `line`.
pub fn split(line: &str) -> (Option<Stamp>, &str) {
    let line = without_container(line);
    let found = bracketed(line).or_else(|| plain(line)).or_else(|| labelled(line));
    match found {
        Some((stamp, rest)) => (Some(stamp), rest),
        None => (None, line),
    }
}

/// `miniflux  | …`, as `docker compose logs` has it.
fn without_container(line: &str) -> &str {
    match line.split_once(" | ") {
        Some((name, rest)) => {
            let name = name.trim_end();
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
            let own = !name.is_empty() && name.len() < 64 && name.bytes().all(plain);
            if own { rest.trim_start() } else { line }
        }
        None => line,
    }
}

/// `[<time>]…`, `[<time> <anything>] …`
fn bracketed(line: &str) -> Option<(Stamp, &str)> {
    let inside = line.strip_prefix('[')?;
    let (inside, rest) = text::split(inside, b']')?;
    let stamp = match text::number(inside).and_then(time::epoch_integer) {
        Some(instant) => Stamp::Instant(instant),
        None => plain(inside)?.0,
    };
    Some((stamp, rest.trim_start()))
}

/// `<time> …`, with a zone's name, a comma or a colon behind it.
fn plain(line: &str) -> Option<(Stamp, &str)> {
    let iso = time::iso(line).or_else(|| time::month_first(line));
    let (written, at) = iso.or_else(|| day_first(line)).or_else(|| unpadded(line))?;
    let rest = line.get(at..)?;
    let rest = rest.strip_prefix("::").or_else(|| rest.strip_prefix(':')).unwrap_or(rest);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix("UTC ").or_else(|| rest.strip_prefix("GMT ")).unwrap_or(rest);
    Some((Stamp::Written(written), rest))
}

/// `WARN: [<time>] …`, `L <time>: …`, `<epoch> …`, `W, [<time> …] …`
fn labelled(line: &str) -> Option<(Stamp, &str)> {
    if let Some((seconds, digits)) = text::leading_number(line.as_bytes())
        && (10..=13).contains(&digits)
    {
        let stamp = time::epoch_integer(seconds)?;
        let (_, rest) = text::word(line);
        let rest = match rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
            Some((inside, after)) if day_first(inside).is_some() => after,
            _ => rest,
        };
        return Some((Stamp::Instant(stamp), rest));
    }
    let (label, rest) = text::word(line);
    if label.len() > 10 {
        return None;
    }
    let (stamp, rest) = bracketed(rest).or_else(|| plain(rest))?;
    Some((stamp, rest))
}

/// `17/Jun/2011 17:00:45`, `19-Oct-2022 05:34:02.425`, `22-06-2014 09:56:12`, `26/Dec/2016:16:16:28`
fn day_first(line: &str) -> Option<(Written, usize)> {
    let separator = line.find(['/', '-'])?;
    let (day, rest) = line.split_at_checked(separator)?;
    let mark = rest.get(..1)?;
    let (month, rest) = rest.get(1..)?.split_once(mark)?;
    let year = rest.get(..4)?;
    // `08/02/23`, `08/02/2023, 7:32:47 PM`: where slashes and numbers alone stand, the month is
    // first.
    if mark == "/" && small(month).is_some() {
        return month_slash_day(line, small(day)?, small(month)?, rest);
    }
    let (day, year) = (small(day)?, text::number(year)?);
    let month = match small(month) {
        Some(month) => month,
        None => month_named(month)?,
    };
    let clock = rest.get(4..)?;
    let clock_text = clock.strip_prefix([' ', ':'])?;
    // The rest is read as ISO, which knows everything about fractions and offsets.
    let made = format!("{year:04}-{month:02}-{day:02}T{clock_text}");
    let (written, length) = time::iso(&made)?;
    let behind = made.len() - length;
    Some((written, line.len() - behind))
}

fn month_slash_day(line: &str, month: i64, day: i64, rest: &str) -> Option<(Written, usize)> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let year = text::number(rest.get(..digits)?)?;
    let year = if digits == 2 { 2000 + year } else { year };
    let clock = rest.get(digits..)?.trim_start_matches([',', ' ', '-']);
    let (hour, after) = clock.split_once(':')?;
    let half = after.get(5..).unwrap_or_default();
    let hour = match small(hour)? {
        12 if half.starts_with(" AM") => 0,
        hour if hour < 12 && half.starts_with(" PM") => hour + 12,
        hour => hour,
    };
    let made = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{after}");
    let (written, length) = time::iso(&made)?;
    let mut at = line.len() - (made.len() - length);
    if half.starts_with(" AM") || half.starts_with(" PM") {
        at += 3;
        // `10:31:29 PM MST.557710`
        let rest = line.get(at..)?;
        let zone = rest
            .strip_prefix(' ')
            .filter(|zone| zone.starts_with(|c: char| c.is_ascii_uppercase()));
        if let Some((zone, _)) = zone.and_then(|zone| zone.split_once(' '))
            && zone.contains('.')
        {
            at += 1 + zone.len();
        }
    }
    Some((written, at))
}

/// `2021-11-09  5:13:11`, `130322 11:26:54`, `130322  1:26:54`, of `MySQL` and its kin.
fn unpadded(line: &str) -> Option<(Written, usize)> {
    let (date, rest) = text::word(line);
    let date = match date.len() {
        10 => date.to_owned(),
        6 => format!("20{}-{}-{}", date.get(..2)?, date.get(2..4)?, date.get(4..)?),
        _ => return None,
    };
    let (hour, after) = rest.split_once(':')?;
    let made = format!("{date}T{:02}:{after}", small(hour)?);
    let (written, length) = time::iso(&made)?;
    Some((written, line.len() - (made.len() - length)))
}

fn small(text: &str) -> Option<i64> {
    text::number(text).filter(|number| *number < 32)
}

fn month_named(name: &str) -> Option<i64> {
    let name = name.get(..3)?;
    let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let at = months.find(name)?;
    (at % 3 == 0).then_some(at as i64 / 3 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Wall;

    #[test]
    fn times_of_many_forms() {
        let wall = Wall { year: 2024, month: 3, day: 7, hour: 8, minute: 9, second: 10, nanos: 0 };
        for line in [
            "2024-03-07 08:09:10 x",
            "2024/03/07 08:09:10 x",
            "[2024-03-07 08:09:10] x",
            "[07/Mar/2024 08:09:10] x",
            "07-Mar-2024 08:09:10 x",
            "07-03-2024 08:09:10 x",
            "2024-03-07  8:09:10 x",
            "240307  8:09:10 x",
            "WARN: [2024-03-07 08:09:10] x",
            "app  | 2024-03-07 08:09:10 x",
            "Thu Mar  7 08:09:10 2024 x",
            "2024-03-07 08:09:10: x",
            "03/07/24 08:09:10 x",
            "L 03/07/2024 - 08:09:10: x",
            "03/07/2024, 8:09:10 AM x",
        ] {
            assert_eq!(split(line), (Some(Stamp::Written(Written::Local(wall))), "x"), "{line}");
        }
        let stamp = Timestamp::parse("2023-07-27T14:06:44Z").unwrap();
        assert_eq!(
            split("1690466804.2161960.0 [27/Jul/2023 16:06:44] root - x"),
            (Some(Stamp::Instant(stamp)), "root - x")
        );
        assert_eq!(split("no time | here"), (None, "no time | here"));
    }
}
