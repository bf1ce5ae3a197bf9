//! What people change.

use axum::http::StatusCode;
use vigie_event::{CloseReason, IncidentStatus};
use vigie_store::state::{AuditFilter, BanStatus, PageRequest, Role, TicketStatus};

use crate::client::{Bench, PASSWORD};
use crate::sample;

#[tokio::test]
async fn an_incident_is_taken_on_noted_closed_and_reopened() {
    let bench = Bench::ready().await;
    let id = sample::fill(&bench.state, bench.now()).await;
    let mut browser = bench.signed_in().await;
    let path = format!("/incidents/{id}");
    let token = browser.get(&path).await.form_token();
    let answer =
        browser.post(&format!("{path}/assign"), &[("form_token", &token), ("owner", "me")]).await;
    assert_eq!(answer.header("location"), format!("{path}?done=owner"));
    let page = browser.get(answer.header("location")).await.body;
    assert!(page.contains("owner is changed") && page.contains("Hand it back"));

    let note = "Called the owner of atlas.\nShe is on her way <b>now</b>.";
    let fields = [("form_token", &*token), ("text", note)];
    assert_eq!(browser.post(&format!("{path}/notes"), &fields).await.status, StatusCode::SEE_OTHER);
    let page = browser.get(&path).await.body;
    assert!(page.contains("Called the owner of atlas.\nShe is on her way &#60;b&#62;now"));

    let close = format!("{path}/status");
    let without = [("form_token", &*token), ("status", "closed"), ("close_reason", "")];
    assert_eq!(browser.post(&close, &without).await.status, StatusCode::BAD_REQUEST);
    let with = [("form_token", &*token), ("status", "closed"), ("close_reason", "true_positive")];
    assert_eq!(browser.post(&close, &with).await.status, StatusCode::SEE_OTHER);
    let stored = bench.state.incident(id).await.unwrap().unwrap().incident;
    assert_eq!(stored.status, IncidentStatus::Closed);
    assert_eq!(stored.close_reason, Some(CloseReason::TruePositive));
    assert_eq!(stored.owner.as_deref(), Some("camille"));
    assert!(browser.get(&path).await.body.contains("Attack (true positive)"));

    let reopen = [("form_token", &*token), ("status", "open")];
    assert_eq!(browser.post(&close, &reopen).await.status, StatusCode::SEE_OTHER);
    let audit = bench.state.audit(&AuditFilter::default(), &PageRequest::default()).await.unwrap();
    let by_camille = audit.items.iter().filter(|row| row.actor == "camille").count();
    assert!(by_camille >= 5, "{by_camille}");
}

#[tokio::test]
async fn a_ban_is_lifted_once() {
    let bench = Bench::ready().await;
    sample::fill(&bench.state, bench.now()).await;
    let mut browser = bench.signed_in().await;
    let page = browser.get("/bans").await;
    assert!(page.body.contains(">203.0.113.7<") && page.body.contains(">2001:db8:7::/64<"));
    let ban = bench.state.active_bans().await.unwrap().remove(0);
    let token = page.form_token();
    let path = format!("/bans/{}/lift", ban.id);
    let answer = browser.post(&path, &[("form_token", &token)]).await;
    assert_eq!(answer.header("location"), "/bans?done=lifted");
    let lifted = bench.state.ban(&ban.id).await.unwrap().unwrap();
    assert_eq!((lifted.status, lifted.ended_by.as_deref()), (BanStatus::Lifted, Some("camille")));
    assert!(browser.get("/bans?history=1").await.body.contains("Lifted"));
    let again = browser.post(&path, &[("form_token", &token)]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let unknown = browser.post("/bans/nothing/lift", &[("form_token", &token)]).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_ticket_is_closed_and_reopened() {
    let bench = Bench::ready().await;
    sample::fill(&bench.state, bench.now()).await;
    let mut browser = bench.signed_in().await;
    let page = browser.get("/tickets").await;
    assert!(page.body.contains("TKT-0001"));
    let token = page.form_token();
    for (status, expected) in [("closed", TicketStatus::Closed), ("open", TicketStatus::Open)] {
        let fields = [("form_token", &*token), ("status", status)];
        let answer = browser.post("/tickets/TKT-0001/status", &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        let ticket = bench.state.ticket("TKT-0001").await.unwrap().unwrap();
        assert_eq!(ticket.status, expected);
    }
    let fields = [("form_token", &*token), ("status", "lost")];
    let answer = browser.post("/tickets/TKT-0001/status", &fields).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_new_password_signs_out_everywhere_else() {
    let bench = Bench::ready().await;
    let mut browser = bench.signed_in().await;
    let mut other = bench.signed_in().await;
    let token = browser.get("/account").await.form_token();
    let change = |current: &'static str, new: &'static str, repeated: &'static str| {
        [("current", current), ("password", new), ("repeated", repeated)]
    };
    let new = "cinq phares au loin";
    for (fields, expected) in [
        (change("wrong", new, new), "current password is wrong"),
        (change(PASSWORD, "short", "short"), "at least 12 characters"),
        (change(PASSWORD, new, "another"), "not the same"),
    ] {
        let mut all = fields.to_vec();
        all.push(("form_token", &token));
        let answer = browser.post("/account/password", &all).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains(expected), "{expected}");
    }
    let mut all = change(PASSWORD, new, new).to_vec();
    all.push(("form_token", &token));
    let answer = browser.post("/account/password", &all).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
    assert_eq!(other.get("/account").await.status, StatusCode::SEE_OTHER);
    assert_eq!(bench.browser().sign_in("camille", PASSWORD).await.status, StatusCode::FORBIDDEN);
    assert_eq!(bench.browser().sign_in("camille", new).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn closings_are_shown_exported_and_forgotten_by_administrators() {
    let bench = Bench::ready().await;
    let id = sample::fill(&bench.state, bench.now()).await;
    let mut browser = bench.signed_in().await;
    assert!(browser.get("/learning").await.body.contains("Nothing learnt yet"));
    let token = browser.get(&format!("/incidents/{id}")).await.form_token();
    let close =
        [("form_token", &*token), ("status", "closed"), ("close_reason", "benign_true_positive")];
    browser.post(&format!("/incidents/{id}/status"), &close).await;

    let page = browser.get("/learning").await.body;
    assert!(page.contains("Wherever the rule fired") && page.contains("Permitted activity"));
    let learnt = browser.get("/api/v1/learning").await.json();
    let items = learnt["items"].as_array().unwrap().clone();
    assert!(!items.is_empty());
    for item in &items {
        assert_eq!(item["kind"], "precedent");
        assert_eq!(item["closings"]["benign_true_positive"], 1, "{item}");
    }
    let rule = items[0]["rule"].as_str().unwrap().to_owned();
    let of_rule = browser.get(&format!("/api/v1/learning?rule={rule}")).await.json();
    assert!(of_rule["items"].as_array().unwrap().len() <= items.len());

    // Analysts read it and cannot make it forget.
    let mut analyst = bench.signed_in_as(Role::Analyst).await;
    let page = analyst.get("/learning").await;
    assert!(!page.body.contains("/learning/reset"));
    let token = analyst.get(&format!("/incidents/{id}")).await.form_token();
    let reset = [("form_token", &*token), ("rule", "")];
    assert_eq!(analyst.post("/learning/reset", &reset).await.status, StatusCode::FORBIDDEN);
    assert!(bench.state.count_precedents(None).await.unwrap() > 0);

    let token = browser.get("/learning").await.form_token();
    let reset = [("form_token", &*token), ("rule", "")];
    let answer = browser.post("/learning/reset", &reset).await;
    assert_eq!(answer.header("location"), "/learning?done=forgotten");
    assert!(bench.state.count_precedents(None).await.unwrap() == 0);
    let filter =
        AuditFilter { action: Some("learning.reset".to_owned()), ..AuditFilter::default() };
    let audit = bench.state.audit(&filter, &PageRequest::default()).await.unwrap();
    assert_eq!((audit.items.len(), audit.items[0].actor.as_str()), (1, "camille"));
}
