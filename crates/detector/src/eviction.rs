//! What leaves memory: what has ended, and what leaves a full one first.

use vigie_event::Timestamp;

use crate::alerts::OpenAlert;
use crate::core::Core;

/// Kinds of standing.
const CLASSES: usize = 4;

/// How well something that lasted from `first` to `last` has shown that it lasts.
pub(crate) fn standing(first: Timestamp, last: Timestamp) -> u8 {
    match last.since(first) / 1_000_000_000 {
        600.. => 3,
        60.. => 2,
        1.. => 1,
        _ => 0,
    }
}

/// A sixteenth of `all` (standing, number of the event that touched it last, id, slot): the
/// longest idle of the lowest standing that holds an eighth of them. A flood of one-shot
/// addresses so pushes out itself and not the patient attacker, and no standing can keep the
/// others from memory.
pub(crate) fn least(all: impl Iterator<Item = (u8, u64, u128, u32)>) -> Vec<u32> {
    let mut classes: [Vec<(u64, u128, u32)>; CLASSES] = Default::default();
    let mut total = 0;
    for (class, touched, id, slot) in all {
        total += 1;
        if let Some(members) = classes.get_mut(usize::from(class).min(CLASSES - 1)) {
            members.push((touched, id, slot));
        }
    }
    let Some(mut members) = classes.into_iter().find(|members| members.len() * 8 >= total.max(1))
    else {
        return Vec::new();
    };
    let count = (total / 16).max(1).min(members.len());
    members.select_nth_unstable(count.saturating_sub(1));
    members.into_iter().take(count).map(|(_, _, slot)| slot).collect()
}

impl Core {
    /// Alerts and incidents in memory.
    pub(crate) fn held(&self) -> u64 {
        (self.alerts.slots.len() + self.incidents.slots.len()) as u64
    }

    /// Closes alerts that have ended, and lets incidents go that nothing can join any more.
    #[inline(never)]
    pub(crate) fn sweep(&mut self) {
        self.swept = self.seen;
        let clocks = self.clocks;
        let goes_on = |alert: &OpenAlert| clocks.keep(alert.first, alert.last, alert.gap_s);
        for slot in self.alerts.slots.ended(clocks.newest(), goes_on) {
            self.close_alert(slot);
        }
        self.incidents.retire_idle(&clocks, u64::from(self.settings.incident_gap_s));
    }

    /// Closes the alerts that matter least. Gives whether there were any.
    pub(crate) fn evict_alerts(&mut self) -> bool {
        let least = self.alerts.least();
        for slot in &least {
            self.close_alert(*slot);
            self.counts.evicted_alerts += 1;
        }
        !least.is_empty()
    }

    /// Takes the incidents that matter least out of memory, with their alerts. Gives whether
    /// there were any.
    pub(crate) fn evict_incidents(&mut self) -> bool {
        let mut least = self.incidents.least();
        least.sort_unstable();
        let orphaned: Vec<u32> = self
            .alerts
            .slots
            .iter()
            .filter(|(_, alert)| least.binary_search(&alert.incident).is_ok())
            .map(|(slot, _)| slot)
            .collect();
        for slot in orphaned {
            self.close_alert(slot);
        }
        for slot in &least {
            self.incidents.retire(*slot);
            self.counts.evicted_incidents += 1;
        }
        !least.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(classes: &[(u8, usize)], expected: &[(u8, usize)]) {
        let all: Vec<_> = classes
            .iter()
            .flat_map(|(class, count)| (0..*count).map(move |touched| (*class, touched as u64)))
            .enumerate()
            .map(|(slot, (class, touched))| (class, touched, u128::from(touched), slot as u32))
            .collect();
        let mut found: Vec<(u8, usize)> = least(all.iter().copied())
            .into_iter()
            .map(|slot| (all[slot as usize].0, all[slot as usize].1 as usize))
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_longest_idle_of_the_lowest_standing_goes_first() {
        check(&[(0, 32)], &[(0, 0), (0, 1)]);
        check(&[(0, 16), (3, 16)], &[(0, 0), (0, 1)]);
        check(&[(0, 3), (1, 29)], &[(1, 0), (1, 1)]);
        check(&[(0, 4), (1, 28)], &[(0, 0), (0, 1)]);
        check(&[(2, 1)], &[(2, 0)]);
        check(&[], &[]);
    }
}
