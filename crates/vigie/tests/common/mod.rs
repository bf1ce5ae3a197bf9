//! Running the real binary, and a running centre.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
// Tests start the binary that they test.
#[allow(clippy::disallowed_types)]
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The token of the agents' interface in tests.
pub const TOKEN: &str = "a-token-for-tests-of-some-length";
/// How long to wait for what should come at once.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The binary with these arguments, in `dir`, with nothing of this machine's settings.
#[allow(clippy::disallowed_methods)]
pub fn vigie(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    command
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("HOME", dir)
        .env("LANG", "C.UTF-8")
        .env("TZ", "UTC")
        .env("VIGIE_AGENTS_TOKEN", TOKEN)
        .stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub fn run(dir: &Path, arguments: &[&str]) -> Output {
    vigie(dir, arguments).output().unwrap()
}

/// Runs it to its good end and gives what it printed.
pub fn stdout_of(dir: &Path, arguments: &[&str]) -> String {
    let output = run(dir, arguments);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "vigie {arguments:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

/// The objects of NDJSON.
pub fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The shared data, where it is.
pub fn shared_data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not here", path.display());
    None
}

/// A running centre on ports of its own; killed when dropped.
pub struct Centre {
    child: Child,
    /// `http://…` of the console.
    pub console: String,
    /// The one-time link, if there was one.
    pub link: Option<String>,
    /// `http://…` of collect, analyze and respond.
    pub agents: Vec<String>,
    /// How each source is doing, as the greeting tells it.
    pub sources: Vec<String>,
}

impl Centre {
    /// Starts `vigie up` on `dir/data` with further configuration.
    pub fn start(dir: &Path, configuration: &str, arguments: &[&str]) -> Self {
        let config = dir.join("vigie.toml");
        let ports = "[console]\nlisten = \"127.0.0.1:0\"\n[agents_interface]\ncollect = \"127.0.0.1:0\"\nanalyze = \"127.0.0.1:0\"\nrespond = \"127.0.0.1:0\"\n";
        std::fs::write(&config, format!("{ports}{configuration}")).unwrap();
        let mut all = vec!["up", "--json", "--data", "data", "--config", "vigie.toml"];
        all.extend(arguments);
        Self::greeted(vigie(dir, &all))
    }

    /// The centre that `command` starts, once it has greeted.
    #[allow(clippy::disallowed_types)]
    pub fn greeted(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Ok(up) = serde_json::from_str::<Value>(&line) else {
            let status = child.wait().unwrap();
            panic!("vigie up ended ({status}) without a greeting: {line}");
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let texts = |value: &Value| value.as_array().unwrap().iter().filter_map(text).collect();
        Self {
            child,
            console: text(&up["console"]).unwrap(),
            link: text(&up["link"]),
            agents: texts(&up["agents_interface"]),
            sources: texts(&up["sources"]),
        }
    }

    /// Kills it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as `systemctl stop` would, and waits for that.
    pub fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "vigie up ended with {status}");
    }

    /// Asks it to load its rules again.
    pub fn reload(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    }

    /// What `GET /status` of the agents' interface tells.
    pub fn status(&self) -> Value {
        let mut answer = ureq::get(format!("{}/status", self.agents[2]))
            .header("X-Auth-Token", TOKEN)
            .call()
            .unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    /// Posts `body` to a part of the agents' interface.
    pub fn post(&self, part: usize, path: &str, body: &str) -> (u16, Value) {
        let kind = if path.starts_with("/ingest") { "text/plain" } else { "application/json" };
        let mut answer = ureq::post(format!("{}{path}", self.agents[part]))
            .header("X-Auth-Token", TOKEN)
            .header("Content-Type", kind)
            .config()
            .http_status_as_error(false)
            .build()
            .send(body.as_bytes())
            .unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap())
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until `found` gives something.
pub fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
