//! `vigie scan`: finished logs through the whole chain.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use serde::Serialize;
use vigie_event::{Lang, json, wire};
use vigie_sigma::RuleSet;

use crate::cli::{Global, ScanArgs};
use crate::config::Config;
use crate::offline::{Chain, Judged, Rank, Terms};
use crate::report::{self, Findings};
use crate::rulebook::Rulebook;
use crate::{input, live, output, shipped};

/// Bytes of findings that are gathered before they are written: so many pass by the buffer.
const WRITTEN_AT_ONCE: usize = 64 * 1024;

pub fn run(global: &Global, args: &ScanArgs) -> anyhow::Result<ExitCode> {
    let report_form = args.report.as_deref().map(report::Form::of).transpose()?;
    let (rules, terms, timezone) = settle(args)?;
    let lang = global.lang();
    let mut input = args.input.clone();
    input.timezone = input.timezone.or(timezone);
    let (mut inputs, mut errors) = input::open_all(&input)?;
    if inputs.is_empty() {
        // Nothing was looked at, so nothing is said of what was found.
        complain_all(&errors, lang);
        return Ok(ExitCode::FAILURE);
    }
    let mut out = output::stdout();
    let mut kept = Kept::new(if args.report.is_some() { usize::MAX } else { report::SHOWN });
    let mut lines = Vec::new();
    let mut chain = Chain::new(Arc::clone(&rules), terms, lang, |judged| {
        if global.json {
            add_json(&mut lines, &judged, lang)?;
            if lines.len() >= WRITTEN_AT_ONCE {
                out.write_all(&lines)?;
                lines.clear();
            }
        }
        if !global.json || args.report.is_some() {
            kept.take(judged);
        }
        anyhow::Ok(if global.json { None } else { kept.bar })
    });
    errors.extend(input::merge(&mut inputs, |event| chain.observe(event))?);
    let mut lost = BTreeMap::new();
    for input in &inputs {
        for (reason, count) in input.lost() {
            *lost.entry(reason).or_default() += count;
        }
    }
    let summary = chain.finish(lost)?;
    out.write_all(&lines)?;
    let findings = Findings { summary, worst: kept.worst_first() };
    if global.json {
        output::json_line(&mut out, &wire::stats(&findings.summary.stats))?;
    } else {
        report::terminal(&mut out, &findings, &rules, lang, output::Paint::for_stdout(global))?;
    }
    out.flush()?;
    if let (Some(path), Some(form)) = (&args.report, report_form) {
        report::write(path, form, &findings, &rules, lang)?;
        tracing::info!("report written to {}", path.display());
    }
    complain_all(&errors, lang);
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Rules, terms and time zone: those of the configuration that is named, else the built-in ones.
fn settle(args: &ScanArgs) -> anyhow::Result<(Arc<RuleSet>, Terms, Option<String>)> {
    let config = args
        .config
        .as_deref()
        .map(|path| Config::load(Some(path), std::env::vars()))
        .transpose()?;
    let (rules, diagnostics) = match &config {
        Some(config) if args.rules.is_empty() => {
            let loaded = Rulebook::of(config, &config.data_dir(None)?).load(None)?;
            (loaded.rules, loaded.diagnostics)
        }
        _ => {
            let (rules, diagnostics) = shipped::load(&args.rules)?;
            (Arc::new(rules), diagnostics)
        }
    };
    for diagnostic in &diagnostics {
        tracing::warn!("{diagnostic}");
    }
    if rules.rules().is_empty() {
        bail!("no rule could be loaded");
    }
    let Some(config) = config else { return Ok((rules, Terms::default(), None)) };
    let terms = Terms {
        settings: live::detector_settings(&config),
        known: config.analysis.known(),
        planted: config.analysis.planted()?,
        policy: live::load_policy(&config)?,
        allow: live::allowlist(&config)?,
    };
    Ok((rules, terms, Some(config.timezone).filter(|name| !name.is_empty())))
}

fn complain_all(errors: &[anyhow::Error], lang: Lang) {
    for error in errors {
        output::complain(error, lang);
    }
}

/// The worst incidents, as many as are to be shown.
struct Kept {
    most: usize,
    judged: Vec<Judged>,
    /// What an incident must be worse than to be one of them.
    bar: Option<Rank>,
}

impl Kept {
    fn new(most: usize) -> Self {
        Self { most, judged: Vec::new(), bar: None }
    }

    fn take(&mut self, judged: Judged) {
        self.judged.push(judged);
        if self.judged.len() >= self.most.saturating_mul(2) {
            self.sort();
            self.judged.truncate(self.most);
            self.bar = self.judged.last().map(Judged::rank);
        }
    }

    /// Stable: of two equally bad ones the older stays first.
    fn sort(&mut self) {
        self.judged.sort_by_key(|one| Reverse(one.rank()));
    }

    fn worst_first(mut self) -> Vec<Judged> {
        self.sort();
        self.judged.truncate(self.most);
        self.judged
    }
}

/// Adds a line for each thing found. These are most of what is written, often.
fn add_json(lines: &mut Vec<u8>, judged: &Judged, lang: Lang) -> serde_json::Result<()> {
    let Judged { alerts, incident, verdict, decisions } = judged;
    for alert in alerts {
        add_line(lines, &wire::alert(alert, lang))?;
    }
    add_line(lines, &wire::incident(incident, lang))?;
    add_line(lines, &wire::verdict(verdict, lang))?;
    for decision in decisions {
        add_line(lines, &wire::decision(decision, lang))?;
    }
    Ok(())
}

fn add_line(lines: &mut Vec<u8>, object: &impl Serialize) -> serde_json::Result<()> {
    json::write(lines, object)?;
    lines.push(b'\n');
    Ok(())
}
