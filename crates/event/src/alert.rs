//! The alert: a rule's finding over one event or several.

use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::{
    AlertId, Entities, Event, EventId, FieldValues, IncidentId, Localized, Severity, Timestamp,
};

/// Event ids kept with an alert; its count tells how many there were.
pub const EVENTS_PER_ALERT: usize = 100;
/// Events of which the raw record is kept with an alert.
pub const EVIDENCE_PER_ALERT: usize = 5;
/// Bytes of a raw record kept as evidence with an alert; the whole is in the journal.
const EVIDENCE_BYTES: usize = 2_048;

/// The rule that fired, as it was then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRef {
    /// Sigma's `id`, or a name where the rule has none.
    pub id: String,
    /// Title in both languages.
    pub title: Localized,
    /// Sigma's `level`.
    pub level: Severity,
    /// 16 hexadecimal digits that change with the rule's content.
    pub version: String,
}

/// One event as evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The event.
    pub event: EventId,
    /// When it happened.
    pub time: Timestamp,
    /// Where it was read.
    pub source: CompactString,
    /// Offset in the source, in bytes, or sequence number.
    pub offset: u64,
    /// The raw record as text, cut at 2,048 bytes. Written by whoever writes logs: hostile.
    pub raw: String,
}

impl Evidence {
    /// The evidence that `event` is.
    pub fn of(event: &Event) -> Self {
        let text = event.text();
        let end = text.floor_char_boundary(EVIDENCE_BYTES.min(text.len()));
        Self {
            event: event.id(),
            time: event.time,
            source: event.source.as_ref().map_or("", |source| &source.name).into(),
            offset: event.offset,
            raw: text.get(..end).unwrap_or_default().to_owned(),
        }
    }
}

/// A rule's finding over one event or several. While the condition goes on holding for its
/// group, an alert grows instead of being raised anew: its id stays, its count rises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// A function of rule, group, window and first event.
    pub id: AlertId,
    /// The rule; its alerts share it.
    #[serde(with = "shared")]
    pub rule: Arc<RuleRef>,
    /// Sigma tags, such as `attack.t1110.001`; its rule's alerts share them.
    #[serde(with = "shared")]
    pub tags: Arc<[String]>,
    /// The correlation group: field name → value. Empty for a rule over single events.
    pub group: FieldValues,
    /// Who and what it speaks of.
    pub entities: Entities,
    /// Time of the first event counted.
    pub first_seen: Timestamp,
    /// Time of the last event counted.
    pub last_seen: Timestamp,
    /// Events counted.
    pub count: u64,
    /// The first events counted, at most [`EVENTS_PER_ALERT`].
    pub events: Vec<EventId>,
    /// The first events with their raw records, at most [`EVIDENCE_PER_ALERT`].
    pub evidence: Vec<Evidence>,
    /// The incident that it belongs to, once it has been grouped.
    pub incident: Option<IncidentId>,
}

/// What many share is written with each of them; read again, each has its own.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<T: Serialize + ?Sized, S: Serializer>(
        shared: &Arc<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        T::serialize(shared, serializer)
    }

    pub fn deserialize<'de, T, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<T>, D::Error>
    where
        T: ?Sized,
        Box<T>: Deserialize<'de>,
    {
        Box::<T>::deserialize(deserializer).map(Arc::from)
    }
}
