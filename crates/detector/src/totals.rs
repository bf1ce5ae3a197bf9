//! How many events there were of each kind.

use rustc_hash::{FxHashMap, FxHasher};
use std::hash::Hasher;

use vigie_event::{Event, Stats, field};

/// Kinds counted apart; attackers invent actions where formats let them.
const MAX_KINDS: usize = 4_096;
/// Bytes kept of an action or an outcome.
const NAME_BYTES: usize = 64;
/// Kinds found without a hash map; a power of two.
const CACHE: usize = 64;
/// An empty place of the cache.
const NONE: u32 = u32::MAX;

/// Counts events by `event.dataset`, `event.action` and `event.outcome`. Counting allocates only
/// for a kind that is new.
#[derive(Clone, Debug)]
pub struct Totals {
    kinds: Vec<Kind>,
    /// Kinds by the hash of their names; several where hashes collide.
    by_hash: FxHashMap<u64, Vec<u32>>,
    cache: [u32; CACHE],
    /// Events of kinds beyond the bound.
    others: u64,
}

#[derive(Clone, Debug)]
struct Kind {
    dataset: &'static str,
    action: Box<str>,
    outcome: Box<str>,
    count: u64,
}

impl Kind {
    fn is(&self, dataset: &str, action: &str, outcome: &str) -> bool {
        &*self.action == action && &*self.outcome == outcome && self.dataset == dataset
    }
}

impl Default for Totals {
    fn default() -> Self {
        Self { kinds: Vec::new(), by_hash: FxHashMap::default(), cache: [NONE; CACHE], others: 0 }
    }
}

impl Totals {
    /// Counts `event`.
    pub fn count(&mut self, event: &Event) {
        let action = cut(event.text_of(field::EVENT_ACTION).unwrap_or_default());
        let outcome = cut(event.text_of(field::EVENT_OUTCOME).unwrap_or_default());
        let hash = hash_of(event.dataset, action, outcome);
        let place = hash as usize & (CACHE - 1);
        let cached = self.cache.get(place).copied().unwrap_or(NONE);
        if let Some(kind) = self.kinds.get_mut(cached as usize)
            && kind.is(event.dataset, action, outcome)
        {
            kind.count += 1;
            return;
        }
        let Some(index) = self.index_of(hash, event.dataset, action, outcome) else {
            self.others += 1;
            return;
        };
        if let Some(kind) = self.kinds.get_mut(index as usize) {
            kind.count += 1;
        }
        if let Some(cached) = self.cache.get_mut(place) {
            *cached = index;
        }
    }

    /// Adds the counts to `stats`, named `dataset action outcome` with what is absent left out.
    /// What was beyond the bound of 4,096 kinds is counted as `other`.
    pub fn add_to(&self, stats: &mut Stats) {
        for kind in &self.kinds {
            let mut name = kind.dataset.to_owned();
            for part in [&kind.action, &kind.outcome] {
                if !part.is_empty() {
                    if !name.is_empty() {
                        name.push(' ');
                    }
                    name.push_str(part);
                }
            }
            *stats.by_action.entry(name).or_default() += kind.count;
        }
        if self.others > 0 {
            *stats.by_action.entry("other".to_owned()).or_default() += self.others;
        }
    }

    fn index_of(
        &mut self,
        hash: u64,
        dataset: &'static str,
        action: &str,
        outcome: &str,
    ) -> Option<u32> {
        let known = self.by_hash.get(&hash).and_then(|indices| {
            indices.iter().copied().find(|index| {
                self.kinds
                    .get(*index as usize)
                    .is_some_and(|kind| kind.is(dataset, action, outcome))
            })
        });
        if known.is_some() || self.kinds.len() >= MAX_KINDS {
            return known;
        }
        let index = self.kinds.len() as u32;
        let (action, outcome) = (action.into(), outcome.into());
        self.kinds.push(Kind { dataset, action, outcome, count: 0 });
        self.by_hash.entry(hash).or_default().push(index);
        Some(index)
    }
}

fn cut(text: &str) -> &str {
    if text.len() <= NAME_BYTES {
        return text;
    }
    text.get(..text.floor_char_boundary(NAME_BYTES.min(text.len()))).unwrap_or_default()
}

fn hash_of(dataset: &str, action: &str, outcome: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(dataset.as_bytes());
    hasher.write(action.as_bytes());
    hasher.write(outcome.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_event::Value;

    fn event(dataset: &'static str, action: &str, outcome: &str) -> Event {
        let mut event = Event::default();
        event.dataset = dataset;
        let (_, mut fields) = event.fields_mut();
        if !action.is_empty() {
            fields.value(field::EVENT_ACTION, Value::Made(action.into()));
        }
        if !outcome.is_empty() {
            fields.value(field::EVENT_OUTCOME, Value::Made(outcome.into()));
        }
        event
    }

    #[test]
    fn counts_by_kind() {
        let mut totals = Totals::default();
        for _ in 0..3 {
            totals.count(&event("sshd", "ssh_login", "failure"));
            totals.count(&event("sshd", "ssh_login", "success"));
            totals.count(&event("syslog", "", ""));
        }
        totals.count(&event("json", "", "success"));
        let mut stats = Stats::default();
        totals.add_to(&mut stats);
        let found: Vec<_> =
            stats.by_action.iter().map(|(name, count)| format!("{name}={count}")).collect();
        assert_eq!(
            found,
            ["json success=1", "sshd ssh_login failure=3", "sshd ssh_login success=3", "syslog=3"]
        );
    }

    #[test]
    fn invented_actions_are_bounded_and_none_is_lost() {
        let mut totals = Totals::default();
        for n in 0..10_000 {
            totals.count(&event("json", &format!("action{n}{}", "x".repeat(200)), ""));
            totals.count(&event("sshd", "ssh_login", "failure"));
        }
        let mut stats = Stats::default();
        totals.add_to(&mut stats);
        assert!(stats.by_action.len() <= MAX_KINDS + 1);
        assert!(stats.by_action.keys().all(|name| name.len() <= 80));
        assert_eq!(stats.by_action.values().sum::<u64>(), 20_000);
        assert_eq!(stats.by_action["sshd ssh_login failure"], 10_000);
    }
}
