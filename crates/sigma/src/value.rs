//! What rules see of an event beyond its slots, and values as text.

use std::fmt::Write as _;
use std::sync::LazyLock;

use vigie_event::{Event, FieldId, ValueRef, field, push_address};

/// Fields that every event has without a slot.
struct Attributes {
    dataset: Option<FieldId>,
    timestamp: Option<FieldId>,
    path: Option<FieldId>,
    original: Option<FieldId>,
}

static ATTRIBUTES: LazyLock<Attributes> = LazyLock::new(|| Attributes {
    dataset: FieldId::intern("event.dataset"),
    timestamp: FieldId::intern("@timestamp"),
    path: FieldId::intern("log.file.path"),
    original: FieldId::intern("event.original"),
});

/// Whether `field` may have a value without a slot.
pub(crate) fn is_attribute(field: FieldId) -> bool {
    let Attributes { dataset, timestamp, path, original } = &*ATTRIBUTES;
    let field = Some(field);
    field == Some(field::EVENT_KIND) || [dataset, timestamp, path, original].contains(&&field)
}

/// Whether an event's shape, with its kind and dataset, tells the value of an attribute.
pub(crate) fn is_told_by_shape(field: FieldId) -> bool {
    field == field::EVENT_KIND || Some(field) == ATTRIBUTES.dataset
}

/// The value of `field`: its slot, or what the event itself tells (`event.dataset`,
/// `event.kind`, `log.file.path`, `event.original`, and `@timestamp` in Unix seconds).
pub(crate) fn get(event: &Event, field: FieldId) -> Option<ValueRef<'_>> {
    event.get(field).or_else(|| if is_attribute(field) { attribute(event, field) } else { None })
}

/// What the event itself tells under the name of `field`, one of those that
/// [`is_attribute`] knows.
pub(crate) fn attribute(event: &Event, field: FieldId) -> Option<ValueRef<'_>> {
    let wanted = Some(field);
    if field == field::EVENT_KIND {
        Some(ValueRef::Text(event.kind.name()))
    } else if wanted == ATTRIBUTES.dataset {
        (!event.dataset.is_empty()).then_some(ValueRef::Text(event.dataset))
    } else if wanted == ATTRIBUTES.timestamp {
        Some(ValueRef::Integer(event.time.seconds()))
    } else if wanted == ATTRIBUTES.path {
        event.source.as_ref().map(|source| ValueRef::Text(&source.name))
    } else {
        Some(ValueRef::Text(event.text()))
    }
}

/// Calls `each` with the text of every member of `value`: text as it stands, other kinds
/// rendered into `buffer`; null has none.
pub(crate) fn each_text(value: ValueRef<'_>, buffer: &mut String, mut each: impl FnMut(&str)) {
    match value {
        ValueRef::List(members) => {
            for member in members.iter() {
                one_text(member, buffer, &mut each);
            }
        }
        value => one_text(value, buffer, &mut each),
    }
}

fn one_text(value: ValueRef<'_>, buffer: &mut String, each: &mut impl FnMut(&str)) {
    let rendered = match value {
        ValueRef::Text(text) => return each(text),
        ValueRef::Boolean(truth) => return each(if truth { "true" } else { "false" }),
        ValueRef::Null | ValueRef::List(_) => return,
        ValueRef::Integer(number) => {
            buffer.clear();
            write!(buffer, "{number}")
        }
        ValueRef::Float(number) => {
            buffer.clear();
            write!(buffer, "{number}")
        }
        ValueRef::Address(address) => {
            buffer.clear();
            push_address(buffer, address);
            Ok(())
        }
    };
    if rendered.is_ok() {
        each(buffer);
    }
}

/// Calls `each` with every member of `value`, or with itself, until one answers true.
pub(crate) fn any_member(value: ValueRef<'_>, mut each: impl FnMut(ValueRef<'_>) -> bool) -> bool {
    match value {
        ValueRef::List(members) => members.iter().any(each),
        value => each(value),
    }
}

/// Whether there is no value in it: null, or a list without members.
pub(crate) fn is_null(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Null => true,
        ValueRef::List(members) => members.is_empty(),
        _ => false,
    }
}
