//! `vigie analyze`: the batch assistant.

use std::io::{IsTerminal, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use vigie_analyzer::alertfile::{self, Report};

use crate::cli::{AnalyzeArgs, Global};
use crate::output;

/// A file of alerts is read whole; larger ones are for `vigie scan`.
const MOST_BYTES: u64 = 512 << 20;

pub fn run(global: &Global, args: &AnalyzeArgs) -> anyhow::Result<ExitCode> {
    let lang = global.lang();
    let name = args.file.display().to_string();
    let text = read(&args.file).with_context(|| format!("cannot read {name}"))?;
    let (alerts, problems) = alertfile::read(&text);
    for problem in &problems {
        output::complain(&anyhow::anyhow!("{name}:{}", problem.sentence(lang)), lang);
    }
    if alerts.is_empty() {
        bail!("{name}: {}", lang.pick("no alert in it", "aucune alerte dedans"));
    }
    let bar = progress(global, alerts.len() as u64);
    let judged = alerts
        .into_iter()
        .map(|alert| {
            bar.inc(1);
            alertfile::judge(alert)
        })
        .collect();
    bar.finish_and_clear();
    let failed = !problems.is_empty();
    let mut report = Report::gather(judged, problems);
    if let Some(least) = args.severity {
        report = report.at_least(least);
    }
    let mut out = output::stdout();
    if global.json {
        for alert in &report.alerts {
            output::json_line(&mut out, &serde_json::to_value(alert)?)?;
        }
        output::json_line(&mut out, &serde_json::to_value(&report.statistics)?)?;
    } else {
        write!(out, "{}", report.render(lang))?;
    }
    out.flush()?;
    if let Some(path) = &args.report {
        let text = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => serde_json::to_string_pretty(&report)?,
            Some("md" | "txt") => report.render(lang),
            _ => bail!("{}: a report of alerts is .json or .md", path.display()),
        };
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        tracing::info!("report written to {}", path.display());
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read(path: &std::path::Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(MOST_BYTES).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 == MOST_BYTES {
        bail!("over {} MiB of alerts; split the file", MOST_BYTES >> 20);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let line =
                error.as_bytes().iter().take(valid).filter(|byte| **byte == b'\n').count() + 1;
            bail!("line {line}: not UTF-8; convert it, such as with `iconv -t utf-8`")
        }
    }
}

/// `[x/total]` and a bar, on a terminal only.
fn progress(global: &Global, total: u64) -> ProgressBar {
    if global.quiet > 0 || global.json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template("[{pos}/{len}] {bar:40} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
