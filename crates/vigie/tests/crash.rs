//! SIGKILL at random moments under load: no acknowledged event is lost, no alert is doubled, and
//! windows go on.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{Centre, TOKEN};
use vigie_detector::{Detector, Settings};
use vigie_event::{Alert, Event};
use vigie_parser::{Options, Parser, Reference};
use vigie_sigma::{RuleSet, RuleText};
use vigie_store::journal::{Journal, JournalOptions, Position};
use vigie_store::state::{AlertFilter, PageRequest, State};

const KILLS: u32 = 100;
const LINES_PER_POST: u64 = 20;
const CONFIGURATION: &str =
    "[sources]\nfiles = []\njournald = \"never\"\n[detection]\nsnapshot_s = 0\n";

/// A fixed sequence of small pauses, so that a failure can be run again.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> Duration {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis(50 + (self.0 >> 33) % 350)
    }
}

/// Line `number`: one failure a second, from one of twenty addresses in turn, so that each window
/// of two minutes spans many kills.
fn line(number: u64) -> String {
    let time = 1_767_225_600 + number as i64;
    let time = vigie_event::Timestamp::from_seconds(time);
    let address = number % 20 + 1;
    format!(
        "{time} host sshd[{}]: Failed password for root from 203.0.113.{address} port 40000 ssh2",
        number + 1
    )
}

/// Posts lines until the centre is gone; adds the numbers that were acknowledged.
fn load(url: &str, next: &mut u64, acknowledged: &mut BTreeSet<u64>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let numbers = *next..*next + LINES_PER_POST;
        // Never sent again, acknowledged or not: each number stands in the journal at most once.
        *next += LINES_PER_POST;
        let body: String = numbers.clone().map(|number| line(number) + "\n").collect();
        let answer = ureq::post(format!("{url}/ingest?as=syslog&source=load"))
            .header("X-Auth-Token", TOKEN)
            .header("Content-Type", "text/plain")
            .send(body.as_bytes());
        match answer {
            Ok(answer) if answer.status().is_success() => acknowledged.extend(numbers),
            _ => return,
        }
    }
}

#[test]
fn nothing_is_lost_or_doubled_by_a_hundred_kills() {
    let dir = tempfile::tempdir().unwrap();
    let mut moments = Moments(7);
    let (mut next, mut acknowledged) = (0, BTreeSet::new());
    for _ in 0..KILLS {
        let centre = Centre::start(dir.path(), CONFIGURATION, &[]);
        let url = centre.agents[0].clone();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let loader = scope.spawn(|| load(&url, &mut next, &mut acknowledged, &stop));
            // Not to wait for anything: the moment of the kill is what the test varies.
            std::thread::sleep(moments.next());
            centre.kill();
            stop.store(true, Ordering::Relaxed);
            loader.join().unwrap();
        });
    }
    // A last start finds what the kills have left behind, and ends in good order.
    Centre::start(dir.path(), CONFIGURATION, &[]).stop();

    let (kept, expected) = replay(&dir.path().join("data/journal"));
    assert!(acknowledged.len() > 1_000, "too little load: {}", acknowledged.len());
    let lost: Vec<_> = acknowledged.iter().filter(|number| !kept.contains_key(number)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let doubled: Vec<_> = kept.iter().filter(|(_, times)| **times > 1).collect();
    assert!(doubled.is_empty(), "kept more than once: {doubled:?}");

    let alerts = alerts_in(&dir.path().join("data/state.sqlite"));
    let told = |alert: &Alert| (alert.id, alert.rule.id.clone(), alert.count, alert.first_seen);
    let mut found: Vec<_> = alerts.iter().map(told).collect();
    let mut wanted: Vec<_> = expected.iter().map(told).collect();
    found.sort();
    wanted.sort();
    assert!(!wanted.is_empty());
    assert_eq!(found, wanted, "alerts differ from those of one uninterrupted run");
    println!("{} acknowledged, {} alerts", acknowledged.len(), found.len());
}

/// How often each number stands in the journal, and the alerts of one uninterrupted run over it.
fn replay(journal: &Path) -> (BTreeMap<u64, u32>, Vec<Alert>) {
    let (journal, recovery) = Journal::open(journal, JournalOptions::default()).unwrap();
    assert!(recovery.is_clean(), "{recovery:?}");
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules")).unwrap();
    let mut texts: Vec<_> = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap()))
        .collect();
    texts.sort();
    let (rules, _) = RuleSet::load(texts.iter().map(|(file, text)| RuleText { file, text }));
    let mut detector = Detector::new(Arc::new(rules), Settings::default());
    let options = Options { timezone: jiff::tz::TimeZone::UTC, reference: Reference::Observed };
    let mut parser = Parser::new(options);
    let mut event = Event::default();
    let mut kept = BTreeMap::new();
    let mut alerts = BTreeMap::new();
    let mut reader = journal.reader(Position(0));
    while let Some(batch) = reader.next_view().unwrap() {
        for record in batch.records() {
            parser.parse(&record, &mut event);
            detector.observe(&event);
            let process = event.integer_of(vigie_event::field::PROCESS_PID).unwrap();
            *kept.entry(process as u64 - 1).or_default() += 1;
        }
        let changed = detector.take_changes().alerts;
        alerts.extend(changed.into_iter().map(|alert| (alert.id, alert)));
    }
    (kept, alerts.into_values().collect())
}

fn alerts_in(path: &Path) -> Vec<Alert> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let state = State::open(path).await.unwrap();
        let mut page = PageRequest { limit: 500, after: None };
        let mut alerts = Vec::new();
        loop {
            let found = state.alerts(&AlertFilter::default(), &page).await.unwrap();
            alerts.extend(found.items);
            match found.next {
                Some(after) => page.after = Some(after),
                None => return alerts,
            }
        }
    })
}
