//! The batch assistant's answer on the terminal: a section an alert, then what belongs together,
//! then the counts.

use std::io::{self, Write};

use vigie_analyzer::alertfile::{Judged, Report};
use vigie_analyzer::autonomy::band_label;
use vigie_event::{Lang, Severity};

use super::alerts::{
    About, action_line, alerts_counted, attack, confidence, false_positive, milliseconds, percent,
    sign_line, title,
};
use super::{grouped, moment};
use crate::output::{Paint, inert};

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The counts and what belongs together.
    Short,
    /// A section an alert.
    Usual,
    /// Also where each likelihood comes from.
    Long,
}

/// Prints the whole answer.
pub fn terminal(
    out: &mut impl Write,
    report: &Report,
    about: &About<'_>,
    (lang, paint, detail): (Lang, Paint, Detail),
) -> io::Result<()> {
    if detail != Detail::Short {
        for (place, judged) in report.alerts.iter().enumerate() {
            alert(out, place, judged, (lang, paint, detail))?;
        }
    }
    courses(out, report, lang, paint)?;
    statistics(out, report, about, lang, paint)
}

fn alert(
    out: &mut impl Write,
    place: usize,
    judged: &Judged,
    (lang, paint, detail): (Lang, Paint, Detail),
) -> io::Result<()> {
    let read = &judged.alert;
    let unknown = lang.pick("unknown", "inconnu");
    let field = |value: &Option<String>| {
        let value = value.as_deref().unwrap_or(unknown);
        inert(&value.chars().take(100).collect::<String>())
    };
    let colon = lang.pick(":", " :");
    let severity = paint.severity(judged.criticality, judged.criticality.label(lang));
    let title = paint.bold(&inert(&title(judged, lang)));
    writeln!(out, "#{} {title} [{severity}]", place + 1)?;
    let time = read.time.map_or_else(|| unknown.to_owned(), |time| format!("{} UTC", moment(time)));
    let user = match &read.user {
        Some(_) => format!(" · {}{colon} {}", lang.pick("account", "compte"), field(&read.user)),
        None => String::new(),
    };
    let (source, target, id) = (field(&read.source), field(&read.target), field(&read.id));
    let line = format!("{source} → {target} · {time}{user} · id{colon} {id}");
    writeln!(out, "   {}", paint.dim(&line))?;
    let level = lang.pick("Criticality", "Niveau de criticité");
    let (kind, label) = (judged.category.label(lang), judged.criticality.label(lang));
    writeln!(out, "   {level}{colon} {label} · {kind}")?;
    writeln!(out, "   {} · {}", false_positive(judged, lang), confidence(judged, lang))?;
    for attack in attack(judged, lang) {
        writeln!(out, "   ATT&CK{colon} {attack}")?;
    }
    writeln!(
        out,
        "   {}{colon}",
        lang.pick("Do at once, in this order", "À faire immédiatement, dans cet ordre")
    )?;
    let advice = judged.advice.iter().map(|advice| advice.get(lang).to_owned());
    let actions = judged.actions.iter().map(|action| action_line(action, lang));
    for (number, step) in actions.chain(advice).enumerate() {
        writeln!(out, "     {}. {}", number + 1, inert(&step))?;
    }
    automation(out, judged, lang)?;
    if detail == Detail::Long {
        writeln!(
            out,
            "   {}{colon}",
            lang.pick("How the figures come about", "D’où viennent ces chiffres")
        )?;
        for (fact, sure, wrong) in &judged.reasons {
            let fact = inert(fact.get(lang));
            match lang {
                Lang::En => {
                    writeln!(out, "     · {fact} (confidence {sure:+}, false positive {wrong:+})")?;
                }
                Lang::Fr => {
                    writeln!(out, "     · {fact} (confiance {sure:+}, faux positif {wrong:+})")?;
                }
            }
        }
    }
    writeln!(out)
}

fn automation(out: &mut impl Write, judged: &Judged, lang: Lang) -> io::Result<()> {
    let autonomy = &judged.autonomy;
    let score = autonomy.score.map(|score| format!("{score}/100, ")).unwrap_or_default();
    let band = band_label(autonomy.band, lang);
    let heading = lang.pick("Signs of automation:", "Signes d’automatisation :");
    writeln!(out, "   {heading} {score}{band}")?;
    for sign in &autonomy.indicators {
        writeln!(out, "     + {}", inert(&sign_line(sign, lang)))?;
    }
    for against in &autonomy.counter_evidence {
        writeln!(out, "     − {}", inert(against.get(lang)))?;
    }
    Ok(())
}

/// Courses shown, the longest first; the reports show more.
const MOST_COURSES: usize = 10;
/// Reasons shown of each.
const MOST_LINKS: usize = 12;

fn courses(out: &mut impl Write, report: &Report, lang: Lang, paint: Paint) -> io::Result<()> {
    if report.chains.is_empty() {
        return Ok(());
    }
    let mut chains: Vec<_> = report.chains.iter().collect();
    chains.sort_by_key(|chain| std::cmp::Reverse(chain.rank()));
    let heading = lang.pick("Courses of attack", "Déroulements d’attaque");
    writeln!(out, "{}", paint.bold(heading))?;
    for chain in chains.iter().take(MOST_COURSES) {
        let shown = chain.alerts.iter().take(20).map(|place| format!("#{}", place + 1));
        let mut places = shown.collect::<Vec<_>>().join(" → ");
        if chain.alerts.len() > 20 {
            places += " …";
        }
        writeln!(out, "   {places}\n     {}", inert(chain.text.get(lang)))?;
        for link in chain.links.iter().take(MOST_LINKS) {
            let (from, to) = (link.from + 1, link.to + 1);
            let colon = lang.pick(":", " :");
            writeln!(out, "     #{from} → #{to}{colon} {}", inert(link.text.get(lang)))?;
        }
        if chain.links.len() > MOST_LINKS {
            writeln!(out, "     … + {}", chain.links.len() - MOST_LINKS)?;
        }
    }
    if chains.len() > MOST_COURSES {
        writeln!(out, "   … + {}", chains.len() - MOST_COURSES)?;
    }
    writeln!(out)
}

fn statistics(
    out: &mut impl Write,
    report: &Report,
    about: &About<'_>,
    lang: Lang,
    paint: Paint,
) -> io::Result<()> {
    let totals = &report.statistics;
    let colon = lang.pick(":", " :");
    let heading = lang.pick("Statistics", "Statistiques");
    writeln!(out, "{}  {}", paint.bold(heading), alerts_counted(totals.alerts, lang))?;
    for severity in Severity::ALL.into_iter().rev() {
        let count = totals.by_severity.get(&severity).copied().unwrap_or(0);
        let label = format!("{:<14}", severity.label(lang));
        let share = count * 100 / totals.alerts.max(1);
        let bar = "█".repeat((share * 30).div_ceil(100));
        let label = paint.severity(severity, &label);
        let bar = paint.severity(severity, &bar);
        writeln!(out, "   {label} {:>6}  {bar}", grouped(count as u64, lang))?;
    }
    if report.passed_over > 0 {
        let other =
            lang.pick("Events that are no alerts", "Événements qui ne sont pas des alertes");
        writeln!(out, "   {other}{colon} {}", grouped(report.passed_over as u64, lang))?;
    }
    let likely = lang.pick("Probably false positives", "Faux positifs probables");
    writeln!(out, "   {likely}{colon} {}", grouped(totals.false_positives as u64, lang))?;
    let mean = lang.pick("Mean confidence", "Confiance moyenne");
    writeln!(out, "   {mean}{colon} {}", percent(totals.mean_confidence, lang))?;
    let each = about.seconds * 1e3 / totals.alerts.max(1) as f64;
    let (time, each) = (milliseconds(about.seconds * 1e3, lang), milliseconds(each, lang));
    match lang {
        Lang::En => writeln!(out, "   Time: {time}, {each} an alert"),
        Lang::Fr => writeln!(out, "   Durée : {time}, {each} par alerte"),
    }
}
