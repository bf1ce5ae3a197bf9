//! What happened when?

use std::collections::BTreeMap;

use vigie_event::Timestamp;
use vigie_store::state::IncidentDetail;

use crate::i18n::Text;
use crate::shown::Shown;

/// Characters of a raw line in a timeline.
const LINE_LENGTH: usize = 240;

/// One moment of an incident.
pub(crate) struct Moment {
    pub time: Timestamp,
    /// Its style: `alert`, `verdict`, `decision`, `note` or `evidence`.
    pub kind: &'static str,
    /// Its name, as the key of a text.
    pub key: &'static str,
    pub text: Shown,
}

/// The moments of an incident in order.
pub(crate) fn moments(detail: &IncidentDetail, t: Text) -> Vec<Moment> {
    let lines: BTreeMap<_, _> = detail
        .alerts
        .iter()
        .flat_map(|alert| &alert.evidence)
        .map(|line| ((line.time, line.event), line))
        .collect();
    // With what it began and, so far, ended; what lies between is told by alerts, and each line
    // stands under the evidence.
    let mut ends = lines.into_values();
    let ends = [ends.next(), ends.next_back()];
    let mut moments: Vec<Moment> = ends
        .into_iter()
        .flatten()
        .map(|line| Moment {
            time: line.time,
            kind: "evidence",
            key: "moment-evidence",
            text: Shown::cut(&line.raw, LINE_LENGTH),
        })
        .collect();
    moments.extend(detail.alerts.iter().map(|alert| Moment {
        time: alert.first_seen,
        kind: "alert",
        key: "moment-alert",
        text: Shown::brief(t.pick(&alert.rule.title)),
    }));
    moments.extend(detail.verdicts.iter().map(|verdict| Moment {
        time: verdict.time,
        kind: "verdict",
        key: "moment-verdict",
        text: Shown::brief(&t.with_all(
            "live-verdict-text",
            &[
                ("category", verdict.category.label(t.lang()).to_owned()),
                ("confidence", t.percent(verdict.confidence)),
            ],
        )),
    }));
    moments.extend(detail.decisions.iter().map(|stored| {
        let decision = &stored.decision;
        let target: Vec<&str> = decision.target.values().collect();
        let text = format!(
            "{} {} ({})",
            decision.action.label(t.lang()),
            target.join(", "),
            decision.status.label(t.lang()),
        );
        Moment {
            time: decision.created,
            kind: "decision",
            key: "moment-decision",
            text: Shown::brief(&text.replace("  ", " ")),
        }
    }));
    moments.extend(detail.notes.iter().map(|note| Moment {
        time: note.time,
        kind: "note",
        key: "moment-note",
        text: Shown::brief(&note.text),
    }));
    if moments.iter().all(|moment| moment.time < detail.incident.last_seen) {
        let (time, text) = (detail.incident.last_seen, Shown::default());
        moments.push(Moment { time, kind: "last", key: "moment-last", text });
    }
    moments.sort_by_key(|moment| moment.time);
    moments
}
