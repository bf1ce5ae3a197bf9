//! `journalctl -o json`: a frame whose `MESSAGE` goes to the program's parser.
//!
//! Any local user may write to the journal under any `SYSLOG_IDENTIFIER`, but `_COMM` is the
//! journal's own knowledge of who wrote. A message of `sshd`, `sudo`, `su` or `login` that another
//! executable wrote is kept, unparsed, and no event is made of it; nor of what `logger` or
//! `systemd-cat` wrote under another's name.

use vigie_event::{FieldId, Fields, Value, ValueRef, field};

use super::names::names;
use super::{Walker, text_of};
use crate::line::Known;
use crate::logsources;
use crate::parser::{Found, Reading, vouched};
use crate::syslog::{self, Header};
use crate::{text, time};

/// Reads a walked journal entry.
pub(crate) fn parse(
    walker: &mut Walker,
    reading: &mut Reading<'_>,
    fields: &mut Fields<'_>,
) -> Found {
    let entry = Entry::of(walker, reading.base());
    let time = entry.micros.and_then(time::epoch_integer);
    let header = Header {
        host: &entry.host,
        program: &entry.program,
        process: &entry.process,
        pid: crate::text::number(&entry.process),
        message: &entry.message,
        priority: None,
        ..Header::default()
    };
    if let Some(severity) = entry.severity {
        fields.integer(field::LOG_SYSLOG_SEVERITY_CODE, severity);
    }
    if !entry.unit.is_empty() {
        syslog::named(fields, "systemd.unit", &entry.unit);
    }
    if !vouched(&entry.program, &entry.executable) {
        syslog::fill(fields, &header);
        syslog::named(fields, "process.comm", &entry.executable);
        fields.text(field::MESSAGE, &entry.message);
        return Found::new(Known::unparsed("journald", logsources::ANY_SYSLOG), time);
    }
    let found = reading.framed_at(walker, fields, &header, time);
    let dataset = if found.known.dataset == "syslog" { "journald" } else { found.known.dataset };
    Found { known: Known { dataset, ..found.known }, ..found }
}

/// What the entry tells, copied out since the walker is needed for JSON in the message.
struct Entry {
    host: String,
    program: String,
    executable: String,
    process: String,
    message: String,
    unit: String,
    severity: Option<i64>,
    micros: Option<i64>,
}

impl Entry {
    fn of(walker: &Walker, base: &str) -> Self {
        let names = names();
        let own = |id: Option<FieldId>| match walker.get(id).map(|value| value.resolve(base)) {
            Some(value @ (ValueRef::Text(_) | ValueRef::Integer(_))) => {
                value.to_text().into_owned()
            }
            _ => String::new(),
        };
        let either = |first: Option<FieldId>, second: Option<FieldId>| {
            let value = own(first);
            if value.is_empty() { own(second) } else { value }
        };
        let micros = either(names.source_realtime, names.realtime);
        Self {
            host: own(names.hostname),
            program: either(names.identifier, names.comm),
            executable: text_of(walker, names.comm, base).to_owned(),
            process: either(names.syslog_pid, names.journal_pid),
            message: message(walker, base),
            unit: own(names.unit),
            severity: text::number(&own(names.priority)),
            micros: text::number(&micros),
        }
    }
}

/// `MESSAGE` is text, or an array of bytes where it is no valid text.
fn message(walker: &Walker, base: &str) -> String {
    let id = names().journal_message;
    if let Some(Value::Integer(_)) = walker.get(id) {
        let bytes: Vec<u8> = walker
            .members(id)
            .filter_map(|member| match member {
                Value::Integer(byte) => u8::try_from(*byte).ok(),
                _ => None,
            })
            .collect();
        return String::from_utf8_lossy(&bytes).into_owned();
    }
    text_of(walker, id, base).to_owned()
}
