//! `vigie up`: the whole centre in one process.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use vigie_event::{Clock, Lang, Mode, SystemClock};
use vigie_sensor::simulate;

use crate::cli::{Global, UpArgs};
use crate::config::Config;
use crate::live::{self, Centre};
use crate::output;

/// The user that `VIGIE_ADMIN_PASSWORD` makes.
const ADMINISTRATOR: &str = "admin";
/// What the demonstration plays.
const DEMO: &str = "demo";

pub fn run(global: &Global, args: UpArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(args.config.as_deref(), std::env::vars())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(serve(global, &args, config))
}

async fn serve(global: &Global, args: &UpArgs, mut config: Config) -> anyhow::Result<ExitCode> {
    // A demonstration keeps to itself: its data is gone afterwards, and it never acts.
    let temporary = (args.demo && args.data.is_none() && config.data.as_os_str().is_empty())
        .then(|| tempfile::Builder::new().prefix("vigie-demo-").tempdir())
        .transpose()
        .context("cannot make a temporary directory")?;
    let dir = match &temporary {
        Some(temporary) => temporary.path().to_owned(),
        None => config.data_dir(args.data.as_deref())?,
    };
    if args.demo {
        config.response.mode = Mode::DryRun;
    }
    let lang = match config.lang.as_str() {
        "" => global.lang(),
        named => named.parse().unwrap_or_default(),
    };
    let mut stopping = signals()?;
    let mut centre = Centre::start(&config, &dir, lang).await?;
    greet(&centre, &dir, lang, args.demo).await?;
    let player = if args.demo { Some(play_demo(&centre)?) } else { None };
    let failed = tokio::select! {
        _ = stopping.recv() => None,
        error = centre.failed() => Some(error),
    };
    if let Some(player) = player {
        player.abort();
    }
    tracing::info!("{}", lang.pick("stopping", "arrêt"));
    let stopped = centre.stop().await;
    match failed {
        Some(error) => Err(error),
        None => stopped.map(|()| ExitCode::SUCCESS),
    }
}

/// Receives a message at the first interrupt or termination; the second ends the process at once.
fn signals() -> anyhow::Result<tokio::sync::mpsc::Receiver<()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if sender.try_send(()).is_err() {
                std::process::exit(130);
            }
        }
    });
    Ok(receiver)
}

fn play_demo(centre: &Centre) -> anyhow::Result<tokio::task::JoinHandle<u64>> {
    let start = SystemClock.now();
    let seed = start.seconds().unsigned_abs();
    let scenario = simulate::scenario(DEMO, seed, start).context("there is no demonstration")?;
    let batches = centre.batches();
    Ok(tokio::spawn(async move {
        simulate::play(scenario, simulate::Pace::default(), &SystemClock, &batches).await
    }))
}

/// Says where everything is, how to sign in, and what is and is not being read.
async fn greet(
    centre: &Centre,
    dir: &std::path::Path,
    lang: Lang,
    demo: bool,
) -> anyhow::Result<()> {
    let base = format!("http://{}", centre.console);
    let clock = SystemClock;
    let password = std::env::var("VIGIE_ADMIN_PASSWORD").ok().filter(|value| !value.is_empty());
    if let Some(password) = password {
        vigie_console::create_administrator(&centre.state, &clock, ADMINISTRATOR, &password)
            .await
            .context("VIGIE_ADMIN_PASSWORD")?;
    }
    let link = vigie_console::first_sign_in_link(&centre.state, &clock).await?;
    let mut out = output::stdout();
    let say = |en: &'static str, fr: &'static str| lang.pick(en, fr);
    match link {
        Some(path) => {
            writeln!(out, "{}: {base}", say("Console", "Console"))?;
            writeln!(
                out,
                "{}:\n  {base}{path}",
                say(
                    "Sign in the first time with this link (works once, for 24 hours)",
                    "Première connexion par ce lien (une seule fois, pendant 24 heures)"
                )
            )?;
        }
        None => writeln!(
            out,
            "{}: {base}  ({})",
            say("Console", "Console"),
            say("sign in with your name and password", "connectez-vous avec votre nom et votre mot de passe")
        )?,
    }
    if let Some([collect, analyze, respond]) = centre.interface {
        let (_, path) = live::agents_token(dir)?;
        let from = path.map_or_else(|| "VIGIE_AGENTS_TOKEN".to_owned(), |path: PathBuf| path.display().to_string());
        writeln!(
            out,
            "{}: {collect} {analyze} {respond}  ({} {from})",
            say("Agents’ interface", "Interface des agents"),
            say("token in", "jeton dans")
        )?;
    }
    writeln!(out, "{}: {}", say("Data", "Données"), dir.display())?;
    writeln!(
        out,
        "{}",
        say(
            "Dry run: everything is decided, nothing outside is changed.",
            "Simulation : tout est décidé, rien n’est modifié à l’extérieur."
        )
    )?;
    writeln!(out, "{}:", say("Sources", "Sources"))?;
    for status in centre.sources().iter().flat_map(vigie_sensor::Statuses::list) {
        writeln!(out, "  {}", output::inert(&status.sentence(lang)))?;
    }
    if demo {
        writeln!(
            out,
            "{}",
            say(
                "A simulated intrusion is being played; watch it in the console.",
                "Une intrusion simulée se déroule ; suivez-la dans la console."
            )
        )?;
    }
    for note in &centre.notes {
        tracing::warn!("{}", output::inert(note));
    }
    out.flush()?;
    Ok(())
}
