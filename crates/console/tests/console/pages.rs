//! What the pages say.

use axum::http::StatusCode;
use vigie_event::Severity;

use crate::client::Bench;
use crate::sample;

#[tokio::test]
async fn the_overview_tells_what_is_going_on() {
    let bench = Bench::ready().await;
    let mut browser = bench.signed_in().await;
    let quiet = browser.get("/").await.body;
    assert!(quiet.contains("All quiet") && quiet.contains("Dry run"));
    let id = sample::fill(&bench.state, bench.now()).await;
    let page = browser.get("/").await.body;
    for expected in [
        &format!("href=\"/incidents/{id}\""),
        "203.0.113.7 guessed the password of deploy",
        "confidence 97%",
        "Ban the address",
        "Simulated",
        "14 alerts in 24 hours",
        "href=\"/incidents?rule=ssh-brute-force\"",
        "data-chart-table=\"hours\"",
        "data-live=\"/live\"",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    assert_eq!(page.matches("data-value=").count(), 24);
}

#[tokio::test]
async fn incidents_are_filtered_by_what_the_form_says() {
    let bench = Bench::ready().await;
    sample::fill(&bench.state, bench.now()).await;
    let mut browser = bench.signed_in().await;
    for (query, expected) in [
        ("", 12),
        ("?severity=high", 2),
        ("?severity=critical&status=unclosed", 1),
        ("?status=closed", 0),
        ("?text=198.51.100.23", 1),
        ("?text=%25", 0),
        ("?rule=port-scan", 8),
        ("?from=2026-03-12&to=2026-03-12", 10),
        ("?from=2026-03-13", 0),
        ("?severity=nonsense", 12),
    ] {
        let page = browser.get(&format!("/incidents{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert_eq!(page.body.matches("class=\"row-link\"").count(), expected, "{query}");
    }
    let page = browser.get("/incidents?status=closed").await.body;
    assert!(page.contains("Nothing matches"));
    assert!(browser.get("/incidents?from=soon").await.body.contains("date cannot be read"));
    assert!(browser.get("/incidents?after=soon").await.body.contains("this is the first one"));
}

#[tokio::test]
async fn lists_have_pages_that_keep_the_filter() {
    let bench = Bench::ready().await;
    for minute in 0..60 {
        let now = bench.now().plus_seconds(-minute * 60);
        let mut case = sample::hostile(now, "a plain title");
        case.incident.severity = Severity::High;
        case.save(&bench.state).await;
    }
    let mut browser = bench.signed_in().await;
    let mut path = "/incidents?severity=high".to_owned();
    let mut seen = Vec::new();
    for expected in [25, 25, 10] {
        let page = browser.get(&path).await.body;
        let links = page.split("class=\"row-link\" href=\"").skip(1);
        seen.extend(links.map(|rest| rest.split('"').next().unwrap().to_owned()));
        let rows = page.matches("class=\"row-link\"").count();
        assert_eq!(rows, expected, "{path}");
        let Some(older) =
            page.split("rel=\"next\"").next().filter(|_| page.contains("rel=\"next\""))
        else {
            break;
        };
        let href = older.rsplit("href=\"").next().unwrap();
        path = href.split('"').next().unwrap().replace("&#38;", "&");
        assert!(path.contains("severity=high"), "{path}");
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((count, seen.len()), (60, 60));
}

#[tokio::test]
async fn an_incident_is_explained_down_to_the_line() {
    let bench = Bench::ready().await;
    let id = sample::fill(&bench.state, bench.now()).await;
    let mut browser = bench.signed_in().await;
    let page = browser.get(&format!("/incidents/{id}")).await.body;
    for expected in [
        "After 148 failed logins",
        "97%",
        "T1110.001</span> Password Guessing",
        "Credential Access",
        "34 / 100",
        "Automated, origin unknown",
        "on host atlas, where the actor had got in",
        "/var/log/auth.log",
        "offset 91004",
        "COMMAND=/usr/sbin/useradd",
        "Lock the accounts deploy and backup2",
        "Did the intruder reach other machines",
        "block-attackers",
        "TKT-0001",
        "for 4\u{A0}h",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    // Each proof leads to a line on the page.
    let proofs: Vec<&str> =
        page.split("href=\"#event-").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    // Of the claims and of the signs of automation.
    assert_eq!(proofs.len(), 9 + 8);
    for proof in proofs {
        assert!(page.contains(&format!("id=\"event-{proof}\"")), "{proof}");
    }
    for missing in ["/incidents/x", "/incidents/00000000-0000-7000-8000-000000000000"] {
        assert_eq!(browser.get(missing).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn every_page_speaks_french() {
    let bench = Bench::ready().await;
    let id = sample::fill(&bench.state, bench.now()).await;
    let mut browser = bench.signed_in().await;
    for (path, title) in [
        ("/", "Vue d’ensemble"),
        ("/incidents", "Incidents"),
        (&format!("/incidents/{id}"), "203.0.113.7 a deviné le mot de passe"),
        ("/bans", "Bannissements"),
        ("/tickets", "Tickets"),
        ("/account", "Mon compte"),
        ("/nothing", "Rien ici"),
    ] {
        let separator = if path.contains('?') { '&' } else { '?' };
        let page = browser.get(&format!("{path}{separator}lang=fr")).await.body;
        assert!(page.contains("<html lang=\"fr\""), "{path}");
        assert!(page.contains(&format!("<title>{title}")), "{path}");
        // Once asked for, it stays; and back again.
        assert!(browser.get(path).await.body.contains("<html lang=\"fr\""), "{path}");
        let page = browser.get(&format!("{path}{separator}lang=en")).await.body;
        assert!(page.contains("<html lang=\"en\""), "{path}");
    }
}

#[tokio::test]
async fn the_language_is_the_one_asked_for_last() {
    let bench = Bench::ready().await;
    let mut browser = bench.browser();
    browser.lang = "fr-CA,fr;q=0.9,en;q=0.5";
    assert!(browser.get("/sign-in").await.body.contains("Se connecter"));
    // Whoever signs in for the first time keeps their browser's language.
    browser.sign_in("camille", crate::client::PASSWORD).await;
    browser.lang = "en";
    let page = browser.get("/account").await;
    assert!(page.body.contains("Mon compte"));
    let fields = [("form_token", &*page.form_token()), ("lang", "en")];
    let answer = browser.post("/account/language", &fields).await;
    assert_eq!(answer.header("location"), "/account?done=saved");
    assert!(browser.get("/account?done=saved").await.body.contains("Saved."));
    assert!(browser.get("/?lang=fr").await.body.contains("Vue d’ensemble"));
}

#[tokio::test]
async fn the_theme_is_kept_without_scripts() {
    let bench = Bench::ready().await;
    let mut browser = bench.browser();
    assert!(!browser.get("/sign-in").await.body.contains("data-theme="));
    assert!(browser.get("/sign-in?theme=dark").await.body.contains("data-theme=\"dark\""));
    assert!(browser.get("/sign-in").await.body.contains("data-theme=\"dark\""));
    browser.get("/sign-in?theme=%22%3E").await;
    assert!(browser.get("/sign-in").await.body.contains("data-theme=\"dark\""));
}

#[tokio::test]
async fn failures_are_pages() {
    let bench = Bench::ready().await;
    let mut browser = bench.signed_in().await;
    let page = browser.get("/nothing").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.body.contains("This page does not exist") && page.body.contains("<h1>"));
    let page = browser.post("/", &[]).await;
    assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(page.header("allow").contains("GET"));
    let large = "x".repeat(100_000);
    let page = browser.post("/sign-in", &[("name", &large), ("password", "x")]).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    bench.state.close().await.unwrap();
    let page = browser.get("/bans").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.body.contains("Reference for the log") && !page.body.contains("database"));
}

#[tokio::test]
async fn pages_hold_no_inline_script_or_style() {
    let bench = Bench::ready().await;
    let id = sample::fill(&bench.state, bench.now()).await;
    let mut browser = bench.signed_in().await;
    for path in ["/", "/incidents", &format!("/incidents/{id}"), "/bans", "/tickets", "/account"] {
        let page = browser.get(path).await.body;
        for tag in page.split("<script").skip(1) {
            assert!(tag.starts_with(" src=\"/assets/"), "{path}: {}", &tag[..60]);
        }
        for forbidden in ["<style", " style=", " onclick=", " onload=", "javascript:", "hx-on"] {
            assert!(!page.contains(forbidden), "{path}: {forbidden}");
        }
    }
}

#[tokio::test]
async fn a_flood_of_alerts_and_evidence_is_folded() {
    let bench = Bench::ready().await;
    let case = sample::flood(bench.now(), 230);
    let id = case.incident.id;
    case.save(&bench.state).await;
    let mut browser = bench.signed_in().await;
    let page = browser.get(&format!("/incidents/{id}")).await.body;
    assert!(page.contains("8 alerts · 230 events"));
    let alerts = page.split("aria-labelledby=\"alerts\"").nth(1).unwrap();
    let (first, folded) = alerts.split_once("<details").unwrap();
    let folded = folded.split_once("</details>").unwrap().0;
    let alerts = |text: &str| text.matches("<li id=\"alert-").count();
    assert_eq!((alerts(first), alerts(folded)), (6, 2));
    assert!(folded.contains("Show 2 more alerts"));
    let evidence = page.split("aria-labelledby=\"evidence\"").nth(1).unwrap();
    let (first, folded) = evidence.split_once("<details").unwrap();
    let lines = |text: &str| text.matches("<li id=\"event-").count();
    assert_eq!((lines(first), lines(folded)), (10, 190));
    assert!(first.contains("230 lines"));
    assert!(folded.contains("Show 190 more lines") && folded.contains("30 later lines are kept"));
    // Proofs lead to lines in the fold too, and every line has one address.
    let ids: std::collections::HashSet<&str> =
        evidence.split("<li id=\"").skip(1).filter_map(|line| line.split('"').next()).collect();
    assert_eq!(ids.len(), 200);
}
