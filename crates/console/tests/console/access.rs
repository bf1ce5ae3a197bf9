//! Who gets in, and what is turned away.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use vigie_console::{POLICY, Settings, create_administrator};
use vigie_store::state::Role;

use crate::client::{Bench, HOST, PASSWORD, form};

const PAGES: &[&str] = &["/", "/incidents", "/bans", "/tickets", "/account"];

#[tokio::test]
async fn pages_send_strangers_to_the_sign_in_page_and_back() {
    let bench = Bench::ready().await;
    let mut browser = bench.browser();
    for page in PAGES {
        let answer = browser.get(page).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{page}");
        assert!(answer.header("location").starts_with("/sign-in?next=%2F"), "{page}");
    }
    for answer in
        [browser.get("/live").await, browser.post("/sign-out", &[("form_token", "")]).await]
    {
        assert_eq!(answer.header("location"), "/sign-in?next=%2F");
    }
    let fields =
        [("name", "camille"), ("password", PASSWORD), ("next", "/incidents?severity=high")];
    let answer = browser.post("/sign-in", &fields).await;
    assert_eq!(answer.header("location"), "/incidents?severity=high");
    for page in PAGES {
        assert_eq!(browser.get(page).await.status, StatusCode::OK, "{page}");
    }
    let elsewhere = [("name", "camille"), ("password", PASSWORD), ("next", "//evil.example.com")];
    assert_eq!(browser.post("/sign-in", &elsewhere).await.header("location"), "/");
}

#[tokio::test]
async fn unknown_and_wrong_get_the_same_answer() {
    let bench = Bench::ready().await;
    let mut browser = bench.browser();
    let wrong = browser.sign_in("camille", "not the password").await;
    let unknown = browser.sign_in("nobody", "not the password").await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert_eq!(unknown.status, wrong.status);
    assert_eq!(unknown.body.replace("nobody", "camille"), wrong.body);
    assert!(browser.cookie("vigie_session").is_none());
    bench.state.create_user("second", Role::Admin, None, "camille", bench.now()).await.unwrap();
    bench.state.set_disabled("camille", true, "second", bench.now()).await.unwrap();
    assert_eq!(browser.sign_in("camille", PASSWORD).await.status, StatusCode::FORBIDDEN);
    // Somebody without a password can only come by link.
    assert_eq!(browser.sign_in("second", "").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn guessing_is_held_up_and_told_how_long() {
    let bench = Bench::ready().await;
    let mut browser = bench.browser();
    for _ in 0..6 {
        assert_eq!(browser.sign_in("camille", "x").await.status, StatusCode::FORBIDDEN);
    }
    let answer = browser.sign_in("camille", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), "20");
    assert!(answer.body.contains("Too many attempts"));
    bench.pass(20);
    assert_eq!(browser.sign_in("camille", PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_is_new_at_each_sign_in_and_ends_when_told() {
    let bench = Bench::ready().await;
    let mut browser = bench.signed_in().await;
    let first = browser.cookie("vigie_session").unwrap().to_owned();
    browser.sign_in("camille", PASSWORD).await;
    let second = browser.cookie("vigie_session").unwrap().to_owned();
    assert_ne!(first, second);
    let mut old = bench.browser();
    old.set_cookie("vigie_session", &first);
    assert_eq!(old.get("/").await.status, StatusCode::SEE_OTHER);
    // What stands in the state does not sign in.
    let sessions = bench.state.sessions_of("camille", bench.now()).await.unwrap();
    assert_eq!(sessions.len(), 1);
    assert_ne!(sessions[0].token_hash, second);
    old.set_cookie("vigie_session", &sessions[0].token_hash);
    assert_eq!(old.get("/").await.status, StatusCode::SEE_OTHER);

    let token = browser.get("/").await.form_token();
    let answer = browser.post("/sign-out", &[("form_token", &token)]).await;
    assert_eq!(answer.header("location"), "/sign-in");
    assert!(browser.cookie("vigie_session").is_none());
    browser.set_cookie("vigie_session", &second);
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_ends_when_idle_and_in_any_case() {
    let bench = Bench::ready().await;
    let mut browser = bench.signed_in().await;
    for _ in 0..15 {
        bench.pass(11 * 3_600);
        assert_eq!(browser.get("/").await.status, StatusCode::OK);
    }
    bench.pass(3 * 3_600);
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER, "seven days are over");
    let mut browser = bench.signed_in().await;
    bench.pass(12 * 3_600);
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER, "idle for twelve hours");
}

#[tokio::test]
async fn an_open_tab_is_no_work() {
    let bench = Bench::ready().await;
    let mut browser = bench.signed_in().await;
    for _ in 0..11 {
        bench.pass(3_600);
        let request = Request::get("/").header("vigie-refresh", "page");
        assert_eq!(browser.send(request, Body::empty()).await.status, StatusCode::OK);
    }
    bench.pass(3_600);
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_for_scripts_and_other_sites() {
    let bench = Bench::ready().await;
    let answer = bench.browser().sign_in("camille", PASSWORD).await;
    let cookie = answer.header("set-cookie");
    for part in ["vigie_session=", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let bench = Bench::with(Settings { tls: true, ..Settings::default() }).await;
    create_administrator(&bench.state, &*bench.clock, "camille", PASSWORD).await.unwrap();
    let request = Request::post("/sign-in")
        .header("origin", format!("https://{HOST}"))
        .header("content-type", "application/x-www-form-urlencoded");
    let fields = form(&[("name", "camille"), ("password", PASSWORD)]);
    let answer = bench.browser().send(request, fields).await;
    assert!(answer.header("set-cookie").starts_with("__Host-vigie_session="));
    assert!(answer.header("set-cookie").ends_with("; Secure"));
}

#[tokio::test]
async fn changes_need_the_form_token_and_the_own_origin() {
    let bench = Bench::ready().await;
    let id = crate::sample::fill(&bench.state, bench.now()).await;
    let mut browser = bench.signed_in().await;
    let token = browser.get("/incidents").await.form_token();
    let bans = bench.state.active_bans().await.unwrap();
    let paths = [
        format!("/incidents/{id}/status"),
        format!("/incidents/{id}/assign"),
        format!("/incidents/{id}/notes"),
        format!("/bans/{}/lift", bans[0].id),
        "/tickets/TKT-0001/status".to_owned(),
        "/account/language".to_owned(),
        "/account/password".to_owned(),
        "/sign-out".to_owned(),
    ];
    let fields = |token: &'static str| {
        [
            ("form_token", token),
            ("status", "closed"),
            ("close_reason", "false_positive"),
            ("owner", "me"),
            ("text", "x"),
            ("lang", "fr"),
            ("current", PASSWORD),
            ("password", "cinq phares au loin"),
            ("repeated", "cinq phares au loin"),
        ]
    };
    let token: &'static str = token.leak();
    for path in &paths {
        for wrong in ["", "0000", &token[1..]] {
            let mut wrong_fields = fields(token);
            wrong_fields[0].1 = wrong;
            let answer = browser.post(path, &wrong_fields).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} with `{wrong}`");
        }
        assert!(browser.post(path, &fields(token)[1..]).await.status.is_client_error(), "{path}");
        for (name, value) in
            [("origin", "https://evil.example.com"), ("sec-fetch-site", "cross-site")]
        {
            let request = Request::post(path)
                .header(name, value)
                .header("content-type", "application/x-www-form-urlencoded");
            let answer = browser.send(request, form(&fields(token))).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} from {value}");
        }
        assert_eq!(browser.get(path).await.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    let incident = bench.state.incident(id).await.unwrap().unwrap();
    assert_eq!(incident.incident.status.name(), "open");
    assert!(incident.incident.owner.is_none() && incident.notes.is_empty());
    assert_eq!(bench.state.active_bans().await.unwrap().len(), bans.len());
}

#[tokio::test]
async fn viewers_see_everything_and_change_nothing() {
    let bench = Bench::ready().await;
    let id = crate::sample::fill(&bench.state, bench.now()).await;
    let bans = bench.state.active_bans().await.unwrap();
    let mut viewer = bench.signed_in_as(Role::Viewer).await;
    let token = viewer.get("/account").await.form_token();
    let page = viewer.get(&format!("/incidents/{id}")).await;
    assert!(page.body.contains("Your role lets you read"));
    assert!(!page.body.contains("/assign"));
    assert!(!viewer.get("/bans").await.body.contains("/lift"));
    for (path, field) in [
        (format!("/incidents/{id}/status"), ("status", "in_progress")),
        (format!("/incidents/{id}/assign"), ("owner", "me")),
        (format!("/incidents/{id}/notes"), ("text", "x")),
        (format!("/bans/{}/lift", bans[0].id), ("x", "x")),
        ("/tickets/TKT-0001/status".to_owned(), ("status", "closed")),
    ] {
        let answer = viewer.post(&path, &[("form_token", &token), field]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(answer.body.contains("Your role does not allow that"), "{path}");
    }
    let mut analyst = bench.signed_in_as(Role::Analyst).await;
    let token = analyst.get("/account").await.form_token();
    let path = format!("/incidents/{id}/assign");
    let answer = analyst.post(&path, &[("form_token", &token), ("owner", "me")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn only_own_names_are_answered() {
    let settings = Settings { hosts: vec!["vigie.example.com".into()], ..Settings::default() };
    let bench = Bench::with(settings).await;
    for (host, expected) in [
        ("localhost:6080", StatusCode::OK),
        ("vigie.example.com", StatusCode::OK),
        ("evil.example.com:6080", StatusCode::MISDIRECTED_REQUEST),
        ("vigie.example.com.evil.example.com", StatusCode::MISDIRECTED_REQUEST),
    ] {
        let request = Request::get("/sign-in").header("host", host);
        let answer = bench.browser().send(request, Body::empty()).await;
        assert_eq!(answer.status, expected, "{host}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_policy() {
    let bench = Bench::ready().await;
    let mut browser = bench.browser();
    for path in ["/", "/sign-in", "/nothing", "/api/v1/incidents", "/healthz", "/assets/x/y"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.header("content-security-policy"), POLICY, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn a_visit_from_a_link_elsewhere_goes_round_once() {
    let bench = Bench::ready().await;
    let request = Request::get("/incidents").header("sec-fetch-site", "cross-site");
    let answer = bench.browser().send(request, Body::empty()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("http-equiv=\"refresh\""));
    assert!(answer.body.contains("/sign-in?next=%2Fincidents"));
    let mut browser = bench.signed_in().await;
    let answer = browser.get("/sign-in?next=%2Fincidents").await;
    assert_eq!(answer.header("location"), "/incidents");
}

#[tokio::test]
async fn health_is_told_to_anybody() {
    let bench = Bench::empty().await;
    for path in ["/healthz", "/readyz"] {
        let request = Request::get(path).header("host", "vigie");
        assert_eq!(bench.browser().send(request, Body::empty()).await.status, StatusCode::OK);
    }
    bench.state.close().await.unwrap();
    assert_eq!(bench.browser().get("/healthz").await.status, StatusCode::OK);
    assert_eq!(bench.browser().get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
}
