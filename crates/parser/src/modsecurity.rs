//! `ModSecurity`'s messages in the error logs of Apache and nginx: `ModSecurity: <what>. <why>
//! [file "…"] [line "…"] [id "…"] [msg "…"] [data "…"] [severity "…"] … [uri "…"] …`.
//!
//! `data` and `uri` hold what strangers sent. Quotes in values are escaped, so that nothing inside
//! one ends it.

use vigie_event::{FieldId, Fields, field};

use crate::line::{Known, Outcome, act};
use crate::{logsources, text};

const START: &str = "ModSecurity: ";

/// What the event is, in a log of the server whose error log is called `dataset`.
pub(crate) const fn known(dataset: &'static str) -> Known {
    Known::event(dataset, logsources::WAF)
}

/// Reads a message. Whether it is one.
pub(crate) fn parse(fields: &mut Fields<'_>, message: &str) -> bool {
    let Some(body) = text::after(message, START) else { return false };
    let denied = body.starts_with("Access denied") || body.starts_with("Access intercepted");
    let Some(mut rest) = body.find(" [file \"").and_then(|place| body.get(place + 1..)) else {
        // Start-up and configuration messages have no rule.
        act(fields, "server_message", "web", "info", Outcome::None);
        return true;
    };
    while let Some((name, value, after)) = tag(rest) {
        match name {
            "id" => first(fields, field::RULE_ID, value),
            "msg" => first(fields, field::RULE_NAME, value),
            "uri" => first(fields, field::URL_PATH, value),
            "hostname" => first(fields, field::URL_DOMAIN, value),
            "tag" => first(
                fields,
                field::RULE_CATEGORY,
                text::after(value, "attack-").unwrap_or_default(),
            ),
            "severity" => {
                if let Some(level) = severity(value) {
                    fields.integer(field::EVENT_SEVERITY, level);
                }
            }
            _ => {}
        }
        rest = after;
    }
    let (action, outcome) =
        if denied { ("waf_denied", Outcome::Failure) } else { ("waf_match", Outcome::None) };
    act(fields, action, "intrusion_detection", if denied { "denied" } else { "info" }, outcome);
    true
}

/// Fills the field, unless it has a value or there is none.
fn first(fields: &mut Fields<'_>, id: FieldId, value: &str) {
    if !fields.has(id) {
        text::some_text(fields, id, value);
    }
}

/// The first `[name "value"]`, and what follows it.
fn tag(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text::split_at(text.trim_start().strip_prefix('[')?, " \"")?;
    let mut escaped = false;
    let end = rest.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    let (value, after) = rest.split_at_checked(end)?;
    Some((name, value, after.strip_prefix("\"]")?))
}

/// Syslog's numbers for its words: 0 is the worst.
fn severity(value: &str) -> Option<i64> {
    const WORDS: [&str; 8] =
        ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"];
    let word = WORDS.iter().position(|word| *word == value).map(|place| place as i64);
    word.or_else(|| text::number(value).filter(|number| (0..=7).contains(number)))
}
