//! A language model's verdict and how the model is doing, as people see them.

use vigie_event::{ModelStatus, ModelTrace, Proposal, Severity, Verdict};

use crate::client::Bench;
use crate::sample;

const HOSTILE: &str = "\"><script>alert(1)</script>\u{202E}http://evil.example.com/";

pub async fn seconded(bench: &Bench) -> vigie_event::IncidentId {
    let id = sample::fill(&bench.state, bench.now()).await;
    let detail = bench.state.incident(id).await.unwrap().unwrap();
    let first = detail.verdicts.first().unwrap().clone();
    let trace = ModelTrace {
        version: HOSTILE.to_owned(),
        prompt: "00c0ffee00c0ffee".to_owned(),
        prompt_tokens: 1_100,
        answer_tokens: 50,
        latency_ms: 2_500,
        proposals: vec![Proposal::Lower { to: Severity::Low }, Proposal::Close],
        note: HOSTILE.to_owned(),
        ..ModelTrace::default()
    };
    let second = Verdict {
        analyst: "tiny".into(),
        time: first.time.plus_seconds(9),
        model: Some(trace),
        ..first
    };
    bench.state.save_second(&second).await.unwrap();
    let status = ModelStatus {
        model: "tiny".to_owned(),
        url: "http://127.0.0.1:11434/v1".to_owned(),
        version: HOSTILE.to_owned(),
        reachable: true,
        latency_ms: Some(1_200),
        schema_enforced: Some(true),
        form: "json_schema".to_owned(),
        verdicts: 1,
        ..ModelStatus::default()
    };
    bench.state.set_model_status(Some(&status)).await.unwrap();
    id
}

#[tokio::test]
async fn the_model_s_verdict_stands_behind_the_first_and_is_labelled() {
    let bench = Bench::ready().await;
    let id = seconded(&bench).await;
    let mut browser = bench.signed_in().await;
    for (lang, label, proposal) in [
        ("en", "Written by a language model", "A proposal for you; nothing was changed:"),
        ("fr", "Rédigé par un modèle de langage", "Une proposition pour vous"),
    ] {
        let page = browser.get(&format!("/incidents/{id}?lang={lang}")).await.body;
        let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}"));
        assert!(place("verdict-1") < place(label) && place(label) < place(proposal));
        assert!(place("verdict-2") < place(label), "the first stands first");
        assert!(!page.contains("<script>alert") && !page.contains("href=\"http"));
        assert!(!page.contains('\u{202E}'));
        assert!(page.contains("00c0ffee00c0ffee"));
    }
    let item = browser.get(&format!("/api/v1/incidents/{id}")).await.json();
    let model = &item["verdicts"].as_array().unwrap().iter().find(|one| one["analyst"] == "tiny");
    let trace = &model.unwrap()["model"];
    assert_eq!(trace["proposals"][0]["advice"], "lower");
    assert_eq!(trace["proposals"][0]["to"], "low");
    assert_eq!(item["status"], "open");
    let list = browser.get("/api/v1/incidents?severity=critical").await.json();
    assert_eq!(list["items"][0]["verdict"]["analyst"], "built-in");
}

#[tokio::test]
async fn the_overview_tells_how_the_model_is() {
    let bench = Bench::ready().await;
    let mut browser = bench.signed_in().await;
    assert!(!browser.get("/").await.body.contains("id=\"model\""), "none is configured");
    assert!(browser.get("/api/v1/model").await.json()["model"].is_null());
    seconded(&bench).await;
    let page = browser.get("/?lang=en").await.body;
    for text in ["Language model", "Schema enforced", "json_schema", "1.2 s", "of 1 verdict"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("<script>alert"));
    let model = browser.get("/api/v1/model").await.json();
    assert_eq!(model["model"]["schema_enforced"], true);
    assert_eq!(model["agreement"]["verdicts"], 1);
    assert_eq!(model["agreement"]["agree"], 0);
}
