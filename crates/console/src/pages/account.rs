//! One's own account: language and password.

use askama::Template;
use axum::extract::{Form, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use vigie_event::{Lang, Timestamp};

use crate::auth::sign_in::see_other;
use crate::auth::{password, session};
use crate::console::Console;
use crate::context::{Context, page};
use crate::failure::Failure;
use crate::i18n::Text;
use crate::shell::{Section, Shell};
use crate::words;

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    t: Text,
    shell: Shell,
    name: String,
    role: String,
    role_explained: String,
    until: Timestamp,
    problem: Option<String>,
}

/// `GET /account`
pub(crate) async fn show(context: Context) -> Result<Response, Failure> {
    account_page(&context, None)
}

#[derive(Deserialize)]
pub(crate) struct ChangeLanguage {
    form_token: String,
    lang: String,
}

/// `POST /account/language`
pub(crate) async fn change_language(
    State(console): State<Console>,
    context: Context,
    Form(form): Form<ChangeLanguage>,
) -> Result<Response, Failure> {
    let person = context.reader()?;
    person.check_form(&form.form_token)?;
    let lang: Lang = form.lang.parse().map_err(|_| Failure::BadRequest)?;
    console.state.set_user_lang(&person.user.name, lang).await?;
    let mut response = see_other("/account?done=saved");
    // What this browser chose before must not stand against what the person sets now.
    let forget = HeaderValue::from_static("vigie_lang=; Path=/; Max-Age=0; SameSite=Lax");
    response.headers_mut().append(SET_COOKIE, forget);
    Ok(response)
}

#[derive(Deserialize)]
pub(crate) struct ChangePassword {
    form_token: String,
    current: String,
    password: String,
    repeated: String,
}

/// `POST /account/password`
pub(crate) async fn change_password(
    State(console): State<Console>,
    context: Context,
    headers: HeaderMap,
    Form(form): Form<ChangePassword>,
) -> Result<Response, Failure> {
    let person = context.reader()?;
    person.check_form(&form.form_token)?;
    let name = person.user.name.clone();
    let now = console.clock.now();
    // A session left open must not become a place to guess the password.
    console.sign_in_limit.take(context.address, &name, now).map_err(Failure::TooMany)?;
    let stored = person.user.password_hash.clone();
    if form.current.len() > password::MOST_BYTES || !password::verify(stored, form.current).await? {
        return refused(&context, "password-wrong");
    }
    console.sign_in_limit.give_back(context.address, &name);
    let weak = password::check_strength(&name, &form.password).err();
    if let Some(weak) = weak {
        return refused(&context, weak.key());
    }
    if form.password != form.repeated {
        return refused(&context, "password-differs");
    }
    let hash = password::hash(form.password).await?;
    // Ends all sessions of this person; this browser gets a new one.
    console.state.set_password_hash(&name, &hash, &name, now).await?;
    let cookie = session::begin(&console, &name, &headers).await?;
    let mut response = see_other("/account?done=password");
    session::add_cookie(response.headers_mut(), cookie);
    Ok(response)
}

fn refused(context: &Context, problem: &str) -> Result<Response, Failure> {
    let mut response = account_page(context, Some(context.t.s(problem).into_owned()))?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

fn account_page(context: &Context, problem: Option<String>) -> Result<Response, Failure> {
    let person = context.reader()?;
    let t = context.t;
    let mut shell = context.shell(Section::Account);
    "/account".clone_into(&mut shell.location);
    page(&AccountPage {
        t,
        shell,
        name: person.user.name.clone(),
        role: t.s(words::role(person.user.role)).into_owned(),
        role_explained: t.s(words::role_explained(person.user.role)).into_owned(),
        until: person.expires,
        problem,
    })
}
