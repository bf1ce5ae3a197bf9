//! A model's server on loopback that does what its script says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// What the server does with one request.
#[derive(Clone, Debug)]
pub enum Step {
    /// Answers with this text.
    Say(String),
    /// The same, ended for want of room.
    Cut(String),
    /// Answers with this body as it stands.
    Body(String),
    /// Answers with this status.
    Status(u16),
    /// 429 with the seconds to wait.
    Busy(u32),
    /// 302 to this address.
    Redirect(String),
    /// Answers never.
    Hang,
    /// Sends the head and a part of the body, and then nothing.
    Drip,
    /// Closes the connection at once.
    Close,
    /// Promises more than it sends, and closes.
    Truncate,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub head: String,
    pub body: Value,
}

/// The server. It ends with the process.
pub struct Server {
    pub base: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    /// A server that goes through `steps`, one a request; the last goes on for ever.
    pub fn scripted(steps: Vec<Step>) -> Self {
        let mut steps = steps.into_iter().peekable();
        Self::start(move |_| {
            let step = steps.peek().cloned().expect("a step");
            if steps.len() > 1 {
                steps.next();
            }
            step
        })
    }

    /// A server that does what `choose` says about each request.
    pub fn start(mut choose: impl FnMut(&Received) -> Step + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        std::thread::spawn(move || {
            // Connections that are left hanging stay open.
            let mut hanging = Vec::new();
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let Some(request) = read(&stream) else { continue };
                kept.lock().unwrap().push(request.clone());
                hanging.extend(act(stream, choose(&request)));
            }
        });
        Self { base, received }
    }

    /// What has been asked so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Received { head, body: serde_json::from_slice(&body).unwrap_or_default() })
}

/// A completion with this text.
pub fn completion(text: &str, finish: &str) -> String {
    json!({
        "id": "1", "object": "chat.completion", "model": "tiny-1.0",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": finish }],
        "usage": { "prompt_tokens": 700, "completion_tokens": 40, "total_tokens": 740 },
    })
    .to_string()
}

fn act(mut stream: TcpStream, step: Step) -> Option<TcpStream> {
    let (head, body) = match step {
        Step::Say(text) => ("200 OK".to_owned(), completion(&text, "stop")),
        Step::Cut(text) => ("200 OK".to_owned(), completion(&text, "length")),
        Step::Body(body) => ("200 OK".to_owned(), body),
        Step::Status(status) => (format!("{status} No"), "{\"error\": \"no\"}".to_owned()),
        Step::Busy(seconds) => (format!("429 Busy\r\nRetry-After: {seconds}"), String::new()),
        Step::Redirect(to) => (format!("302 Found\r\nLocation: {to}"), String::new()),
        Step::Hang => return Some(stream),
        Step::Drip => {
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"choices\": [");
            return Some(stream);
        }
        Step::Close => return None,
        Step::Truncate => {
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"choices\": [");
            return None;
        }
    };
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    // The client may have gone.
    let _ = stream.write_all(answer.as_bytes());
    None
}
