//! `vigie learning`: what closings taught, also while the centre runs.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use vigie_event::{Lang, Precedent};
use vigie_store::state::{PAGE_LIMIT_MAX, PageRequest, State};

use crate::cli::{Global, LearningArgs};
use crate::config::Config;
use crate::output::{self, inert};
use crate::rulebook::Rulebook;

pub fn run(global: &Global, args: &LearningArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(args.config.as_deref(), std::env::vars())?;
    let data = config.data_dir(args.data.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let path = data.join("state.sqlite");
    let state = runtime.block_on(State::view(&path)).with_context(|| {
        format!("there is no centre's data in {}; name it with --data", data.display())
    })?;
    let lang = global.lang();
    // A rule that is gone is named by its id.
    let rules = Rulebook::of(&config, &data).load(None).map(|loaded| loaded.rules).ok();
    let title = |id: &str| {
        let rule = rules.as_ref().and_then(|rules| rules.by_id(id))?;
        Some(rule.reference.title.get(lang).to_owned())
    };
    let mut out = output::stdout();
    let mut page = PageRequest::first(PAGE_LIMIT_MAX);
    let mut none = true;
    loop {
        let found = runtime
            .block_on(state.precedents(args.rule.as_deref(), &page))
            .context("cannot read what closings taught")?;
        none &= found.items.is_empty();
        for precedent in &found.items {
            tell(&mut out, precedent, title(&precedent.key.rule), global.json, lang)?;
        }
        let Some(next) = found.next else { break };
        page = PageRequest::after(PAGE_LIMIT_MAX, next);
    }
    out.flush()?;
    if none && !global.json && global.quiet == 0 {
        let none = lang.pick("nothing learnt yet", "rien d’appris pour l’instant");
        // Nothing is left to be told when stderr is gone too.
        let _ = writeln!(std::io::stderr(), "{none}");
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(
    out: &mut impl Write,
    precedent: &Precedent,
    title: Option<String>,
    json: bool,
    lang: Lang,
) -> anyhow::Result<()> {
    let (key, closings) = (&precedent.key, precedent.closings);
    if json {
        let object = json!({
            "kind": "precedent", "rule": key.rule, "field": key.field, "value": key.value,
            "closings": closings,
        });
        return Ok(output::json_line(out, &object)?);
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
    let colon = lang.pick(":", " :");
    let counts = counts.map(|(number, what)| format!("{what}{colon} {number}")).join(", ");
    let name = match title {
        Some(title) => format!("{title} ({})", key.rule),
        None => key.rule.clone(),
    };
    writeln!(out, "{}  {}{colon} {counts}", inert(&name), inert(&about))?;
    Ok(())
}
