//! Small pieces of markup: badges, icons, times, bars.
//!
//! Each writes nothing but markup of its own and numbers, so each is safe without escaping.

use std::fmt;

use askama::filters::HtmlSafe;
use vigie_event::{Severity, Timestamp};

use crate::i18n::Text;

/// A severity as shape, word and colour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeverityBadge<'s>(pub &'s Severity, pub &'s Text);

impl fmt::Display for SeverityBadge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = match self.0 {
            // Octagon, triangle, diamond, disc, ring: told apart without colour.
            Severity::Critical => {
                r#"<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z"/><path d="M7.1 4h1.8v5H7.1zm0 6.2h1.8V12H7.1z" class="cut"/>"#
            }
            Severity::High => r#"<path d="M8 1.5 15.5 14.5h-15z"/>"#,
            Severity::Medium => r#"<path d="m8 .8 7.2 7.2L8 15.2.8 8z"/>"#,
            Severity::Low => r#"<circle cx="8" cy="8" r="5.5"/>"#,
            Severity::Informational => {
                r#"<path d="M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zm0 2.2a4.3 4.3 0 1 1 0 8.6 4.3 4.3 0 0 1 0-8.6z"/>"#
            }
        };
        let (name, label) = (self.0.name(), self.0.label(self.1.lang()));
        write!(
            f,
            r#"<span class="severity severity-{name}"><svg viewBox="0 0 16 16" aria-hidden="true">{shape}</svg>{label}</span>"#
        )
    }
}

impl HtmlSafe for SeverityBadge<'_> {}

/// An instant: machine-readable, in UTC for readers without JavaScript, with UTC to point at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time<'s>(pub &'s Timestamp);

impl fmt::Display for Time<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let utc = utc(*self.0);
        write!(f, r#"<time datetime="{}" title="{utc}">{utc}</time>"#, self.0)
    }
}

impl HtmlSafe for Time<'_> {}

/// `2026-01-05 10:12:13 UTC`
pub(crate) fn utc(time: Timestamp) -> String {
    jiff::Timestamp::from(time).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A share of 100 as a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bar<'s>(pub &'s u8);

impl fmt::Display for Bar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = (*self.0).min(100);
        write!(
            f,
            r#"<svg class="bar-line" aria-hidden="true"><rect width="{share}%" height="100%" rx="2.5"/></svg>"#
        )
    }
}

impl HtmlSafe for Bar<'_> {}

/// A picture by name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Icon(pub &'static str);

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == "mark" {
            return f.write_str(MARK);
        }
        let path = match self.0 {
            "overview" => "M4 13h6V4H4zm10 7h6v-9h-6zM4 20h6v-3H4zm10-13h6V4h-6z",
            "incidents" => "M12 3 2.5 20h19zm0 7v4.5m0 2.7v.1",
            "ban" => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM5.7 5.7l12.6 12.6",
            "ticket" => "M3 7h18v3.5a1.8 1.8 0 0 0 0 3.5V17H3v-3a1.8 1.8 0 0 0 0-3.5zm11 0v10",
            "learning" => {
                "M4 5.5C6.5 4 9.5 4 12 5.5V20c-2.5-1.5-5.5-1.5-8 0zm16 0C17.5 4 14.5 4 12 5.5V20c2.5-1.5 5.5-1.5 8 0z"
            }
            "person" => "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm-8 9a8 8 0 0 1 16 0",
            "leave" => "M10 4H5v16h5m4-12 4 4-4 4m4-4H9",
            "theme" => "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
            "shield" => "M12 3 4.5 6v5.5c0 4.5 3 8 7.5 9.5 4.5-1.5 7.5-5 7.5-9.5V6z",
            "calm" => {
                "M3 9c2 0 2-1.5 4.5-1.5S10 9 12 9s2-1.5 4.5-1.5S19 9 21 9M3 13.5c2 0 2-1.5 4.5-1.5s2.5 1.5 4.5 1.5 2-1.5 4.5-1.5 2.5 1.5 4.5 1.5M3 18c2 0 2-1.5 4.5-1.5S10 18 12 18s2-1.5 4.5-1.5S19 18 21 18"
            }
            _ => "",
        };
        write!(
            f,
            r#"<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="{path}"/></svg>"#
        )
    }
}

impl HtmlSafe for Icon {}

/// The lighthouse.
const MARK: &str = r##"<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><path d="M3 11.5 13.5 13v3L3 17.5zM29 11.5 18.5 13v3l10.5 1.5z" fill="#f2c14e" opacity=".5"/><path d="M12.5 12.5h7v4h-7z" fill="#f2c14e"/><path d="M12.5 10.8 16 6.5l3.5 4.3v.7h-7zM12.8 17.5h6.4l1.8 10h-10z" fill="currentColor"/></svg>"##;

#[cfg(test)]
mod tests {
    use vigie_event::Lang;

    use super::*;

    #[test]
    fn a_time_says_utc() {
        let time = Timestamp::parse("2026-01-05T10:12:13.5Z").unwrap();
        assert_eq!(
            Time(&time).to_string(),
            r#"<time datetime="2026-01-05T10:12:13.500000Z" title="2026-01-05 10:12:13 UTC">2026-01-05 10:12:13 UTC</time>"#
        );
    }

    #[test]
    fn severities_differ_in_shape_and_word() {
        let badges: Vec<String> = Severity::ALL
            .iter()
            .map(|level| SeverityBadge(level, &Text(Lang::Fr)).to_string())
            .collect();
        for (index, badge) in badges.iter().enumerate() {
            assert!(badge.contains("<svg"));
            assert!(!badges[..index].contains(badge));
        }
        assert!(badges[4].contains("Critique"));
    }

    #[test]
    fn a_bar_never_overflows() {
        assert!(Bar(&250).to_string().contains(r#"width="100%""#));
    }
}
