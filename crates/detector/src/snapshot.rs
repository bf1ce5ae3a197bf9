//! The detector's memory as bytes.
//!
//! Layout, numbers little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `VGDT` |
//! | 2 | format version, [`VERSION`] |
//! | 8 | length of the state |
//! | … | the state: JSON of [`Saved`] |
//! | … | the correlator's snapshot, up to the checksum |
//! | 8 | XXH3 of everything before |
//!
//! Rules are named by id and version, never by index. Times are whole microseconds, as JSON
//! carries them, so nothing is rounded on the way.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use vigie_event::{
    Actor, Alert, AlertId, CloseReason, Entities, EventId, Evidence, FieldValues, Incident,
    IncidentId, IncidentStatus, Localized, RuleRef, Severity, Timestamp, fingerprint,
};
use vigie_sigma::{Correlator, Matcher, RuleSet, SnapshotError};

use crate::alerts::{AlertKey, OpenAlert};
use crate::clocks::Clocks;
use crate::core::Core;
use crate::detector::Detector;
use crate::facts::{EntityKey, Key};
use crate::hosts::{Hosts, SavedHosts};
use crate::incidents::{Note, OpenIncident, Why};
use crate::recent::{Recent, SavedRecent};
use crate::seen::{SavedSeen, Seen};
use crate::settings::Settings;

const MAGIC: &[u8; 4] = b"VGDT";
/// Raised with every change of the format.
const VERSION: u16 = 2;
const HEADER: usize = 4 + 2 + 8;
const CHECKSUM: usize = 8;

/// A snapshot could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The bytes are no snapshot of a detector.
    #[error("not a snapshot of the detector")]
    NotASnapshot,
    /// Written by another version of the format.
    #[error("detector snapshot has format {0}, this program reads format {VERSION}")]
    Version(u16),
    /// Its checksum does not fit its bytes.
    #[error("detector snapshot is damaged")]
    Damaged,
    /// Its state is not understood.
    #[error("detector snapshot's state is not understood: {0}")]
    State(#[from] serde_json::Error),
    /// Its correlation windows are not understood.
    #[error("detector snapshot's windows: {0}")]
    Windows(#[from] SnapshotError),
}

#[derive(Serialize, Deserialize)]
struct Saved {
    rules: Vec<RuleRef>,
    incidents: Vec<SavedIncident>,
    alerts: Vec<SavedAlert>,
    index: Vec<(Key, u8, u32)>,
    outgoing_alerts: Vec<Alert>,
    outgoing_incidents: Vec<Incident>,
    moved: Vec<(AlertId, IncidentId)>,
    recent: SavedRecent,
    /// Snapshots of before it was kept have none.
    #[serde(default)]
    seen_lately: SavedSeen,
    hosts: SavedHosts,
    clocks: Clocks,
    seen: u64,
    swept: u64,
}

#[derive(Serialize, Deserialize)]
struct SavedIncident {
    id: IncidentId,
    title: Localized,
    status: IncidentStatus,
    close_reason: Option<CloseReason>,
    owner: Option<String>,
    severity: Severity,
    first: Timestamp,
    last: Timestamp,
    actor: Actor,
    entities: Entities,
    entity_bytes: usize,
    lead: i64,
    notes: Vec<SavedNote>,
    keys: Vec<(Key, u8)>,
    revision: u64,
    dirty: bool,
    touched: u64,
}

#[derive(Serialize, Deserialize)]
struct SavedNote {
    alert: AlertId,
    rule: u32,
    first: Timestamp,
    last: Timestamp,
    reason: String,
    field: String,
    value: String,
}

#[derive(Serialize, Deserialize)]
enum SavedKey {
    Window(u64),
    Single(EntityKey, u8),
}

#[derive(Serialize, Deserialize)]
struct SavedAlert {
    id: AlertId,
    key: SavedKey,
    rule: u32,
    tags: Vec<String>,
    group: FieldValues,
    entities: Entities,
    seen: Vec<u64>,
    entity_bytes: usize,
    first: Timestamp,
    last: Timestamp,
    count: u64,
    counted_before: u64,
    events: Vec<EventId>,
    evidence: Vec<Evidence>,
    evidence_bytes: usize,
    incident: u32,
    dirty: bool,
    touched: u64,
}

impl Detector {
    /// All that the detector remembers, as bytes. Changes that have not been taken stand in it.
    pub fn snapshot(&self) -> Vec<u8> {
        // Maps with text keys and finite numbers always serialise.
        let state = serde_json::to_vec(&save(&self.core)).unwrap_or_default();
        let windows = self.correlator.snapshot();
        let mut bytes = Vec::with_capacity(HEADER + state.len() + windows.len() + CHECKSUM);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(state.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&state);
        bytes.extend_from_slice(&windows);
        let checksum = fingerprint(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The detector of a snapshot, with rules that may have changed since. Open alerts and
    /// windows of rules that are gone or changed are closed; [`Detector::dropped`] names these
    /// rules. Incidents stay. What was counted starts anew.
    ///
    /// # Errors
    /// The bytes are no snapshot, of another format, or damaged.
    pub fn restore(
        rules: Arc<RuleSet>,
        settings: Settings,
        snapshot: &[u8],
    ) -> Result<Self, RestoreError> {
        let (state, windows) = open(snapshot)?;
        let saved: Saved = serde_json::from_slice(state)?;
        let correlator = Correlator::restore(Arc::clone(&rules), windows)?;
        let mut core = Core::new(&rules, settings);
        let mut dropped = load(&mut core, saved);
        dropped.extend_from_slice(correlator.dropped());
        dropped.sort_unstable();
        dropped.dedup();
        let mut detector = Self::of(Matcher::new(rules), correlator, core);
        detector.dropped = dropped;
        Ok(detector)
    }
}

impl Detector {
    /// This detector with other rules: what [`Detector::restore`] makes of its snapshot. Changes
    /// that have not been taken are in it.
    ///
    /// # Errors
    /// Never for a sound program; the detector is as it was.
    pub fn with_rules(&self, rules: Arc<RuleSet>) -> Result<Self, RestoreError> {
        Self::restore(rules, self.core.settings, &self.snapshot())
    }
}

/// The state and the correlator's part of a snapshot.
fn open(snapshot: &[u8]) -> Result<(&[u8], &[u8]), RestoreError> {
    let (magic, after_magic) =
        snapshot.split_first_chunk::<4>().ok_or(RestoreError::NotASnapshot)?;
    if magic != MAGIC {
        return Err(RestoreError::NotASnapshot);
    }
    let (version, _) = after_magic.split_first_chunk::<2>().ok_or(RestoreError::Damaged)?;
    let version = u16::from_le_bytes(*version);
    if version != VERSION {
        return Err(RestoreError::Version(version));
    }
    let (whole, checksum) = snapshot.split_last_chunk::<CHECKSUM>().ok_or(RestoreError::Damaged)?;
    if fingerprint(whole) != u64::from_le_bytes(*checksum) {
        return Err(RestoreError::Damaged);
    }
    let rest = whole.get(6..).ok_or(RestoreError::Damaged)?;
    let (length, body) = rest.split_first_chunk::<8>().ok_or(RestoreError::Damaged)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    body.split_at_checked(length).ok_or(RestoreError::Damaged)
}

/// Rules that alerts and notes speak of, each once.
#[derive(Default)]
struct RuleTable {
    rules: Vec<RuleRef>,
    places: FxHashMap<*const RuleRef, u32>,
}

impl RuleTable {
    fn place(&mut self, rule: &Arc<RuleRef>) -> u32 {
        *self.places.entry(Arc::as_ptr(rule)).or_insert_with(|| {
            self.rules.push((**rule).clone());
            (self.rules.len() - 1) as u32
        })
    }
}

fn save(core: &Core) -> Saved {
    let mut table = RuleTable::default();
    // Slots are numbered anew: what is free is not saved.
    let mut places: FxHashMap<u32, u32> = FxHashMap::default();
    let mut incidents = Vec::new();
    for (slot, incident) in core.incidents.slots.iter() {
        places.insert(slot, incidents.len() as u32);
        incidents.push(save_incident(incident, &mut table));
    }
    let place_of = |slot: u32| places.get(&slot).copied().unwrap_or(u32::MAX);
    let mut alerts = Vec::new();
    for (_, alert) in core.alerts.slots.iter() {
        alerts.push(save_alert(alert, place_of(alert.incident), &mut table));
    }
    let mut index: Vec<_> = core
        .incidents
        .index
        .iter()
        .map(|(key, lane, slot)| (key.clone(), lane, place_of(slot)))
        .collect();
    index.sort_unstable();
    Saved {
        rules: table.rules,
        incidents,
        alerts,
        index,
        outgoing_alerts: core.alerts.outgoing.clone(),
        outgoing_incidents: core.incidents.outgoing.clone(),
        moved: core.moved.clone(),
        recent: core.recent.save(),
        seen_lately: core.seen_lately.save(),
        hosts: core.hosts.save(),
        clocks: core.clocks,
        seen: core.seen,
        swept: core.swept,
    }
}

fn save_incident(incident: &OpenIncident, table: &mut RuleTable) -> SavedIncident {
    SavedIncident {
        id: incident.id,
        title: incident.title.clone(),
        status: incident.status,
        close_reason: incident.close_reason,
        owner: incident.owner.clone(),
        severity: incident.severity,
        first: incident.first,
        last: incident.last,
        actor: incident.actor.clone(),
        entities: incident.entities.clone(),
        entity_bytes: incident.entity_bytes,
        lead: incident.lead.nanos(),
        notes: incident
            .notes
            .iter()
            .map(|note| SavedNote {
                alert: note.alert,
                rule: table.place(&note.rule),
                first: note.first,
                last: note.last,
                reason: note.why.reason.to_string(),
                field: note.why.field.to_string(),
                value: note.why.value.to_string(),
            })
            .collect(),
        keys: incident.keys.clone(),
        revision: incident.revision,
        dirty: incident.dirty,
        touched: incident.touched,
    }
}

fn save_alert(alert: &OpenAlert, incident: u32, table: &mut RuleTable) -> SavedAlert {
    SavedAlert {
        id: alert.id,
        key: match &alert.key {
            AlertKey::Window(window) => SavedKey::Window(*window),
            AlertKey::Single(_, entity, lane) => SavedKey::Single(entity.clone(), *lane),
        },
        rule: table.place(&alert.rule),
        tags: alert.tags.to_vec(),
        group: alert.group.clone(),
        entities: alert.entities.clone(),
        seen: alert.seen.clone(),
        entity_bytes: alert.entity_bytes,
        first: alert.first,
        last: alert.last,
        count: alert.count,
        counted_before: alert.counted_before,
        events: alert.events.clone(),
        evidence: alert.evidence.clone(),
        evidence_bytes: alert.evidence_bytes,
        incident,
        dirty: alert.dirty,
        touched: alert.touched,
    }
}

/// Fills `core`; gives the ids of rules whose open alerts had to be closed.
fn load(core: &mut Core, saved: Saved) -> Vec<String> {
    let kept: Vec<Arc<RuleRef>> = saved.rules.iter().cloned().map(Arc::new).collect();
    // The place of each saved rule in the rules of now, if it is the same still.
    let current: FxHashMap<(&str, &str), usize> = core
        .rules
        .iter()
        .enumerate()
        .map(|(place, rule)| ((rule.reference.id.as_str(), rule.reference.version.as_str()), place))
        .collect();
    let now: Vec<Option<usize>> = saved
        .rules
        .iter()
        .map(|rule| current.get(&(rule.id.as_str(), rule.version.as_str())).copied())
        .collect();
    let rule_at = |core: &Core, place: u32| -> Arc<RuleRef> {
        let same = now.get(place as usize).copied().flatten();
        match same.and_then(|place| core.rules.get(place)) {
            Some(rule) => Arc::clone(&rule.reference),
            None => kept.get(place as usize).cloned().unwrap_or_default(),
        }
    };
    let mut slots = Vec::new();
    for incident in saved.incidents {
        let dirty = incident.dirty;
        let rules: Vec<Arc<RuleRef>> =
            incident.notes.iter().map(|note| rule_at(core, note.rule)).collect();
        let slot = core.incidents.insert(load_incident(incident, rules));
        if !dirty {
            core.incidents.dirty.pop();
            if let Some(incident) = core.incidents.slots.get_mut(slot) {
                incident.dirty = false;
            }
        }
        slots.push(slot);
    }
    for (key, lane, place) in saved.index {
        if let Some(slot) = slots.get(place as usize) {
            core.incidents.index.set(key, lane, *slot);
        }
    }
    core.incidents.outgoing = saved.outgoing_incidents;
    core.alerts.outgoing = saved.outgoing_alerts;
    core.moved = saved.moved;
    core.recent = Recent::restore(saved.recent);
    core.seen_lately = Seen::restore(saved.seen_lately);
    core.hosts = Hosts::restore(saved.hosts);
    core.clocks = saved.clocks;
    core.seen = saved.seen;
    core.swept = saved.swept;
    let mut dropped = Vec::new();
    for alert in saved.alerts {
        let Some(slot) = slots.get(alert.incident as usize).copied() else {
            continue;
        };
        let same = now.get(alert.rule as usize).copied().flatten();
        let reference = rule_at(core, alert.rule);
        if same.is_none() {
            dropped.push(reference.id.clone());
        }
        let dirty = alert.dirty;
        let open = load_alert(core, alert, same, reference, slot);
        let place = core.alerts.insert(open);
        if !dirty {
            core.alerts.dirty.pop();
            if let Some(alert) = core.alerts.slots.get_mut(place) {
                alert.dirty = false;
            }
        }
        if let Some(incident) = core.incidents.slots.get_mut(slot) {
            incident.open_alerts += 1;
        }
        if same.is_none() {
            core.close_alert(place);
        }
    }
    dropped
}

fn load_incident(saved: SavedIncident, rules: Vec<Arc<RuleRef>>) -> OpenIncident {
    OpenIncident {
        id: saved.id,
        title: saved.title,
        status: saved.status,
        close_reason: saved.close_reason,
        owner: saved.owner,
        severity: saved.severity,
        first: saved.first,
        last: saved.last,
        actor: saved.actor,
        entities: saved.entities,
        entity_bytes: saved.entity_bytes,
        lead: Timestamp::from_nanos(saved.lead),
        notes: saved
            .notes
            .into_iter()
            .zip(rules)
            .map(|(note, rule)| Note {
                alert: note.alert,
                rule,
                first: note.first,
                last: note.last,
                why: Why::new(&note.reason, &note.field, note.value),
            })
            .collect(),
        keys: saved.keys,
        open_alerts: 0,
        revision: saved.revision,
        dirty: false,
        touched: saved.touched,
    }
}

fn load_alert(
    core: &Core,
    saved: SavedAlert,
    same: Option<usize>,
    reference: Arc<RuleRef>,
    incident: u32,
) -> OpenAlert {
    let info = same.and_then(|place| core.rules.get(place));
    OpenAlert {
        id: saved.id,
        key: match saved.key {
            SavedKey::Window(window) => AlertKey::Window(window),
            SavedKey::Single(entity, lane) => {
                AlertKey::Single(same.map_or(u32::MAX, |place| place as u32), entity, lane)
            }
        },
        rule: reference,
        tags: info.map_or_else(|| saved.tags.into(), |info| Arc::clone(&info.tags)),
        gap_s: info.map_or(0, |info| info.gap_s),
        group: saved.group,
        entities: saved.entities,
        seen: saved.seen,
        latest: Default::default(),
        entity_bytes: saved.entity_bytes,
        first: saved.first,
        last: saved.last,
        count: saved.count,
        counted_before: saved.counted_before,
        events: saved.events,
        evidence: saved.evidence,
        evidence_bytes: saved.evidence_bytes,
        incident,
        dirty: false,
        touched: saved.touched,
    }
}
