//! Floods stay within bounds, and what matters survives them.
// Helpers of tests are test code.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use std::alloc::System;

use common::{Stream, detector};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use vigie_detector::Settings;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The counters are the process's: one test at a time.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn address(n: u32) -> String {
    // Spread, so that hardly two share a /24.
    let [_, b, c, d] = n.wrapping_mul(2_654_435_761).to_be_bytes();
    format!("{}.{b}.{c}.{d}", 11 + n % 80)
}

#[test]
fn a_flood_of_addresses_does_not_push_out_the_patient_attacker() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut stream = Stream::default();
    let mut detector = detector();
    let patient = "203.0.113.7";
    for at in [0, 120, 240] {
        detector.observe(&stream.request(at, patient, "/.env"));
    }
    let before = detector.take_changes();
    let region = Region::new(ALLOCATOR);
    for n in 0..200_000 {
        detector.observe(&stream.request(241 + i64::from(n / 2_000), &address(n), "/.env"));
        if n % 500 == 0 {
            detector.take_changes();
        }
    }
    detector.take_changes();
    let used = region.change();
    let held = used.bytes_allocated.saturating_sub(used.bytes_deallocated);
    assert!(held < 70 << 20, "{held} bytes are held");

    let stats = detector.stats();
    let settings = Settings::default();
    assert!(stats.open_alerts <= settings.max_alerts, "{stats:?}");
    assert!(stats.open_incidents <= settings.max_incidents, "{stats:?}");
    assert!(stats.evicted_alerts > 100_000 && stats.evicted_incidents > 100_000, "{stats:?}");
    let mut totals = vigie_event::Stats::default();
    stats.add_to(&mut totals);
    assert_eq!(totals.lost.len(), 2);

    detector.observe(&stream.request(400, patient, "/.env"));
    let after = detector.take_changes();
    assert_eq!(after.alerts[0].id, before.alerts[0].id);
    assert_eq!(after.alerts[0].count, 4);
    assert_eq!(after.incidents[0].id, before.incidents[0].id);
}

#[test]
fn endless_names_and_paths_stay_within_bounds() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut stream = Stream::default();
    let mut detector = detector();
    let region = Region::new(ALLOCATOR);
    for n in 0..600_u32 {
        let path = format!("/{}/{n}/.env", "x".repeat(8_000));
        for k in 0..20 {
            let address = address(n % 200 * 7);
            detector.observe(&stream.request(i64::from(n), &address, &format!("{k}{path}")));
        }
        detector.take_changes();
    }
    let used = region.change();
    let held = used.bytes_allocated.saturating_sub(used.bytes_deallocated);
    assert!(held < 30 << 20, "{held} bytes are held");
    let alert_bytes: usize = {
        detector.observe(&stream.request(601, &address(0), "/.env"));
        let changes = detector.take_changes();
        changes.alerts[0]
            .entities
            .iter()
            .flat_map(|(_, values)| values)
            .map(vigie_event::CompactString::len)
            .sum()
    };
    assert!(alert_bytes < 20 << 10, "{alert_bytes}");
}

#[test]
fn what_is_over_leaves_memory() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut stream = Stream::default();
    let mut detector = detector();
    for n in 0..2_000 {
        detector.observe(&stream.request(i64::from(n), &address(n), "/.env"));
    }
    detector.take_changes();
    assert!(detector.stats().open_incidents > 1_500);
    for n in 0..5_000 {
        detector.observe(&stream.request(20_000 + n, "203.0.113.7", "/index.html"));
    }
    assert_eq!(detector.stats().open_incidents, 0);
    assert_eq!(detector.stats().open_alerts, 0);
    assert_eq!(detector.stats().evicted_incidents, 0);
}
