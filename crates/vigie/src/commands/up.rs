//! `vigie up`: the whole centre in one process.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use vigie_analyzer::model::http;
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

pub fn run(global: &Global, args: &UpArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(args.config.as_deref(), std::env::vars())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(serve(global, args, config))
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
    let mut reloading = Reloading::listen()?;
    let looking = (config.model.url.is_empty() && config.model.look)
        .then(|| tokio::task::spawn_blocking(|| http::look(&http::USUAL_PORTS)));
    let mut centre = Centre::start(&config, &dir, lang).await?;
    let model = match looking {
        Some(looking) => looking.await.map(|found| served(&found, lang)).unwrap_or_default(),
        None if config.model.url.is_empty() => Vec::new(),
        None => configured(&config.model.name, &config.model.url, lang),
    };
    greet(&centre, &dir, global, lang, args.demo, model).await?;
    let player = if args.demo { Some(play_demo(&centre)?) } else { None };
    let failed = loop {
        tokio::select! {
            _ = stopping.recv() => break None,
            error = centre.failed() => break Some(error),
            () = reloading.asked() => centre.reload_rules(),
        }
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

/// Hangups, which ask for the rules to be loaded again; at a terminal they mean that it is gone,
/// and end the process as ever.
struct Reloading(Option<tokio::signal::unix::Signal>);

impl Reloading {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        if std::io::stdin().is_terminal() {
            return Ok(Self(None));
        }
        signal(SignalKind::hangup()).map(|signal| Self(Some(signal)))
    }

    /// Waits for the next.
    async fn asked(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
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

/// What a started centre has to tell.
struct Greeting {
    console: String,
    /// The one-time link, while there is no administrator.
    link: Option<String>,
    /// The agents' interface, with where its token is.
    interface: Option<([SocketAddr; 3], String)>,
    sources: Vec<String>,
    /// The model that is asked, or what is served on this machine.
    model: Vec<String>,
}

/// Says where everything is, how to sign in, and what is and is not being read.
async fn greet(
    centre: &Centre,
    dir: &Path,
    global: &Global,
    lang: Lang,
    demo: bool,
    model: Vec<String>,
) -> anyhow::Result<()> {
    let greeting = gather(centre, dir, lang, model).await?;
    let mut out = output::stdout();
    if global.json {
        let (agents, token) = match &greeting.interface {
            Some((agents, token)) => {
                (agents.map(|address| format!("http://{address}")).to_vec(), token.as_str())
            }
            None => (Vec::new(), ""),
        };
        let object = json!({
            "kind": "up", "console": greeting.console, "link": greeting.link,
            "agents_interface": agents, "agents_token_in": token,
            "data": dir.display().to_string(), "sources": greeting.sources, "model": greeting.model,
            "demo": demo,
        });
        output::json_line(&mut out, &object)?;
    } else {
        print(&mut out, &greeting, dir, lang, demo)?;
    }
    out.flush()?;
    for note in &centre.notes {
        tracing::warn!("{}", output::inert(note));
    }
    Ok(())
}

async fn gather(
    centre: &Centre,
    dir: &Path,
    lang: Lang,
    model: Vec<String>,
) -> anyhow::Result<Greeting> {
    let console = format!("http://{}", centre.console);
    let clock = SystemClock;
    let password = std::env::var("VIGIE_ADMIN_PASSWORD").ok().filter(|value| !value.is_empty());
    if let Some(password) = password {
        vigie_console::create_administrator(&centre.state, &clock, ADMINISTRATOR, &password)
            .await
            .context("VIGIE_ADMIN_PASSWORD")?;
    }
    let path = vigie_console::first_sign_in_link(&centre.state, &clock).await?;
    let interface = match centre.interface {
        Some(addresses) => {
            let (_, path) = live::agents_token(dir)?;
            let place = path
                .map_or_else(|| "VIGIE_AGENTS_TOKEN".to_owned(), |path| path.display().to_string());
            Some((addresses, place))
        }
        None => None,
    };
    let statuses = centre.sources().iter().flat_map(vigie_sensor::Statuses::list);
    Ok(Greeting {
        link: path.map(|path| format!("{console}{path}")),
        console,
        interface,
        sources: statuses.map(|status| output::inert(&status.sentence(lang))).collect(),
        model,
    })
}

fn print(
    out: &mut impl Write,
    greeting: &Greeting,
    dir: &Path,
    lang: Lang,
    demo: bool,
) -> std::io::Result<()> {
    let colon = lang.pick(":", " :");
    writeln!(out, "Console{colon} {}", greeting.console)?;
    match &greeting.link {
        Some(link) => {
            let first = lang.pick(
                "Sign in the first time with this link (works once, for 24 hours)",
                "Première connexion par ce lien (une seule fois, pendant 24 heures)",
            );
            writeln!(out, "{first}{colon}\n  {link}")?;
        }
        None => writeln!(
            out,
            "{}",
            lang.pick(
                "Sign in with your name and password.",
                "Connectez-vous avec votre nom et votre mot de passe."
            )
        )?,
    }
    if let Some(([collect, analyze, respond], token)) = &greeting.interface {
        let name = lang.pick("Agents’ interface", "Interface des agents");
        let place = lang.pick("token in", "jeton dans");
        writeln!(out, "{name}{colon} {collect} {analyze} {respond}  ({place} {token})")?;
    }
    writeln!(out, "{}{colon} {}", lang.pick("Data", "Données"), dir.display())?;
    let dry = lang.pick(
        "Dry run: everything is decided, nothing outside is changed.",
        "Essai à blanc : tout est décidé, rien n’est modifié à l’extérieur.",
    );
    writeln!(out, "{dry}\nSources{colon}")?;
    for source in &greeting.sources {
        writeln!(out, "  {source}")?;
    }
    for line in &greeting.model {
        writeln!(out, "{line}")?;
    }
    if demo {
        let playing = lang.pick(
            "A simulated intrusion is being played; watch it in the console.",
            "Une intrusion simulée se déroule ; suivez-la dans la console.",
        );
        writeln!(out, "{playing}")?;
    }
    Ok(())
}

fn configured(name: &str, url: &str, lang: Lang) -> Vec<String> {
    let mut lines = vec![match lang {
        Lang::En => format!("Model: {name} at {url} gives second verdicts."),
        Lang::Fr => format!("Modèle : {name} sur {url} donne un second verdict."),
    }];
    if !http::is_local(url) {
        let leaving = lang.pick(
            "  Each question carries up to six raw log lines, which leave this machine.",
            "  Chaque question contient jusqu’à six lignes brutes de journaux, qui quittent cette machine.",
        );
        lines.push(leaving.to_owned());
    }
    lines
}

/// What was found on the usual ports of this machine, and how to use it.
fn served(found: &[http::Local], lang: Lang) -> Vec<String> {
    if found.is_empty() {
        let none = lang.pick(
            "Model: none configured, and none found on this machine; the built-in analyst needs none.",
            "Modèle : aucun n’est configuré, et aucun n’a été trouvé sur cette machine ; l’analyste intégré s’en passe.",
        );
        return vec![none.to_owned()];
    }
    let line = |local: &http::Local| {
        // The line is there to be pasted into a shell, and names are the server's choice.
        let fit = |c: char| c.is_ascii_alphanumeric() || "._:/@+-".contains(c);
        let plain = local.models.iter().filter(|name| name.chars().all(fit) && name.len() <= 80);
        let names: Vec<&str> = plain.map(String::as_str).take(3).collect();
        let first = names.first().copied().unwrap_or("NAME");
        let base = &local.base;
        let offered = match (names.is_empty(), lang) {
            (false, Lang::En) => format!("{base} serves {}", names.join(", ")),
            (false, Lang::Fr) => format!("{base} propose {}", names.join(", ")),
            (true, Lang::En) => format!("there is a server at {base}"),
            (true, Lang::Fr) => format!("il y a un serveur sur {base}"),
        };
        match lang {
            Lang::En => format!(
                "Model: none configured; {offered}. To use it: VIGIE_MODEL__URL={base} VIGIE_MODEL__NAME='{first}'"
            ),
            Lang::Fr => format!(
                "Modèle : aucun n’est configuré ; {offered}. Pour l’utiliser : VIGIE_MODEL__URL={base} VIGIE_MODEL__NAME='{first}'"
            ),
        }
    };
    found.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_tells_what_is_served_and_what_leaves_the_machine() {
        let base = "http://127.0.0.1:8080/v1".to_owned();
        for (models, en, fr) in [
            (vec!["tiny"], "serves tiny. ", "propose tiny. "),
            (
                vec![],
                "a server at http://127.0.0.1:8080/v1. ",
                "un serveur sur http://127.0.0.1:8080/v1. ",
            ),
            (vec!["'; x"], "VIGIE_MODEL__NAME='NAME'", "VIGIE_MODEL__NAME='NAME'"),
        ] {
            let models = models.into_iter().map(str::to_owned).collect();
            let found = [http::Local { base: base.clone(), models }];
            for (lang, expected) in [(Lang::En, en), (Lang::Fr, fr)] {
                let lines = served(&found, lang);
                assert!(lines.len() == 1 && lines[0].contains(expected), "{lines:?}");
            }
        }
        for lang in [Lang::En, Lang::Fr] {
            assert_eq!(configured("tiny", &base, lang).len(), 1);
            let told = configured("tiny", "https://192.0.2.1/v1", lang);
            assert!(told[1].contains("six"), "{told:?}");
        }
    }
}
