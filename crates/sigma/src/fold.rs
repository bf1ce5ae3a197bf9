//! Case folding: Sigma compares text without regard to case, in any script.
//!
//! Folding goes character by character and never changes how many there are (Unicode's *simple*
//! folding), so that `?` and anchors mean the same before and after it. It can change how many
//! bytes there are: `K` (the Kelvin sign, three bytes) is `k`.

/// The character that stands for all case variants of `c`.
pub(crate) fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    match c {
        // Dotless ı is a letter of its own, though its capital is `I`.
        'ı' => return c,
        // Characters that stand twice in Unicode, and whose capital is more than one.
        '\u{1FD3}' => return '\u{390}',
        '\u{1FE3}' => return '\u{3B0}',
        '\u{FB05}' => return '\u{FB06}',
        _ => {}
    }
    // Over the capital first: ς and σ, ſ and s differ only in lower case.
    let upper = single(c.to_uppercase()).unwrap_or(c);
    single(upper.to_lowercase()).unwrap_or(upper)
}

/// Appends the folded `text` to `out`.
pub(crate) fn fold_into(text: &str, out: &mut String) {
    let start = out.len();
    if text.is_ascii() {
        out.push_str(text);
        if let Some(added) = out.get_mut(start..) {
            added.make_ascii_lowercase();
        }
        return;
    }
    out.extend(text.chars().map(fold_char));
}

/// Whether only its ASCII folds to ASCII, so that ASCII is found in `text` without folding it.
/// Besides there are `K` (the Kelvin sign) and `ſ`, which are `k` and `s`.
pub(crate) fn folds_alone(text: &str) -> bool {
    let text = text.as_bytes();
    !memchr::memchr2_iter(0xE2, 0xC5, text).any(|place| {
        let rest = text.get(place..).unwrap_or_default();
        rest.starts_with("\u{212A}".as_bytes()) || rest.starts_with("\u{17F}".as_bytes())
    })
}

/// The folded `text`.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

fn single(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_without_changing_the_number_of_characters() {
        for (text, expected) in [
            ("Ab-1", "ab-1"),
            ("ÉCOLE", "école"),
            ("\u{212A}elvin", "kelvin"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
            ("Οδυσσεύς", "οδυσσεύσ"),
            ("İi", "İi"),
            ("ıI", "ıi"),
            ("ẞß", "ßß"),
        ] {
            assert_eq!(fold(text), expected, "{text}");
            assert_eq!(fold(text).chars().count(), text.chars().count(), "{text}");
        }
    }

    #[test]
    fn what_folds_alone() {
        for c in (0x80..=0x10_FFFF).filter_map(char::from_u32) {
            assert_eq!(folds_alone(c.encode_utf8(&mut [0; 4])), !fold_char(c).is_ascii(), "{c:?}");
        }
    }

    #[test]
    fn forms_that_an_expression_takes_for_one_another_fold_alike() {
        use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};
        // Beyond it there are no scripts with two cases.
        for c in (0..0x2_0000).filter_map(char::from_u32) {
            let mut forms = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
            forms.case_fold_simple();
            for form in forms.iter().flat_map(|range| range.start()..=range.end()) {
                assert_eq!(fold_char(form), fold_char(c), "{form:?} and {c:?}");
            }
        }
    }

    #[test]
    fn folding_twice_changes_nothing_more() {
        for c in (0..=0x10_FFFF).filter_map(char::from_u32) {
            let once = fold_char(c);
            assert_eq!(fold_char(once), once, "{c:?}");
        }
    }
}
