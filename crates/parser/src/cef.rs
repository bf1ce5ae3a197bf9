//! ArcSight's Common Event Format: `CEF:0|Vendor|Product|Version|Class|Name|Severity|k=v k=v …`, as
//! firewalls and other devices send it, most often in a syslog frame.
//!
//! In the head a `|` of a value is written `\|`; in the extension a `=` is written `\=`, and a value
//! goes on to the next key.

use std::borrow::Cow;

use vigie_event::{FieldId, Fields, Timestamp, field};

use crate::line::{Known, Outcome, act_named};
use crate::{logsources, text, time};

const KNOWN: Known = Known::event("cef", logsources::NONE);
/// Pairs of one line that are read.
const MOST_PAIRS: usize = 128;

/// Reads what follows `CEF:`. `None`: it is none.
pub(crate) fn parse(fields: &mut Fields<'_>, body: &str) -> Option<(Known, Option<Timestamp>)> {
    let mut rest = body;
    let mut next = || {
        let (part, after) = part(rest)?;
        rest = after;
        Some(part)
    };
    let version = next()?;
    if version.is_empty() || !version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let (vendor, product, _, class) = (next()?, next()?, next()?, next()?);
    let (name, severity) = (next()?, next()?);
    let own = |name: &str| FieldId::intern(name);
    for (id, value) in [
        (own("observer.vendor"), vendor),
        (own("observer.product"), product),
        (Some(field::EVENT_CODE), class),
        (Some(field::RULE_NAME), name),
    ] {
        if let Some(id) = id {
            text::some_text(fields, id, &unescaped(value));
        }
    }
    if let Some(severity) = severity_of(severity) {
        fields.integer(field::EVENT_SEVERITY, severity);
    }
    let mut found = Extension::default();
    for (key, value) in pairs(rest).take(MOST_PAIRS) {
        found.take(fields, key, &unescaped(value));
    }
    text::some_text(fields, field::MESSAGE, &unescaped(name));
    let action = found.action.unwrap_or_else(|| "cef_event".to_owned());
    let denied = ["deny", "denied", "block", "drop", "reject", "fail"]
        .iter()
        .any(|word| action.contains(word));
    let (category, kind) = if found.has_endpoints {
        ("network", if denied { "denied" } else { "info" })
    } else {
        ("host", "info")
    };
    act_named(fields, &action, category, kind, found.outcome);
    Some((KNOWN, found.time))
}

/// Up to the next `|` that is not escaped.
fn part(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'|' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// The pairs of the extension. A key is a word before `=`; its value ends where the next begins.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text.trim_start();
    std::iter::from_fn(move || {
        let (key, after) = rest.split_once('=')?;
        let key = key.rsplit(' ').next().unwrap_or(key);
        let end = next_key(after).unwrap_or(after.len());
        let (value, following) = after.split_at_checked(end)?;
        rest = following.trim_start();
        Some((key, value.trim_end()))
    })
}

/// Where the next key begins: after a space, a word, and a `=` that is not escaped.
fn next_key(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let equals = from + text.get(from..)?.find('=')?;
        from = equals + 1;
        let escaped = bytes.get(..equals)?.iter().rev().take_while(|byte| **byte == b'\\').count();
        if escaped % 2 == 1 {
            continue;
        }
        let Some(space) = text.get(..equals)?.rfind(' ') else { continue };
        let word = text.get(space + 1..equals)?;
        let is_key = !word.is_empty()
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if is_key {
            return Some(space);
        }
    }
}

fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut plain = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match (letter, letters.as_str().chars().next()) {
            ('\\', Some(next @ ('\\' | '|' | '='))) => {
                plain.push(next);
                letters.next();
            }
            ('\\', Some('n' | 'r')) => {
                plain.push('\n');
                letters.next();
            }
            _ => plain.push(letter),
        }
    }
    Cow::Owned(plain)
}

/// 0–10, as a number or as a word; syslog's scale is the other way round and not used here.
fn severity_of(text: &str) -> Option<i64> {
    match text.to_ascii_lowercase().as_str() {
        "low" => Some(3),
        "medium" => Some(6),
        "high" => Some(8),
        "very-high" => Some(10),
        text => text::number(text).filter(|number| (0..=10).contains(number)),
    }
}

/// What the extension tells.
#[derive(Default)]
struct Extension {
    action: Option<String>,
    outcome: Outcome,
    has_endpoints: bool,
    time: Option<Timestamp>,
}

impl Extension {
    fn take(&mut self, fields: &mut Fields<'_>, key: &str, value: &str) {
        let id = match key {
            "src" | "dst" => {
                self.has_endpoints = true;
                let (address, name) = if key == "src" {
                    (field::SOURCE_IP, field::SOURCE_ADDRESS)
                } else {
                    (field::DESTINATION_IP, field::DESTINATION_ADDRESS)
                };
                match text::address(value) {
                    Some(found) if !fields.has(address) => fields.address(address, found),
                    _ => {}
                }
                name
            }
            "spt" | "dpt" | "in" | "out" => {
                let id = match key {
                    "spt" => field::SOURCE_PORT,
                    "dpt" => field::DESTINATION_PORT,
                    "in" => field::SOURCE_BYTES,
                    _ => field::DESTINATION_BYTES,
                };
                if let Some(number) = text::number(value).filter(|_| !fields.has(id)) {
                    fields.integer(id, number);
                }
                return;
            }
            "act" | "deviceAction" => {
                let action: String = value.to_ascii_lowercase().chars().take(64).collect();
                self.action = Some(action.replace(' ', "_")).filter(|action| !action.is_empty());
                return;
            }
            "outcome" | "categoryOutcome" => {
                let value = value.to_ascii_lowercase();
                self.outcome = if value.contains("fail") {
                    Outcome::Failure
                } else if value.contains("success") {
                    Outcome::Success
                } else {
                    self.outcome
                };
                return;
            }
            "rt" | "start" | "end" => {
                let epoch = text::number(value).and_then(time::epoch_integer);
                if self.time.is_none() || key == "rt" {
                    self.time = epoch.or(self.time);
                }
                return;
            }
            "suser" | "duser" if !fields.has(field::USER_NAME) => field::USER_NAME,
            "dvchost" | "deviceHostName" => field::OBSERVER_NAME,
            "shost" => field::SOURCE_DOMAIN,
            "dhost" => field::DESTINATION_DOMAIN,
            "proto" => field::NETWORK_TRANSPORT,
            "app" => field::NETWORK_PROTOCOL,
            "request" => {
                crate::url::target(fields, value);
                return;
            }
            "requestMethod" => field::HTTP_REQUEST_METHOD,
            "requestClientApplication" => field::USER_AGENT_ORIGINAL,
            "fname" => field::FILE_NAME,
            "filePath" => field::FILE_PATH,
            "msg" => field::EVENT_REASON,
            "cat" => field::RULE_CATEGORY,
            other => {
                let plain = other.len() <= 48
                    && other.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                let name = format!("cef.{other}");
                match FieldId::intern(&name).filter(|_| plain) {
                    Some(id) => id,
                    None => return,
                }
            }
        };
        if !fields.has(id) {
            text::some_text(fields, id, value);
        }
    }
}
