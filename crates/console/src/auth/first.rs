//! How does the first administrator come to be?
//!
//! Either by a one-time link that the program prints at its start, or by a password that an
//! unattended installation hands over.

use serde::{Deserialize, Serialize};
use vigie_event::{Clock, Timestamp};
use vigie_store::state::{Role, State, StateError, User};

use super::password::{self, HashingFailed, WeakPassword};
use crate::secret::{self, NoRandomness};

/// Seconds for which a first sign-in link works.
pub const FIRST_LINK_S: i64 = 24 * 3_600;
/// Where the present link is remembered.
const FIRST_LINK: &str = "console.first_sign_in_link";

/// The first administrator cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FirstError {
    /// The state cannot be read or changed.
    #[error(transparent)]
    State(#[from] StateError),
    /// There are no random numbers.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The password cannot be hashed.
    #[error(transparent)]
    Hashing(#[from] HashingFailed),
    /// The password is not good enough.
    #[error("{0}; choose a longer one of several unrelated words")]
    WeakPassword(#[from] WeakPassword),
}

/// What is kept of a link: never the link itself.
#[derive(Debug, Default, Serialize, Deserialize)]
struct FirstLink {
    token_hash: String,
    expires: Timestamp,
}

/// The path of a new one-time link (`/welcome/…`) on which the first administrator chooses a name
/// and a password, or `None` once there is an administrator. Works for [`FIRST_LINK_S`] seconds;
/// links made before it no longer do.
///
/// # Errors
/// The state cannot be read or changed, or there are no random numbers.
pub async fn first_sign_in_link(
    state: &State,
    clock: &dyn Clock,
) -> Result<Option<String>, FirstError> {
    if has_administrator(state).await? {
        return Ok(None);
    }
    let token = secret::token()?;
    let link = FirstLink {
        token_hash: secret::hash(token.as_bytes()),
        expires: clock.now().plus_seconds(FIRST_LINK_S),
    };
    state.remember(FIRST_LINK, &link).await?;
    Ok(Some(format!("/welcome/{token}")))
}

/// Makes an administrator of this name and password, for unattended installations. Where somebody
/// of that name exists already nothing is changed and the answer is `None`.
///
/// # Errors
/// The password is not good enough, or the state cannot be read or changed.
pub async fn create_administrator(
    state: &State,
    clock: &dyn Clock,
    name: &str,
    password: &str,
) -> Result<Option<User>, FirstError> {
    if state.user_by_name(name).await?.is_some() {
        return Ok(None);
    }
    password::check_strength(name, password)?;
    let hash = password::hash(password.to_owned()).await?;
    let user = state.create_user(name, Role::Admin, Some(&hash), "setup", clock.now()).await?;
    forget_link(state).await?;
    Ok(Some(user))
}

pub(crate) async fn has_administrator(state: &State) -> Result<bool, StateError> {
    let users = state.users().await?;
    Ok(users.iter().any(|user| user.role == Role::Admin && !user.disabled))
}

/// Whether `token` is that of the present link, its time is not over, and nobody used it.
pub(crate) async fn link_works(
    state: &State,
    token: &str,
    now: Timestamp,
) -> Result<bool, StateError> {
    let link: Option<FirstLink> = state.setting(FIRST_LINK).await?;
    let right = link.is_some_and(|link| {
        now < link.expires && secret::same(&link.token_hash, &secret::hash(token.as_bytes()))
    });
    Ok(right && !has_administrator(state).await?)
}

pub(crate) async fn forget_link(state: &State) -> Result<(), StateError> {
    state.remember(FIRST_LINK, &FirstLink::default()).await
}
