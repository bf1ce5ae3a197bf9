//! Which signed-in person does a request come from?

use std::fmt;

use axum::http::header::{COOKIE, SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue};
use vigie_event::Timestamp;
use vigie_store::state::{NewSession, Role, User};

use crate::console::{Console, Settings};
use crate::failure::Failure;
use crate::secret;

/// A session is written back at most that often, in seconds.
const TOUCH_S: i64 = 60;

/// A signed-in person.
#[derive(Clone)]
pub(crate) struct Person {
    pub user: User,
    /// When the session ends.
    pub expires: Timestamp,
    token: String,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("name", &self.user.name).finish_non_exhaustive()
    }
}

impl Person {
    /// What the forms on this person's pages must carry.
    pub(crate) fn form_token(&self) -> String {
        secret::form_token(&self.token)
    }

    /// Whether the person may change incidents, bans and tickets.
    pub(crate) fn may_change(&self) -> bool {
        match self.user.role {
            Role::Admin | Role::Analyst => true,
            Role::Viewer => false,
        }
    }

    /// Says whether a form came from one of this person's pages.
    pub(crate) fn check_form(&self, form_token: &str) -> Result<(), Failure> {
        let right = secret::same(&self.form_token(), form_token);
        if right { Ok(()) } else { Err(Failure::ForeignOrigin) }
    }
}

/// The name of the session cookie.
pub(crate) const fn cookie_name(settings: &Settings) -> &'static str {
    if settings.tls { "__Host-vigie_session" } else { "vigie_session" }
}

/// The value of a cookie.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// The person whose session cookie comes with the request. What people do prolongs the session;
/// what pages do by themselves does not, or an open tab would never be idle.
pub(crate) async fn find(
    console: &Console,
    headers: &HeaderMap,
) -> Result<Option<Person>, Failure> {
    let Some(token) = cookie(headers, cookie_name(&console.settings)) else {
        return Ok(None);
    };
    if !secret::is_token(token) {
        return Ok(None);
    }
    let now = console.clock.now();
    let hash = secret::hash(token.as_bytes());
    let Some(session) = console.state.session(&hash, now).await? else {
        return Ok(None);
    };
    let mut expires = session.expires;
    if !is_by_itself(headers) && now >= session.last_seen.plus_seconds(TOUCH_S) {
        expires = end(&console.settings, session.created, now);
        console.state.touch_session(&hash, expires, now).await?;
    }
    Ok(Some(Person { user: session.user, expires, token: token.to_owned() }))
}

/// Whether the page asked by itself: the live view, or a page that keeps itself fresh.
fn is_by_itself(headers: &HeaderMap) -> bool {
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
    is("accept", "text/event-stream") || is("vigie-refresh", "page")
}

/// Begins a session for `user` in place of the one that the request came with, and gives the
/// cookie to set.
pub(crate) async fn begin(
    console: &Console,
    user: &str,
    headers: &HeaderMap,
) -> Result<HeaderValue, Failure> {
    if let Some(old) = cookie(headers, cookie_name(&console.settings)) {
        console.state.delete_session(&secret::hash(old.as_bytes())).await?;
    }
    let now = console.clock.now();
    let token = secret::token()?;
    let client = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let new = NewSession {
        token_hash: secret::hash(token.as_bytes()),
        user: user.to_owned(),
        expires: end(&console.settings, now, now),
        client: client.to_owned(),
    };
    console.state.create_session(&new, now).await?;
    Ok(set_cookie(&console.settings, &token, console.settings.session_longest_s))
}

/// Ends the session that the request came with, and gives the cookie to set.
pub(crate) async fn end_of(console: &Console, person: &Person) -> Result<HeaderValue, Failure> {
    console.state.delete_session(&secret::hash(person.token.as_bytes())).await?;
    Ok(set_cookie(&console.settings, "", 0))
}

/// Adds a cookie to the answer.
pub(crate) fn add_cookie(headers: &mut HeaderMap, cookie: HeaderValue) {
    headers.append(SET_COOKIE, cookie);
}

fn set_cookie(settings: &Settings, value: &str, seconds: i64) -> HeaderValue {
    let secure = if settings.tls { "; Secure" } else { "" };
    let text = format!(
        "{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}",
        cookie_name(settings)
    );
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// When a session begun at `created` and used at `now` ends.
fn end(settings: &Settings, created: Timestamp, now: Timestamp) -> Timestamp {
    let idle = now.plus_seconds(settings.session_idle_s);
    idle.min(created.plus_seconds(settings.session_longest_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_cookie_among_others() {
        for (header, expected) in [
            ("vigie_session=abc", Some("abc")),
            ("a=1; vigie_session=abc; b=2", Some("abc")),
            ("xvigie_session=abc", None),
            ("vigie_session", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_static(header));
            assert_eq!(cookie(&headers, "vigie_session"), expected, "{header}");
        }
    }

    #[test]
    fn a_session_ends_when_idle_and_in_any_case() {
        let settings = Settings::default();
        let created = Timestamp::from_seconds(1_700_000_000);
        for (used_after, ends_after) in
            [(0, 43_200), (86_400, 86_400 + 43_200), (7 * 86_400 - 60, 7 * 86_400)]
        {
            let end = end(&settings, created, created.plus_seconds(used_after));
            assert_eq!(end, created.plus_seconds(ends_after), "{used_after}");
        }
    }

    #[test]
    fn the_cookie_is_bound_to_the_host_under_tls() {
        let plain = set_cookie(&Settings::default(), "t", 60);
        assert_eq!(plain, "vigie_session=t; Path=/; HttpOnly; SameSite=Strict; Max-Age=60");
        let tls = set_cookie(&Settings { tls: true, ..Settings::default() }, "t", 60);
        assert_eq!(
            tls,
            "__Host-vigie_session=t; Path=/; HttpOnly; SameSite=Strict; Max-Age=60; Secure"
        );
    }
}
