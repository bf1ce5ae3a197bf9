//! Whom to ask about next, and when: times are handed in.

use vigie_analyzer::model::{
    Analyst, Answer, Asked, Breaker, Budget, Cache, Failed, Fault, Flaw, Job, Limits, Next,
    Outcome, delay_s,
};
use vigie_event::{Category, IncidentId, Severity, Timestamp};

use crate::sample::NOW;

const LIMITS: Limits = Limits { concurrency: 2, per_minute: 0, tokens_per_day: 0, attempts: 3 };

fn job(n: u128, severity: Severity, age_s: i64) -> Job {
    Job {
        incident: IncidentId::from_u128(n),
        revision: 1,
        severity,
        last_seen: NOW.plus_seconds(-age_s),
        attempts: 0,
        not_before: NOW,
    }
}

fn asked() -> Asked {
    Asked {
        answer: Answer {
            facts: vec![0],
            category: Category::BruteForce,
            severity: Severity::High,
            confidence: 70,
            false_positive: 5,
            actions: vec![0],
            questions: vec![0],
            close: false,
            note: String::new(),
        },
        repaired: false,
        prompt_tokens: 700,
        answer_tokens: 300,
        latency_ms: 5,
        version: String::new(),
    }
}

fn after(seconds: i64) -> Timestamp {
    NOW.plus_seconds(seconds)
}

fn taken(analyst: &mut Analyst, now: Timestamp) -> Job {
    match analyst.next(now) {
        Next::Ask(job) => job,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_worst_comes_first_and_then_the_newest() {
    let mut analyst = Analyst::new(Limits { concurrency: 9, ..LIMITS }, Budget::default());
    for one in [
        job(1, Severity::Low, 900),
        job(2, Severity::High, 10),
        job(3, Severity::Critical, 1),
        job(4, Severity::High, 60),
    ] {
        analyst.push(one);
    }
    // Again, and meanwhile worse.
    analyst.push(job(1, Severity::Medium, 0));
    let order: Vec<u128> = (0..4).map(|_| taken(&mut analyst, NOW).incident.as_u128()).collect();
    assert_eq!(order, [3, 2, 4, 1]);
    assert_eq!(analyst.next(NOW), Next::Idle);
    assert_eq!(analyst.waiting(), 4, "all are being asked about");
}

#[test]
fn no_more_at_a_time_a_minute_or_a_day_than_allowed() {
    let limits = Limits { per_minute: 6, tokens_per_day: 1_500, ..LIMITS };
    let mut analyst = Analyst::new(limits, Budget::default());
    (1..9).for_each(|n| analyst.push(job(n, Severity::High, 0)));
    let first = taken(&mut analyst, NOW);
    analyst.sent(NOW);
    assert_eq!(analyst.next(NOW), Next::At(after(10)), "six a minute");
    let second = taken(&mut analyst, after(10));
    analyst.sent(after(10));
    assert_eq!(analyst.next(after(30)), Next::Idle, "two at a time");
    analyst.push(first);
    analyst.answered(&first, 1, &asked(), after(30));
    let third = taken(&mut analyst, after(30));
    analyst.sent(after(30));
    analyst.answered(&second, 2, &asked(), after(31));
    let Next::At(tomorrow) = analyst.next(after(60)) else { panic!("the day's tokens are used") };
    assert_eq!(tomorrow.seconds() % 86_400, 0);
    assert_eq!(analyst.budget().used(after(60)), 2_000);
    analyst.answered(&third, 3, &asked(), after(61));
    assert!(matches!(analyst.next(tomorrow), Next::Ask(_)), "a new day");
    assert_eq!(analyst.budget().used(tomorrow), 0);
    // A restart does not give the day's tokens back.
    let mut restarted = Analyst::new(limits, analyst.budget());
    restarted.push(job(1, Severity::High, 0));
    assert!(matches!(restarted.next(after(90)), Next::At(_)));
}

#[test]
fn answers_are_known_again_and_the_oldest_forgotten() {
    let mut analyst = Analyst::new(LIMITS, Budget::default());
    analyst.push(job(1, Severity::High, 0));
    let one = taken(&mut analyst, NOW);
    assert!(analyst.known(5).is_none());
    analyst.answered(&one, 5, &asked(), NOW);
    assert_eq!(analyst.known(5), Some(&asked()));
    let mut cache = Cache::new(2);
    (0..3).for_each(|n| cache.put(n, asked()));
    assert_eq!([0, 1, 2].map(|n| cache.get(n).is_some()), [false, true, true]);
}

#[test]
fn a_fault_is_tried_again_later_and_later_and_then_given_up() {
    let mut analyst = Analyst::new(LIMITS, Budget::default());
    analyst.push(job(1, Severity::High, 0));
    let mut now = NOW;
    let broken = Failed::Server(Fault::Garbled, 10);
    let mut waits = Vec::new();
    loop {
        let one = taken(&mut analyst, now);
        if analyst.failed(&one, &broken, 1.0, now) == Outcome::GivenUp {
            break;
        }
        let Next::At(time) = analyst.next(now) else { panic!("it waits") };
        waits.push(time.since(now) / 1_000_000_000);
        now = time;
    }
    assert_eq!(waits, [4, 8]);
    assert_eq!((analyst.waiting(), analyst.budget().used(now)), (0, 30));
    // An answer that is wrong twice would be wrong again.
    let now = now.plus_seconds(15);
    analyst.push(job(2, Severity::High, 0));
    let one = taken(&mut analyst, now);
    let invalid = Failed::Invalid(Flaw::NoObject, 800);
    assert_eq!(analyst.failed(&one, &invalid, 0.0, now), Outcome::GivenUp);
    assert_eq!(analyst.budget().used(now), 830);
}

#[test]
fn a_server_s_limit_holds_for_all_and_costs_no_try() {
    for (asked_for, waits) in
        [(Some(30), [30, 30, 30, 32, 64]), (Some(1_800), [1_800; 5]), (None, [4, 8, 16, 32, 64])]
    {
        let mut analyst = Analyst::new(LIMITS, Budget::default());
        analyst.push(job(1, Severity::High, 0));
        analyst.push(job(2, Severity::Low, 0));
        let busy = Failed::Server(Fault::Busy(asked_for), 0);
        let mut now = NOW;
        for (n, wait) in waits.into_iter().enumerate() {
            let one = taken(&mut analyst, now);
            assert_eq!((one.incident.as_u128(), one.attempts), (1, 0), "{asked_for:?} {n}");
            assert_eq!(analyst.failed(&one, &busy, 1.0, now), Outcome::Again);
            now = now.plus_seconds(wait);
            assert_eq!(analyst.next(now.plus_seconds(-1)), Next::At(now), "{asked_for:?} {n}");
        }
        let one = taken(&mut analyst, now);
        analyst.answered(&one, 1, &asked(), now);
        assert_eq!(taken(&mut analyst, now).incident.as_u128(), 2, "the limit is over");
    }
}

#[test]
fn what_is_passed_over_leaves_its_place() {
    let mut analyst = Analyst::new(Limits { concurrency: 1, ..LIMITS }, Budget::default());
    analyst.push(job(1, Severity::High, 0));
    let one = taken(&mut analyst, NOW);
    analyst.push(one);
    assert_eq!((analyst.next(NOW), analyst.waiting()), (Next::Idle, 1));
    analyst.passed_over(&one);
    assert_eq!(analyst.waiting(), 0);
    analyst.push(one);
    assert_eq!(taken(&mut analyst, NOW), one);
}

#[test]
fn waits_double_with_their_spread_and_have_a_bound() {
    for (failed, chance, asked_for, expected) in [
        (1, 0.0, None, 2),
        (1, 1.0, None, 4),
        (2, 1.0, None, 8),
        (3, 0.5, None, 12),
        (30, 1.0, None, 300),
        (1, 0.0, Some(20), 20),
        (1, 0.0, Some(1_200), 1_200),
        (1, 0.0, Some(90_000), 3_600),
    ] {
        assert_eq!(delay_s(failed, chance, asked_for), expected, "{failed} {chance} {asked_for:?}");
    }
}

#[test]
fn a_dead_server_is_left_alone_and_no_incident_loses_its_turn() {
    let mut analyst = Analyst::new(Limits { concurrency: 1, ..LIMITS }, Budget::default());
    (1..4).for_each(|n| analyst.push(job(n, Severity::High, 0)));
    let dead = Failed::Server(Fault::Unreachable("nothing listens there".into()), 0);
    let mut now = NOW;
    let mut tries = 0;
    while now < after(3_600) {
        match analyst.next(now) {
            Next::Ask(one) => {
                tries += 1;
                assert_eq!(analyst.failed(&one, &dead, 0.5, now), Outcome::Again);
            }
            Next::At(time) => now = time,
            Next::Idle => panic!("they wait"),
        }
    }
    assert!(analyst.is_open() && tries < 20, "{tries} tries in an hour");
    assert_eq!(analyst.waiting(), 3);
    let one = taken(&mut analyst, now);
    analyst.answered(&one, 1, &asked(), now);
    assert!(!analyst.is_open());
    assert!(matches!(analyst.next(now.plus_seconds(300)), Next::Ask(_)));
}

#[test]
fn the_breaker_opens_for_longer_each_time() {
    let mut breaker = Breaker::default();
    breaker.failed(NOW);
    breaker.failed(NOW);
    assert_eq!(breaker.open_until(NOW), None);
    breaker.failed(NOW);
    assert_eq!(breaker.open_until(NOW), Some(after(15)));
    assert_eq!(breaker.open_until(after(15)), None, "one try may go through");
    breaker.failed(after(15));
    assert_eq!(breaker.open_until(after(16)), Some(after(45)));
    breaker.succeeded();
    breaker.failed(after(50));
    assert!(!breaker.is_open());
}
