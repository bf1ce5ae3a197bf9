//! The rules that apply to events of one set of logsources.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use vigie_event::{Event, FieldId, Logsources};

use super::atom::Atom;
use super::grams::Grams;
use super::program::Op;
use super::witness::{Finder, Seen, Sign};
use super::{Engine, Local, NO_LOCAL, Program, Scratch};
use crate::RuleIndex;
use crate::expr::AtomId;

/// Events between two that are looked at closely, at first and once something is known.
const EVERY: [u64; 2] = [4, 128];
/// Events looked at closely after which the signs are chosen anew: the first times, and then
/// whenever so many more were.
const CHOOSE_AFTER: [u32; 3] = [64, 512, 4_096];

/// The rules for one set of logsources, and what to look at to find them.
#[derive(Debug)]
pub(crate) struct Route {
    logsources: Logsources,
    plan: Plan,
    events: u64,
    seen: Seen,
    /// How many times the signs were chosen by what was seen.
    chosen: usize,
}

/// How the rules of a route are found.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Programs without a witness: they always run.
    pub open: Vec<u32>,
    /// By [`FieldId::index`]: fields that a rule of this route asks about, others are passed by.
    local_of: Vec<Local>,
    /// By local.
    stops: Vec<Stop>,
    /// By atom: the programs whose witness it is.
    postings: FxHashMap<AtomId, Vec<u32>>,
}

/// What is done with a field that is present.
#[derive(Debug, Default)]
pub(super) struct Stop {
    /// The edges of its table are searched, since a rule's witness stands there.
    pub edges: bool,
    /// The parts that are signs of a rule, ready to be found: the field's table holds those of all
    /// routes and all questions.
    pub inside: Option<Box<Grams>>,
    /// Programs that run since it is present.
    pub programs: Vec<u32>,
}

impl Route {
    /// The route of `logsources`. Where the set is empty nothing is known of the event, and all
    /// rules apply.
    pub fn build(engine: &Engine, logsources: Logsources) -> Self {
        let seen = Seen::new(engine.fields.len(), engine.atoms.len());
        let plan = Plan::build(engine, logsources, &seen);
        Self { logsources, plan, events: 0, seen, chosen: 0 }
    }

    /// Appends the rules that `event` matches to `matched`, in no order.
    pub fn matches(
        &mut self,
        engine: &Engine,
        event: &Event,
        scratch: &mut Scratch,
        matched: &mut Vec<RuleIndex>,
    ) {
        scratch.view(engine, event).matches(&self.plan, matched);
        self.events += 1;
        let every = EVERY.get(self.chosen.min(1)).copied().unwrap_or(1);
        if self.events.is_multiple_of(every) {
            self.learn(engine, event, scratch);
        }
    }

    /// Looks at everything that an event has, and now and then chooses the signs anew.
    fn learn(&mut self, engine: &Engine, event: &Event, scratch: &mut Scratch) {
        scratch.view(engine, event).observe(&self.plan, &mut self.seen);
        let last = CHOOSE_AFTER.len() - 1;
        let enough = CHOOSE_AFTER.get(self.chosen.min(last)).copied().unwrap_or(u32::MAX);
        if self.seen.events() >= enough {
            self.plan = Plan::build(engine, self.logsources, &self.seen);
            self.chosen += 1;
            if self.chosen > last {
                self.seen.age();
            }
        }
    }
}

impl Plan {
    fn build(engine: &Engine, logsources: Logsources, seen: &Seen) -> Self {
        let mut plan = Self::default();
        plan.stops.resize_with(engine.fields.len(), Stop::default);
        let mut finder = Finder::new(&engine.clues, seen);
        let mut parts = vec![BTreeSet::new(); engine.fields.len()];
        for (index, program) in engine.programs.iter().enumerate() {
            let wanted = &program.logsource;
            let applies =
                logsources.is_empty() || logsources.iter().any(|logsource| wanted.fits(logsource));
            // A rule that names no logsource is meant for every event.
            if applies || wanted.is_empty() {
                plan.ask_about(engine, program);
                match finder.witness(program.root) {
                    Some(witness) => {
                        for sign in witness.signs() {
                            plan.add(engine, index as u32, *sign, &mut parts);
                        }
                    }
                    None => plan.open.push(index as u32),
                }
            }
        }
        for (stop, parts) in plan.stops.iter_mut().zip(parts) {
            let parts = parts.iter().filter_map(|atom| Some((engine.part(*atom)?, *atom)));
            let mut parts = parts.peekable();
            if parts.peek().is_some() {
                stop.inside = Some(Box::new(Grams::build(parts, &engine.rarity)));
            }
        }
        plan
    }

    fn add(&mut self, engine: &Engine, program: u32, sign: Sign, parts: &mut [BTreeSet<AtomId>]) {
        let atom = match sign {
            Sign::Present(local) => {
                if let Some(stop) = self.stops.get_mut(local as usize) {
                    stop.programs.push(program);
                }
                return;
            }
            Sign::Atom(atom) => atom,
        };
        self.postings.entry(atom).or_default().push(program);
        let Some(local) = engine.atoms.get(atom.index()).map(|atom| atom.local as usize) else {
            return;
        };
        if engine.part(atom).is_none() {
            if let Some(stop) = self.stops.get_mut(local) {
                stop.edges = true;
            }
        } else if let Some(parts) = parts.get_mut(local) {
            parts.insert(atom);
        }
    }

    /// Notes the fields that a program asks about.
    fn ask_about(&mut self, engine: &Engine, program: &Program) {
        for op in engine.ops.get(program.start as usize..).unwrap_or_default() {
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

    /// The programs whose witness an atom is.
    pub(super) fn programs(&self, atom: AtomId) -> &[u32] {
        self.postings.get(&atom).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn stop(&self, local: Local) -> Option<&Stop> {
        self.stops.get(local as usize)
    }
}
