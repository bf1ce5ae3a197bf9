//! A headless Chromium, driven through `chromedriver` by the `WebDriver` protocol (W3C).
//!
//! The protocol is JSON over HTTP, for which `ureq` and `serde_json` are here already; the
//! libraries for it bring a second HTTP and Unicode stack for the dozen commands used here.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
// The test starts the browser that it looks through.
#[allow(clippy::disallowed_types)]
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

use crate::common::PATIENCE;

/// The key under which the protocol names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Where the programs are, in this order, where `PATH` does not say.
const CHROMIUMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// How often a page is asked whether it has come so far.
const POLL: Duration = Duration::from_millis(50);

/// A browser window; closed, with everything that belongs to it, when dropped.
pub struct Browser {
    driver: Child,
    agent: ureq::Agent,
    /// `http://127.0.0.1:…/session/…`, once there is one.
    session: String,
}

impl Browser {
    /// Opens a window whose files are kept in `dir`; `None` where this machine has no Chromium,
    /// which is an error in CI.
    #[allow(clippy::disallowed_methods)]
    pub fn open(dir: &Path) -> Option<Self> {
        let (Some(driver), Some(chromium)) =
            (in_path("chromedriver"), CHROMIUMS.into_iter().find_map(in_path))
        else {
            let missing = "chromium or chromedriver is not installed";
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            println!("skipped: {missing}");
            return None;
        };
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", dir)
            .env("TMPDIR", dir)
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Of which the browser is a part, so that nothing of it stays.
            .process_group(0)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        // From here on, dropping ends the driver.
        let mut browser = Self { driver, agent, session: String::new() };
        let port: u16 = lines
            .find_map(|line| {
                let line = line.unwrap();
                let (_, port) = line.rsplit_once("started successfully on port ")?;
                port.trim_end_matches('.').parse().ok()
            })
            .expect("chromedriver says its port");
        // Read on, so that it never waits for somebody to read.
        std::thread::spawn(move || lines.for_each(drop));
        // Without its sandbox, which containers and root forbid: it sees this test's pages only.
        let arguments = json!([
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-first-run",
            "--no-proxy-server",
            "--lang=en-GB",
        ]);
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "binary": chromium, "args": arguments, "prefs": { "intl.accept_languages": "en-GB,en" } },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let root = format!("http://127.0.0.1:{port}/session");
        let opened = browser.post(&root, &wanted).unwrap();
        browser.session = format!("{root}/{}", opened["sessionId"].as_str().unwrap());
        Some(browser)
    }

    /// Goes to an address and waits until the page is loaded.
    pub fn go(&self, address: &str) {
        self.command("url", &json!({ "url": address })).unwrap();
    }

    /// Makes the page this wide, in CSS pixels.
    pub fn width(&self, pixels: u32) {
        let metrics =
            json!({ "width": pixels, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        let wanted = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics });
        self.command("goog/cdp/execute", &wanted).unwrap();
    }

    /// The value of a JavaScript expression on the page.
    pub fn value(&self, expression: &str) -> Value {
        self.evaluate(expression).unwrap()
    }

    /// Waits until a JavaScript expression is true, however often the page changes meanwhile.
    pub fn wait_until(&self, expression: &str) {
        self.wait_until_or(expression, || {
            let page =
                self.evaluate("location.href + '\\n' + document.body.innerText.slice(0, 2000)");
            format!("on {page:?}")
        });
    }

    /// The same, telling what `circumstances` gives when the time is up.
    pub fn wait_until_or(&self, expression: &str, circumstances: impl Fn() -> String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let last = self.evaluate(expression);
            if matches!(last, Ok(Value::Bool(true))) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{expression}: not within {PATIENCE:?} but {last:?}, {}",
                circumstances()
            );
            std::thread::park_timeout(POLL);
        }
    }

    /// Waits for the first element that `selector` names, and clicks on it as a person would.
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.command(&format!("element/{element}/click"), &json!({})).unwrap();
    }

    /// Types into the first element that `selector` names, in place of what stands there.
    pub fn write(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.command(&format!("element/{element}/clear"), &json!({})).unwrap();
        self.command(&format!("element/{element}/value"), &json!({ "text": text })).unwrap();
    }

    /// What the browser complained about since the last call: errors of scripts, refusals by the
    /// content security policy, things that could not be loaded.
    pub fn complaints(&self) -> Vec<String> {
        let entries = self.command("se/log", &json!({ "type": "browser" })).unwrap();
        let worth_telling =
            |entry: &&Value| entry["level"] == "SEVERE" || entry["level"] == "WARNING";
        entries.as_array().unwrap().iter().filter(worth_telling).map(Value::to_string).collect()
    }

    fn element(&self, selector: &str) -> String {
        self.wait_until(&format!("document.querySelector({}) !== null", Value::from(selector)));
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.command("element", &wanted).unwrap();
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    fn evaluate(&self, expression: &str) -> Result<Value, Value> {
        let script = format!("return ({expression})");
        self.command("execute/sync", &json!({ "script": script, "args": [] }))
    }

    fn command(&self, path: &str, body: &Value) -> Result<Value, Value> {
        self.post(&format!("{}/{path}", self.session), body)
    }

    /// The answer's value, or the protocol's error.
    fn post(&self, address: &str, body: &Value) -> Result<Value, Value> {
        let request = self.agent.post(address).header("Content-Type", "application/json");
        let mut answer = request.send(body.to_string().as_bytes()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let mut value: Value = serde_json::from_str(&text).unwrap();
        let value = value["value"].take();
        if answer.status().is_success() { Ok(value) } else { Err(value) }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Whatever of it has ended already needs no end.
        if !self.session.is_empty() {
            let _ = self.agent.delete(&self.session).call();
        }
        let _ = kill_process_group(Pid::from_child(&self.driver), Signal::KILL);
        let _ = self.driver.wait();
    }
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|program| program.is_file())
}
