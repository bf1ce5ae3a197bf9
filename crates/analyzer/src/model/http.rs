//! The one place of this crate that speaks to a network: a model's server, over HTTP.

use std::fmt;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::Deserialize;
use ureq::http::{StatusCode, Uri};

use super::Transport;
use super::fault::Fault;

/// Bytes of an answer at most.
const ANSWER_BYTES: u64 = 256 * 1_024;
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a local port is looked at.
const LOOK: Duration = Duration::from_millis(400);
/// Models named of one server.
const MODELS: usize = 20;

/// Ports on which servers of models usually listen: Ollama, LM Studio, llama.cpp.
pub const USUAL_PORTS: [u16; 3] = [11_434, 1_234, 8_080];

/// A key for a server. Its text is shown nowhere and goes to no other server.
#[derive(Clone, Default)]
pub struct Key(String);

impl Key {
    /// A key; white space around it is none of it.
    ///
    /// # Errors
    /// It holds what a header cannot: control characters or text beyond ASCII.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.chars().all(|c| c.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a key is one word of ASCII characters")
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "Key(none)" } else { "Key(…)" })
    }
}

/// A server by its base address.
#[derive(Debug)]
pub struct Server {
    agent: ureq::Agent,
    base: String,
    key: Key,
}

impl Server {
    /// The server at `base`, such as `http://127.0.0.1:11434/v1`.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn new(base: &str, key: Key) -> Result<Self, String> {
        let base = base.trim_end_matches('/');
        let uri: Uri = base.parse().map_err(|_| format!("`{base}` is no address"))?;
        let scheme = uri.scheme_str().unwrap_or_default();
        if !matches!(scheme, "http" | "https") || uri.host().is_none() {
            return Err(format!("`{base}` must begin with http:// or https:// and name a host"));
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err("no name or password belongs in the address; the key has its own setting"
                .to_owned());
        }
        if uri.query().is_some() {
            return Err(format!("`{base}` must have no `?`"));
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // A proxy of the environment would get to see the key.
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .user_agent("vigie")
            .build();
        Ok(Self { agent: config.new_agent(), base: base.to_owned(), key })
    }

    /// Its address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Whether the key would go over a network in clear text.
    pub fn shows_key(&self) -> bool {
        !self.key.0.is_empty() && self.base.starts_with("http://") && !is_local(&self.base)
    }
}

/// Whether the address `base` is this machine, so that what is sent there does not leave it.
pub fn is_local(base: &str) -> bool {
    let uri: Option<Uri> = base.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Transport for Server {
    fn complete(&self, body: &str, timeout: Duration) -> Result<Vec<u8>, Fault> {
        let mut request = self
            .agent
            .post(format!("{}/chat/completions", self.base))
            .header("Content-Type", "application/json")
            .header("Accept", "application/json");
        if !self.key.0.is_empty() {
            request = request.header("Authorization", format!("Bearer {}", self.key.0));
        }
        let sent = request.config().timeout_global(Some(timeout)).build().send(body.as_bytes());
        read(sent.map_err(|error| fault(&error))?)
    }
}

fn read(mut answer: ureq::http::Response<ureq::Body>) -> Result<Vec<u8>, Fault> {
    let status = answer.status();
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(Fault::Key),
        StatusCode::NOT_FOUND => return Err(Fault::NotThere),
        StatusCode::TOO_MANY_REQUESTS => {
            let after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
            return Err(Fault::Busy(after.and_then(|seconds| seconds.parse().ok())));
        }
        _ if status.is_redirection() => return Err(Fault::Redirected),
        _ if !status.is_success() => return Err(Fault::Status(status.as_u16())),
        _ => {}
    }
    let mut bytes = Vec::new();
    // One byte more tells what is too large from what just fits.
    let mut reader = answer.body_mut().as_reader().take(ANSWER_BYTES + 1);
    reader.read_to_end(&mut bytes).map_err(|error| of_io(&error))?;
    if bytes.len() as u64 > ANSWER_BYTES {
        return Err(Fault::TooLarge);
    }
    Ok(bytes)
}

fn fault(error: &ureq::Error) -> Fault {
    match error {
        ureq::Error::Timeout(_) => Fault::TimedOut,
        ureq::Error::Io(error) => of_io(error),
        ureq::Error::HostNotFound => Fault::Unreachable("the host name is unknown".to_owned()),
        ureq::Error::Protocol(_) | ureq::Error::Http(_) => Fault::Garbled,
        ureq::Error::BodyExceedsLimit(_) => Fault::TooLarge,
        ureq::Error::TooManyRedirects | ureq::Error::RedirectFailed => Fault::Redirected,
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
            Fault::Unreachable("TLS failed: is the certificate valid?".to_owned())
        }
        _ => Fault::Unreachable("the connection failed".to_owned()),
    }
}

fn of_io(error: &io::Error) -> Fault {
    // Reading a body wraps the library's own errors.
    if let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
        return match inner {
            ureq::Error::Io(_) => Fault::Unreachable("the connection broke".to_owned()),
            inner => fault(inner),
        };
    }
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Fault::TimedOut,
        io::ErrorKind::ConnectionRefused => Fault::Unreachable("nothing listens there".to_owned()),
        // The library has no kind for what the resolver says.
        _ if error.to_string().starts_with("failed to lookup address") => {
            Fault::Unreachable("the host name is unknown".to_owned())
        }
        _ if error.raw_os_error().is_some() => Fault::Unreachable(error.to_string()),
        kind => Fault::Unreachable(kind.to_string()),
    }
}

/// A server found on a usual port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Its base address.
    pub base: String,
    /// The models that it offers, as it names them: untrusted text.
    pub models: Vec<String>,
}

#[derive(Deserialize)]
struct Models {
    data: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

/// Looks once at `ports` of this machine for servers of models, all at the same time. Nothing but
/// the list of models is asked for.
pub fn look(ports: &[u16]) -> Vec<Local> {
    std::thread::scope(|scope| {
        let looks: Vec<_> = ports.iter().map(|port| scope.spawn(|| look_at(*port))).collect();
        looks.into_iter().filter_map(|look| look.join().ok().flatten()).collect()
    })
}

fn look_at(port: u16) -> Option<Local> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let server = Server::new(&format!("http://{address}/v1"), Key::default()).ok()?;
    let answer = server
        .agent
        .get(format!("{}/models", server.base))
        .config()
        .timeout_global(Some(LOOK))
        .build()
        .call()
        .ok()?;
    let models: Models = serde_json::from_slice(&read(answer).ok()?).ok()?;
    let models = models.data.into_iter().map(|model| model.id).take(MODELS).collect();
    Some(Local { base: server.base, models })
}
