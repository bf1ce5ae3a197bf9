//! What is going on?

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use vigie_event::{Severity, Timestamp};
use vigie_store::state::{IncidentFilter, IncidentSort, PageRequest};

use super::model_card::ModelCard;
use super::rows::{self, IncidentRow};
use crate::console::Console;
use crate::context::{Context, page};
use crate::failure::Failure;
use crate::i18n::Text;
use crate::query;
use crate::shell::{Section, Shell};
use crate::shown::Shown;

/// Seconds that the figures look back.
const DAY_S: i64 = 86_400;
/// Incidents in the table.
const LATEST: u64 = 8;
/// Entries of each list of the most active.
const TOP: usize = 6;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    t: Text,
    shell: Shell,
    severities: Vec<Tile>,
    active_bans: u64,
    open_tickets: u64,
    incidents: Vec<IncidentRow>,
    alerts_in_day: u64,
    hours: Vec<Hour>,
    rules: Vec<Bar>,
    sources: Vec<Bar>,
    model: Option<ModelCard>,
}

struct Tile {
    level: Severity,
    count: u64,
}

struct Hour {
    start: Timestamp,
    count: u64,
}

struct Bar {
    label: Shown,
    href: String,
    count: u64,
    share: u8,
}

/// `GET /`
pub(crate) async fn show(
    State(console): State<Console>,
    context: Context,
) -> Result<Response, Failure> {
    context.reader()?;
    let t = context.t;
    let now = console.clock.now();
    let overview = console.state.overview(now.plus_seconds(-DAY_S), now).await?;
    let filter = IncidentFilter { sort: IncidentSort::Newest, ..IncidentFilter::default() };
    let latest = console.state.incidents(&filter, &PageRequest::first(LATEST)).await?;
    let rules = overview.top_rules.iter().map(|rule| {
        let href = format!("/incidents{}", query::build(&[("rule", &rule.id)]));
        (Shown::brief(t.pick(&rule.title)), href, rule.alerts)
    });
    let sources = overview.top_sources.iter().map(|source| {
        let href = format!("/incidents{}", query::build(&[("text", &source.address)]));
        (Shown::cut(&source.address, 64), href, source.alerts)
    });
    page(&OverviewPage {
        t,
        shell: context.shell(Section::Overview),
        severities: overview
            .open_incidents
            .iter()
            .map(|(level, count)| Tile { level: *level, count: *count })
            .collect(),
        active_bans: overview.active_bans,
        open_tickets: overview.open_tickets,
        incidents: rows::rows(&console.state, t, latest.items).await?,
        alerts_in_day: overview.alerts_per_hour.iter().map(|hour| hour.alerts).sum(),
        model: ModelCard::read(&console.state, t).await?,
        rules: bars(rules),
        sources: bars(sources),
        hours: overview
            .alerts_per_hour
            .iter()
            .map(|hour| Hour { start: hour.hour, count: hour.alerts })
            .collect(),
    })
}

/// Bars as long as their counts are to the greatest.
fn bars(entries: impl Iterator<Item = (Shown, String, u64)>) -> Vec<Bar> {
    let entries: Vec<_> = entries.take(TOP).collect();
    let most = entries.iter().map(|(_, _, count)| *count).max().unwrap_or_default().max(1);
    entries
        .into_iter()
        .map(|(label, href, count)| {
            let share = u8::try_from(count.saturating_mul(100) / most).unwrap_or(100);
            Bar { label, href, count, share: share.max(2) }
        })
        .collect()
}
