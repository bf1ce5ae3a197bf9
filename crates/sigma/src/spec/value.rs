//! From a value and its modifiers to the tests that it stands for.

use ipnet::IpNet;
use vigie_event::FieldId;
use vigie_yaml::{Kind, Node, Refusal, shown};

use super::modifier::{SearchKey, Transform, ValueType};
use super::placeholder;
use crate::fold::fold;
use crate::pattern::{Anchor, Pattern, Shape};
use crate::predicate::{Number, RegexSource, Test};

/// The longest text value, in bytes: bounds the work that one value can cause an event.
const MAX_VALUE_BYTES: usize = 8_192;

/// A text on its way through the transforms.
enum Draft {
    Pattern(Pattern),
    Bytes(Vec<u8>),
}

/// The tests of which any stands for `node` under `key`; never empty. The second part tells
/// whether the test is to be denied (`exists: false`).
pub(super) fn tests(key: &SearchKey<'_>, node: &Node) -> Result<(Vec<Test>, bool), Refusal> {
    let test = match key.value_type {
        ValueType::Text => return texts(key, node).map(|tests| (tests, false)),
        ValueType::Exists => {
            let Kind::Boolean(wanted) = node.kind else {
                let message = format!("`exists` wants true or false, not {}", node.what());
                return Err(Refusal::new(node.at, message, "write `true` or `false`"));
            };
            return Ok((vec![Test::Present], !wanted));
        }
        ValueType::Regex { insensitive, multi_line, dot_all } => {
            let pattern = written(key, node, "a regular expression")?.into();
            Test::Regex(RegexSource { pattern, insensitive, multi_line, dot_all })
        }
        ValueType::Cidr => Test::Cidr(network(node)?),
        ValueType::Compare(comparison) => Test::Compare(comparison, number(node)?),
        ValueType::Time(part, comparison) => match number(node)? {
            Number::Integer(number) => Test::Time(part, comparison, number),
            Number::Float(_) => {
                let message = "a part of a date is a whole number";
                return Err(Refusal::new(node.at, message, ""));
            }
        },
        ValueType::FieldRef => field_ref(key, node)?,
    };
    Ok((vec![test], false))
}

fn field_ref(key: &SearchKey<'_>, node: &Node) -> Result<Test, Refusal> {
    let name = written(key, node, "a field name")?;
    let Some(other) = FieldId::intern(&name) else {
        return Err(Refusal::new(node.at, "the field name is too long", "256 bytes at most"));
    };
    let anchor = key.transforms.iter().find_map(|transform| match transform {
        Transform::Anchor(anchor) => Some(*anchor),
        _ => None,
    });
    Ok(Test::FieldRef { other, anchor: anchor.unwrap_or(Anchor::Whole), cased: key.cased })
}

fn number(node: &Node) -> Result<Number, Refusal> {
    let number = match &node.kind {
        Kind::Integer(integer, _) => Some(Number::Integer(*integer)),
        Kind::Float(float, _) if !float.is_nan() => Some(Number::Float(*float)),
        Kind::Text(text) => Number::parse(text),
        _ => None,
    };
    number.ok_or_else(|| {
        Refusal::new(node.at, format!("expected a number, found {}", node.what()), "")
    })
}

/// A network; an address alone is the network of that address.
fn network(node: &Node) -> Result<IpNet, Refusal> {
    let text = node.text("cidr")?;
    let network = text.trim().parse::<IpNet>().ok().or_else(|| {
        let address: std::net::IpAddr = text.trim().parse().ok()?;
        Some(address.into())
    });
    network.map(|network| network.trunc()).ok_or_else(|| {
        let message = format!("`{}` is no network", shown(&text));
        Refusal::new(node.at, message, "write it like `192.0.2.0/24` or `2001:db8::/32`")
    })
}

/// A scalar's text within the bound, placeholders refused.
fn written(key: &SearchKey<'_>, node: &Node, what: &str) -> Result<String, Refusal> {
    let Some(text) = node.scalar() else {
        let message = format!("expected {what}, found {}", node.what());
        return Err(Refusal::new(node.at, message, ""));
    };
    if text.len() > MAX_VALUE_BYTES {
        return Err(Refusal::new(node.at, "value of over 8,192 bytes", "split it"));
    }
    if !key.expand {
        return Ok(text.into_owned());
    }
    match placeholder::first(&text) {
        None => Ok(placeholder::unescaped(&text)),
        Some(name) => {
            let message = format!("the placeholder `%{}%` has no values", shown(name));
            let mend = "give it some in a placeholder list, or in the `vars` of a pipeline with `value_placeholders`";
            Err(Refusal::new(node.at, message, mend))
        }
    }
}

fn texts(key: &SearchKey<'_>, node: &Node) -> Result<Vec<Test>, Refusal> {
    if node.kind == Kind::Null {
        if key.field.is_empty() || !key.transforms.is_empty() {
            return Err(Refusal::new(node.at, "null needs a field without modifiers", "write ''"));
        }
        return Ok(vec![Test::Null]);
    }
    let text = written(key, node, "a value")?;
    if let Some(test) = literal(key, node, &text) {
        return Ok(vec![test]);
    }
    let mut drafts = vec![Draft::Pattern(Pattern::parse(&text))];
    // A number stands for its usual form as well: 0x10 is 16, 1.50 is 1.5.
    let canonical = match &node.kind {
        Kind::Integer(integer, _) => Some(integer.to_string()),
        Kind::Float(float, _) => Some(float.to_string()),
        _ => None,
    };
    if let Some(canonical) = canonical.filter(|canonical| *canonical != text) {
        drafts.push(Draft::Pattern(Pattern::plain(&canonical)));
    }
    for transform in &key.transforms {
        let mut changed = Vec::with_capacity(drafts.len());
        for draft in drafts {
            apply(*transform, draft, node, &mut changed)?;
        }
        drafts = changed;
    }
    drafts
        .into_iter()
        .map(|draft| {
            let mut pattern = into_pattern(draft, node)?;
            if key.field.is_empty() {
                pattern.open_start();
                pattern.open_end();
                if pattern.clone().shape(false) == Shape::Any {
                    return Err(Refusal::new(node.at, "an empty keyword fits everything", ""));
                }
            }
            Ok(test_of(pattern, key.cased))
        })
        .collect()
}

/// What most values come down to, without the way there: text with neither wildcards nor escapes,
/// looked for as it is.
fn literal(key: &SearchKey<'_>, node: &Node, text: &str) -> Option<Test> {
    let anchor = match key.transforms.as_slice() {
        [] => Anchor::Whole,
        [Transform::Anchor(anchor)] => *anchor,
        _ => return None,
    };
    let plain = matches!(node.kind, Kind::Text(_)) && !text.contains(['*', '?', '\\']);
    if !plain || text.is_empty() || key.field.is_empty() {
        return None;
    }
    let needle = if key.cased { text.into() } else { fold(text).into() };
    Some(Test::Literal { anchor, needle, cased: key.cased })
}

fn test_of(pattern: Pattern, cased: bool) -> Test {
    match pattern.shape(cased) {
        Shape::Any => Test::AnyValue,
        Shape::Literal(anchor, needle) => Test::Literal { anchor, needle: needle.into(), cased },
        Shape::Glob(pattern) => Test::Glob { pattern, cased },
    }
}

fn into_pattern(draft: Draft, node: &Node) -> Result<Pattern, Refusal> {
    match draft {
        Draft::Pattern(pattern) => Ok(pattern),
        Draft::Bytes(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Pattern::plain(&text)),
            Err(_) => Err(Refusal::new(
                node.at,
                "the encoded value is not text, so no field can hold it",
                "encode it further, as in `wide|base64offset|contains`",
            )),
        },
    }
}

fn apply(
    transform: Transform,
    draft: Draft,
    node: &Node,
    out: &mut Vec<Draft>,
) -> Result<(), Refusal> {
    match transform {
        Transform::Anchor(anchor) => {
            let mut pattern = into_pattern(draft, node)?;
            if matches!(anchor, Anchor::End | Anchor::Anywhere) {
                pattern.open_start();
            }
            if matches!(anchor, Anchor::Start | Anchor::Anywhere) {
                pattern.open_end();
            }
            out.push(Draft::Pattern(pattern));
        }
        Transform::Windash => {
            let mut pattern = into_pattern(draft, node)?;
            pattern.open_dashes();
            out.push(Draft::Pattern(pattern));
        }
        Transform::Utf16Le | Transform::Utf16Be | Transform::Utf16 => {
            let bytes = into_bytes(draft, node)?;
            let text = String::from_utf8(bytes).map_err(|_| {
                Refusal::new(node.at, "the value is not text any more at this modifier", "")
            })?;
            out.push(Draft::Bytes(utf16(&text, transform)));
        }
        Transform::Base64 => {
            out.push(Draft::Pattern(Pattern::plain(&base64(&into_bytes(draft, node)?))));
        }
        Transform::Base64Offset => {
            let bytes = into_bytes(draft, node)?;
            for offset in 0..3 {
                let variant = base64_at(&bytes, offset);
                if variant.is_empty() {
                    let message = "the value is too short for `base64offset`";
                    return Err(Refusal::new(node.at, message, "three bytes or more"));
                }
                out.push(Draft::Pattern(Pattern::plain(&variant)));
            }
        }
    }
    Ok(())
}

fn into_bytes(draft: Draft, node: &Node) -> Result<Vec<u8>, Refusal> {
    match draft {
        Draft::Bytes(bytes) => Ok(bytes),
        Draft::Pattern(pattern) => pattern.literal().map(String::into_bytes).ok_or_else(|| {
            Refusal::new(
                node.at,
                "a value with wildcards cannot be encoded",
                "write `contains`, `startswith`, `endswith` and `windash` behind the encoding, and escape `*` and `?`",
            )
        }),
    }
}

fn utf16(text: &str, transform: Transform) -> Vec<u8> {
    let mark: &[u8] = if transform == Transform::Utf16 { &[0xFF, 0xFE] } else { &[] };
    let units = text.encode_utf16().flat_map(|unit| {
        if transform == Transform::Utf16Be { unit.to_be_bytes() } else { unit.to_le_bytes() }
    });
    mark.iter().copied().chain(units).collect()
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let sextet = (group >> (18 - 6 * place)) & 63;
            let c = ALPHABET.get(sextet as usize).copied().unwrap_or(b'=');
            text.push(if place <= chunk.len() { c as char } else { '=' });
        }
    }
    text
}

/// The part of the base64 text that stays the same when `bytes` stand `offset` bytes behind a
/// multiple of three, whatever stands around them.
fn base64_at(bytes: &[u8], offset: usize) -> String {
    let mut shifted = vec![b' '; offset];
    shifted.extend_from_slice(bytes);
    let text = base64(&shifted);
    let start = [0, 2, 3].get(offset).copied().unwrap_or(0);
    let end = match shifted.len() % 3 {
        0 => text.len(),
        1 => text.len() - 3,
        _ => text.len() - 2,
    };
    text.get(start..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_yaml::Position;

    #[test]
    fn encodes_base64_as_rfc_4648_says() {
        for (bytes, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), expected, "{bytes}");
        }
    }

    #[test]
    fn an_offset_variant_stands_in_every_text_around_it() {
        for value in ["http://", "abc", "foobar!!"] {
            for before in 0..7 {
                for after in 0..4 {
                    let text = format!("{}{value}{}", "x".repeat(before), "y".repeat(after));
                    let encoded = base64(text.as_bytes());
                    let variant = base64_at(value.as_bytes(), before % 3);
                    assert!(encoded.contains(&variant), "{value} in {text}");
                }
            }
        }
    }

    fn parse(key: &str, kind: Kind) -> Result<Vec<Test>, Refusal> {
        let at = Position::default();
        tests(&SearchKey::parse(key, at)?, &Node { at, kind }).map(|(tests, _)| tests)
    }

    fn literal(anchor: Anchor, needle: &str) -> Test {
        Test::Literal { anchor, needle: needle.into(), cased: false }
    }

    #[test]
    fn values_become_tests() {
        let text = |text: &str| Kind::Text(text.into());
        for (key, kind, expected) in [
            ("a", text("X*"), vec![literal(Anchor::Start, "x")]),
            ("a|contains", text(""), vec![Test::AnyValue]),
            ("a", text(""), vec![literal(Anchor::Whole, "")]),
            ("a", Kind::Null, vec![Test::Null]),
            (
                "a",
                Kind::Integer(7, "007".into()),
                vec![literal(Anchor::Whole, "007"), literal(Anchor::Whole, "7")],
            ),
            ("a", Kind::Boolean(true), vec![literal(Anchor::Whole, "true")]),
            ("a|base64|contains", text("foo"), vec![literal(Anchor::Anywhere, "zm9v")]),
            ("a|wide|base64", text("c"), vec![literal(Anchor::Whole, "ywa=")]),
            ("a|utf16be", text("c"), vec![literal(Anchor::Whole, "\0c")]),
            ("a|utf16|base64", text("c"), vec![literal(Anchor::Whole, "//5jaa==")]),
            ("a|expand", text(r"\%plain%name"), vec![literal(Anchor::Whole, "%plain%name")]),
        ] {
            assert_eq!(parse(key, kind).unwrap(), expected, "{key}");
        }
        assert_eq!(parse("a|base64offset|contains", text("foo")).unwrap().len(), 3);
    }

    #[test]
    fn refuses_values_of_the_wrong_kind() {
        let text = |text: &str| Kind::Text(text.into());
        for (key, kind, part) in [
            ("a|cidr", text("10.0.0.0/33"), "no network"),
            ("a|gt", text("many"), "number"),
            ("a|exists", text("yes"), "true or false"),
            ("a|contains", Kind::Null, "null"),
            ("a|base64", text("a*"), "wildcards"),
            ("a|contains|base64", text("a"), "wildcards"),
            ("a|utf16", text("a"), "not text"),
            ("a|expand", text("%servers%"), "placeholder"),
            ("a|hour", Kind::Float(1.5, "1.5".into()), "whole"),
            ("a", text(&"x".repeat(MAX_VALUE_BYTES + 1)), "8,192"),
            ("a", Kind::Map(Vec::new()), "found a map"),
            ("", text("*"), "empty keyword"),
        ] {
            let message = parse(key, kind).unwrap_err().message;
            assert!(message.contains(part), "{key}: {message}");
        }
    }
}
