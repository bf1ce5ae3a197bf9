//! The first administrator.

use axum::http::StatusCode;
use vigie_console::{create_administrator, first_sign_in_link};

use crate::client::{Bench, PASSWORD};

async fn link(bench: &Bench) -> String {
    first_sign_in_link(&bench.state, &*bench.clock).await.unwrap().unwrap()
}

fn welcome<'f>(name: &'f str, password: &'f str) -> [(&'f str, &'f str); 3] {
    [("name", name), ("password", password), ("repeated", password)]
}

#[tokio::test]
async fn the_link_makes_one_administrator_and_signs_in() {
    let bench = Bench::empty().await;
    let path = link(&bench).await;
    let mut browser = bench.browser();
    assert!(browser.get("/sign-in").await.body.contains("one-time link"));
    // Looking twice does not use it up.
    assert_eq!(browser.get(&path).await.status, StatusCode::OK);
    assert_eq!(browser.get(&path).await.status, StatusCode::OK);
    let answer = browser.post(&path, &welcome("camille", PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/");
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    let again = bench.browser().post(&path, &welcome("mallory", PASSWORD)).await;
    assert_eq!(again.status, StatusCode::GONE);
    assert_eq!(bench.browser().get(&path).await.status, StatusCode::GONE);
    assert_eq!(bench.state.user_count().await.unwrap(), 1);
    assert_eq!(first_sign_in_link(&bench.state, &*bench.clock).await.unwrap(), None);
}

#[tokio::test]
async fn two_who_hold_the_link_at_once_make_one_administrator() {
    let bench = Bench::empty().await;
    let path = link(&bench).await;
    let (mut one, mut other) = (bench.browser(), bench.browser());
    let (first, second) = (welcome("one", PASSWORD), welcome("other", PASSWORD));
    let (first, second) = tokio::join!(one.post(&path, &first), other.post(&path, &second));
    let mut statuses = [first.status, second.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::GONE]);
    assert_eq!(bench.state.user_count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_link_ends_with_its_day_and_with_the_next_one() {
    let bench = Bench::empty().await;
    let old = link(&bench).await;
    let new = link(&bench).await;
    let mut browser = bench.browser();
    assert_eq!(browser.get(&old).await.status, StatusCode::GONE);
    assert_eq!(browser.get(&new).await.status, StatusCode::OK);
    bench.pass(24 * 3_600);
    assert_eq!(browser.get(&new).await.status, StatusCode::GONE);
    assert_eq!(browser.get("/welcome/x").await.status, StatusCode::GONE);
}

#[tokio::test]
async fn the_form_says_what_is_wrong_and_keeps_the_link() {
    let bench = Bench::empty().await;
    let path = link(&bench).await;
    let mut browser = bench.browser();
    for (fields, expected) in [
        (welcome("c", PASSWORD), "A name has 2 to 64"),
        (welcome("a<b>c", PASSWORD), "A name has 2 to 64"),
        (welcome("camille", "short"), "at least 12 characters"),
        (welcome("camille", "passwordpassword"), "easy to guess"),
        ([("name", "camille"), ("password", PASSWORD), ("repeated", "x")], "not the same"),
    ] {
        let answer = browser.post(&path, &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains(expected), "{expected}: {}", answer.body);
    }
    assert_eq!(
        browser.post(&path, &welcome("camille", PASSWORD)).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn an_unattended_installation_brings_its_administrator() {
    let bench = Bench::empty().await;
    let path = link(&bench).await;
    let weak = create_administrator(&bench.state, &*bench.clock, "admin", "admin").await;
    assert!(weak.unwrap_err().to_string().contains("fewer than 12"));
    let made = create_administrator(&bench.state, &*bench.clock, "admin", PASSWORD).await.unwrap();
    assert_eq!(made.unwrap().name, "admin");
    // The next start changes nothing, whatever the password is then.
    let again = create_administrator(&bench.state, &*bench.clock, "admin", "x").await.unwrap();
    assert_eq!(again, None);
    assert_eq!(bench.browser().get(&path).await.status, StatusCode::GONE);
    assert_eq!(bench.browser().sign_in("admin", PASSWORD).await.status, StatusCode::SEE_OTHER);
}
