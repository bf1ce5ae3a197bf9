//! Events of one wording match the same, where rules ask for nothing that tells them apart.

use vigie_event::{ByWording, Event};

use crate::RuleIndex;

/// Wordings remembered.
const PLACES: usize = 1_024;
/// Sets of rules remembered; most wordings match the same few.
const SETS: usize = 64;

/// What events of a few wordings match.
#[derive(Debug)]
pub(super) struct Wordings {
    sets: Vec<Set>,
    /// Places in `sets`.
    set_of: ByWording<u32>,
    /// Whether a wording tells all that rules ask.
    told: bool,
}

/// Rules that an event matches, and how many had their signs there.
#[derive(Debug)]
struct Set {
    rules: Box<[RuleIndex]>,
    candidates: usize,
}

impl Default for Wordings {
    fn default() -> Self {
        Self { sets: Vec::new(), set_of: ByWording::with_places(0), told: false }
    }
}

impl Wordings {
    /// Forgets all; `told`: whether a wording tells all that rules ask from now on.
    pub fn begin(&mut self, told: bool) {
        self.told = told;
        self.sets.clear();
        self.set_of.clear();
    }

    /// The rules that `event` matches, and how many had their signs there, where its wording is
    /// remembered.
    #[inline]
    pub fn of(&self, event: &Event) -> Option<(&[RuleIndex], usize)> {
        let set = self.sets.get(self.set_of.get(event)? as usize)?;
        Some((&set.rules, set.candidates))
    }

    /// Remembers what `event` matches.
    pub fn remember(&mut self, event: &Event, rules: &[RuleIndex], candidates: usize) {
        if !self.told || event.wording().is_none() {
            return;
        }
        let mut sets = self.sets.iter();
        let known = sets.position(|set| *set.rules == *rules && set.candidates == candidates);
        let set = match known {
            Some(set) => set,
            None if self.sets.len() < SETS => {
                if self.sets.is_empty() {
                    self.set_of = ByWording::with_places(PLACES);
                }
                self.sets.push(Set { rules: rules.into(), candidates });
                self.sets.len() - 1
            }
            None => return,
        };
        self.set_of.put(event, set as u32);
    }
}
