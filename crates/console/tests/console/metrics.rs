//! The centre's figures for programs.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use tower::ServiceExt;

use crate::client::{Bench, HOST};
use crate::model::seconded;

/// What `/metrics` answers somebody at `from`.
async fn asked(bench: &Bench, from: &str, header: Option<(&str, &str)>) -> (StatusCode, String) {
    let from: SocketAddr = from.parse().unwrap();
    let mut request = Request::get("/metrics").header("host", HOST).extension(ConnectInfo(from));
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let answer = bench.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = answer.status();
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn figures_are_for_this_machine_and_for_people_who_are_signed_in() {
    let bench = Bench::ready().await;
    for (from, header, expected) in [
        ("127.0.0.1:5000", None, StatusCode::OK),
        ("[::1]:5000", None, StatusCode::OK),
        ("198.51.100.7:5000", None, StatusCode::UNAUTHORIZED),
        ("127.0.0.1:5000", Some(("x-forwarded-for", "198.51.100.7")), StatusCode::UNAUTHORIZED),
        ("127.0.0.1:5000", Some(("forwarded", "for=198.51.100.7")), StatusCode::UNAUTHORIZED),
    ] {
        let (status, body) = asked(&bench, from, header).await;
        assert_eq!(status, expected, "{from} {header:?}");
        assert_eq!(body.contains("vigie_build_info"), expected == StatusCode::OK);
    }
    let answer = bench.signed_in().await.get("/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
}

#[tokio::test]
async fn every_figure_has_its_help_and_the_model_its_agreement() {
    let bench = Bench::ready().await;
    let (_, plain) = asked(&bench, "127.0.0.1:5000", None).await;
    assert!(!plain.contains("vigie_model") && !plain.contains("vigie_second"));
    seconded(&bench).await;
    let (_, text) = asked(&bench, "127.0.0.1:5000", None).await;
    let value = |row: &str| {
        let line = text.lines().find(|line| line.starts_with(row));
        let line = line.unwrap_or_else(|| panic!("{row} is not in:\n{text}"));
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    for (row, expected) in [
        ("vigie_second_verdicts ", 1.0),
        ("vigie_second_verdicts_agreeing ", 0.0),
        ("vigie_second_verdicts_agreement_ratio ", 0.0),
        ("vigie_model_reachable ", 1.0),
        ("vigie_model_schema_enforced ", 1.0),
        ("vigie_model_probe_seconds ", 1.2),
        ("vigie_incidents_open{severity=\"critical\"} ", 1.0),
    ] {
        assert!((value(row) - expected).abs() < 1e-9, "{row}");
    }
    let mut helped = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            helped = rest.split(' ').next().unwrap();
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            assert_eq!(name, helped, "{line}");
        }
    }
}
