//! Events of one shape: the same fields in the same order, with the same texts wherever the parser
//! knew them beforehand.
//!
//! What is left to be looked at are the few texts that somebody else wrote. Where these are of the
//! classes that those of an earlier event had, so are all its fields, and it matches the same.

use std::ptr;
use std::sync::Arc;

use smallvec::SmallVec;
use vigie_event::{Event, EventKind, Outline, Shape, field};

use super::alike::{Alike, CLEAN, NOTHING};
use super::parts::Parts;
use super::route::{Plan, Stop};
use super::scratch::is_silent;
use super::{Engine, Local, NO_LOCAL, RECORD};
use crate::RuleIndex;
use crate::value::is_told_by_shape;

/// Shapes remembered on a route; a power of two.
const SHAPES: usize = 64;
/// Where two shapes want one place, the second gets it once in so many times.
const PATIENCE: u32 = 16;

/// What events of a few shapes match.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    known: Vec<Known>,
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
    /// Places in the shape of the values that are searched, with their fields and classes.
    values: SmallVec<[(usize, Local, u32); 4]>,
    /// `false`: this is no shape.
    used: bool,
    rules: SmallVec<[RuleIndex; 4]>,
    /// Rules whose signs were there.
    candidates: usize,
}

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
        self.usable = !others.any(|(field, _)| asks(*field))
            && !record.is_some_and(|stop| stop.edges);
    }

    /// The rules that `event` matches, and how many had their signs there, where that is known by
    /// its shape and the classes of its texts.
    #[inline]
    pub fn outcome(
        &self,
        engine: &Engine,
        event: &Event,
        alike: &Alike,
    ) -> Option<(&[RuleIndex], usize)> {
        let known = self.known.get(place_of(event)).filter(|known| known.used)?;
        let class_of = |place: usize, local| alike.class_of(local, event.value_at(place)?);
        let mut values = known.values.iter();
        let alike = known.is_of(event)
            && values.all(|(place, local, class)| class_of(*place, *local) == Some(*class))
            && self.is_silent(engine, event);
        alike.then_some((&known.rules, known.candidates))
    }

    /// Whether nothing stands in the record but what the shape tells.
    #[inline]
    fn is_silent(&self, engine: &Engine, event: &Event) -> bool {
        self.signs.as_ref().is_none_or(|signs| is_silent(engine, event, signs))
    }

    /// Remembers what `event` matches, the one whose classes `alike` has at hand.
    pub fn remember(
        &mut self,
        engine: &Engine,
        event: &Event,
        alike: &Alike,
        rules: &[RuleIndex],
        candidates: usize,
    ) {
        // Where it was searched for more than signs, the next record may have more.
        let told = match alike.class_at_hand(RECORD) {
            None | Some(NOTHING) => true,
            Some(class) => class == CLEAN && self.all_are_signs,
        };
        if !self.usable || !told || !self.is_silent(engine, event) {
            return;
        }
        if self.known.is_empty() {
            self.known.resize_with(SHAPES, Known::default);
        }
        let Some(known) = self.known.get_mut(place_of(event)) else { return };
        if known.used {
            self.waited += 1;
            if known.is_of(event) || !self.waited.is_multiple_of(PATIENCE) {
                return;
            }
        }
        known.used = false;
        event.copy_shape(&mut known.shape);
        (known.kind, known.dataset) = (event.kind, event.dataset);
        known.values.clear();
        let mut seen: SmallVec<[Local; 16]> = SmallVec::new();
        for (place, (field, outline)) in known.shape.iter().enumerate() {
            let asked = alike.asked(field);
            // The first slot of a field is its value.
            let Some(asked) = asked.filter(|asked| !seen.contains(&asked.local)) else { continue };
            seen.push(asked.local);
            match outline {
                Outline::Text | Outline::Plain if asked.searched => {
                    let Some(class) = alike.class_at_hand(asked.local) else { return };
                    known.values.push((place, asked.local, class));
                }
                Outline::List => return,
                Outline::Fixed | Outline::Text | Outline::Plain | Outline::Null => {}
            }
        }
        known.used = true;
        known.rules.clear();
        known.rules.extend_from_slice(rules);
        known.candidates = candidates;
    }
}

impl Known {
    #[inline]
    fn is_of(&self, event: &Event) -> bool {
        event.kind == self.kind
            && ptr::eq(event.dataset, self.dataset)
            && event.has_shape(&self.shape)
    }
}

/// Where events of one shape are looked for.
#[inline]
fn place_of(event: &Event) -> usize {
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let action = event.fixed_of(field::EVENT_ACTION).map_or(0, |action| action.as_ptr() as u64);
    let mixed = (event.shape_hint() ^ action.rotate_left(17)).wrapping_mul(SPREAD);
    (mixed >> (u64::BITS - SHAPES.ilog2())) as usize
}
