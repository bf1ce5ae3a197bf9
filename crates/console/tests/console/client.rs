//! A browser as far as the tests need one: it keeps cookies and sends its origin.

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt;
use vigie_console::{Console, Live, Settings, create_administrator, router};
use vigie_event::{Clock, ManualClock, Timestamp};
use vigie_store::state::{Role, State};

pub const HOST: &str = "localhost:6080";
pub const PASSWORD: &str = "quatre mouettes au large";

/// A console over a state in memory, with the clock in the test's hand.
pub struct Bench {
    pub app: Router,
    pub state: State,
    pub clock: Arc<ManualClock>,
    pub live: tokio::sync::broadcast::Sender<Live>,
}

impl Bench {
    pub async fn empty() -> Self {
        Self::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Self {
        let state = State::in_memory().await.unwrap();
        let clock = Arc::new(ManualClock::at(crate::sample::now()));
        let live = Console::live_channel();
        let app = router(Console::new(state.clone(), clock.clone(), live.clone(), settings));
        Self { app, state, clock, live }
    }

    /// With an administrator `camille`.
    pub async fn ready() -> Self {
        let bench = Self::empty().await;
        create_administrator(&bench.state, &*bench.clock, "camille", PASSWORD).await.unwrap();
        bench
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.set(self.now().plus_seconds(seconds));
    }

    pub fn browser(&self) -> Browser {
        Browser { app: self.app.clone(), cookies: Vec::new(), lang: "en" }
    }

    /// A browser in which the administrator is signed in.
    pub async fn signed_in(&self) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in("camille", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        browser
    }

    /// A browser in which somebody of this role is signed in.
    pub async fn signed_in_as(&self, role: Role) -> Browser {
        let camille = self.state.user_by_name("camille").await.unwrap().unwrap();
        let hash = camille.password_hash.unwrap();
        let name = role.name();
        self.state.create_user(name, role, Some(&hash), "camille", self.now()).await.unwrap();
        let mut browser = self.browser();
        let answer = browser.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        browser
    }
}

pub struct Browser {
    app: Router,
    cookies: Vec<(String, String)>,
    pub lang: &'static str,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The token that the page's forms carry.
    pub fn form_token(&self) -> String {
        let mark = "name=\"form_token\" value=\"";
        let start = self.body.find(mark).expect("page has no form") + mark.len();
        self.body[start..].split('"').next().unwrap().to_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
}

impl Browser {
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path), Body::empty()).await
    }

    /// Sends a form as the console's own page would.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(path)
            .header("origin", format!("http://{HOST}"))
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request, form(fields)).await
    }

    pub async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        self.post("/sign-in", &[("name", name), ("password", password)]).await
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.retain(|(key, _)| key != name);
        self.cookies.push((name.to_owned(), value.to_owned()));
    }

    pub async fn send(&mut self, mut request: axum::http::request::Builder, body: Body) -> Answer {
        if request.headers_ref().is_none_or(|headers| !headers.contains_key("host")) {
            request = request.header("host", HOST);
        }
        request = request.header("accept-language", self.lang);
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        let response = self.app.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        for cookie in head.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(key, _)| key != name);
            if !cookie.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}

pub fn form(fields: &[(&str, &str)]) -> Body {
    let mut body = String::new();
    for (name, value) in fields {
        body.push_str(if body.is_empty() { "" } else { "&" });
        body.push_str(name);
        body.push('=');
        for byte in value.bytes() {
            write!(body, "%{byte:02X}").unwrap();
        }
    }
    Body::from(body)
}
