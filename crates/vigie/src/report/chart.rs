//! Charts as inline SVG: no script, no style of their own; the page's classes colour them. All text
//! is escaped here, so that what comes out may stand in the page as it is.

mod matrix;
mod path;
mod timeline;

use std::fmt::Write as _;

pub use matrix::{matrix, tactic_name};
pub use path::{Hop, path};
pub use timeline::{Mark, timeline};

use crate::output::inert;

/// `text` for SVG and HTML: one line, markup escaped, at most `most` characters.
pub fn escaped(text: &str, most: usize) -> String {
    let mut shown = String::with_capacity(text.len());
    let text = inert(text);
    for (place, character) in text.chars().enumerate() {
        if place + 1 == most && text.chars().nth(most).is_some() {
            shown.push('…');
            break;
        }
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            other => shown.push(other),
        }
    }
    shown
}

/// An SVG of this size in which `body` draws; `title` says what it shows to who cannot see it.
fn svg(width: f64, height: f64, title: &str, body: &str) -> String {
    let title = escaped(title, 200);
    format!(
        "<svg viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\"><title>{title}</title>{body}</svg>"
    )
}

/// A text; `class` is of our own making.
fn label(body: &mut String, (x, y): (f64, f64), class: &str, text: &str, most: usize) {
    let text = escaped(text, most);
    // Writing into a string cannot fail.
    let _ = write!(body, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{text}</text>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_written_by_others_is_markup() {
        assert_eq!(escaped("<script>\"'&", 40), "&lt;script&gt;&quot;&#39;&amp;");
        assert_eq!(escaped("a\u{202e}\nb", 40), "a\\u{202e}\\u{a}b");
        assert_eq!(escaped("<<<<<", 3), "&lt;&lt;…");
        assert_eq!(escaped("éléph", 5), "éléph");
    }
}
