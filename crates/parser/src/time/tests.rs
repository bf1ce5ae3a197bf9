use jiff::tz::TimeZone;

use super::*;

fn check(text: &str, zone: &str, reference: &str, expected: &str) {
    let zone = TimeZone::get(zone).unwrap();
    let reference = Timestamp::parse(reference).unwrap();
    let written = month_first(text)
        .or_else(|| iso(text))
        .map(|(written, _)| written)
        .or_else(|| access(text))
        .unwrap_or_else(|| panic!("{text} is no time"));
    let instant = Clockwork::new(zone).instant(written, reference);
    let shown = instant.map_or_else(|| "none".into(), |instant| instant.to_string());
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn times_as_logs_write_them() {
    let now = "2026-01-05T12:00:00Z";
    for (text, expected) in [
        ("Jan  5 10:12:13 host", "2026-01-05T10:12:13.000000Z"),
        ("Jan 5 10:12:13 host", "2026-01-05T10:12:13.000000Z"),
        ("Jan 05 10:12:13.25 host", "2026-01-05T10:12:13.250000Z"),
        ("Jan  6 11:59:00 host", "2026-01-06T11:59:00.000000Z"),
        ("Jan  6 12:01:00 host", "2025-01-06T12:01:00.000000Z"),
        ("Dec 31 23:59:59 host", "2025-12-31T23:59:59.000000Z"),
        ("Feb 29 01:02:03 host", "2024-02-29T01:02:03.000000Z"),
        ("Feb 30 01:02:03 host", "none"),
        ("2015 Nov 13 13:40:01 ether", "2015-11-13T13:40:01.000000Z"),
        ("Nov 13 2015 13:40:01 ether", "2015-11-13T13:40:01.000000Z"),
        ("Fri Nov 13 13:40:01 2015 ether", "2015-11-13T13:40:01.000000Z"),
        ("2019-06-14T10:40:20.912134 localhost", "2019-06-14T10:40:20.912134Z"),
        ("2019-06-14T13:01:15.412+01:30 localhost", "2019-06-14T11:31:15.412000Z"),
        ("1986-04-26T01:23:45.101+0400 a", "1986-04-25T21:23:45.101000Z"),
        ("2020-03-25 09:01:30.852002-0700  localhost", "2020-03-25T16:01:30.852002Z"),
        ("2023/12/09 21:35:20 [notice]", "2023-12-09T21:35:20.000000Z"),
        ("2006-02-13 15:52:30,388 f", "2006-02-13T15:52:30.388000Z"),
        ("26/Dec/2016:16:16:28 +0200", "2016-12-26T14:16:28.000000Z"),
        ("26/Dec/2016:16:16:28 -0230", "2016-12-26T18:46:28.000000Z"),
        ("26/Dec/2016:16:16:28.5 +02:00", "2016-12-26T14:16:28.500000Z"),
        ("2019-02-29T10:40:20Z", "none"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"),
    ] {
        check(text, "UTC", now, expected);
    }
}

#[test]
fn local_time_follows_the_zone() {
    let now = "2005-08-14T12:00:00Z";
    check("Jan  2 01:18:41 host", "Europe/Zurich", now, "2005-01-02T00:18:41.000000Z");
    check("Jul  2 01:18:41 host", "Europe/Zurich", now, "2005-07-01T23:18:41.000000Z");
    check("Nov 11 08:04:51 host", "Europe/Zurich", now, "2004-11-11T07:04:51.000000Z");
}

#[test]
fn the_year_follows_the_reference_line_by_line() {
    let mut clock = Clockwork::new(TimeZone::UTC);
    let (written, _) = month_first("Jan  5 10:12:13").unwrap();
    for (reference, year) in [
        ("2026-01-05T12:00:00Z", "2026"),
        ("2024-01-05T12:00:00Z", "2024"),
        ("2025-01-01T00:00:00Z", "2024"),
    ] {
        let instant = clock.instant(written, Timestamp::parse(reference).unwrap()).unwrap();
        assert!(instant.to_string().starts_with(year), "{reference}: {instant}");
    }
}

#[test]
fn an_hour_read_before_changes_nothing() {
    let paris = TimeZone::get("Europe/Paris").unwrap();
    let mut remembering = Clockwork::new(paris.clone());
    let references = ["2026-01-05T12:00:00Z", "2026-10-25T02:30:00Z", "2024-03-01T00:00:00Z"];
    let hours =
        ["Oct 25 02:", "Oct 25 03:", "Mar 29 02:", "Feb 29 23:", "Dec 31 23:", "Jan  1 00:"];
    let days = ["2026-10-25T02:", "2026-02-29T02:", "2016-12-31 23:", "2026/01/05 10:"];
    let seconds = ["00:00", "59:59", "59:60", "60:00", "00:61", "5:00", "00:0x"];
    let tails = [
        " host",
        "  host",
        " 2024",
        "host",
        "Z host",
        "+01:00 host",
        "-0230 host",
        ".5+01:00 h",
        ".123456Z h",
        ".1234567891+01:00 h",
        ",5Z h",
        ".Z h",
        "+1 h",
        "Z [x",
        "Z",
    ];
    for hour in hours.into_iter().chain(days) {
        for (second, tail) in seconds.iter().flat_map(|s| tails.map(|tail| (s, tail))) {
            for reference in references {
                let reference = Timestamp::parse(reference).unwrap();
                let line = format!("{hour}{second}{tail}");
                let written = month_first(&line).or_else(|| iso(&line));
                let expected = written.and_then(|(written, length)| {
                    let instant = Clockwork::new(paris.clone()).instant(written, reference)?;
                    Some((instant, length))
                });
                if let Some(found) = remembering.stamped(line.as_bytes(), reference) {
                    let (expected, length) = expected.unwrap();
                    assert_eq!(found, (expected, length + 1), "{line}");
                    assert_eq!(line.as_bytes()[length], b' ', "{line}");
                }
                if let Some((written, _)) = written {
                    assert_eq!(
                        remembering.instant(written, reference),
                        expected.map(|(instant, _)| instant),
                        "{line}"
                    );
                    remembering.remember_stamp(&line, written);
                }
            }
        }
        for reference in references.map(|text| Timestamp::parse(text).unwrap()) {
            let line = format!("{hour}10:11 host");
            let found = remembering.stamped(line.as_bytes(), reference);
            let found_zoned =
                remembering.stamped(format!("{hour}10:11Z host").as_bytes(), reference);
            let real = !matches!(hour, "2026-02-29T02:");
            let yearless = hour.starts_with(|first: char| first.is_ascii_alphabetic());
            if reference.to_string().starts_with("2024") && yearless {
                assert!(found.is_some(), "{line} is the last one remembered");
            }
            assert_eq!(found_zoned.is_some(), real && !yearless, "{hour}");
        }
    }
}

#[test]
fn epochs_of_every_unit() {
    let expected = Timestamp::parse("2022-06-21T07:37:01.123Z").unwrap();
    assert_eq!(epoch_integer(1_655_797_021_123), Some(expected));
    assert_eq!(epoch_integer(1_655_797_021_123_000), Some(expected));
    assert_eq!(epoch_integer(1_655_797_021_123_000_000), Some(expected));
    assert_eq!(epoch(1_655_797_021.0).map(Timestamp::seconds), Some(expected.seconds()));
    assert_eq!(epoch(1_655_797_021.123).map(Timestamp::millis), Some(expected.millis()));
    assert_eq!(epoch(f64::NAN), None);
    assert_eq!(epoch_integer(42), None);
}

#[test]
fn what_is_no_time() {
    for text in
        ["", "Jan", "Jax  5 10:12:13", "Jan  5 25:12:13", "2019-06-14", "é2019", "2019-06-14T1"]
    {
        assert!(month_first(text).is_none() && iso(text).is_none(), "{text}");
    }
}
