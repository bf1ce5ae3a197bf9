//! One event's pass through the engine. All memory is kept from event to event; what belongs
//! to the event at hand carries its generation number, so nothing is ever cleared.

mod classes;
mod finds;
mod texts;
mod told;

use vigie_event::{Event, ValueRef};

pub(super) use self::classes::is_silent;
use self::finds::Finds;
pub(super) use self::texts::holds;
use self::told::Told;
use super::alike::{Alike, Answers, Beyond, Number};
use super::atom::{Ask, Atom, anchored};
use super::parts::Shelf;
use super::program::Op;
use super::route::Plan;
use super::table::Table;
use super::witness::Seen;
use super::{Engine, Local, NO_LOCAL, RECORD};
use crate::RuleIndex;
use crate::expr::AtomId;
use crate::value::{self, is_null};

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
    /// What the event's matches depend on, beside the classes of its fields and these answers.
    beyond: Beyond,
    answers: Answers,
    finds: Finds,
    told: Told,
    pub(super) shelf: Shelf,
}

/// What is known of a field; each number is a generation.
#[derive(Clone, Copy, Debug, Default)]
struct LocalState {
    present: u32,
    folded: u32,
    /// All edges that its table has are known, or all parts that rules ask for.
    edges: u32,
    inside: u32,
    /// From, to in the spans.
    spans: (u32, u32),
    /// That of its value, where answers about it may be known.
    number: Number,
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
            answers: Answers::new(),
            finds: Finds::new(engine.atoms.len()),
            told: Told::default(),
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

    /// What the matches of the last event depend on, beside the classes of its fields and its
    /// answers.
    pub(super) fn beyond(&self) -> Beyond {
        self.beyond
    }

    /// What rules asked the last event that is soon answered, in that order.
    pub(super) fn answers(&self) -> &Answers {
        &self.answers
    }

    /// `event` under `plan`.
    pub(super) fn view<'v>(
        &'v mut self,
        engine: &'v Engine,
        event: &'v Event,
        plan: &'v Plan,
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
        self.answers.clear();
        View { engine, event, plan, scratch: self }
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
    scratch: &'v mut Scratch,
}

impl View<'_> {
    /// Appends the rules that the event matches, after [`View::classify`] with `alike`.
    pub(super) fn matches(&mut self, alike: &Alike, matched: &mut Vec<RuleIndex>) {
        for (local, class) in alike.parts() {
            self.note(local, alike.atoms(class), alike.is_whole(class));
        }
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
        if plan.stop(RECORD).is_some_and(|stop| stop.signs.is_some()) {
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
        self.scratch.finds.begin();
        self.find_edges(local, value);
        if let Some(asked) = self.plan.stop(local).and_then(|stop| stop.asked.as_deref()) {
            self.find_asked(local, value, asked);
        }
        for atom in &self.scratch.finds.atoms {
            seen.atom(*atom);
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
        let generation = self.scratch.generation;
        let answer = match &atom.ask {
            Ask::Edge | Ask::Whole(_) if state.edges == generation => return false,
            Ask::Inside(_) if state.inside == generation || self.plan.is_sign(id) => return false,
            Ask::Edge => return self.search_edges(id, atom),
            Ask::Inside(_) => return self.search_inside(id, atom),
            Ask::Whole(needle) => {
                if self.engine.tables.get(atom.local as usize).is_some_and(Table::is_large) {
                    return self.search_edges(id, atom);
                }
                self.depend(atom);
                self.equals(atom.local, needle)
            }
            _ if self.lacks(atom) => false,
            ask if ask.is_soon_answered() => {
                let answer = self.value(atom.local).is_some_and(|value| atom.holds_of(value));
                self.answered(id, answer);
                answer
            }
            ask => {
                self.depend(atom);
                let known = self.scratch.told.get(state.number, id);
                known.unwrap_or_else(|| {
                    let answer = self.evaluate(ask, atom.local);
                    if ask.is_long_answered() {
                        self.scratch.told.put(state.number, id, answer);
                    }
                    answer
                })
            }
        };
        let stamp = self.scratch.stamp(answer);
        if let Some(kept) = self.scratch.atoms.get_mut(id.index()) {
            *kept = stamp;
        }
        answer
    }

    /// Whether an atom at the edges of its field holds, after these were searched.
    fn search_edges(&mut self, id: AtomId, atom: &Atom) -> bool {
        self.depend(atom);
        self.scratch.finds.begin();
        self.find_edges(atom.local, None);
        if let Some(state) = self.scratch.locals.get_mut(atom.local as usize) {
            state.edges = self.scratch.generation;
        }
        self.stamp_finds(id)
    }

    /// Whether a part stands in its field, after that was searched.
    fn search_inside(&mut self, id: AtomId, atom: &Atom) -> bool {
        self.depend(atom);
        self.scratch.finds.begin();
        if let Some(asked) = self.plan.stop(atom.local).and_then(|stop| stop.asked.as_deref()) {
            self.find_asked(atom.local, None, asked);
        }
        if let Some(state) = self.scratch.locals.get_mut(atom.local as usize) {
            state.inside = self.scratch.generation;
        }
        self.stamp_finds(id)
    }

    /// Stamps the atoms that were found, and tells whether `id` is one of them.
    fn stamp_finds(&mut self, id: AtomId) -> bool {
        let stamp = self.scratch.stamp(true);
        let Scratch { finds, atoms, .. } = &mut *self.scratch;
        let mut found = false;
        for atom in &finds.atoms {
            found |= *atom == id;
            if let Some(kept) = atoms.get_mut(atom.index()) {
                *kept = stamp;
            }
        }
        found
    }

    /// Whether the text has none of the literals of which an atom requires one.
    fn lacks(&mut self, atom: &Atom) -> bool {
        !atom.required.is_empty() && !atom.required.iter().any(|required| self.ask(*required))
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
            Ask::FieldRef { other, anchor, cased: false } => {
                self.fold(local);
                self.fold(*other);
                let mut texts = self.folded(local);
                texts.any(|text| self.folded(*other).any(|other| anchored(*anchor, text, other)))
            }
            Ask::FieldRef { other, anchor, cased: true } => self.refers(local, *other, *anchor),
            Ask::Edge
            | Ask::Inside(_)
            | Ask::Whole(_)
            | Ask::Cidr(_)
            | Ask::Compare(..)
            | Ask::Time(..)
            | Ask::Never => false,
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
}
