//! `vigie scan`: finished logs through the whole chain.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use vigie_event::{Lang, wire};

use crate::cli::{Global, ScanArgs};
use crate::offline::{Chain, Findings};
use crate::report;
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
    let mut chain = Chain::new(Arc::clone(&rules));
    let mut inputs = input::open_all(&args.input)?;
    let errors = input::merge(&mut inputs, |event| chain.observe(event));
    let mut lost = BTreeMap::new();
    for input in &inputs {
        for (reason, count) in input.lost() {
            *lost.entry(reason).or_default() += count;
        }
    }
    let findings = chain.finish(lost);

    let lang = global.lang();
    let mut out = output::stdout();
    if global.json {
        print_json(&mut out, &findings, lang)?;
    } else {
        report::terminal(&mut out, &findings, &rules, lang, output::Paint::for_stdout(global))?;
    }
    out.flush()?;
    if let (Some(path), Some(form)) = (&args.report, report_form) {
        report::write(path, form, &findings, &rules, lang)?;
        tracing::info!("report written to {}", path.display());
    }
    for error in &errors {
        output::complain(error);
    }
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_json(out: &mut impl Write, findings: &Findings, lang: Lang) -> anyhow::Result<()> {
    for alert in &findings.alerts {
        output::json_line(out, &wire::alert(alert, lang))?;
    }
    for judged in &findings.incidents {
        output::json_line(out, &wire::incident(&judged.incident, lang))?;
        output::json_line(out, &wire::verdict(&judged.verdict, lang))?;
        for decision in &judged.decisions {
            output::json_line(out, &wire::decision(decision))?;
        }
    }
    output::json_line(out, &wire::stats(&findings.stats))?;
    Ok(())
}
