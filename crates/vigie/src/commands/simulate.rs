//! `vigie simulate`: the sensor that makes events.

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use vigie_event::{Clock, Format, Lang, SystemClock, Timestamp};
use vigie_sensor::simulate::{self, SCENARIOS, Simulated};

use crate::cli::{Global, SimulateArgs};
use crate::output;

/// Records sent in one request at most.
const BATCH: usize = 500;
/// Records are sent at latest this long after the first of them.
const BATCH_TIME: Duration = Duration::from_millis(200);

pub fn run(global: &Global, args: &SimulateArgs) -> anyhow::Result<ExitCode> {
    if args.list {
        return list(global);
    }
    if args.rate.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
        bail!("--rate: a number over 0, in events a second");
    }
    let start = match &args.start {
        Some(text) => Timestamp::parse(text).with_context(|| {
            format!("--start `{text}` is not RFC 3339, such as 2026-01-31T10:00:00Z")
        })?,
        None => SystemClock.now(),
    };
    let Some(records) = simulate::scenario(&args.scenario, args.seed, start) else {
        bail!("no scenario `{}`; `vigie simulate --list` names them", args.scenario);
    };
    match &args.to {
        Some(url) => send(url, records, args.rate, global.lang()),
        None => print(records, args.rate),
    }
}

fn list(global: &Global) -> anyhow::Result<ExitCode> {
    let mut out = output::stdout();
    for scenario in SCENARIOS {
        let description = scenario.description(global.lang());
        if global.json {
            let object = serde_json::json!({
                "kind": "scenario", "name": scenario.name, "description": description,
            });
            output::json_line(&mut out, &object)?;
        } else {
            writeln!(out, "{:<24} {description}", scenario.name)?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn print(records: impl Iterator<Item = Simulated>, rate: Option<f64>) -> anyhow::Result<ExitCode> {
    let mut out = output::stdout();
    for record in records {
        if let Some(rate) = rate {
            out.flush()?;
            std::thread::sleep(Duration::from_secs_f64(1.0 / rate));
        }
        writeln!(out, "{}", record.line)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Sends events to an agents' interface: the agents' own to `/collect`, log lines to `/ingest`.
fn send(
    url: &str,
    records: impl Iterator<Item = Simulated>,
    rate: Option<f64>,
    lang: Lang,
) -> anyhow::Result<ExitCode> {
    let token = std::env::var("VIGIE_AGENTS_TOKEN").unwrap_or_default();
    if token.is_empty() {
        bail!("set VIGIE_AGENTS_TOKEN to the centre's token (`vigie up` says where it is)");
    }
    let mut client = Client { base: url.trim_end_matches('/').to_owned(), token, sent: 0 };
    let mut gathered: Vec<Simulated> = Vec::new();
    let mut first = Instant::now();
    for record in records {
        let pause = rate.map_or(record.pause, |rate| Duration::from_secs_f64(1.0 / rate));
        let other = gathered.last().is_some_and(|last| last.source != record.source);
        let late = first.elapsed() + pause >= BATCH_TIME;
        if !gathered.is_empty() && (other || late || gathered.len() >= BATCH) {
            client.post(&gathered)?;
            gathered.clear();
        }
        std::thread::sleep(pause);
        if gathered.is_empty() {
            first = Instant::now();
        }
        gathered.push(record);
    }
    if !gathered.is_empty() {
        client.post(&gathered)?;
    }
    tracing::info!("{} {}", client.sent, lang.pick("events sent", "événements envoyés"));
    Ok(ExitCode::SUCCESS)
}

struct Client {
    base: String,
    token: String,
    sent: usize,
}

impl Client {
    fn post(&mut self, records: &[Simulated]) -> anyhow::Result<()> {
        let Some(first) = records.first() else { return Ok(()) };
        let mut body = String::new();
        for record in records {
            body.push_str(&record.line);
            body.push('\n');
        }
        let (path, kind) = if first.format == Format::Seed {
            ("/collect".to_owned(), "application/x-ndjson")
        } else {
            (format!("/ingest?as={}&source={}", first.format, first.source), "text/plain")
        };
        let answer = ureq::post(format!("{}{path}", self.base))
            .header("X-Auth-Token", &self.token)
            .header("Content-Type", kind)
            .config()
            .timeout_global(Some(Duration::from_secs(30)))
            .http_status_as_error(false)
            .build()
            .send(body.as_bytes());
        let mut answer = answer
            .with_context(|| format!("cannot reach {}: is `vigie up` running there?", self.base))?;
        if !answer.status().is_success() {
            let text = answer.body_mut().read_to_string().unwrap_or_default();
            bail!("{}{path} answered {}: {text}", self.base, answer.status());
        }
        self.sent += records.len();
        Ok(())
    }
}
