//! The console's own files: style, scripts, icon.
//!
//! Each is compiled in and served under the hash of its content, so a browser may keep it for
//! ever and a new version is never mixed with an old one.

use std::io::Write;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::secret;

struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static [u8],
}

const ASSETS: &[Asset] = &[
    Asset {
        name: "console.css",
        media_type: "text/css; charset=utf-8",
        content: include_bytes!("../assets/console.css"),
    },
    Asset {
        name: "console.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../assets/console.js"),
    },
    Asset {
        name: "live.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../assets/live.js"),
    },
    Asset {
        name: "fresh.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../assets/fresh.js"),
    },
    Asset {
        name: "charts.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../assets/charts.js"),
    },
    Asset {
        name: "icon.svg",
        media_type: "image/svg+xml",
        content: include_bytes!("../assets/icon.svg"),
    },
    Asset {
        name: "htmx.min.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../assets/vendor/htmx.min.js"),
    },
    Asset {
        name: "echarts.simple.min.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../assets/vendor/echarts.simple.min.js"),
    },
];

struct Prepared {
    asset: &'static Asset,
    hash: String,
    gzip: LazyLock<Option<Bytes>, Box<dyn FnOnce() -> Option<Bytes> + Send>>,
}

static PREPARED: LazyLock<Vec<Prepared>> = LazyLock::new(|| {
    ASSETS
        .iter()
        .map(|asset| Prepared {
            asset,
            hash: secret::hash(asset.content).chars().take(16).collect(),
            gzip: LazyLock::new(Box::new(|| gzip(asset.content))),
        })
        .collect()
});

/// The path under which the asset called `name` is served.
pub(crate) fn path(name: &str) -> String {
    let hash = PREPARED.iter().find(|one| one.asset.name == name).map(|one| one.hash.as_str());
    format!("/assets/{}/{name}", hash.unwrap_or("unknown"))
}

/// `GET /assets/{hash}/{name}`
pub(crate) async fn serve(
    Path((hash, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let found = PREPARED.iter().find(|one| one.asset.name == name && one.hash == hash);
    let Some(found) = found else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let packed = accepts_gzip(&headers).then(|| found.gzip.clone()).flatten();
    // Two forms of one file are two representations: a strong tag each (RFC 9110 §8.8.3).
    let tag = if packed.is_some() {
        format!("\"{}-gz\"", found.hash)
    } else {
        format!("\"{}\"", found.hash)
    };
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let unchanged = known.is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag));
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else if let Some(packed) = &packed {
        packed.clone().into_response()
    } else {
        Bytes::from_static(found.asset.content).into_response()
    };
    let head = response.headers_mut();
    head.insert(CONTENT_TYPE, HeaderValue::from_static(found.asset.media_type));
    head.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    head.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if packed.is_some() && !unchanged {
        head.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        head.insert(ETAG, tag);
    }
    response
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let Some(accepted) = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    accepted.split(',').any(|coding| {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = matches!(parameters.trim().strip_prefix("q=0"), Some("" | ".0" | ".00"));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

fn gzip(content: &[u8]) -> Option<Bytes> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).ok()?;
    let packed = encoder.finish().ok()?;
    (packed.len() < content.len()).then(|| packed.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_only_to_those_who_take_it() {
        for (header, expected) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.8", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(header));
            assert_eq!(accepts_gzip(&headers), expected, "{header}");
        }
    }

    #[test]
    fn every_file_has_a_path_of_its_own() {
        for asset in ASSETS {
            assert!(!path(asset.name).contains("unknown"), "{}", asset.name);
        }
    }
}
