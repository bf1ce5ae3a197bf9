//! The report of the batch assistant as one HTML file, as Markdown or as JSON.

use askama::Template;
use serde_json::json;
use vigie_analyzer::alertfile::{Chain, Judged, Report};
use vigie_analyzer::autonomy::band_label;
use vigie_event::{Lang, Severity, Timestamp};

use super::chart::{self, Hop, Mark};
use super::page::{Bar, bars, plain_markdown};
use super::{Form, counted, grouped, moment};
use crate::output::inert;

/// Alerts laid out one by one; the worst. JSON has all.
const MOST_ALERTS: usize = 500;
/// Courses of attack laid out, the longest.
const MOST_COURSES: usize = 20;
/// Reasons shown of each.
const MOST_LINKS: usize = 40;
/// Characters of a field of the file.
const MOST_TEXT: usize = 400;

/// What a report of alerts says of itself.
pub struct About<'a> {
    /// The file's name.
    pub file: &'a str,
    /// When it was made.
    pub made: Timestamp,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// The report in the form asked for.
pub fn render(
    form: Form,
    report: &Report,
    about: &About<'_>,
    lang: Lang,
) -> anyhow::Result<String> {
    Ok(match form {
        Form::Html => Html { it: Contents::of(report, about, lang, inert, true) }.render()?,
        Form::Markdown => {
            let it = Contents::of(report, about, lang, plain_markdown, false);
            Markdown { it }.render()?
        }
        Form::Json => json_text(report, about)?,
    })
}

/// All of it for programs: what `--json` gives line by line, in one object.
pub fn json_text(report: &Report, about: &About<'_>) -> anyhow::Result<String> {
    let object = json!({
        "kind": "analysis",
        "file": about.file,
        "analyzed_at": about.made,
        "seconds": about.seconds,
        "statistics": report.statistics,
        "chains": report.chains,
        "problems": report.problems,
        "passed_over": report.passed_over,
        "alerts": report.alerts,
    });
    Ok(serde_json::to_string_pretty(&object)?)
}

#[derive(Template)]
#[template(path = "alerts.html")]
struct Html {
    it: Contents,
}

#[derive(Template)]
#[template(path = "alerts.md", escape = "none")]
struct Markdown {
    it: Contents,
}

struct Contents {
    lang: Lang,
    file: String,
    made: String,
    numbers: Vec<(String, &'static str)>,
    severities: Vec<Bar>,
    timeline: Option<String>,
    matrix: Option<String>,
    courses: Vec<Course>,
    problems: Vec<String>,
    left_out: String,
    alerts: Vec<Entry>,
}

struct Course {
    text: String,
    span: String,
    path: Option<String>,
    links: Vec<String>,
}

struct Entry {
    number: usize,
    severity: Severity,
    severity_label: &'static str,
    title: String,
    description: String,
    facts: Vec<(&'static str, String)>,
    attack: Vec<String>,
    false_positive: String,
    confidence: String,
    actions: Vec<String>,
    advice: Vec<String>,
    score: Option<u8>,
    band: &'static str,
    signs: Vec<String>,
    against: Vec<String>,
}

type Safe = fn(&str) -> String;

impl Contents {
    fn of(report: &Report, about: &About<'_>, lang: Lang, safe: Safe, charts: bool) -> Self {
        let totals = &report.statistics;
        let percent = |number: u8| percent(number, lang);
        let per_alert = about.seconds * 1e3 / totals.alerts.max(1) as f64;
        let words = |number: usize, [one, many, une, plusieurs]: [&'static str; 4]| {
            let few = if lang == Lang::Fr { number < 2 } else { number == 1 };
            let words = if few { lang.pick(one, une) } else { lang.pick(many, plusieurs) };
            (grouped(number as u64, lang), words)
        };
        let courses = [
            "course of attack",
            "courses of attack",
            "déroulement d’attaque",
            "déroulements d’attaque",
        ];
        let wrong = [
            "probable false positive",
            "probable false positives",
            "faux positif probable",
            "faux positifs probables",
        ];
        let numbers = vec![
            words(totals.alerts, ["alert", "alerts", "alerte", "alertes"]),
            words(report.chains.len(), courses),
            words(totals.false_positives, wrong),
            (percent(totals.mean_confidence), lang.pick("mean confidence", "de confiance moyenne")),
            (milliseconds(per_alert, lang), lang.pick("an alert", "par alerte")),
        ];
        let by_severity = Severity::ALL.into_iter().rev().map(|severity| {
            let count = totals.by_severity.get(&severity).copied().unwrap_or(0);
            (severity.name().to_owned(), severity.label(lang).to_owned(), count as u64)
        });
        let mut order: Vec<usize> = (0..report.alerts.len()).collect();
        if order.len() > MOST_ALERTS {
            order.sort_by_key(|place| {
                std::cmp::Reverse(report.alerts.get(*place).map(|judged| judged.criticality))
            });
            order.truncate(MOST_ALERTS);
        }
        let mut chains: Vec<&Chain> = report.chains.iter().collect();
        chains.sort_by_key(|chain| std::cmp::Reverse(chain.rank()));
        let all_attack = || report.alerts.iter().flat_map(|judged| &judged.attack);
        Self {
            lang,
            file: safe(about.file),
            made: match lang {
                Lang::En => format!("analysed {} UTC", moment(about.made)),
                Lang::Fr => format!("analysé le {} UTC", moment(about.made)),
            },
            numbers,
            severities: bars(by_severity.collect(), lang),
            timeline: charts.then(|| timeline(report, lang)).flatten(),
            matrix: charts.then(|| chart::matrix(all_attack(), lang)).flatten(),
            courses: chains
                .iter()
                .take(MOST_COURSES)
                .map(|chain| course(report, chain, lang, safe, charts))
                .collect(),
            problems: report.problems.iter().map(|one| safe(&one.sentence(lang))).collect(),
            left_out: left_out(report.alerts.len(), lang),
            alerts: order
                .into_iter()
                .filter_map(|place| Some(entry(place, report.alerts.get(place)?, lang, safe)))
                .collect(),
        }
    }
}

fn left_out(alerts: usize, lang: Lang) -> String {
    if alerts <= MOST_ALERTS {
        return String::new();
    }
    let (shown, all) = (grouped(MOST_ALERTS as u64, lang), grouped(alerts as u64, lang));
    match lang {
        Lang::En => format!("The {shown} worst of {all}; a .json report has all."),
        Lang::Fr => {
            format!("Les {shown} plus graves sur {all} ; un rapport .json les contient toutes.")
        }
    }
}

fn timeline(report: &Report, lang: Lang) -> Option<String> {
    let marks: Vec<Mark> = report
        .alerts
        .iter()
        .enumerate()
        .filter_map(|(place, judged)| {
            let time = judged.alert.time?;
            let name = format!("#{}", place + 1);
            let title = format!("{name} {} · {}", title(judged, lang), moment(time));
            Some(Mark { name, title, severity: judged.criticality, first: time, last: time })
        })
        .collect();
    chart::timeline(&marks, lang)
}

fn course(report: &Report, chain: &Chain, lang: Lang, safe: Safe, charts: bool) -> Course {
    let hops: Vec<Hop> = chain
        .alerts
        .iter()
        .filter_map(|place| {
            let judged = report.alerts.get(*place)?;
            Some(Hop {
                from: judged.alert.source.clone()?,
                to: judged.alert.target.clone()?,
                user: judged.alert.user.clone(),
                what: format!("#{} {}", place + 1, judged.category.label(lang)),
                severity: judged.criticality,
            })
        })
        .take(200)
        .collect();
    Course {
        text: safe(chain.text.get(lang)),
        span: match (chain.first, chain.last) {
            (Some(first), Some(last)) => format!("{} → {} UTC", moment(first), moment(last)),
            _ => String::new(),
        },
        path: charts.then(|| chart::path(&hops, lang)).flatten(),
        links: chain
            .links
            .iter()
            .take(MOST_LINKS)
            .map(|link| {
                let (from, to) = (link.from + 1, link.to + 1);
                safe(&format!("#{from} → #{to}{}{}", lang.pick(": ", " : "), link.text.get(lang)))
            })
            .collect(),
    }
}

/// An alert's type as the file words it, else its kind.
pub fn title(judged: &Judged, lang: Lang) -> String {
    let name = judged.alert.name.as_deref();
    cut(name.unwrap_or_else(|| judged.category.label(lang)), 120)
}

fn cut(text: &str, most: usize) -> String {
    let mut shown: String = text.chars().take(most).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn entry(place: usize, judged: &Judged, lang: Lang, safe: Safe) -> Entry {
    let alert = &judged.alert;
    let safe = |text: &str| safe(&cut(text, MOST_TEXT));
    let unknown = lang.pick("unknown", "inconnu");
    let mut facts = vec![
        (lang.pick("id", "id"), safe(alert.id.as_deref().unwrap_or(unknown))),
        (lang.pick("source", "source"), safe(alert.source.as_deref().unwrap_or(unknown))),
        (lang.pick("target", "cible"), safe(alert.target.as_deref().unwrap_or(unknown))),
    ];
    if let Some(user) = &alert.user {
        facts.push((lang.pick("account", "compte"), safe(user)));
    }
    let time =
        alert.time.map_or_else(|| unknown.to_owned(), |time| format!("{} UTC", moment(time)));
    facts.push((lang.pick("time", "heure"), time));
    facts.push((lang.pick("kind", "type"), judged.category.label(lang).to_owned()));
    Entry {
        number: place + 1,
        severity: judged.criticality,
        severity_label: judged.criticality.label(lang),
        title: safe(&title(judged, lang)),
        description: alert.description.as_deref().map(safe).unwrap_or_default(),
        facts,
        attack: attack(judged, lang),
        false_positive: false_positive(judged, lang),
        confidence: confidence(judged, lang),
        actions: judged.actions.iter().map(|action| safe(&action_line(action, lang))).collect(),
        advice: judged.advice.iter().map(|advice| safe(advice.get(lang))).collect(),
        score: judged.autonomy.score,
        band: band_label(judged.autonomy.band, lang),
        signs: judged.autonomy.indicators.iter().map(|sign| safe(&sign_line(sign, lang))).collect(),
        against: judged.autonomy.counter_evidence.iter().map(|why| safe(why.get(lang))).collect(),
    }
}

/// A sign with its points: `47 ports a second: faster than people work (+7)`.
pub fn sign_line(sign: &vigie_event::Indicator, lang: Lang) -> String {
    let points = format!("{:.1}", sign.points);
    let points = points.strip_suffix(".0").unwrap_or(&points);
    let points = if lang == Lang::Fr { points.replace('.', ",") } else { points.to_owned() };
    format!("{} (+{points})", sign.text.get(lang))
}

/// `Ban the address: 203.0.113.7 — It stops the source`.
pub fn action_line(action: &vigie_event::Recommendation, lang: Lang) -> String {
    let target: Vec<&str> = action.target.values().collect();
    let colon = if target.is_empty() { "" } else { lang.pick(": ", " : ") };
    let (what, why) = (action.action.label(lang), action.reason.get(lang));
    format!("{what}{colon}{} — {why}", cut(&target.join(", "), 120))
}

/// Tactics with their techniques.
pub fn attack(judged: &Judged, lang: Lang) -> Vec<String> {
    let one = |attack: &vigie_event::Attack| {
        let tactic = chart::tactic_name(&attack.tactic_name, lang);
        if attack.technique.is_empty() {
            return format!("{tactic} ({})", attack.tactic);
        }
        format!("{tactic} ({}) → {} {}", attack.tactic, attack.technique, attack.technique_name)
    };
    judged.attack.iter().map(one).collect()
}

/// Whether it is a false positive, and how likely.
pub fn false_positive(judged: &Judged, lang: Lang) -> String {
    let likely = percent(judged.false_positive, lang);
    match (judged.is_false_positive, lang) {
        (true, Lang::En) => format!("False positive: probably yes ({likely})"),
        (false, Lang::En) => format!("False positive: no ({likely})"),
        (true, Lang::Fr) => format!("Faux positif : probablement oui ({likely})"),
        (false, Lang::Fr) => format!("Faux positif : non ({likely})"),
    }
}

/// How sure the judgement is.
pub fn confidence(judged: &Judged, lang: Lang) -> String {
    let sure = percent(judged.confidence, lang);
    match lang {
        Lang::En => format!("Confidence: {sure}"),
        Lang::Fr => format!("Confiance : {sure}"),
    }
}

pub fn percent(number: u8, lang: Lang) -> String {
    format!("{number}{}", lang.pick("%", "\u{202f}%"))
}

pub fn milliseconds(number: f64, lang: Lang) -> String {
    let text = format!("{number:.2} ms");
    if lang == Lang::Fr { text.replace('.', ",") } else { text }
}

/// `8 alerts`.
pub fn alerts_counted(number: usize, lang: Lang) -> String {
    counted(number as u64, lang, ["alert", "alerts", "alerte", "alertes"])
}

#[cfg(test)]
mod tests {
    use vigie_analyzer::alertfile::read;

    use super::*;

    const HOSTILE: &str = r#"[{"type": "port scan</title><script>alert(1)</script>", "src": "\"><img src=x onerror=alert(1)>",
        "dst": "b](http://evil.example.com)", "user": "![x](http://evil.example.com/p.png)", "id": "javascript:1",
        "timestamp": "2026-01-05T10:00:00Z", "description": "[click](http://evil.example.com) <b>`x`\n# heading"},
        {"type": "ssh_brute_force", "src": "\"><img src=x onerror=alert(1)>", "dst": "</text></svg><script>", "timestamp": "2026-01-05T10:01:00Z"}]"#;

    fn rendered(text: &str, form: Form, lang: Lang) -> String {
        let about = About { file: "<a>.json", made: Timestamp::default(), seconds: 0.001 };
        render(form, &Report::of(read(text)), &about, lang).unwrap()
    }

    #[test]
    fn hostile_alerts_stay_text_in_html() {
        for lang in [Lang::En, Lang::Fr] {
            let page = rendered(HOSTILE, Form::Html, lang);
            for markup in ["<script", "<img", "<b>`", "<a>", "</text></svg><script"] {
                assert!(!page.contains(markup), "{markup}");
            }
            assert!(page.contains("default-src 'none'") && page.contains("<svg"));
            assert!(!page.contains("href=") && !page.contains("src=\""));
        }
    }

    #[test]
    fn hostile_alerts_stay_text_in_markdown() {
        let text = rendered(HOSTILE, Form::Markdown, Lang::En);
        let mut before = '\n';
        for character in text.chars() {
            let markup = matches!(character, '[' | ']' | '<' | '`' | '!' | '*');
            assert!(!markup || before == '\\', "{character}: {text}");
            before = character;
        }
        assert!(!text.contains("\n# heading") && !text.contains("http://evil"), "{text}");
    }

    #[test]
    fn both_languages_and_json_say_the_same() {
        let alerts = include_str!("../../../../docs/examples/alerts.json");
        let (en, fr) =
            (rendered(alerts, Form::Html, Lang::En), rendered(alerts, Form::Html, Lang::Fr));
        assert!(en.contains("Signs of automation") && fr.contains("Signes d’automatisation"));
        for page in [&en, &fr] {
            assert_eq!(page.matches("<article").count(), 8);
            // The timeline, the matrix, the path, a meter and a bar each.
            assert_eq!(page.matches("role=\"img\"").count(), 3);
        }
        let json: serde_json::Value =
            serde_json::from_str(&rendered(alerts, Form::Json, Lang::En)).unwrap();
        assert_eq!(json["alerts"].as_array().unwrap().len(), 8);
        assert_eq!(json["statistics"]["alerts"], 8);
        assert_eq!(json["kind"], "analysis");
    }
}
