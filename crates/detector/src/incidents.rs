//! Incidents in memory: where an alert belongs.
//!
//! An alert joins the incident, not longer idle than the gap, that it has in common, in this
//! order:
//! 1. its source address (`same_address`);
//! 2. its source address is that of a host which the incident's actor logged in to
//!    (`from_host`): he moved on from there;
//! 3. it is a success on an account that the actor logged in to: on the same host, or on any host
//!    from an inside address of which it is not known whose it is (`taken_account`). Failures do
//!    not count, and on other hosts accounts that every machine has do not either: everybody
//!    guesses at `root`, and every administrator logs in as it;
//! 4. it names no source and is no failure, and is of an account that the actor logged in to on
//!    that host (`taken_account`), or is about an account that the incident is about
//!    (`same_account`);
//! 5. it names no source, is no failure, and happened on a host that the actor got into; or it
//!    names no source and no account, and is about a host that the incident is about
//!    (`same_host`);
//! 6. its source lies in the same public /24 or /64, and its rule is of the same family: shares
//!    an ATT&CK technique, sub-techniques aside (`same_network`). Without the family, two
//!    customers of one hosting company would be one incident.
//!
//! What the actor logged in to grows with him, see `success.rs`; whose address is whose, see
//! `hosts.rs`.
//!
//! An alert joins one incident; incidents are merged by people only.

use std::sync::Arc;

use compact_str::CompactString;
use vigie_event::{
    Actor, AlertId, CloseReason, Entities, FieldId, Incident, IncidentId, IncidentStatus,
    Localized, MergeReason, RuleRef, Severity, Timestamp, address_text,
};

use crate::clocks::{Clocks, LAST, within};
use crate::eviction::{least, standing};
use crate::facts::{Facts, Key, Outcome, is_inside, names_one_account, neighbourhood};
use crate::index::{BEHIND, Index, NEWEST};
use crate::settings::{
    ALERTS_PER_INCIDENT, ENTITY_BYTES_PER_INCIDENT, KEYS_PER_INCIDENT, MAX_INCIDENT_BYTES,
};
use crate::slab::Slab;
use crate::title;

/// What an incident weighs before it holds anything, in bytes, about.
const BASE_WEIGHT: usize = 700;
/// What one alert adds to it.
const NOTE_WEIGHT: usize = 160;
/// What one entity value adds beside its text.
const ENTITY_WEIGHT: usize = 48;

/// Why an alert is where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Why {
    pub(crate) reason: CompactString,
    pub(crate) field: CompactString,
    pub(crate) value: CompactString,
}

impl Why {
    pub(crate) fn new(reason: &str, field: &str, value: impl Into<CompactString>) -> Self {
        Self { reason: reason.into(), field: field.into(), value: value.into() }
    }
}

/// One alert of an incident, as far as the incident needs it once the alert has left memory.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) alert: AlertId,
    pub(crate) rule: Arc<RuleRef>,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) why: Why,
}

/// An incident in memory.
#[derive(Clone, Debug)]
pub(crate) struct OpenIncident {
    pub(crate) id: IncidentId,
    pub(crate) title: Localized,
    pub(crate) status: IncidentStatus,
    pub(crate) close_reason: Option<CloseReason>,
    pub(crate) owner: Option<String>,
    pub(crate) severity: Severity,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) actor: Actor,
    pub(crate) entities: Entities,
    pub(crate) entity_bytes: usize,
    /// When the alert happened that gave it its title.
    pub(crate) lead: Timestamp,
    pub(crate) notes: Vec<Note>,
    pub(crate) keys: Vec<(Key, u8)>,
    pub(crate) open_alerts: u32,
    pub(crate) revision: u64,
    pub(crate) dirty: bool,
    /// Number of the event that touched it last.
    pub(crate) touched: u64,
}

impl OpenIncident {
    /// It as everybody else sees it.
    pub(crate) fn to_incident(&self) -> Incident {
        let Self { title, owner, actor, entities, .. } = self;
        self.around(title.clone(), owner.clone(), actor.clone(), entities.clone())
    }

    fn into_incident(mut self) -> Incident {
        let (title, owner) = (std::mem::take(&mut self.title), self.owner.take());
        let actor = std::mem::take(&mut self.actor);
        let entities = std::mem::take(&mut self.entities);
        self.around(title, owner, actor, entities)
    }

    fn around(
        &self,
        title: Localized,
        owner: Option<String>,
        actor: Actor,
        entities: Entities,
    ) -> Incident {
        Incident {
            id: self.id,
            title,
            status: self.status,
            close_reason: self.close_reason,
            owner,
            severity: self.severity,
            first_seen: self.first,
            last_seen: self.last,
            actor,
            entities,
            alerts: self.notes.iter().map(|note| note.alert).collect(),
            reasons: self
                .notes
                .iter()
                .map(|note| MergeReason {
                    alert: note.alert,
                    reason: note.why.reason.clone(),
                    field: note.why.field.clone(),
                    value: note.why.value.clone(),
                })
                .collect(),
            revision: self.revision,
        }
    }

    /// Adds the entities of `alert`, while there is room.
    pub(crate) fn add_entities(&mut self, alert: &Entities) {
        // An alert has room for fewer, so that those of the first are taken as they are.
        if self.entities.is_empty() {
            let values = alert.iter().flat_map(|(_, values)| values);
            self.entity_bytes += values.map(|value| value.len() + ENTITY_WEIGHT).sum::<usize>();
            self.entities = alert.clone();
            return;
        }
        for (field, values) in alert.fields() {
            for value in values {
                self.add_entity(field, value);
            }
        }
    }

    /// Adds one entity value, while there is room.
    pub(crate) fn add_entity(&mut self, field: FieldId, value: &str) {
        if self.entity_bytes + value.len() <= ENTITY_BYTES_PER_INCIDENT {
            self.entity_bytes += value.len() + ENTITY_WEIGHT;
            self.entities.add_to(field, value);
        }
    }

    /// Takes an alert in: its level may lead from now on.
    pub(crate) fn take_in(&mut self, note: Note) {
        let level = note.rule.level;
        let leads = self.notes.is_empty()
            || level > self.severity
            || (level == self.severity && note.first < self.lead);
        if leads {
            self.severity = level.max(self.severity);
            self.lead = note.first;
            self.title = title::compose(&note.rule.title, &self.actor);
        }
        self.first = self.first.min(note.first);
        self.last = self.last.max(note.last);
        self.notes.push(note);
        self.revision += 1;
    }

    /// Finds severity and title anew after an alert has left.
    pub(crate) fn lead_anew(&mut self) {
        let leading = self
            .notes
            .iter()
            .filter(|note| !note.rule.id.is_empty())
            .min_by_key(|note| (std::cmp::Reverse(note.rule.level), note.first));
        if let Some(note) = leading {
            self.severity = note.rule.level;
            self.lead = note.first;
            self.title = title::compose(&note.rule.title, &self.actor);
        }
    }

    pub(crate) fn weight(&self) -> usize {
        BASE_WEIGHT + self.entity_bytes + self.notes.len() * NOTE_WEIGHT + self.keys.len() * 64
    }

    fn takes_alerts(&self) -> bool {
        self.status != IncidentStatus::Closed && self.notes.len() < ALERTS_PER_INCIDENT
    }
}

/// All incidents in memory, and how to find them.
#[derive(Debug, Default)]
pub(crate) struct Incidents {
    pub(crate) slots: Slab<OpenIncident>,
    pub(crate) index: Index,
    pub(crate) dirty: Vec<u32>,
    /// Incidents that left memory and are still to be handed out.
    pub(crate) outgoing: Vec<Incident>,
    pub(crate) weight: usize,
}

impl Incidents {
    /// The incident that an alert with `facts` belongs to, and why.
    pub(crate) fn place_of(&self, facts: &Facts<'_>, gap_s: u64) -> Option<(u32, Why)> {
        let found = |key: Key| self.find(&key, facts.first, facts.last, gap_s);
        if let crate::facts::EntityKey::Origin(origin) = &facts.entity
            && let Some(slot) = found(Key::Origin(origin.clone()))
        {
            return Some((slot, Why::new("same_address", "source.ip", origin.clone())));
        }
        if let Some(address) = facts.address() {
            let shown = || address_text(address);
            if let Some(slot) = found(Key::Address(address)) {
                return Some((slot, Why::new("same_address", "source.ip", shown())));
            }
            if let Some(host) = &facts.from_host
                && let Some(slot) = found(Key::Entered(host.clone()))
            {
                return Some((slot, Why::new("from_host", "host.name", host.clone())));
            }
        }
        if let Some((user, host)) = &facts.account {
            let may_own = if facts.is_remote() {
                facts.outcome == Outcome::Success
            } else {
                facts.outcome != Outcome::Failure
            };
            let why = || Why::new("taken_account", "user.name", user.clone());
            if may_own && let Some(slot) = found(Key::Owned(user.clone(), host.clone())) {
                return Some((slot, why()));
            }
            let moves_inside = facts.outcome == Outcome::Success
                && facts.from_host.is_none()
                && facts.address().is_some_and(is_inside)
                && names_one_account(user);
            if moves_inside && let Some(slot) = found(Key::Owned(user.clone(), "".into())) {
                return Some((slot, why()));
            }
        }
        if facts.is_remote() {
            return self.place_in_network(facts, gap_s);
        }
        if let crate::facts::EntityKey::Account(user, host) = &facts.entity
            && let Some(slot) = found(Key::Account(user.clone(), host.clone()))
        {
            return Some((slot, Why::new("same_account", "user.name", user.clone())));
        }
        let host = facts.host.as_ref()?;
        let why = || Why::new("same_host", "host.name", host.clone());
        if facts.outcome != Outcome::Failure
            && let Some(slot) = found(Key::Entered(host.clone()))
        {
            return Some((slot, why()));
        }
        if let crate::facts::EntityKey::Host(host) = &facts.entity
            && let Some(slot) = found(Key::Host(host.clone()))
        {
            return Some((slot, why()));
        }
        None
    }

    fn place_in_network(&self, facts: &Facts<'_>, gap_s: u64) -> Option<(u32, Why)> {
        let network = neighbourhood(facts.address()?)?;
        let slot = facts.families.iter().find_map(|family| {
            self.find(&Key::Network(network, *family), facts.first, facts.last, gap_s)
        })?;
        Some((slot, Why::new("same_network", "source.ip", network.to_string())))
    }

    /// The incident under `key` that something from `first` to `last` may still join.
    pub(crate) fn find(
        &self,
        key: &Key,
        first: Timestamp,
        last: Timestamp,
        gap_s: u64,
    ) -> Option<u32> {
        self.index.slots(key).find(|slot| {
            let Some(incident) = self.slots.get(*slot) else { return false };
            let near = within(first, incident.first, incident.last, gap_s)
                || within(last, incident.first, incident.last, gap_s);
            near && incident.takes_alerts()
        })
    }

    /// Whether the actor of the incident at `slot` has logged in as `user`, on `host` or on
    /// another.
    pub(crate) fn owns(&self, slot: u32, user: &CompactString, host: &CompactString) -> bool {
        let Some(incident) = self.slots.get(slot) else {
            return false;
        };
        incident.keys.iter().any(|(key, _)| match key {
            Key::Owned(owned, on) => owned == user && (on.is_empty() || on == host),
            _ => false,
        })
    }

    /// Lets the incident at `slot` be found under `key`.
    pub(crate) fn add_key(&mut self, slot: u32, key: Key) {
        let Some(incident) = self.slots.get(slot) else {
            return;
        };
        let known = incident.keys.iter().any(|(known, _)| *known == key);
        if !known && incident.keys.len() >= KEYS_PER_INCIDENT {
            return;
        }
        // An import of old logs must not take the key away from the live incident.
        let other = self.index.get(&key, NEWEST).and_then(|other| self.slots.get(other));
        let is_behind = other.is_some_and(|other| other.first > incident.last);
        let lane = if is_behind { BEHIND } else { NEWEST };
        self.index.set(key.clone(), lane, slot);
        if let Some(incident) = self.slots.get_mut(slot)
            && !incident.keys.iter().any(|(known, on)| *on == lane && *known == key)
        {
            incident.keys.push((key, lane));
            self.weight += 64;
        }
    }

    /// Takes the incident at `slot` out of the index; it stays in memory.
    pub(crate) fn hide(&mut self, slot: u32) {
        let Some(incident) = self.slots.get(slot) else {
            return;
        };
        for (key, lane) in &incident.keys {
            self.index.unset(key, *lane, slot);
        }
    }

    /// Puts a new incident into memory.
    pub(crate) fn insert(&mut self, incident: OpenIncident) -> u32 {
        self.weight += incident.weight();
        let slot = self.slots.insert(incident);
        self.mark(slot);
        slot
    }

    /// Changes the incident at `slot`, keeps account of its weight and hands it out next time.
    pub(crate) fn change<T>(
        &mut self,
        slot: u32,
        change: impl FnOnce(&mut OpenIncident) -> T,
    ) -> Option<T> {
        let incident = self.slots.get_mut(slot)?;
        let before = incident.weight();
        let result = change(incident);
        self.weight = (self.weight + incident.weight()).saturating_sub(before);
        self.mark(slot);
        Some(result)
    }

    fn mark(&mut self, slot: u32) {
        if let Some(incident) = self.slots.get_mut(slot)
            && !incident.dirty
        {
            incident.dirty = true;
            self.dirty.push(slot);
        }
    }

    /// Takes the incident at `slot` out of memory; what nobody has seen yet is handed out.
    pub(crate) fn retire(&mut self, slot: u32) {
        self.hide(slot);
        if let Some(incident) = self.slots.remove(slot) {
            self.weight = self.weight.saturating_sub(incident.weight());
            if incident.dirty {
                self.outgoing.push(incident.into_incident());
            }
        }
    }

    /// Retires what is idle for longer than the gap and holds no open alert.
    pub(crate) fn retire_idle(&mut self, clocks: &Clocks, gap_s: u64) {
        let goes_on = |incident: &OpenIncident| match incident.open_alerts {
            0 => clocks.keep(incident.first, incident.last, gap_s),
            // Whoever closes the last wakes it.
            _ => Some(LAST),
        };
        for slot in self.slots.ended(clocks.newest(), goes_on) {
            self.retire(slot);
        }
    }

    /// Whether there is one too many, or they weigh too much.
    pub(crate) fn is_over(&self, max: usize) -> bool {
        self.slots.len() > max || self.weight > MAX_INCIDENT_BYTES
    }

    /// The incidents to take out of memory first; see [`least`].
    pub(crate) fn least(&self) -> Vec<u32> {
        least(self.slots.iter().map(|(slot, incident)| {
            let class = standing(incident.first, incident.last);
            (class, incident.touched, incident.id.as_u128(), slot)
        }))
    }

    /// All that changed since the last time, the newest form of each, by id.
    pub(crate) fn take(&mut self) -> Vec<Incident> {
        let mut taken = std::mem::take(&mut self.outgoing);
        for slot in std::mem::take(&mut self.dirty) {
            if let Some(incident) = self.slots.get_mut(slot)
                && incident.dirty
            {
                incident.dirty = false;
                taken.push(incident.to_incident());
            }
        }
        newest_forms(&mut taken);
        taken
    }
}

/// Leaves the newest form of each incident, by id.
pub(crate) fn newest_forms(incidents: &mut Vec<Incident>) {
    incidents.sort_unstable_by_key(|incident| (incident.id, std::cmp::Reverse(incident.revision)));
    incidents.dedup_by_key(|incident| incident.id);
}
