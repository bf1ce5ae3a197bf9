//! Conditions as shared expressions: what two rules both ask is one node, and one atom.

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use crate::predicate::Predicate;

/// The place of a predicate among the distinct ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AtomId(pub u32);

impl AtomId {
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The place of an expression among the distinct ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(pub u32);

impl NodeId {
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An expression. Children are sorted and distinct, save in `AtLeast`, where one may count twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    Atom(AtomId),
    Not(NodeId),
    /// Never empty.
    And(Box<[NodeId]>),
    /// Never empty.
    Or(Box<[NodeId]>),
    /// At least so many of the children; over 1 and under their number.
    AtLeast(u32, Box<[NodeId]>),
}

/// Children up to this number are lifted into a parent of their kind; copying more at every
/// mention would let a short condition grow without bound.
const MAX_LIFTED: usize = 64;

/// All distinct predicates and expressions of a rule set.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    atoms: IndexSet<Predicate, FxBuildHasher>,
    nodes: IndexSet<Node, FxBuildHasher>,
}

impl Arena {
    /// All predicates, in the order of their places.
    pub fn atoms(&self) -> impl ExactSizeIterator<Item = &Predicate> {
        self.atoms.iter()
    }

    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get_index(id.index())
    }

    pub fn predicate(&self, id: AtomId) -> Option<&Predicate> {
        self.atoms.get_index(id.index())
    }

    pub fn atom(&mut self, predicate: Predicate) -> NodeId {
        let (place, _) = self.atoms.insert_full(predicate);
        self.intern(Node::Atom(AtomId(place as u32)))
    }

    pub fn not(&mut self, child: NodeId) -> NodeId {
        match self.node(child) {
            Some(Node::Not(inner)) => *inner,
            _ => self.intern(Node::Not(child)),
        }
    }

    /// All of `children`; `None` of none.
    pub fn and(&mut self, children: Vec<NodeId>) -> Option<NodeId> {
        let children = self.lift(children, |node| match node {
            Node::And(inner) => Some(inner),
            _ => None,
        });
        match children.as_slice() {
            [] => None,
            [only] => Some(*only),
            _ => Some(self.intern(Node::And(children.into()))),
        }
    }

    /// Any of `children`; `None` of none.
    pub fn or(&mut self, children: Vec<NodeId>) -> Option<NodeId> {
        let children = self.lift(children, |node| match node {
            Node::Or(inner) => Some(inner),
            _ => None,
        });
        match children.as_slice() {
            [] => None,
            [only] => Some(*only),
            _ => Some(self.intern(Node::Or(children.into()))),
        }
    }

    /// At least `least` of `children`; `None` where there are fewer.
    pub fn at_least(&mut self, least: usize, mut children: Vec<NodeId>) -> Option<NodeId> {
        if least == 0 || least > children.len() {
            return None;
        }
        if least == 1 {
            return self.or(children);
        }
        if least == children.len() {
            return self.and(children);
        }
        children.sort_unstable();
        Some(self.intern(Node::AtLeast(least as u32, children.into())))
    }

    fn lift(
        &self,
        children: Vec<NodeId>,
        inner_of: impl Fn(&Node) -> Option<&Box<[NodeId]>>,
    ) -> Vec<NodeId> {
        let mut lifted = Vec::with_capacity(children.len());
        for child in children {
            match self.node(child).and_then(&inner_of) {
                Some(inner) if inner.len() <= MAX_LIFTED => lifted.extend_from_slice(inner),
                _ => lifted.push(child),
            }
        }
        lifted.sort_unstable();
        lifted.dedup();
        lifted
    }

    fn intern(&mut self, node: Node) -> NodeId {
        let (place, _) = self.nodes.insert_full(node);
        NodeId(place as u32)
    }
}

#[cfg(test)]
mod tests {
    use vigie_event::field;

    use super::*;
    use crate::predicate::{Subject, Test};

    #[test]
    fn equal_expressions_are_one_node() {
        let mut arena = Arena::default();
        let mut present =
            |field| arena.atom(Predicate { subject: Subject::Field(field), test: Test::Present });
        let (a, b) = (present(field::SOURCE_IP), present(field::USER_NAME));
        assert_eq!(present(field::SOURCE_IP), a);
        let both = arena.and(vec![a, b]).unwrap();
        assert_eq!(arena.and(vec![b, a, b]), Some(both));
        assert_eq!(arena.and(vec![both, a]), Some(both));
        assert_eq!(arena.at_least(2, vec![b, a]), Some(both));
        assert_eq!(arena.or(vec![a]), Some(a));
        let not = arena.not(both);
        assert_eq!(arena.not(not), both);
        assert_eq!(arena.or(Vec::new()), None);
        assert_eq!(arena.at_least(3, vec![a, b]), None);
    }
}
