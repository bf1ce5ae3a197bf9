//! Parts that are looked for in one field, ready to be found, and shared by the routes that look
//! for the same.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use super::gate::Gate;
use super::grams::Grams;
use super::{Engine, Local};
use crate::expr::AtomId;

/// The most marks that a text is searched for before its parts are.
const MOST_MARKS: usize = 8;

/// Parts that are looked for in a field. Most fields are in no event of a route, so they are made
/// ready for the first text.
#[derive(Debug)]
pub(super) struct Parts {
    signs: Vec<AtomId>,
    others: Vec<AtomId>,
    ready: OnceLock<Ready>,
}

/// Parts, ready to be found.
#[derive(Debug)]
pub(super) struct Ready {
    /// For the signs.
    pub gate: Option<Gate>,
    pub marks: Option<Marks>,
    pub grams: Grams,
    /// Whether the grams are of all that any rule of the route asks for, and not only of signs.
    pub complete: bool,
}

impl Parts {
    /// Ready to be found; `engine` is always the same.
    pub fn ready(&self, engine: &Engine) -> &Ready {
        self.ready.get_or_init(|| Ready::build(engine, &self.signs, &self.others))
    }
}

impl Ready {
    fn build(engine: &Engine, signs: &[AtomId], others: &[AtomId]) -> Self {
        let parts = |atoms: &[AtomId]| -> Vec<(&str, AtomId)> {
            atoms.iter().filter_map(|atom| Some((engine.part(*atom)?, *atom))).collect()
        };
        let plain = parts(signs).into_iter().map(|(part, _)| part).filter(|part| part.is_ascii());
        let all: BTreeSet<AtomId> = signs.iter().chain(others).copied().collect();
        let all = parts(&all.into_iter().collect::<Vec<_>>());
        Self {
            gate: Gate::build(&plain.collect::<Vec<_>>(), &engine.rarity),
            marks: Marks::of(all.iter().map(|(part, _)| *part)),
            grams: Grams::build(all.into_iter(), &engine.rarity),
            complete: !others.is_empty(),
        }
    }
}

/// A few characters of which each part has one at least, such as the space of several words:
/// names, addresses and numbers mostly have none of them and need no further search. No letter
/// or digit is among them, so the case does not matter.
#[derive(Debug)]
pub(super) struct Marks([bool; 256]);

impl Marks {
    fn of<'p>(parts: impl Iterator<Item = &'p str>) -> Option<Self> {
        // Only plain ASCII stands in the texts that are asked for marks.
        let mut rest: Vec<&[u8]> =
            parts.filter(|part| part.is_ascii()).map(str::as_bytes).collect();
        let mut marks = [false; 256];
        for _ in 0..MOST_MARKS {
            let count = |mark: u8| rest.iter().filter(|part| part.contains(&mark)).count();
            let best = (0..128)
                .filter(|mark: &u8| !mark.is_ascii_alphanumeric())
                .max_by_key(|mark| count(*mark))?;
            let before = rest.len();
            rest.retain(|part| !part.contains(&best));
            if rest.len() == before {
                return None;
            }
            if let Some(mark) = marks.get_mut(usize::from(best)) {
                *mark = true;
            }
            if rest.is_empty() {
                return Some(Self(marks));
            }
        }
        None
    }

    /// Whether `text`, plain ASCII, may hold one of the parts.
    pub fn let_through(&self, text: &str) -> bool {
        text.bytes().any(|byte| self.0.get(usize::from(byte)).copied().unwrap_or(true))
    }
}

/// What the parts of a field are made of: its place, the signs, and what else is asked.
type Recipe = (Local, Vec<AtomId>, Vec<AtomId>);

/// Parts that some route looks for. Most rules that hold for every event look for the same on
/// every route.
#[derive(Debug, Default)]
pub(crate) struct Shelf(FxHashMap<Recipe, Arc<Parts>>);

impl Shelf {
    pub(super) fn take(
        &mut self,
        local: Local,
        signs: Vec<AtomId>,
        others: Vec<AtomId>,
    ) -> Arc<Parts> {
        let [signs, others] = [signs, others].map(|mut atoms| {
            atoms.sort_unstable();
            atoms.dedup();
            atoms
        });
        let recipe = (local, signs, others);
        if let Some(parts) = self.0.get(&recipe) {
            return Arc::clone(parts);
        }
        // What no plan holds any more was replaced by something better.
        self.0.retain(|_, parts| Arc::strong_count(parts) > 1);
        let parts = Arc::new(Parts {
            signs: recipe.1.clone(),
            others: recipe.2.clone(),
            ready: OnceLock::new(),
        });
        self.0.insert(recipe, Arc::clone(&parts));
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_in_every_part() {
        for (parts, through, held) in [
            (&["ignore all", "you are"][..], &["a b", " "][..], &["root", "192.0.2.1", ""][..]),
            (&["[inst]", "<system", "a b"], &["x[]", "<", "é"], &["x-y", "ab"]),
        ] {
            let marks = Marks::of(parts.iter().copied()).unwrap();
            let lets = |text: &&&str| !text.is_ascii() || marks.let_through(text);
            assert!(parts.iter().chain(through).all(|text| lets(&text)), "{parts:?}");
            assert!(!held.iter().any(|text| lets(&text)), "{parts:?}");
        }
        assert!(Marks::of(["whoami", "a b"].into_iter()).is_none());
        let many: Vec<String> = "!#$%&()*+".chars().map(String::from).collect();
        assert!(Marks::of(many.iter().map(String::as_str)).is_none());
        assert!(Marks::of(std::iter::empty()).is_none());
    }
}
