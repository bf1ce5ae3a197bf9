//! The rules that apply to events of one set of logsources.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use vigie_event::{Event, FieldId, Logsources};

use super::alike::{Alike, Remembrance};
use super::parts::{Parts, Shelf};
use super::program::Op;
use super::shapes::Shapes;
use super::witness::{Finder, Seen, Sign};
use super::{Engine, Local, NO_LOCAL, Program, RECORD, Scratch};
use crate::RuleIndex;
use crate::expr::AtomId;

/// Events looked at closely after which the signs are chosen anew, and events between two of them:
/// at first soon, since a bad guess can be dear, and in the end whenever so many more were.
const STAGES: [(u32, u64); 4] = [(16, 1), (64, 4), (512, 128), (4_096, 128)];

/// The rules for one set of logsources, and what to look at to find them.
#[derive(Debug)]
pub(crate) struct Route {
    logsources: Logsources,
    plan: Plan,
    events: u64,
    seen: Seen,
    alike: Alike,
    shapes: Shapes,
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
    postings: FxHashMap<AtomId, SmallVec<[u32; 2]>>,
}

/// What is done with a field that is present.
#[derive(Debug, Default)]
pub(super) struct Stop {
    /// The edges of its table are searched, since a rule's witness stands there.
    pub edges: bool,
    /// The parts that are signs of a rule, ready to be found: the field's table holds those of all
    /// routes and all questions.
    pub inside: Option<Arc<Parts>>,
    /// Programs that run since it is present.
    pub programs: Vec<u32>,
}

impl Stop {
    /// Whether its texts are searched.
    pub(super) fn is_searched(&self) -> bool {
        self.edges || self.inside.is_some()
    }
}

impl Route {
    /// The route of `logsources`. Where the set is empty nothing is known of the event, and all
    /// rules apply.
    pub fn build(engine: &Engine, logsources: Logsources, scratch: &mut Scratch) -> Self {
        let seen = Seen::new(engine.fields.len(), engine.atoms.len());
        let plan = Plan::build(engine, logsources, &seen, &mut scratch.shelf);
        let mut alike = Alike::new(engine.fields.len());
        alike.ask(engine, &plan);
        let mut shapes = Shapes::default();
        shapes.ask(engine, &plan);
        Self { logsources, plan, events: 0, seen, alike, shapes, chosen: 0 }
    }

    /// Appends the rules that `event` matches to `matched`, in no order.
    pub fn matches(
        &mut self,
        engine: &Engine,
        event: &Event,
        scratch: &mut Scratch,
        matched: &mut Vec<RuleIndex>,
    ) {
        self.find(engine, event, scratch, matched);
        self.events += 1;
        let (enough, every) = self.stage();
        if self.events.is_multiple_of(every) {
            self.learn(engine, event, scratch, enough);
        }
    }

    /// How many events are looked at closely before the signs are chosen, and how far apart.
    fn stage(&self) -> (u32, u64) {
        let [.., last] = STAGES;
        STAGES.get(self.chosen).copied().unwrap_or(last)
    }

    fn find(
        &mut self,
        engine: &Engine,
        event: &Event,
        scratch: &mut Scratch,
        matched: &mut Vec<RuleIndex>,
    ) {
        let Self { plan, alike, shapes, .. } = self;
        if !alike.is_awake() {
            scratch.view(engine, event, plan, alike.edges()).matches(matched);
            return;
        }
        if let Some((rules, candidates)) = shapes.outcome(event, alike) {
            matched.extend_from_slice(rules);
            scratch.recall_candidates(candidates);
            alike.was_found();
            return;
        }
        let before = matched.len();
        scratch.view(engine, event, plan, &[]).classify(alike);
        let remembrance = if let Some(known) = alike.outcome() {
            matched.extend_from_slice(&known.rules);
            scratch.recall_candidates(known.candidates);
            Remembrance::Kept
        } else {
            scratch.view(engine, event, plan, alike.edges()).matches(matched);
            let found = matched.get(before..).unwrap_or_default();
            alike.remember(scratch.beyond(), found, scratch.candidates())
        };
        match remembrance {
            Remembrance::None => {}
            Remembrance::Kept => {
                let found = matched.get(before..).unwrap_or_default();
                shapes.remember(event, alike, found, scratch.candidates());
            }
            Remembrance::AskMore => {
                alike.ask(engine, plan);
                shapes.ask(engine, plan);
            }
        }
    }

    /// How many times the signs were chosen by what was seen.
    pub fn chosen(&self) -> usize {
        self.chosen
    }

    /// Looks at everything that an event has, and now and then chooses the signs anew.
    fn learn(&mut self, engine: &Engine, event: &Event, scratch: &mut Scratch, enough: u32) {
        scratch.view(engine, event, &self.plan, &[]).observe(&mut self.seen);
        if self.seen.events() >= enough {
            self.plan = Plan::build(engine, self.logsources, &self.seen, &mut scratch.shelf);
            self.alike.forget();
            self.alike.ask(engine, &self.plan);
            self.shapes.ask(engine, &self.plan);
            self.chosen += 1;
            if self.chosen >= STAGES.len() {
                self.seen.age();
            }
        }
    }
}

impl Plan {
    fn build(engine: &Engine, logsources: Logsources, seen: &Seen, shelf: &mut Shelf) -> Self {
        let mut plan = Self::default();
        plan.stops.resize_with(engine.fields.len(), Stop::default);
        let mut finder = Finder::new(&engine.clues, seen);
        let mut parts = vec![Vec::new(); engine.fields.len()];
        let mut in_record = Vec::new();
        for (index, program) in engine.programs.iter().enumerate() {
            let wanted = &program.logsource;
            let applies =
                logsources.is_empty() || logsources.iter().any(|logsource| wanted.fits(logsource));
            // A rule that names no logsource is meant for every event.
            if applies || wanted.is_empty() {
                plan.ask_about(engine, program, &mut in_record);
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
        for (local, (stop, parts)) in plan.stops.iter_mut().zip(parts).enumerate() {
            if parts.is_empty() {
                continue;
            }
            // To search the record a second time would cost the most.
            let others =
                if local == RECORD as usize { std::mem::take(&mut in_record) } else { Vec::new() };
            stop.inside = Some(shelf.take(local as Local, parts, others));
        }
        plan
    }

    fn add(&mut self, engine: &Engine, program: u32, sign: Sign, parts: &mut [Vec<AtomId>]) {
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
            parts.push(atom);
        }
    }

    /// Notes the fields that a program asks about, and the parts that it looks for in the record.
    fn ask_about(&mut self, engine: &Engine, program: &Program, in_record: &mut Vec<AtomId>) {
        for op in engine.ops.get(program.start as usize..).unwrap_or_default() {
            let id = match op {
                Op::Done => break,
                Op::Atom(id) => *id,
                _ => continue,
            };
            let Some(atom) = engine.atoms.get(id.index()) else { continue };
            if atom.local == RECORD {
                let asked = [Some(id), atom.required].into_iter().flatten();
                in_record.extend(asked.filter(|atom| engine.part(*atom).is_some()));
            }
            for local in atom.locals() {
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
        self.postings.get(&atom).map(SmallVec::as_slice).unwrap_or_default()
    }

    pub(super) fn stop(&self, local: Local) -> Option<&Stop> {
        self.stops.get(local as usize)
    }
}
