//! What a scan has found, for people: on the terminal, or as a report in a file.

pub mod alerts;
pub mod alerts_terminal;
mod chart;
mod page;
mod terminal;

use std::path::Path;

use anyhow::{Context, bail};
use serde_json::json;
use vigie_event::{Decision, Lang, Timestamp, Verdict, wire};
use vigie_sigma::RuleSet;

use crate::offline::{Judged, Summary};

pub use terminal::{SHOWN, terminal};

/// What a report shows.
pub struct Findings {
    /// Totals over everything.
    pub summary: Summary,
    /// Incidents, worst first: all of them for a file, some for the terminal.
    pub worst: Vec<Judged>,
}

/// The forms of a report in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Html,
    Markdown,
    Json,
}

impl Form {
    /// The form that a file's name asks for.
    pub fn of(path: &Path) -> anyhow::Result<Self> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("html" | "htm") => Ok(Self::Html),
            Some("md" | "markdown") => Ok(Self::Markdown),
            Some("json") => Ok(Self::Json),
            _ => bail!("{}: a report is .html, .md or .json", path.display()),
        }
    }
}

/// Writes a report.
pub fn write(
    path: &Path,
    form: Form,
    findings: &Findings,
    rules: &RuleSet,
    lang: Lang,
) -> anyhow::Result<()> {
    let text = match form {
        Form::Html => page::html(findings, rules, lang)?,
        Form::Markdown => page::markdown(findings, rules, lang)?,
        Form::Json => json(findings, lang)?,
    };
    save(path, &text)
}

/// Writes a report's file.
pub fn save(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn json(findings: &Findings, lang: Lang) -> anyhow::Result<String> {
    let incidents: Vec<_> = findings
        .worst
        .iter()
        .map(|judged| {
            let alerts = judged.alerts.iter().map(|alert| wire::to_value(wire::alert(alert, lang)));
            json!({
                "incident": wire::to_value(wire::incident(&judged.incident, lang)),
                "alerts": alerts.collect::<Vec<_>>(),
                "verdict": wire::to_value(wire::verdict(&judged.verdict, lang)),
                "decisions": judged.decisions.iter().map(|decision| wire::to_value(wire::decision(decision, lang))).collect::<Vec<_>>(),
            })
        })
        .collect();
    let report = json!({ "stats": wire::to_value(wire::stats(&findings.summary.stats)), "incidents": incidents });
    Ok(serde_json::to_string_pretty(&report)?)
}

/// A time to the second, in UTC, as people read it.
pub fn moment(time: Timestamp) -> String {
    let instant: jiff::Timestamp = time.into();
    instant.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A number with its thousands set apart.
pub fn grouped(number: u64, lang: Lang) -> String {
    let digits = number.to_string();
    let separator = lang.pick(",", "\u{202F}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push_str(separator);
        }
        text.push(digit);
    }
    text
}

/// A decision in a line: `Ban the address: 203.0.113.7 for 4 h (simulated)`.
fn decided(decision: &Decision, lang: Lang) -> String {
    let target: Vec<&str> = decision.target.values().collect();
    let mut line = decision.action.label(lang).to_owned();
    if !target.is_empty() {
        line = format!("{line}{}{}", lang.pick(": ", " : "), target.join(", "));
    }
    if let Some(seconds) = decision.duration_s {
        line = format!("{line} {} {}", lang.pick("for", "pendant"), duration(seconds, lang));
    }
    format!("{line} ({})", decision.status.label(lang).to_lowercase())
}

/// A length of time in its largest whole unit.
pub fn duration(seconds: u64, lang: Lang) -> String {
    match seconds {
        s if s >= 86_400 && s.is_multiple_of(86_400) => {
            format!("{} {}", s / 86_400, lang.pick("d", "j"))
        }
        s if s >= 3_600 && s.is_multiple_of(3_600) => format!("{} h", s / 3_600),
        s if s >= 60 && s.is_multiple_of(60) => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// How sure a verdict is, and how likely a false positive.
fn certainty(verdict: &Verdict, lang: Lang) -> String {
    let (sure, wrong) = (verdict.confidence, verdict.false_positive);
    match lang {
        Lang::En => format!("confidence {sure}% · chance of a false positive {wrong}%"),
        Lang::Fr => format!("confiance {sure} % · risque de faux positif {wrong} %"),
    }
}

/// The score of automation in a line; nothing where there is too little to tell.
fn autonomy(verdict: &Verdict, lang: Lang) -> Option<String> {
    let score = verdict.autonomy.score?;
    let band = vigie_analyzer::autonomy::band_label(verdict.autonomy.band, lang);
    let signs = lang.pick("Signs of automation:", "Signes d’automatisation :");
    Some(format!("{signs} {score}/100, {band}"))
}

/// From the first event to the last.
fn period((first, last): (Timestamp, Timestamp), lang: Lang) -> String {
    let (first, last) = (moment(first), moment(last));
    match lang {
        Lang::En => format!("from {first} to {last} UTC"),
        Lang::Fr => format!("du {first} au {last} UTC"),
    }
}

/// What was lost, in words; the identifier where it has none.
pub fn loss(reason: &str, lang: Lang) -> &str {
    match reason {
        "cut_lines" => lang.pick("lines over 16 MiB, cut", "lignes de plus de 16 Mio, coupées"),
        "gaps" => lang.pick("gaps in a file", "trous dans un fichier"),
        "damaged_records" => lang.pick(
            "damaged records or chunks of a Windows event log",
            "enregistrements ou blocs endommagés d’un journal Windows",
        ),
        other => other,
    }
}

/// A count with what is counted, such as `1 alert`: singular and plural in English, then in
/// French.
pub fn counted(number: u64, lang: Lang, words: [&str; 4]) -> String {
    let [one, many, une, plusieurs] = words;
    let word = match lang {
        Lang::En => {
            if number == 1 {
                one
            } else {
                many
            }
        }
        // French counts nothing, too, in the singular.
        Lang::Fr => {
            if number < 2 {
                une
            } else {
                plusieurs
            }
        }
    };
    format!("{} {word}", grouped(number, lang))
}

#[cfg(test)]
mod tests {
    use vigie_event::{
        Action, DecisionId, DecisionStatus, FieldValues, IncidentId, Localized, Mode,
    };

    use super::*;

    #[test]
    fn decisions_are_read_in_the_readers_language() {
        let mut decision = Decision {
            id: DecisionId::default(),
            incident: IncidentId::default(),
            action: Action::BlockIp,
            target: [("source.ip".to_owned(), "203.0.113.7".to_owned())].into(),
            duration_s: Some(14_400),
            mode: Mode::DryRun,
            status: DecisionStatus::Simulated,
            policy: "high-ban".into(),
            reason: Localized::default(),
            created: Timestamp::default(),
            expires: None,
        };
        let en = decided(&decision, Lang::En);
        assert_eq!(en, "Ban the address: 203.0.113.7 for 4 h (simulated)");
        let fr = decided(&decision, Lang::Fr);
        assert_eq!(fr, "Bannir l’adresse : 203.0.113.7 pendant 4 h (simulée)");
        (decision.action, decision.duration_s) = (Action::Ignore, None);
        decision.target = FieldValues::default();
        assert_eq!(decided(&decision, Lang::Fr), "Ne rien faire (simulée)");
    }

    #[test]
    fn counts_agree_with_what_is_counted() {
        for (number, en, fr) in [
            (0, "0 alerts", "0 alerte"),
            (1, "1 alert", "1 alerte"),
            (2_000, "2,000 alerts", "2\u{202F}000 alertes"),
        ] {
            let words = ["alert", "alerts", "alerte", "alertes"];
            assert_eq!(counted(number, Lang::En, words), en);
            assert_eq!(counted(number, Lang::Fr, words), fr);
        }
    }

    #[test]
    fn numbers_and_durations_are_read_by_people() {
        assert_eq!(grouped(600_031, Lang::En), "600,031");
        assert_eq!(grouped(31, Lang::En), "31");
        assert_eq!(grouped(1_000, Lang::Fr), "1\u{202F}000");
        assert_eq!(duration(14_400, Lang::En), "4 h");
        assert_eq!(duration(172_800, Lang::Fr), "2 j");
        assert_eq!(duration(61, Lang::En), "61 s");
    }

    #[test]
    fn the_file_name_tells_the_form() {
        assert_eq!(Form::of(Path::new("a.html")).unwrap(), Form::Html);
        assert!(Form::of(Path::new("a.pdf")).is_err());
    }
}
