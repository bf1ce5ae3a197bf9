//! Does a change come from the console's own pages? (cross-site request forgery)

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method};

/// Whether a request may change something, as far as its origin tells. Browsers send `Origin`
/// and `Sec-Fetch-Site` with every form; a client that sends neither is no browser and carries
/// nobody's cookies by accident. Forms of signed-in people need their token besides.
pub(crate) fn is_own(method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return true;
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("invalid"));
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return false;
    }
    let Some(origin) = text(ORIGIN.as_str()) else {
        return true;
    };
    let Some(host) = text(HOST.as_str()) else {
        return false;
    };
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn foreign_origins_change_nothing() {
        let own = [("host", "localhost:6080"), ("origin", "http://localhost:6080")];
        for (headers, expected) in [
            (&own[..], true),
            (&[("host", "localhost:6080")], true),
            (&[("host", "localhost:6080"), ("sec-fetch-site", "same-origin")], true),
            (&[("host", "localhost:6080"), ("sec-fetch-site", "cross-site")], false),
            (&[("host", "localhost:6080"), ("sec-fetch-site", "same-site")], false),
            (&[("host", "localhost:6080"), ("origin", "null")], false),
            (&[("host", "localhost:6080"), ("origin", "http://localhost:7000")], false),
            (&[("host", "localhost:6080"), ("origin", "https://evil.example.com")], false),
            (&[("origin", "http://localhost:6080")], false),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, HeaderValue::from_static(value));
            }
            assert_eq!(is_own(&Method::POST, &map), expected, "{headers:?}");
            assert!(is_own(&Method::GET, &map));
        }
    }
}
