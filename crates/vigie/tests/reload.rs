//! Rules that change while the centre runs: nothing is lost, nothing that works is taken down.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs::File;
use std::path::{Path, PathBuf};

use common::{Centre, vigie, wait_for};
use vigie_event::{Alert, Timestamp};
use vigie_store::state::{AlertFilter, PageRequest, State};

const CONFIGURATION: &str = "[console]\nlisten = \"127.0.0.1:0\"\n[agents_interface]\ncollect = \"127.0.0.1:0\"\nanalyze = \"127.0.0.1:0\"\nrespond = \"127.0.0.1:0\"\n[sources]\nfiles = []\njournald = \"never\"\n";
const BRUTE_FORCE: &str = "brute force";

/// A rule over failed logins of one account.
fn rule(number: u8, user: &str) -> String {
    format!(
        "title: Watch {user}\nid: 00000000-0000-4000-8000-0000000000{number:02}\nlogsource: {{ product: linux, service: sshd }}\ndetection:\n  one:\n    user.name: {user}\n    event.outcome: failure\n  condition: one\nlevel: medium\n"
    )
}

/// A running centre with rules of its own, and what it says.
struct Place {
    dir: tempfile::TempDir,
    centre: Centre,
    /// Tenths of a second that have gone by in the log.
    clock: i64,
}

impl Place {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("data/rules")).unwrap();
        std::fs::write(dir.path().join("data/rules/alpha.yml"), rule(1, "alpha")).unwrap();
        std::fs::write(dir.path().join("vigie.toml"), CONFIGURATION).unwrap();
        let arguments = ["up", "--json", "--data", "data", "--config", "vigie.toml"];
        let mut command = vigie(dir.path(), &arguments);
        command.stderr(File::create(dir.path().join("log")).unwrap());
        let centre = Centre::greeted(command);
        Self { dir, centre, clock: 0 }
    }

    fn rule_file(&self, name: &str) -> PathBuf {
        self.dir.path().join("data/rules").join(name)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// One failed login.
    fn fail(&mut self, user: &str, address: &str) {
        self.clock += 1;
        let time = Timestamp::from_nanos((17_672_256_000 + self.clock) * 100_000_000);
        let line = format!(
            "{time} web sshd[7]: Failed password for {user} from {address} port {} ssh2\n",
            40_000 + self.clock % 10_000
        );
        let (status, answer) = self.centre.post(0, "/ingest?as=syslog&source=test", &line);
        assert!((200..300).contains(&status), "{status} {answer}");
    }

    /// Lets `user` fail, each time from another address, until a rule has found it.
    fn fail_until_found(&mut self, user: &str) {
        let title = format!("Watch {user}");
        let mut last = 0;
        wait_for(&title, || {
            last += 1;
            self.fail(user, &format!("198.51.100.{}", last % 250));
            let alerts = alerts_in(self.dir.path());
            alerts.iter().any(|alert| alert.rule.title.en == title).then_some(())
        });
    }
}

fn alerts_in(dir: &Path) -> Vec<Alert> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let state = State::open(&dir.join("data/state.sqlite")).await.unwrap();
        let page = PageRequest { limit: 500, after: None };
        let found = state.alerts(&AlertFilter::default(), &page).await.unwrap();
        state.close().await.unwrap();
        found.items
    })
}

#[test]
fn a_reload_loses_no_window_and_no_working_rule() {
    let mut place = Place::start();
    for _ in 0..3 {
        place.fail("root", "203.0.113.7");
    }
    // A new rule, a broken new one, and a working one that is broken now.
    std::fs::write(place.rule_file("bravo.yml"), rule(2, "bravo")).unwrap();
    let broken = rule(3, "delta").replace("user.name:", "user.name|containz:");
    std::fs::write(place.rule_file("broken.yml"), broken).unwrap();
    std::fs::write(place.rule_file("alpha.yml"), "title: [\n").unwrap();
    place.centre.reload();
    place.fail_until_found("bravo");
    for _ in 0..3 {
        place.fail("root", "203.0.113.7");
    }
    place.fail_until_found("alpha");

    // Nobody asks: the files are looked at.
    std::fs::write(place.rule_file("charlie.yml"), rule(4, "charlie")).unwrap();
    place.fail_until_found("charlie");

    let log = place.log();
    let told = |name: &str| {
        let problem = log.lines().find(|line| line.contains("rules: ") && line.contains(name));
        problem.unwrap_or_else(|| panic!("{name} is not told: {log}")).to_owned()
    };
    assert!(told("broken.yml").contains("broken.yml:6:"), "{log}");
    assert!(told("alpha.yml").contains("in its earlier form"), "{log}");
    let Place { dir, centre, .. } = place;
    centre.stop();

    let alerts = alerts_in(dir.path());
    let of_root: Vec<&Alert> = alerts
        .iter()
        .filter(|alert| alert.rule.title.en.to_lowercase().contains(BRUTE_FORCE))
        .filter(|alert| alert.entities.has("source.ip", "203.0.113.7"))
        .collect();
    assert_eq!(of_root.len(), 1, "{alerts:#?}");
    assert_eq!((of_root[0].count, of_root[0].events.len()), (6, 6));
}

#[test]
fn a_start_refuses_what_is_wrong_and_runs_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("data/rules")).unwrap();
    std::fs::write(dir.path().join("data/rules/broken.yml"), b"title: caf\xe9").unwrap();
    std::fs::write(dir.path().join("data/rules/alpha.yml"), rule(1, "alpha")).unwrap();
    let sources = "[sources]\nfiles = []\njournald = \"never\"\n";
    let centre = Centre::start(dir.path(), sources, &[]);
    let line = "2026-01-01T00:00:01Z web sshd[7]: Failed password for alpha from 203.0.113.7 port 1 ssh2\n";
    centre.post(0, "/ingest?as=syslog&source=test", line);
    centre.stop();
    assert_eq!(alerts_in(dir.path()).len(), 1);
}
