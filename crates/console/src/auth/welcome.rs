//! The one-time link on which the first administrator chooses a name and a password.

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use vigie_store::state::{Role, StateError};

use super::sign_in::see_other;
use super::{first, password, session};
use crate::console::Console;
use crate::context::{Context, page};
use crate::failure::Failure;
use crate::i18n::Text;
use crate::secret;
use crate::shell::{Section, Shell};

#[derive(Template)]
#[template(path = "welcome.html")]
struct WelcomePage {
    t: Text,
    shell: Shell,
    token: String,
    name: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "error.html")]
struct GonePage {
    t: Text,
    shell: Shell,
    status: u16,
    title: String,
    explanation: String,
    request: Option<String>,
}

/// `GET /welcome/{token}`. Looking does not use the link up: mail scanners and previews look too.
pub(crate) async fn show(
    State(console): State<Console>,
    context: Context,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    if !works(&console, &token).await? {
        return gone(&context);
    }
    page(&WelcomePage {
        t: context.t,
        shell: context.shell(Section::Door),
        token,
        name: "admin".to_owned(),
        problem: None,
    })
}

#[derive(Deserialize)]
pub(crate) struct Welcome {
    name: String,
    password: String,
    repeated: String,
}

/// `POST /welcome/{token}`
pub(crate) async fn submit(
    State(console): State<Console>,
    context: Context,
    Path(token): Path<String>,
    headers: HeaderMap,
    Form(form): Form<Welcome>,
) -> Result<Response, Failure> {
    // One at a time: the link must not make two administrators.
    let turn = console.first.lock().await;
    if !works(&console, &token).await? {
        return gone(&context);
    }
    let name = form.name.trim().to_owned();
    if let Some(problem) = problem(&name, &form.password, &form.repeated) {
        return again(&context, token, name, problem);
    }
    let hash = password::hash(form.password).await?;
    let now = console.clock.now();
    match console.state.create_user(&name, Role::Admin, Some(&hash), &name, now).await {
        Ok(_) => {}
        Err(StateError::Conflict(_)) => return again(&context, token, name, "name-taken"),
        Err(StateError::Invalid(_)) => return again(&context, token, name, "name-bad"),
        Err(error) => return Err(error.into()),
    }
    first::forget_link(&console.state).await?;
    drop(turn);
    console.state.set_user_lang(&name, context.t.lang()).await?;
    console.state.note_login(&name, now).await?;
    let cookie = session::begin(&console, &name, &headers).await?;
    let mut response = see_other("/");
    session::add_cookie(response.headers_mut(), cookie);
    Ok(response)
}

/// What is wrong with a name and a new password, as the key of a text.
pub(crate) fn problem(name: &str, password: &str, repeated: &str) -> Option<&'static str> {
    let length = name.chars().count();
    let plain = name.chars().all(|letter| letter.is_alphanumeric() || "._-".contains(letter));
    if !(2..=64).contains(&length) || !plain {
        return Some("name-bad");
    }
    if let Err(weak) = password::check_strength(name, password) {
        return Some(weak.key());
    }
    (password != repeated).then_some("password-differs")
}

async fn works(console: &Console, token: &str) -> Result<bool, Failure> {
    let now = console.clock.now();
    Ok(secret::is_token(token) && first::link_works(&console.state, token, now).await?)
}

fn again(
    context: &Context,
    token: String,
    name: String,
    problem: &'static str,
) -> Result<Response, Failure> {
    let mut response = page(&WelcomePage {
        t: context.t,
        shell: context.shell(Section::Door),
        token,
        name,
        problem: Some(context.t.s(problem).into_owned()),
    })?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

fn gone(context: &Context) -> Result<Response, Failure> {
    let t = context.t;
    let mut response = page(&GonePage {
        t,
        shell: context.shell(Section::Door),
        status: StatusCode::GONE.as_u16(),
        title: t.s("welcome-title").into_owned(),
        explanation: t.s("welcome-gone").into_owned(),
        request: None,
    })?;
    *response.status_mut() = StatusCode::GONE;
    Ok(response)
}
