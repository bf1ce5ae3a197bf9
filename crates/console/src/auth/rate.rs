//! How often may somebody try to sign in?
//!
//! A token bucket for each address and each account name, in memory and of bounded size. Only
//! failures cost: whoever knows the password is not held up by his own success.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use vigie_event::{Timestamp, network_of};

/// Buckets kept; the fullest are forgotten first.
const BUCKETS: usize = 4_096;

/// What a bucket holds and how it fills again.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    attempts: f64,
    seconds_each: f64,
}

/// 20 attempts at once from one neighbourhood, then one every 15 s.
const ADDRESS: Allowance = Allowance { attempts: 20.0, seconds_each: 15.0 };
/// 6 attempts at once on one account, then one every 20 s.
const ACCOUNT: Allowance = Allowance { attempts: 6.0, seconds_each: 20.0 };

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Timestamp,
}

/// Counts attempts to sign in.
#[derive(Debug, Default)]
pub(crate) struct SignInLimit(Mutex<HashMap<Key, Bucket>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Address(String),
    Account(String),
}

impl Key {
    const fn allowance(&self) -> Allowance {
        match self {
            Self::Address(_) => ADDRESS,
            Self::Account(_) => ACCOUNT,
        }
    }
}

impl SignInLimit {
    /// Takes one attempt from both buckets.
    ///
    /// # Errors
    /// One of them is empty: the seconds to wait.
    pub(crate) fn take(
        &self,
        address: Option<IpAddr>,
        account: &str,
        now: Timestamp,
    ) -> Result<(), u64> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS {
            forget(&mut buckets, now);
        }
        let keys = keys(address, account);
        let mut wait = 0.0_f64;
        for key in &keys {
            let left = left(buckets.get(key), key.allowance(), now);
            if left < 1.0 {
                wait = wait.max((1.0 - left) * key.allowance().seconds_each);
            }
        }
        if wait > 0.0 {
            return Err(wait.ceil() as u64);
        }
        for key in keys {
            let left = left(buckets.get(&key), key.allowance(), now) - 1.0;
            buckets.insert(key, Bucket { left, at: now });
        }
        Ok(())
    }

    /// Gives the attempt back after a success.
    pub(crate) fn give_back(&self, address: Option<IpAddr>, account: &str) {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys(address, account) {
            if let Some(bucket) = buckets.get_mut(&key) {
                bucket.left = (bucket.left + 1.0).min(key.allowance().attempts);
            }
        }
    }
}

fn keys(address: Option<IpAddr>, account: &str) -> Vec<Key> {
    let account: String = account.trim().to_lowercase().chars().take(64).collect();
    let mut keys = vec![Key::Account(account)];
    if let Some(address) = address {
        // An IPv6 customer has a whole /64 to try from.
        let name = match address {
            IpAddr::V4(_) => address.to_string(),
            IpAddr::V6(_) => network_of(address).to_string(),
        };
        keys.push(Key::Address(name));
    }
    keys
}

fn left(bucket: Option<&Bucket>, allowance: Allowance, now: Timestamp) -> f64 {
    let Some(bucket) = bucket else {
        return allowance.attempts;
    };
    let seconds = now.since(bucket.at).max(0) as f64 / 1e9;
    (bucket.left + seconds / allowance.seconds_each).min(allowance.attempts)
}

/// Forgets the half that has the most left: those who tried least.
fn forget(buckets: &mut HashMap<Key, Bucket>, now: Timestamp) {
    let mut lefts: Vec<f64> = buckets
        .iter()
        .map(|(key, bucket)| left(Some(bucket), key.allowance(), now) / key.allowance().attempts)
        .collect();
    lefts.sort_by(f64::total_cmp);
    let middle = lefts.get(lefts.len() / 2).copied().unwrap_or_default();
    buckets.retain(|key, bucket| {
        left(Some(bucket), key.allowance(), now) / key.allowance().attempts < middle
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn address(last: u8) -> Option<IpAddr> {
        format!("192.0.2.{last}").parse().ok()
    }

    #[test]
    fn an_account_is_guarded_against_many_addresses() {
        let limit = SignInLimit::default();
        for n in 0..6 {
            assert_eq!(limit.take(address(n), "Root", NOW), Ok(()), "{n}");
        }
        assert_eq!(limit.take(address(9), "root ", NOW), Err(20));
        assert_eq!(limit.take(address(9), "camille", NOW), Ok(()));
        assert_eq!(limit.take(address(9), "root", NOW.plus_seconds(20)), Ok(()));
    }

    #[test]
    fn an_address_is_held_up_over_many_accounts() {
        let limit = SignInLimit::default();
        for n in 0..20 {
            assert_eq!(limit.take(address(1), &format!("user{n}"), NOW), Ok(()), "{n}");
        }
        assert_eq!(limit.take(address(1), "another", NOW), Err(15));
        assert_eq!(limit.take(address(2), "another", NOW), Ok(()));
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let limit = SignInLimit::default();
        for n in 0..20 {
            let address = format!("2001:db8::{n:x}").parse().ok();
            assert_eq!(limit.take(address, &format!("user{n}"), NOW), Ok(()), "{n}");
        }
        assert!(limit.take("2001:db8::ffff".parse().ok(), "another", NOW).is_err());
    }

    #[test]
    fn success_costs_nothing() {
        let limit = SignInLimit::default();
        for _ in 0..100 {
            assert_eq!(limit.take(address(1), "camille", NOW), Ok(()));
            limit.give_back(address(1), "camille");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let limit = SignInLimit::default();
        for n in 0..10_000_u32 {
            let address = Some(IpAddr::from((0x0A00_0000 + n).to_be_bytes()));
            let _ = limit.take(address, &format!("user{n}"), NOW);
            assert!(limit.0.lock().unwrap().len() <= BUCKETS + 2);
        }
    }
}
