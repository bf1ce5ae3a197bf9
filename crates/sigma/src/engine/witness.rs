//! What must hold for a rule to match: by it rules are found without being run.
//!
//! A rule often has the choice: of all that it asks for together any one will do as its witness.
//! Which is seldom true depends on the events, so it is learned from them ([`Seen`]); until then a
//! guess must do.

use std::rc::Rc;

use rustc_hash::{FxBuildHasher, FxHashMap};
use vigie_event::{FieldId, field};

use super::atom::{Ask, Atom};
use super::{Local, RECORD};
use crate::expr::{Arena, AtomId, Node, NodeId};
use crate::pattern::Anchor;
use crate::predicate::Test;

/// What loaded rules mention, and how often.
#[derive(Debug)]
pub(super) struct Reached {
    mentions: Vec<u32>,
    atoms: Vec<bool>,
}

impl Reached {
    /// How many expressions and rules mention `node`.
    pub fn mentions(&self, node: NodeId) -> u32 {
        self.mentions.get(node.index()).copied().unwrap_or(0)
    }

    /// Whether any rule asks `atom`.
    pub fn atom(&self, atom: AtomId) -> bool {
        self.atoms.get(atom.index()).copied().unwrap_or(false)
    }
}

/// Counts mentions from `roots` on.
pub(super) fn reached(arena: &Arena, roots: impl Iterator<Item = NodeId>) -> Reached {
    let mut reached =
        Reached { mentions: vec![0; arena.node_count()], atoms: vec![false; arena.atoms().len()] };
    let mut open: Vec<NodeId> = roots.collect();
    while let Some(id) = open.pop() {
        let Some(mentions) = reached.mentions.get_mut(id.index()) else {
            continue;
        };
        *mentions = mentions.saturating_add(1);
        if *mentions > 1 {
            continue;
        }
        match arena.node(id) {
            Some(Node::Atom(atom)) => {
                if let Some(asked) = reached.atoms.get_mut(atom.index()) {
                    *asked = true;
                }
            }
            Some(Node::Not(child)) => open.push(*child),
            Some(Node::And(children) | Node::Or(children) | Node::AtLeast(_, children)) => {
                open.extend_from_slice(children);
            }
            None => {}
        }
    }
    reached
}

/// Something of which at least one must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A literal of a table is found.
    Atom(AtomId),
    /// A field is present.
    Present(Local),
}

/// What an expression needs to hold.
#[derive(Debug)]
pub(super) enum Clue {
    /// It may hold without any sign.
    None,
    Sign {
        sign: Sign,
        /// How often and how dearly it is expected to hold, before anything was observed.
        prior: u32,
        /// What it costs to look for it.
        reading: u32,
    },
    /// Each of these alone tells.
    AnyOf(Box<[NodeId]>),
    /// So many of these must be taken together.
    Together(usize, Box<[NodeId]>),
}

/// The clues of all expressions, by number.
pub(super) fn clues(arena: &Arena, atoms: &[Atom], fields: &[Option<FieldId>]) -> Vec<Clue> {
    let mut clues: Vec<Clue> = Vec::with_capacity(arena.node_count());
    for index in 0..arena.node_count() {
        let telling = |children: &[NodeId]| -> Box<[NodeId]> {
            let tells =
                |child: &&NodeId| !matches!(clues.get(child.index()), Some(Clue::None) | None);
            children.iter().filter(tells).copied().collect()
        };
        let together = |children: &[NodeId], count: usize| {
            let telling = telling(children);
            if telling.len() < count { Clue::None } else { Clue::Together(count, telling) }
        };
        let clue = match arena.node(NodeId(index as u32)) {
            Some(Node::Atom(id)) => of_atom(arena, *id, atoms, fields),
            Some(Node::Not(child)) => of_denied(arena, *child, atoms),
            Some(Node::And(children)) => match telling(children) {
                none if none.is_empty() => Clue::None,
                some => Clue::AnyOf(some),
            },
            Some(Node::Or(children)) => together(children, children.len()),
            // Were all of these false, too few would be left.
            Some(Node::AtLeast(least, children)) => {
                together(children, children.len() - *least as usize + 1)
            }
            None => Clue::None,
        };
        clues.push(clue);
    }
    clues
}

fn of_atom(arena: &Arena, id: AtomId, atoms: &[Atom], fields: &[Option<FieldId>]) -> Clue {
    let Some(atom) = atoms.get(id.index()) else {
        return Clue::None;
    };
    let in_record = atom.local == RECORD;
    match &atom.ask {
        Ask::Null | Ask::Never => Clue::None,
        _ if let [required] = *atom.required => Clue::Sign {
            sign: Sign::Atom(required),
            prior: if in_record { 100 } else { 6 },
            reading: if in_record { 20 } else { 3 },
        },
        Ask::Edge | Ask::Inside(_) | Ask::Whole(_) => Clue::Sign {
            sign: Sign::Atom(id),
            prior: literal_prior(arena, id, atom.local, fields),
            reading: match &atom.ask {
                Ask::Inside(_) if in_record => 20,
                Ask::Inside(_) => 3,
                _ => 1,
            },
        },
        _ if in_record => Clue::None,
        _ => present(atom.local),
    }
}

/// What is denied gives no sign, save that a field is not null.
fn of_denied(arena: &Arena, child: NodeId, atoms: &[Atom]) -> Clue {
    let Some(Node::Atom(id)) = arena.node(child) else {
        return Clue::None;
    };
    match atoms.get(id.index()) {
        Some(atom) if matches!(atom.ask, Ask::Null) && atom.local != RECORD => present(atom.local),
        _ => Clue::None,
    }
}

/// How rare a literal is, before anything was observed.
fn literal_prior(arena: &Arena, id: AtomId, local: Local, fields: &[Option<FieldId>]) -> u32 {
    if local == RECORD {
        return 100;
    }
    let Some(Test::Literal { anchor, .. }) = arena.predicate(id).map(|predicate| &predicate.test)
    else {
        return 40;
    };
    let field = fields.get(local as usize).copied().flatten();
    match (anchor, field) {
        (Anchor::Whole, Some(field::EVENT_ACTION | field::EVENT_CODE)) => 1,
        // Two or three values share all events.
        (
            Anchor::Whole,
            Some(field::EVENT_OUTCOME | field::EVENT_KIND | field::NETWORK_TRANSPORT),
        ) => 20,
        (Anchor::Whole, _) => 2,
        _ => 5,
    }
}

fn present(local: Local) -> Clue {
    Clue::Sign { sign: Sign::Present(local), prior: 40, reading: 0 }
}

/// What events of a route had.
#[derive(Debug, Default)]
pub(super) struct Seen {
    events: u32,
    atoms: FxHashMap<AtomId, u32>,
    /// By local.
    present: Vec<u32>,
}

impl Seen {
    pub fn new(locals: usize, atoms: usize) -> Self {
        let atoms = FxHashMap::with_capacity_and_hasher(atoms.min(1_024), FxBuildHasher);
        Self { events: 0, atoms, present: vec![0; locals] }
    }

    /// Begins with another event.
    pub fn begin(&mut self) {
        self.events += 1;
    }

    /// Notes that an atom holds of the event.
    pub fn atom(&mut self, atom: AtomId) {
        *self.atoms.entry(atom).or_default() += 1;
    }

    /// Notes that the event has a field.
    pub fn present(&mut self, local: Local) {
        if let Some(count) = self.present.get_mut(local as usize) {
            *count += 1;
        }
    }

    /// Events noted.
    pub fn events(&self) -> u32 {
        self.events
    }

    /// Lets what was seen count half from now on.
    pub fn age(&mut self) {
        self.events /= 2;
        self.atoms.retain(|_, count| {
            *count /= 2;
            *count > 0
        });
        for count in &mut self.present {
            *count /= 2;
        }
    }

    /// What a sign costs an event, in thousandths of what running a rule does.
    fn cost(&self, sign: Sign, prior: u32, reading: u32) -> u32 {
        if self.events == 0 {
            return prior;
        }
        let times = match sign {
            Sign::Atom(atom) => self.atoms.get(&atom).copied(),
            Sign::Present(local) => self.present.get(local as usize).copied(),
        };
        let share = u64::from(times.unwrap_or(0)) * 1_000 / u64::from(self.events);
        reading + share as u32
    }
}

/// The signs of a rule, of which at least one must hold for it to match.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    cost: u32,
    signs: Vec<Sign>,
}

impl Witness {
    /// They are in no order, some perhaps twice.
    pub fn signs(&self) -> &[Sign] {
        &self.signs
    }
}

/// Finds the cheapest witnesses.
pub(super) struct Finder<'f> {
    clues: &'f [Clue],
    seen: &'f Seen,
    known: FxHashMap<NodeId, Option<Rc<Witness>>>,
}

impl<'f> Finder<'f> {
    pub fn new(clues: &'f [Clue], seen: &'f Seen) -> Self {
        Self { clues, seen, known: FxHashMap::default() }
    }

    /// The cheapest witness of `id`; `None` where it can hold without any sign.
    pub fn witness(&mut self, id: NodeId) -> Option<Rc<Witness>> {
        let clues = self.clues;
        let clue = clues.get(id.index())?;
        if let Clue::Sign { sign, prior, reading } = clue {
            let cost = self.seen.cost(*sign, *prior, *reading);
            return Some(Rc::new(Witness { cost, signs: vec![*sign] }));
        }
        if let Some(known) = self.known.get(&id) {
            return known.clone();
        }
        let witness = match clue {
            Clue::None | Clue::Sign { .. } => None,
            Clue::AnyOf(children) => {
                let witnesses = children.iter().filter_map(|child| self.witness(*child));
                witnesses.min_by_key(|witness| witness.cost)
            }
            Clue::Together(count, children) if *count == children.len() => self.all(children),
            Clue::Together(count, children) => self.cheapest(children, *count),
        };
        self.known.insert(id, witness.clone());
        witness
    }

    /// The signs of all `children`.
    fn all(&mut self, children: &[NodeId]) -> Option<Rc<Witness>> {
        let clues = self.clues;
        let (mut cost, mut signs) = (0_u32, Vec::with_capacity(children.len()));
        for child in children {
            // Long lists of words are most of it: each of them needs no witness of its own.
            let clue = clues.get(child.index())?;
            let cost_of_one = if let Clue::Sign { sign, prior, reading } = clue {
                signs.push(*sign);
                self.seen.cost(*sign, *prior, *reading)
            } else {
                let witness = self.witness(*child)?;
                signs.extend_from_slice(&witness.signs);
                witness.cost
            };
            cost = cost.saturating_add(cost_of_one);
        }
        Some(Rc::new(Witness { cost, signs }))
    }

    /// The signs of the `count` cheapest of `children`.
    fn cheapest(&mut self, children: &[NodeId], count: usize) -> Option<Rc<Witness>> {
        let mut witnesses: Vec<_> =
            children.iter().filter_map(|child| self.witness(*child)).collect();
        witnesses.sort_by_key(|witness| witness.cost);
        witnesses.truncate(count);
        if witnesses.len() < count {
            return None;
        }
        let signs = witnesses.iter().flat_map(|witness| witness.signs.iter().copied()).collect();
        let cost = witnesses.iter().fold(0, |sum: u32, witness| sum.saturating_add(witness.cost));
        Some(Rc::new(Witness { cost, signs }))
    }
}
