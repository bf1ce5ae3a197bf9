//! `vigie doctor`: what works and what does not on this machine.

use std::io::Write;
use std::process::ExitCode;

use serde_json::json;

use crate::cli::{DoctorArgs, Global};
use crate::config::Config;
use crate::doctor::{self, State};
use crate::output;

pub fn run(global: &Global, args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(args.config.as_deref(), std::env::vars())?;
    let dir = config.data_dir(args.data.as_deref())?;
    let checks = doctor::checks(&config, &dir, global.lang());
    let mut out = output::stdout();
    for check in &checks {
        if global.json {
            let object = json!({
                "kind": "check", "name": check.name, "state": check.state.name(),
                "text": check.text, "mend": check.mend,
            });
            output::json_line(&mut out, &object)?;
            continue;
        }
        let mark = match check.state {
            State::Good => "✓",
            State::Note => "•",
            State::Bad => "✗",
        };
        writeln!(out, "{mark} {:<9}{}", check.name, output::inert(&check.text))?;
        if !check.mend.is_empty() {
            writeln!(out, "{:11}→ {}", "", output::inert(&check.mend))?;
        }
    }
    out.flush()?;
    let bad = checks.iter().any(|check| check.state == State::Bad);
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
