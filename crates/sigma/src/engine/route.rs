//! The rules that apply to events of one set of logsources.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use vigie_event::{FieldId, Logsources};

use super::atom::{Ask, Atom};
use super::program::Op;
use super::witness::Sign;
use super::{Engine, Local, NO_LOCAL};

/// So many literals are found by vector instructions, several bytes a cycle.
const MOST_GATED: usize = 64;

/// The rules for one set of logsources, and what to look at to find them.
#[derive(Debug, Default)]
pub(crate) struct Route {
    /// A bit for each program that applies.
    programs: Vec<u64>,
    /// Programs without a witness: they always run.
    pub(super) open: Vec<u32>,
    /// By [`FieldId::index`]: fields that a rule of this route asks about, others are passed by.
    local_of: Vec<Local>,
    /// By local.
    stops: Vec<Stop>,
}

/// What is done with a field that is present.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop {
    /// The edges of its table are searched, since a rule's witness stands there.
    pub edges: bool,
    /// So is the inside, for texts that get through.
    pub inside: Option<Gate>,
    /// Programs that run since it is present.
    pub programs: Vec<u32>,
}

/// Lets through the texts that hold one of the few literals which are signs of a rule of the
/// route. The field's table holds those of all routes: to search it costs several times as much.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate {
    needles: BTreeSet<Box<str>>,
    few: Option<AhoCorasick>,
}

impl Gate {
    fn add(&mut self, needle: &str) {
        if self.needles.len() <= MOST_GATED {
            self.needles.insert(needle.into());
        }
    }

    fn close(&mut self) {
        let needles = std::mem::take(&mut self.needles);
        if needles.len() <= MOST_GATED {
            let builder = AhoCorasickBuilder::new().match_kind(MatchKind::LeftmostFirst).clone();
            self.few = builder.build(needles.iter().map(|needle| needle.as_bytes())).ok();
        }
    }

    /// Whether the folded `text` may hold one of them.
    pub fn lets_through(&self, text: &str) -> bool {
        self.few.as_ref().is_none_or(|few| few.is_match(text))
    }
}

impl Route {
    /// The route of `logsources`. Where the set is empty nothing is known of the event, and all
    /// rules apply.
    pub fn build(engine: &Engine, logsources: Logsources) -> Self {
        let mut route = Self {
            programs: vec![0; engine.programs.len().div_ceil(64)],
            open: Vec::new(),
            local_of: Vec::new(),
            stops: vec![Stop::default(); engine.fields.len()],
        };
        for (index, program) in engine.programs.iter().enumerate() {
            let wanted = &program.logsource;
            let applies =
                logsources.is_empty() || logsources.iter().any(|logsource| wanted.fits(logsource));
            // A rule that names no logsource is meant for every event.
            if applies || wanted.is_empty() {
                route.add(engine, index as u32);
            }
        }
        for gate in route.stops.iter_mut().filter_map(|stop| stop.inside.as_mut()) {
            gate.close();
        }
        route
    }

    fn add(&mut self, engine: &Engine, program: u32) {
        if let Some(bits) = self.programs.get_mut(program as usize / 64) {
            *bits |= 1 << (program % 64);
        }
        self.ask_about(engine, program);
        let witness =
            engine.programs.get(program as usize).and_then(|program| program.witness.as_ref());
        let Some(witness) = witness else {
            self.open.push(program);
            return;
        };
        for sign in witness.signs() {
            let local = match sign {
                Sign::Atom(atom) => engine.atoms.get(atom.index()).map(|atom| atom.local),
                Sign::Present(local) => Some(*local),
            };
            let stop = local.and_then(|local| self.stops.get_mut(local as usize));
            let Some(stop) = stop else {
                continue;
            };
            match sign {
                Sign::Atom(atom) => match engine.atoms.get(atom.index()).map(|atom| &atom.ask) {
                    Some(Ask::Inside(needle)) => {
                        stop.inside.get_or_insert_default().add(needle);
                    }
                    _ => stop.edges = true,
                },
                Sign::Present(_) => stop.programs.push(program),
            }
        }
    }

    /// Notes the fields that a program asks about.
    fn ask_about(&mut self, engine: &Engine, program: u32) {
        let start = engine.programs.get(program as usize).map_or(0, |program| program.start);
        for op in engine.ops.get(start as usize..).unwrap_or_default() {
            let atom = match op {
                Op::Done => break,
                Op::Atom(atom) => engine.atoms.get(atom.index()),
                _ => None,
            };
            for local in atom.into_iter().flat_map(Atom::locals) {
                let Some(field) = engine.fields.get(local as usize).copied().flatten() else {
                    continue;
                };
                if self.local_of.len() <= field.index() {
                    self.local_of.resize(field.index() + 1, NO_LOCAL);
                }
                if let Some(kept) = self.local_of.get_mut(field.index()) {
                    *kept = local;
                }
            }
        }
    }

    /// The local of a field that the route's rules ask about, else [`NO_LOCAL`].
    pub(super) fn local(&self, field: FieldId) -> Local {
        self.local_of.get(field.index()).copied().unwrap_or(NO_LOCAL)
    }

    pub(super) fn has(&self, program: u32) -> bool {
        let bits = self.programs.get(program as usize / 64).copied().unwrap_or(0);
        bits >> (program % 64) & 1 == 1
    }

    pub(super) fn stop(&self, local: Local) -> Option<&Stop> {
        self.stops.get(local as usize)
    }
}
