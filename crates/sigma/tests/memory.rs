//! What loaded rules weigh. One test in a binary of its own: the allocator counts for the whole
//! process.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::alloc::System;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use vigie_sigma::{Correlator, Matcher, RuleSet, RuleText};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes that loaded rules and one worker's memory may keep, before any event was seen.
const KEPT: usize = 5 << 20;

fn kept(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.bytes_allocated.saturating_sub(change.bytes_deallocated)
}

/// A figure of this process in kilobytes, such as `VmHWM`, where the system tells.
fn status(name: &str) -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn shipped_rules_are_light() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules"));
    let mut texts: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect();
    texts.sort();
    let resident = status("VmHWM");
    let region = Region::new(ALLOCATOR);
    let (rules, _) = RuleSet::load(texts.iter().map(|(file, text)| RuleText { file, text }));
    let loaded = kept(&region);
    let rules = Arc::new(rules);
    let matcher = Matcher::new(Arc::clone(&rules));
    let correlator = Correlator::new(Arc::clone(&rules));
    let ready = kept(&region);
    println!(
        "{} rules keep {loaded} bytes, with a matcher and a correlator {ready}; allocated in all {}; \
         peak resident memory {resident:?} -> {:?} kB",
        rules.rules().len(),
        region.change().bytes_allocated,
        status("VmHWM"),
    );
    assert!(ready < KEPT, "{ready} bytes");
    drop((matcher, correlator));
}
