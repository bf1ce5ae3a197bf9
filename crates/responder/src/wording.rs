//! The sentences that tell people why.

use std::borrow::Cow;

use vigie_event::{Lang, Langs, Localized};

use crate::Refusal;

/// What became of a ban, for its reason.
pub(crate) enum BanTold<'b> {
    /// It is in force, or would be.
    Given { duration_s: u64, earlier: usize, why: &'b Localized },
    /// It waits for approval.
    Waiting { duration_s: u64, per_minute: u32 },
    /// It must not be.
    Refused(&'b Refusal),
    /// The target is no address.
    NoAddress,
    /// The target does not stand in the evidence.
    NotInEvidence,
}

/// The reason of a ban of `target`, as a sentence.
pub(crate) fn ban(langs: Langs, target: &str, told: &BanTold<'_>) -> Localized {
    let target = plain(target);
    langs.text(|lang| ban_in(lang, &target, told))
}

fn ban_in(lang: Lang, target: &str, told: &BanTold<'_>) -> String {
    match (lang, told) {
        (Lang::En, BanTold::Given { duration_s, earlier, why }) => {
            let time = duration(lang, *duration_s);
            let before = match earlier {
                0 => Cow::Borrowed(""),
                1 => Cow::Borrowed("; it was banned once before"),
                n => Cow::Owned(format!("; it was banned {n} times before")),
            };
            ["Ban of ", target, " for ", &time, ": ", why.get(lang), &before, "."].concat()
        }
        (Lang::Fr, BanTold::Given { duration_s, earlier, why }) => {
            let time = duration(lang, *duration_s);
            let before = match earlier {
                0 => Cow::Borrowed(""),
                1 => Cow::Borrowed(" ; elle a déjà été bannie une fois"),
                n => Cow::Owned(format!(" ; elle a déjà été bannie {n} fois")),
            };
            let why = why.get(lang);
            ["Bannissement de ", target, " pendant ", &time, " : ", why, &before, "."].concat()
        }
        (Lang::En, BanTold::Waiting { duration_s, per_minute }) => format!(
            "The ban of {target} for {} waits for approval: there were {per_minute} bans within a minute, or too many are in force.",
            duration(lang, *duration_s)
        ),
        (Lang::Fr, BanTold::Waiting { duration_s, per_minute }) => format!(
            "Le bannissement de {target} pendant {} attend une approbation : il y a eu {per_minute} bannissements en une minute, ou trop sont en vigueur.",
            duration(lang, *duration_s)
        ),
        (Lang::En, BanTold::Refused(refusal)) => {
            format!("{target} is not banned: {}.", refusal.text(lang))
        }
        (Lang::Fr, BanTold::Refused(refusal)) => {
            format!("{target} n’est pas bannie : {}.", refusal.text(lang))
        }
        (Lang::En, BanTold::NoAddress) => {
            format!("Nothing is banned: “{target}” is no address.")
        }
        (Lang::Fr, BanTold::NoAddress) => {
            format!("Rien n’est banni : « {target} » n’est pas une adresse.")
        }
        (Lang::En, BanTold::NotInEvidence) => {
            format!("{target} is not banned: it does not stand in the evidence.")
        }
        (Lang::Fr, BanTold::NotInEvidence) => {
            format!("{target} n’est pas bannie : elle ne figure pas dans les preuves.")
        }
    }
}

/// A policy's reason, which is a clause, as a sentence.
pub(crate) fn sentence(langs: Langs, why: &Localized) -> Localized {
    langs.text(|lang| as_sentence(why.get(lang)))
}

fn as_sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let Some(first) = letters.next() else {
        return String::new();
    };
    let mut sentence = String::with_capacity(clause.len() + 4);
    sentence.extend(first.to_uppercase());
    sentence.push_str(letters.as_str());
    if !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
}

/// A duration in the largest unit that measures it whole.
fn duration(lang: Lang, seconds: u64) -> String {
    let (unit_s, en, fr) =
        [(86_400, "day", "jour"), (3_600, "hour", "heure"), (60, "minute", "minute")]
            .into_iter()
            .find(|(unit_s, _, _)| seconds >= *unit_s && seconds.is_multiple_of(*unit_s))
            .unwrap_or((1, "second", "seconde"));
    let count = seconds / unit_s;
    let plural = match lang {
        Lang::En if count == 1 => "",
        Lang::Fr if count < 2 => "",
        _ => "s",
    };
    let unit = if lang == Lang::Fr { fr } else { en };
    format!("{count} {unit}{plural}")
}

/// Text from outside: short, and without characters that could move or hide others.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    // Addresses, and nearly all names.
    if text.len() <= 64 && text.bytes().all(|byte| (0x20..0x7F).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    text.chars().take(64).map(|letter| if is_plain(letter) { letter } else { '\u{FFFD}' }).collect()
}

/// Neither a control character nor one of Unicode's bidirectional controls (UAX #9).
fn is_plain(letter: char) -> bool {
    !letter.is_control()
        && !matches!(letter, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (seconds, en, fr) in [
            (1, "1 second", "1 seconde"),
            (90, "90 seconds", "90 secondes"),
            (60, "1 minute", "1 minute"),
            (14_400, "4 hours", "4 heures"),
            (86_400, "1 day", "1 jour"),
            (230_400, "64 hours", "64 heures"),
            (2_419_200, "28 days", "28 jours"),
        ] {
            assert_eq!(duration(Lang::En, seconds), en);
            assert_eq!(duration(Lang::Fr, seconds), fr);
        }
    }

    #[test]
    fn clauses_become_sentences() {
        let why = Localized::new("it is watched", "élevée et surveillée");
        assert_eq!(sentence(Langs::default(), &why).en, "It is watched.");
        assert_eq!(sentence(Langs::default(), &why).fr, "Élevée et surveillée.");
    }

    #[test]
    fn text_from_outside_cannot_move_the_cursor() {
        assert_eq!(plain("a\u{1b}[2J\n\u{202E}b"), "a\u{FFFD}[2J\u{FFFD}\u{FFFD}b");
        assert_eq!(plain(&"x".repeat(1_000)).len(), 64);
    }
}
