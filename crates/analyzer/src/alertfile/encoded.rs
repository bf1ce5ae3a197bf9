//! What encoded PowerShell commands say.

/// Characters of an encoded command that are decoded at most.
const MOST: usize = 64 * 1_024;
/// What PowerShell takes for the dash of a parameter.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// The text behind each `-EncodedCommand` of a command line, decoded (Base64 of UTF-16, little end
/// first) and in lower case; `None` where it is something else. PowerShell takes any beginning of the
/// parameter's name, and `-ec`.
pub(super) fn commands(line: &str) -> Vec<Option<String>> {
    let mut words = line.split_whitespace().map(|word| word.trim_matches(['"', '\'', '\\']));
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        let name = word.strip_prefix(DASHES).map(str::to_ascii_lowercase).unwrap_or_default();
        if name == "ec" || (!name.is_empty() && "encodedcommand".starts_with(&name)) {
            found.push(words.next().and_then(decoded));
        }
    }
    found
}

fn decoded(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| !(c.is_ascii_alphanumeric() || "+/=".contains(c)));
    if text.len() > MOST {
        return None;
    }
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
        const WHOAMI: &str = "dwBoAG8AYQBtAGkAIAAvAGEAbABsAA==";
        let whoami = || Some("whoami /all".to_owned());
        for (line, expected) in [
            (format!("powershell.exe -NoP -EncodedCommand {WHOAMI}"), vec![whoami()]),
            (format!("powershell.exe -enc \\\"{WHOAMI}\\\""), vec![whoami()]),
            (format!("powershell.exe /Enco '{WHOAMI}'; exit"), vec![whoami()]),
            (format!("powershell -EncodedCommand ? -ec {WHOAMI}"), vec![None, whoami()]),
            ("powershell -e".to_owned(), vec![None]),
            ("-enc é".to_owned(), vec![None]),
            ("powershell.exe -File a.ps1 -Encoding utf8".to_owned(), vec![]),
            (String::new(), vec![]),
        ] {
            assert_eq!(commands(&line), expected, "{line}");
        }
    }
}
