//! What must hold for a rule to match: by it rules are found without being run.

use std::rc::Rc;

use rustc_hash::FxHashMap;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    /// A literal of a table is found.
    Atom(AtomId),
    /// A field is present.
    Present(Local),
}

/// The signs of a rule, of which at least one must hold for it to match.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    /// How often and how dearly it is expected to hold, relative to other witnesses.
    cost: u32,
    signs: Vec<Sign>,
}

impl Witness {
    pub fn signs(&self) -> &[Sign] {
        &self.signs
    }

    pub fn atoms(&self) -> impl Iterator<Item = AtomId> {
        self.signs.iter().filter_map(|sign| match sign {
            Sign::Atom(atom) => Some(*atom),
            Sign::Present(_) => None,
        })
    }
}

/// Finds witnesses.
pub(super) struct Finder<'f> {
    arena: &'f Arena,
    atoms: &'f [Atom],
    fields: &'f [Option<FieldId>],
    known: FxHashMap<NodeId, Option<Rc<Witness>>>,
}

impl<'f> Finder<'f> {
    pub fn new(arena: &'f Arena, atoms: &'f [Atom], fields: &'f [Option<FieldId>]) -> Self {
        Self { arena, atoms, fields, known: FxHashMap::default() }
    }

    /// The cheapest witness of `id`; `None` where it can hold without any sign.
    pub fn witness(&mut self, id: NodeId) -> Option<Rc<Witness>> {
        if let Some(known) = self.known.get(&id) {
            return known.clone();
        }
        let witness = match self.arena.node(id)? {
            Node::Atom(atom) => self.of_atom(*atom).map(Rc::new),
            Node::Not(child) => self.of_denied(*child).map(Rc::new),
            Node::And(children) => {
                let witnesses = children.iter().filter_map(|child| self.witness(*child));
                witnesses.min_by_key(|witness| witness.cost)
            }
            Node::Or(children) => self.union(children, children.len()),
            // Were all of these false, too few would be left.
            Node::AtLeast(least, children) => {
                self.union(children, children.len() - *least as usize + 1)
            }
        };
        self.known.insert(id, witness.clone());
        witness
    }

    /// The signs of the `count` cheapest of `children`; `None` where fewer have any.
    fn union(&mut self, children: &[NodeId], count: usize) -> Option<Rc<Witness>> {
        let mut witnesses: Vec<_> =
            children.iter().filter_map(|child| self.witness(*child)).collect();
        witnesses.sort_by_key(|witness| witness.cost);
        witnesses.truncate(count);
        if witnesses.len() < count {
            return None;
        }
        let mut signs: Vec<Sign> =
            witnesses.iter().flat_map(|witness| witness.signs.iter().copied()).collect();
        signs.sort_unstable();
        signs.dedup();
        let cost = witnesses.iter().fold(0, |sum: u32, witness| sum.saturating_add(witness.cost));
        Some(Rc::new(Witness { cost, signs }))
    }

    fn of_atom(&self, id: AtomId) -> Option<Witness> {
        let atom = self.atoms.get(id.index())?;
        match &atom.ask {
            Ask::Null | Ask::Never => None,
            _ if let Some(required) = atom.required => {
                let cost = if atom.local == RECORD { 100 } else { 6 };
                Some(Witness { cost, signs: vec![Sign::Atom(required)] })
            }
            Ask::Edge | Ask::Inside(_) | Ask::Whole(_) => {
                let cost = self.literal_cost(id, atom.local);
                Some(Witness { cost, signs: vec![Sign::Atom(id)] })
            }
            _ if atom.local == RECORD => None,
            _ => Some(present(atom.local)),
        }
    }

    /// What is denied gives no sign, save that a field is not null.
    fn of_denied(&self, child: NodeId) -> Option<Witness> {
        let Some(Node::Atom(id)) = self.arena.node(child) else {
            return None;
        };
        let atom = self.atoms.get(id.index())?;
        (matches!(atom.ask, Ask::Null) && atom.local != RECORD).then(|| present(atom.local))
    }

    /// The prior: how rare a literal is, before anything was observed.
    fn literal_cost(&self, id: AtomId, local: Local) -> u32 {
        if local == RECORD {
            return 100;
        }
        let Some(Test::Literal { anchor, .. }) =
            self.arena.predicate(id).map(|predicate| &predicate.test)
        else {
            return 40;
        };
        let field = self.fields.get(local as usize).copied().flatten();
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
}

fn present(local: Local) -> Witness {
    Witness { cost: 40, signs: vec![Sign::Present(local)] }
}
