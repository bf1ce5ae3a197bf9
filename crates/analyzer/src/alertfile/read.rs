//! Text → alerts, with the place of whatever is wrong.

use serde::Serialize;
use serde_json::{Map, Value};
use vigie_event::{Lang, Localized};

use super::alert::{self, ReadAlert};

/// What is wrong in the file, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What was found or expected.
    pub message: Localized,
    /// How to mend it.
    pub mend: Localized,
}

impl Problem {
    /// `line 12, column 5: message (mend)`.
    pub fn sentence(&self, lang: Lang) -> String {
        let Self { line, column, .. } = self;
        let (message, mend) = (self.message.get(lang), self.mend.get(lang));
        match lang {
            Lang::En => format!("line {line}, column {column}: {message} ({mend})"),
            Lang::Fr => format!("ligne {line}, colonne {column} : {message} ({mend})"),
        }
    }
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Its alerts, in the order of the file.
    pub alerts: Vec<ReadAlert>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Events that are no alerts, such as the flows in Suricata's EVE; they are passed over.
    pub passed_over: usize,
}

/// Problems that are listed; of more only the number is told.
const MOST_PROBLEMS: usize = 1_000;
/// Alerts without an end after which a file is read no further: each costs a look at all the rest.
const MOST_UNENDED: usize = 1_000;
/// Under which names an object holds a list of alerts.
const WRAPPERS: [&str; 6] = ["alerts", "events", "data", "items", "records", "results"];

/// Reads the alerts of a file: a JSON array, one object a line, objects one after another, or an
/// object with the array under `alerts`, `events`, `data`, `items`, `records` or `results`. Of
/// Suricata's EVE and of `vigie scan --json` the alerts are taken. Never fails: what cannot be read
/// is a [`Problem`], and the rest is kept.
pub fn read(text: &str) -> Reading {
    let mut reader = Reader {
        text,
        found: Reading::default(),
        mark: Mark { at: 0, line: 1 },
        open: None,
        unended: 0,
        unlisted: 0,
    };
    reader.run();
    reader.close();
    if reader.found.alerts.is_empty() && reader.found.problems.is_empty() {
        let passed_over = reader.found.passed_over;
        if passed_over > 0 {
            reader.problem(
                0,
                Localized::new(
                    format!("no alert among the {passed_over} events of the file"),
                    format!("aucune alerte parmi les {passed_over} événements du fichier"),
                ),
                Localized::new(
                    "give a file with alerts, or the events to `vigie scan`",
                    "donner un fichier d’alertes, ou les événements à `vigie scan`",
                ),
            );
            return reader.found;
        }
        reader.problem(
            0,
            Localized::new("no alert in the file", "aucune alerte dans le fichier"),
            Localized::new(
                "give a JSON array of alerts, or one alert a line",
                "donner un tableau JSON d’alertes, ou une alerte par ligne",
            ),
        );
    }
    reader.found
}

struct Reader<'t> {
    text: &'t str,
    found: Reading,
    mark: Mark,
    /// Where a list begins that has not ended.
    open: Option<usize>,
    /// Alerts without an end.
    unended: usize,
    /// Problems that are not listed.
    unlisted: usize,
}

/// A byte and its line, from which lines further on are counted: the file is counted once.
#[derive(Clone, Copy)]
struct Mark {
    at: usize,
    line: usize,
}

impl Reader<'_> {
    fn run(&mut self) {
        let bytes = self.text.as_bytes();
        let mut at = if self.text.starts_with('\u{feff}') { 3 } else { 0 };
        while let Some(byte) = bytes.get(at) {
            if self.unended >= MOST_UNENDED {
                let message = Localized::new(
                    "too many alerts do not end; the rest was not read",
                    "trop d’alertes ne se terminent pas ; le reste n’a pas été lu",
                );
                let mend = Localized::new(
                    "check that this is a file of alerts",
                    "vérifier qu’il s’agit d’un fichier d’alertes",
                );
                return self.problem(at, message, mend);
            }
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => at += 1,
                b'[' => {
                    self.open.get_or_insert(at);
                    at += 1;
                }
                b']' => {
                    self.open = None;
                    at += 1;
                }
                b'{' => at = self.object(at),
                _ => {
                    let found = self.text.get(at..).and_then(|rest| rest.chars().next());
                    let found = match found.unwrap_or('?') {
                        control if control.is_control() => control.escape_default().to_string(),
                        shown => shown.to_string(),
                    };
                    let message = Localized::new(
                        format!("expected an alert in braces, found `{found}`"),
                        format!("une alerte entre accolades était attendue, trouvé `{found}`"),
                    );
                    self.problem(at, message, each_is_an_object());
                    let rest = bytes.get(at..).unwrap_or_default();
                    let in_list = self.open.is_some();
                    let skip = rest.iter().position(|byte| match byte {
                        b'\n' | b'{' => true,
                        b',' | b']' => in_list,
                        _ => false,
                    });
                    at += skip.unwrap_or(rest.len()).max(1);
                }
            }
        }
    }

    /// What is only known at the end: a list that goes on, and how much was wrong beside what is listed.
    fn close(&mut self) {
        let end = self.text.trim_end().len();
        if self.open.is_some() && self.unended == 0 {
            self.problem(
                end,
                Localized::new(
                    "the list of alerts does not end; the file may be cut off",
                    "la liste d’alertes ne se termine pas ; le fichier est peut-être tronqué",
                ),
                Localized::new(
                    "close it with `]`, or fetch the file again",
                    "la fermer par `]`, ou récupérer le fichier de nouveau",
                ),
            );
        }
        if self.unlisted > 0 {
            let (line, column) = self.place(end);
            let number = self.unlisted;
            self.found.problems.push(Problem {
                line,
                column,
                message: Localized::new(
                    format!("{number} more problems are not listed"),
                    format!("{number} autres problèmes ne sont pas listés"),
                ),
                mend: Localized::new(
                    "mend the listed ones first",
                    "corriger d’abord ceux qui le sont",
                ),
            });
        }
    }

    /// Reads the object that begins at `start`; returns where to go on.
    fn object(&mut self, start: usize) -> usize {
        let end = match end_of_object(self.text.as_bytes(), start) {
            Ok(end) => end,
            Err(at) => {
                self.unended += 1;
                // Where the text ends nothing tells which line is wrong, but for where it begins.
                let (at, message) = if at == self.text.len() {
                    let begins = Localized::new(
                        "the alert that begins here does not end",
                        "l’alerte qui commence ici ne se termine pas",
                    );
                    (start, begins)
                } else {
                    (at, Localized::new("the text does not end", "le texte ne se termine pas"))
                };
                self.problem(
                    at,
                    message,
                    Localized::new(
                        "close its strings, brackets and braces",
                        "fermer ses chaînes, crochets et accolades",
                    ),
                );
                return next_object_line(self.text.as_bytes(), start);
            }
        };
        match serde_json::from_str::<Value>(self.text.get(start..end).unwrap_or_default()) {
            Ok(Value::Object(fields)) => self.take(fields, start),
            Ok(_) => {}
            Err(error) => {
                let (line, column) = self.place(start);
                // Lines and columns of the error count from the object's start.
                let first = error.line() <= 1;
                let column =
                    if first { column + error.column().saturating_sub(1) } else { error.column() };
                let message = error.to_string();
                let message = message.rsplit_once(" at line").map_or(&*message, |(front, _)| front);
                self.list(Problem {
                    line: line + error.line().saturating_sub(1),
                    column,
                    // The JSON library words it in English only.
                    message: Localized::new(message, ""),
                    mend: Localized::new(
                        "correct the JSON of this alert",
                        "corriger le JSON de cette alerte",
                    ),
                });
            }
        }
        end
    }

    /// Takes an alert, or the alerts under one of the wrapping names.
    fn take(&mut self, mut fields: Map<String, Value>, start: usize) {
        let line = self.line(start);
        let wrapper = WRAPPERS.iter().find(|name| {
            let members = fields.get(**name).and_then(Value::as_array);
            members.is_some_and(|members| members.iter().any(Value::is_object))
        });
        if !alert::is_named(&fields)
            && let Some(Value::Array(members)) = wrapper.and_then(|name| fields.remove(*name))
        {
            for (place, member) in members.into_iter().enumerate() {
                match member {
                    Value::Object(fields) => self.keep(fields, line),
                    _ => self.problem(
                        start,
                        Localized::new(
                            format!("member {place} of the list is no object"),
                            format!("l’élément {place} de la liste n’est pas un objet"),
                        ),
                        each_is_an_object(),
                    ),
                }
            }
            return;
        }
        if fields.is_empty() {
            let message =
                Localized::new("an empty object is no alert", "un objet vide n’est pas une alerte");
            return self.problem(start, message, each_is_an_object());
        }
        if !alert::is_named(&fields) && fields.values().all(Value::is_array) {
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            if names.iter().any(|name| WRAPPERS.contains(name)) {
                return;
            }
            let name: String = names.first().unwrap_or(&"").chars().take(40).collect();
            let name = name.escape_debug();
            let message = Localized::new(
                format!("a list under `{name}` is not known to be one of alerts"),
                format!("une liste sous `{name}` n’est pas connue comme liste d’alertes"),
            );
            let known = WRAPPERS.join("`, `");
            let mend = Localized::new(
                format!("put it under one of `{known}`"),
                format!("la mettre sous l’un de `{known}`"),
            );
            return self.problem(start, message, mend);
        }
        self.keep(fields, line);
    }

    fn keep(&mut self, fields: Map<String, Value>, line: usize) {
        if is_alert(&fields) {
            self.found.alerts.push(ReadAlert::of(fields, line));
        } else {
            self.found.passed_over += 1;
        }
    }

    fn problem(&mut self, at: usize, message: Localized, mend: Localized) {
        let (line, column) = self.place(at);
        self.list(Problem { line, column, message, mend });
    }

    fn list(&mut self, problem: Problem) {
        if self.found.problems.len() < MOST_PROBLEMS {
            self.found.problems.push(problem);
        } else {
            self.unlisted += 1;
        }
    }

    /// The line of a byte, from 1.
    fn line(&mut self, at: usize) -> usize {
        let from = if at >= self.mark.at { self.mark } else { Mark { at: 0, line: 1 } };
        let between = self.text.as_bytes().get(from.at..at.min(self.text.len()));
        let lines = between.unwrap_or_default().split(|byte| *byte == b'\n').count().max(1) - 1;
        self.mark = Mark { at, line: from.line + lines };
        self.mark.line
    }

    /// Line and column (in characters) of a byte, both from 1.
    fn place(&mut self, at: usize) -> (usize, usize) {
        let line = self.line(at);
        let before = self.text.get(..self.text.floor_char_boundary(at.min(self.text.len())));
        let before = before.unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (line, before.get(start..).unwrap_or_default().chars().count() + 1)
    }
}

/// Whether the object is an alert: in streams that hold other kinds of events too, only what calls
/// itself one.
fn is_alert(fields: &Map<String, Value>) -> bool {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let eve = fields.contains_key("flow_id") || fields.contains_key("pcap_cnt");
    match (text("event_type"), text("kind")) {
        (Some(kind), _) if eve => kind == "alert",
        (Some("stats"), _) => fields.len() > 3 && !fields.contains_key("stats"),
        (_, Some("incident" | "verdict" | "decision" | "stats")) => false,
        _ => true,
    }
}

fn each_is_an_object() -> Localized {
    Localized::new("each alert is a JSON object", "chaque alerte est un objet JSON")
}

/// The first byte after the object that begins at `start`, or where it breaks off: at the end of
/// the text, or at a line's end within a string, which JSON forbids.
fn end_of_object(bytes: &[u8], start: usize) -> Result<usize, usize> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        if in_string {
            match byte {
                b'\n' => return Err(at),
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Ok(at + 1);
                }
            }
            _ => {}
        }
    }
    Err(bytes.len())
}

/// The start of the next line after `start` that begins with a brace; the end if there is none.
fn next_object_line(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(skip) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| *b == b'\n')) {
        at += skip + 1;
        let rest = bytes.get(at..).unwrap_or_default();
        let first = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
        if first == Some(&b'{') {
            return at;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests;
