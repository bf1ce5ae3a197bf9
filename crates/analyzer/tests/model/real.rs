//! A real server process: llama-cpp-python's, with a model of random weights. Whatever is valid in
//! its answers comes from constrained decoding alone.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vigie_analyzer::model::http::{self, Key};
use vigie_analyzer::model::{Form, Model, ask, probe, second};
use vigie_event::{Lang, ModelTrace, SystemClock};

use crate::sample::{Sample, model};

const TOOL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/tools/make_tiny_gguf.py");
const INCIDENTS: u8 = 200;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The Python that has the server, if there is one.
// The test starts the server that it asks.
#[allow(clippy::disallowed_methods)]
fn python() -> Option<String> {
    let named = std::env::var("VIGIE_LLAMA_PYTHON").ok();
    let candidates = named.into_iter().chain(["python3".to_owned()]);
    candidates.into_iter().find(|python| {
        let check = "import llama_cpp.server, gguf, numpy";
        let run = Command::new(python).args(["-c", check]).stderr(Stdio::null()).status();
        run.is_ok_and(|status| status.success())
    })
}

#[test]
// The test starts the server that it asks.
#[allow(clippy::disallowed_methods)]
fn two_hundred_incidents_get_two_hundred_valid_verdicts() {
    if std::env::var_os("VIGIE_SLOW_TESTS").is_none() {
        eprintln!("skipped: set VIGIE_SLOW_TESTS=1 for the real server");
        return;
    }
    let Some(python) = python().filter(|_| std::path::Path::new(TOOL).exists()) else {
        eprintln!(
            "skipped: python3 with llama-cpp-python[server], gguf and numpy is needed \
             (VIGIE_LLAMA_PYTHON names it), and {TOOL}"
        );
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let made = Command::new(&python).arg(TOOL).current_dir(dir.path()).status().unwrap();
    assert!(made.success());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let started = Command::new(&python)
        .args(["-m", "llama_cpp.server", "--model", "tiny.gguf", "--host", "127.0.0.1"])
        .args(["--port", &port.to_string(), "--n_ctx", "8192"])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _running = Running(started);
    let server = http::Server::new(&format!("http://127.0.0.1:{port}/v1"), Key::default()).unwrap();
    let deadline = Instant::now() + Duration::from_mins(2);
    while http::look(&[port]).is_empty() {
        assert!(Instant::now() < deadline, "the server does not answer");
        std::thread::yield_now();
    }

    let model = Model { timeout: Duration::from_mins(2), ..model() };
    let found = probe(&server, &model, 0x5eed, &SystemClock).unwrap();
    assert_eq!((found.form, found.enforced), (Form::JsonObject, true), "{found:?}");
    let began = Instant::now();
    let (mut valid, mut repaired, mut tokens) = (0, 0, 0);
    for n in 1..=INCIDENTS {
        let sample = Sample::new(n, 10 + u64::from(n), "Failed password for root from 203.0.113.7");
        let lang = if n % 2 == 0 { Lang::En } else { Lang::Fr };
        let prompt = sample.prompt(lang);
        match ask(&server, &model, found.form, &prompt, &SystemClock) {
            Ok(asked) => {
                valid += 1;
                repaired += usize::from(asked.repaired);
                tokens += asked.answer_tokens;
                let verdict = sample.with(|case, first| {
                    let trace = ModelTrace::default();
                    let verdict =
                        second(case, first, &prompt.offer, &asked.answer, false, "tiny", trace);
                    assert!(verdict.severity >= first.severity);
                    verdict
                });
                assert!(!verdict.recommendations.is_empty());
            }
            Err(failed) => eprintln!("{n}: {failed:?}"),
        }
    }
    eprintln!(
        "{valid} of {INCIDENTS} verdicts valid, {repaired} repaired, {tokens} tokens written, {:.1} s a verdict",
        began.elapsed().as_secs_f64() / f64::from(INCIDENTS)
    );
    assert_eq!(valid, usize::from(INCIDENTS));
}
