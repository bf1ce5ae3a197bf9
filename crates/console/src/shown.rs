//! How is text that an attacker wrote made safe to look at?
//!
//! Escaping for HTML is the templates' work. What escaping leaves is here made visible: control
//! characters (terminal escapes, line breaks), marks that turn the direction of writing or have no
//! width, so that a line shows what it holds and nothing else.

use std::fmt::{self, Write};

/// Characters shown of a value in a table or a list.
pub const BRIEF: usize = 160;
/// Characters shown of a sentence or two, such as a reason or a summary.
pub const PROSE: usize = 600;
/// Characters shown of a piece of raw evidence.
pub const LONG: usize = 4_096;

/// Text out of logs or models, with everything invisible made visible and cut to a bound.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shown(String);

impl Shown {
    /// At most [`BRIEF`] characters of `text`.
    pub fn brief(text: &str) -> Self {
        Self::cut(text, BRIEF)
    }

    /// At most [`PROSE`] characters of `text`.
    pub fn prose(text: &str) -> Self {
        Self::cut(text, PROSE)
    }

    /// At most [`LONG`] characters of `text`.
    pub fn long(text: &str) -> Self {
        Self::cut(text, LONG)
    }

    /// At most `limit` characters of `text`, with an ellipsis where more stood.
    pub fn cut(text: &str, limit: usize) -> Self {
        let mut shown = String::with_capacity(text.len().min(limit.saturating_mul(2)));
        for (count, character) in text.chars().enumerate() {
            if count == limit {
                shown.push('…');
                break;
            }
            push_visible(&mut shown, character);
        }
        Self(shown)
    }

    /// The text in pieces, and whether each stands between backticks, which are how rules mark what
    /// is to be typed. A text with one backtick too many is one piece.
    pub fn pieces(&self) -> Vec<(bool, &str)> {
        let pieces: Vec<&str> = self.0.split('`').collect();
        if pieces.len().is_multiple_of(2) {
            return vec![(false, &self.0)];
        }
        let marked = pieces.into_iter().enumerate().map(|(index, piece)| (index % 2 == 1, piece));
        marked.filter(|(_, piece)| !piece.is_empty()).collect()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names of U+0000 to U+001F (ECMA-48).
const CONTROLS: [&str; 32] = [
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR",
    "SO", "SI", "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC",
    "FS", "GS", "RS", "US",
];

fn push_visible(shown: &mut String, character: char) {
    match character {
        // Common in honest logs, so one quiet sign.
        '\t' => shown.push('⇥'),
        // Names, not the control pictures of Unicode, which many fonts lack.
        '\u{0}'..='\u{1F}' => {
            let name = CONTROLS.get(character as usize).copied().unwrap_or_default();
            shown.push('⟦');
            shown.push_str(name);
            shown.push('⟧');
        }
        '\u{7F}' => shown.push_str("⟦DEL⟧"),
        _ if is_invisible(character) => {
            // Writing into a string cannot fail.
            let _ = write!(shown, "⟦U+{:04X}⟧", character as u32);
        }
        _ => shown.push(character),
    }
}

/// Marks that change how other text is shown, or that cannot be seen.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{80}'..='\u{9F}'          // C1 controls
            | '\u{AD}'               // soft hyphen
            | '\u{34F}'              // combining grapheme joiner
            | '\u{61C}'              // Arabic letter mark
            | '\u{115F}'..='\u{1160}' // Hangul fillers
            | '\u{180B}'..='\u{180F}' // Mongolian selectors
            | '\u{200B}'..='\u{200F}' // zero width, direction marks
            | '\u{2028}'..='\u{202E}' // separators, embeddings, overrides
            | '\u{2060}'..='\u{206F}' // joiners, isolates
            | '\u{3164}'             // Hangul filler
            | '\u{FE00}'..='\u{FE0F}' // variation selectors
            | '\u{FEFF}'             // byte order mark
            | '\u{FFA0}'             // half-width filler
            | '\u{FFF9}'..='\u{FFFB}' // interlinear annotation
            | '\u{E0000}'..='\u{E0FFF}' // tags, more selectors
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_the_invisible_visible() {
        for (text, expected) in [
            ("root", "root"),
            ("a\u{1b}[31mb", "a⟦ESC⟧[31mb"),
            ("a\tb", "a⇥b"),
            ("a\nb\r\0", "a⟦LF⟧b⟦CR⟧⟦NUL⟧"),
            ("\u{202E}gnp.exe", "⟦U+202E⟧gnp.exe"),
            ("a\u{200B}b\u{FEFF}", "a⟦U+200B⟧b⟦U+FEFF⟧"),
            ("\u{9b}31m", "⟦U+009B⟧31m"),
            ("\u{E0041}", "⟦U+E0041⟧"),
            ("élève 日本", "élève 日本"),
        ] {
            assert_eq!(Shown::brief(text).as_str(), expected, "{text:?}");
        }
    }

    #[test]
    fn is_cut_at_its_bound() {
        let shown = Shown::cut(&"é".repeat(2_048), 10);
        assert_eq!(shown.as_str(), format!("{}…", "é".repeat(10)));
        assert_eq!(Shown::cut("1234567890", 10).as_str(), "1234567890");
    }

    #[test]
    fn what_stands_between_backticks_is_set_apart() {
        for (text, expected) in [
            ("plain", vec![(false, "plain")]),
            ("run `who`, then", vec![(false, "run "), (true, "who"), (false, ", then")]),
            ("`a``b`", vec![(true, "a"), (true, "b")]),
            ("one ` too many", vec![(false, "one ` too many")]),
            ("", vec![]),
        ] {
            assert_eq!(Shown::brief(text).pieces(), expected, "{text}");
        }
    }
}
