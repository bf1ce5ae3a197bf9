//! What is known about a request before its handler runs, and what happens to failures after it.

use std::net::{IpAddr, SocketAddr};

use askama::Template;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::{
    ACCEPT_LANGUAGE, CONTENT_TYPE, HOST, LOCATION, SET_COOKIE, WWW_AUTHENTICATE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use vigie_event::{Lang, Mode, unmapped};

use crate::auth::session::{self, Person};
use crate::console::Console;
use crate::failure::{self, Failure};
use crate::guard::{host, origin};
use crate::i18n::Text;
use crate::shell::{self, Section, Shell, ShellUser};
use crate::{query, secret};

const LANG_COOKIE: &str = "vigie_lang";
const THEME_COOKIE: &str = "vigie_theme";

/// What is known about a request.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// The reader's language.
    pub t: Text,
    /// Who is signed in.
    pub person: Option<Person>,
    /// Where the request came from; `None` in tests without a socket.
    pub address: Option<IpAddr>,
    theme: Option<&'static str>,
    location: String,
    done: Option<&'static str>,
    dry_run: bool,
}

impl Context {
    /// The person who is signed in.
    ///
    /// # Errors
    /// Nobody is.
    pub(crate) fn reader(&self) -> Result<&Person, Failure> {
        self.person.as_ref().ok_or(Failure::NotSignedIn)
    }

    /// The person who is signed in, provided that the form is theirs and they may change things.
    ///
    /// # Errors
    /// Nobody is signed in, the form came from elsewhere, or their role is to read.
    pub(crate) fn editor(&self, form_token: &str) -> Result<&Person, Failure> {
        let person = self.reader()?;
        person.check_form(form_token)?;
        if person.may_change() { Ok(person) } else { Err(Failure::Forbidden) }
    }

    /// What surrounds a page of `section`.
    pub(crate) fn shell(&self, section: Section) -> Shell {
        Shell {
            theme: self.theme,
            user: self.person.as_ref().map(|person| ShellUser {
                name: person.user.name.clone(),
                may_change: person.may_change(),
            }),
            form_token: self.person.as_ref().map(Person::form_token).unwrap_or_default(),
            section,
            location: self.location.clone(),
            dry_run: self.dry_run,
            notice: self.done,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Context {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let context = parts.extensions.get::<Self>().cloned();
        context.ok_or_else(|| Failure::Internal("request has no context".to_owned()))
    }
}

/// A page.
pub(crate) fn page(template: &impl Template) -> Result<Response, Failure> {
    Ok(Html(template.render()?).into_response())
}

/// The frame around every handler but those of files and health.
pub(crate) async fn frame(
    State(console): State<Console>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let chosen_lang = query::value(&query, "lang").and_then(|code| code.parse::<Lang>().ok());
    let chosen_theme = query::value(&query, "theme").and_then(|name| theme_named(&name));
    let path = request.uri().path();
    let is_api = path.starts_with("/api/") || path == "/metrics";
    let is_visit = request.method().is_safe() && request.uri().path() != "/live";
    let is_cross_site_visit = request.method() == Method::GET
        && headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");

    let mut context = Context {
        t: Text(language(chosen_lang, headers, None)),
        person: None,
        address: request
            .extensions()
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(address)| unmapped(address.ip())),
        theme: chosen_theme
            .or_else(|| session::cookie(headers, THEME_COOKIE).and_then(theme_named)),
        location: request
            .uri()
            .path_and_query()
            .map_or_else(|| "/".to_owned(), ToString::to_string),
        done: query::value(&query, "done").and_then(|done| shell::notice(&done)),
        dry_run: console.settings.mode == Mode::DryRun,
    };

    let admitted = admit(&console, request.method(), headers);
    let mut response = match admitted {
        Err(failure) => failure.into_response(),
        Ok(()) => match session::find(&console, headers).await {
            Err(failure) => failure.into_response(),
            Ok(person) => {
                let preferred = person.as_ref().map(|person| person.user.lang);
                context.t = Text(language(chosen_lang, headers, preferred));
                context.person = person;
                request.extensions_mut().insert(context.clone());
                next.run(request).await
            }
        },
    };

    if !is_visit {
        // Neither a change nor a stream is a page to come back to.
        "/".clone_into(&mut context.location);
    }
    if let Some(failed) = present(&context, &response, is_api, is_cross_site_visit) {
        response = failed;
    }
    if let Some(lang) = chosen_lang {
        remember(response.headers_mut(), &console, LANG_COOKIE, lang.code());
    }
    if let Some(theme) = chosen_theme {
        remember(response.headers_mut(), &console, THEME_COOKIE, theme);
    }
    response
}

fn admit(console: &Console, method: &Method, headers: &HeaderMap) -> Result<(), Failure> {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok());
    if !host.is_some_and(|host| host::is_own(host, &console.settings.hosts)) {
        return Err(Failure::WrongHost);
    }
    if !origin::is_own(method, headers) {
        return Err(Failure::ForeignOrigin);
    }
    Ok(())
}

/// Asked for, then chosen before in this browser, then set by the person, then the browser's own.
fn language(chosen: Option<Lang>, headers: &HeaderMap, preferred: Option<Lang>) -> Lang {
    let cookie = || session::cookie(headers, LANG_COOKIE).and_then(|code| code.parse().ok());
    let browser = || {
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        accepted.map(Lang::from_locale)
    };
    chosen.or_else(cookie).or(preferred).or_else(browser).unwrap_or_default()
}

fn theme_named(name: &str) -> Option<&'static str> {
    match name {
        "light" => Some("light"),
        "dark" => Some("dark"),
        _ => None,
    }
}

fn remember(headers: &mut HeaderMap, console: &Console, name: &str, value: &str) {
    let secure = if console.settings.tls { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax{secure}");
    if let Ok(cookie) = HeaderValue::try_from(text) {
        headers.append(SET_COOKIE, cookie);
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    t: Text,
    shell: Shell,
    status: u16,
    title: String,
    explanation: String,
    request: Option<String>,
}

#[derive(Template)]
#[template(path = "hop.html")]
struct HopPage {
    t: Text,
    to: String,
}

/// The page or problem document in place of a failed answer; `None` where the answer stands.
fn present(
    context: &Context,
    response: &Response,
    is_api: bool,
    is_cross_site_visit: bool,
) -> Option<Response> {
    let failure = response.extensions().get::<Failure>();
    let status = response.status();
    // A handler that shows its own page with an error status has said all there is to say.
    let has_page = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html") && failure.is_none());
    if has_page || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    let reference = match failure {
        Some(Failure::Internal(problem)) => {
            let reference = secret::token().map(|token| token.chars().take(12).collect::<String>());
            let reference = reference.unwrap_or_default();
            tracing::error!(request = reference, error = problem, "request failed");
            Some(reference)
        }
        _ => None,
    };
    let t = context.t;
    let (title, explanation) = failure::texts(failure, status);
    if is_api {
        let mut shown = problem(status, &t.s(title), &t.s(explanation), reference);
        keep_headers(response, &mut shown);
        return Some(shown);
    }
    if failure == Some(&Failure::NotSignedIn) {
        return Some(to_sign_in(context, is_cross_site_visit));
    }
    let page = ErrorPage {
        t,
        shell: context.shell(Section::Door),
        status: status.as_u16(),
        title: t.s(title).into_owned(),
        explanation: t.s(explanation).into_owned(),
        request: reference,
    };
    let body = page.render().unwrap_or_else(|_| page.title.clone());
    let mut shown = (status, Html(body)).into_response();
    keep_headers(response, &mut shown);
    Some(shown)
}

fn problem(status: StatusCode, title: &str, detail: &str, reference: Option<String>) -> Response {
    let mut document = serde_json::json!({
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
    });
    if let (Some(reference), Some(object)) = (reference, document.as_object_mut()) {
        object.insert("request".to_owned(), reference.into());
    }
    let mut response = (status, Body::from(document.to_string())).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Cookie realm=\"Vigie\""));
    }
    response
}

/// `Allow` and the like belong to the answer whatever its body is.
fn keep_headers(from: &Response, to: &mut Response) {
    for (name, value) in from.headers() {
        if name != CONTENT_TYPE && name != "content-length" {
            to.headers_mut().append(name, value.clone());
        }
    }
}

/// To the sign-in page and back. Browsers keep a `SameSite=Strict` cookie from a visit that a link
/// elsewhere began, so such a visit first goes round once from a page of ours.
fn to_sign_in(context: &Context, is_cross_site_visit: bool) -> Response {
    let to = format!("/sign-in?next={}", query::encode(&context.location));
    if is_cross_site_visit {
        let page = HopPage { t: context.t, to };
        return Html(page.render().unwrap_or_default()).into_response();
    }
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(to) = HeaderValue::try_from(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}
