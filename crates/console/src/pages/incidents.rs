//! Which incidents are there?

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::civil::Date;
use serde::Deserialize;
use vigie_event::{IncidentStatus, Severity, Timestamp};
use vigie_store::state::{IncidentFilter, IncidentSort, PageRequest, StateError};

use super::Pager;
use super::rows::{self, IncidentRow};
use crate::console::Console;
use crate::context::{Context, page};
use crate::failure::Failure;
use crate::i18n::Text;
use crate::shell::{Section, Shell};
use crate::words;

const PAGE: u64 = 25;

#[derive(Template)]
#[template(path = "incidents.html")]
struct IncidentsPage {
    t: Text,
    shell: Shell,
    filter: Filter,
    filtered: bool,
    problem: Option<&'static str>,
    incidents: Vec<IncidentRow>,
    pager: Pager,
}

/// The filter as it stands in the address, so that a list can be kept and passed on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Filter {
    pub text: String,
    pub severity: String,
    pub status: String,
    /// First day, `2026-01-05`, in UTC.
    pub from: String,
    /// Last day, `2026-01-05`, in UTC.
    pub to: String,
    pub rule: String,
    /// Where the page starts.
    pub after: String,
}

impl Filter {
    /// The filter for the store; words that mean nothing are left out.
    ///
    /// # Errors
    /// A date cannot be read; the filter without it stands beside the complaint.
    pub(crate) fn resolve(&self) -> (IncidentFilter, Option<&'static str>) {
        let mut problem = None;
        let mut day = |text: &str, days_later: i64| -> Option<Timestamp> {
            let text = text.trim();
            if text.is_empty() {
                return None;
            }
            let start = start_of(text).map(|start| start.plus_seconds(days_later * 86_400));
            if start.is_none() {
                problem = Some("bad-date");
            }
            start
        };
        let filter = IncidentFilter {
            status: match self.status.as_str() {
                "unclosed" => vec![IncidentStatus::Open, IncidentStatus::InProgress],
                name => words::incident_status_named(name).into_iter().collect(),
            },
            min_severity: self.severity.parse::<Severity>().ok(),
            text: given(&self.text),
            actor: None,
            rule: given(&self.rule),
            owner: None,
            from: day(&self.from, 0),
            to: day(&self.to, 1),
            sort: IncidentSort::Newest,
        };
        (filter, problem)
    }

    fn pairs(&self) -> [(&'static str, &str); 6] {
        [
            ("text", &self.text),
            ("severity", &self.severity),
            ("status", &self.status),
            ("from", &self.from),
            ("to", &self.to),
            ("rule", &self.rule),
        ]
    }
}

/// `GET /incidents`
pub(crate) async fn show(
    State(console): State<Console>,
    context: Context,
    Query(filter): Query<Filter>,
) -> Result<Response, Failure> {
    context.reader()?;
    let (wanted, mut problem) = filter.resolve();
    let mut after = given(&filter.after);
    let request = PageRequest { limit: PAGE, after: after.clone() };
    let found = match console.state.incidents(&wanted, &request).await {
        Err(StateError::BadCursor(_)) => {
            problem = Some("bad-page");
            after = None;
            console.state.incidents(&wanted, &PageRequest::first(PAGE)).await?
        }
        other => other?,
    };
    let pairs = filter.pairs();
    let pager = Pager::new("/incidents", &pairs, after.as_deref(), found.next.as_deref());
    page(&IncidentsPage {
        t: context.t,
        shell: context.shell(Section::Incidents),
        filtered: pairs.iter().any(|(_, value)| !value.is_empty()),
        incidents: rows::rows(&console.state, context.t, found.items).await?,
        filter,
        problem,
        pager,
    })
}

/// The text unless it is blank.
pub(crate) fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The first instant of a day in UTC.
fn start_of(day: &str) -> Option<Timestamp> {
    let date: Date = day.parse().ok()?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(midnight.timestamp().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_says_what_it_cannot_read() {
        let filter = Filter {
            severity: "high".into(),
            status: "unclosed".into(),
            from: "2026-01-05".into(),
            to: "2026-01-05".into(),
            text: "  ".into(),
            ..Filter::default()
        };
        let (wanted, problem) = filter.resolve();
        assert_eq!(problem, None);
        assert_eq!(wanted.min_severity, Some(Severity::High));
        assert_eq!(wanted.status.len(), 2);
        assert_eq!(wanted.text, None);
        assert_eq!(wanted.from, Timestamp::parse("2026-01-05T00:00:00Z").ok());
        assert_eq!(wanted.to, Timestamp::parse("2026-01-06T00:00:00Z").ok());
        let bad = Filter { from: "soon".into(), ..Filter::default() };
        assert_eq!(bad.resolve().1, Some("bad-date"));
    }
}
