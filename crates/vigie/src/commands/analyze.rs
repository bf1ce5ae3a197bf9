//! `vigie analyze`: the batch assistant.

use std::borrow::Cow;
use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use vigie_analyzer::alertfile::{self, ReadAlert, Report};
use vigie_event::{Clock, Event, EventKind, Lang, Severity, SystemClock, Timestamp, Value, field};
use vigie_sigma::{Matcher, RuleIndex, RuleSet};

use crate::cli::{AnalyzeArgs, Global};
use crate::report::alerts::{About, json_text, render};
use crate::report::alerts_terminal::{Detail, terminal};
use crate::report::{Form, save};
use crate::{output, shipped};

/// A file of alerts is read whole; larger ones are for `vigie scan`.
const MOST_BYTES: u64 = 512 << 20;

pub fn run(global: &Global, args: &AnalyzeArgs) -> anyhow::Result<ExitCode> {
    let form = args.report.as_deref().map(Form::of).transpose()?;
    let lang = global.lang();
    let name = args.file.display().to_string();
    let text = read(&args.file, lang).with_context(|| cannot_read(&name, lang))?;
    let began = Instant::now();
    let reading = alertfile::read(&text);
    for problem in &reading.problems {
        output::complain(&anyhow::anyhow!("{name}:{}", problem.sentence(lang)), lang);
    }
    if reading.alerts.is_empty() {
        bail!("{name}: {}", lang.pick("no alert to analyse", "aucune alerte à analyser"));
    }
    let mut ear = Ear::open()?;
    let bar = progress(global, reading.alerts.len() as u64);
    let judged = reading
        .alerts
        .into_iter()
        .map(|alert| {
            bar.inc(1);
            let speaks = ear.hears(&alert);
            let mut judged = alertfile::judge(alert);
            if speaks {
                judged.note_injection();
            }
            judged
        })
        .collect();
    bar.finish_and_clear();
    let failed = !reading.problems.is_empty();
    let mut report = Report::gather(judged, reading.problems, reading.passed_over);
    if let Some(least) = args.severity {
        report = report.at_least(least);
    }
    let made = SystemClock.now();
    let about = About { file: &name, made, seconds: began.elapsed().as_secs_f64() };
    print(global, &report, &about)?;
    if let (Some(path), Some(form)) = (&args.report, form) {
        save(path, &render(form, &report, &about, lang)?)?;
        tell(told(path, lang.pick("report written to", "rapport écrit dans"), global));
    }
    if !args.no_save {
        keep(global, args.save.as_deref(), &report, &about)?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Bytes of an alert's texts that are listened to.
const MOST_HEARD: usize = 64 << 10;

/// Hears whether an alert speaks to language models, by the shipped rules for that.
struct Ear {
    rules: Arc<RuleSet>,
    matcher: Matcher,
    event: Event,
}

impl Ear {
    fn open() -> anyhow::Result<Self> {
        let files: Vec<_> = shipped::rule_files()
            .into_iter()
            .filter(|file| file.name.ends_with(INJECTIONS))
            .collect();
        let rules = Arc::new(shipped::compile(&files)?.0);
        Ok(Self { matcher: Matcher::new(Arc::clone(&rules)), rules, event: Event::default() })
    }

    /// Whether a text of `alert` speaks to a model, under whatever name it stands, as it is or as a
    /// URL would be decoded.
    fn hears(&mut self, alert: &ReadAlert) -> bool {
        let mut texts = String::new();
        alert.fields.values().for_each(|value| gather(value, &mut texts));
        let (_, mut fields) = self.event.fields_mut();
        fields.clear();
        fields.value(field::MESSAGE, Value::Made(texts.into()));
        self.event.kind = EventKind::Unparsed;
        let speaks = |index: &RuleIndex| {
            let rule = self.rules.rule(*index).map(|rule| &rule.reference);
            rule.is_some_and(|rule| rule.level > Severity::Informational)
        };
        self.matcher.matches(&self.event).iter().any(speaks)
    }
}

/// The file of the rules about texts that speak to models.
const INJECTIONS: &str = "llm_injection.yml";

/// As much of `text` as is listened to after so many bytes.
fn cut(text: &str, heard: usize) -> &str {
    let room = MOST_HEARD.saturating_sub(heard).min(text.len());
    text.get(..text.floor_char_boundary(room)).unwrap_or_default()
}

/// Adds all texts in `value`, a line each, and a URL's as it decodes too.
fn gather(value: &serde_json::Value, texts: &mut String) {
    match value {
        serde_json::Value::String(text) => {
            let text = cut(text, texts.len());
            texts.extend([text, "\n"]);
            if let Cow::Owned(decoded) = vigie_parser::decode_url(text) {
                texts.extend([cut(&decoded, texts.len()), "\n"]);
            }
        }
        serde_json::Value::Array(members) => {
            for member in members {
                gather(member, texts);
            }
        }
        serde_json::Value::Object(fields) => {
            for field in fields.values() {
                gather(field, texts);
            }
        }
        _ => {}
    }
}

fn print(global: &Global, report: &Report, about: &About<'_>) -> anyhow::Result<()> {
    let lang = global.lang();
    let mut out = output::stdout();
    if global.json {
        for alert in &report.alerts {
            output::json_line(&mut out, &kind("analysis_alert", serde_json::to_value(alert)?))?;
        }
        for chain in &report.chains {
            output::json_line(&mut out, &kind("analysis_course", serde_json::to_value(chain)?))?;
        }
        let mut statistics = kind("stats", serde_json::to_value(&report.statistics)?);
        if let Some(fields) = statistics.as_object_mut() {
            let each = about.seconds * 1e3 / report.alerts.len().max(1) as f64;
            fields.insert("seconds".to_owned(), about.seconds.into());
            fields.insert("ms_per_alert".to_owned(), each.into());
            fields.insert("passed_over".to_owned(), report.passed_over.into());
        }
        output::json_line(&mut out, &statistics)?;
    } else {
        let detail = match i16::from(global.verbose) - i16::from(global.quiet) {
            ..=-1 => Detail::Short,
            0 => Detail::Usual,
            1.. => Detail::Long,
        };
        terminal(&mut out, report, about, (lang, output::Paint::for_stdout(global), detail))?;
    }
    out.flush()?;
    Ok(())
}

fn kind(kind: &str, mut object: serde_json::Value) -> serde_json::Value {
    if let Some(fields) = object.as_object_mut() {
        fields.insert("kind".to_owned(), kind.into());
    }
    object
}

/// Keeps the results as `vigie-analysis-20260105T101213Z.json`; a name that is taken gets a number.
/// Where nobody named the folder, one that cannot be written to is no failure.
fn keep(
    global: &Global,
    folder: Option<&Path>,
    report: &Report,
    about: &About<'_>,
) -> anyhow::Result<()> {
    let lang = global.lang();
    let place = folder.unwrap_or_else(|| Path::new("."));
    let text = json_text(report, about)?;
    match write_new(place, about.made, &text) {
        Ok(path) => {
            let path = path.strip_prefix(".").unwrap_or(&path).to_owned();
            tell(told(&path, lang.pick("results kept in", "résultats conservés dans"), global));
            Ok(())
        }
        Err(error) if folder.is_some() => {
            Err(error).with_context(|| format!("cannot write into {}", place.display()))
        }
        Err(error) => {
            let why = lang.pick(
                "the results are not kept: the current folder cannot be written to (--save DIR names another, --no-save none)",
                "les résultats ne sont pas conservés : le dossier courant n’est pas accessible en écriture (--save DOSSIER en nomme un autre, --no-save aucun)",
            );
            output::complain(&anyhow::Error::from(error).context(why), lang);
            Ok(())
        }
    }
}

fn write_new(folder: &Path, made: Timestamp, text: &str) -> std::io::Result<PathBuf> {
    let instant: jiff::Timestamp = made.into();
    let stamp = instant.strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut number = 1;
    loop {
        let name = match number {
            1 => format!("vigie-analysis-{stamp}.json"),
            _ => format!("vigie-analysis-{stamp}-{number}.json"),
        };
        let path = folder.join(name);
        match std::fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())?;
                return Ok(path);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && number < 1_000 => {
                number += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// A line for stderr; none where quiet was asked for.
fn told(path: &Path, what: &str, global: &Global) -> Option<String> {
    (global.quiet == 0).then(|| format!("{what} {}", path.display()))
}

fn tell(line: Option<String>) {
    if let Some(line) = line {
        // Nothing is left to be told when stderr is gone too.
        let _ = writeln!(std::io::stderr(), "{}", output::inert(&line));
    }
}

fn cannot_read(name: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("cannot read {name}"),
        Lang::Fr => format!("lecture impossible de {name}"),
    }
}

fn read(path: &Path, lang: Lang) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        unpack(std::io::BufReader::new(std::io::stdin()), &mut bytes)?;
    } else {
        let file = std::fs::File::open(path).with_context(|| {
            lang.pick(
                "check the path; an example of a file of alerts stands in docs/examples/alerts.json",
                "vérifier le chemin ; un exemple de fichier d’alertes se trouve dans docs/examples/alerts.json",
            )
        })?;
        unpack(std::io::BufReader::new(file), &mut bytes)?;
    }
    if bytes.len() as u64 == MOST_BYTES {
        bail!("over {} MiB of alerts; split the file", MOST_BYTES >> 20);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let before = error.as_bytes().get(..valid).unwrap_or_default();
            let line = before.split(|byte| *byte == b'\n').count();
            let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let column = valid - start + 1;
            match lang {
                Lang::En => bail!(
                    "line {line}, column {column}: not UTF-8; convert it, such as with `iconv -t utf-8`"
                ),
                Lang::Fr => bail!(
                    "ligne {line}, colonne {column} : pas de l’UTF-8 ; le convertir, par exemple avec `iconv -t utf-8`"
                ),
            }
        }
    }
}

/// Reads the whole input, decompressed; at most what is too much by one byte.
fn unpack(input: impl BufRead + Send, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    vigie_sensor::unpacked(input)?.take(MOST_BYTES).read_to_end(bytes).map(drop)
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
