//! JSON of every kind: Suricata's EVE, the journal, the agents' events, ECS and unknown fields.

mod eve;
mod generic;
mod journald;
mod login;
mod names;
mod seed;
mod walk;

pub use eve::logsources as eve_logsources;
pub use walk::Walker;

use vigie_event::{FieldId, Fields, Format, Timestamp, Value, ValueRef, field};

use crate::line::Known;
use crate::parser::{Found, Reading};
use crate::syslog::Header;
use crate::{time, windows};
use names::names;

/// Reads a record that is one JSON object. `None`: it is none.
pub(crate) fn parse(
    walker: &mut Walker,
    reading: &mut Reading<'_>,
    fields: &mut Fields<'_>,
    text: &str,
) -> Option<Found> {
    if !walker.walk(fields, text) {
        return None;
    }
    let kind = match reading.format() {
        Some(Format::Windows | Format::Evtx) => Kind::Windows,
        Some(Format::Suricata) => Kind::Eve,
        Some(Format::Journald) => Kind::Journald,
        Some(Format::Seed) => Kind::Seed,
        Some(Format::Json) => Kind::Generic,
        _ => recognise(walker, reading.base()),
    };
    match kind {
        Kind::Journald => return Some(journald::parse(walker, reading, fields)),
        Kind::Windows => return Some(windows(walker, reading, fields)),
        Kind::Eve | Kind::Seed | Kind::Generic => {}
    }
    Some(finish(walker, reading, fields, kind))
}

fn windows(walker: &mut Walker, reading: &mut Reading<'_>, fields: &mut Fields<'_>) -> Found {
    let time = time_of(walker, reading);
    windows::parse(walker, reading, fields, time)
}

/// Whether a program hands on Windows events by syslog. Any other that logs JSON may be logging
/// what somebody sent it.
fn ships_windows(program: &str) -> bool {
    program.starts_with("Microsoft-Windows-") || matches!(program, "nxlog" | "winlogbeat")
}

/// Reads a message in a syslog frame that is one JSON object, also behind `@cee:`. Only Suricata
/// may say that it is Suricata.
#[inline]
pub(crate) fn parse_message(
    walker: &mut Walker,
    reading: &mut Reading<'_>,
    fields: &mut Fields<'_>,
    header: &Header<'_>,
    message: &str,
) -> Option<Found> {
    match crate::text::trimmed_start(message).as_bytes().first() {
        Some(b'{' | b'@') => parse_object(walker, reading, fields, header, message.trim()),
        _ => None,
    }
}

fn parse_object(
    walker: &mut Walker,
    reading: &mut Reading<'_>,
    fields: &mut Fields<'_>,
    header: &Header<'_>,
    text: &str,
) -> Option<Found> {
    let text = text.strip_prefix("@cee:").map_or(text, str::trim_start);
    if !text.starts_with('{') || !walker.walk(fields, text) {
        return None;
    }
    if ships_windows(header.program) && windows::recognise(walker) {
        return Some(windows(walker, reading, fields));
    }
    let kind = if header.program == "suricata" { Kind::Eve } else { Kind::Generic };
    Some(finish(walker, reading, fields, kind))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Eve,
    Seed,
    Journald,
    Windows,
    Generic,
}

fn recognise(walker: &Walker, base: &str) -> Kind {
    let names = names();
    let has = |id| walker.get(id).is_some();
    if has(names.event_type) && has(names.timestamp) && !has(names.alert_type) {
        let eve = [names.flow_id, names.src_ip, names.stats_uptime, names.pcap_cnt, names.proto];
        if eve.into_iter().any(has) || eve::is_type(text_of(walker, names.event_type, base)) {
            return Kind::Eve;
        }
    }
    if windows::recognise(walker) {
        return Kind::Windows;
    }
    if has(names.realtime) || (has(names.journal_message) && has(names.cursor)) {
        return Kind::Journald;
    }
    if seed::is_type(text_of(walker, Some(field::SEED_TYPE), base)) {
        return Kind::Seed;
    }
    Kind::Generic
}

fn finish(
    walker: &mut Walker,
    reading: &mut Reading<'_>,
    fields: &mut Fields<'_>,
    kind: Kind,
) -> Found {
    let base = reading.base();
    let time = time_of(walker, reading);
    let known = match kind {
        Kind::Eve => eve::derive(walker, fields, base),
        Kind::Seed => seed::derive(walker, fields, base),
        Kind::Generic | Kind::Journald | Kind::Windows => generic::derive(walker, fields, base),
    };
    hand_over(walker, fields, kind == Kind::Generic, base);
    Found::new(known, time)
}

/// Hands the record's own fields over. A name that is ours, or that the parser has filled
/// already, is data here and goes by `data.<name>`.
fn hand_over(walker: &mut Walker, fields: &mut Fields<'_>, ecs: bool, base: &str) {
    for (id, value) in walker.take() {
        let value = if ecs { generic::typed(id, value, base) } else { value };
        hand_over_value(fields, id, value);
    }
    walker.leftovers(fields);
}

/// Hands one field over.
pub(crate) fn hand_over_value(fields: &mut Fields<'_>, id: FieldId, value: Value) {
    let ours = names().is_reserved(id) || (is_known(id) && fields.has(id));
    if !ours {
        fields.value(id, value);
        return;
    }
    let name = format!("data.{}", id.name());
    match FieldId::intern(&name) {
        Some(id) => fields.value(id, value),
        None => fields.overflow(&name, &value),
    }
}

/// Whether the name is one that parsers fill.
fn is_known(id: FieldId) -> bool {
    id.index() <= field::OVERFLOW.index()
}

fn time_of(walker: &Walker, reading: &mut Reading<'_>) -> Option<Timestamp> {
    let names = names();
    for id in [
        names.at_timestamp,
        names.timestamp,
        names.ts,
        names.time,
        names.mongo_date,
        names.start_utc,
        names.asctime,
        names.event_time,
    ] {
        let written = match walker.get(id).map(|value| value.resolve(reading.base())) {
            Some(ValueRef::Integer(number)) => time::epoch_integer(number),
            Some(ValueRef::Float(number)) => time::epoch(number),
            Some(ValueRef::Text(text)) => text_time(text, reading),
            _ => None,
        };
        if written.is_some() {
            return written;
        }
    }
    None
}

pub(crate) fn text_time(text: &str, reading: &mut Reading<'_>) -> Option<Timestamp> {
    let text = text.trim();
    let written = time::iso(text)
        .or_else(|| time::month_first(text))
        .map(|(written, _)| written)
        .or_else(|| time::access(text));
    if let Some(written) = written {
        return reading.instant(written);
    }
    match crate::text::number(text) {
        Some(number) => time::epoch_integer(number),
        None => text.parse().ok().and_then(time::epoch),
    }
}

/// The text of a field, empty where it is absent or no text.
fn text_of<'t>(walker: &'t Walker, id: Option<FieldId>, base: &'t str) -> &'t str {
    match walker.get(id).map(|value| value.resolve(base)) {
        Some(ValueRef::Text(text)) => text,
        _ => "",
    }
}

/// Adds the address that a field holds as text, or the text where it is none.
fn address(fields: &mut Fields<'_>, id: FieldId, value: Option<&Value>, base: &str) -> bool {
    let Some(ValueRef::Text(text)) = value.map(|value| value.resolve(base)) else { return false };
    match crate::text::socket(text) {
        Some((address, port)) => {
            fields.address(id, address);
            if let Some(port) = port
                && id == field::SOURCE_IP
                && !fields.has(field::SOURCE_PORT)
            {
                fields.integer(field::SOURCE_PORT, i64::from(port));
            }
        }
        None if id == field::SOURCE_IP => fields.text(field::SOURCE_ADDRESS, text),
        None if id == field::DESTINATION_IP => fields.text(field::DESTINATION_ADDRESS, text),
        None => return false,
    }
    true
}

/// Copies a field under another name.
fn copy(fields: &mut Fields<'_>, id: FieldId, value: Option<&Value>) {
    if let Some(value) = value
        && *value != Value::Null
    {
        fields.value(id, value.clone());
    }
}

/// Copies a number, also where it is written as text.
fn number(fields: &mut Fields<'_>, id: FieldId, value: Option<&Value>, base: &str) {
    match value.map(|value| value.resolve(base)) {
        Some(ValueRef::Integer(number)) => fields.integer(id, number),
        Some(ValueRef::Text(text)) => {
            if let Some(number) = crate::text::number(text) {
                fields.integer(id, number);
            }
        }
        _ => {}
    }
}

const fn event(dataset: &'static str, logsources: vigie_event::Logsources) -> Known {
    Known::event(dataset, logsources)
}
