//! `vigie scan`: finished logs through the whole chain.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use serde::Serialize;
use vigie_event::{Lang, json, wire};

use crate::cli::{Global, ScanArgs};
use crate::offline::{Chain, Judged};
use crate::report::{self, Findings};
use crate::{input, output, shipped};

pub fn run(global: &Global, args: &ScanArgs) -> anyhow::Result<ExitCode> {
    let report_form = args.report.as_deref().map(report::Form::of).transpose()?;
    let (rules, diagnostics) = shipped::load(&args.rules)?;
    for diagnostic in &diagnostics {
        tracing::warn!("{diagnostic}");
    }
    if rules.rules().is_empty() {
        bail!("no rule could be loaded");
    }
    let rules = Arc::new(rules);
    let lang = global.lang();
    let (mut inputs, mut errors) = input::open_all(&args.input)?;
    if inputs.is_empty() {
        // Nothing was looked at, so nothing is said of what was found.
        complain_all(&errors, lang);
        return Ok(ExitCode::FAILURE);
    }
    let mut out = output::stdout();
    let mut kept = Kept::new(if args.report.is_some() { usize::MAX } else { report::SHOWN });
    let mut lines = Vec::new();
    let mut chain = Chain::new(Arc::clone(&rules), lang, |judged| {
        if global.json {
            lines.clear();
            add_json(&mut lines, &judged, lang)?;
            out.write_all(&lines)?;
        }
        if !global.json || args.report.is_some() {
            kept.take(judged);
        }
        anyhow::Ok(())
    });
    errors.extend(input::merge(&mut inputs, |event| chain.observe(event))?);
    let mut lost = BTreeMap::new();
    for input in &inputs {
        for (reason, count) in input.lost() {
            *lost.entry(reason).or_default() += count;
        }
    }
    let summary = chain.finish(lost)?;
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

fn complain_all(errors: &[anyhow::Error], lang: Lang) {
    for error in errors {
        output::complain(error, lang);
    }
}

/// The worst incidents, as many as are to be shown.
struct Kept {
    most: usize,
    judged: Vec<Judged>,
}

impl Kept {
    fn new(most: usize) -> Self {
        Self { most, judged: Vec::new() }
    }

    fn take(&mut self, judged: Judged) {
        self.judged.push(judged);
        if self.judged.len() >= self.most.saturating_mul(2) {
            self.sort();
            self.judged.truncate(self.most);
        }
    }

    /// Stable: of two equally bad ones the older stays first.
    fn sort(&mut self) {
        self.judged.sort_by_key(|one| Reverse((one.verdict.severity, one.verdict.confidence)));
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
