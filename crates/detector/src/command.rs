//! What people change about incidents, applied to those in memory.

use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use vigie_event::{
    Actor, AlertId, CloseReason, FieldId, Incident, IncidentId, IncidentStatus, RuleRef, Timestamp,
};

use crate::core::{Core, incident_id};
use crate::facts::Key;
use crate::incidents::{Note, OpenIncident, Why};
use crate::index::NEWEST;

/// What somebody changes. `by` is the user's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// Closes an incident: what its actor does from now on is a new one.
    Close {
        /// The incident.
        incident: IncidentId,
        /// Why.
        reason: CloseReason,
        /// Who.
        by: String,
    },
    /// Opens a closed incident again: within the gap, what its actor does belongs to it again.
    Reopen {
        /// The incident.
        incident: IncidentId,
        /// Who.
        by: String,
    },
    /// Gives an incident to somebody, or to nobody.
    Assign {
        /// The incident.
        incident: IncidentId,
        /// The user who works on it from now on.
        owner: Option<String>,
        /// Who.
        by: String,
    },
    /// Moves all alerts of `from` into `into` and closes `from`, which is then empty.
    Merge {
        /// The incident that ends.
        from: IncidentId,
        /// The incident that takes its alerts.
        into: IncidentId,
        /// Who.
        by: String,
    },
    /// Takes an alert out of its incident into one of its own.
    Detach {
        /// The alert.
        alert: AlertId,
        /// Who.
        by: String,
    },
    /// Brings an incident that had left memory back, so that the other commands reach it and,
    /// within the gap, its actor's alerts join it.
    Adopt {
        /// The incident as it was kept.
        incident: Box<Incident>,
    },
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is done; the changes are handed out next time.
    Done,
    /// What it speaks of is not in memory (past the gap, or never was): only the store has it.
    NotInMemory,
}

impl Core {
    pub(crate) fn apply(&mut self, command: Command) -> Applied {
        let done = match command {
            Command::Close { incident, reason, .. } => self.close(incident, reason),
            Command::Reopen { incident, .. } => self.reopen(incident),
            Command::Assign { incident, owner, .. } => self.assign(incident, owner),
            Command::Merge { from, into, by } => self.merge(from, into, &by),
            Command::Detach { alert, by } => self.detach(alert, &by),
            Command::Adopt { incident } => {
                self.adopt(*incident);
                Some(())
            }
        };
        if done.is_some() { Applied::Done } else { Applied::NotInMemory }
    }

    fn slot_of(&self, id: IncidentId) -> Option<u32> {
        self.incidents.slots.iter().find(|(_, incident)| incident.id == id).map(|(slot, _)| slot)
    }

    fn close(&mut self, id: IncidentId, reason: CloseReason) -> Option<()> {
        let slot = self.slot_of(id)?;
        self.incidents.hide(slot);
        // Its alerts stop growing: what goes on is raised anew, in a new incident.
        for alert in self.alerts_in(slot) {
            self.close_alert(alert);
        }
        self.incidents.change(slot, |incident| {
            incident.status = IncidentStatus::Closed;
            incident.close_reason = Some(reason);
            incident.revision += 1;
        })
    }

    fn reopen(&mut self, id: IncidentId) -> Option<()> {
        let slot = self.slot_of(id)?;
        self.incidents.change(slot, |incident| {
            incident.status = IncidentStatus::Open;
            incident.close_reason = None;
            incident.revision += 1;
        })?;
        // A newer incident of the same actor keeps him.
        let keys = self.incidents.slots.get(slot)?.keys.clone();
        for (key, lane) in keys {
            if self.incidents.index.get(&key, lane).is_none() {
                self.incidents.index.set(key, lane, slot);
            }
        }
        Some(())
    }

    fn assign(&mut self, id: IncidentId, owner: Option<String>) -> Option<()> {
        let slot = self.slot_of(id)?;
        self.incidents.change(slot, |incident| {
            incident.status = match (incident.status, &owner) {
                (IncidentStatus::Closed, _) => IncidentStatus::Closed,
                (_, Some(_)) => IncidentStatus::InProgress,
                (_, None) => IncidentStatus::Open,
            };
            incident.owner = owner;
            incident.revision += 1;
        })
    }

    fn merge(&mut self, from: IncidentId, into: IncidentId, by: &str) -> Option<()> {
        let (from_slot, into_slot) = (self.slot_of(from)?, self.slot_of(into)?);
        if from_slot == into_slot {
            return None;
        }
        let (keys, notes, entities, open_alerts) =
            self.incidents.change(from_slot, |incident| {
                incident.status = IncidentStatus::Closed;
                incident.revision += 1;
                incident.entity_bytes = 0;
                (
                    std::mem::take(&mut incident.keys),
                    std::mem::take(&mut incident.notes),
                    std::mem::take(&mut incident.entities),
                    std::mem::take(&mut incident.open_alerts),
                )
            })?;
        for alert in self.alerts_in(from_slot) {
            self.alerts.change(alert, |alert| alert.incident = into_slot);
        }
        self.moved.extend(notes.iter().map(|note| (note.alert, into)));
        let why = Why::new("by_hand", "user", by);
        self.incidents.change(into_slot, |incident| {
            for (field, values) in entities.fields() {
                for value in values {
                    incident.add_entity(field, value);
                }
            }
            for note in notes {
                incident.take_in(Note { why: why.clone(), ..note });
            }
            incident.notes.sort_by_key(|note| (note.first, note.alert));
            incident.open_alerts += open_alerts;
        });
        for (key, lane) in keys {
            self.incidents.index.unset(&key, lane, from_slot);
            self.incidents.add_key(into_slot, key);
        }
        self.incidents.retire(from_slot);
        Some(())
    }

    fn detach(&mut self, alert: AlertId, by: &str) -> Option<()> {
        let (slot, place) = self.incidents.slots.iter().find_map(|(slot, incident)| {
            let place = incident.notes.iter().position(|note| note.alert == alert)?;
            Some((slot, place))
        })?;
        if self.incidents.slots.get(slot)?.notes.len() < 2 {
            // It is alone already.
            return Some(());
        }
        let open = self
            .alerts_in(slot)
            .into_iter()
            .find(|open| self.alerts.slots.get(*open).is_some_and(|open| open.id == alert));
        let actor = self.incidents.slots.get(slot)?.actor.clone();
        let note = self.incidents.change(slot, |incident| {
            let note = incident.notes.remove(place);
            incident.open_alerts -= u32::from(open.is_some()).min(incident.open_alerts);
            incident.lead_anew();
            incident.revision += 1;
            note
        })?;
        self.incidents.slots.wake(slot);
        let of_its_own = self.detached(note, actor, open, by);
        let id = of_its_own.id;
        let new_slot = self.incidents.insert(of_its_own);
        if let Some(open) = open {
            self.alerts.change(open, |alert| alert.incident = new_slot);
        }
        self.moved.push((alert, id));
        Some(())
    }

    /// The incident of an alert that was taken out of another.
    fn detached(&self, note: Note, actor: Actor, open: Option<u32>, by: &str) -> OpenIncident {
        let open_alert = open.and_then(|slot| self.alerts.slots.get(slot));
        let base = incident_id(note.alert, note.first).as_u128().to_be_bytes();
        let mut incident = OpenIncident {
            // Not the id that it would have had as first alert: that may be the other's.
            id: IncidentId::derive(note.first, &[b"detached", &base]),
            title: vigie_event::Localized::default(),
            status: IncidentStatus::Open,
            close_reason: None,
            owner: None,
            severity: vigie_event::Severity::Informational,
            first: note.first,
            last: open_alert.map_or(note.last, |alert| alert.last),
            actor,
            entities: vigie_event::Entities::default(),
            entity_bytes: 0,
            lead: note.first,
            notes: Vec::new(),
            keys: Vec::new(),
            open_alerts: u32::from(open.is_some()),
            revision: 0,
            dirty: false,
            touched: self.seen,
        };
        if let Some(alert) = open_alert {
            for (field, values) in alert.entities.fields() {
                for value in values {
                    incident.add_entity(field, value);
                }
            }
        } else {
            let (field, value) = (incident.actor.field.clone(), incident.actor.value.clone());
            if let Some(field) = FieldId::find(&field) {
                incident.add_entity(field, &value);
            }
        }
        incident.take_in(Note { why: Why::new("by_hand", "user", by), ..note });
        incident
    }

    fn adopt(&mut self, kept: Incident) {
        if self.slot_of(kept.id).is_some() {
            return;
        }
        // What the store kept of a rule is its level and its title, in the incident's own.
        let rule = Arc::new(RuleRef { level: kept.severity, ..RuleRef::default() });
        let why_of = |alert: AlertId| {
            kept.reasons.iter().find(|reason| reason.alert == alert).map_or_else(
                || Why::new("first", &kept.actor.field, kept.actor.value.as_str()),
                |reason| Why::new(&reason.reason, &reason.field, reason.value.as_str()),
            )
        };
        let notes = kept
            .alerts
            .iter()
            .map(|alert| Note {
                alert: *alert,
                rule: Arc::clone(&rule),
                first: kept.first_seen,
                last: kept.last_seen,
                why: why_of(*alert),
            })
            .collect();
        let entity_bytes = kept
            .entities
            .iter()
            .flat_map(|(_, values)| values.iter().map(|value| value.len() + 48))
            .sum();
        let keys = keys_of(&kept.actor, kept.entities.values("host.name").first());
        let is_open = kept.status != IncidentStatus::Closed;
        let slot = self.incidents.insert(OpenIncident {
            id: kept.id,
            title: kept.title,
            status: kept.status,
            close_reason: kept.close_reason,
            owner: kept.owner,
            severity: kept.severity,
            first: kept.first_seen,
            last: kept.last_seen,
            actor: kept.actor,
            entities: kept.entities,
            entity_bytes,
            lead: Timestamp::from_nanos(i64::MIN),
            notes,
            keys: Vec::new(),
            open_alerts: 0,
            revision: kept.revision,
            dirty: false,
            touched: self.seen,
        });
        for key in keys {
            if is_open && self.incidents.index.get(&key, NEWEST).is_none() {
                self.incidents.add_key(slot, key);
            }
        }
    }

    fn alerts_in(&self, incident: u32) -> Vec<u32> {
        self.alerts
            .slots
            .iter()
            .filter(|(_, alert)| alert.incident == incident)
            .map(|(slot, _)| slot)
            .collect()
    }
}

fn keys_of(actor: &Actor, host: Option<&CompactString>) -> Vec<Key> {
    let value = actor.value.as_str();
    match actor.field.as_str() {
        "source.ip" => {
            vec![value.parse().map_or_else(|_| Key::Origin(value.into()), Key::Address)]
        }
        "user.name" => {
            vec![Key::Account(value.into(), host.cloned().unwrap_or_default())]
        }
        "host.name" => vec![Key::Host(value.into())],
        _ => Vec::new(),
    }
}
