//! Alerts that may still grow.

use std::sync::Arc;

use compact_str::CompactString;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use vigie_event::{
    Alert, AlertId, EVENTS_PER_ALERT, EVIDENCE_PER_ALERT, Entities, EventId, Evidence, FieldId,
    FieldValues, IncidentId, RuleRef, Timestamp,
};

use crate::clocks::within;
use crate::eviction::{least, standing};
use crate::facets::Facet;
use crate::facts::EntityKey;
use crate::settings::{ENTITY_BYTES_PER_ALERT, MAX_ALERT_BYTES};
use crate::slab::Slab;

/// What an alert weighs before it holds anything, in bytes, about.
const BASE_WEIGHT: usize = 900;

/// Facets of an event, the first ones, that are compared with those before them.
const LATEST: usize = 8;

/// What makes an event grow an alert rather than raise another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum AlertKey {
    /// A correlation's window.
    Window(u64),
    /// A rule over single events, whom it is about, and 0 (or 1 for what lies behind in time).
    Single(u32, EntityKey, u8),
}

/// An alert that may still grow.
#[derive(Clone, Debug)]
pub(crate) struct OpenAlert {
    pub(crate) id: AlertId,
    pub(crate) key: AlertKey,
    pub(crate) rule: Arc<RuleRef>,
    pub(crate) tags: Arc<[String]>,
    /// It ends after a longer pause, in seconds.
    pub(crate) gap_s: u64,
    pub(crate) group: FieldValues,
    pub(crate) entities: Entities,
    /// Hashes of the facets that `entities` has already, sorted.
    pub(crate) seen: Vec<u64>,
    /// Of those, the ones that an event had at these places last: the next mostly has them again.
    pub(crate) latest: [u64; LATEST],
    pub(crate) entity_bytes: usize,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) count: u64,
    /// What the window had counted before this alert, which took over from a closed one.
    pub(crate) counted_before: u64,
    pub(crate) events: Vec<EventId>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) evidence_bytes: usize,
    /// Its incident's slot.
    pub(crate) incident: u32,
    pub(crate) dirty: bool,
    /// Number of the event that touched it last.
    pub(crate) touched: u64,
}

impl OpenAlert {
    fn to_alert(&self, incident: Option<IncidentId>) -> Alert {
        self.clone().into_alert(incident)
    }

    fn into_alert(self, incident: Option<IncidentId>) -> Alert {
        Alert {
            id: self.id,
            rule: self.rule,
            tags: self.tags,
            group: self.group,
            entities: self.entities,
            first_seen: self.first,
            last_seen: self.last,
            count: self.count,
            events: self.events,
            evidence: self.evidence,
            incident,
        }
    }

    /// Whether the entity with this `hash`, which an event has at `place`, is known.
    #[inline]
    pub(crate) fn knows(&mut self, place: usize, hash: u64) -> bool {
        let latest = self.latest.get_mut(place);
        if latest.as_deref() == Some(&hash) {
            return true;
        }
        let known = self.seen.binary_search(&hash).is_ok();
        if known && let Some(latest) = latest {
            *latest = hash;
        }
        known
    }

    /// Adds the entity with its `hash`, unless it is known or there is no more room. Gives its
    /// field and text when it is new.
    pub(crate) fn add_facet(
        &mut self,
        facet: Facet<'_>,
        hash: u64,
    ) -> Option<(FieldId, CompactString)> {
        let place = self.seen.binary_search(&hash).err()?;
        let field = facet.field()?;
        if self.entity_bytes >= ENTITY_BYTES_PER_ALERT {
            return None;
        }
        let text = facet.text();
        self.seen.insert(place, hash);
        self.entity_bytes += text.len() + 56;
        self.entities.add_to(field, &text);
        Some((field, text))
    }

    /// Adds an event to those named, while there is room. Gives whether its evidence is wanted
    /// too.
    pub(crate) fn add_event(&mut self, event: EventId) -> bool {
        if self.events.len() < EVENTS_PER_ALERT {
            self.events.push(event);
        }
        self.evidence.len() < EVIDENCE_PER_ALERT
    }

    pub(crate) fn add_evidence(&mut self, evidence: Evidence) {
        self.evidence_bytes += evidence.raw.len() + evidence.source.len() + 96;
        self.evidence.push(evidence);
    }

    pub(crate) fn weight(&self) -> usize {
        BASE_WEIGHT + self.entity_bytes + self.evidence_bytes + self.events.len() * 16
    }
}

/// What an incident wants to know of an alert that was closed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closed {
    pub(crate) id: AlertId,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

/// All open alerts.
#[derive(Debug, Default)]
pub(crate) struct Alerts {
    pub(crate) slots: Slab<OpenAlert>,
    /// By window, which most events of an attack find their alert by: a table of its own is small.
    windows: FxHashMap<u64, u32>,
    /// By the keys of rules over single events.
    singles: FxHashMap<AlertKey, u32>,
    pub(crate) dirty: Vec<u32>,
    /// Closed alerts that are still to be handed out.
    pub(crate) outgoing: Vec<Alert>,
    pub(crate) weight: usize,
}

impl Alerts {
    /// The open alert of a rule over single events about `entity` that an event at `time`
    /// belongs to; else the key under which a new one is to be kept.
    pub(crate) fn single(
        &self,
        rule: u32,
        entity: EntityKey,
        time: Timestamp,
    ) -> Result<u32, AlertKey> {
        let mut key = AlertKey::Single(rule, entity, 0);
        let Some((slot, alert)) = self.at(&key) else {
            return Err(key);
        };
        if within(time, alert.first, alert.last, alert.gap_s) {
            return Ok(slot);
        }
        if time > alert.first {
            return Err(key);
        }
        // Older than what is open: an import beside the live stream has an alert of its own.
        if let AlertKey::Single(_, _, lane) = &mut key {
            *lane = 1;
        }
        match self.at(&key) {
            Some((slot, alert)) if within(time, alert.first, alert.last, alert.gap_s) => Ok(slot),
            _ => Err(key),
        }
    }

    pub(crate) fn at(&self, key: &AlertKey) -> Option<(u32, &OpenAlert)> {
        let slot = match key {
            AlertKey::Window(window) => self.of_window(*window)?,
            key @ AlertKey::Single(..) => *self.singles.get(key)?,
        };
        Some((slot, self.slots.get(slot)?))
    }

    /// The slot of the open alert of a correlation's window.
    pub(crate) fn of_window(&self, window: u64) -> Option<u32> {
        self.windows.get(&window).copied()
    }

    pub(crate) fn insert(&mut self, alert: OpenAlert) -> u32 {
        self.weight += alert.weight();
        let key = alert.key.clone();
        let slot = self.slots.insert(alert);
        match key {
            AlertKey::Window(window) => self.windows.insert(window, slot),
            key @ AlertKey::Single(..) => self.singles.insert(key, slot),
        };
        self.mark(slot);
        slot
    }

    /// Changes the alert at `slot`, keeps account of its weight and hands it out next time.
    pub(crate) fn change<T>(
        &mut self,
        slot: u32,
        change: impl FnOnce(&mut OpenAlert) -> T,
    ) -> Option<T> {
        let alert = self.slots.get_mut(slot)?;
        let before = alert.weight();
        let result = change(alert);
        self.weight = (self.weight + alert.weight()).saturating_sub(before);
        if !alert.dirty {
            alert.dirty = true;
            self.dirty.push(slot);
        }
        Some(result)
    }

    fn mark(&mut self, slot: u32) {
        if let Some(alert) = self.slots.get_mut(slot)
            && !alert.dirty
        {
            alert.dirty = true;
            self.dirty.push(slot);
        }
    }

    /// Closes the alert at `slot`; what nobody has seen yet is handed out as part of `incident`.
    pub(crate) fn close(&mut self, slot: u32, incident: Option<IncidentId>) -> Option<Closed> {
        let alert = self.slots.remove(slot)?;
        self.weight = self.weight.saturating_sub(alert.weight());
        match &alert.key {
            AlertKey::Window(window) if self.windows.get(window) == Some(&slot) => {
                self.windows.remove(window);
            }
            key if self.singles.get(key) == Some(&slot) => {
                self.singles.remove(key);
            }
            _ => {}
        }
        let closed = Closed { id: alert.id, first: alert.first, last: alert.last };
        if alert.dirty {
            self.outgoing.push(alert.into_alert(incident));
        }
        Some(closed)
    }

    /// Whether there is one too many, or they weigh too much.
    pub(crate) fn is_over(&self, max: usize) -> bool {
        self.slots.len() > max || self.weight > MAX_ALERT_BYTES
    }

    /// The alerts to close first; see [`least`].
    pub(crate) fn least(&self) -> Vec<u32> {
        least(self.slots.iter().map(|(slot, alert)| {
            (standing(alert.first, alert.last), alert.touched, alert.id.as_u128(), slot)
        }))
    }

    /// All that changed since the last time, the newest form of each, by id. `incident_at` names
    /// the incident at a slot.
    pub(crate) fn take(&mut self, incident_at: impl Fn(u32) -> Option<IncidentId>) -> Vec<Alert> {
        let mut taken = std::mem::take(&mut self.outgoing);
        for slot in std::mem::take(&mut self.dirty) {
            if let Some(alert) = self.slots.get_mut(slot)
                && alert.dirty
            {
                alert.dirty = false;
                taken.push(alert.to_alert(incident_at(alert.incident)));
            }
        }
        newest_forms(&mut taken);
        taken
    }
}

/// Leaves the newest form of each alert, by id.
pub(crate) fn newest_forms(alerts: &mut Vec<Alert>) {
    alerts.sort_unstable_by_key(|alert| (alert.id, std::cmp::Reverse(alert.count)));
    alerts.dedup_by_key(|alert| alert.id);
}
