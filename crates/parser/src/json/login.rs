//! JSON logs of applications and proxies: requests that were answered, and logins that were
//! refused. Each thing has a field of its own here, so nothing that somebody typed can stand in
//! another's place.

use std::sync::LazyLock;

use vigie_event::{FieldId, Fields, ValueRef, field};

use super::Walker;
use crate::application::{self, general};
use crate::line::{Known, Outcome, act};
use crate::{logsources, text, url};

/// Names of one thing, interned once.
struct Names(LazyLock<Vec<Option<FieldId>>>);

macro_rules! names {
    ($($name:literal,)*) => {
        Names(LazyLock::new(|| [$($name,)*].into_iter().map(FieldId::intern).collect()))
    };
}

/// Who asks, in the words of many programs; those of [`super::generic`] come first.
static CLIENTS: Names = names![
    "request.client_ip",
    "request.remote_ip",
    "ClientHost",
    "remoteAddr",
    "remoteAddress",
    "ipAddress",
    "ip_address",
    "addr.remote",
    "attr.remote",
    "request_ip",
    "clientIp",
    "clientIP",
    "remoteIp",
    "remoteIP",
    "sourceIP",
    "sourceIPAddress",
    "meta.remote_ip",
    "account.ip",
    "httpRequest.remoteIp",
    "httpRequest.clientIp",
    "eventData.httpSourceIP",
    "eventData.sourceIP",
    "client.ip",
    "client_addr",
    "remote_host",
    "rip",
    "remote",
    "client",
];
static USERS: Names = names![
    "attr.principalName",
    "attr.user",
    "identifier",
    "params.value.login",
    "context.username",
    "account.email",
    "userName",
    "user.username",
    "user.name",
    "login",
    "email",
];
static METHODS: Names = names![
    "RequestMethod",
    "request.method",
    "request_method",
    "httpRequest.requestMethod",
    "method",
];
static TARGETS: Names = names![
    "RequestPath",
    "request.uri",
    "request_uri",
    "httpRequest.requestUrl",
    "request_path",
    "uri",
    "url",
    "path",
];
static STATUSES: Names = names![
    "DownstreamStatus",
    "response_status",
    "status_code",
    "statusCode",
    "httpRequest.status",
    "status",
];
static DOMAINS: Names = names!["RequestHost", "request.host", "http_host",];
static AGENTS: Names = names![
    "request_User-Agent",
    "request.headers.User-Agent",
    "request_user_agent",
    "userAgent",
    "httpRequest.userAgent",
];
/// What a web application firewall (open-appsec) takes a request for.
static INCIDENTS: Names = names!["eventData.waapIncidentType",];
/// What happened, in the program's words.
static WORDS: Names = names![
    "message",
    "msg",
    "error",
    "err",
    "event",
    "event_type",
    "eventid",
    "eventName",
    "reason",
    "type",
    "action",
    "metric_name",
    "log",
];
/// `GitLab`'s sign-in, which answers with a redirect where it accepts, and only there.
static CONTROLLERS: Names = names!["controller",];
static SUCCESS: Names = names!["success",];

impl Names {
    fn text<'w>(&self, walker: &'w Walker, base: &'w str) -> Option<&'w str> {
        self.texts(walker, base).next()
    }

    fn texts<'w>(&self, walker: &'w Walker, base: &'w str) -> impl Iterator<Item = &'w str> {
        self.0.iter().filter_map(move |id| match walker.get(*id)?.resolve(base) {
            ValueRef::Text(text) if !text.is_empty() && text != "-" => Some(text),
            _ => None,
        })
    }

    fn number(&self, walker: &Walker, base: &str) -> Option<i64> {
        self.0.iter().find_map(|id| match walker.get(*id)?.resolve(base) {
            ValueRef::Integer(number) => Some(number),
            ValueRef::Text(text) => text::number(text),
            _ => None,
        })
    }
}

/// Fills who asks and as whom, where other names have not told.
pub fn who(walker: &Walker, fields: &mut Fields<'_>, base: &str) {
    if !fields.has(field::SOURCE_IP)
        && walker.get(Some(field::SOURCE_IP)).is_none()
        && let Some((address, port)) = CLIENTS.texts(walker, base).find_map(client)
    {
        fields.address(field::SOURCE_IP, address);
        if let Some(port) = port
            && !fields.has(field::SOURCE_PORT)
        {
            fields.integer(field::SOURCE_PORT, i64::from(port));
        }
    }
}

/// An address, with a port, or of a list of them the one that [`application::client_of`] takes.
fn client(value: &str) -> Option<(std::net::IpAddr, Option<u16>)> {
    match text::socket(value) {
        Some(found) => Some(found),
        None => Some((text::address(application::client_of(value)?)?, None)),
    }
}

/// What the record tells beyond its fields: a request, or a login that was refused. `None`: none.
pub fn derive(walker: &Walker, fields: &mut Fields<'_>, base: &str) -> Option<Known> {
    if let Some(incident) = INCIDENTS.text(walker, base) {
        fields.text(field::RULE_NAME, incident);
        act(fields, "waf_denied", "intrusion_detection", "denied", Outcome::Failure);
        return Some(Known::event("json", logsources::WAF));
    }
    let signs_in = CONTROLLERS.text(walker, base) == Some("SessionsController");
    let unanswered = signs_in && matches!(STATUSES.number(walker, base), Some(0 | 200 | 401 | 422));
    if !unanswered && let Some(known) = request(walker, fields, base) {
        return Some(known);
    }
    if WORDS.texts(walker, base).any(|word| word == "cowrie.session.connect") {
        application::trapped(fields);
        return Some(application::event("json"));
    }
    if !unanswered && !refused(walker, base) {
        return None;
    }
    if let Some(user) = WORDS.texts(walker, base).find_map(application::nextcloud_user) {
        fields.text(field::USER_NAME, user);
    }
    if !fields.has(field::SOURCE_IP) {
        // The message may name the client where no field does.
        let found = WORDS.texts(walker, base).find_map(general::read);
        if let Some((_, address, _)) = found.and_then(|found| found.client) {
            fields.address(field::SOURCE_IP, address);
        }
        if let Some(user) = found.and_then(|found| found.user)
            && !fields.has(field::USER_NAME)
        {
            fields.text(field::USER_NAME, user);
        }
    }
    if !fields.has(field::USER_NAME)
        && walker.get(Some(field::USER_NAME)).is_none()
        && let Some(user) = USERS.text(walker, base)
    {
        fields.text(field::USER_NAME, user);
    }
    application::refuse(fields);
    Some(application::event("json"))
}

/// A request with method, target and status.
fn request(walker: &Walker, fields: &mut Fields<'_>, base: &str) -> Option<Known> {
    let method = METHODS.text(walker, base)?;
    let target = TARGETS.text(walker, base)?;
    let status = STATUSES
        .number(walker, base)
        .filter(|status| *status == 0 || (100..600).contains(status))?;
    let plain = method.len() < 24 && method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    if !plain || !(fields.has(field::SOURCE_IP) || walker.get(Some(field::SOURCE_IP)).is_some()) {
        return None;
    }
    if !fields.has(field::HTTP_REQUEST_METHOD) {
        fields.text(field::HTTP_REQUEST_METHOD, method);
    }
    if let Some(domain) = DOMAINS.text(walker, base) {
        fields.text(field::URL_DOMAIN, text::rsplit(domain, b':').map_or(domain, |(name, _)| name));
    }
    if !fields.has(field::URL_DECODED) {
        url::target(fields, target);
    }
    if let Some(agent) = AGENTS.text(walker, base)
        && !fields.has(field::USER_AGENT_ORIGINAL)
    {
        fields.text(field::USER_AGENT_ORIGINAL, agent);
    }
    if !fields.has(field::HTTP_RESPONSE_STATUS_CODE) {
        fields.integer(field::HTTP_RESPONSE_STATUS_CODE, status);
    }
    let outcome = if status >= 400 { Outcome::Failure } else { Outcome::Success };
    act(fields, "http_request", "web", "access", outcome);
    Some(Known::event("json", logsources::WEB_ACCESS))
}

/// Whether a login was refused, by the words of the program's own fields.
fn refused(walker: &Walker, base: &str) -> bool {
    let flag = |wanted| {
        let values = SUCCESS.0.iter().filter_map(|id| walker.get(*id));
        values.map(|value| value.resolve(base)).any(|value| match value {
            ValueRef::Boolean(success) => success == wanted,
            _ => false,
        })
    };
    if flag(true) {
        return false;
    }
    let mut words = WORDS.texts(walker, base);
    words.any(|word| general::tells(word) || (flag(false) && word.contains("login")))
}
