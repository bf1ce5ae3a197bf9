//! The JSON interface.

use axum::http::StatusCode;

use crate::client::Bench;
use crate::sample;

#[tokio::test]
async fn strangers_get_a_problem_document() {
    let bench = Bench::ready().await;
    for path in ["overview", "incidents", "incidents/x", "alerts", "bans", "tickets"] {
        let answer = bench.browser().get(&format!("/api/v1/{path}")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        let problem = answer.json();
        assert_eq!(problem["status"], 401);
        assert_eq!(problem["type"], "about:blank");
        assert!(problem["title"].is_string() && problem["detail"].is_string());
    }
}

#[tokio::test]
async fn failures_are_problem_documents_in_the_readers_language() {
    let bench = Bench::ready().await;
    let mut browser = bench.signed_in().await;
    for (path, expected) in [
        ("/api/v1/nothing", 404),
        ("/api/v1/incidents/x", 404),
        ("/api/v1/incidents?after=x", 400),
        ("/api/v1/incidents?limit=x", 400),
        ("/api/v1/incidents?from=soon", 400),
        ("/api/v1/bans?status=x", 400),
        ("/api/v1/alerts?severity=x", 400),
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status.as_u16(), expected, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        assert_eq!(answer.json()["status"], expected, "{path}");
    }
    let answer = browser.get("/api/v1/nothing?lang=fr").await;
    assert_eq!(answer.json()["title"], "Rien ici");
    let answer = browser.post("/api/v1/incidents", &[]).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn lists_are_walked_by_cursor() {
    let bench = Bench::ready().await;
    sample::fill(&bench.state, bench.now()).await;
    let mut browser = bench.signed_in().await;
    for (list, kind, expected) in [
        ("incidents", "incident", 12),
        ("alerts", "alert", 14),
        ("bans", "ban", 3),
        ("tickets", "ticket", 1),
    ] {
        let mut after = String::new();
        let mut ids = Vec::new();
        loop {
            let path = format!("/api/v1/{list}?limit=5&after={after}");
            let page = browser.get(&path).await.json();
            for item in page["items"].as_array().unwrap() {
                assert_eq!(item["kind"], kind);
                ids.push(item["id"].as_str().unwrap().to_owned());
            }
            let Some(next) = page["next"].as_str() else { break };
            after = next.to_owned();
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), expected, "{list}");
    }
}

#[tokio::test]
async fn an_incident_comes_with_all_that_belongs_to_it() {
    let bench = Bench::ready().await;
    let id = sample::fill(&bench.state, bench.now()).await;
    let mut browser = bench.signed_in().await;
    let item = browser.get(&format!("/api/v1/incidents/{id}?lang=fr")).await.json();
    assert_eq!(item["kind"], "incident");
    assert_eq!(item["severity"], "critical");
    assert_eq!(item["actor"]["value"], "203.0.113.7");
    assert_eq!(item["alerts"].as_array().unwrap().len(), 3);
    assert_eq!(item["alert_details"][0]["kind"], "alert");
    assert_eq!(item["verdicts"][0]["confidence"], 97);
    assert!(item["verdicts"][0]["summary"].as_str().unwrap().starts_with("Après 148"));
    assert_eq!(item["decisions"].as_array().unwrap().len(), 2);
    assert_eq!(item["tickets"][0]["id"], "TKT-0001");
    let list = browser.get("/api/v1/incidents?severity=critical").await.json();
    assert_eq!(list["items"][0]["verdict"]["category"], "brute_force");
    let alerts = browser.get(&format!("/api/v1/alerts?incident={id}")).await.json();
    assert_eq!(alerts["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_overview_has_every_severity_and_hour() {
    let bench = Bench::ready().await;
    sample::fill(&bench.state, bench.now()).await;
    let mut browser = bench.signed_in().await;
    let overview = browser.get("/api/v1/overview").await.json();
    assert_eq!(overview["open_incidents"]["low"], 8);
    assert_eq!(overview["open_incidents"]["informational"], 0);
    assert_eq!(overview["alerts_per_hour"].as_array().unwrap().len(), 24);
    assert_eq!(overview["active_bans"], 3);
    assert_eq!(overview["mode"], "dry_run");
    assert_eq!(overview["top_rules"][0]["id"], "port-scan");
}
