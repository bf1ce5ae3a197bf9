//! The event as it is kept for showing.
//!
//! High half of the id (8 bytes, little-endian), kind (1 byte), then LEB128 numbers and strings
//! with their length before them: repetitions, observed time minus event time, dataset, source,
//! offset, number of fields, each field (name, value), and the raw text up to the end. A value is
//! a tag and its content; text that stands in the raw text is a span of it.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};
use vigie_event::{Event, EventId, EventKind, Timestamp, ValueRef, field};

use crate::varint::{put_number, put_signed, take_bytes, take_number, take_signed};

const SPAN: u8 = 0;
const TEXT: u8 = 1;
const INTEGER: u8 = 2;
const FLOAT: u8 = 3;
const FALSE: u8 = 4;
const TRUE: u8 = 5;
const ADDRESS: u8 = 6;
const LIST: u8 = 7;
const NULL: u8 = 8;

/// The low half of an id, which stands in a column.
pub(super) fn tie_of(id: EventId) -> u64 {
    id.as_u128() as u64
}

/// Puts `event` into `to`.
pub(super) fn encode(event: &Event, to: &mut Vec<u8>) {
    to.extend_from_slice(&((event.id().as_u128() >> 64) as u64).to_le_bytes());
    to.push(match event.kind {
        EventKind::Event => 0,
        EventKind::Alert => 1,
        EventKind::Unparsed => 2,
    });
    put_number(to, u64::from(event.repeat));
    put_signed(to, event.observed.nanos().wrapping_sub(event.time.nanos()));
    put_text(to, event.dataset);
    put_text(to, event.source.as_ref().map_or("", |source| source.name.as_str()));
    put_number(to, event.offset);
    let fields = || event.fields().filter(|(id, _)| *id != field::EVENT_KIND);
    put_number(to, fields().count() as u64);
    for (id, value) in fields() {
        put_text(to, id.name());
        put_value(to, value, event.text());
    }
    to.extend_from_slice(event.text().as_bytes());
}

fn put_value(to: &mut Vec<u8>, value: ValueRef<'_>, raw: &str) {
    match value {
        ValueRef::Text(text) => {
            let start = (text.as_ptr() as usize).wrapping_sub(raw.as_ptr() as usize);
            let inside = start.checked_add(text.len()).is_some_and(|end| end <= raw.len());
            if inside {
                to.push(SPAN);
                put_number(to, start as u64);
                put_number(to, text.len() as u64);
            } else {
                to.push(TEXT);
                put_text(to, text);
            }
        }
        ValueRef::Integer(number) => {
            to.push(INTEGER);
            put_signed(to, number);
        }
        ValueRef::Float(number) => {
            to.push(FLOAT);
            to.extend_from_slice(&number.to_le_bytes());
        }
        ValueRef::Boolean(truth) => to.push(if truth { TRUE } else { FALSE }),
        ValueRef::Address(address) => {
            to.push(ADDRESS);
            put_text(to, &address.to_string());
        }
        ValueRef::List(list) => {
            to.push(LIST);
            put_number(to, list.len() as u64);
            list.iter().for_each(|member| put_value(to, member, raw));
        }
        ValueRef::Null => to.push(NULL),
    }
}

/// An event taken from the index.
pub(super) struct Decoded {
    pub(super) id: EventId,
    pub(super) fields: Map<String, Value>,
    pub(super) raw: String,
}

/// Reads what [`encode`] wrote; `None` where it is damaged.
pub(super) fn decode(bytes: &[u8], time: Timestamp, low: u64) -> Option<Decoded> {
    // Values refer to the raw text, which comes last: so they are taken first and resolved then.
    let mut at = bytes;
    let (high, rest) = at.split_first_chunk()?;
    let id = EventId::from_u128(u128::from(u64::from_le_bytes(*high)) << 64 | u128::from(low));
    let (kind, rest) = rest.split_first()?;
    at = rest;
    let kind = match kind {
        0 => EventKind::Event,
        1 => EventKind::Alert,
        _ => EventKind::Unparsed,
    };
    let repeat = take_number(&mut at)?;
    let observed = time.plus_nanos(take_signed(&mut at)?);
    let dataset = take_text(&mut at)?;
    let source = take_text(&mut at)?;
    let offset = take_number(&mut at)?;
    let count = take_number(&mut at)?;
    let mut kept = Vec::new();
    for _ in 0..count {
        let name = take_text(&mut at)?;
        kept.push((name, take_value(&mut at, 1)?));
    }
    let raw = std::str::from_utf8(at).ok()?;

    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    put("@timestamp", time.to_string().into());
    put("event.id", id.to_string().into());
    put("event.kind", kind.name().into());
    put("event.dataset", dataset.into());
    put("event.created", observed.to_string().into());
    if repeat > 1 {
        put("event.repeat", repeat.into());
    }
    if !source.is_empty() {
        put("log.file.path", source.into());
    }
    put("log.offset", offset.into());
    for (name, value) in kept {
        put(name, value.into_json(raw)?);
    }
    Some(Decoded { id, fields, raw: raw.to_owned() })
}

enum Kept<'b> {
    Span(usize, usize),
    Text(Cow<'b, str>),
    Json(Value),
    List(Vec<Kept<'b>>),
}

impl Kept<'_> {
    fn into_json(self, raw: &str) -> Option<Value> {
        Some(match self {
            Self::Span(start, length) => raw.get(start..start.checked_add(length)?)?.into(),
            Self::Text(text) => text.into_owned().into(),
            Self::Json(value) => value,
            Self::List(members) => {
                let members: Option<Vec<Value>> =
                    members.into_iter().map(|member| member.into_json(raw)).collect();
                members?.into()
            }
        })
    }
}

fn take_value<'b>(from: &mut &'b [u8], depth: u8) -> Option<Kept<'b>> {
    let (tag, rest) = from.split_first()?;
    *from = rest;
    Some(match *tag {
        SPAN => {
            let start = usize::try_from(take_number(from)?).ok()?;
            Kept::Span(start, usize::try_from(take_number(from)?).ok()?)
        }
        TEXT | ADDRESS => Kept::Text(Cow::Borrowed(take_text(from)?)),
        INTEGER => Kept::Json(take_signed(from)?.into()),
        FLOAT => {
            let (bytes, rest) = from.split_first_chunk()?;
            *from = rest;
            Kept::Json(
                Number::from_f64(f64::from_le_bytes(*bytes)).map_or(Value::Null, Value::Number),
            )
        }
        FALSE => Kept::Json(Value::Bool(false)),
        TRUE => Kept::Json(Value::Bool(true)),
        NULL => Kept::Json(Value::Null),
        LIST if depth > 0 => {
            let count = take_number(from)?;
            let mut members = Vec::new();
            for _ in 0..count {
                members.push(take_value(from, depth - 1)?);
            }
            Kept::List(members)
        }
        _ => return None,
    })
}

fn put_text(to: &mut Vec<u8>, text: &str) {
    put_number(to, text.len() as u64);
    to.extend_from_slice(text.as_bytes());
}

fn take_text<'b>(from: &mut &'b [u8]) -> Option<&'b str> {
    std::str::from_utf8(take_bytes(from)?).ok()
}
