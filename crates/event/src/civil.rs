//! Days and dates of the Gregorian calendar (Howard Hinnant's algorithms). Years are counted from
//! March here, so that the leap day is the last one.

/// Days from 1 March of the year −400 to 1970-01-01.
const BEFORE_1970: i64 = 719_468 + IN_400_YEARS as i64;
const IN_400_YEARS: u32 = 146_097;

/// Year, month (1–12) and day (1–31), that many days after 1970-01-01; for years from −399 to a
/// million.
pub const fn date_of(days: i64) -> (i32, u32, u32) {
    let days = (days + BEFORE_1970) as u32;
    let of_cycle = days % IN_400_YEARS;
    let year_of_cycle =
        (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    // March to July and August to December have 153 days each.
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = days / IN_400_YEARS * 400 + year_of_cycle + (month <= 2) as u32;
    (year as i32 - 400, month, day)
}

/// The inverse of [`date_of`]. A day that its month does not have counts on into the next.
pub const fn days_of(year: i32, month: u32, day: u32) -> i64 {
    let year = year as i64 - (month <= 2) as i64;
    let of_cycle = year.rem_euclid(400);
    let of_year = (153 * ((month as i64 + 9) % 12) + 2) / 5 + day as i64 - 1;
    let days = of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year;
    (year.div_euclid(400) + 1) * IN_400_YEARS as i64 + days - BEFORE_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        for days in -800_000..800_000 {
            let (year, month, day) = date_of(days);
            assert_eq!(days_of(year, month, day), days);
        }
        for (days, date) in [(0, (1970, 1, 1)), (19_782, (2024, 2, 29)), (-719_529, (-1, 12, 31))] {
            assert_eq!(date_of(days), date);
        }
    }
}
