//! One event's pass through the engine. All memory is kept from event to event; what belongs
//! to the event at hand carries its generation number, so nothing is ever cleared.

mod classes;
mod notes;
mod texts;

use vigie_event::{Event, ValueRef};

use self::notes::{Notes, Purpose};
use super::alike::Beyond;
use super::atom::{Ask, Atom, anchored, compares, in_network, time_compares};
use super::parts::{Parts, Shelf};
use super::program::Op;
use super::route::{Plan, Stop};
use super::table::{Half, Table};
use super::witness::Seen;
use super::{Engine, Local, NO_LOCAL, RECORD};
use crate::RuleIndex;
use crate::expr::AtomId;
use crate::value::{self, each_text, is_null};

/// Memory for one event at a time.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// Odd bits are answers, so it counts to 2^31.
    generation: u32,
    locals: Vec<LocalState>,
    /// By atom: generation and answer.
    atoms: Vec<u32>,
    /// By memo: generation and answer.
    memos: Vec<u32>,
    /// By program: the generation in which it was queued.
    queued: Vec<u32>,
    queue: Vec<u32>,
    candidates: usize,
    counters: Vec<u32>,
    /// Folded texts of the fields looked at, and their places in it.
    folded: String,
    spans: Vec<(u32, u32)>,
    rendered: String,
    rendered_other: String,
    /// A text that had to be folded to be searched.
    odd: String,
    /// What the event's matches depend on, beside the classes of its fields.
    beyond: Beyond,
    /// The atoms that hold of a field.
    found: Vec<AtomId>,
    pub(super) shelf: Shelf,
}

/// What is known of a field; each number is a generation.
#[derive(Clone, Copy, Debug, Default)]
struct LocalState {
    present: u32,
    folded: u32,
    /// The halves of its table that were searched.
    edges: u32,
    inside: u32,
    /// From, to in the spans.
    spans: (u32, u32),
}

impl Scratch {
    pub fn new(engine: &Engine) -> Self {
        Self {
            generation: 0,
            locals: vec![LocalState::default(); engine.fields.len()],
            atoms: vec![0; engine.atoms.len()],
            memos: vec![0; engine.memos],
            queued: vec![0; engine.programs.len()],
            queue: Vec::with_capacity(engine.programs.len().min(4_096)),
            candidates: 0,
            counters: Vec::new(),
            folded: String::new(),
            spans: Vec::new(),
            rendered: String::new(),
            rendered_other: String::new(),
            odd: String::new(),
            beyond: Beyond::Nothing,
            found: Vec::new(),
            shelf: Shelf::default(),
        }
    }

    /// Programs that the last event ran.
    pub fn candidates(&self) -> usize {
        self.candidates
    }

    /// Programs that an event like the last one ran.
    pub(super) fn recall_candidates(&mut self, candidates: usize) {
        self.candidates = candidates;
    }

    /// What the matches of the last event depend on, beside the classes of its fields.
    pub(super) fn beyond(&self) -> Beyond {
        self.beyond
    }

    /// `event` under `plan`; `regarded` says by local whether the edges of its table tell classes
    /// apart in any case.
    pub(super) fn view<'v>(
        &'v mut self,
        engine: &'v Engine,
        event: &'v Event,
        plan: &'v Plan,
        regarded: &'v [bool],
    ) -> View<'v> {
        self.generation += 1;
        if self.generation == 1 << 31 {
            self.generation = 1;
            self.locals.fill(LocalState::default());
            self.atoms.fill(0);
            self.memos.fill(0);
            self.queued.fill(0);
        }
        self.queue.clear();
        self.counters.clear();
        self.folded.clear();
        self.spans.clear();
        self.beyond = Beyond::Nothing;
        View { engine, event, plan, regarded, scratch: self }
    }

    fn answer(&self, stamp: u32) -> Option<bool> {
        (stamp >> 1 == self.generation).then_some(stamp & 1 == 1)
    }

    fn stamp(&self, answer: bool) -> u32 {
        self.generation << 1 | u32::from(answer)
    }
}

/// An event under the engine.
pub(crate) struct View<'v> {
    engine: &'v Engine,
    event: &'v Event,
    plan: &'v Plan,
    regarded: &'v [bool],
    scratch: &'v mut Scratch,
}

impl View<'_> {
    pub(super) fn matches(&mut self, matched: &mut Vec<RuleIndex>) {
        self.look();
        for program in &self.plan.open {
            self.enqueue(*program);
        }
        let mut next = 0;
        while let Some(program) = self.scratch.queue.get(next).copied() {
            next += 1;
            let Some(program) = self.engine.programs.get(program as usize) else {
                continue;
            };
            if self.run(program.start) {
                matched.push(program.rule);
            }
        }
        self.scratch.candidates = self.scratch.queue.len();
    }

    /// Notes everything that stands in the tables of the fields which the rules ask about.
    pub(super) fn observe(&mut self, seen: &mut Seen) {
        seen.begin();
        let (event, plan) = (self.event, self.plan);
        event.fields().for_each(|(field, value)| {
            let local = plan.local(field);
            if local != NO_LOCAL {
                self.observe_at(local, Some(value), seen);
            }
        });
        let engine = self.engine;
        for (field, local) in &engine.attributes {
            if let Some(value) = value::attribute(event, *field) {
                self.observe_at(*local, Some(value), seen);
            }
        }
        if plan.stop(RECORD).is_some_and(|stop| stop.inside.is_some()) {
            self.observe_at(RECORD, None, seen);
        }
    }

    fn observe_at(&mut self, local: Local, value: Option<ValueRef<'_>>, seen: &mut Seen) {
        let generation = self.scratch.generation;
        let Some(state) = self.scratch.locals.get_mut(local as usize) else {
            return;
        };
        if state.present == generation {
            return;
        }
        state.present = generation;
        seen.present(local);
        for half in [Half::Edges, Half::Inside] {
            self.scan(local, value, half, Purpose::Observe(seen));
        }
    }

    /// Notes which fields are present and queues the rules that their values are signs of.
    fn look(&mut self) {
        let (event, plan) = (self.event, self.plan);
        // `for_each`, since a loop moves each value once more, and the processor stalls on that:
        // it was half of the matcher's time.
        event.fields().for_each(|(field, value)| {
            let local = plan.local(field);
            if local != NO_LOCAL {
                self.look_at(local, Some(value));
            }
        });
        let engine = self.engine;
        for (field, local) in &engine.attributes {
            let state = self.scratch.locals.get(*local as usize);
            if state.is_none_or(|state| state.present != self.scratch.generation)
                && let Some(value) = value::attribute(event, *field)
            {
                self.look_at(*local, Some(value));
            }
        }
        self.look_at(RECORD, None);
    }

    /// Notes a field that is present; `value` spares the search for it.
    fn look_at(&mut self, local: Local, value: Option<ValueRef<'_>>) {
        let (generation, plan) = (self.scratch.generation, self.plan);
        let Some(state) = self.scratch.locals.get_mut(local as usize) else {
            return;
        };
        // The first slot of a field is its value.
        if state.present == generation {
            return;
        }
        state.present = generation;
        let Some(Stop { edges, inside, programs }) = plan.stop(local) else {
            return;
        };
        for program in programs {
            self.enqueue(*program);
        }
        if !*edges && inside.is_none() {
            return;
        }
        if *edges {
            self.scan(local, value, Half::Edges, Purpose::Find(plan));
        }
        if let Some(parts) = inside {
            self.scan_parts(local, value, parts, Purpose::Find(plan));
        }
    }

    fn enqueue(&mut self, program: u32) {
        let generation = self.scratch.generation;
        if let Some(queued) = self.scratch.queued.get_mut(program as usize)
            && *queued != generation
        {
            *queued = generation;
            self.scratch.queue.push(program);
        }
    }

    fn run(&mut self, start: u32) -> bool {
        let ops = self.engine.ops.as_slice();
        let mut at = start as usize;
        let mut truth = false;
        while let Some(op) = ops.get(at) {
            at += 1;
            match *op {
                Op::Atom(atom) => truth = self.ask(atom),
                Op::Not => truth = !truth,
                Op::IfTrue(target) if truth => at = target as usize,
                Op::IfFalse(target) if !truth => at = target as usize,
                Op::IfTrue(_) | Op::IfFalse(_) => {}
                Op::Begin(count) => self.scratch.counters.push(count),
                Op::Tally(target) => {
                    if truth && let Some(count) = self.scratch.counters.last_mut() {
                        *count = count.saturating_sub(1);
                        if *count == 0 {
                            self.scratch.counters.pop();
                            at = target as usize;
                        }
                    }
                }
                Op::Fail => {
                    self.scratch.counters.pop();
                    truth = false;
                }
                Op::Recall(memo, target) => {
                    let stamp = self.scratch.memos.get(memo as usize).copied().unwrap_or(0);
                    if let Some(answer) = self.scratch.answer(stamp) {
                        truth = answer;
                        at = target as usize;
                    }
                }
                Op::Store(memo) => {
                    let stamp = self.scratch.stamp(truth);
                    if let Some(kept) = self.scratch.memos.get_mut(memo as usize) {
                        *kept = stamp;
                    }
                }
                Op::Done => return truth,
            }
        }
        truth
    }

    fn ask(&mut self, id: AtomId) -> bool {
        let stamp = self.scratch.atoms.get(id.index()).copied().unwrap_or(0);
        if let Some(answer) = self.scratch.answer(stamp) {
            return answer;
        }
        let Some(atom) = self.engine.atoms.get(id.index()) else {
            return false;
        };
        let Some(state) = self.scratch.locals.get(atom.local as usize).copied() else {
            return false;
        };
        if state.present != self.scratch.generation {
            return matches!(atom.ask, Ask::Null);
        }
        self.depend(id, atom);
        let answer = match &atom.ask {
            Ask::Edge => return self.search(id, atom.local, Half::Edges),
            Ask::Inside(_) => return self.search(id, atom.local, Half::Inside),
            Ask::Whole(needle) => {
                let large =
                    self.engine.tables.get(atom.local as usize).is_some_and(Table::is_large);
                if large || state.edges == self.scratch.generation {
                    return self.search(id, atom.local, Half::Edges);
                }
                self.equals(atom.local, needle)
            }
            _ if self.lacks(atom) => false,
            ask => self.evaluate(ask, atom.local),
        };
        let stamp = self.scratch.stamp(answer);
        if let Some(kept) = self.scratch.atoms.get_mut(id.index()) {
            *kept = stamp;
        }
        answer
    }

    /// Whether an atom holds by that half of its field's table, which is searched once an event.
    fn search(&mut self, id: AtomId, local: Local, half: Half) -> bool {
        let searched = self.scratch.locals.get(local as usize).is_some_and(|state| {
            let searched = match half {
                Half::Edges => state.edges,
                Half::Inside => state.inside,
            };
            searched == self.scratch.generation
        });
        if searched {
            return false;
        }
        self.scan(local, None, half, Purpose::Ask);
        let stamp = self.scratch.atoms.get(id.index()).copied().unwrap_or(0);
        self.scratch.answer(stamp).unwrap_or(false)
    }

    /// Whether the text has not the literal which an atom requires.
    fn lacks(&mut self, atom: &Atom) -> bool {
        atom.required.is_some_and(|required| !self.ask(required))
    }

    fn evaluate(&mut self, ask: &Ask, local: Local) -> bool {
        match ask {
            Ask::Present => true,
            Ask::Null => self.value(local).is_none_or(is_null),
            Ask::AnyValue => self.value(local).is_some_and(|value| !is_null(value)),
            Ask::FoldedGlob(glob) => {
                self.fold(local);
                self.folded(local).any(|text| glob.matches(text))
            }
            Ask::Cased(anchor, needle) => {
                self.any_text(local, |text| anchored(*anchor, text, needle))
            }
            Ask::CasedGlob(glob) => self.any_text(local, |text| glob.matches(text)),
            Ask::Regex(regex) => self.any_text(local, |text| regex.is_match(text)),
            Ask::Cidr(network) => self.any_value(local, |value| in_network(network, value)),
            Ask::Compare(comparison, number) => {
                self.any_value(local, |value| compares(*comparison, *number, value))
            }
            Ask::Time(part, comparison, number) => {
                self.any_value(local, |value| time_compares(*part, *comparison, *number, value))
            }
            Ask::FieldRef { other, anchor, cased: false } => {
                self.fold(local);
                self.fold(*other);
                let mut texts = self.folded(local);
                texts.any(|text| self.folded(*other).any(|other| anchored(*anchor, text, other)))
            }
            Ask::FieldRef { other, anchor, cased: true } => self.refers(local, *other, *anchor),
            Ask::Edge | Ask::Inside(_) | Ask::Whole(_) | Ask::Never => false,
        }
    }

    /// Whether the field is this folded ASCII text: without folding it where it is ASCII too.
    fn equals(&mut self, local: Local, needle: &str) -> bool {
        if let Some(ValueRef::Text(text)) = self.value(local)
            && text.is_ascii()
        {
            return text.eq_ignore_ascii_case(needle);
        }
        self.fold(local);
        self.folded(local).any(|text| text == needle)
    }

    /// Stamps the atoms of that half of a field's table that hold; with a route, queues the rules
    /// that they are signs of. `value` spares the search for it.
    fn scan(
        &mut self,
        local: Local,
        value: Option<ValueRef<'_>>,
        half: Half,
        purpose: Purpose<'_>,
    ) {
        let generation = self.scratch.generation;
        let (Some(table), Some(state)) =
            (self.engine.tables.get(local as usize), self.scratch.locals.get_mut(local as usize))
        else {
            return;
        };
        match half {
            Half::Edges => state.edges = generation,
            Half::Inside => state.inside = generation,
        }
        self.search_texts(local, value, purpose, |text, folded, notes| {
            table.scan(half, text, folded, |atom| notes.note(atom));
        });
    }

    /// Stamps the `parts` of a field that it has, and queues the rules that they are signs of.
    fn scan_parts(
        &mut self,
        local: Local,
        value: Option<ValueRef<'_>>,
        parts: &Parts,
        purpose: Purpose<'_>,
    ) {
        let (Some(table), Some(state)) =
            (self.engine.tables.get(local as usize), self.scratch.locals.get_mut(local as usize))
        else {
            return;
        };
        let parts = parts.ready(self.engine);
        state.inside = if parts.complete { self.scratch.generation } else { 0 };
        let mut whole = true;
        self.search_texts(local, value, purpose, |text, folded, notes| {
            let ascii = text.is_ascii();
            if ascii && parts.marks.as_ref().is_some_and(|marks| !marks.let_through(text)) {
                return;
            }
            if ascii
                && let Some(gate) = &parts.gate
                && !gate.lets_through(text, folded)
            {
                whole = false;
                return;
            }
            if !ascii || !parts.grams.scan(text, |atom| notes.note(atom)) {
                table.scan(Half::Inside, text, folded, |atom| notes.note(atom));
            }
        });
        // Of a text that was held back it is only known that it has no sign.
        if !whole && let Some(state) = self.scratch.locals.get_mut(local as usize) {
            state.inside = 0;
        }
    }

    /// Calls `search` with each text of a field, memory to fold it, and where to note what is
    /// found.
    fn search_texts(
        &mut self,
        local: Local,
        value: Option<ValueRef<'_>>,
        purpose: Purpose<'_>,
        mut search: impl FnMut(&str, &mut String, &mut Notes<'_>),
    ) {
        let stamp = self.scratch.stamp(true);
        let (engine, event) = (self.engine, self.event);
        let Scratch { generation, atoms, queued, queue, rendered, odd, .. } = &mut *self.scratch;
        let generation = *generation;
        let mut notes = Notes { purpose, generation, stamp, atoms, queued, queue };
        match value {
            Some(ValueRef::Text(text)) => search(text, odd, &mut notes),
            Some(value) => each_text(value, rendered, |text| search(text, odd, &mut notes)),
            None => {
                texts::each(engine, event, local, rendered, |text| search(text, odd, &mut notes));
            }
        }
    }
}
