//! The autonomy score over labelled work: tools, people and agents of the simulator, each line read,
//! matched and judged as live.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{judged, shipped};
use vigie_analyzer::autonomy::{Activities, MOST_ACTIONS, MOST_ACTORS};
use vigie_event::{Autonomy, AutonomyBand, Timestamp};
use vigie_sensor::simulate;

/// Scripted tools: none of them may look like an agent.
const TOOLS: [&str; 7] = ["nmap", "hydra", "ffuf", "nuclei", "ansible", "monitor", "crawler"];
/// Those that say what they are.
const DECLARED: [&str; 4] = ["ffuf", "ansible", "monitor", "crawler"];
const PEOPLE: [&str; 2] = ["administrator", "visitor"];
/// Sessions of each kind of people; more with `VIGIE_SLOW_TESTS`.
const SESSIONS: u64 = 200;

fn highest(scores: &[Autonomy]) -> Option<&Autonomy> {
    scores.iter().max_by_key(|autonomy| autonomy.score)
}

/// The bounds of the Wilson score interval at 95 %.
fn wilson(hits: u64, of: u64) -> (f64, f64) {
    let (z, n) = (1.96_f64, of as f64);
    let share = hits as f64 / n;
    let middle = share + z * z / (2.0 * n);
    let spread = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    (((middle - spread) / scale).max(0.0), ((middle + spread) / scale).min(1.0))
}

/// What the signs add up to before gates cap it.
fn ungated(autonomy: &Autonomy) -> f64 {
    autonomy.indicators.iter().map(|sign| sign.points).sum()
}

#[test]
fn tools_stay_under_60_and_those_that_say_what_they_are_under_25() {
    let rules = shipped();
    for name in TOOLS {
        for seed in 1..=3 {
            let scores = judged(&rules, name, seed);
            let worst = highest(&scores).unwrap();
            let score = worst.score;
            assert!(score.is_none_or(|score| score < 60), "{name}: {worst:#?}");
            if DECLARED.contains(&name) {
                assert!(score.is_none_or(|score| score <= 24), "{name}: {worst:#?}");
            }
            if seed == 1 {
                println!("{name}: {score:?}, before the gates {:.1}", ungated(worst));
            }
        }
    }
}

#[test]
fn people_stay_under_60() {
    let rules = shipped();
    let sessions = if std::env::var_os("VIGIE_SLOW_TESTS").is_some() { 2_000 } else { SESSIONS };
    for name in PEOPLE {
        let (mut over, mut automated, mut ungated_over) = (0, 0, 0);
        for seed in 1..=sessions {
            let scores = judged(&rules, name, seed);
            let worst = highest(&scores);
            let score = worst.and_then(|autonomy| autonomy.score).unwrap_or(0);
            over += u64::from(score >= 60);
            automated += u64::from(score >= 25);
            ungated_over += u64::from(worst.is_some_and(|autonomy| ungated(autonomy) >= 60.0));
        }
        for (what, hits) in
            [("60 or more", over), ("60 before gates", ungated_over), ("25 or more", automated)]
        {
            let (low, high) = wilson(hits, sessions);
            println!(
                "{name}: {what}: {hits} of {sessions} sessions ({:.1}–{:.1} %)",
                low * 100.0,
                high * 100.0
            );
        }
        assert!(over * 100 <= sessions, "{name}: {over} of {sessions}");
        assert!(ungated_over * 100 <= sessions, "{name}: {ungated_over} of {sessions}");
    }
}

#[test]
fn agents_are_automated_and_each_sign_cites_events() {
    let rules = shipped();
    for seed in 1..=10 {
        let scores = judged(&rules, "ai-agent", seed);
        let agent = highest(&scores).unwrap();
        assert_eq!(agent.band, AutonomyBand::Automated, "{agent:#?}");
        for name in
            ["tempo.median_gap", "adaptivity.errors", "phase.credential", "language.credentials"]
        {
            let sign = agent.indicators.iter().find(|sign| sign.name == name);
            let sign = sign.unwrap_or_else(|| panic!("{name}: {agent:#?}"));
            assert!(sign.points > 0.0 && !sign.events.is_empty(), "{sign:?}");
            assert_ne!(sign.text.en, sign.text.fr);
        }
        if seed == 1 {
            println!("ai-agent: {:?}, before the gates {:.1}", agent.score, ungated(agent));
        }
    }
}

#[test]
fn sleeping_moves_an_agent_at_most_one_band() {
    let rules = shipped();
    let place = |autonomy: &Autonomy| match autonomy.band {
        AutonomyBand::InsufficientData | AutonomyBand::NoSign => 0_i32,
        AutonomyBand::Automated => 1,
        AutonomyBand::ProbableAgent => 2,
        AutonomyBand::StrongEvidence => 3,
    };
    for seed in 1..=10 {
        let still = place(highest(&judged(&rules, "ai-agent", seed)).unwrap());
        let slept = place(highest(&judged(&rules, "ai-agent-sleeping", seed)).unwrap());
        assert!((still - slept).abs() <= 1, "{seed}");
    }
}

#[test]
fn memory_is_bounded_whoever_comes() {
    let mut activities = Activities::default();
    let mut reader = common::Reader::new();
    for number in 0..5_000_u32 {
        let (high, low) = (number / 250, number % 250 + 1);
        let line = format!(
            "Jan  5 10:12:13 web-01 sshd[1]: Failed password for root from 198.{}.{high}.{low} port 4242 ssh2",
            18 + number % 2
        );
        reader.read(&line, None, |event| activities.observe(event));
        assert!(activities.len() <= MOST_ACTORS);
    }
    let mut one = Activities::default();
    for number in 0..1_000_u32 {
        let line = format!(
            "Jan  5 10:{:02}:{:02} web-01 sshd[1]: Failed password for root from 203.0.113.7 port {number} ssh2",
            number / 60,
            number % 60
        );
        reader.read(&line, None, |event| one.observe(event));
    }
    let activity = one.of_address("203.0.113.7").unwrap();
    assert_eq!(activity.actions().count(), MOST_ACTIONS);
    assert!(activity.total() >= 950, "{}", activity.total());
    assert!(activity.actions().is_sorted_by_key(|action| action.time));
}

#[test]
fn what_actors_did_survives_as_bytes() {
    let start = Timestamp::parse("2026-11-20T09:00:00Z").unwrap();
    let mut reader = common::Reader::new();
    let mut before = Activities::default();
    let records: Vec<_> = simulate::scenario("ai-agent", 1, start).unwrap().collect();
    let (early, late) = records.split_at(records.len() / 2);
    for record in early {
        reader.read(&record.line, Some(record.format), |event| before.observe(event));
    }
    let bytes = before.to_bytes();
    let mut after = Activities::default();
    after.remember(&bytes).unwrap();
    assert_eq!(after.to_bytes(), bytes);
    for record in late {
        reader.read(&record.line, Some(record.format), |event| {
            before.observe(event);
            after.observe(event);
        });
    }
    assert!(after.len() > 1);
    assert_eq!(after.to_bytes(), before.to_bytes());

    // Anything else is refused, and leaves what is there.
    let mut damaged = vec![Vec::new(), b"VGAC".to_vec(), vec![0; 100]];
    damaged.extend((0..bytes.len()).step_by(7).map(|end| bytes[..end].to_vec()));
    damaged.extend((0..bytes.len()).step_by(11).map(|place| {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1;
        flipped
    }));
    let kept = after.to_bytes();
    for wrong in damaged {
        assert!(after.remember(&wrong).is_err());
    }
    assert_eq!(after.to_bytes(), kept);
}
