//! Floods: whoever invents groups without end evicts his own, and memory stays bounded.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use std::net::Ipv4Addr;
use std::sync::Arc;

use support::rules;
use vigie_event::{Event, EventId, FieldId, Timestamp, Value, field};
use vigie_sigma::{Correlator, RuleIndex};

const RULES: &str = "title: failure
id: failure
logsource: {service: sshd}
detection: {s: {event.action: ssh_login}, condition: s}
---
title: by address
id: address
correlation: {type: event_count, rules: failure, group-by: [source.ip], timespan: 6h, condition: {gte: 10}}
---
title: by address and user
id: user
correlation: {type: value_count, rules: failure, group-by: [source.ip, user.name], timespan: 6h, condition: {field: n, gte: 10}}
";

/// A million in the ordinary suite, ten in the slow one (`VIGIE_SLOW_TESTS=1`).
fn flood() -> u64 {
    if std::env::var_os("VIGIE_SLOW_TESTS").is_some() { 10_000_000 } else { 1_000_000 }
}

/// An attacker tries once in so many events: more than a correlation has windows.
const EVERY: u64 = 60_000;

/// Feeds a flood in which an attacker tries now and then; tells the ids of the correlations that
/// noticed him, and how many windows there were at most.
fn noticed(flooder: fn(u64) -> (Ipv4Addr, u64)) -> (Vec<String>, usize) {
    let rules = rules(RULES);
    let matched = [RuleIndex(0)];
    let mut correlator = Correlator::new(Arc::clone(&rules));
    let (flood, number) = (flood(), FieldId::intern("n").unwrap());
    let mut found = Vec::new();
    let mut fired = Vec::new();
    let mut most = 0;
    let attacker = Ipv4Addr::new(203, 0, 113, 7);
    for n in 0..flood {
        let (address, user) = if n % EVERY == EVERY / 2 { (attacker, 0) } else { flooder(n) };
        let mut event = Event::default();
        event.logsources = support::SSHD;
        let (_, mut fields) = event.fields_mut();
        fields.address(field::SOURCE_IP, address.into());
        fields.integer(field::USER_NAME, user as i64);
        fields.value(number, Value::Integer(n as i64));
        // An hour in all.
        event.time = Timestamp::from_nanos(
            1_700_000_000_000_000_000 + (n * 3_600_000_000_000 / flood) as i64,
        );
        event.set_id(EventId::from_u128(u128::from(n) << 64 | u128::from(n)));
        correlator.observe(&event, &matched, &mut fired);
        most = most.max(correlator.windows());
        for firing in fired.drain(..).filter(|firing| firing.raised) {
            if *firing.group[0].1 == *attacker.to_string() {
                found.push(rules.rule(firing.rule).unwrap().reference.id.clone());
            }
        }
    }
    (found, most)
}

fn scrambled(n: u64) -> u64 {
    n.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[test]
fn a_flood_of_addresses_does_not_hide_a_slow_attack() {
    let (found, most) = noticed(|n| (Ipv4Addr::from_bits((scrambled(n) >> 32) as u32 | 1), n));
    assert_eq!(found, ["address", "user"]);
    assert!(most <= 65_536, "{most}");
}

#[test]
fn one_address_with_random_names_does_not_hide_a_slow_attack() {
    let (found, most) = noticed(|n| (Ipv4Addr::new(198, 51, 100, 1), scrambled(n)));
    assert_eq!(found, ["address", "user"]);
    assert!(most < 10_000, "{most}");
}
