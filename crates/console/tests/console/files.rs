//! The console's own files.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::client::Bench;

/// The paths of all files that a page names.
fn assets(page: &str) -> Vec<String> {
    page.split('"').filter(|part| part.starts_with("/assets/")).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_file_that_a_page_names_is_served_for_ever() {
    let bench = Bench::ready().await;
    let mut browser = bench.signed_in().await;
    let paths = assets(&browser.get("/").await.body);
    assert_eq!(paths.len(), 7);
    for path in paths {
        let plain = browser.get(&path).await;
        assert_eq!(plain.status, StatusCode::OK, "{path}");
        assert!(plain.header("cache-control").contains("immutable"), "{path}");
        assert!(!plain.body.is_empty(), "{path}");
        let tag = plain.header("etag").to_owned();
        assert!(tag.starts_with('"'), "{path}: {tag}");
        let again = Request::get(&path).header("if-none-match", &tag);
        assert_eq!(browser.send(again, Body::empty()).await.status, StatusCode::NOT_MODIFIED);
        let packed = Request::get(&path).header("accept-encoding", "gzip");
        let packed = browser.send(packed, Body::empty()).await;
        assert_eq!(packed.header("content-encoding"), "gzip", "{path}");
        assert_ne!(packed.header("etag"), tag, "{path}");
        let wrong = path.replacen("/assets/", "/assets/0", 1);
        assert_eq!(browser.get(&wrong).await.status, StatusCode::NOT_FOUND, "{wrong}");
    }
}
