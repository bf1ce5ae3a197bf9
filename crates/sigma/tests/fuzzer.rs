//! The fuzz targets, minutes each: any text as rules, pipelines or events breaks nothing. Part of
//! the slow suite (`VIGIE_SLOW_TESTS=1`); `bash fuzz/run.sh` runs them by hand.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::process::{Command, Stdio};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/run.sh");
/// Seconds for each target.
const SECONDS: &str = "180";

// The fuzzer is a program of its own: it is built with other flags.
#[allow(clippy::disallowed_methods)]
fn command(program: &str) -> Command {
    Command::new(program)
}

fn check(target: &str) {
    if std::env::var_os("VIGIE_SLOW_TESTS").is_none() {
        println!("skipped: set VIGIE_SLOW_TESTS=1 to fuzz {target} for {SECONDS} s");
        return;
    }
    let compiler = command("g++").arg("--version").stdout(Stdio::null()).status();
    if !compiler.is_ok_and(|status| status.success()) && std::env::var_os("CI").is_none() {
        println!("skipped: the fuzzer wants a C++ compiler (g++)");
        return;
    }
    let output = command("bash").args([SCRIPT, target, SECONDS]).output().expect("bash runs");
    let told = String::from_utf8_lossy(&output.stderr);
    let end = told.get(told.floor_char_boundary(told.len().saturating_sub(8_000))..);
    assert!(output.status.success(), "{target}:\n{}", end.unwrap_or_default());
    // It did run, and not only start.
    let units = told.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let units: u64 = units.and_then(|units| units.trim().parse().ok()).expect("its statistics");
    assert!(units > 1_000, "{target}: only {units} runs in {SECONDS} s");
}

#[test]
fn any_text_as_rules() {
    check("rules");
}

#[test]
fn any_text_as_pipelines() {
    check("pipelines");
}

#[test]
fn any_text_as_events() {
    check("events");
}
