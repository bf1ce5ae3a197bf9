//! The texts of an event's fields: as they stand, and folded once an event.

use vigie_event::{Beside, Event, ValueRef};

use super::{Scratch, View};
use crate::engine::atom::anchored;
use crate::engine::{Engine, Local, RECORD};
use crate::expr::AtomId;
use crate::fold::fold_into;
use crate::pattern::Anchor;
use crate::value::{self, each_text};

impl View<'_> {
    pub(super) fn value(&self, local: Local) -> Option<ValueRef<'_>> {
        value_of(self.engine, self.event, local)
    }

    /// Whether any text of the field as it stands answers `fits` with true.
    pub(super) fn any_text(&mut self, local: Local, mut fits: impl FnMut(&str) -> bool) -> bool {
        let mut found = false;
        let mut buffer = std::mem::take(&mut self.scratch.rendered);
        each(self.engine, self.event, local, &mut buffer, |text| found = found || fits(text));
        self.scratch.rendered = buffer;
        found
    }

    /// Whether any text of the field stands so to any text of the other, case and all.
    pub(super) fn refers(&mut self, local: Local, other: Local, anchor: Anchor) -> bool {
        let mut buffer = std::mem::take(&mut self.scratch.rendered_other);
        let mut found = false;
        let mut rendered = std::mem::take(&mut self.scratch.rendered);
        each(self.engine, self.event, local, &mut rendered, |text| {
            each(self.engine, self.event, other, &mut buffer, |other| {
                found = found || anchored(anchor, text, other);
            });
        });
        self.scratch.rendered = rendered;
        self.scratch.rendered_other = buffer;
        found
    }

    /// Folds the texts of a field, once an event.
    pub(super) fn fold(&mut self, local: Local) {
        let generation = self.scratch.generation;
        let Some(state) = self.scratch.locals.get(local as usize) else {
            return;
        };
        if state.folded == generation {
            return;
        }
        let present = state.present == generation;
        if present
            && let Some(field) = self.engine.fields.get(local as usize).copied().flatten()
            && let Some(ValueRef::Text(text)) = value::get(self.event, field)
        {
            self.fold_text(local, text);
            return;
        }
        let mut folded = std::mem::take(&mut self.scratch.folded);
        let mut spans = std::mem::take(&mut self.scratch.spans);
        let mut buffer = std::mem::take(&mut self.scratch.rendered);
        let first = spans.len() as u32;
        if present {
            each(self.engine, self.event, local, &mut buffer, |text| {
                let start = folded.len() as u32;
                fold_into(text, &mut folded);
                spans.push((start, folded.len() as u32));
            });
        }
        self.scratch.folded = folded;
        self.scratch.spans = spans;
        self.scratch.rendered = buffer;
        self.note_folded(local, first);
    }

    /// Folds a field that is one text, by far the most frequent kind.
    pub(super) fn fold_text(&mut self, local: Local, text: &str) {
        let Scratch { folded, spans, .. } = &mut *self.scratch;
        let first = spans.len() as u32;
        let start = folded.len() as u32;
        fold_into(text, folded);
        spans.push((start, folded.len() as u32));
        self.note_folded(local, first);
    }

    pub(super) fn note_folded(&mut self, local: Local, first: u32) {
        let Scratch { locals, spans, generation, .. } = &mut *self.scratch;
        if let Some(state) = locals.get_mut(local as usize) {
            state.folded = *generation;
            state.spans = (first, spans.len() as u32);
        }
    }

    /// The folded texts of a field, after [`View::fold`].
    pub(super) fn folded(&self, local: Local) -> impl Iterator<Item = &str> {
        let scratch = &*self.scratch;
        let (first, last) = scratch.locals.get(local as usize).map_or((0, 0), |state| state.spans);
        let spans = scratch.spans.get(first as usize..last as usize).unwrap_or_default();
        spans.iter().filter_map(|(start, end)| scratch.folded.get(*start as usize..*end as usize))
    }
}

/// Whether an atom that is [soon answered](Ask::is_soon_answered) holds of the event.
#[inline]
pub(in crate::engine) fn holds(engine: &Engine, event: &Event, atom: AtomId) -> bool {
    let Some(atom) = engine.atoms.get(atom.index()) else { return false };
    value_of(engine, event, atom.local).is_some_and(|value| atom.holds_of(value))
}

fn value_of<'e>(engine: &Engine, event: &'e Event, local: Local) -> Option<ValueRef<'e>> {
    match engine.fields.get(local as usize)? {
        Some(field) => value::get(event, *field),
        None => Some(ValueRef::Text(event.text())),
    }
}

/// Calls `each` with every text of the field. Those of the record are its own text and the values
/// that do not stand in it, such as unescaped JSON.
pub(super) fn each(
    engine: &Engine,
    event: &Event,
    local: Local,
    buffer: &mut String,
    mut each: impl FnMut(&str),
) {
    if local != RECORD {
        if let Some(value) = value_of(engine, event, local) {
            each_text(value, buffer, each);
        }
        return;
    }
    each(event.text());
    event.beside(|beside| {
        let (Beside::Fixed(text) | Beside::Made(text)) = beside;
        each(text);
    });
}
