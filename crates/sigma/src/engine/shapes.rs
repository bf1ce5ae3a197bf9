//! Events of one shape: the same fields in the same order, with the same texts wherever the parser
//! knew them beforehand.
//!
//! What is left to be looked at are the few texts that somebody else wrote. Where these are of the
//! classes that those of an earlier event had, so are all its fields, and it matches the same. Where
//! the parser knows the very wording, nothing is left ([`Wordings`]).

use std::ptr;
use std::sync::Arc;

use smallvec::SmallVec;
use vigie_event::{Event, EventKind, Outline, Shape, field};

use super::alike::{Alike, Answers, CLEAN, NOTHING, answers_so};
use super::parts::Parts;
use super::route::{Plan, Stop};
use super::scratch::is_silent;
use super::wordings::Wordings;
use super::{Engine, Local, NO_LOCAL, RECORD};
use crate::RuleIndex;
use crate::value::is_told_by_shape;

/// Places for shapes on a route; a power of two.
const SHAPES: usize = 256;
/// What is remembered of a shape, by the classes of its values.
const OUTCOMES: usize = 8;
/// Where two shapes want one place, the second gets it once in so many times.
const PATIENCE: u32 = 16;

/// What events of a few shapes match.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    known: Vec<Known>,
    wordings: Wordings,
    /// Whether shapes and texts tell all that rules ask, but for what the record has.
    usable: bool,
    /// The parts of which none may stand in the record.
    signs: Option<Arc<Parts>>,
    /// Whether no rule asks for others in the record.
    all_are_signs: bool,
    waited: u32,
}

#[derive(Debug, Default)]
struct Known {
    shape: Shape,
    kind: EventKind,
    dataset: &'static str,
    /// Places in the shape of the values that are searched, with their fields.
    values: SmallVec<[(usize, Local); 4]>,
    /// `false`: this is no shape.
    used: bool,
    outcomes: Vec<Outcome>,
    /// Where the one of the last event is, and where the next is put.
    last: usize,
    next: usize,
}

/// What events of a shape match whose values are of these classes and answer so.
#[derive(Debug)]
struct Outcome {
    classes: Classes,
    answers: Answers,
    rules: SmallVec<[RuleIndex; 4]>,
    /// Rules whose signs were there.
    candidates: usize,
}

/// The classes of the values that are searched, in the order of the shape.
type Classes = SmallVec<[u32; 8]>;

impl Shapes {
    /// Forgets all.
    pub fn forget(&mut self) {
        for known in &mut self.known {
            known.used = false;
        }
    }

    /// Forgets all, for what `plan` asks.
    pub fn ask(&mut self, engine: &Engine, plan: &Plan) {
        self.forget();
        let asks = |field| plan.local(field) != NO_LOCAL;
        let mut others = engine.attributes.iter().filter(|(field, _)| !is_told_by_shape(*field));
        let record = plan.stop(RECORD);
        self.signs = record.and_then(|stop| stop.signs.clone());
        self.all_are_signs = record.is_some_and(Stop::has_only_signs);
        self.usable =
            !others.any(|(field, _)| asks(*field)) && !record.is_some_and(|stop| stop.edges);
        // A wording leaves the process id open, and the digits of the record's stamps.
        let told = self.usable && plan.record_has_only_signs();
        self.wordings.begin(told && !asks(field::PROCESS_PID));
    }

    /// The rules that `event` matches, and how many had their signs there, where that is known by
    /// its wording.
    #[inline]
    pub fn worded(&self, engine: &Engine, event: &Event) -> Option<(&[RuleIndex], usize)> {
        self.wordings.of(event).filter(|_| self.is_silent(engine, event))
    }

    /// The rules that `event` matches, and how many had their signs there, where that is known by
    /// its shape and the classes of its texts.
    #[inline]
    pub fn outcome(
        &mut self,
        engine: &Engine,
        event: &Event,
        alike: &Alike,
    ) -> Option<(&[RuleIndex], usize)> {
        let place = self.place_of(event)?;
        let known = self.known.get_mut(place)?;
        let class_of =
            |&(place, local): &(usize, Local)| alike.class_of(local, event.value_at(place)?);
        let last = known.outcomes.get(known.last)?;
        let mut expected = last.classes.iter().zip(&known.values);
        let outcome = if expected.all(|(class, value)| class_of(value) == Some(*class))
            && answers_so(engine, event, &last.answers)
        {
            last
        } else {
            let classes = known.values.iter().map(class_of).collect::<Option<Classes>>()?;
            let place = known.outcomes.iter().position(|outcome| {
                outcome.classes == classes && answers_so(engine, event, &outcome.answers)
            })?;
            known.last = place;
            known.outcomes.get(place)?
        };
        if !self.signs.as_ref().is_none_or(|signs| is_silent(engine, event, signs)) {
            return None;
        }
        self.wordings.remember(event, &outcome.rules, outcome.candidates);
        Some((&outcome.rules, outcome.candidates))
    }

    /// Whether nothing stands in the record but what the shape tells.
    #[inline]
    fn is_silent(&self, engine: &Engine, event: &Event) -> bool {
        self.signs.as_ref().is_none_or(|signs| is_silent(engine, event, signs))
    }

    /// Remembers what `event` matches, the one whose classes `alike` has at hand; by its wording
    /// alone where it takes more to tell than classes and answers, which are `None` then.
    pub fn remember(
        &mut self,
        engine: &Engine,
        event: &Event,
        alike: &Alike,
        rules: &[RuleIndex],
        candidates: usize,
        answers: Option<&Answers>,
    ) {
        // Where it was searched for more than signs, the next record may have more.
        let told = match alike.class_at_hand(RECORD) {
            None | Some(NOTHING) => true,
            Some(class) => class == CLEAN && self.all_are_signs,
        };
        if !self.usable || !told || !self.is_silent(engine, event) {
            return;
        }
        self.wordings.remember(event, rules, candidates);
        let Some(answers) = answers else { return };
        if self.known.is_empty() {
            self.known.resize_with(SHAPES, Known::default);
        }
        let Some(place) = self.place_of(event).or_else(|| self.place_for(event)) else { return };
        let Some(known) = self.known.get_mut(place) else { return };
        if !known.used || !known.is_of(event) {
            known.begin(event, alike);
        }
        if known.used {
            known.remember(alike, answers, rules, candidates);
        }
    }

    /// Where the shape of `event` stands.
    #[inline]
    fn place_of(&self, event: &Event) -> Option<usize> {
        let is_there = |place: &usize| {
            self.known.get(*place).is_some_and(|known| known.used && known.is_of(event))
        };
        places_of(event).into_iter().find(is_there)
    }

    /// Where it may stand from now on: at a free place, or from time to time at another's.
    fn place_for(&mut self, event: &Event) -> Option<usize> {
        let places = places_of(event);
        let is_free = |place: &usize| self.known.get(*place).is_some_and(|known| !known.used);
        if let Some(free) = places.into_iter().find(is_free) {
            return Some(free);
        }
        self.waited += 1;
        let [place, beside] = places;
        let taken = if (self.waited / PATIENCE).is_multiple_of(2) { place } else { beside };
        self.waited.is_multiple_of(PATIENCE).then_some(taken)
    }
}

impl Known {
    #[inline]
    fn is_of(&self, event: &Event) -> bool {
        event.kind == self.kind
            && ptr::eq(event.dataset, self.dataset)
            && event.has_shape(&self.shape)
    }

    /// Begins with the shape of `event`, unless that does not tell all that rules ask.
    fn begin(&mut self, event: &Event, alike: &Alike) {
        self.used = false;
        event.copy_shape(&mut self.shape);
        (self.kind, self.dataset) = (event.kind, event.dataset);
        self.values.clear();
        self.outcomes.clear();
        (self.last, self.next) = (0, 0);
        let mut seen: SmallVec<[Local; 16]> = SmallVec::new();
        for (place, (field, outline)) in self.shape.iter().enumerate() {
            let asked = alike.asked(field);
            // The first slot of a field is its value.
            let Some(asked) = asked.filter(|asked| !seen.contains(&asked.local)) else { continue };
            seen.push(asked.local);
            match outline {
                Outline::Text | Outline::Plain if asked.searched => {
                    self.values.push((place, asked.local));
                }
                Outline::List => return,
                Outline::Fixed | Outline::Text | Outline::Plain | Outline::Null => {}
            }
        }
        self.used = true;
    }

    /// Remembers what the event matches whose classes `alike` has at hand and which answers so.
    fn remember(
        &mut self,
        alike: &Alike,
        answers: &Answers,
        rules: &[RuleIndex],
        candidates: usize,
    ) {
        let classes = self.values.iter().map(|(_, local)| alike.class_at_hand(*local));
        let Some(classes) = classes.collect::<Option<Classes>>() else { return };
        let mut known = self.outcomes.iter();
        if known.any(|outcome| outcome.classes == classes && outcome.answers == *answers) {
            return;
        }
        let outcome =
            Outcome { classes, answers: answers.clone(), rules: rules.into(), candidates };
        match self.outcomes.get_mut(self.next) {
            Some(oldest) => *oldest = outcome,
            None => self.outcomes.push(outcome),
        }
        self.next = (self.next + 1) % OUTCOMES;
    }
}

/// Where events of one shape are looked for.
#[inline]
fn places_of(event: &Event) -> [usize; 2] {
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let action = event.fixed_of(field::EVENT_ACTION).map_or(0, |action| action.as_ptr() as u64);
    let mixed = (event.shape_hint() ^ action.rotate_left(17)).wrapping_mul(SPREAD);
    let place = (mixed >> (u64::BITS - SHAPES.ilog2())) as usize;
    [place, place ^ 1]
}
