//! What of a live event is sent to a browser: text made harmless, in the reader's language.

use serde::Serialize;
use vigie_event::{IncidentId, Severity, Timestamp};

use crate::i18n::Text;
use crate::live::{Live, LiveEvent};
use crate::shown::Shown;
use crate::ui;

/// Characters of a line.
const LENGTH: usize = 400;

/// A line of the live view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LiveLine {
    /// `event`, or `news` for alerts and all that follows from them.
    pub kind: &'static str,
    /// When, RFC 3339.
    pub time: Timestamp,
    /// The same for people, in UTC.
    pub utc: String,
    /// Which parser or what kind of news.
    pub what: String,
    /// The line.
    pub text: String,
    /// `success`, `failure` or a severity; empty for none.
    pub tone: &'static str,
    /// The incident to go to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
}

/// The line for `live`; `None` for counters, which are no line.
pub(crate) fn line(live: &Live, t: Text) -> Option<LiveLine> {
    Some(match live {
        Live::Event(event) => event_line(event),
        Live::Alert { time, title, severity, incident, source_ip } => {
            let text = match source_ip {
                Some(address) => format!("{} · {address}", t.pick(title)),
                None => t.pick(title).to_owned(),
            };
            news(t, "live-alert", *time, &text, *severity, *incident)
        }
        Live::Incident { time, id, title, severity } => {
            news(t, "live-incident", *time, t.pick(title), *severity, Some(*id))
        }
        Live::Verdict { time, incident, severity, category, confidence } => {
            let values = [
                ("category", category.label(t.lang()).to_owned()),
                ("confidence", t.percent(*confidence)),
            ];
            let text = t.with_all("live-verdict-text", &values);
            news(t, "live-verdict", *time, &text, *severity, Some(*incident))
        }
        Live::Decision { time, incident, action, target, status } => {
            let action = action.label(t.lang());
            let status = status.label(t.lang());
            let text = format!("{action} {target} · {status}");
            LiveLine {
                tone: "",
                ..news(t, "live-decision", *time, &text, Severity::Low, Some(*incident))
            }
        }
        Live::Counters(_) => return None,
    })
}

fn news(
    t: Text,
    key: &str,
    time: Timestamp,
    text: &str,
    severity: Severity,
    incident: Option<IncidentId>,
) -> LiveLine {
    LiveLine {
        kind: "news",
        time,
        utc: ui::utc(time),
        what: t.s(key).into_owned(),
        text: Shown::cut(text, LENGTH).to_string(),
        tone: severity.name(),
        incident,
    }
}

fn event_line(event: &LiveEvent) -> LiveLine {
    let mut text = event.summary.clone();
    if text.is_empty() {
        let parts = [
            Some(event.action.as_str()),
            Some(event.outcome.as_str()),
            event.user.as_deref(),
            event.source_ip.as_deref(),
            event.host.as_deref(),
        ];
        let parts: Vec<&str> =
            parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        text = parts.join(" ");
    }
    LiveLine {
        kind: "event",
        time: event.time,
        utc: ui::utc(event.time),
        what: Shown::cut(&event.dataset, 40).to_string(),
        text: Shown::cut(&text, LENGTH).to_string(),
        tone: match event.outcome.as_str() {
            "failure" => "failure",
            "success" => "success",
            _ => "",
        },
        incident: None,
    }
}

#[cfg(test)]
mod tests {
    use vigie_event::Lang;

    use super::*;

    #[test]
    fn hostile_lines_are_made_visible_and_short() {
        let event = LiveEvent {
            summary: format!("\u{1b}[2J\u{202E}<script>{}", "a".repeat(5_000)),
            ..LiveEvent::default()
        };
        let shown = line(&Live::Event(event), Text(Lang::En)).unwrap();
        assert!(shown.text.starts_with("⟦ESC⟧[2J⟦U+202E⟧<script>"));
        assert!(shown.text.chars().count() < LENGTH + 40);
    }

    #[test]
    fn an_event_without_summary_is_told_from_its_fields() {
        let event = LiveEvent {
            action: "ssh_login".into(),
            outcome: "failure".into(),
            user: Some("root".into()),
            source_ip: Some("203.0.113.7".into()),
            ..LiveEvent::default()
        };
        let shown = line(&Live::Event(event), Text(Lang::En)).unwrap();
        assert_eq!(shown.text, "ssh_login failure root 203.0.113.7");
        assert_eq!(shown.tone, "failure");
    }
}
