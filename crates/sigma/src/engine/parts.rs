//! Parts that are looked for in one field, ready to be found, and shared by the routes that look
//! for the same.

use std::sync::{Arc, OnceLock};

use daachorse::DoubleArrayAhoCorasick;
use memchr::memmem;
use rustc_hash::FxHashMap;

use super::gate::Gate;
use super::grams::Grams;
use super::{Engine, Local};
use crate::expr::AtomId;
use crate::fold::{fold_into, folds_alone};

/// The most marks that a text is searched for before its parts are.
const MOST_MARKS: usize = 8;
/// Up to this many parts are looked for one by one in folded text, without an automaton.
const FEW: usize = 4;

/// Literals that may stand anywhere in a field. Most fields are in no event of a route, so they
/// are made ready for the first text.
#[derive(Debug)]
pub(super) struct Parts {
    atoms: Vec<AtomId>,
    ready: OnceLock<Ready>,
    gate: OnceLock<Option<Gate>>,
    automaton: OnceLock<Automaton>,
}

/// Parts, ready to be found in text that is read as it stands.
#[derive(Debug)]
struct Ready {
    marks: Option<Marks>,
    grams: Grams,
    /// Whether one of them is no plain ASCII.
    foreign: bool,
}

/// Finds parts in folded text of any script.
enum Automaton {
    Few(Vec<(memmem::Finder<'static>, AtomId)>),
    Many(DoubleArrayAhoCorasick<u32>),
}

impl std::fmt::Debug for Automaton {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Automaton")
    }
}

impl Parts {
    /// Parts of one field; they are ASCII or folded.
    pub fn new(atoms: Vec<AtomId>) -> Self {
        let (ready, gate, automaton) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { atoms, ready, gate, automaton }
    }

    /// Whether `text` may have one of them; quickly told, mostly. `engine` is always the same.
    pub fn may_stand(&self, text: &str, engine: &Engine) -> bool {
        let ready = self.ready(engine);
        if !ready.reads(text) {
            return true;
        }
        let build = || Gate::build(&self.literals(engine), &engine.rarity);
        match self.gate.get_or_init(build) {
            Some(gate) if text.len() >= Gate::SHORTEST_TEXT => gate.lets_through(text),
            _ => ready.lets_through(text) && ready.grams.may_stand(text),
        }
    }

    /// Calls `hit` with those that stand in `text`, some more than once; `folded` is memory.
    pub fn find(
        &self,
        text: &str,
        engine: &Engine,
        folded: &mut String,
        mut hit: impl FnMut(AtomId),
    ) {
        let ready = self.ready(engine);
        if ready.reads(text) && (!ready.lets_through(text) || ready.grams.scan(text, &mut hit)) {
            return;
        }
        folded.clear();
        fold_into(text, folded);
        self.automaton.get_or_init(|| Automaton::build(&self.pairs(engine))).scan(folded, hit);
    }

    fn ready(&self, engine: &Engine) -> &Ready {
        self.ready.get_or_init(|| {
            let parts = self.pairs(engine);
            Ready {
                marks: Marks::of(parts.iter().map(|(part, _)| *part)),
                grams: Grams::build(parts.iter().copied(), &engine.rarity),
                foreign: parts.iter().any(|(part, _)| !part.is_ascii()),
            }
        })
    }

    fn pairs<'e>(&self, engine: &'e Engine) -> Vec<(&'e str, AtomId)> {
        let pair = |atom: &AtomId| Some((engine.part(*atom)?, *atom));
        self.atoms.iter().filter_map(pair).collect()
    }

    fn literals<'e>(&self, engine: &'e Engine) -> Vec<&'e str> {
        self.pairs(engine).into_iter().map(|(part, _)| part).collect()
    }
}

impl Ready {
    /// Whether the parts can be found in `text` without folding it: they are plain ASCII, and of
    /// the text only its ASCII can be alike.
    #[inline]
    fn reads(&self, text: &str) -> bool {
        text.is_ascii() || !self.foreign && folds_alone(text)
    }

    /// Whether `text` has a mark, if there are any.
    fn lets_through(&self, text: &str) -> bool {
        self.marks.as_ref().is_none_or(|marks| marks.let_through(text))
    }
}

impl Automaton {
    fn build(parts: &[(&str, AtomId)]) -> Self {
        if parts.len() > FEW {
            let needles = parts.iter().map(|(needle, atom)| (needle.as_bytes(), atom.0));
            // Only a set too large for 32-bit states cannot be built; it is searched one by one.
            if let Ok(automaton) = DoubleArrayAhoCorasick::with_values(needles) {
                return Self::Many(automaton);
            }
        }
        let finder = |needle: &str| memmem::Finder::new(needle.as_bytes()).into_owned();
        Self::Few(parts.iter().map(|(needle, atom)| (finder(needle), *atom)).collect())
    }

    fn scan(&self, folded: &str, mut hit: impl FnMut(AtomId)) {
        match self {
            Self::Few(parts) => {
                for (finder, atom) in parts {
                    if finder.find(folded.as_bytes()).is_some() {
                        hit(*atom);
                    }
                }
            }
            Self::Many(automaton) => {
                for found in automaton.find_overlapping_iter(folded) {
                    hit(AtomId(found.value()));
                }
            }
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

/// Parts that some route looks for. Most rules that hold for every event look for the same on
/// every route.
#[derive(Debug, Default)]
pub(crate) struct Shelf(FxHashMap<(Local, Vec<AtomId>), Arc<Parts>>);

impl Shelf {
    /// The parts `atoms` of a field; none where there are no atoms.
    pub(super) fn take(&mut self, local: Local, mut atoms: Vec<AtomId>) -> Option<Arc<Parts>> {
        if atoms.is_empty() {
            return None;
        }
        atoms.sort_unstable();
        atoms.dedup();
        let recipe = (local, atoms);
        if let Some(parts) = self.0.get(&recipe) {
            return Some(Arc::clone(parts));
        }
        // What no plan holds any more was replaced by something better.
        self.0.retain(|_, parts| Arc::strong_count(parts) > 1);
        let parts = Arc::new(Parts::new(recipe.1.clone()));
        self.0.insert(recipe, Arc::clone(&parts));
        Some(parts)
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
