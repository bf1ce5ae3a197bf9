//! The report of a scan on the terminal.

use std::io::{self, Write};

use vigie_event::{Lang, Severity};
use vigie_sigma::RuleSet;

use super::{Findings, autonomy, certainty, counted, decided, grouped, loss, moment, period};
use crate::offline::Judged;
use crate::output::{Paint, inert};

/// Incidents that are shown one by one; `--json` and `--report` give all.
pub const SHOWN: usize = 20;
/// Decisions shown of each.
const DECISIONS_SHOWN: usize = 4;

/// Prints what was found, worst first.
pub fn terminal(
    out: &mut impl Write,
    findings: &Findings,
    rules: &RuleSet,
    lang: Lang,
    paint: Paint,
) -> io::Result<()> {
    totals(out, findings, lang)?;
    if findings.worst.is_empty() {
        return writeln!(out, "\n{}", nothing(findings, lang));
    }
    let heading = lang.pick("Incidents", "Incidents");
    writeln!(out, "\n{}  {}", paint.bold(heading), by_severity(findings, lang, paint))?;
    for judged in findings.worst.iter().take(SHOWN) {
        incident(out, judged, lang, paint)?;
    }
    let more = findings.summary.stats.incidents.saturating_sub(SHOWN as u64);
    if more > 0 {
        let more = grouped(more, lang);
        match lang {
            Lang::En => {
                writeln!(out, "\n… and {more} more: --json or --report FILE.html shows all.")?;
            }
            Lang::Fr => writeln!(
                out,
                "\n… et {more} de plus : --json ou --report FICHIER.html montre tout."
            )?,
        }
    }
    by_rule(out, findings, rules, lang, paint)
}

fn totals(out: &mut impl Write, findings: &Findings, lang: Lang) -> io::Result<()> {
    let stats = &findings.summary.stats;
    let words = ["record", "records", "enregistrement", "enregistrements"];
    let records = counted(stats.records, lang, words);
    let words =
        ["event understood", "events understood", "événement compris", "événements compris"];
    let events = counted(stats.events, lang, words);
    let unparsed = grouped(stats.unparsed, lang);
    match lang {
        Lang::En => write!(out, "{records}: {events}, {unparsed} of unknown form")?,
        Lang::Fr => write!(out, "{records} : {events}, {unparsed} de forme inconnue")?,
    }
    if let Some(span) = findings.summary.span {
        write!(out, ", {}", period(span, lang))?;
    }
    writeln!(out)?;
    for (reason, count) in &stats.lost {
        let lost = lang.pick("lost:", "perdus :");
        writeln!(out, "{lost} {} ({})", grouped(*count, lang), loss(reason, lang))?;
    }
    Ok(())
}

/// Why there is no incident to show.
fn nothing(findings: &Findings, lang: Lang) -> &'static str {
    let stats = &findings.summary.stats;
    if stats.records == 0 && !stats.lost.is_empty() {
        return lang.pick("Nothing in it could be read.", "Rien n’a pu y être lu.");
    }
    if stats.records == 0 {
        return lang.pick("There is nothing to read in it.", "Il n’y a rien à y lire.");
    }
    if stats.events == 0 {
        return lang.pick(
            "No line was understood, so nothing could be found. If you know the format, name it with --as.",
            "Aucune ligne n’a été comprise, rien ne pouvait donc être trouvé. Si vous connaissez le format, nommez-le avec --as.",
        );
    }
    lang.pick("Nothing was found.", "Rien n’a été trouvé.")
}

fn by_severity(findings: &Findings, lang: Lang, paint: Paint) -> String {
    let mut parts = Vec::new();
    for severity in Severity::ALL.into_iter().rev() {
        let count =
            findings.summary.stats.by_severity.get(severity.name()).copied().unwrap_or_default();
        if count > 0 {
            let label = severity.label(lang).to_lowercase();
            let plural = if lang == Lang::Fr && count > 1 { "s" } else { "" };
            let text = format!("{} {label}{plural}", grouped(count, lang));
            parts.push(paint.severity(severity, &text));
        }
    }
    parts.join(" · ")
}

fn incident(out: &mut impl Write, judged: &Judged, lang: Lang, paint: Paint) -> io::Result<()> {
    let Judged { incident, verdict, decisions, .. } = judged;
    let severity = format!("{:<10}", verdict.severity.label(lang));
    let title = inert(incident.title.get(lang));
    writeln!(out, "\n{} {}", paint.severity(verdict.severity, &severity), paint.bold(&title))?;
    let alerts = ["alert", "alerts", "alerte", "alertes"];
    let alerts = counted(incident.alerts.len() as u64, lang, alerts);
    let certainty = certainty(verdict, lang);
    let (first, last) = (moment(incident.first_seen), moment(incident.last_seen));
    let line = format!("{first} → {last} · {alerts} · {certainty}");
    writeln!(out, "           {}", paint.dim(&line))?;
    let summary = verdict.summary.get(lang);
    if !summary.is_empty() {
        writeln!(out, "           {}", inert(summary))?;
    }
    if let Some(line) = autonomy(verdict, lang).filter(|_| verdict.autonomy.score > Some(0)) {
        writeln!(out, "           {}", paint.dim(&line))?;
    }
    for decision in decisions.iter().take(DECISIONS_SHOWN) {
        writeln!(out, "           → {}", inert(&decided(decision, lang)))?;
    }
    if decisions.len() > DECISIONS_SHOWN {
        writeln!(out, "           → … {}", decisions.len() - DECISIONS_SHOWN)?;
    }
    Ok(())
}

fn by_rule(
    out: &mut impl Write,
    findings: &Findings,
    rules: &RuleSet,
    lang: Lang,
    paint: Paint,
) -> io::Result<()> {
    let heading = lang.pick("Alerts by rule", "Alertes par règle");
    writeln!(out, "\n{}", paint.bold(heading))?;
    let mut counts: Vec<_> = findings.summary.stats.by_rule.iter().collect();
    counts.sort_by_key(|(id, count)| (std::cmp::Reverse(**count), *id));
    for (id, count) in counts {
        let title = rules.by_id(id).map_or(id.as_str(), |rule| rule.reference.title.get(lang));
        writeln!(out, "{:>9}  {}", grouped(*count, lang), inert(title))?;
    }
    Ok(())
}
