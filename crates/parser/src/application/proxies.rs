//! Access logs of proxies and load balancers, and packets that firewalls other than Linux's tell of.

use vigie_event::{Fields, Value, field};

use crate::line::{Known, Outcome, act};
use crate::{logsources, text, url};

/// What a line tells.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'t> {
    Request(Request<'t>),
    Packet(Packet<'t>),
}

/// A request that a proxy answered.
#[derive(Clone, Copy, Debug)]
pub struct Request<'t> {
    pub dataset: &'static str,
    /// An address, also with a port.
    pub client: &'t str,
    pub method: &'t str,
    pub target: &'t str,
    pub domain: &'t str,
    pub query: &'t str,
    pub agent: &'t str,
    pub status: i64,
}

/// A packet that a firewall let through or not.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'t> {
    pub dataset: &'static str,
    pub action: &'static str,
    pub transport: &'t str,
    pub source: (&'t str, Option<u16>),
    pub destination: (&'t str, Option<u16>),
}

/// Reads a message in a frame. `None`: it is none of these.
pub fn parse_framed(fields: &mut Fields<'_>, program: &str, message: &str) -> Option<Known> {
    let seen = match program {
        "haproxy" => haproxy(message).map(Seen::Request),
        "filterlog" => filterlog(message).map(Seen::Packet),
        _ => None,
    }?;
    parse(fields, seen, message)
}

/// A quick look at whether [`recognise`] may know a line.
pub fn is_likely(line: &str) -> bool {
    let starts = ["[GIN] ", "http ", "https ", "h2 ", "ws ", "wss ", "grpcs "];
    let digit = line.as_bytes().first().is_some_and(u8::is_ascii_digit);
    starts.iter().any(|start| line.starts_with(start))
        || (digit && line.as_bytes().get(10) == Some(&b'\t'))
        || (line.starts_with('[') && line.contains("AccessLogFilter ["))
        || text::find_text(line, "firewall,").is_some()
}

/// What a line without a frame tells, by how it begins; `body` is the line behind its time.
pub fn recognise<'t>(line: &'t str, body: &'t str) -> Option<Seen<'t>> {
    if let Some(rest) = body.strip_prefix("[GIN] ") {
        return gin(rest).map(Seen::Request);
    }
    if body.contains("AccessLogFilter [") {
        return access_log_filter(body).map(Seen::Request);
    }
    if body.contains('\t') {
        return cloudfront(line).map(Seen::Request);
    }
    if body.starts_with("firewall,") || body.contains(" firewall,info ") {
        return mikrotik(body).map(Seen::Packet);
    }
    load_balancer(line).map(Seen::Request)
}

/// Fills what a line tells. `None`: its client is no address.
pub fn parse(fields: &mut Fields<'_>, seen: Seen<'_>, message: &str) -> Option<Known> {
    if !fields.has(field::MESSAGE) {
        fields.text(field::MESSAGE, message);
    }
    match seen {
        Seen::Request(request) => request.fill(fields),
        Seen::Packet(packet) => packet.fill(fields),
    }
}

impl Request<'_> {
    fn fill(&self, fields: &mut Fields<'_>) -> Option<Known> {
        let (address, port) = text::socket(self.client)?;
        fields.address(field::SOURCE_IP, address);
        if let Some(port) = port {
            fields.integer(field::SOURCE_PORT, i64::from(port));
        }
        fields.text(field::HTTP_REQUEST_METHOD, self.method);
        match self.query {
            "" | "-" => url::target(fields, self.target),
            query => url::target(fields, &format!("{}?{query}", self.target)),
        }
        if !fields.has(field::URL_DOMAIN) {
            text::some_text(fields, field::URL_DOMAIN, self.domain);
        }
        text::some_text(fields, field::USER_AGENT_ORIGINAL, self.agent);
        fields.integer(field::HTTP_RESPONSE_STATUS_CODE, self.status);
        let outcome = if self.status >= 400 { Outcome::Failure } else { Outcome::Success };
        act(fields, "http_request", "web", "access", outcome);
        Some(Known::event(self.dataset, logsources::WEB_ACCESS))
    }
}

impl Packet<'_> {
    fn fill(&self, fields: &mut Fields<'_>) -> Option<Known> {
        fields.address(field::SOURCE_IP, text::address(self.source.0)?);
        fields.address(field::DESTINATION_IP, text::address(self.destination.0)?);
        for (id, port) in
            [(field::SOURCE_PORT, self.source.1), (field::DESTINATION_PORT, self.destination.1)]
        {
            if let Some(port) = port {
                fields.integer(id, i64::from(port));
            }
        }
        fields.value(field::NETWORK_TRANSPORT, Value::Made(self.transport.to_lowercase().into()));
        let kind = if self.action == "blocked" { "denied" } else { "info" };
        act(fields, self.action, "network", kind, Outcome::None);
        Some(Known::event(self.dataset, logsources::ANY_FIREWALL))
    }
}

/// `<client>:<port> [<time>] <frontend> <backend>/<server> <timers> <status> <bytes> … "<request>"`
fn haproxy(message: &str) -> Option<Request<'_>> {
    let (client, rest) = message.split_once(" [")?;
    let (_, rest) = rest.split_once("] ")?;
    // Frontend, backend and server, timers.
    let mut parts = rest.split(' ').skip(3);
    let status = text::number(parts.next()?).filter(|status| *status < 1_000)?;
    // The request is the last in quotes; what captured headers hold stands in front of it.
    let request = rest.strip_suffix('"')?;
    let (_, request) = request.rsplit_once(" \"")?;
    let (method, target) = request.split_once(' ')?;
    let target = target.rsplit_once(" HTTP/").map_or(target, |(target, _)| target);
    // An IPv6 address has no brackets here: the last colon is the port's.
    let client = client.rsplit_once(':').map(|(address, _)| address)?;
    Some(Request { client, method, target, status, ..Request::of("haproxy.access") })
}

/// `<type> <time> <name> <client>:<port> <target>:<port> <t> <t> <t> <status> … "<request>" "<agent>"`
fn load_balancer(body: &str) -> Option<Request<'_>> {
    let (kind, rest) = text::word(body);
    let rest = match kind {
        "http" | "https" | "h2" | "grpcs" | "ws" | "wss" => rest,
        _ => return None,
    };
    let (front, quoted) = rest.split_once(" \"")?;
    let mut parts = front.split(' ').skip(2);
    let client = parts.next()?;
    let status = text::number(parts.nth(4)?)?;
    let (request, after) = quoted.split_once("\" \"")?;
    let (agent, _) = after.split_once('"')?;
    let (method, target) = request.split_once(' ')?;
    let target = target.rsplit_once(" HTTP/").map_or(target, |(target, _)| target);
    Some(Request { client, method, target, agent, status, ..Request::of("aws.alb") })
}

/// `<date> <time> <edge> <bytes> <client> <method> <host> <path> <status> <referrer> <agent> <query>`
/// with tabs between.
fn cloudfront(body: &str) -> Option<Request<'_>> {
    let mut parts = body.split('\t');
    let (date, clock) = (parts.next()?, parts.next()?);
    crate::time::iso(&format!("{date}T{clock}"))?;
    let (_, _) = (parts.next()?, parts.next()?);
    let client = parts.next()?;
    let (method, domain, target) = (parts.next()?, parts.next()?, parts.next()?);
    let status = text::number(parts.next()?)?;
    let (_, agent, query) = (parts.next()?, parts.next()?, parts.next()?);
    text::address(client)?;
    let request = Request::of("aws.cloudfront");
    Some(Request { client, method, target, domain, query, agent, status, ..request })
}

/// `2022/02/07 - 10:49:33 | 401 |     505.317µs |       10.1.2.3 | POST     "/client"` of Go's Gin.
fn gin(rest: &str) -> Option<Request<'_>> {
    let mut parts = rest.split('|').map(str::trim);
    parts.next()?;
    let status = text::number(parts.next()?)?;
    parts.next()?;
    let client = parts.next()?;
    let (method, target) = text::word(parts.next()?);
    let target = target.trim_matches('"');
    Some(Request { client, method, target, status, ..Request::of("gin.access") })
}

/// `… AccessLogFilter [<ids>] <client> <method> <path> took 8ms and returned 401 65 bytes` of Play.
fn access_log_filter(body: &str) -> Option<Request<'_>> {
    let (_, rest) = body.split_once("AccessLogFilter [")?;
    let (_, rest) = rest.split_once("] ")?;
    let (client, rest) = text::word(rest);
    let (method, rest) = text::word(rest);
    let (target, rest) = rest.rsplit_once(" took ")?;
    let (_, status) = rest.split_once(" returned ")?;
    let status = text::number(text::word(status).0)?;
    Some(Request { client, method, target, status, ..Request::of("play.access") })
}

/// pf's log over syslog, with commas between: rule, …, reason, action, direction, version, and
/// what the version has.
fn filterlog(message: &str) -> Option<Packet<'_>> {
    let parts: Vec<&str> = message.split(',').collect();
    let action = match *parts.get(6)? {
        "block" => "blocked",
        "pass" => "allowed",
        _ => "logged",
    };
    let at = match *parts.get(8)? {
        "4" => 16,
        "6" => 12,
        _ => return None,
    };
    let transport = *parts.get(at)?;
    let addresses = if at == 16 { 18 } else { 15 };
    let port = |at: usize| parts.get(at).and_then(|port| text::port(port));
    Some(Packet {
        dataset: "pf",
        action,
        transport,
        source: (parts.get(addresses)?, port(addresses + 2)),
        destination: (parts.get(addresses + 1)?, port(addresses + 3)),
    })
}

/// `firewall,info <prefix>: in:<i> out:<o>, …, proto TCP (SYN), <address>:<port>-><address>:<port>, len 40`
fn mikrotik(body: &str) -> Option<Packet<'_>> {
    let (front, rest) = body.split_once(" proto ")?;
    let lower = front.to_ascii_lowercase();
    let action = if ["drop", "block", "reject"].iter().any(|word| lower.contains(word)) {
        "blocked"
    } else {
        "logged"
    };
    let transport = rest.split([' ', ',']).next()?;
    let (source, destination) = rest.split_once("->")?;
    let source = source.rsplit(' ').next()?;
    let destination = destination.split([',', ' ']).next()?;
    let end = |socket| {
        let (_, port) = text::socket(socket)?;
        let address = match port {
            Some(_) => text::rsplit(socket, b':').map_or(socket, |(address, _)| address),
            None => socket,
        };
        Some((address, port))
    };
    Some(Packet {
        dataset: "mikrotik",
        action,
        transport,
        source: end(source)?,
        destination: end(destination)?,
    })
}

impl Request<'_> {
    /// A request of which nothing is known yet.
    const fn of(dataset: &'static str) -> Self {
        Self {
            dataset,
            client: "",
            method: "",
            target: "",
            domain: "",
            query: "",
            agent: "",
            status: 0,
        }
    }
}
