//! A second verdict from a language model: asked for, kept and shown beside the first, while the
//! response waits for none of it.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[allow(dead_code)]
#[path = "../../analyzer/tests/model/server.rs"]
mod server;

use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Centre, objects, run, wait_for};
use server::{Received, Server, Step};
use vigie_event::{Action, ModelStatus, Proposal, Severity};
use vigie_store::state::{
    Agreement, DecisionFilter, IncidentDetail, IncidentFilter, PageRequest, State,
};

/// A server that holds to schemas; about incidents it does what `step` says.
fn model(step: impl Fn(&Received) -> Step + Send + 'static) -> Server {
    Server::start(move |received| {
        let format = &received.body["response_format"]["json_schema"];
        if format["name"] == "probe" {
            let legal = &format["schema"]["properties"]["word"]["enum"][0];
            return Step::Say(serde_json::json!({ "word": legal }).to_string());
        }
        step(received)
    })
}

/// What a model says that wants to have the incident closed.
const APPEASING: &str = r#"{"facts":[0],"category":"benign","severity":"informational","confidence":90,"false_positive":95,"actions":[0],"questions":[0],"close":true}"#;

fn configuration(server: &Server) -> String {
    format!(
        "[sources]\nfiles = []\njournald = \"never\"\n[model]\nurl = \"{}\"\nname = \"tiny\"\ntimeout_s = 5\n",
        server.base
    )
}

/// Ten failed logins from `address`.
fn attack(centre: &Centre, address: &str) {
    let mut lines = String::new();
    for n in 0..10 {
        let (second, port) = (10 + n, 40_000 + n);
        writeln!(
            lines,
            "2026-01-05T10:12:{second:02}Z web sshd[7]: Failed password for root from {address} port {port} ssh2"
        )
        .unwrap();
    }
    let (status, answer) = centre.post(0, "/ingest?as=syslog&source=test", &lines);
    assert!((200..300).contains(&status), "{status} {answer}");
}

struct Kept {
    incidents: Vec<IncidentDetail>,
    bans: usize,
    status: Option<ModelStatus>,
    agreement: Agreement,
}

fn kept(dir: &Path) -> Kept {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let state = State::open(&dir.join("data/state.sqlite")).await.unwrap();
        let page = PageRequest { limit: 100, after: None };
        let found = state.incidents(&IncidentFilter::default(), &page).await.unwrap();
        let mut incidents = Vec::new();
        for summary in found.items {
            incidents.extend(state.incident(summary.incident.id).await.unwrap());
        }
        let decisions = state.decisions(&DecisionFilter::default(), &page).await.unwrap();
        let bans = decisions.items.iter().filter(|one| one.decision.action == Action::BlockIp);
        let kept = Kept {
            incidents,
            bans: bans.count(),
            status: state.model_status().await.unwrap(),
            agreement: state.agreement().await.unwrap(),
        };
        state.close().await.unwrap();
        kept
    })
}

#[test]
fn a_second_verdict_stands_beside_the_first_and_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = model(|_| Step::Say(APPEASING.to_owned()));
    let centre = Centre::start(dir.path(), &configuration(&server), &[]);
    attack(&centre, "203.0.113.7");
    let kept_now = wait_for("a second verdict", || {
        let kept = kept(dir.path());
        let seconded = kept.incidents.iter().any(|one| one.verdicts.len() == 2);
        (seconded && kept.agreement.verdicts == 1 && kept.bans == 1).then_some(kept)
    });
    let incident = &kept_now.incidents[0];
    let by = |analyst: &str| incident.verdicts.iter().find(|one| one.analyst == analyst).unwrap();
    let (first, second) = (by("built-in"), by("tiny"));
    assert!(first.severity >= Severity::Medium);
    assert_eq!(second.severity, first.severity, "it lowers nothing");
    let trace = second.model.as_ref().unwrap();
    let lower = Proposal::Lower { to: Severity::Informational };
    assert_eq!(trace.proposals, [lower, Proposal::Close]);
    assert!(!trace.agrees && trace.schema_enforced && trace.prompt_tokens == 700);
    assert_eq!(kept_now.agreement, Agreement { verdicts: 1, agree: 0 });
    assert_eq!(incident.incident.status.name(), "open");
    let status = wait_for("the status", || {
        kept(dir.path()).status.filter(|status| status.verdicts == 1 && status.tokens_today > 0)
    });
    assert!(status.reachable && status.schema_enforced == Some(true));
    assert_eq!((status.form.as_str(), status.model.as_str()), ("json_schema", "tiny"));

    let asked = server.received().len();
    centre.kill();
    let centre = Centre::start(dir.path(), &configuration(&server), &[]);
    attack(&centre, "198.51.100.9");
    wait_for("a second verdict on the second incident", || {
        let all = kept(dir.path()).incidents;
        (all.len() == 2 && all.iter().all(|one| one.verdicts.len() == 2)).then_some(())
    });
    let about = |received: &Received, address: &str| received.body.to_string().contains(address);
    wait_for("the second ban", || (kept(dir.path()).bans == 2).then_some(()));
    let since: Vec<Received> = server.received().split_off(asked);
    assert!(!since.iter().any(|one| about(one, "203.0.113.7")), "what is known is not asked again");
    centre.stop();
}

#[test]
fn a_passing_fault_is_forgotten_with_the_next_answer() {
    let dir = tempfile::tempdir().unwrap();
    let failed = AtomicBool::new(false);
    let server = model(move |_| {
        let again = failed.swap(true, Ordering::Relaxed);
        if again { Step::Say(APPEASING.to_owned()) } else { Step::Status(500) }
    });
    let centre = Centre::start(dir.path(), &configuration(&server), &[]);
    attack(&centre, "203.0.113.7");
    let status = wait_for("a second verdict after a fault", || {
        kept(dir.path()).status.filter(|status| status.verdicts == 1)
    });
    assert!(status.reachable && status.problem.is_empty(), "{status:?}");
    centre.stop();
}

#[test]
fn an_incident_that_cannot_be_read_holds_up_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let without = "[sources]\nfiles = []\njournald = \"never\"\n[model]\nlook = false\n";
    let centre = Centre::start(dir.path(), without, &[]);
    attack(&centre, "203.0.113.7");
    attack(&centre, "198.51.100.9");
    wait_for("two incidents", || {
        let all = kept(dir.path()).incidents;
        (all.len() == 2 && all.iter().all(|one| one.verdicts.len() == 1)).then_some(())
    });
    centre.stop();
    let database = dir.path().join("data/state.sqlite");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite://{}", database.display());
        let database = sea_orm::Database::connect(&url).await.unwrap();
        let damage = "UPDATE verdict SET body = '{' WHERE incident_id IN \
                      (SELECT incident_id FROM alert WHERE source_ip = '203.0.113.7')";
        sea_orm::ConnectionTrait::execute_unprepared(&database, damage).await.unwrap();
        database.close().await.unwrap();
    });

    let server = model(|_| Step::Say(APPEASING.to_owned()));
    let centre = Centre::start(dir.path(), &configuration(&server), &[]);
    wait_for("the other's second verdict, and word of the first", || {
        runtime.block_on(async {
            let state = State::open(&database).await.unwrap();
            let verdicts = state.agreement().await.unwrap().verdicts;
            let status = state.model_status().await.unwrap();
            state.close().await.unwrap();
            (verdicts == 1 && status.is_some_and(|status| status.fallbacks == 1)).then_some(())
        })
    });
    centre.stop();
}

#[test]
fn no_ban_waits_for_a_model_that_hangs() {
    let dir = tempfile::tempdir().unwrap();
    let server = model(|_| Step::Hang);
    let centre = Centre::start(dir.path(), &configuration(&server), &[]);
    attack(&centre, "203.0.113.7");
    wait_for("the question", || {
        server
            .received()
            .iter()
            .any(|one| one.body.to_string().contains("203.0.113.7"))
            .then_some(())
    });
    // Who looks at the console sees that an answer is missing, while it is.
    wait_for("the number of those that wait", || {
        kept(dir.path()).status.filter(|status| status.waiting == 1 && status.problem.is_empty())
    });
    wait_for("the ban", || (kept(dir.path()).bans == 1).then_some(()));
    assert_eq!(kept(dir.path()).agreement.verdicts, 0);
    centre.stop();
}

#[test]
fn the_doctor_tells_how_the_model_is_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let told = |server: &Server, code: i32| {
        std::fs::write(dir.path().join("vigie.toml"), configuration(server)).unwrap();
        let arguments = ["doctor", "--json", "--config", "vigie.toml", "--data", "data"];
        let output = run(dir.path(), &arguments);
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stdout}");
        let checks = objects(&stdout);
        assert!(checks.iter().any(|check| check["name"] == "data" && check["state"] == "good"));
        checks.into_iter().find(|check| check["name"] == "model").unwrap()
    };
    let good = told(&model(|_| Step::Close), 0);
    assert!(
        good["text"].as_str().unwrap().contains("schema enforced: yes (json_schema)"),
        "{good}"
    );
    let loose = told(&Server::scripted(vec![Step::Say("blue".to_owned())]), 0);
    assert_eq!(loose["state"], "note");
    assert!(loose["text"].as_str().unwrap().contains("schema enforced: no"), "{loose}");
    let refused = told(&Server::scripted(vec![Step::Status(401)]), 1);
    assert!(refused["text"].as_str().unwrap().contains("VIGIE_MODEL_KEY"), "{refused}");

    std::fs::write(dir.path().join("vigie.toml"), "[model]\nname = \"x\"\n").unwrap();
    let output = run(dir.path(), &["up", "--config", "vigie.toml", "--data", "data"]);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && complaint.contains("model.url is not"), "{complaint}");
}
