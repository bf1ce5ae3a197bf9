//! The report of a scan as one HTML file or as Markdown.

use askama::Template;
use vigie_event::{Lang, Severity};
use vigie_sigma::RuleSet;

use super::alerts::sign_line;
use super::chart::{self, Hop, Mark};
use super::{Findings, certainty, decided, grouped, loss, moment};
use crate::offline::Judged;
use crate::output::inert;

/// Raw lines shown of each incident.
const LINES_SHOWN: usize = 5;

/// What both forms show, ready to be laid out.
struct Contents {
    lang: Lang,
    span: String,
    records: String,
    events: String,
    unparsed: String,
    lost: Vec<(String, String)>,
    severities: Vec<Bar>,
    timeline: Option<String>,
    matrix: Option<String>,
    path: Option<String>,
    rules: Vec<Bar>,
    incidents: Vec<Entry>,
}

/// A count with its share of the largest one beside it, 0–100.
pub struct Bar {
    pub name: String,
    pub label: String,
    pub count: String,
    pub share: u64,
}

struct Entry {
    id: String,
    title: String,
    severity: Severity,
    severity_label: &'static str,
    first: String,
    last: String,
    category: &'static str,
    certainty: String,
    summary: String,
    attack: Vec<String>,
    autonomy: String,
    signs: Vec<String>,
    reasons: Vec<String>,
    claims: Vec<String>,
    decisions: Vec<String>,
    advice: Vec<String>,
    lines: Vec<String>,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Html {
    it: Contents,
}

#[derive(Template)]
#[template(path = "report.md", escape = "none")]
struct Markdown {
    it: Contents,
}

pub fn html(findings: &Findings, rules: &RuleSet, lang: Lang) -> anyhow::Result<String> {
    Ok(Html { it: contents(findings, rules, lang, inert) }.render()?)
}

pub fn markdown(findings: &Findings, rules: &RuleSet, lang: Lang) -> anyhow::Result<String> {
    Ok(Markdown { it: contents(findings, rules, lang, plain_markdown) }.render()?)
}

/// Text from logs as Markdown that shows it as it is: no markup, no links, no HTML.
pub fn plain_markdown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in inert(text).chars() {
        if character.is_ascii_punctuation()
            && !matches!(
                character,
                '.' | ',' | ';' | '?' | '\'' | '(' | ')' | '/' | ':' | '%' | '-'
            )
        {
            shown.push('\\');
        }
        shown.push(character);
        // Breaks what would become a link by itself.
        if shown.ends_with("://") {
            shown.insert(shown.len() - 2, '\\');
        }
    }
    shown
}

fn contents(
    findings: &Findings,
    rules: &RuleSet,
    lang: Lang,
    safe: fn(&str) -> String,
) -> Contents {
    let stats = &findings.summary.stats;
    let severities = Severity::ALL
        .into_iter()
        .rev()
        .filter_map(|severity| {
            let count = *stats.by_severity.get(severity.name())?;
            Some((severity.name().to_owned(), severity.label(lang).to_owned(), count))
        })
        .collect();
    let mut by_rule: Vec<(String, String, u64)> = stats
        .by_rule
        .iter()
        .map(|(id, count)| {
            let title = rules.by_id(id).map_or(id.as_str(), |rule| rule.reference.title.get(lang));
            (id.clone(), safe(title), *count)
        })
        .collect();
    by_rule.sort_by_key(|(id, _, count)| (std::cmp::Reverse(*count), id.clone()));
    Contents {
        lang,
        span: findings
            .summary
            .span
            .map(|(first, last)| format!("{} – {} UTC", moment(first), moment(last)))
            .unwrap_or_default(),
        records: grouped(stats.records, lang),
        events: grouped(stats.events, lang),
        unparsed: grouped(stats.unparsed, lang),
        lost: stats
            .lost
            .iter()
            .map(|(reason, count)| (loss(reason, lang).to_owned(), grouped(*count, lang)))
            .collect(),
        severities: bars(severities, lang),
        timeline: chart::timeline(&marks(findings, lang), lang),
        matrix: chart::matrix(
            findings.worst.iter().flat_map(|judged| &judged.verdict.attack),
            lang,
        ),
        path: chart::path(&hops(findings, lang), lang),
        rules: bars(by_rule, lang),
        incidents: entries(findings, lang, safe),
    }
}

pub fn bars(counts: Vec<(String, String, u64)>, lang: Lang) -> Vec<Bar> {
    let most = counts.iter().map(|(_, _, count)| *count).max().unwrap_or(1).max(1);
    counts
        .into_iter()
        .map(|(name, label, count)| Bar {
            name,
            label,
            count: grouped(count, lang),
            share: (count * 100).div_ceil(most),
        })
        .collect()
}

fn marks(findings: &Findings, lang: Lang) -> Vec<Mark> {
    let mark = |judged: &Judged| Mark {
        name: String::new(),
        title: format!(
            "{} · {}",
            judged.incident.title.get(lang),
            moment(judged.incident.first_seen)
        ),
        severity: judged.verdict.severity,
        first: judged.incident.first_seen,
        last: judged.incident.last_seen,
    };
    findings.worst.iter().map(mark).collect()
}

/// Incidents whose way is drawn: the worst.
const DRAWN: usize = 8;

/// From the addresses that alerts accuse to the machines that they are about.
fn hops(findings: &Findings, lang: Lang) -> Vec<Hop> {
    let mut hops = Vec::new();
    for judged in findings.worst.iter().take(DRAWN) {
        for alert in &judged.alerts {
            let one = |name: &str| alert.entities.values(name).first();
            let target = one("destination.ip").or_else(|| one("host.name"));
            let (Some(from), Some(to)) = (one("source.ip"), target) else { continue };
            hops.push(Hop {
                from: from.to_string(),
                to: to.to_string(),
                user: None,
                what: alert.rule.title.get(lang).to_owned(),
                severity: judged.verdict.severity,
            });
        }
    }
    hops
}

fn entries(findings: &Findings, lang: Lang, safe: fn(&str) -> String) -> Vec<Entry> {
    findings
        .worst
        .iter()
        .map(|judged| {
            let (incident, verdict) = (&judged.incident, &judged.verdict);
            let evidence = judged.alerts.iter().flat_map(|alert| &alert.evidence);
            Entry {
                id: incident.id.to_string(),
                title: safe(incident.title.get(lang)),
                severity: verdict.severity,
                severity_label: verdict.severity.label(lang),
                first: moment(incident.first_seen),
                last: moment(incident.last_seen),
                category: verdict.category.label(lang),
                certainty: certainty(verdict, lang),
                summary: safe(verdict.summary.get(lang)),
                // One technique may serve several tactics.
                attack: distinct(
                    verdict
                        .attack
                        .iter()
                        .map(|attack| format!("{} {}", attack.technique, attack.technique_name)),
                ),
                autonomy: super::autonomy(verdict, lang).unwrap_or_default(),
                signs: verdict
                    .autonomy
                    .indicators
                    .iter()
                    .filter(|sign| sign.points > 0.0 && verdict.autonomy.score.is_some())
                    .map(|sign| safe(&sign_line(sign, lang)))
                    .collect(),
                reasons: distinct(incident.reasons.iter().map(|why| safe(&why.sentence(lang)))),
                claims: verdict.rationale.iter().map(|claim| safe(claim.claim.get(lang))).collect(),
                decisions: judged.decisions.iter().map(|one| safe(&decided(one, lang))).collect(),
                advice: verdict.advice.iter().map(|advice| safe(advice.get(lang))).collect(),
                lines: first_distinct(evidence.map(|line| &line.raw), LINES_SHOWN),
            }
        })
        .collect()
}

/// The first lines, each once: several alerts may rest on one line.
fn first_distinct<'t>(lines: impl Iterator<Item = &'t String>, most: usize) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for line in lines {
        let line = inert(line);
        if !kept.contains(&line) {
            kept.push(line);
        }
        if kept.len() == most {
            break;
        }
    }
    kept
}

fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for text in texts {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}
