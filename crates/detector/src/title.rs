//! What an incident is called.

use std::borrow::Cow;

use vigie_event::{Actor, Localized};

/// Characters kept of an actor in a title.
const ACTOR_CHARS: usize = 64;

/// The leading rule's title with the actor. The actor's value is the attacker's own text: it
/// stands at the end, cut, and with nothing in it that could move or hide other text.
pub(crate) fn compose(rule: &Localized, actor: &Actor) -> Localized {
    let value = plain(&actor.value);
    let (en, fr) = match actor.field.as_str() {
        "source.ip" => (" from ", " depuis "),
        "user.name" => (", account ", ", compte "),
        "host.name" => (" on ", " sur "),
        _ => (", ", ", "),
    };
    let french = if rule.fr.is_empty() { &rule.en } else { &rule.fr };
    Localized::new([&rule.en, en, &*value].concat(), [french, fr, &*value].concat())
}

fn plain(text: &str) -> Cow<'_, str> {
    // Addresses, and nearly all names.
    if text.len() <= ACTOR_CHARS && text.bytes().all(|byte| (0x20..0x7F).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .take(ACTOR_CHARS)
        .map(|letter| if moves_text(letter) { '\u{FFFD}' } else { letter })
        .collect()
}

/// Control characters, and Unicode's bidirectional controls (UAX #9).
fn moves_text(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(field: &str, value: &str, en: &str, fr: &str) {
        let actor = Actor { field: field.into(), value: value.into() };
        let title = compose(&Localized::new("SSH brute force", "Force brute SSH"), &actor);
        assert_eq!(title, Localized::new(en, fr));
    }

    #[test]
    fn names_the_actor_as_data() {
        check(
            "source.ip",
            "203.0.113.7",
            "SSH brute force from 203.0.113.7",
            "Force brute SSH depuis 203.0.113.7",
        );
        check(
            "user.name",
            "a\u{202E}b\n",
            "SSH brute force, account a\u{FFFD}b\u{FFFD}",
            "Force brute SSH, compte a\u{FFFD}b\u{FFFD}",
        );
        let long = "x".repeat(500);
        let cut = "x".repeat(64);
        check(
            "host.name",
            &long,
            &format!("SSH brute force on {cut}"),
            &format!("Force brute SSH sur {cut}"),
        );
    }
}
