//! A rule's condition as a short program: no recursion, cheapest question first, and what two
//! rules share is answered once an event.

use super::atom::Atom;
use super::witness::Reached;
use crate::expr::{Arena, AtomId, Node, NodeId};

/// An instruction over one truth value. Targets are places in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// Asks an atom.
    Atom(AtomId),
    Not,
    IfTrue(u32),
    IfFalse(u32),
    /// Begins to count down from this number.
    Begin(u32),
    /// Counts a truth; at zero the count is over, with truth, and goes on at the target.
    Tally(u32),
    /// The count was not reached.
    Fail,
    /// Takes the answer from this memo and goes on at the target, if it was answered before.
    Recall(u32, u32),
    /// Keeps the answer in this memo.
    Store(u32),
    Done,
}

/// Writes programs.
pub(super) struct Writer<'w> {
    arena: &'w Arena,
    reached: &'w Reached,
    costs: Vec<u32>,
    memo_of: Vec<Option<u32>>,
    memos: u32,
    ops: Vec<Op>,
}

impl<'w> Writer<'w> {
    pub fn new(arena: &'w Arena, atoms: &'w [Atom], reached: &'w Reached) -> Self {
        let nodes = arena.node_count();
        let mut costs = Vec::with_capacity(nodes);
        // Children stand before their parents.
        for index in 0..nodes {
            let cost_of = |child: &NodeId| costs.get(child.index()).copied().unwrap_or(1);
            let cost = match arena.node(NodeId(index as u32)) {
                Some(Node::Atom(atom)) => atoms.get(atom.index()).map_or(1, Atom::cost),
                Some(Node::Not(child)) => cost_of(child),
                Some(Node::And(children) | Node::Or(children) | Node::AtLeast(_, children)) => {
                    children.iter().map(cost_of).fold(0, u32::saturating_add)
                }
                None => 1,
            };
            costs.push(cost);
        }
        Self { arena, reached, costs, memo_of: vec![None; nodes], memos: 0, ops: Vec::new() }
    }

    /// Writes the program of `root`; tells where it starts.
    pub fn write(&mut self, root: NodeId) -> u32 {
        let start = self.here();
        self.node(root);
        self.ops.push(Op::Done);
        start
    }

    /// The programs and the number of memos.
    pub fn finish(self) -> (Vec<Op>, usize) {
        (self.ops, self.memos as usize)
    }

    fn here(&self) -> u32 {
        self.ops.len() as u32
    }

    fn node(&mut self, id: NodeId) {
        let Some(node) = self.arena.node(id) else {
            return;
        };
        let children = match node {
            Node::Atom(atom) => return self.ops.push(Op::Atom(*atom)),
            Node::Not(child) => {
                self.node(*child);
                return self.ops.push(Op::Not);
            }
            Node::And(children) | Node::Or(children) | Node::AtLeast(_, children) => {
                self.cheapest_first(children)
            }
        };
        let memo = self.memo(id);
        let recall = memo.map(|memo| {
            self.ops.push(Op::Recall(memo, 0));
            self.ops.len() - 1
        });
        match node {
            Node::And(_) => self.chain(&children, Op::IfFalse(0)),
            Node::Or(_) => self.chain(&children, Op::IfTrue(0)),
            Node::AtLeast(least, _) => {
                self.ops.push(Op::Begin(*least));
                let mut jumps = Vec::with_capacity(children.len());
                for child in children {
                    self.node(child);
                    jumps.push(self.ops.len());
                    self.ops.push(Op::Tally(0));
                }
                self.ops.push(Op::Fail);
                self.aim(&jumps);
            }
            Node::Atom(_) | Node::Not(_) => {}
        }
        if let Some(memo) = memo {
            self.ops.push(Op::Store(memo));
        }
        if let Some(recall) = recall {
            self.aim(&[recall]);
        }
    }

    /// The children one after the other; `jump` leaves at the first that decides.
    fn chain(&mut self, children: &[NodeId], jump: Op) {
        let mut jumps = Vec::with_capacity(children.len());
        for (index, child) in children.iter().enumerate() {
            self.node(*child);
            if index + 1 < children.len() {
                jumps.push(self.ops.len());
                self.ops.push(jump);
            }
        }
        self.aim(&jumps);
    }

    /// Lets the jumps at these places go here.
    fn aim(&mut self, jumps: &[usize]) {
        let here = self.here();
        for jump in jumps {
            if let Some(
                Op::IfTrue(target)
                | Op::IfFalse(target)
                | Op::Tally(target)
                | Op::Recall(_, target),
            ) = self.ops.get_mut(*jump)
            {
                *target = here;
            }
        }
    }

    fn cheapest_first(&self, children: &[NodeId]) -> Vec<NodeId> {
        let mut sorted = children.to_vec();
        sorted.sort_by_key(|child| (self.costs.get(child.index()).copied().unwrap_or(1), *child));
        sorted
    }

    /// The memo of a node that several others share.
    fn memo(&mut self, id: NodeId) -> Option<u32> {
        if self.reached.mentions(id) < 2 {
            return None;
        }
        let slot = self.memo_of.get_mut(id.index())?;
        Some(*slot.get_or_insert_with(|| {
            self.memos += 1;
            self.memos - 1
        }))
    }
}
