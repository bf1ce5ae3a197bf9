//! An agent's event as text: made compact and given `collected_at`, with everything else left as
//! it came: unknown fields, the fields' order, the numbers' writing.

use serde::de::IgnoredAny;

use crate::body::RECORDS_LIMIT;

/// Nesting beyond which an event is refused; parsers stop at 128.
const DEPTH: usize = 100;
const KEY: &[u8] = b"\"collected_at\"";

/// Why a text holds no events.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventTextError {
    /// Nothing was sent, or nothing in it.
    #[error("No data")]
    NoData,
    /// Not JSON.
    #[error("invalid JSON: {0}")]
    Json(String),
    /// Not JSON, in one of several lines.
    #[error("invalid JSON in line {0}: {1}")]
    Line(usize, String),
    /// JSON, but no object.
    #[error("event {0} is no JSON object")]
    NoObject(usize),
    /// One event is over the limit.
    #[error("event {0} is larger than {1} bytes")]
    TooLarge(usize, usize),
    /// Too many events at once.
    #[error("more than {0} events in one request")]
    TooMany(usize),
    /// One event is nested too deeply.
    #[error("event {0} is nested deeper than {DEPTH} levels")]
    TooDeep(usize),
}

/// The events in `body`: one object, an array of objects, or with `lines` one object a line. Each
/// comes out as compact JSON with `collected_at` set to `now`, at most `limit` bytes.
pub fn events(
    body: &[u8],
    lines: bool,
    now: &str,
    limit: usize,
) -> Result<Vec<Vec<u8>>, EventTextError> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|error| {
        EventTextError::Json(format!("not UTF-8 at byte {}", error.valid_up_to()))
    })?;
    let mut events = Vec::new();
    if lines {
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            check(line).map_err(|error| EventTextError::Line(index + 1, error))?;
            push(&mut events, line.as_bytes(), now, limit)?;
        }
    } else {
        if text.trim().is_empty() {
            return Err(EventTextError::NoData);
        }
        check(text).map_err(|error| {
            let hint = "; to send one event a line, use Content-Type: application/x-ndjson";
            let hint = if error.contains("trailing characters") { hint } else { "" };
            EventTextError::Json(format!("{error}{hint}"))
        })?;
        let text = text.trim();
        match text.strip_prefix('[') {
            Some(list) => {
                let mut rest = list.as_bytes();
                while let Some(start) = rest.iter().position(|byte| !is_separator(*byte)) {
                    let (_, member) = rest.split_at(start);
                    if member.first() == Some(&b']') {
                        break;
                    }
                    let taken = push(&mut events, member, now, limit)?;
                    rest = member.get(taken..).unwrap_or_default();
                }
            }
            // What programs of old sent for nothing.
            None if matches!(text, "null" | "false" | "0" | "\"\"") => {}
            None => {
                push(&mut events, text.as_bytes(), now, limit)?;
            }
        }
    }
    if events.is_empty() { Err(EventTextError::NoData) } else { Ok(events) }
}

fn check(text: &str) -> Result<(), String> {
    serde_json::from_str::<IgnoredAny>(text).map(drop).map_err(|error| error.to_string())
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',')
}

/// Adds the object that `json` starts with; gives the bytes that it took. An empty object counts
/// as no data.
fn push(
    events: &mut Vec<Vec<u8>>,
    json: &[u8],
    now: &str,
    limit: usize,
) -> Result<usize, EventTextError> {
    let number = events.len() + 1;
    if number > RECORDS_LIMIT {
        return Err(EventTextError::TooMany(RECORDS_LIMIT));
    }
    let start = json.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    let (_, json) = json.split_at(start);
    if json.first() != Some(&b'{') {
        return Err(EventTextError::NoObject(number));
    }
    let object = Object::scan(json).ok_or(EventTextError::TooDeep(number))?;
    if object.compact == b"{}" {
        return Err(EventTextError::NoData);
    }
    let taken = start + object.taken;
    let event = object.collected_at(now);
    if event.len() > limit {
        return Err(EventTextError::TooLarge(number, limit));
    }
    events.push(event);
    Ok(taken)
}

/// A JSON object's text without insignificant white space.
struct Object {
    compact: Vec<u8>,
    /// Where the value of `collected_at` stands in it, if there is one.
    collected_at: Option<(usize, usize)>,
    /// Bytes read.
    taken: usize,
}

impl Object {
    /// Scans the object that `json` starts with, which has been checked to be JSON. `None`: it is
    /// nested too deeply.
    fn scan(json: &[u8]) -> Option<Self> {
        let mut compact = Vec::with_capacity(json.len().min(4_096) + 64);
        let mut collected_at = None;
        // Where the last string of the outermost level began, and where its member's value did if
        // it is a `collected_at`.
        let mut key_start = 0;
        let mut value_start = None;
        let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
        for (index, byte) in json.iter().copied().enumerate() {
            if in_string {
                compact.push(byte);
                in_string = escaped || byte != b'"';
                escaped = !escaped && byte == b'\\';
                continue;
            }
            if byte.is_ascii_whitespace() {
                continue;
            }
            if depth == 1
                && matches!(byte, b',' | b'}')
                && let Some(start) = value_start.take()
            {
                collected_at = Some((start, compact.len()));
            }
            let ended_key = depth == 1 && byte == b':';
            if ended_key && compact.get(key_start..) == Some(KEY) {
                value_start = Some(compact.len() + 1);
            }
            if byte == b'"' {
                in_string = true;
                key_start = compact.len();
            }
            compact.push(byte);
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEPTH {
                return None;
            }
            if depth == 0 {
                return Some(Self { compact, collected_at, taken: index + 1 });
            }
        }
        let taken = json.len();
        Some(Self { compact, collected_at, taken })
    }

    /// The object's text with `collected_at` set to `now`: in its place, or as the last field.
    fn collected_at(mut self, now: &str) -> Vec<u8> {
        let (start, end, text) = if let Some((start, end)) = self.collected_at {
            (start, end, format!("\"{now}\""))
        } else {
            let end = self.compact.len().saturating_sub(1);
            (end, end, format!(",\"collected_at\":\"{now}\""))
        };
        self.compact.splice(start..end, text.into_bytes());
        self.compact
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const NOW: &str = "2026-01-05T10:12:13.123456Z";

    fn texts(body: &str, lines: bool) -> Result<Vec<String>, EventTextError> {
        let events = events(body.as_bytes(), lines, NOW, 1_000)?;
        Ok(events.into_iter().map(|event| String::from_utf8(event).unwrap()).collect())
    }

    fn check(body: &str, lines: bool, expected: &[&str]) {
        assert_eq!(texts(body, lines).unwrap(), expected, "{body}");
    }

    #[test]
    fn order_numbers_and_unknown_fields_stay() {
        check(
            "{ \"z\" : 1.50e1, \"a\":[ 1, {\"b\" : \" x  y \\\" } \"} ],\n \"é\":null }",
            false,
            &[concat!(
                r#"{"z":1.50e1,"a":[1,{"b":" x  y \" } "}],"é":null,"#,
                r#""collected_at":"2026-01-05T10:12:13.123456Z"}"#
            )],
        );
    }

    #[test]
    fn a_collected_at_of_before_is_replaced_in_its_place() {
        check(
            r#"{"collected_at": "old", "n": {"collected_at": 1}, "collected_at": {"x": [2]}, "a": 1}"#,
            false,
            &[concat!(
                r#"{"collected_at":"old","n":{"collected_at":1},"#,
                r#""collected_at":"2026-01-05T10:12:13.123456Z","a":1}"#
            )],
        );
        check(
            r#"{"a":"collected_at","collected_at":[1,2]}"#,
            false,
            &[r#"{"a":"collected_at","collected_at":"2026-01-05T10:12:13.123456Z"}"#],
        );
    }

    #[test]
    fn arrays_and_lines_hold_several() {
        let one = r#"{"a":1,"collected_at":"2026-01-05T10:12:13.123456Z"}"#;
        let two = r#"{"b":"]","collected_at":"2026-01-05T10:12:13.123456Z"}"#;
        check(r#" [ {"a":1} , {"b":"]"} ] "#, false, &[one, two]);
        check("{\"a\":1}\r\n\n {\"b\":\"]\"}", true, &[one, two]);
        check("\u{FEFF}{\"a\":1}", false, &[one]);
    }

    #[test]
    fn what_is_no_event_is_refused_with_its_place() {
        for (body, lines, expected) in [
            ("", false, "No data"),
            ("  \n", true, "No data"),
            ("{}", false, "No data"),
            ("[]", false, "No data"),
            ("null", false, "No data"),
            ("[{\"a\":1},7]", false, "event 2 is no JSON object"),
            ("\"text\"", false, "event 1 is no JSON object"),
            ("{\"a\":", false, "invalid JSON: EOF while parsing a value at line 1 column 5"),
            (
                "{\"a\":1}\n{\"a\":2}",
                false,
                "invalid JSON: trailing characters at line 2 column 1; to send one event a line, \
                 use Content-Type: application/x-ndjson",
            ),
            (
                "{\"a\":1}\n{a}",
                true,
                "invalid JSON in line 2: key must be a string at line 1 column 2",
            ),
        ] {
            assert_eq!(texts(body, lines).unwrap_err().to_string(), expected, "{body}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
        assert_eq!(texts(&deep, false), Err(EventTextError::TooDeep(1)));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(1_000));
        assert_eq!(texts(&long, false), Err(EventTextError::TooLarge(1, 1_000)));
        assert!(events(b"{\"a\":\"\xFF\"}", false, NOW, 100).is_err());
    }

    fn object() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i32>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        });
        let key = prop_oneof![Just("collected_at".to_owned()), any::<String>()];
        prop::collection::hash_map(key, value, 1..5)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    }

    proptest! {
        /// The naive way, through a parsed value, gives the same object.
        #[test]
        fn agrees_with_parsing(objects in prop::collection::vec(object(), 1..4)) {
            let expected: Vec<Value> = objects.iter().cloned().map(|mut object| {
                object["collected_at"] = json!(NOW);
                object
            }).collect();
            let pretty = serde_json::to_string_pretty(&objects).unwrap();
            let read = events(pretty.as_bytes(), false, NOW, 1 << 20).unwrap();
            let read: Vec<Value> =
                read.iter().map(|text| serde_json::from_slice(text).unwrap()).collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn never_panics(body in any::<Vec<u8>>(), lines in any::<bool>()) {
            let _ = events(&body, lines, NOW, 100);
        }
    }
}
