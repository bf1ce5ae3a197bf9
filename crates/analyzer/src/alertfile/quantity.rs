//! What an alert measured: how many of what, how fast, in its fields or in its prose.

use serde_json::{Map, Value};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Ports,
    Attempts,
    Commands,
    Requests,
    Hosts,
    Bytes,
    Events,
}

impl What {
    /// Actions a second that a person at a keyboard does not keep up; `None` for what is no action.
    pub fn beyond_people(self) -> Option<f64> {
        match self {
            Self::Ports | Self::Commands => Some(0.5),
            Self::Attempts => Some(0.3),
            Self::Requests => Some(3.0),
            Self::Hosts => Some(0.1),
            Self::Events => Some(2.0),
            Self::Bytes => None,
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        const WORDS: [(&str, What); 26] = [
            ("port", What::Ports),
            ("attempt", What::Attempts),
            ("tentative", What::Attempts),
            ("essai", What::Attempts),
            ("login", What::Attempts),
            ("failure", What::Attempts),
            ("échec", What::Attempts),
            ("echec", What::Attempts),
            ("password", What::Attempts),
            ("command", What::Commands),
            ("request", What::Requests),
            ("requête", What::Requests),
            ("requete", What::Requests),
            ("call", What::Requests),
            ("appel", What::Requests),
            ("quer", What::Requests),
            ("host", What::Hosts),
            ("machine", What::Hosts),
            ("server", What::Hosts),
            ("serveur", What::Hosts),
            ("hôte", What::Hosts),
            ("system", What::Hosts),
            ("event", What::Events),
            ("packet", What::Events),
            ("paquet", What::Events),
            ("action", What::Events),
        ];
        WORDS.iter().find(|(start, _)| word.starts_with(start)).map(|(_, what)| *what)
    }
}

/// How many of what, and how fast where it is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quantity {
    pub what: What,
    /// How many in all, where it is told.
    pub amount: Option<f64>,
    /// How many a second.
    pub per_second: Option<f64>,
}

/// Fields and characters of prose that are read of one alert.
const MOST_FIELDS: usize = 60;
const MOST_PROSE: usize = 600;
/// So many of anything, such as an exabyte, are a slip or a lie, and are passed over.
const TOO_MANY: f64 = 1e18;

/// The quantities that an alert tells, each kind once: the fastest.
pub(super) fn all(fields: &Map<String, Value>) -> Vec<Quantity> {
    let mut found: Vec<Quantity> = Vec::new();
    let mut flat = Vec::new();
    flatten(fields, &mut flat, 3);
    let span = flat.iter().find_map(|(name, value)| span(name, value));
    for (name, value) in &flat {
        match value {
            Value::Number(_) => found.extend(of_field(name, value.as_f64(), span)),
            Value::String(text) => match text.trim().parse::<f64>() {
                Ok(number) => found.extend(of_field(name, Some(number), span)),
                Err(_) => prose(text, name, &mut found),
            },
            _ => {}
        }
    }
    found.retain(|quantity| {
        let numbers = [quantity.amount, quantity.per_second];
        numbers.iter().flatten().all(|number| *number > 0.0 && *number < TOO_MANY)
    });
    let pace = |quantity: &Quantity| quantity.per_second.unwrap_or(0.0);
    found.sort_by(|one, other| one.what.cmp(&other.what).then(pace(other).total_cmp(&pace(one))));
    // The fastest of each kind, with a total if any of them tells it.
    let mut kept: Vec<Quantity> = Vec::new();
    for quantity in found {
        match kept.last_mut().filter(|last| last.what == quantity.what) {
            Some(last) => last.amount = last.amount.or(quantity.amount),
            None => kept.push(quantity),
        }
    }
    kept
}

fn flatten<'v>(fields: &'v Map<String, Value>, into: &mut Vec<(String, &'v Value)>, depth: u8) {
    for (name, value) in fields {
        if into.len() >= MOST_FIELDS {
            return;
        }
        match value {
            Value::Object(inner) if depth > 1 => flatten(inner, into, depth - 1),
            _ => into.push((name.to_lowercase(), value)),
        }
    }
}

/// The time over which the alert counted, in seconds.
fn span(name: &str, value: &Value) -> Option<f64> {
    let known =
        ["duration", "window", "période", "periode", "durée", "duree", "elapsed", "timespan"];
    if !known.iter().any(|word| name.contains(word)) {
        return None;
    }
    if let Some(number) = value.as_f64() {
        let unit = if name.contains("min") {
            60.0
        } else if name.contains("hour") || name.contains("heure") {
            3_600.0
        } else if name.ends_with("_ms") {
            0.001
        } else {
            1.0
        };
        return Some(number * unit).filter(|seconds| *seconds > 0.0);
    }
    let words = words(value.as_str()?);
    match &words[..] {
        [Word::Number(number), Word::Text(unit), ..] => Some(number * seconds(unit)?),
        _ => None,
    }
}

fn of_field(name: &str, number: Option<f64>, span: Option<f64>) -> Option<Quantity> {
    let number = number?;
    if let Some(unit) = byte_unit(name.rsplit('_').next()?)
        .or_else(|| (name.contains("bytes") || name.contains("octets")).then_some(1.0))
    {
        let amount = number * unit;
        let per_second = span.map(|span| amount / span);
        return Some(Quantity { what: What::Bytes, amount: Some(amount), per_second });
    }
    let what = || name.split(['_', ' ', '.', '-']).find_map(What::of_word);
    for (ending, seconds) in [
        ("per_second", 1.0),
        ("per_sec", 1.0),
        ("per_s", 1.0),
        ("par_seconde", 1.0),
        ("per_minute", 60.0),
        ("per_min", 60.0),
        ("par_minute", 60.0),
        ("per_hour", 3_600.0),
        ("par_heure", 3_600.0),
    ] {
        if name.contains(ending) {
            let what = what().unwrap_or(What::Events);
            return Some(Quantity { what, amount: None, per_second: Some(number / seconds) });
        }
    }
    if name.ends_with("rps") {
        let what = What::Requests;
        return Some(Quantity { what, amount: None, per_second: Some(number) });
    }
    // A port's or a server's number is no count of them.
    let counts = ["count", "total", "number", "nombre", "num", "nb"];
    let counted = name.split(['_', ' ', '.', '-']).any(|part| counts.contains(&part));
    let plural = name
        .split(['_', ' ', '.', '-'])
        .any(|part| (part.ends_with('s') || part.ends_with("ed")) && What::of_word(part).is_some());
    if !(counted || plural) {
        return None;
    }
    let what = what().unwrap_or(What::Events);
    Some(Quantity { what, amount: Some(number), per_second: span.map(|span| number / span) })
}

enum Word {
    Number(f64),
    Text(String),
    Slash,
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest: &str = text.get(..text.floor_char_boundary(MOST_PROSE)).unwrap_or(text);
    while let Some(first) = rest.chars().next() {
        let length = |fits: fn(char) -> bool| rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let end = if first.is_ascii_digit() {
            let end = length(|c| c.is_ascii_digit() || c == '.' || c == ',');
            let digits = rest.get(..end).unwrap_or_default().trim_end_matches(['.', ',']);
            // 2,300,000 and 2,3: a comma before three digits sets thousands apart.
            let thousands = digits.split(',').skip(1).all(|part| part.len() == 3);
            let plain = digits.replace(',', if thousands { "" } else { "." });
            if let Ok(number) = plain.parse() {
                words.push(Word::Number(number));
            }
            end
        } else if first.is_alphabetic() {
            let end = length(char::is_alphabetic);
            words.push(Word::Text(rest.get(..end).unwrap_or_default().to_lowercase()));
            end
        } else {
            if first == '/' {
                words.push(Word::Slash);
            }
            first.len_utf8()
        };
        rest = rest.get(end..).unwrap_or_default();
    }
    words
}

/// `47 ports/s`, `156 failed attempts in 2 minutes`, `45 requêtes par seconde`, `2.3 GB`.
fn prose(text: &str, name: &str, into: &mut Vec<Quantity>) {
    let words = words(text);
    for (at, word) in words.iter().enumerate() {
        let Word::Number(number) = word else { continue };
        let after = words.get(at + 1..).unwrap_or_default();
        let mut what = None;
        for (step, word) in after.iter().take(5).enumerate() {
            match word {
                Word::Number(_) => break,
                Word::Text(word) if step == 0 && byte_unit(word).is_some() => {
                    let amount = number * byte_unit(word).unwrap_or(1.0);
                    what = Some(What::Bytes);
                    into.push(Quantity {
                        what: What::Bytes,
                        amount: Some(amount),
                        per_second: None,
                    });
                }
                Word::Text(word) if rate_word(word) => {}
                Word::Text(word) => what = what.or_else(|| What::of_word(word)),
                Word::Slash => {}
            }
            let rated =
                matches!(word, Word::Slash) || matches!(word, Word::Text(w) if rate_word(w));
            if !rated {
                continue;
            }
            let what = what.or_else(|| name.split('_').find_map(What::of_word));
            let what = what.unwrap_or(What::Events);
            let scale = if what == What::Bytes { None } else { Some(*number) };
            match (after.get(step + 1), after.get(step + 2)) {
                (Some(Word::Text(unit)), _) if seconds(unit).is_some() => {
                    let per_second = scale.map(|n| n / seconds(unit).unwrap_or(1.0));
                    into.push(Quantity { what, amount: None, per_second });
                }
                (Some(Word::Number(many)), Some(Word::Text(unit))) if seconds(unit).is_some() => {
                    let span = many * seconds(unit).unwrap_or(1.0);
                    let per_second = scale.filter(|_| span > 0.0).map(|n| n / span);
                    if per_second.is_some() {
                        into.push(Quantity { what, amount: scale, per_second });
                    }
                }
                _ => {}
            }
            break;
        }
    }
}

fn rate_word(word: &str) -> bool {
    matches!(
        word,
        "per"
            | "par"
            | "a"
            | "each"
            | "in"
            | "en"
            | "within"
            | "over"
            | "sur"
            | "during"
            | "pendant"
    )
}

fn seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "s" | "sec" | "secs" | "second" | "seconds" | "seconde" | "secondes" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" | "heure" | "heures" => 3_600.0,
        _ => return None,
    })
}

fn byte_unit(unit: &str) -> Option<f64> {
    Some(match unit {
        "kb" | "ko" => 1e3,
        "mb" | "mo" => 1e6,
        "gb" | "go" | "gib" => 1e9,
        "tb" | "to" => 1e12,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(alert: &str, expected: &[(What, Option<f64>, Option<f64>)]) {
        let fields: Map<String, Value> = serde_json::from_str(alert).unwrap();
        let found: Vec<_> = all(&fields)
            .iter()
            .map(|q| (q.what, q.amount, q.per_second.map(|pace| (pace * 100.0).round() / 100.0)))
            .collect();
        assert_eq!(found, expected, "{alert}");
    }

    #[test]
    fn reads_fields() {
        check(r#"{"ports_per_second": 47}"#, &[(What::Ports, None, Some(47.0))]);
        check(
            r#"{"attempts": 156, "duration_minutes": 2}"#,
            &[(What::Attempts, Some(156.0), Some(1.3))],
        );
        check(
            r#"{"details": {"failed_attempts": "156", "time_window": "2 minutes"}}"#,
            &[(What::Attempts, Some(156.0), Some(1.3))],
        );
        check(r#"{"data_size_gb": 2.3}"#, &[(What::Bytes, Some(2.3e9), None)]);
        check(r#"{"bytes_out": 2300000000}"#, &[(What::Bytes, Some(2.3e9), None)]);
        check(r#"{"commands_per_minute": 12}"#, &[(What::Commands, None, Some(0.2))]);
        check(r#"{"dest_port": 22, "src_port": 49678, "server": 3}"#, &[]);
        check(r#"{"bytes_out": 1e308, "data_size_gb": -2, "commands_per_minute": 1e300}"#, &[]);
    }

    #[test]
    fn reads_prose() {
        check(
            r#"{"description": "Fast scan: 47 ports/s over the range"}"#,
            &[(What::Ports, None, Some(47.0))],
        );
        check(
            r#"{"description": "156 failed login attempts in 2 minutes"}"#,
            &[(What::Attempts, Some(156.0), Some(1.3))],
        );
        check(
            r#"{"description": "156 tentatives en 2 min, puis 12 commandes par minute"}"#,
            &[(What::Attempts, Some(156.0), Some(1.3)), (What::Commands, None, Some(0.2))],
        );
        check(r#"{"rate": "45 requests/second"}"#, &[(What::Requests, None, Some(45.0))]);
        check(r#"{"m": "2,3 Go envoyés"}"#, &[(What::Bytes, Some(2.3e9), None)]);
        check(
            r#"{"m": "in 2 / 0 min, 5 ports in 0 s, 9e999999/s, 1,2,3,,/s"}"#,
            &[(What::Events, None, Some(999_999.0))],
        );
    }
}
