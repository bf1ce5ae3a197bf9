//! Reading and writing of queries in addresses.

use std::fmt::Write;

/// The value of `name` in a query, decoded.
pub(crate) fn value(query: &str, name: &str) -> Option<String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then(|| decode(value)))
}

/// Percent-encodes all but the unreserved characters (RFC 3986 §2.3).
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// A query of the pairs that have a value; empty where none has.
pub(crate) fn build(pairs: &[(&str, &str)]) -> String {
    let mut query = String::new();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        query.push(if query.is_empty() { '?' } else { '&' });
        query.push_str(name);
        query.push('=');
        query.push_str(&encode(value));
    }
    query
}

/// `path` where it leads to a page of the console itself, else the overview.
pub(crate) fn own_path(path: &str) -> &str {
    let own = path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if own { path } else { "/" }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let digits = (hex(ahead.next()), hex(ahead.next()));
                if let (Some(high), Some(low)) = digits {
                    bytes.push(high << 4 | low);
                    rest = ahead;
                } else {
                    bytes.push(b'%');
                }
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: Option<u8>) -> Option<u8> {
    let digit = char::from(digit?).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded() {
        for (query, expected) in [
            ("a=1&text=x+y%20%C3%A9", Some("x y é")),
            ("text=", Some("")),
            ("text=%zz%4", Some("%zz%4")),
            ("texte=1", None),
        ] {
            assert_eq!(value(query, "text").as_deref(), expected, "{query}");
        }
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        for text in ["/incidents?text=a b&x=é", "100 %", "<script>", ""] {
            let encoded = encode(text);
            assert!(
                encoded
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte))
            );
            assert_eq!(decode(&encoded), text);
        }
    }

    #[test]
    fn only_own_paths_are_followed() {
        for (path, expected) in [
            ("/incidents?severity=high", "/incidents?severity=high"),
            ("https://evil.example.com/", "/"),
            ("//evil.example.com/", "/"),
            ("/\\evil.example.com", "/"),
            ("/a\nb", "/"),
            ("", "/"),
        ] {
            assert_eq!(own_path(path), expected);
        }
    }
}
