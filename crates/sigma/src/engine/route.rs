//! The rules that apply to events of one set of logsources.

use std::sync::Arc;

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
    plan: Plan,
    events: u64,
    seen: Seen,
    alike: Alike,
    shapes: Shapes,
    /// Fields whose edges conditions asked for.
    regarded: Vec<Local>,
    /// How many times the signs were chosen by what was seen.
    chosen: usize,
}

/// How the rules of a route are found.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The route's programs.
    applying: Vec<u32>,
    /// Those without a witness: they always run.
    pub open: Vec<u32>,
    /// By [`FieldId::index`]: fields that a rule of this route asks about, others are passed by.
    local_of: Vec<Local>,
    /// By local.
    stops: Vec<Stop>,
    /// Whether a rule asks the record for more than parts.
    reads_record: bool,
    postings: Postings,
}

/// By atom, the programs whose witness it is.
#[derive(Debug, Default)]
struct Postings {
    /// By [`AtomId::index`]: where its programs begin, up to those of the next.
    starts: Vec<u32>,
    programs: Vec<u32>,
}

impl Postings {
    /// Those of `atoms` atoms, from atoms with a program each.
    fn new(atoms: usize, pairs: &[(AtomId, u32)]) -> Self {
        let mut starts = vec![0; atoms + 1];
        for (atom, _) in pairs {
            if let Some(count) = starts.get_mut(atom.index()) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        // Each start is where the next atom begins until its programs were put before that.
        let mut programs = vec![0; pairs.len()];
        for (atom, program) in pairs.iter().rev() {
            if let Some(start) = starts.get_mut(atom.index()) {
                *start -= 1;
                if let Some(place) = programs.get_mut(*start as usize) {
                    *place = *program;
                }
            }
        }
        Self { starts, programs }
    }

    fn of(&self, atom: AtomId) -> &[u32] {
        let starts = self.starts.get(atom.index()..).unwrap_or_default();
        let [from, to, ..] = *starts else { return &[] };
        self.programs.get(from as usize..to as usize).unwrap_or_default()
    }
}

/// What is done with a field that is present.
#[derive(Debug, Default)]
pub(super) struct Stop {
    /// The edges of its table are searched, since a rule's sign stands there, or since conditions
    /// asked for them.
    pub edges: bool,
    /// The parts that are signs of a rule.
    pub signs: Option<Arc<Parts>>,
    /// All parts that a rule of this route asks for.
    pub asked: Option<Arc<Parts>>,
    /// Programs that run since it is present.
    pub programs: Vec<u32>,
}

impl Stop {
    /// Whether its texts are searched.
    pub(super) fn is_searched(&self) -> bool {
        self.edges || self.signs.is_some()
    }

    /// Whether no parts are asked for but signs.
    pub(super) fn has_only_signs(&self) -> bool {
        self.signs
            .as_ref()
            .zip(self.asked.as_ref())
            .is_some_and(|(signs, asked)| Arc::ptr_eq(signs, asked))
    }
}

impl Route {
    /// The route of `logsources`. Where the set is empty nothing is known of the event, and all
    /// rules apply.
    pub fn build(engine: &Engine, logsources: Logsources, scratch: &mut Scratch) -> Self {
        let mut route = Self {
            plan: Plan::build(engine, logsources, &mut scratch.shelf),
            events: 0,
            seen: Seen::new(engine.fields.len(), engine.atoms.len()),
            alike: Alike::new(engine.fields.len()),
            shapes: Shapes::default(),
            regarded: Vec::new(),
            chosen: 0,
        };
        route.choose(engine, &mut scratch.shelf);
        route
    }

    /// Puts the rules that `event` matches into `matched`, which is empty, in no order.
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
        let Self { plan, alike, shapes, regarded, .. } = self;
        if let Some((rules, candidates)) = shapes.worded(engine, event) {
            matched.extend_from_slice(rules);
            scratch.recall_candidates(candidates);
            return;
        }
        if let Some((rules, candidates)) = shapes.outcome(engine, event, alike) {
            matched.extend_from_slice(rules);
            scratch.recall_candidates(candidates);
            return;
        }
        if alike.is_full() {
            alike.forget();
            shapes.forget();
        }
        let mut view = scratch.view(engine, event, plan);
        view.classify(alike);
        if let Some(known) = alike.outcome(engine, event) {
            matched.extend_from_slice(&known.rules);
            scratch.recall_candidates(known.candidates);
            shapes.remember(engine, event, alike, matched, known.candidates, Some(&known.answers));
            return;
        }
        view.matches(alike, matched);
        let (answers, candidates) = (scratch.answers(), scratch.candidates());
        let remembrance = alike.remember(scratch.beyond(), answers, matched, candidates);
        let answers = matches!(remembrance, Remembrance::Kept).then_some(answers);
        shapes.remember(engine, event, alike, matched, candidates, answers);
        match remembrance {
            Remembrance::None | Remembrance::Kept => {}
            Remembrance::AskMore(local) => {
                regarded.push(local);
                plan.regard(regarded);
                // Classes are finer from now on.
                self.begin_anew(engine);
            }
        }
    }

    /// Forgets what was remembered under another plan.
    fn begin_anew(&mut self, engine: &Engine) {
        self.alike.forget();
        self.alike.ask(engine, &self.plan);
        self.shapes.ask(engine, &self.plan);
    }

    /// How many times the signs were chosen by what was seen.
    pub fn chosen(&self) -> usize {
        self.chosen
    }

    /// Looks at everything that an event has, and now and then chooses the signs anew.
    fn learn(&mut self, engine: &Engine, event: &Event, scratch: &mut Scratch, enough: u32) {
        scratch.view(engine, event, &self.plan).observe(&mut self.seen);
        if self.seen.events() >= enough {
            self.choose(engine, &mut scratch.shelf);
            self.chosen += 1;
            if self.chosen >= STAGES.len() {
                self.seen.age();
            }
        }
    }

    /// Chooses the signs by what was seen.
    fn choose(&mut self, engine: &Engine, parts: &mut Shelf) {
        self.plan.choose(engine, &self.seen, parts);
        self.plan.regard(&self.regarded);
        self.begin_anew(engine);
    }
}

impl Plan {
    /// What the rules for `logsources` ask; no signs are chosen yet.
    fn build(engine: &Engine, logsources: Logsources, shelf: &mut Shelf) -> Self {
        let mut plan = Self::default();
        plan.stops.resize_with(engine.fields.len(), Stop::default);
        let mut asked = vec![Vec::new(); engine.fields.len()];
        for (index, program) in engine.programs.iter().enumerate() {
            let wanted = &program.logsource;
            let applies =
                logsources.is_empty() || logsources.iter().any(|logsource| wanted.fits(logsource));
            // A rule that names no logsource is meant for every event.
            if applies || wanted.is_empty() {
                plan.ask_about(engine, program, &mut asked);
                plan.applying.push(index as u32);
            }
        }
        for (local, (stop, asked)) in plan.stops.iter_mut().zip(asked).enumerate() {
            stop.asked = shelf.take(local as Local, asked);
        }
        plan
    }

    /// Chooses the signs by which the rules are found, by what events had.
    fn choose(&mut self, engine: &Engine, events: &Seen, parts: &mut Shelf) {
        self.open.clear();
        for stop in &mut self.stops {
            stop.edges = false;
            stop.programs.clear();
        }
        let mut finder = Finder::new(&engine.clues, events);
        let mut signs = vec![Vec::new(); self.stops.len()];
        let mut pairs = Vec::new();
        let applying = std::mem::take(&mut self.applying);
        for index in &applying {
            let Some(program) = engine.programs.get(*index as usize) else { continue };
            match finder.witness(program.root) {
                Some(witness) => {
                    for sign in witness.signs() {
                        self.add(engine, *index, *sign, &mut signs, &mut pairs);
                    }
                }
                None => self.open.push(*index),
            }
        }
        self.applying = applying;
        self.postings = Postings::new(engine.atoms.len(), &pairs);
        for (local, (stop, signs)) in self.stops.iter_mut().zip(signs).enumerate() {
            stop.signs = parts.take(local as Local, signs);
        }
    }

    /// Lets the edges of these fields' tables tell classes apart.
    fn regard(&mut self, locals: &[Local]) {
        for local in locals {
            if let Some(stop) = self.stops.get_mut(*local as usize) {
                stop.edges = true;
            }
        }
    }

    fn add(
        &mut self,
        engine: &Engine,
        program: u32,
        sign: Sign,
        signs: &mut [Vec<AtomId>],
        pairs: &mut Vec<(AtomId, u32)>,
    ) {
        let atom = match sign {
            Sign::Present(local) => {
                if let Some(stop) = self.stops.get_mut(local as usize) {
                    stop.programs.push(program);
                }
                return;
            }
            Sign::Atom(atom) => atom,
        };
        pairs.push((atom, program));
        let Some(local) = engine.atoms.get(atom.index()).map(|atom| atom.local as usize) else {
            return;
        };
        if engine.part(atom).is_none() {
            if let Some(stop) = self.stops.get_mut(local) {
                stop.edges = true;
            }
        } else if let Some(signs) = signs.get_mut(local) {
            signs.push(atom);
        }
    }

    /// Notes the fields that a program asks about, and the parts that it looks for in them.
    fn ask_about(&mut self, engine: &Engine, program: &Program, asked: &mut [Vec<AtomId>]) {
        for op in engine.ops.get(program.start as usize..).unwrap_or_default() {
            let id = match op {
                Op::Done => break,
                Op::Atom(id) => *id,
                _ => continue,
            };
            let Some(atom) = engine.atoms.get(id.index()) else { continue };
            self.reads_record |= atom.local == RECORD && engine.part(id).is_none();
            if let Some(asked) = asked.get_mut(atom.local as usize) {
                let atoms = std::iter::once(id).chain(atom.required.iter().copied());
                asked.extend(atoms.filter(|atom| engine.part(*atom).is_some()));
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

    /// Whether rules ask for nothing in the record but signs, which are looked for in each.
    pub(super) fn record_has_only_signs(&self) -> bool {
        let stop = self.stop(RECORD);
        !self.reads_record && stop.is_none_or(|stop| stop.asked.is_none() || stop.has_only_signs())
    }

    /// The programs whose witness an atom is, some perhaps twice.
    pub(super) fn programs(&self, atom: AtomId) -> &[u32] {
        self.postings.of(atom)
    }

    /// Whether an atom is the witness of a program.
    pub(super) fn is_sign(&self, atom: AtomId) -> bool {
        !self.programs(atom).is_empty()
    }

    pub(super) fn stop(&self, local: Local) -> Option<&Stop> {
        self.stops.get(local as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_their_atoms() {
        let pairs = [(2, 7), (0, 3), (2, 1), (5, 9), (2, 7)].map(|(atom, n)| (AtomId(atom), n));
        let postings = Postings::new(6, &pairs);
        let found: Vec<&[u32]> = (0..8).map(|atom| postings.of(AtomId(atom))).collect();
        assert_eq!(found, [&[3][..], &[], &[7, 1, 7], &[], &[], &[9], &[], &[]]);
        assert!(Postings::default().of(AtomId(0)).is_empty());
        assert!(Postings::new(1, &[]).of(AtomId(0)).is_empty());
    }
}
