//! `GET /metrics`: the centre's figures in Prometheus' text format (version 0.0.4), for programs on
//! this machine and for people who are signed in. They carry no addresses, names or texts of logs.

use std::fmt::Write;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use vigie_event::ModelStatus;
use vigie_store::state::{Agreement, Overview};

use crate::console::Console;
use crate::context::Context;
use crate::failure::Failure;
use crate::live::Counters;

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// What a proxy on this machine adds to requests from others.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// `GET /metrics`
pub(crate) async fn show(
    State(console): State<Console>,
    context: Context,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
    let is_here = context.address.is_some_and(|address| address.is_loopback()) && !forwarded;
    if !is_here {
        context.reader()?;
    }
    let now = console.clock.now();
    let overview = console.state.overview(now.plus_seconds(-86_400), now).await?;
    let model = console.state.model_status().await?;
    let agreement = console.state.agreement().await?;
    let counters = console.counters.as_ref().map(|counters| *counters.borrow());
    let text = text(counters, &overview, model.as_ref(), agreement);
    Ok(([(CONTENT_TYPE, FORMAT)], text).into_response())
}

/// One metric after the other, each with its help and type.
#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn add(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.head(name, kind, help);
        self.row(name, "", value);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.add(name, "counter", help, value as f64);
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.add(name, "gauge", help, value as f64);
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// `labels` in braces, made of fixed words alone.
    fn row(&mut self, name: &str, labels: &str, value: f64) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

fn text(
    counters: Option<Counters>,
    overview: &Overview,
    model: Option<&ModelStatus>,
    agreement: Agreement,
) -> String {
    let mut out = Exposition::default();
    out.head("vigie_build_info", "gauge", "The running version.");
    let version = concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    out.row("vigie_build_info", version, 1.0);
    if let Some(counters) = counters {
        out.counter("vigie_events_total", "Events read since the start.", counters.events);
        out.counter(
            "vigie_events_unparsed_total",
            "Of these, records that no parser knew.",
            counters.unparsed,
        );
        out.counter("vigie_alerts_total", "Alerts raised since the start.", counters.alerts);
        out.counter(
            "vigie_incidents_total",
            "Incidents opened since the start.",
            counters.incidents,
        );
        out.counter(
            "vigie_records_lost_total",
            "Records lost since the start, for whatever reason.",
            counters.lost,
        );
        out.gauge(
            "vigie_detection_behind_records",
            "Records in the journal that wait for detection.",
            counters.behind,
        );
    }
    out.head("vigie_incidents_open", "gauge", "Incidents that are not closed.");
    for (severity, count) in &overview.open_incidents {
        let labels = format!("{{severity=\"{}\"}}", severity.name());
        out.row("vigie_incidents_open", &labels, *count as f64);
    }
    out.head("vigie_bans_active", "gauge", "Bans in force.");
    let real = overview.active_bans.saturating_sub(overview.simulated_bans);
    out.row("vigie_bans_active", "{mode=\"enforce\"}", real as f64);
    out.row("vigie_bans_active", "{mode=\"dry_run\"}", overview.simulated_bans as f64);
    out.gauge("vigie_tickets_open", "Tickets that are open.", overview.open_tickets);
    out.gauge(
        "vigie_decisions_awaiting_approval",
        "Decisions that await approval.",
        overview.awaiting_approval,
    );
    out.gauge("vigie_effects_given_up", "Effects that were given up.", overview.dead_letters);
    if let Some(model) = model {
        add_model(&mut out, model);
    }
    if agreement.verdicts > 0 {
        out.gauge(
            "vigie_second_verdicts",
            "Kept verdicts of a language model.",
            agreement.verdicts,
        );
        out.gauge(
            "vigie_second_verdicts_agreeing",
            "Of these, those with the severity and category of the first verdict.",
            agreement.agree,
        );
        out.add(
            "vigie_second_verdicts_agreement_ratio",
            "gauge",
            "Share of second verdicts that agree with the first.",
            agreement.agree as f64 / agreement.verdicts as f64,
        );
    }
    out.0
}

fn add_model(out: &mut Exposition, model: &ModelStatus) {
    out.gauge(
        "vigie_model_reachable",
        "Whether the language model's server answered last.",
        model.reachable.into(),
    );
    if let Some(enforced) = model.schema_enforced {
        out.gauge(
            "vigie_model_schema_enforced",
            "Whether it holds answers to the schema, by the probe.",
            enforced.into(),
        );
    }
    if let Some(latency) = model.latency_ms {
        out.add(
            "vigie_model_probe_seconds",
            "gauge",
            "How long it took to answer the probe.",
            f64::from(latency) / 1e3,
        );
    }
    for (name, help, value) in [
        ("vigie_model_verdicts_total", "Second verdicts given since the start.", model.verdicts),
        ("vigie_model_cached_total", "Of these, known already.", model.cached),
        ("vigie_model_repaired_total", "Answers that had to be repaired.", model.repaired),
        ("vigie_model_fallbacks_total", "Incidents without a usable answer.", model.fallbacks),
    ] {
        out.counter(name, help, value);
    }
    out.gauge("vigie_model_waiting", "Incidents that wait for a second verdict.", model.waiting);
    out.gauge("vigie_model_tokens_today", "Tokens used today (UTC).", model.tokens_today);
}
