//! What the hot path allocates: nothing.
// Helpers of tests are test code.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use std::alloc::System;

use common::{Stream, detector};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use vigie_detector::{Detector, Totals};
use vigie_event::Event;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn check(what: &str, detector: &mut Detector, events: &[Event], most: usize) {
    let (first, rest) = events.split_at(events.len() / 2);
    let mut totals = Totals::default();
    for event in first {
        detector.observe(event);
        totals.count(event);
    }
    let region = Region::new(ALLOCATOR);
    for event in rest {
        detector.observe(event);
        totals.count(event);
    }
    let used = region.change();
    let allocations = used.allocations + used.reallocations;
    assert!(allocations <= most, "{what}: {used:?}");
}

// One test, because the counters are the process's.
#[test]
fn the_hot_path_allocates_nothing() {
    let mut stream = Stream::default();
    let mut detector = detector();
    let mut quiet = vec![stream.request(0, "203.0.113.7", "/.env")];
    quiet.extend((0..3_000).map(|n| stream.request(n / 10, "198.51.100.9", "/index.html")));
    quiet.extend((0..3_000).map(|n| stream.request(n / 10, "203.0.113.7", "/index.html")));
    check("events that match nothing", &mut detector, &quiet, 0);

    let growing: Vec<_> =
        (0..40_000).map(|n| stream.request(300 + n / 10, "203.0.113.7", "/.env")).collect();
    check("an alert that grows", &mut detector, &growing, 0);

    let guessing: Vec<_> = (0..4_000)
        .map(|n| stream.login(4_300 + n / 10, "failure", "203.0.113.7", "root"))
        .collect();
    check("a correlation that goes on", &mut detector, &guessing, 0);
}
