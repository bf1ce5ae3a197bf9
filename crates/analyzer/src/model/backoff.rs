//! How long to wait before trying again.

/// Seconds before the first try again; doubled each time after, up to the longest.
const FIRST_S: f64 = 4.0;
const LONGEST_S: f64 = 300.0;
/// Seconds that a server may ask for: hosted ones limit by the minute and by the hour.
const ASKED_FOR_S: f64 = 3_600.0;

/// Seconds before the try after `failed` ones (1 or more): doubled each time, spread by `chance`
/// (0 to 1) over the upper half, and never before what the server asked for, up to an hour.
pub fn delay_s(failed: u32, chance: f64, asked_for_s: Option<u32>) -> i64 {
    let whole = (FIRST_S * 2_f64.powi(failed.saturating_sub(1).min(16) as i32)).min(LONGEST_S);
    let spread = whole * (0.5 + chance.clamp(0.0, 1.0) / 2.0);
    let asked_for = f64::from(asked_for_s.unwrap_or(0)).min(ASKED_FOR_S);
    spread.max(asked_for).ceil() as i64
}
