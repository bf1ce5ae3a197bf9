//! What a search is for, and where it notes what it finds.

use crate::engine::route::Plan;
use crate::engine::witness::Seen;
use crate::expr::AtomId;

/// What a search is for.
pub(super) enum Purpose<'p> {
    /// To answer an atom.
    Ask,
    /// To find the rules whose signs are there.
    Find(&'p Plan),
    /// To tell the classes of a field's values.
    Collect(&'p mut Vec<AtomId>),
    /// To learn what is frequent.
    Observe(&'p mut Seen),
}

/// Where a search notes what it finds.
pub(super) struct Notes<'n> {
    pub purpose: Purpose<'n>,
    pub generation: u32,
    pub stamp: u32,
    pub atoms: &'n mut [u32],
    pub queued: &'n mut [u32],
    pub queue: &'n mut Vec<u32>,
}

impl Notes<'_> {
    pub fn note(&mut self, atom: AtomId) {
        let Some(kept) = self.atoms.get_mut(atom.index()) else {
            return;
        };
        if *kept == self.stamp {
            return;
        }
        *kept = self.stamp;
        match &mut self.purpose {
            Purpose::Ask => {}
            Purpose::Collect(found) => found.push(atom),
            Purpose::Observe(seen) => seen.atom(atom),
            Purpose::Find(plan) => {
                for program in plan.programs(atom) {
                    if let Some(queued) = self.queued.get_mut(*program as usize)
                        && *queued != self.generation
                    {
                        *queued = self.generation;
                        self.queue.push(*program);
                    }
                }
            }
        }
    }
}
