//! Random names for sessions and links, and what of them is stored.

use std::fmt::Write;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The machine gave no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system's random number generator failed: {0}")]
pub struct NoRandomness(getrandom::Error);

/// 256 random bits as 64 hexadecimal digits. Whoever holds it is let in, so only its
/// [`hash`] is ever stored.
pub(crate) fn token() -> Result<String, NoRandomness> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(hex(&bytes))
}

/// SHA-256 as 64 hexadecimal digits.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The token that a session's forms carry: a function of the session's secret that does not give
/// the secret away.
pub(crate) fn form_token(session: &str) -> String {
    hash(format!("vigie form {session}").as_bytes())
}

/// Whether both are the same, in a time that does not tell where they differ.
pub(crate) fn same(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

/// Whether `text` can be a [`token`].
pub(crate) fn is_token(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_never_the_same() {
        let (one, other) = (token().unwrap(), token().unwrap());
        assert!(is_token(&one));
        assert_ne!(one, other);
        assert!(same(&one, &one.clone()) && !same(&one, &other));
    }

    #[test]
    fn the_hash_is_sha_256() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash(b"abc"), expected);
    }
}
