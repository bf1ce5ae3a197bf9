//! Text → alerts, with the place of whatever is wrong.

use serde::Serialize;
use serde_json::{Map, Value};
use vigie_event::{Lang, Localized, Severity, Timestamp};

/// One alert as the file tells it. Text fields are hostile: show them escaped.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ReadAlert {
    /// Line where it begins, from 1.
    pub line: usize,
    /// Its id; `None`: unknown.
    pub id: Option<String>,
    /// Its type as the file words it; `None`: unknown.
    pub name: Option<String>,
    /// What it says, in prose.
    pub description: Option<String>,
    /// Its severity, where the file states one that is known.
    pub severity: Option<Severity>,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// Where it comes from: an address or a name.
    pub source: Option<String>,
    /// What it is about: an address or a name.
    pub target: Option<String>,
    /// The account in question.
    pub user: Option<String>,
    /// The whole alert as read.
    pub fields: Map<String, Value>,
}

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

/// Reads the alerts of a file: a JSON array, one object a line, objects one after another, or an
/// object with the array under `alerts`, `events`, `data`, `items`, `records` or `results`. Never
/// fails: what cannot be read is a [`Problem`], and the rest is kept.
pub fn read(text: &str) -> (Vec<ReadAlert>, Vec<Problem>) {
    let mut reader = Reader { text, alerts: Vec::new(), problems: Vec::new() };
    reader.run();
    if reader.alerts.is_empty() && reader.problems.is_empty() {
        reader.problem(
            0,
            Localized::new("no alert in the file", "aucune alerte dans le fichier"),
            Localized::new(
                "give a JSON array of alerts, or one alert a line",
                "donner un tableau JSON d’alertes, ou une alerte par ligne",
            ),
        );
    }
    (reader.alerts, reader.problems)
}

struct Reader<'t> {
    text: &'t str,
    alerts: Vec<ReadAlert>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn run(&mut self) {
        let bytes = self.text.as_bytes();
        let mut at = if self.text.starts_with('\u{feff}') { 3 } else { 0 };
        while let Some(byte) = bytes.get(at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']' => at += 1,
                b'{' => at = self.object(at),
                _ => {
                    let found = self.text.get(at..).and_then(|rest| rest.chars().next());
                    let found = found.unwrap_or('?').escape_default();
                    let message = Localized::new(
                        format!("expected an alert in braces, found `{found}`"),
                        format!("une alerte entre accolades était attendue, trouvé `{found}`"),
                    );
                    self.problem(at, message, each_is_an_object());
                    let rest = bytes.get(at..).unwrap_or_default();
                    let skip = rest.iter().position(|byte| matches!(byte, b'\n' | b'{'));
                    at += skip.unwrap_or(rest.len()).max(1);
                }
            }
        }
    }

    /// Reads the object that begins at `start`; returns where to go on.
    fn object(&mut self, start: usize) -> usize {
        let end = match end_of_object(self.text.as_bytes(), start) {
            Ok(end) => end,
            Err(at) => {
                self.problem(
                    at,
                    Localized::new("the alert does not end", "l’alerte ne se termine pas"),
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
                let (line, column) = place(self.text, start);
                // Lines and columns of the error count from the object's start.
                let first = error.line() <= 1;
                let column =
                    if first { column + error.column().saturating_sub(1) } else { error.column() };
                let message = error.to_string();
                let message = message.rsplit_once(" at line").map_or(&*message, |(front, _)| front);
                self.problems.push(Problem {
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
        const WRAPPERS: [&str; 6] = ["alerts", "events", "data", "items", "records", "results"];
        let (line, _) = place(self.text, start);
        let wrapper = WRAPPERS.iter().find(|name| {
            let members = fields.get(**name).and_then(Value::as_array);
            members.is_some_and(|members| members.iter().any(Value::is_object))
        });
        if find(&fields, NAMES).is_none()
            && let Some(Value::Array(members)) = wrapper.and_then(|name| fields.remove(*name))
        {
            for (place, member) in members.into_iter().enumerate() {
                match member {
                    Value::Object(fields) => self.alerts.push(ReadAlert::of(fields, line)),
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
        self.alerts.push(ReadAlert::of(fields, line));
    }

    fn problem(&mut self, at: usize, message: Localized, mend: Localized) {
        let (line, column) = place(self.text, at);
        self.problems.push(Problem { line, column, message, mend });
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

/// Line and column (in characters) of a byte, both from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..text.floor_char_boundary(at.min(text.len()))).unwrap_or_default();
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

// Names that tools give to one thing, the usual ones first; a dot steps into an object.
const IDS: &[&str] = &["alert_id", "id", "uuid", "_id", "event_id", "alert.signature_id"];
const NAMES: &[&str] = &[
    "alert_type",
    "type",
    "attack_type",
    "rule.name",
    "rule.description",
    "alert.signature",
    "rule_name",
    "signature",
    "title",
    "name",
    "event_type",
    "eventid",
    "category",
];
const DESCRIPTIONS: &[&str] =
    &["description", "message", "details", "summary", "full_log", "msg", "desc"];
const SEVERITIES: &[&str] = &[
    "severity",
    "level",
    "criticality",
    "priority",
    "rule.severity",
    "event.severity_label",
    "gravité",
    "gravite",
    "niveau",
    "sévérité",
    "severite",
];
const TIMES: &[&str] = &["timestamp", "@timestamp", "time", "datetime", "date", "created_at"];
const SOURCES: &[&str] = &[
    "source_ip",
    "src_ip",
    "src",
    "source.ip",
    "attacker_ip",
    "srcip",
    "data.srcip",
    "data.src_ip",
    "client_ip",
    "remote_ip",
    "ip",
    "source",
    "source_host",
    "src_host",
];
const TARGETS: &[&str] = &[
    "destination_ip",
    "dest_ip",
    "dst_ip",
    "dst",
    "destination.ip",
    "target_ip",
    "target",
    "destination",
    "dstip",
    "data.dstip",
    "target_host",
    "host.name",
    "hostname",
    "host",
    "agent.name",
    "server",
    "asset",
];
const USERS: &[&str] = &["user", "username", "user.name", "account", "target_user", "data.dstuser"];

impl ReadAlert {
    fn of(fields: Map<String, Value>, line: usize) -> Self {
        let text = |names| find(&fields, names).and_then(as_text);
        Self {
            line,
            id: text(IDS),
            name: text(NAMES),
            description: text(DESCRIPTIONS),
            severity: SEVERITIES
                .iter()
                .find_map(|name| step(&fields, name)?.as_str()?.parse().ok()),
            time: TIMES.iter().find_map(|name| time(step(&fields, name)?)),
            source: text(SOURCES),
            target: text(TARGETS),
            user: text(USERS),
            fields,
        }
    }
}

/// The first of the names under which there is a text or a number.
fn find<'f>(fields: &'f Map<String, Value>, names: &[&str]) -> Option<&'f Value> {
    names.iter().filter_map(|name| step(fields, name)).find(|value| as_text(value).is_some())
}

/// The value under `name`, as one flat key or as a path through objects.
fn step<'f>(fields: &'f Map<String, Value>, name: &str) -> Option<&'f Value> {
    if let Some(value) = fields.get(name) {
        return Some(value);
    }
    if let Some((first, rest)) = name.split_once('.') {
        return step(fields.get(first)?.as_object()?, rest);
    }
    // `Severity`, `SourceIP`: the same name in another case.
    fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(members) => members.first().and_then(as_text),
        _ => None,
    }
}

/// RFC 3339, the same without a zone (taken as UTC) or with a space, or Unix seconds or
/// milliseconds.
fn time(value: &Value) -> Option<Timestamp> {
    if let Some(number) = value.as_i64() {
        let seconds = if number > 100_000_000_000 { number / 1_000 } else { number };
        return (seconds > 0).then(|| Timestamp::from_seconds(seconds));
    }
    let text = value.as_str()?.trim();
    Timestamp::parse(text).or_else(|_| Timestamp::parse(&format!("{text}Z"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, names: &[&str], problems: &[(usize, usize)]) {
        let (alerts, found) = read(text);
        let read: Vec<_> = alerts.iter().map(|a| a.name.as_deref().unwrap_or("?")).collect();
        assert_eq!(read, names, "{text}");
        let places: Vec<_> = found.iter().map(|p| (p.line, p.column)).collect();
        assert_eq!(places, problems, "{text}: {found:?}");
    }

    #[test]
    fn reads_arrays_lines_and_wrappers() {
        check(r#"[{"type": "a"}, {"alert_type": "b"}]"#, &["a", "b"], &[]);
        check("{\"type\": \"a\"}\n\n{\"type\": \"b\"}\n", &["a", "b"], &[]);
        check("{\n  \"type\": \"a\"\n}\n{\n\"type\": \"b\"}", &["a", "b"], &[]);
        check(r#"{"alerts": [{"type": "a"}, {}]}"#, &["a", "?"], &[]);
        check("\u{feff}[{}]", &["?"], &[]);
    }

    #[test]
    fn tells_where_it_is_wrong_and_keeps_the_rest() {
        check("", &[], &[(1, 1)]);
        check("[{\"type\": \"a\"},\n {\"type\": },\n {\"type\": \"c\"}]", &["a", "c"], &[(2, 11)]);
        check("{\"type\": \"a\"}\n{\"type\": \"b\n{\"type\": \"c\"}", &["a", "c"], &[(2, 12)]);
        check("[{\"type\": \"a\"}, 7, {\"type\": \"b\"}]", &["a", "b"], &[(1, 17)]);
        check("{\"type\": [[[", &[], &[(1, 13)]);
        check("plain text\n{\"type\": \"b\"}", &["b"], &[(1, 1)]);
    }

    #[test]
    fn understands_other_names() {
        let (alerts, _) = read(
            r#"[{"Alert_Type": "SSH", "Severity": "Élevé", "src": "192.0.2.1", "time": 1767607933,
                 "destination": {"ip": "192.0.2.2"}, "username": "root", "id": 7}]"#,
        );
        let alert = &alerts[0];
        assert_eq!(alert.name.as_deref(), Some("SSH"));
        assert_eq!(alert.severity, Some(Severity::High));
        assert_eq!(alert.source.as_deref(), Some("192.0.2.1"));
        assert_eq!(alert.target.as_deref(), Some("192.0.2.2"));
        assert_eq!(alert.id.as_deref(), Some("7"));
        assert_eq!(alert.time.unwrap().to_string(), "2026-01-05T10:12:13.000000Z");
    }

    #[test]
    fn missing_is_unknown() {
        let (alerts, problems) = read(r#"[{"severity": 3, "time": "yesterday", "src": null}]"#);
        assert!(problems.is_empty());
        assert_eq!(alerts[0].severity, None);
        assert_eq!(alerts[0].time, None);
        assert_eq!(alerts[0].source, None);
    }
}
