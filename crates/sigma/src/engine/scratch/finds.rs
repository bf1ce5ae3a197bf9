//! What searches find: the literals of a field that stand in its texts.

use vigie_event::ValueRef;

use super::texts;
use super::{Scratch, View};
use crate::engine::parts::Parts;
use crate::engine::route::Stop;
use crate::engine::{Engine, Local};
use crate::expr::AtomId;
use crate::value::each_text;

/// Shorter texts are searched at once for all that is asked, and not for signs first.
const SHORT: usize = 32;

/// The atoms that a search found, each once.
#[derive(Debug)]
pub(super) struct Finds {
    search: u32,
    /// By atom: the search that found it last.
    marks: Vec<u32>,
    pub atoms: Vec<AtomId>,
}

impl Finds {
    pub fn new(atoms: usize) -> Self {
        Self { search: 0, marks: vec![0; atoms], atoms: Vec::new() }
    }

    /// Begins another search.
    pub fn begin(&mut self) {
        self.atoms.clear();
        self.search = self.search.checked_add(1).unwrap_or_else(|| {
            self.marks.fill(0);
            1
        });
    }

    pub fn note(&mut self, atom: AtomId) {
        if let Some(mark) = self.marks.get_mut(atom.index())
            && *mark != self.search
        {
            *mark = self.search;
            self.atoms.push(atom);
        }
    }
}

impl Stop {
    /// Whether `text` may have a sign.
    pub(super) fn may_have_signs(&self, text: &str, engine: &Engine) -> bool {
        self.signs.as_ref().is_some_and(|signs| !text.is_empty() && signs.may_stand(text, engine))
    }

    /// Finds the parts that rules ask for in `text`, unless it has no sign of any; tells whether
    /// it did.
    pub(super) fn find_parts(
        &self,
        text: &str,
        engine: &Engine,
        odd: &mut String,
        finds: &mut Finds,
    ) -> bool {
        let (Some(_), Some(asked)) = (&self.signs, &self.asked) else {
            return false;
        };
        if text.len() >= SHORT && !self.may_have_signs(text, engine) {
            return self.has_only_signs();
        }
        asked.find(text, engine, odd, |atom| finds.note(atom));
        true
    }
}

impl View<'_> {
    /// Finds the edges of a field that its table has; `value` spares the search for it.
    pub(super) fn find_edges(&mut self, local: Local, value: Option<ValueRef<'_>>) {
        let Some(table) = self.engine.tables.get(local as usize) else { return };
        self.each_text(local, value, |text, odd, finds| {
            table.scan(text, odd, |atom| finds.note(atom));
        });
    }

    /// Finds the parts that rules ask for in a field, where it has a sign of any; tells whether
    /// all of them were found.
    pub(super) fn find_signs(
        &mut self,
        local: Local,
        value: Option<ValueRef<'_>>,
        stop: &Stop,
    ) -> bool {
        let engine = self.engine;
        let mut whole = true;
        self.each_text(local, value, |text, odd, finds| {
            whole &= stop.find_parts(text, engine, odd, finds);
        });
        whole
    }

    /// Finds all parts that rules ask for in a field.
    pub(super) fn find_asked(&mut self, local: Local, value: Option<ValueRef<'_>>, asked: &Parts) {
        let engine = self.engine;
        self.each_text(local, value, |text, odd, finds| {
            asked.find(text, engine, odd, |atom| finds.note(atom));
        });
    }

    /// Calls `search` with each text of a field, memory to fold it, and where to note what is
    /// found.
    fn each_text(
        &mut self,
        local: Local,
        value: Option<ValueRef<'_>>,
        mut search: impl FnMut(&str, &mut String, &mut Finds),
    ) {
        let (engine, event) = (self.engine, self.event);
        let Scratch { rendered, odd, finds, .. } = &mut *self.scratch;
        match value {
            Some(ValueRef::Text(text)) => search(text, odd, finds),
            Some(value) => each_text(value, rendered, |text| search(text, odd, finds)),
            None => texts::each(engine, event, local, rendered, |text| search(text, odd, finds)),
        }
    }
}
