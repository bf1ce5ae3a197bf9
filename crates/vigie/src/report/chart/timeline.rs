//! When what happened, by severity.

use std::fmt::Write as _;

use vigie_event::{Lang, Severity, Timestamp};

use super::{escaped, label, svg};

/// Something on the line of time.
pub struct Mark {
    /// A short name for it, such as `#3`.
    pub name: String,
    /// What it is, shown where the pointer rests.
    pub title: String,
    pub severity: Severity,
    pub first: Timestamp,
    pub last: Timestamp,
}

const WIDTH: f64 = 900.0;
const LEFT: f64 = 110.0;
const RIGHT: f64 = 20.0;
const LANE: f64 = 34.0;
const TOP: f64 = 8.0;
/// Marks up to which each is drawn by itself; beyond, they are counted by stretches of time.
const SINGLE: usize = 60;
const STRETCHES: usize = 60;

/// Lanes by severity over time; `None` where nothing has a time.
pub fn timeline(marks: &[Mark], lang: Lang) -> Option<String> {
    let first = marks.iter().map(|mark| mark.first).min()?;
    let last = marks.iter().map(|mark| mark.last.max(mark.first)).max()?;
    let span = (last.since(first) as f64).max(1.0);
    let x = |time: Timestamp| LEFT + (time.since(first) as f64 / span) * (WIDTH - LEFT - RIGHT);
    let lanes: Vec<Severity> = Severity::ALL
        .into_iter()
        .rev()
        .filter(|severity| marks.iter().any(|mark| mark.severity == *severity))
        .collect();
    let height = TOP + LANE * lanes.len() as f64 + 26.0;
    let mut body = String::new();
    for (row, severity) in lanes.iter().enumerate() {
        let y = TOP + LANE * (row as f64 + 0.5);
        let _ = write!(
            body,
            "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{:.0}\" y2=\"{y:.1}\" class=\"axis\"/>",
            WIDTH - RIGHT
        );
        label(&mut body, (0.0, y + 4.5), "lane", severity.label(lang), 20);
        let of_lane: Vec<&Mark> = marks.iter().filter(|mark| mark.severity == *severity).collect();
        if marks.len() <= SINGLE {
            single(&mut body, &of_lane, y, x);
        } else {
            counted(&mut body, &of_lane, y, x);
        }
    }
    axis(&mut body, first, last, height);
    let title =
        lang.pick("Alerts over time, by severity", "Les alertes dans le temps, par gravité");
    Some(svg(WIDTH, height, title, &body))
}

fn single(body: &mut String, marks: &[&Mark], y: f64, x: impl Fn(Timestamp) -> f64) {
    // Names are left out where they would stand on each other.
    let mut named_to = f64::MIN;
    let mut ordered: Vec<&&Mark> = marks.iter().collect();
    ordered.sort_by_key(|mark| mark.first);
    for mark in ordered {
        let (from, to) = (x(mark.first), x(mark.last.max(mark.first)));
        let class = mark.severity.name();
        let title = escaped(&mark.title, 120);
        let _ = write!(
            body,
            "<g class=\"{class}\"><title>{title}</title><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"10\" rx=\"5\"/></g>",
            from - 5.0,
            y - 5.0,
            to - from + 10.0
        );
        let width = mark.name.chars().count() as f64 * 7.0;
        if !mark.name.is_empty() && from - width / 2.0 > named_to {
            label(body, (from, y - 8.0), "mark", &mark.name, 8);
            named_to = from + width / 2.0 + 4.0;
        }
    }
}

fn counted(body: &mut String, marks: &[&Mark], y: f64, x: impl Fn(Timestamp) -> f64) {
    let width = (WIDTH - LEFT - RIGHT) / STRETCHES as f64;
    let mut counts = [0_u64; STRETCHES];
    for mark in marks {
        let place = ((x(mark.first) - LEFT) / width) as usize;
        if let Some(count) = counts.get_mut(place.min(STRETCHES - 1)) {
            *count += 1;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(1).max(1) as f64;
    for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        // The root, so that one alert is seen beside a thousand.
        let tall = (LANE - 8.0) * (*count as f64 / most).sqrt();
        let class = marks.first().map_or("", |mark| mark.severity.name());
        let _ = write!(
            body,
            "<g class=\"{class}\"><title>{count}</title><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\" rx=\"1.5\"/></g>",
            LEFT + width * place as f64 + 1.0,
            y + LANE / 2.0 - 4.0 - tall,
            width - 2.0
        );
    }
}

fn axis(body: &mut String, first: Timestamp, last: Timestamp, height: f64) {
    let form =
        if last.since(first) > 36 * 3_600 * 1_000_000_000 { "%m-%d %H:%M" } else { "%H:%M:%S" };
    let steps = if last == first { 1 } else { 5 };
    for step in 0..steps {
        let share = f64::from(step) / 4.0;
        let time: jiff::Timestamp =
            first.plus_nanos((last.since(first) as f64 * share) as i64).into();
        let anchor = match step {
            0 => "tick start",
            4 => "tick end",
            _ => "tick",
        };
        let at = LEFT + (WIDTH - LEFT - RIGHT) * share;
        label(body, (at, height - 6.0), anchor, &time.strftime(form).to_string(), 20);
    }
}
