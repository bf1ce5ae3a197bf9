//! `vigie rules match --history`: what rules would have found, and who would have been banned.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use vigie_detector::{RuleHistory, Subject};
use vigie_event::{Clock, Lang, SystemClock, Timestamp};
use vigie_responder::{AdminPorts, Allowed, Protection};
use vigie_sigma::RuleSet;
use vigie_store::journal::Journal;
use vigie_store::state::State;

use crate::cli::{Global, MatchArgs};
use crate::config::Config;
use crate::history::{self, Answer, Banned, Question, Span};
use crate::live;
use crate::output::{self, Paint, inert};
use crate::report::{counted, duration, grouped, moment};

/// Columns of the small histogram.
const COLUMNS: usize = 48;
/// Subjects shown of each field, and banned addresses, on the terminal.
const SHOWN: usize = 5;
const BANNED_SHOWN: usize = 20;
/// Subjects of each field in `--json`.
const SUBJECTS: usize = 100;
/// Characters shown of a sample line on the terminal.
const LINE: usize = 160;

pub fn run(
    global: &Global,
    args: &MatchArgs,
    config: &Config,
    data: &Path,
    rules: RuleSet,
) -> anyhow::Result<ExitCode> {
    if rules.rules().is_empty() {
        bail!("no rule could be loaded");
    }
    let now = SystemClock.now();
    let time = |text: &Option<String>| text.as_deref().map(|text| moment_of(text, now)).transpose();
    let span = Span { since: time(&args.since)?, until: time(&args.until)? };
    let journal = Journal::view(&data.join("journal")).with_context(|| {
        format!("there is no journal in {}; name it with --data", data.display())
    })?;
    let rules = Arc::new(rules);
    let question = Question {
        rules: Arc::clone(&rules),
        settings: live::detector_settings(config),
        options: live::parser_options(config)?,
        span,
        policy: live::load_policy(config)?,
        protection: protection(config, data, now)?,
        workers: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    };
    let answer = history::ask(&journal, &question)?;
    let mut out = output::stdout();
    if global.json {
        print_json(&mut out, &answer, &rules, global.lang())?;
    } else {
        let page = Page { lang: global.lang(), paint: Paint::for_stdout(global), rules: &rules };
        page.print(&mut out, &answer)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// A moment as people write it: RFC 3339, a date, or how long ago.
fn moment_of(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    let date = || Timestamp::parse(&format!("{text}T00:00:00Z"));
    let ago = || {
        let unit = text.chars().last()?;
        let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        Some(now.plus_seconds(number.checked_mul(seconds)?.checked_neg()?))
    };
    Timestamp::parse(text).or_else(|_| date()).ok().or_else(ago).with_context(|| {
        format!(
            "`{text}` is no time: write 2026-01-31T00:00:00Z, 2026-01-31, or 7d for seven days ago"
        )
    })
}

/// Who must not be banned today: as the running centre would find out.
fn protection(config: &Config, data: &Path, now: Timestamp) -> anyhow::Result<Protection> {
    let path = data.join("state.sqlite");
    let listed = if path.exists() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async { State::view(&path).await?.allowed(now).await })
    } else {
        Ok(Vec::new())
    };
    let listed = listed.unwrap_or_else(|error| {
        tracing::warn!(%error, "the centre's allowlist cannot be read; only the configured one counts");
        Vec::new()
    });
    let listed = listed.into_iter().map(|entry| Allowed {
        network: entry.target,
        reason: entry.reason,
        expires: entry.expires,
    });
    let ports = AdminPorts { console: vec![config.console.listen.port()], ..AdminPorts::default() };
    let configured = live::allowlist(config)?;
    Ok(Protection::read(&ports, now).allowing(listed.chain(configured)))
}

fn print_json(
    out: &mut impl Write,
    answer: &Answer,
    rules: &RuleSet,
    lang: Lang,
) -> anyhow::Result<()> {
    for history in &answer.rules {
        let reference = rules.by_id(&history.rule).map(|rule| &rule.reference);
        let subjects: serde_json::Map<String, Value> = history
            .subjects
            .iter()
            .map(|(field, subjects)| {
                let all = subjects.iter().take(SUBJECTS).map(
                    |one| json!({"value": one.value, "alerts": one.alerts, "events": one.events}),
                );
                ((*field).to_owned(), Value::Array(all.collect()))
            })
            .collect();
        let banned = answer.banned.iter().filter(|one| one.rules.contains(&history.rule)).count();
        let object = json!({
            "kind": "rule_history", "rule_id": history.rule,
            "rule_title": reference.map_or("", |reference| reference.title.get(lang)),
            "level": reference.map(|reference| reference.level),
            "alerts": history.alerts, "events": history.events,
            "first_seen": history.span.map(|(first, _)| first.to_string()),
            "last_seen": history.span.map(|(_, last)| last.to_string()),
            "histogram": columns(answer, history), "top": subjects, "banned": banned,
            "samples": history.samples,
        });
        output::json_line(out, &object)?;
    }
    for one in &answer.banned {
        let yours: Vec<Value> = one
            .yours
            .iter()
            .map(|why| json!({"reason": why.kind(), "text": why.text(lang)}))
            .collect();
        let object = json!({
            "kind": "would_ban", "target": one.target(), "first": one.first.to_string(),
            "times": one.times, "longest_s": one.longest_s, "rules": one.rules, "yours": yours,
        });
        output::json_line(out, &object)?;
    }
    let yours = answer.banned.iter().filter(|one| !one.yours.is_empty()).count();
    let stats = json!({
        "kind": "stats", "records": answer.records, "within": answer.within,
        "from": answer.span.map(|(first, _)| first.to_string()),
        "to": answer.span.map(|(_, last)| last.to_string()),
        "incidents": answer.incidents, "would_ban": answer.banned.len(), "yours": yours,
        "seconds": answer.seconds,
    });
    output::json_line(out, &stats)?;
    Ok(())
}

/// The whole time that was read, in equal parts.
fn columns(answer: &Answer, history: &RuleHistory) -> Vec<u64> {
    answer.span.map_or_else(Vec::new, |span| history.when.columns(span, COLUMNS))
}

/// The answer on a terminal.
struct Page<'r> {
    lang: Lang,
    paint: Paint,
    rules: &'r RuleSet,
}

impl Page<'_> {
    fn print(&self, out: &mut impl Write, answer: &Answer) -> io::Result<()> {
        self.totals(out, answer)?;
        let mut quiet = 0;
        for history in &answer.rules {
            if history.alerts == 0 {
                quiet += 1;
            } else {
                self.rule(out, answer, history)?;
            }
        }
        if quiet > 0 {
            let words = [
                "rule would never have fired",
                "rules would never have fired",
                "règle ne se serait jamais déclenchée",
                "règles ne se seraient jamais déclenchées",
            ];
            writeln!(out, "\n{}", counted(quiet, self.lang, words))?;
        }
        self.banned(out, &answer.banned)
    }

    fn totals(&self, out: &mut impl Write, answer: &Answer) -> io::Result<()> {
        let words = ["event", "events", "événement", "événements"];
        let events = counted(answer.within, self.lang, words);
        let Some((first, last)) = answer.span else {
            return writeln!(
                out,
                "{}",
                self.lang
                    .pick("There is nothing from that time.", "Il n’y a rien de cette période.")
            );
        };
        let (first, last) = (moment(first), moment(last));
        let rate = grouped((answer.records as f64 / answer.seconds.max(1e-6)) as u64, self.lang);
        match self.lang {
            Lang::En => {
                writeln!(out, "{events}, {first} to {last} UTC ({rate} records a second)")
            }
            Lang::Fr => writeln!(
                out,
                "{events}, du {first} au {last} UTC ({rate} enregistrements par seconde)"
            ),
        }
    }

    fn rule(&self, out: &mut impl Write, answer: &Answer, history: &RuleHistory) -> io::Result<()> {
        let Some(rule) = self.rules.by_id(&history.rule) else { return Ok(()) };
        let level = rule.reference.level;
        let title = inert(rule.reference.title.get(self.lang));
        let label = self.paint.severity(level, level.label(self.lang));
        writeln!(out, "\n{}  {label}", self.paint.bold(&title))?;
        let alerts = counted(history.alerts, self.lang, ["alert", "alerts", "alerte", "alertes"]);
        let words = ["event", "events", "événement", "événements"];
        let events = counted(history.events, self.lang, words);
        let over = self.lang.pick("over", "sur");
        write!(out, "  {alerts} {over} {events}")?;
        if let Some((first, last)) = history.span {
            let (first, last) = (moment(first), moment(last));
            match self.lang {
                Lang::En => write!(out, ", {first} to {last}")?,
                Lang::Fr => write!(out, ", du {first} au {last}")?,
            }
        }
        writeln!(out, "\n  {}", bars(&columns(answer, history)))?;
        for (field, subjects) in &history.subjects {
            self.subjects(out, field, subjects)?;
        }
        for sample in &history.samples {
            let line: String = inert(sample).chars().take(LINE).collect();
            writeln!(out, "  {}", self.paint.dim(&line))?;
        }
        Ok(())
    }

    fn subjects(&self, out: &mut impl Write, field: &str, subjects: &[Subject]) -> io::Result<()> {
        if subjects.is_empty() {
            return Ok(());
        }
        let name = match field {
            "source.ip" => self.lang.pick("sources", "sources"),
            "user.name" => self.lang.pick("accounts", "comptes"),
            _ => self.lang.pick("hosts", "machines"),
        };
        let shown: Vec<String> = subjects
            .iter()
            .take(SHOWN)
            .map(|one| format!("{} ({})", inert(&one.value), grouped(one.alerts, self.lang)))
            .collect();
        let more = subjects.len().saturating_sub(SHOWN);
        let colon = self.lang.pick(":", " :");
        write!(out, "  {name}{colon} {}", shown.join(", "))?;
        if more > 0 {
            let more = grouped(more as u64, self.lang);
            match self.lang {
                Lang::En => write!(out, ", and {more} more")?,
                Lang::Fr => write!(out, " et {more} de plus")?,
            }
        }
        writeln!(out)
    }

    fn banned(&self, out: &mut impl Write, banned: &[Banned]) -> io::Result<()> {
        let number = banned.len() as u64;
        let words = [
            "address would have been banned",
            "addresses would have been banned",
            "adresse aurait été bannie",
            "adresses auraient été bannies",
        ];
        let mut title = match number {
            0 => self
                .lang
                .pick("Nobody would have been banned", "Personne n’aurait été banni")
                .to_owned(),
            _ => counted(number, self.lang, words),
        };
        let yours = banned.iter().filter(|one| !one.yours.is_empty()).count();
        if yours > 0 {
            let yours = grouped(yours as u64, self.lang);
            title = match self.lang {
                Lang::En => format!("{title}, {yours} of them yours"),
                Lang::Fr => format!("{title}, dont {yours} à vous"),
            };
        }
        writeln!(out, "\n{}", self.paint.bold(&title))?;
        // One's own first: they are what one looks for here.
        let (own, others): (Vec<_>, Vec<_>) = banned.iter().partition(|one| !one.yours.is_empty());
        let colon = self.lang.pick(":", " :");
        for one in own.into_iter().chain(others).take(BANNED_SHOWN) {
            let longest = duration(one.longest_s.unsigned_abs(), self.lang);
            let first = moment(one.first);
            let target = one.target();
            match self.lang {
                Lang::En => write!(out, "  {target}: from {first}, up to {longest}")?,
                Lang::Fr => write!(out, "  {target} : dès le {first}, jusqu’à {longest}")?,
            }
            let why: Vec<String> =
                one.yours.iter().map(|why| inert(&why.text(self.lang))).collect();
            if !why.is_empty() {
                let yours = self.lang.pick("yours", "à vous");
                write!(
                    out,
                    " ({yours}{colon} {})",
                    why.join(" ; ").replace(" ; ", self.lang.pick("; ", " ; "))
                )?;
            }
            writeln!(out)?;
        }
        if banned.len() > BANNED_SHOWN {
            let more = grouped((banned.len() - BANNED_SHOWN) as u64, self.lang);
            match self.lang {
                Lang::En => writeln!(out, "  … and {more} more: --json shows all")?,
                Lang::Fr => writeln!(out, "  … et {more} de plus : --json montre tout")?,
            }
        }
        Ok(())
    }
}

/// Counts as a line of bars; where there is anything there is a bar.
fn bars(counts: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = |count: &u64| {
        if *count == 0 {
            '·'
        } else {
            let height = (u128::from(*count) * 8).div_ceil(u128::from(most)) as usize;
            BARS.get(height.saturating_sub(1)).copied().unwrap_or('█')
        }
    };
    counts.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = Timestamp::from_seconds(1_767_225_600);
        for (text, expected) in [
            ("2026-01-01T00:00:00Z", Some(1_767_225_600)),
            ("2025-12-31", Some(1_767_225_600 - 86_400)),
            ("7d", Some(1_767_225_600 - 7 * 86_400)),
            ("90m", Some(1_767_225_600 - 5_400)),
            ("yesterday", None),
            ("7é", None),
            ("9999999999999999999d", None),
            ("", None),
        ] {
            let found = moment_of(text, now).ok().map(Timestamp::seconds);
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn bars_show_the_least_and_the_most() {
        assert_eq!(bars(&[0, 1, 400, 800]), "·▁▄█");
        assert_eq!(bars(&[]), "");
    }
}
