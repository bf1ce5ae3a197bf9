//! Signing in and out.

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{password, session};
use crate::console::Console;
use crate::context::{Context, page};
use crate::failure::Failure;
use crate::i18n::Text;
use crate::query;
use crate::shell::{Section, Shell};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    t: Text,
    shell: Shell,
    /// Whether nobody has an account yet.
    first: bool,
    name: String,
    next: String,
    problem: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
}

/// `GET /sign-in`
pub(crate) async fn show(
    State(console): State<Console>,
    context: Context,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Failure> {
    let next = query::own_path(&next).to_owned();
    if context.person.is_some() {
        return Ok(see_other(&next));
    }
    sign_in_page(&console, &context, next, String::new(), None).await
}

#[derive(Deserialize)]
pub(crate) struct SignIn {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /sign-in`
pub(crate) async fn submit(
    State(console): State<Console>,
    context: Context,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Result<Response, Failure> {
    let next = query::own_path(&form.next).to_owned();
    let now = console.clock.now();
    let name = form.name.trim().to_owned();
    if let Err(seconds) = console.sign_in_limit.take(context.address, &name, now) {
        tracing::warn!(address = ?context.address, "too many attempts to sign in");
        let problem = context.t.with("sign-in-wait", "duration", context.t.duration(seconds));
        let shown = Some(problem.into_owned());
        let mut response = sign_in_page(&console, &context, next, name, shown).await?;
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        return Ok(response);
    }
    let user = if form.password.len() <= password::MOST_BYTES {
        console.state.user_by_name(&name).await?.filter(|user| !user.disabled)
    } else {
        None
    };
    let stored = user.as_ref().and_then(|user| user.password_hash.clone());
    let right = password::verify(stored, form.password).await?;
    let Some(user) = user.filter(|_| right) else {
        tracing::warn!(address = ?context.address, "sign-in refused");
        let shown = Some(context.t.s("sign-in-wrong").into_owned());
        let mut response = sign_in_page(&console, &context, next, name, shown).await?;
        *response.status_mut() = StatusCode::FORBIDDEN;
        return Ok(response);
    };
    console.sign_in_limit.give_back(context.address, &name);
    let cookie = session::begin(&console, &user.name, &headers).await?;
    if user.last_login.is_none() {
        // Whoever made the account did not know what its owner reads; their browser does.
        console.state.set_user_lang(&user.name, context.t.lang()).await?;
    }
    console.state.note_login(&user.name, now).await?;
    let mut response = see_other(&next);
    session::add_cookie(response.headers_mut(), cookie);
    Ok(response)
}

#[derive(Deserialize)]
pub(crate) struct SignOut {
    form_token: String,
}

/// `POST /sign-out`
pub(crate) async fn sign_out(
    State(console): State<Console>,
    context: Context,
    Form(form): Form<SignOut>,
) -> Result<Response, Failure> {
    let person = context.reader()?;
    person.check_form(&form.form_token)?;
    let cookie = session::end_of(&console, person).await?;
    let mut response = see_other("/sign-in");
    session::add_cookie(response.headers_mut(), cookie);
    Ok(response)
}

/// Goes on with a `GET` of `path`, which must be of the console itself.
pub(crate) fn see_other(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let path = HeaderValue::try_from(path).unwrap_or_else(|_| HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, path);
    response
}

async fn sign_in_page(
    console: &Console,
    context: &Context,
    next: String,
    name: String,
    problem: Option<String>,
) -> Result<Response, Failure> {
    let mut shell = context.shell(Section::Door);
    if !shell.location.starts_with("/sign-in") {
        "/sign-in".clone_into(&mut shell.location);
    }
    page(&SignInPage {
        t: context.t,
        shell,
        first: console.state.user_count().await? == 0,
        name,
        next,
        problem,
    })
}
