//! How many events there were of each kind.

use rustc_hash::{FxHashMap, FxHasher};
use std::hash::Hasher;

use vigie_event::{ByWording, Event, Stats, field};

/// Kinds counted apart; attackers invent actions where formats let them.
const MAX_KINDS: usize = 4_096;
/// Bytes kept of an action or an outcome.
const NAME_BYTES: usize = 64;
/// Kinds found by the addresses of their names; a power of two.
const PLACES: usize = 256;
/// Wordings whose kind is remembered.
const WORDINGS: usize = 512;

/// Counts events by `event.dataset`, `event.action` and `event.outcome`. Counting allocates only
/// for a kind that is new.
#[derive(Clone, Debug)]
pub struct Totals {
    kinds: Vec<Kind>,
    /// Kinds by the hash of their names; several where hashes collide.
    by_hash: FxHashMap<u64, Vec<u32>>,
    /// Kinds by the addresses of their names, where parsers know these beforehand.
    by_address: Box<[Option<(Names, u32)>]>,
    by_wording: ByWording<u32>,
    /// Events of kinds beyond the bound.
    others: u64,
}

/// Dataset, action and outcome, which may be empty.
#[derive(Clone, Copy, Debug)]
struct Names([&'static str; 3]);

impl Names {
    /// The names of `event`, where all of them are known beforehand.
    #[inline]
    fn of(event: &Event) -> Option<Self> {
        let name = |id| match event.fixed_of(id) {
            None if event.get(id).is_some() => None,
            name => Some(name.unwrap_or_default()),
        };
        Some(Self([event.dataset, name(field::EVENT_ACTION)?, name(field::EVENT_OUTCOME)?]))
    }

    /// Whether they have the same addresses and lengths: then they are equal, else they may be.
    #[inline]
    fn are(self, other: Self) -> bool {
        self.0.into_iter().zip(other.0).all(|(one, other)| std::ptr::eq(one, other))
    }

    #[inline]
    fn place(self) -> usize {
        let [dataset, action, outcome] = self.0.map(|name| name.as_ptr() as u64);
        let mixed = action ^ outcome.rotate_left(20) ^ dataset.rotate_left(40);
        (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - PLACES.ilog2())) as usize
    }
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
        Self {
            kinds: Vec::new(),
            by_hash: FxHashMap::default(),
            by_address: vec![None; PLACES].into(),
            by_wording: ByWording::with_places(WORDINGS),
            others: 0,
        }
    }
}

impl Totals {
    /// Counts `event`.
    pub fn count(&mut self, event: &Event) {
        if let Some(index) = self.by_wording.get(event)
            && let Some(kind) = self.kinds.get_mut(index as usize)
        {
            kind.count += 1;
            return;
        }
        let Some(names) = Names::of(event) else {
            let text = |id| event.text_of(id).unwrap_or_default();
            let (action, outcome) = (text(field::EVENT_ACTION), text(field::EVENT_OUTCOME));
            self.count_named(event.dataset, action, outcome);
            return;
        };
        // Where two kinds want one place, the second takes the place beside it.
        let places = [names.place(), names.place() ^ 1];
        for place in places {
            if let Some(Some((known, index))) = self.by_address.get(place)
                && known.are(names)
                && let Some(kind) = self.kinds.get_mut(*index as usize)
            {
                kind.count += 1;
                self.by_wording.put(event, *index);
                return;
            }
        }
        let [dataset, action, outcome] = names.0;
        let Some(index) = self.count_named(dataset, action, outcome) else { return };
        let [place, beside] = places;
        let free = self.by_address.get(place).is_some_and(Option::is_none);
        if let Some(place) = self.by_address.get_mut(if free { place } else { beside }) {
            *place = Some((names, index));
        }
    }

    /// Counts an event with these names; the index of its kind, where it has one.
    fn count_named(&mut self, dataset: &'static str, action: &str, outcome: &str) -> Option<u32> {
        let (action, outcome) = (cut(action), cut(outcome));
        let index = self.index_of(hash_of(dataset, action, outcome), dataset, action, outcome);
        match index.and_then(|index| self.kinds.get_mut(index as usize)) {
            Some(kind) => kind.count += 1,
            None => self.others += 1,
        }
        index
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

    #[test]
    fn a_name_counts_alike_wherever_it_stands() {
        let mut totals = Totals::default();
        for n in 0..1_000_usize {
            let mut made = event("sshd", "ssh_login", "");
            totals.count(&made);
            let action: &'static str = ["ssh_login", "ssh_logins"][n % 2];
            made = Event::default();
            made.dataset = "sshd";
            made.fields_mut().1.fixed(field::EVENT_ACTION, &action[..9]);
            totals.count(&made);
        }
        let mut stats = Stats::default();
        totals.add_to(&mut stats);
        assert_eq!(
            stats.by_action.into_iter().collect::<Vec<_>>(),
            [("sshd ssh_login".into(), 2_000)]
        );
    }

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
