//! How much room an event keeps for the next: one long record must not stay in memory for all that
//! come after it.

/// Bytes of a text.
pub const MOST_TEXT: usize = 64 << 10;
/// Members of a list.
const MOST_MEMBERS: usize = 1_024;

/// Empties a text, and keeps its memory where that is not large.
#[inline]
pub fn clear_text(text: &mut String) {
    if text.capacity() > MOST_TEXT {
        *text = String::new();
    }
    text.clear();
}

/// Empties a list likewise.
#[inline]
pub fn clear_list<T>(list: &mut Vec<T>) {
    if list.capacity() > MOST_MEMBERS {
        *list = Vec::new();
    }
    list.clear();
}
