//! A scan with a configuration judges as the centre with it would.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::path::Path;

use common::{objects, stdout_of};
use serde_json::Value;

/// An agent at work, who at the end reads a note, tries both of its accounts on another service,
/// and asks for a page that only a comment names.
fn agent(dir: &Path) -> String {
    let arguments = ["simulate", "--scenario", "ai-agent", "--seed", "1", "--start"];
    let mut log = stdout_of(dir, &[arguments.as_slice(), &["2026-01-05T10:00:00Z"]].concat());
    let web = |second: u32, path: &str, status: u16| {
        format!(
            "203.0.113.66 - - [05/Jan/2026:10:09:{second} +0000] \"GET {path} HTTP/1.1\" {status} 512 \"-\" \"python-httpx/0.28.1\"\n"
        )
    };
    let ssh = |second: u32, what: &str, account: &str| {
        format!(
            "2026-01-05T10:09:{second}.000000+00:00 web-01 sshd[777{second}]: {what} password for {account} from 203.0.113.66 port 4{second}00 ssh2\n"
        )
    };
    log += &web(16, "/notes/access.html", 200);
    log += &ssh(20, "Failed", "svc-archive");
    log += &ssh(26, "Failed", "svc-mirror");
    log += &web(30, "/ops/rotate-keys", 404);
    log
}

/// The actor's verdict under a configuration.
fn judged(dir: &Path, configuration: &str) -> Value {
    std::fs::write(dir.join("vigie.toml"), configuration).unwrap();
    let arguments = ["--json", "scan", "--config", "vigie.toml", "agent.log"];
    let found = objects(&stdout_of(dir, &arguments));
    let verdicts = found.into_iter().filter(|object| object["kind"] == "verdict");
    verdicts.max_by_key(|verdict| verdict["autonomy"]["score"].as_u64()).unwrap()
}

fn points(verdict: &Value, sign: &str) -> Option<f64> {
    let signs = verdict["autonomy"]["indicators"].as_array().unwrap();
    let sign = signs.iter().find(|one| one["name"] == sign)?;
    assert!(!sign["events"].as_array().unwrap().is_empty(), "{sign}");
    sign["points"].as_f64()
}

#[test]
fn decoys_and_planted_values_let_the_score_pass_59() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("agent.log"), agent(dir.path())).unwrap();
    let data = format!("data = {:?}\ntimezone = \"UTC\"\n", dir.path().join("data"));
    let with = |lines: &str| judged(dir.path(), &format!("{data}[analysis]\n{lines}\n"));
    let score = |verdict: &Value| verdict["autonomy"]["score"].as_u64().unwrap();

    let plain = with("");
    assert_eq!(plain["autonomy"]["band"], "automated", "{plain}");
    assert_eq!(points(&plain, "adaptivity.reuse"), None);

    let planted = with("planted = [\"/notes/access.html: svc-archive, svc-mirror\"]");
    assert_eq!(points(&planted, "adaptivity.reuse"), Some(10.0));
    assert!(score(&planted) > score(&plain), "{planted}");

    let trapped = with("prose_decoys = [\"/ops/rotate-keys\"]");
    assert_eq!(points(&trapped, "language.decoy"), Some(30.0));
    assert_eq!(trapped["autonomy"]["band"], "probable_agent", "{trapped}");

    let both = with(
        "prose_decoys = [\"/ops/rotate-keys\"]\nplanted = [\"/notes/access.html: svc-archive, svc-mirror\"]",
    );
    assert!(score(&both) > score(&trapped), "{both}");

    // A tool of one's own is no agent, whatever it does.
    let own = with("prose_decoys = [\"/ops/rotate-keys\"]\ntools = [\"203.0.113.66\"]");
    assert!(score(&own) <= 24, "{own}");
}

#[test]
fn the_allowlist_holds_for_a_scan() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("agent.log"), agent(dir.path())).unwrap();
    let data = format!("data = {:?}\n", dir.path().join("data"));
    let bans = |configuration: &str| {
        std::fs::write(dir.path().join("vigie.toml"), configuration).unwrap();
        let arguments = ["--json", "scan", "--config", "vigie.toml", "agent.log"];
        let found = objects(&stdout_of(dir.path(), &arguments));
        let mut bans: Vec<String> = found
            .iter()
            .filter(|object| object["kind"] == "decision" && object["action"] == "block_ip")
            .map(|decision| decision["status"].as_str().unwrap().to_owned())
            .collect();
        bans.sort();
        bans.dedup();
        bans
    };
    assert_eq!(bans(&data), ["simulated"]);
    assert_eq!(bans(&format!("{data}[response]\nallow = [\"203.0.113.0/24\"]\n")), ["refused"]);
}
