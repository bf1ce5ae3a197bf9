//! Is this the person's password, and is it good enough?

use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

/// Least characters of a password (NIST SP 800-63B asks for 8 beside a second factor, 15 alone;
/// 12 with a rate limit lies between).
pub const LEAST_CHARACTERS: usize = 12;
/// Most bytes of a password; longer ones are refused before any work is done on them.
pub const MOST_BYTES: usize = 512;

/// Why a password is not good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer than [`LEAST_CHARACTERS`] characters.
    #[error("the password has fewer than {LEAST_CHARACTERS} characters")]
    TooShort,
    /// More than [`MOST_BYTES`] bytes.
    #[error("the password has more than {MOST_BYTES} bytes")]
    TooLong,
    /// Few different characters, a row of keys, the name or a password that everybody tries.
    #[error("the password is easy to guess")]
    Guessable,
}

impl WeakPassword {
    /// The key of the text that explains it.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::TooShort => "password-too-short",
            Self::TooLong => "password-too-long",
            Self::Guessable => "password-guessable",
        }
    }
}

/// The password could not be hashed or compared.
#[derive(Debug, thiserror::Error)]
pub enum HashingFailed {
    /// Too many wait for it already.
    #[error("too many passwords wait to be checked")]
    Busy,
    /// The hash function refused.
    #[error("password hashing failed: {0}")]
    Broken(String),
}

/// Starts of passwords that everybody tries first.
const COMMON: &[&str] = &[
    "password",
    "motdepasse",
    "azerty",
    "qwerty",
    "123456",
    "abcdef",
    "letmein",
    "welcome",
    "bienvenue",
    "iloveyou",
    "jetaime",
    "changeme",
    "administrator",
    "administrateur",
    "vigie",
];

/// Says whether `password` is good enough for the account called `name`.
///
/// # Errors
/// The first reason for which it is not.
pub fn check_strength(name: &str, password: &str) -> Result<(), WeakPassword> {
    if password.len() > MOST_BYTES {
        return Err(WeakPassword::TooLong);
    }
    if password.chars().count() < LEAST_CHARACTERS {
        return Err(WeakPassword::TooShort);
    }
    let folded = password.to_lowercase();
    let mut distinct: Vec<char> = folded.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let name = name.trim().to_lowercase();
    let rest = COMMON.iter().fold(folded.clone(), |rest, common| rest.replace(common, ""));
    let rest = if name.chars().count() >= 3 { rest.replace(&name, "") } else { rest };
    // What is left once the guessable parts are gone must still be a word's length.
    if distinct.len() < 5 || rest.chars().count() < 6 {
        return Err(WeakPassword::Guessable);
    }
    Ok(())
}

/// KiB of memory and passes of one hash. Of the settings that OWASP's Password Storage Cheat Sheet
/// calls equally strong, the one that takes least memory.
const MEMORY_KIB: u32 = 7 * 1_024;
const PASSES: u32 = 5;

/// argon2id.
fn argon2() -> Result<Argon2<'static>, HashingFailed> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None);
    let params = params.map_err(|error| HashingFailed::Broken(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes are made one after the other, so that sign-ins together take no more memory than one.
static TURN: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(1)));
/// How many may wait for their turn: a few seconds' worth.
static QUEUE: Semaphore = Semaphore::const_new(64);

/// Hashes a password (argon2id, PHC string).
pub(crate) async fn hash(password: String) -> Result<String, HashingFailed> {
    in_turn(move || {
        let hash: PasswordHash = argon2()?
            .hash_password(password.as_bytes())
            .map_err(|error| HashingFailed::Broken(error.to_string()))?;
        Ok(hash.to_string())
    })
    .await
}

/// Whether `password` is the one behind `stored`. Without a stored hash (nobody has that name) the
/// same work is done and the answer is no, so that the time taken tells nothing.
pub(crate) async fn verify(
    stored: Option<String>,
    password: String,
) -> Result<bool, HashingFailed> {
    in_turn(move || {
        let known = stored.is_some();
        let stored = match stored {
            Some(stored) => stored,
            None => nobody()?.to_owned(),
        };
        let stored =
            PasswordHash::new(&stored).map_err(|error| HashingFailed::Broken(error.to_string()))?;
        // The stored hash says with which settings it was made.
        let right = argon2()?.verify_password(password.as_bytes(), &stored).is_ok();
        Ok(known && right)
    })
    .await
}

/// A hash that belongs to nobody, made with the same parameters as everybody's.
fn nobody() -> Result<&'static str, HashingFailed> {
    static NOBODY: LazyLock<Result<String, String>> = LazyLock::new(|| {
        let argon2 = argon2().map_err(|error| error.to_string())?;
        let hash: Result<PasswordHash, _> = argon2.hash_password(b"nobody");
        hash.map(|hash| hash.to_string()).map_err(|error| error.to_string())
    });
    NOBODY.as_ref().map(String::as_str).map_err(|error| HashingFailed::Broken(error.clone()))
}

async fn in_turn<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HashingFailed> + Send + 'static,
) -> Result<T, HashingFailed> {
    let _place = QUEUE.try_acquire().map_err(|_| HashingFailed::Busy)?;
    let turn = Arc::clone(&TURN)
        .acquire_owned()
        .await
        .map_err(|error| HashingFailed::Broken(error.to_string()))?;
    tokio::task::spawn_blocking(move || {
        let result = work();
        drop(turn);
        result
    })
    .await
    .map_err(|error| HashingFailed::Broken(error.to_string()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_refused_with_the_reason() {
        for (name, password, expected) in [
            ("camille", "quatre mouettes au large", Ok(())),
            ("camille", "Xk7-pq2_Lmn9", Ok(())),
            ("camille", "éèàùçîôêûëïü", Ok(())),
            ("camille", "short", Err(WeakPassword::TooShort)),
            ("camille", "éèàùçîôêûëï", Err(WeakPassword::TooShort)),
            ("camille", "aaaaaaaaaaaaaaa", Err(WeakPassword::Guessable)),
            ("camille", "motdepasse123", Err(WeakPassword::Guessable)),
            ("camille", "Password1234", Err(WeakPassword::Guessable)),
            ("camilleduran", "CamilleDuran1", Err(WeakPassword::Guessable)),
        ] {
            assert_eq!(check_strength(name, password), expected, "{password}");
        }
        assert_eq!(check_strength("a", &"xyzab".repeat(110)), Err(WeakPassword::TooLong));
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_account_is_accepted() {
        let stored = hash("quatre mouettes".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(verify(Some(stored.clone()), "quatre mouettes".into()).await.unwrap());
        assert!(!verify(Some(stored), "trois mouettes".into()).await.unwrap());
        assert!(!verify(None, "nobody".into()).await.unwrap());
    }
}
