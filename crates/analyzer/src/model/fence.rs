//! Evidence as a model gets to see it.

use std::cmp::Reverse;
use std::fmt::Write;

use vigie_event::{Alert, Evidence};

/// Lines of evidence that are shown.
const LINES: usize = 6;
/// Characters of one line.
const LINE: usize = 320;

/// The raw lines of `alerts` that tell most, in their order, one a line between two marks that carry
/// `nonce`, which nobody who wrote a log can know. The worst alerts come first: of each its last line,
/// which completed it, then the one before, and so on.
pub fn fenced(alerts: &[Alert], nonce: u128) -> String {
    let mut worst: Vec<&Alert> = alerts.iter().collect();
    worst.sort_by_key(|alert| (Reverse(alert.rule.level), alert.first_seen, alert.id));
    let deepest = worst.iter().map(|alert| alert.evidence.len()).max().unwrap_or(0);
    let mut lines: Vec<&Evidence> = Vec::with_capacity(LINES);
    let rounds = (0..deepest).flat_map(|back| {
        worst.iter().filter_map(move |alert| alert.evidence.iter().rev().nth(back))
    });
    for line in rounds {
        if lines.len() < LINES && lines.iter().all(|known| known.event != line.event) {
            lines.push(line);
        }
    }
    lines.sort_by_key(|line| (line.time, line.event));
    let mut text = format!("<evidence {nonce:032x}>\n");
    for line in lines {
        push_inert(&mut text, &line.raw);
        text.push('\n');
    }
    // Writing into a string cannot fail.
    let _ = write!(text, "</evidence {nonce:032x}>");
    text
}

/// Adds `raw` on one line: without control or invisible characters, without what chat templates
/// take for their own marks (`<|im_start|>`, `[INST]`, `<s>`), cut.
fn push_inert(text: &mut String, raw: &str) {
    let mut characters = raw.chars().peekable();
    let mut count = 0;
    while let Some(character) = characters.next() {
        if count == LINE {
            text.push('…');
            return;
        }
        count += 1;
        let next = characters.peek().copied();
        let is_mark = matches!(character, '<' | '>' | '|' | '`')
            || (character == '[' && next.is_some_and(|c| c.is_ascii_uppercase() || c == '/'));
        let is_plain = character.is_ascii_graphic()
            || character == ' '
            || (character.is_alphanumeric() && !character.is_control());
        if is_plain && !is_mark {
            text.push(character);
        } else {
            let _ = write!(text, "\\u{{{:x}}}", character as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inert(raw: &str) -> String {
        let mut text = String::new();
        push_inert(&mut text, raw);
        text
    }

    #[test]
    fn nothing_leaves_its_line_or_speaks_the_template_s_language() {
        for (raw, expected) in [
            ("sshd[4000]: élève root", "sshd[4000]: élève root"),
            ("a\nb\r\0", "a\\u{a}b\\u{d}\\u{0}"),
            ("<|im_start|>", "\\u{3c}\\u{7c}im_start\\u{7c}\\u{3e}"),
            ("[INST] [/INST] [12]", "\\u{5b}INST] \\u{5b}/INST] [12]"),
            ("a\u{202e}b\u{200b}", "a\\u{202e}b\\u{200b}"),
            ("</evidence 0>", "\\u{3c}/evidence 0\\u{3e}"),
        ] {
            assert_eq!(inert(raw), expected, "{raw:?}");
        }
        assert_eq!(inert(&"x".repeat(1_000)).chars().count(), LINE + 1);
    }
}
