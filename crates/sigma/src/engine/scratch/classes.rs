//! The classes of an event's fields; see [`Alike`].

use vigie_event::{Beside, Event, FieldId, ValueRef};

use super::{Scratch, View};
use crate::engine::alike::{Alike, Asked, Beyond, NOTHING, NULL};
use crate::engine::atom::{Ask, Atom};
use crate::engine::parts::Parts;
use crate::engine::route::Stop;
use crate::engine::{Engine, Local, NO_LOCAL, RECORD};
use crate::expr::AtomId;
use crate::value::{self, is_null};

/// Answers an event that are remembered; to ask for more takes as long as to run the rules.
const MOST_ANSWERS: usize = 8;

/// Whether an event has no sign in its record beside those in texts that its shape tells.
#[inline]
pub(in crate::engine) fn is_silent(engine: &Engine, event: &Event, signs: &Parts) -> bool {
    let made = event.made();
    !event.has_lists()
        && (made.is_empty() || !signs.may_stand(made, engine))
        && !signs.may_stand(event.text(), engine)
}

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
        if let Some(state) = self.scratch.locals.get_mut(RECORD as usize) {
            state.present = self.scratch.generation;
        }
        if let Some(stop) = plan.stop(RECORD).filter(|stop| stop.is_searched()) {
            self.classify_record(stop, alike);
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
        state.number = None;
        let class = match value {
            value if is_null(value) => Some(NULL),
            _ if !searched => Some(NOTHING),
            value => match alike.class_and_number(local, value) {
                Some((class, number)) => {
                    state.number = number;
                    Some(class)
                }
                None => self.new_class(local, value, alike),
            },
        };
        alike.add(local, class);
    }

    /// The class of a value that is not remembered.
    #[cold]
    fn new_class(&mut self, local: Local, value: ValueRef<'_>, alike: &mut Alike) -> Option<u32> {
        self.scratch.finds.begin();
        let stop = self.plan.stop(local)?;
        if stop.edges {
            self.find_edges(local, Some(value));
        }
        let whole = self.find_signs(local, Some(value), stop);
        let class = self.class_of_finds(local, whole, alike)?;
        let number = self.scratch.told.next_number();
        alike.remember_class(local, value, class, number);
        if let Some(state) = self.scratch.locals.get_mut(local as usize) {
            state.number = number;
        }
        Some(class)
    }

    /// The record is the event's own text and those beside it. Of these most are such as the
    /// parser knew beforehand, and few of the others have any sign.
    fn classify_record(&mut self, stop: &Stop, alike: &mut Alike) {
        let (engine, event) = (self.engine, self.event);
        let Scratch { finds, odd, .. } = &mut *self.scratch;
        finds.begin();
        let mut whole = stop.find_parts(event.text(), engine, odd, finds);
        let mut all_known = true;
        let passed = event.has_lists() || stop.may_have_signs(event.made(), engine);
        event.beside(|beside| match beside {
            Beside::Fixed(text) => {
                if let Some(class) = alike.class_of_fixed(text) {
                    whole &= alike.is_whole(class);
                    alike.atoms(class).iter().for_each(|atom| finds.note(*atom));
                } else {
                    whole &= stop.find_parts(text, engine, odd, finds);
                    all_known = false;
                }
            }
            Beside::Made(_) if !passed => whole &= stop.has_only_signs(),
            Beside::Made(text) => whole &= stop.find_parts(text, engine, odd, finds),
        });
        let class = self.class_of_finds(RECORD, whole, alike);
        alike.add(RECORD, class);
        if !all_known {
            self.learn_fixed(stop, alike);
        }
    }

    #[cold]
    fn learn_fixed(&mut self, stop: &Stop, alike: &mut Alike) {
        let (engine, event) = (self.engine, self.event);
        let Scratch { finds, odd, .. } = &mut *self.scratch;
        event.beside(|beside| {
            if let Beside::Fixed(text) = beside
                && alike.class_of_fixed(text).is_none()
            {
                finds.begin();
                let whole = stop.find_parts(text, engine, odd, finds);
                finds.atoms.sort_unstable();
                if let Some(class) = alike.class_with(&finds.atoms, whole) {
                    alike.remember_fixed(text, class);
                }
            }
        });
    }

    /// The class of a field of which this was found. Where there are too many classes, what was
    /// found is noted at once.
    fn class_of_finds(&mut self, local: Local, whole: bool, alike: &mut Alike) -> Option<u32> {
        let mut atoms = std::mem::take(&mut self.scratch.finds.atoms);
        atoms.sort_unstable();
        let class = alike.class_with(&atoms, whole);
        if class.is_none() {
            self.note(local, &atoms, whole);
        }
        self.scratch.finds.atoms = atoms;
        class
    }

    /// Notes that a field is present and has these atoms, and queues the rules whose signs that
    /// are. `whole`: it has no others of the parts that rules ask for.
    pub(super) fn note(&mut self, local: Local, atoms: &[AtomId], whole: bool) {
        let plan = self.plan;
        let (generation, stamp) = (self.scratch.generation, self.scratch.stamp(true));
        let (Some(stop), Some(state)) =
            (plan.stop(local), self.scratch.locals.get_mut(local as usize))
        else {
            return;
        };
        if stop.edges {
            state.edges = generation;
        }
        if whole {
            state.inside = generation;
        }
        for program in &stop.programs {
            self.enqueue(*program);
        }
        for atom in atoms {
            if let Some(kept) = self.scratch.atoms.get_mut(atom.index()) {
                *kept = stamp;
            }
            for program in plan.programs(*atom) {
                self.enqueue(*program);
            }
        }
    }

    /// Notes an answer that is soon found.
    pub(super) fn answered(&mut self, atom: AtomId, answer: bool) {
        if self.scratch.answers.len() < MOST_ANSWERS {
            self.scratch.answers.push((atom, answer));
        } else {
            self.scratch.beyond = Beyond::More;
        }
    }

    /// Notes what an answer depends on, beside the classes.
    pub(super) fn depend(&mut self, atom: &Atom) {
        let beyond = match atom.ask {
            Ask::Null | Ask::Present | Ask::AnyValue | Ask::Never => return,
            Ask::Edge | Ask::Whole(_) => Beyond::Edges(atom.local),
            _ => Beyond::More,
        };
        if self.scratch.beyond != Beyond::More {
            self.scratch.beyond = beyond;
        }
    }
}
