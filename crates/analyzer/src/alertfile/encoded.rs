//! What an encoded PowerShell command says.

/// Characters of an encoded command that are looked at.
const MOST: usize = 64 * 1_024;

/// The text of `-EncodedCommand`, decoded (Base64 of UTF-16, little end first) and in lower case; `None`
/// where there is none or it is something else.
pub(super) fn command(line: &str) -> Option<String> {
    let lower = line.to_ascii_lowercase();
    let flags = ["-encodedcommand", "-enc ", "-ec ", "-e "];
    let (at, flag) = flags.iter().find_map(|flag| Some((lower.find(flag)?, flag)))?;
    let rest = line.get(at + flag.len()..)?;
    let text = rest.trim_start_matches(|c: char| c.is_whitespace() || "\\\"'".contains(c));
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "+/=".contains(c)));
    let text = text.get(..end.unwrap_or(text.len()).min(MOST))?;
    let bytes = base64(text)?;
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [low, high] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    });
    let decoded: String =
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    (decoded.chars().filter(char::is_ascii).count() > 4).then(|| decoded.to_lowercase())
}

/// The bytes of Base64 (RFC 4648), with or without its padding; a cut end is left out.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0_u32, 0);
    for c in text.trim_end_matches('=').bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_powershell_encodes() {
        // "whoami /all" as UTF-16.
        let line = "powershell.exe -NoP -EncodedCommand dwBoAG8AYQBtAGkAIAAvAGEAbABsAA==";
        assert_eq!(command(line).as_deref(), Some("whoami /all"));
        let quoted = "powershell.exe -enc \\\"dwBoAG8AYQBtAGkAIAAvAGEAbABsAA==\\\"";
        assert_eq!(command(quoted).as_deref(), Some("whoami /all"));
        for none in ["", "powershell.exe -File a.ps1", "-enc é", "powershell -enc ?"] {
            assert_eq!(command(none), None, "{none}");
        }
    }
}
