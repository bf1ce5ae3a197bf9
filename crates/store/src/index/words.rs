//! Cutting text into words, the same way for records and for queries.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// Longer words are cut: a SHA-256 in hexadecimal just fits.
const MAX_CHARS: usize = 64;

/// Words are runs of letters and digits, in lower case.
#[derive(Clone, Default)]
pub(super) struct Words {
    token: Token,
}

pub(super) struct WordStream<'a> {
    text: &'a str,
    at: usize,
    token: &'a mut Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        WordStream { text, at: 0, token: &mut self.token }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        self.token.text.clear();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(start) = rest.find(char::is_alphanumeric) else {
            return false;
        };
        let from_word = rest.get(start..).unwrap_or_default();
        let length = from_word.find(|c: char| !c.is_alphanumeric()).unwrap_or(from_word.len());
        let word = from_word.get(..length).unwrap_or_default();
        if word.is_ascii() {
            self.token.text.push_str(word.get(..MAX_CHARS).unwrap_or(word));
            self.token.text.make_ascii_lowercase();
        } else {
            self.token.text.extend(word.chars().take(MAX_CHARS).flat_map(char::to_lowercase));
        }
        self.token.offset_from = self.at + start;
        self.token.offset_to = self.at + start + length;
        self.token.position = self.token.position.wrapping_add(1);
        self.at = self.token.offset_to;
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// The words of `text`.
pub(super) fn words_of(text: &str) -> Vec<String> {
    let mut words = Words::default();
    let mut stream = words.token_stream(text);
    let mut found = Vec::new();
    while stream.advance() {
        found.push(stream.token().text.clone());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_and_digits_in_lower_case() {
        for (text, expected) in [
            ("Failed password", vec!["failed", "password"]),
            ("sshd[12]: 203.0.113.7:22", vec!["sshd", "12", "203", "0", "113", "7", "22"]),
            ("Élève Çà_et-là", vec!["élève", "çà", "et", "là"]),
            ("--- ", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(words_of(text), expected, "{text}");
        }
        assert_eq!(words_of(&"x".repeat(200)), ["x".repeat(64)]);
        assert_eq!(words_of(&"É".repeat(200)), ["é".repeat(64)]);
    }
}
