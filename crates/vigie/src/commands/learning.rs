//! `vigie learning`: what closings taught, also while the centre runs.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use vigie_store::state::State;

use crate::cli::{Global, LearningArgs};
use crate::config::Config;
use crate::output::{self, inert};

pub fn run(global: &Global, args: &LearningArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(args.config.as_deref(), std::env::vars())?;
    let data = config.data_dir(args.data.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let path = data.join("state.sqlite");
    let precedents = runtime.block_on(async {
        let state = State::view(&path).await?;
        state.precedents(args.rule.as_deref()).await
    });
    let precedents = precedents.with_context(|| {
        format!("there is no centre's data in {}; name it with --data", data.display())
    })?;
    let lang = global.lang();
    let mut out = output::stdout();
    for precedent in &precedents {
        let (key, closings) = (&precedent.key, precedent.closings);
        if global.json {
            let object = json!({
                "kind": "precedent", "rule": key.rule, "field": key.field, "value": key.value,
                "closings": closings,
            });
            output::json_line(&mut out, &object)?;
            continue;
        }
        let about = if key.field.is_empty() {
            lang.pick("anywhere", "partout").to_owned()
        } else {
            format!("{} {}", key.field, key.value)
        };
        let counts = [
            (closings.true_positive, lang.pick("attacks", "attaques")),
            (closings.benign_true_positive, lang.pick("permitted", "permis")),
            (closings.false_positive, lang.pick("false positives", "faux positifs")),
            (closings.undetermined, lang.pick("undetermined", "indéterminés")),
        ];
        let counts = counts.map(|(number, what)| format!("{number} {what}")).join(", ");
        writeln!(out, "{}  {}: {counts}", inert(&key.rule), inert(&about))?;
    }
    out.flush()?;
    if precedents.is_empty() && !global.json && global.quiet == 0 {
        let none = lang.pick("nothing learnt yet", "rien d’appris pour l’instant");
        // Nothing is left to be told when stderr is gone too.
        let _ = writeln!(std::io::stderr(), "{none}");
    }
    Ok(ExitCode::SUCCESS)
}
