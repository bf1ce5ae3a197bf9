//! Who is banned, who was, and how long the next ban holds.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use vigie_event::{DecisionId, DecisionStatus, IncidentId, Localized, Mode, Timestamp, unmapped};

use crate::policy::BanTerms;

/// Bans in force at once; more wait for approval. Far below what a kernel set holds.
const MAX_ACTIVE: usize = 50_000;
/// Networks of which earlier bans are remembered; the longest idle is forgotten first.
const MAX_REMEMBERED: usize = 200_000;
/// Earlier bans remembered of one network. Nine reach the longest ban from the first.
const MAX_PER_NETWORK: usize = 32;

/// A ban in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// Who is banned: an address (/32 or /128), a /64, a network.
    pub network: IpNet,
    /// The incident that it answers.
    pub incident: IncidentId,
    /// The decision that it carries out; it names the ban.
    pub decision: DecisionId,
    /// Why, in a sentence.
    pub reason: Localized,
    /// When it began.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// Whether it is real.
    pub mode: Mode,
    /// Where it stands: `pending` until it is delivered, that is until the firewall lists it; in
    /// dry run, `simulated` from then on.
    pub status: DecisionStatus,
}

/// A ban that is over, as far as escalation needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastBan {
    /// Who was banned.
    pub network: IpNet,
    /// When it began.
    pub created: Timestamp,
    /// Whether it was real; simulated bans count for simulated ones only.
    pub mode: Mode,
}

/// Bans in force and the memory of earlier ones. Simulated and real bans are kept apart: going
/// live neither inherits bans that never were nor escalates because of them.
#[derive(Clone, Debug, Default)]
pub struct Bans {
    active: BTreeMap<(Mode, IpNet), Ban>,
    /// How many of these have each prefix length: few lengths are in use, and only they can cover.
    lengths: BTreeMap<u8, usize>,
    past: BTreeMap<(Mode, IpNet), Vec<Timestamp>>,
    recent: VecDeque<Timestamp>,
}

impl Bans {
    /// The state after a restart: the bans in force and the history.
    pub fn restore(
        active: impl IntoIterator<Item = Ban>,
        history: impl IntoIterator<Item = PastBan>,
    ) -> Self {
        let mut bans = Self::default();
        for past in history {
            bans.remember(past);
        }
        for ban in active {
            bans.enter(ban);
        }
        bans
    }

    /// The bans in force at `now`, by mode and network.
    pub fn active(&self, now: Timestamp) -> impl Iterator<Item = &Ban> {
        self.active.values().filter(move |ban| ban.expires > now)
    }

    /// The history, for a snapshot.
    pub fn history(&self) -> impl Iterator<Item = PastBan> {
        self.past.iter().flat_map(|((mode, network), times)| {
            times.iter().map(|created| PastBan {
                network: *network,
                created: *created,
                mode: *mode,
            })
        })
    }

    /// The ban in force at `now` that holds all of `network`, the longest-lasting if several do.
    pub fn covering(&self, network: &IpNet, mode: Mode, now: Timestamp) -> Option<&Ban> {
        let mut found: Option<&Ban> = None;
        for (length, _) in self.lengths.range(..=network.prefix_len()).rev() {
            if let Ok(wider) = IpNet::new(network.addr(), *length)
                && let Some(ban) = self.active.get(&(mode, wider.trunc()))
                && ban.expires > now
                && found.is_none_or(|known| ban.expires > known.expires)
            {
                found = Some(ban);
            }
        }
        found
    }

    /// Whether `address` is banned at `now`.
    pub fn is_banned(&self, address: IpAddr, mode: Mode, now: Timestamp) -> bool {
        self.covering(&IpNet::from(unmapped(address)), mode, now).is_some()
    }

    /// How many bans of `network` began within the memory of `terms` and are over at `now`.
    pub fn earlier(&self, network: &IpNet, mode: Mode, terms: &BanTerms, now: Timestamp) -> usize {
        let since = now.plus_seconds(-(terms.memory_s.min(i64::MAX as u64) as i64));
        let over = self.past.get(&(mode, *network)).map_or(0, |times| {
            times.iter().filter(|created| **created > since && **created <= now).count()
        });
        let lapsed = self
            .active
            .get(&(mode, *network))
            .is_some_and(|ban| ban.expires <= now && ban.created > since);
        over + usize::from(lapsed)
    }

    /// Whether one more ban at `now` keeps within the bans a minute of `terms`, and within the
    /// bans that may be in force at once.
    pub fn has_room(&self, terms: &BanTerms, now: Timestamp) -> bool {
        let minute_ago = now.plus_seconds(-60);
        // `recent` follows the caller's clock, which a replay may set back: count, don't cut.
        let recent = self.recent.iter().filter(|time| **time > minute_ago && **time <= now).count();
        recent < terms.per_minute as usize && self.active.len() < MAX_ACTIVE
    }

    /// Takes a new ban into force. One of the same network that ends sooner is replaced and
    /// remembered; one that ends later stays, and the new one is only remembered.
    pub fn enter(&mut self, ban: Ban) {
        let key = (ban.mode, ban.network);
        match self.active.get_mut(&key) {
            Some(known) if known.expires >= ban.expires => {
                let past = PastBan { network: ban.network, created: ban.created, mode: ban.mode };
                if known.decision != ban.decision {
                    self.remember(past);
                }
            }
            Some(known) => {
                let old = std::mem::replace(known, ban);
                if old.decision != known.decision {
                    let (network, created, mode) = (old.network, old.created, old.mode);
                    self.remember(PastBan { network, created, mode });
                }
            }
            None => {
                *self.lengths.entry(ban.network.prefix_len()).or_default() += 1;
                self.active.insert(key, ban);
            }
        }
    }

    /// The network that `decision` has banned.
    pub fn network_of(&self, decision: DecisionId, mode: Mode) -> Option<IpNet> {
        let of_decision = |ban: &&Ban| ban.decision == decision && ban.mode == mode;
        self.active.values().find(of_decision).map(|ban| ban.network)
    }

    /// Counts a ban decided at `now` against the bans a minute.
    pub(crate) fn count(&mut self, now: Timestamp) {
        let minute_ago = now.plus_seconds(-60);
        while self.recent.front().is_some_and(|time| *time <= minute_ago) {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
    }

    /// Lets the ban of `network` end at `expires`, where that is later than it would. Gives the
    /// ban as it is now.
    pub fn extend(&mut self, network: &IpNet, mode: Mode, expires: Timestamp) -> Option<Ban> {
        let ban = self.active.get_mut(&(mode, *network))?;
        ban.expires = ban.expires.max(expires);
        Some(ban.clone())
    }

    /// Takes the ban of `network` back; it still counts as an earlier one unless `forget`.
    pub fn lift(&mut self, network: &IpNet, mode: Mode, forget: bool) -> Option<Ban> {
        let ban = self.active.remove(&(mode, *network))?;
        self.left(network);
        if !forget {
            let (network, created) = (ban.network, ban.created);
            self.remember(PastBan { network, created, mode });
        }
        Some(ban)
    }

    /// Takes out and gives the bans that are over at `now`, and remembers them as earlier ones.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Ban> {
        let over: Vec<Ban> =
            self.active.extract_if(.., |_, ban| ban.expires <= now).map(|(_, ban)| ban).collect();
        for ban in &over {
            self.left(&ban.network);
            let (network, created, mode) = (ban.network, ban.created, ban.mode);
            self.remember(PastBan { network, created, mode });
        }
        over
    }

    /// Forgets what began before the memory of `terms`.
    pub fn forget(&mut self, terms: &BanTerms, now: Timestamp) {
        let since = now.plus_seconds(-(terms.memory_s.min(i64::MAX as u64) as i64));
        self.past.retain(|_, times| {
            times.retain(|created| *created > since);
            !times.is_empty()
        });
    }

    /// A ban of `network` is not in force any more.
    fn left(&mut self, network: &IpNet) {
        let length = network.prefix_len();
        if let Some(count) = self.lengths.get_mut(&length) {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&length);
            }
        }
    }

    fn remember(&mut self, past: PastBan) {
        let key = (past.mode, past.network);
        if self.past.len() >= MAX_REMEMBERED && !self.past.contains_key(&key) {
            self.forget_longest_idle();
        }
        let times = self.past.entry(key).or_default();
        if let Err(place) = times.binary_search(&past.created) {
            times.insert(place, past.created);
        }
        if times.len() > MAX_PER_NETWORK {
            times.remove(0);
        }
    }

    /// Makes room for an eighth, so that the search is paid once for many entries.
    fn forget_longest_idle(&mut self) {
        let mut last: Vec<Timestamp> =
            self.past.values().filter_map(|times| times.last().copied()).collect();
        let place = last.len() / 8;
        if place >= last.len() {
            return;
        }
        let (_, limit, _) = last.select_nth_unstable(place);
        let limit = *limit;
        self.past.retain(|_, times| times.last().is_some_and(|time| *time > limit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
    const HOUR: i64 = 3_600;
    const DAY: i64 = 24 * HOUR;

    fn net(text: &str) -> IpNet {
        crate::net::parse(text).unwrap()
    }

    fn ban(network: &str, from: i64, seconds: i64) -> Ban {
        Ban {
            network: net(network),
            incident: IncidentId::default(),
            decision: DecisionId::derive(NOW, &[network.as_bytes(), &from.to_le_bytes()]),
            reason: Localized::default(),
            created: NOW.plus_seconds(from),
            expires: NOW.plus_seconds(from + seconds),
            mode: Mode::Enforce,
            status: DecisionStatus::Pending,
        }
    }

    #[test]
    fn a_ban_ends_by_the_given_clock() {
        let mut bans = Bans::default();
        bans.enter(ban("203.0.113.7", 0, 60));
        let address = "203.0.113.7".parse().unwrap();
        assert!(bans.is_banned(address, Mode::Enforce, NOW.plus_seconds(59)));
        assert!(!bans.is_banned(address, Mode::Enforce, NOW.plus_seconds(60)));
        assert!(!bans.is_banned(address, Mode::DryRun, NOW));
        assert!(bans.expire(NOW.plus_seconds(59)).is_empty());
        assert_eq!(bans.expire(NOW.plus_seconds(60)), [ban("203.0.113.7", 0, 60)]);
        assert_eq!(bans.active(NOW).count(), 0);
        assert_eq!(bans.history().count(), 1);
    }

    #[test]
    fn earlier_bans_count_within_their_memory() {
        let terms = BanTerms::default();
        let past = |days: i64, mode| PastBan {
            network: net("203.0.113.7"),
            created: NOW.plus_seconds(-days * DAY),
            mode,
        };
        let bans = Bans::restore(
            [],
            [
                past(1, Mode::Enforce),
                past(29, Mode::Enforce),
                past(30, Mode::Enforce),
                past(31, Mode::Enforce),
                past(2, Mode::DryRun),
            ],
        );
        let earlier = |network: &str, mode| bans.earlier(&net(network), mode, &terms, NOW);
        assert_eq!(earlier("203.0.113.7", Mode::Enforce), 2);
        assert_eq!(earlier("203.0.113.7", Mode::DryRun), 1);
        assert_eq!(earlier("203.0.113.8", Mode::Enforce), 0);
    }

    #[test]
    fn a_ban_that_is_over_but_not_yet_taken_out_counts_as_earlier() {
        let terms = BanTerms::default();
        let bans = Bans::restore([ban("203.0.113.7", -2 * HOUR, HOUR)], []);
        assert_eq!(bans.earlier(&net("203.0.113.7"), Mode::Enforce, &terms, NOW), 1);
    }

    #[test]
    fn the_longer_ban_stays() {
        let mut bans = Bans::default();
        bans.enter(ban("203.0.113.7", 0, 100));
        bans.enter(ban("203.0.113.7", 10, 20));
        assert_eq!(bans.active(NOW).next().unwrap().expires, NOW.plus_seconds(100));
        bans.enter(ban("203.0.113.7", 20, 200));
        assert_eq!(bans.active(NOW).next().unwrap().expires, NOW.plus_seconds(220));
        assert_eq!(bans.active(NOW).count(), 1);
    }

    #[test]
    fn a_wider_ban_covers() {
        let bans = Bans::restore([ban("2001:db8:1::/64", 0, 60), ban("203.0.113.0/24", 0, 60)], []);
        for (address, banned) in [
            ("2001:db8:1::5", true),
            ("2001:db8:2::5", false),
            ("203.0.113.9", true),
            ("::ffff:203.0.113.9", true),
            ("198.51.100.9", false),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(bans.is_banned(address, Mode::Enforce, NOW), banned, "{address}");
        }
    }

    #[test]
    fn a_wider_ban_covers_as_long_as_it_is_in_force() {
        let mut bans = Bans::restore([ban("203.0.113.0/24", 0, 60)], []);
        bans.enter(ban("203.0.113.7", 0, 30));
        bans.enter(ban("203.0.113.9", 0, 30));
        let covering = |bans: &Bans, address: &str| {
            bans.covering(&net(address), Mode::Enforce, NOW).map(|ban| ban.network.to_string())
        };
        assert_eq!(covering(&bans, "203.0.113.7").as_deref(), Some("203.0.113.0/24"));
        bans.lift(&net("203.0.113.0/24"), Mode::Enforce, true);
        assert_eq!(covering(&bans, "203.0.113.7").as_deref(), Some("203.0.113.7/32"));
        assert_eq!(covering(&bans, "203.0.113.8"), None);
        bans.expire(NOW.plus_seconds(30));
        assert!(bans.lengths.is_empty());
    }

    #[test]
    fn lifting_may_forget() {
        let mut bans = Bans::restore([ban("203.0.113.7", 0, 60), ban("203.0.113.8", 0, 60)], []);
        assert!(bans.lift(&net("203.0.113.7"), Mode::Enforce, true).is_some());
        assert!(bans.lift(&net("203.0.113.7"), Mode::Enforce, true).is_none());
        assert!(bans.lift(&net("203.0.113.8"), Mode::Enforce, false).is_some());
        let remembered: Vec<_> = bans.history().map(|past| past.network).collect();
        assert_eq!(remembered, [net("203.0.113.8")]);
    }

    #[test]
    fn too_many_bans_a_minute_leave_no_room() {
        let terms = BanTerms { per_minute: 2, ..BanTerms::default() };
        let mut bans = Bans::default();
        bans.count(NOW);
        assert!(bans.has_room(&terms, NOW));
        bans.count(NOW.plus_seconds(30));
        assert!(!bans.has_room(&terms, NOW.plus_seconds(59)));
        assert!(bans.has_room(&terms, NOW.plus_seconds(60)));
    }

    #[test]
    fn memory_is_bounded() {
        let history = (0..(MAX_REMEMBERED + 1_000) as u32).map(|n| PastBan {
            network: IpNet::from(IpAddr::from(n.to_be_bytes())),
            created: NOW.plus_seconds(i64::from(n)),
            mode: Mode::Enforce,
        });
        let bans = Bans::restore([], history);
        assert!(bans.past.len() <= MAX_REMEMBERED);
        let newest = IpNet::from(IpAddr::from(((MAX_REMEMBERED + 999) as u32).to_be_bytes()));
        assert!(bans.past.contains_key(&(Mode::Enforce, newest)));
    }
}
