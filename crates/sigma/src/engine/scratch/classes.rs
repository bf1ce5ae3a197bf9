//! The classes of an event's fields; see [`Alike`].

use vigie_event::{FieldId, ValueRef};

use super::View;
use super::notes::Purpose;
use crate::engine::alike::{Alike, Asked, Beyond, NOTHING, NULL};
use crate::engine::atom::{Ask, Atom};
use crate::engine::route::Stop;
use crate::engine::table::Half;
use crate::engine::{Local, NO_LOCAL, RECORD};
use crate::expr::AtomId;
use crate::value::{self, is_null};

impl View<'_> {
    /// Makes the key of the event: the classes of all fields that the route's rules ask about.
    pub fn classify(&mut self, alike: &mut Alike) {
        alike.begin();
        let (engine, event, plan) = (self.engine, self.event, self.plan);
        let asked = std::mem::take(&mut alike.asked);
        let wanted = |field: FieldId| {
            asked.get(field.index()).copied().filter(|asked| asked.local != NO_LOCAL)
        };
        event.fields_among(wanted).for_each(|(asked, value)| {
            self.classify_at(asked, value, alike);
        });
        for (field, _) in &engine.attributes {
            if let Some(asked) = wanted(*field)
                && let Some(value) = value::attribute(event, *field)
            {
                self.classify_at(asked, value, alike);
            }
        }
        alike.asked = asked;
        if plan.stop(RECORD).is_some_and(Stop::is_searched) {
            let class = self.search_class(RECORD, None, alike);
            alike.add(RECORD, class);
        }
    }

    #[inline]
    fn classify_at(&mut self, asked: Asked, value: ValueRef<'_>, alike: &mut Alike) {
        let Asked { local, searched } = asked;
        let generation = self.scratch.generation;
        let Some(state) = self.scratch.locals.get_mut(local as usize) else {
            return;
        };
        // The first slot of a field is its value.
        if state.present == generation {
            return;
        }
        state.present = generation;
        let class = match value {
            ValueRef::Text(text) if searched => {
                alike.class_of(local, text).or_else(|| self.new_class(local, text, alike))
            }
            value if is_null(value) => Some(NULL),
            _ if !searched => Some(NOTHING),
            value => self.search_class(local, Some(value), alike),
        };
        alike.add(local, class);
    }

    #[cold]
    fn new_class(&mut self, local: Local, text: &str, alike: &mut Alike) -> Option<u32> {
        let class = self.search_class(local, Some(ValueRef::Text(text)), alike)?;
        alike.remember_class(local, text, class);
        Some(class)
    }

    /// The class of a value that is not remembered; the record has none in a slot.
    fn search_class(
        &mut self,
        local: Local,
        value: Option<ValueRef<'_>>,
        alike: &mut Alike,
    ) -> Option<u32> {
        let mut found = std::mem::take(&mut self.scratch.found);
        found.clear();
        if self.regards_edges(local, alike.edges()) {
            self.scan(local, value, Half::Edges, Purpose::Collect(&mut found));
        }
        if let Some(parts) = self.plan.stop(local).and_then(|stop| stop.inside.as_deref()) {
            self.scan_parts(local, value, parts, Purpose::Collect(&mut found));
        }
        found.sort_unstable();
        let class = alike.class_with(&found);
        self.scratch.found = found;
        class
    }

    /// Whether the edges of a field's table tell classes apart.
    fn regards_edges(&self, local: Local, regarded: &[bool]) -> bool {
        self.plan.stop(local).is_some_and(|stop| stop.edges)
            || regarded.get(local as usize).copied().unwrap_or(false)
    }

    /// Notes what an answer depends on, beside the classes.
    pub(super) fn depend(&mut self, id: AtomId, atom: &Atom) {
        let beyond = match atom.ask {
            Ask::Null | Ask::Present | Ask::AnyValue | Ask::Never => return,
            Ask::Edge | Ask::Whole(_) if self.regards_edges(atom.local, self.regarded) => return,
            Ask::Edge | Ask::Whole(_) => Beyond::Edges(atom.local),
            Ask::Inside(_) if !self.plan.programs(id).is_empty() => return,
            _ => Beyond::More,
        };
        if self.scratch.beyond != Beyond::More {
            self.scratch.beyond = beyond;
        }
    }
}
