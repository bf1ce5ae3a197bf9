//! From matches and firings to alerts and incidents.
//!
//! The file is long: an alert is raised, grown and closed in one place, since each of these changes
//! its incident and what is counted.

use std::sync::Arc;

use smallvec::SmallVec;
use vigie_event::{
    AlertId, CompactString, EVIDENCE_PER_ALERT, Event, EventId, FieldId, FieldValues, IncidentId,
    IncidentStatus, Localized, Severity, Timestamp, Value,
};
use vigie_sigma::{Firing, RuleIndex, RuleSet};

use crate::alerts::{AlertKey, Alerts, OpenAlert};
use crate::clocks::{Clocks, earlier, later, to_micros};
use crate::facets::{Facet, Facets};
use crate::facts::{EntityKey, Facts, Glance, Outcome};
use crate::hosts::Hosts;
use crate::incidents::{Incidents, Note, OpenIncident, Why};
use crate::recent::Recent;
use crate::rule_info::{RuleInfo, table};
use crate::seen::Seen;
use crate::settings::Settings;

/// Fewer events than this between two looks for what is idle would cost more than it frees.
const SWEEP_EVERY: u64 = 1_024;
/// Events that a new alert has room for at once; most have more.
const EVENTS_AT_FIRST: usize = 16;
/// Facets that it has room for at once.
const FACETS_AT_FIRST: usize = 8;

/// What has been counted since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) alerts: u64,
    pub(crate) incidents: u64,
    pub(crate) by_rule: Vec<u64>,
    pub(crate) evicted_alerts: u64,
    pub(crate) evicted_incidents: u64,
}

/// All of the detector but the rule engine.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) rules: Vec<RuleInfo>,
    pub(crate) alerts: Alerts,
    pub(crate) incidents: Incidents,
    pub(crate) recent: Recent,
    pub(crate) seen_lately: Seen,
    pub(crate) hosts: Hosts,
    pub(crate) clocks: Clocks,
    /// Events seen.
    pub(crate) seen: u64,
    pub(crate) swept: u64,
    pub(crate) counts: Counts,
    /// Alerts that people moved.
    pub(crate) moved: Vec<(AlertId, IncidentId)>,
    facets: Facets,
}

/// An alert to raise.
struct Raise<'r> {
    rule: usize,
    key: AlertKey,
    id: AlertId,
    group: &'r [(FieldId, CompactString)],
    first: Timestamp,
    last: Timestamp,
    count: u64,
    counted_before: u64,
    events: &'r [EventId],
}

impl Core {
    pub(crate) fn new(rules: &RuleSet, settings: Settings) -> Self {
        let rules = table(rules, &settings);
        let counts = Counts { by_rule: vec![0; rules.len()], ..Counts::default() };
        Self {
            settings,
            rules,
            alerts: Alerts::default(),
            incidents: Incidents::default(),
            recent: Recent::default(),
            seen_lately: Seen::default(),
            hosts: Hosts::default(),
            clocks: Clocks::default(),
            seen: 0,
            swept: 0,
            counts,
            moved: Vec::new(),
            facets: Facets::default(),
        }
    }

    /// Whether `event` counts: delivery is at least once, and one that rules matched lately was
    /// counted then. What matches nothing needs no remembering.
    #[inline]
    pub(crate) fn is_news(&mut self, event: &Event, matched: &[RuleIndex]) -> bool {
        matched.is_empty() || self.seen_lately.is_new(event)
    }

    /// Takes in an event that counts; of another, that it came.
    #[inline]
    pub(crate) fn observe(&mut self, event: &Event, matched: &[RuleIndex], fired: &[Firing]) {
        self.seen += 1;
        self.clocks.advance(event.time, self.settings.incident_gap_s);
        let glance = Glance::of(event);
        self.hosts.learn(event, &glance, self.seen);
        let succeeded = glance.outcome == Outcome::Success;
        if !matched.is_empty() || !fired.is_empty() {
            // A login of the actor's that raises an alert itself is in his incident, and one that
            // opens an incident takes along what follows.
            if succeeded && self.incidents.slots.len() > 0 {
                self.note_success(event);
            }
            self.take_in(event, matched, fired);
        }
        if self.incidents.slots.len() > 0 {
            if succeeded {
                self.note_success(event);
            }
            let since = self.seen - self.swept;
            if since >= SWEEP_EVERY && since >= self.held() {
                self.sweep();
            }
        }
    }

    #[inline(never)]
    fn take_in(&mut self, event: &Event, matched: &[RuleIndex], fired: &[Firing]) {
        self.facets.read(event);
        self.recent.push(event, &self.facets);
        let mut entity = None;
        let mut marks = false;
        for index in matched {
            let place = index.0 as usize;
            let Some(rule) = self.rules.get(place).filter(|rule| !rule.silent) else {
                continue;
            };
            marks |= rule.marks;
            if !rule.marks {
                let entity = entity.get_or_insert_with(|| EntityKey::of(event));
                self.match_single(place, entity.clone(), event);
            }
        }
        for firing in fired {
            let place = firing.rule.0 as usize;
            if self.rules.get(place).is_some_and(|rule| !rule.silent) {
                self.fire(place, firing, event);
            }
        }
        if marks {
            // Last: what the event has opened by then, they join.
            for index in matched {
                let place = index.0 as usize;
                if self.rules.get(place).is_some_and(|rule| !rule.silent && rule.marks) {
                    let entity = entity.get_or_insert_with(|| EntityKey::of(event));
                    self.match_single(place, entity.clone(), event);
                }
            }
        }
        while self.alerts.is_over(self.settings.max_alerts) && self.evict_alerts() {}
        while self.incidents.is_over(self.settings.max_incidents) && self.evict_incidents() {}
    }

    /// A rule over single events matched.
    fn match_single(&mut self, rule: usize, entity: EntityKey, event: &Event) {
        let time = to_micros(event.time);
        let weight = u64::from(event.repeat.max(1));
        match self.alerts.single(rule as u32, entity, time) {
            Ok(slot) => {
                let grown = |alert: &OpenAlert| alert.count.saturating_add(weight);
                self.grow(slot, event, time, time, grown);
            }
            Err(key) => {
                let AlertKey::Single(_, entity, _) = &key else {
                    return;
                };
                let about = entity.actor();
                let Some(info) = self.rules.get(rule) else {
                    return;
                };
                let id = AlertId::derive(
                    time,
                    &[
                        info.reference.id.as_bytes(),
                        about.field.as_bytes(),
                        about.value.as_bytes(),
                        &event.id().as_u128().to_be_bytes(),
                    ],
                );
                let raise = Raise {
                    rule,
                    key,
                    id,
                    group: &[],
                    first: time,
                    last: time,
                    count: weight,
                    counted_before: 0,
                    events: &[event.id()],
                };
                self.raise(raise, event);
            }
        }
    }

    /// A correlation fired.
    fn fire(&mut self, rule: usize, firing: &Firing, event: &Event) {
        if firing.overdue {
            // The event at hand only told the time: the alert is about the group alone.
            self.fire_about(rule, firing, &absent(firing));
        } else {
            self.fire_about(rule, firing, event);
        }
    }

    fn fire_about(&mut self, rule: usize, firing: &Firing, event: &Event) {
        let open = self.alerts.of_window(firing.window.0);
        if let Some(slot) = open
            && !firing.raised
        {
            let grown = |alert: &OpenAlert| {
                firing.count.saturating_sub(alert.counted_before).max(alert.count)
            };
            self.grow(slot, event, firing.first, firing.last, grown);
            return;
        }
        let (first, last) = (to_micros(firing.first), to_micros(firing.last));
        if firing.raised {
            let first_event = firing.events.first().copied().unwrap_or_else(|| event.id());
            let id = self.window_id(rule, &firing.group, firing.window.0, first, first_event);
            if open.and_then(|slot| self.alerts.slots.get(slot)).is_some_and(|open| open.id == id) {
                return;
            }
            let raise = Raise {
                rule,
                key: AlertKey::Window(firing.window.0),
                id,
                group: &firing.group,
                first,
                last,
                count: firing.count,
                counted_before: 0,
                events: &firing.events,
            };
            self.raise(raise, event);
        } else {
            // Its alert was closed with its incident, or had to leave memory, and yet the attack
            // goes on: that is news.
            let group = self.group_of(rule, event);
            let time = to_micros(event.time);
            let id = self.window_id(rule, &group, firing.window.0, time, event.id());
            let weight = u64::from(event.repeat.max(1)).min(firing.count.max(1));
            let raise = Raise {
                rule,
                key: AlertKey::Window(firing.window.0),
                id,
                group: &group,
                first: time,
                last: time,
                count: weight,
                counted_before: firing.count.saturating_sub(weight),
                events: &[event.id()],
            };
            self.raise(raise, event);
        }
    }

    fn window_id(
        &self,
        rule: usize,
        group: &[(FieldId, CompactString)],
        window: u64,
        first: Timestamp,
        first_event: EventId,
    ) -> AlertId {
        let window = window.to_be_bytes();
        let event = first_event.as_u128().to_be_bytes();
        let rule = self.rules.get(rule).map_or("", |info| info.reference.id.as_str());
        let mut parts: SmallVec<[&[u8]; 9]> = SmallVec::new();
        parts.push(rule.as_bytes());
        for (field, value) in group {
            parts.extend([field.name().as_bytes(), value.as_bytes()]);
        }
        parts.extend([&window[..], &event[..]]);
        AlertId::derive(first, &parts)
    }

    fn group_of(&self, rule: usize, event: &Event) -> Vec<(FieldId, CompactString)> {
        let fields = self.rules.get(rule).map_or(&[][..], |info| &info.group_by);
        fields.iter().filter_map(|field| Some((*field, event.render(*field)?.into()))).collect()
    }

    /// Lets the alert at `slot` grow by `event`; times need not be whole microseconds.
    fn grow(
        &mut self,
        slot: u32,
        event: &Event,
        first: Timestamp,
        last: Timestamp,
        count: impl FnOnce(&OpenAlert) -> u64,
    ) {
        let Self { alerts, incidents, recent, facets, seen, .. } = self;
        let Some(incident) = alerts.slots.get(slot).map(|alert| alert.incident) else {
            return;
        };
        let id = event.id();
        incidents.change(incident, |incident| {
            incident.first = earlier(incident.first, first);
            incident.last = later(incident.last, last);
            incident.touched = *seen;
            incident.revision += 1;
            alerts.change(slot, |alert| {
                alert.count = count(alert);
                alert.first = earlier(alert.first, first);
                alert.last = later(alert.last, last);
                alert.touched = *seen;
                let wants_evidence = alert.add_event(id);
                let mut add = |alert: &mut OpenAlert, facet: Facet<'_>, hash: u64| {
                    if let Some((field, text)) = alert.add_facet(facet, hash) {
                        incident.add_entity(field, &text);
                    }
                };
                let at_hand = facets.of() == id;
                if at_hand {
                    for (place, hash) in facets.hashes().iter().enumerate() {
                        if !alert.knows(place, *hash)
                            && let Some(facet) = facets.at(place)
                        {
                            add(alert, facet, *hash);
                        }
                    }
                }
                if (wants_evidence || !at_hand)
                    && let Some(known) = recent.find(id)
                {
                    if !at_hand {
                        known.facets().for_each(|(facet, hash)| add(alert, facet, hash));
                    }
                    if wants_evidence {
                        alert.add_evidence(known.evidence());
                    }
                }
            });
        });
    }

    fn raise(&mut self, raise: Raise<'_>, event: &Event) {
        if let Some((old, _)) = self.alerts.at(&raise.key) {
            self.close_alert(old);
        }
        let Some(info) = self.rules.get(raise.rule) else {
            return;
        };
        let mut facts = Facts::of(event, raise.group, &info.families, raise.first, raise.last);
        facts.from_host = facts.address().and_then(|from| self.hosts.host_of(from)).cloned();
        let gap_s = u64::from(self.settings.incident_gap_s);
        let place = self.incidents.place_of(&facts, gap_s);
        if place.is_none() && info.marks && !self.settings.marks_open {
            return;
        }
        let mut alert = OpenAlert {
            id: raise.id,
            key: raise.key,
            rule: Arc::clone(&info.reference),
            tags: Arc::clone(&info.tags),
            gap_s: info.gap_s,
            group: group_map(raise.group),
            entities: vigie_event::Entities::default(),
            seen: Vec::with_capacity(FACETS_AT_FIRST),
            latest: Default::default(),
            entity_bytes: 0,
            first: raise.first,
            last: raise.last,
            count: raise.count,
            counted_before: raise.counted_before,
            events: Vec::with_capacity(EVENTS_AT_FIRST),
            evidence: Vec::with_capacity(raise.events.len().min(EVIDENCE_PER_ALERT)),
            evidence_bytes: 0,
            incident: 0,
            dirty: false,
            touched: self.seen,
        };
        for id in raise.events {
            let wants_evidence = alert.add_event(*id);
            if let Some(known) = self.recent.find(*id) {
                for (facet, hash) in known.facets() {
                    let _ = alert.add_facet(facet, hash);
                }
                if wants_evidence {
                    alert.add_evidence(known.evidence());
                }
            }
        }
        let keys = facts.keys();
        let (slot, why) = place.unwrap_or_else(|| {
            let actor = facts.entity.actor();
            let why = Why::new("first", &actor.field, actor.value.as_str());
            self.counts.incidents += 1;
            (self.incidents.insert(opened(raise.id, actor, &alert)), why)
        });
        self.counts.alerts += 1;
        if let Some(count) = self.counts.by_rule.get_mut(raise.rule) {
            *count += 1;
        }
        let note = Note {
            alert: alert.id,
            rule: Arc::clone(&alert.rule),
            first: alert.first,
            last: alert.last,
            why,
        };
        let seen = self.seen;
        self.incidents.change(slot, |incident| {
            incident.open_alerts += 1;
            incident.touched = seen;
            incident.add_entities(&alert.entities);
            incident.take_in(note);
        });
        for key in keys {
            self.incidents.add_key(slot, key);
        }
        alert.incident = slot;
        self.alerts.insert(alert);
    }

    /// Closes every alert and retires every incident.
    pub(crate) fn end(&mut self) {
        self.alerts.outgoing.reserve(self.alerts.slots.len());
        self.incidents.outgoing.reserve(self.incidents.slots.len());
        for slot in self.alerts.slots.places() {
            self.close_alert(slot);
        }
        for slot in self.incidents.slots.places() {
            self.incidents.retire(slot);
        }
    }

    /// Closes the alert at `slot`: its incident remembers how long it lasted.
    pub(crate) fn close_alert(&mut self, slot: u32) {
        let Some(incident_slot) = self.alerts.slots.get(slot).map(|alert| alert.incident) else {
            return;
        };
        self.incidents.slots.wake(incident_slot);
        let incident = self.incidents.slots.get_mut(incident_slot);
        let id = incident.as_ref().map(|incident| incident.id);
        let Some(alert) = self.alerts.close(slot, id) else {
            return;
        };
        if let Some(incident) = incident {
            incident.open_alerts = incident.open_alerts.saturating_sub(1);
            let note = incident.notes.iter_mut().rev().find(|note| note.alert == alert.id);
            if let Some(note) = note {
                note.first = alert.first;
                note.last = alert.last;
            }
        }
    }
}

/// A new incident for its first alert, still without it.
fn opened(alert_id: AlertId, actor: vigie_event::Actor, alert: &OpenAlert) -> OpenIncident {
    OpenIncident {
        id: incident_id(alert_id, alert.first),
        title: Localized::default(),
        status: IncidentStatus::Open,
        close_reason: None,
        owner: None,
        severity: Severity::Informational,
        first: alert.first,
        last: alert.last,
        actor,
        entities: vigie_event::Entities::default(),
        entity_bytes: 0,
        lead: alert.first,
        notes: Vec::new(),
        keys: Vec::new(),
        open_alerts: 0,
        revision: 0,
        dirty: false,
        touched: alert.touched,
    }
}

/// An incident's id is a function of its first alert's.
pub(crate) fn incident_id(alert: AlertId, first: Timestamp) -> IncidentId {
    IncidentId::derive(first, &[b"incident", &alert.as_u128().to_be_bytes()])
}

/// An event that has only what is known of a group that was not heard of.
fn absent(firing: &Firing) -> Event {
    let mut event = Event::default();
    event.set_id(firing.events.first().copied().unwrap_or_default());
    event.time = firing.last;
    let (_, mut fields) = event.fields_mut();
    for (field, value) in &firing.group {
        match value.parse() {
            Ok(address) => fields.address(*field, address),
            Err(_) => fields.value(*field, Value::Made(value.as_str().into())),
        }
    }
    event
}

fn group_map(group: &[(FieldId, CompactString)]) -> FieldValues {
    group.iter().map(|(field, value)| (field.name(), &**value)).collect()
}
