//! The centre, live: the same chain as `offline`, as tasks that follow each other through the
//! journal and the state.

mod detect;
mod feed;
mod follow;
mod index;
mod interface;
mod judge;
mod respond;
mod rules;
mod second;
mod writer;

use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use vigie_analyzer::autonomy::Activities;
use vigie_console::Console;
use vigie_event::{Batch, Clock, Lang, Mode, SystemClock};
use vigie_parser::{Options, Reference};
use vigie_responder::{AdminPorts, Allowed, Policy};
use vigie_sensor::Statuses;
use vigie_sensor::follow::{FollowFile, FollowOptions, Follower, From};
use vigie_sensor::journald::{self, JournaldOptions};
use vigie_store::index::{EventIndex, IndexOptions};
use vigie_store::journal::{Journal, JournalOptions, Position};
use vigie_store::state::State;

use crate::config::{Config, FirstRead, Journald};
use crate::rulebook::Rulebook;

/// How often old journal segments are dropped.
const RETAIN_EVERY: Duration = Duration::from_mins(5);
/// How long the start waits for each source to be looked at, so that the greeting can tell.
const FIRST_LOOK: Duration = Duration::from_secs(2);
/// Logs that the system's journal stands in for.
const SYSTEM_LOGS: [&str; 4] = ["auth.log", "secure", "syslog", "messages"];

/// A running centre.
pub struct Centre {
    pub state: State,
    /// Where the console listens.
    pub console: SocketAddr,
    /// Where the agents' interface listens: collect, analyze, respond.
    pub interface: Option<[SocketAddr; 3]>,
    /// Rules that could not be loaded, and other things worth telling at the start.
    pub notes: Vec<String>,
    batches: mpsc::Sender<Batch>,
    sensors: Sensors,
    stop: watch::Sender<bool>,
    /// Sensors and listeners; they end first.
    inlets: JoinSet<()>,
    /// What follows the journal; it ends when the journal's end is reached.
    stages: JoinSet<anyhow::Result<()>>,
    writer: tokio::task::JoinHandle<()>,
    stop_inlets: watch::Sender<bool>,
    reload: Arc<Notify>,
}

impl Centre {
    /// Opens the stores in `dir` and starts everything.
    pub async fn start(config: &Config, dir: &Path, lang: Lang) -> anyhow::Result<Self> {
        if config.response.mode == Mode::Enforce {
            bail!(
                "response.mode = \"enforce\": this version decides and simulates, it cannot \
                 change a firewall yet; set it to \"dry_run\""
            );
        }
        make_private(dir)?;
        let mut notes = Vec::new();
        let state = State::open(&dir.join("state.sqlite")).await?;
        let checkpoint = state.detector_checkpoint().await?;
        let (journal, index) =
            open_journal_and_index(config, dir, checkpoint.position, &mut notes)?;
        let reload = Arc::new(Notify::new());
        let rules = rules::Rules::load(Rulebook::of(config, dir), Arc::clone(&reload))?;
        notes.extend(rules.diagnostics().iter().map(|diagnostic| format!("rules: {diagnostic}")));
        let options = parser_options(config)?;
        let policy = load_policy(config)?;
        let allow = allowlist(config)?;
        let model = crate::model::configured(&config.model, lang)?;

        let console_listener = listen(config.console.listen, "the console").await?;
        let console_at = console_listener.local_addr()?;
        let mut interface_listeners = Vec::new();
        if config.agents_interface.enabled {
            let addresses = &config.agents_interface;
            for address in [addresses.collect, addresses.analyze, addresses.respond] {
                interface_listeners.push(listen(address, "the agents' interface").await?);
            }
        }

        let (stop, stopped) = watch::channel(false);
        let (stop_inlets, inlets_stopped) = watch::channel(false);
        let feed = feed::Feed::new();
        let (found, judged) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let to_second = Arc::new(Notify::new());
        let mut stages = JoinSet::new();
        let mut inlets = JoinSet::new();

        let activities = Arc::new(Mutex::new(Activities::watching(config.analysis.planted()?)));
        let (catching_up, caught_up) = oneshot::channel();
        let detection = detect::Detection {
            activities: Arc::clone(&activities),
            journal: journal.clone(),
            state: state.clone(),
            rules: rules.subscribe(),
            settings: detector_settings(config),
            options: options.clone(),
            snapshot_every: Duration::from_secs(config.detection.snapshot_s.into()),
            feed: feed.clone(),
            caught_up: Some(catching_up),
            found: Arc::clone(&found),
            stop: stopped.clone(),
            runtime: Handle::current(),
        };
        stages.spawn_blocking(move || detection.run().context("detection"));
        let indexed = Arc::new(AtomicU64::new(index.position().0));
        let indexing = index::Indexing {
            journal: journal.clone(),
            indexed: Arc::clone(&indexed),
            index,
            days: config.storage.index_days,
            options: options.clone(),
            stop: stopped.clone(),
            runtime: Handle::current(),
        };
        stages.spawn_blocking(move || indexing.run().context("indexing"));
        let judging = judge::Judging {
            state: state.clone(),
            rules: rules.subscribe(),
            known: config.analysis.known(),
            activities,
            feed: feed.clone(),
            caught_up,
            found,
            judged: Arc::clone(&judged),
            to_second: Arc::clone(&to_second),
            stop: stopped.clone(),
        };
        if let Some(model) = model {
            if model.server.shows_key() {
                notes.push(format!(
                    "model: the key goes to {} in clear text; use https, or a server on this machine",
                    model.server.base()
                ));
            }
            let seconding =
                second::Seconding::new(state.clone(), rules.subscribe(), to_second, model).await?;
            let stopped = stopped.clone();
            stages.spawn(async move {
                seconding.run(stopped).await;
                Ok(())
            });
        } else {
            state.set_model_status(None).await?;
        }
        stages.spawn(async move {
            judging.run().await;
            Ok(())
        });
        let ports = AdminPorts { console: vec![console_at.port()], ..AdminPorts::default() };
        let responding = respond::Responding::new(
            state.clone(),
            policy,
            config.response.mode,
            ports,
            allow,
            feed.clone(),
            judged,
        )
        .await?;
        let responder = responding.clone();
        stages.spawn(async move {
            responder.run(stopped).await;
            Ok(())
        });
        inlets.spawn(rules.run(inlets_stopped.clone()));
        inlets.spawn(feed.clone().count(journal.clone()));
        inlets.spawn(retain(journal.clone(), state.clone(), indexed));

        let settings = vigie_console::Settings {
            mode: config.response.mode,
            hosts: config.console.hosts.clone(),
            ..vigie_console::Settings::default()
        };
        let console = Console::new(state.clone(), Arc::new(SystemClock), feed.sender(), settings)
            .counting(feed.counters());
        let router = vigie_console::router(console);
        let stopping = inlets_stopped.clone();
        inlets.spawn(async move {
            if let Err(error) =
                vigie_console::serve(console_listener, router, until(stopping)).await
            {
                tracing::error!(%error, "the console has ended");
            }
        });
        let interface = interface::start(
            interface_listeners,
            &mut inlets,
            &inlets_stopped,
            interface::Parts { dir, journal: &journal, state: &state, responding, lang },
        )?;

        let (batches, queue) = mpsc::channel(writer::QUEUE);
        let writer = tokio::spawn(writer::run(journal.clone(), queue));
        let sensors = start_sensors(config, &journal, &batches).await?;
        Ok(Self {
            state,
            console: console_at,
            interface,
            notes,
            batches,
            sensors,
            stop,
            inlets,
            stages,
            writer,
            stop_inlets,
            reload,
        })
    }

    /// How the sources are doing.
    pub fn sources(&self) -> &[Statuses] {
        &self.sensors.statuses
    }

    /// Where batches of further sensors go.
    pub fn batches(&self) -> mpsc::Sender<Batch> {
        self.batches.clone()
    }

    /// Loads the rules again, whether their files have changed or not.
    pub fn reload_rules(&self) {
        self.reload.notify_one();
    }

    /// Waits until a stage fails; for ever while all is well.
    pub async fn failed(&mut self) -> anyhow::Error {
        while let Some(ended) = self.stages.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error,
                Err(error) => return anyhow::Error::new(error).context("a stage ended abnormally"),
            }
        }
        std::future::pending().await
    }

    /// Ends everything in the order of the data's way: sensors, the journal's writer, then what
    /// follows the journal once it has reached the end.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let Sensors { follower, journald, .. } = self.sensors;
        follower.stop().await;
        drop(journald);
        self.stop_inlets.send_replace(true);
        drop(self.batches);
        // Browsers may hold their live stream open; they are not waited for long.
        let _ = tokio::time::timeout(Duration::from_secs(2), self.writer).await;
        self.inlets.shutdown().await;
        self.stop.send_replace(true);
        let mut outcome = Ok(());
        while let Some(ended) = self.stages.join_next().await {
            if let Ok(Err(error)) = ended {
                outcome = Err(error);
            }
        }
        self.state.close().await?;
        outcome
    }
}

async fn until(mut stop: watch::Receiver<bool>) {
    // An error means that the centre is gone, which ends the wait too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Makes the data directory, for its owner only.
fn make_private(dir: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).with_context(|| {
        let dir = dir.display();
        format!("cannot make the data directory {dir}; name another with --data")
    })
}

fn open_journal_and_index(
    config: &Config,
    dir: &Path,
    not_before: Position,
    notes: &mut Vec<String>,
) -> anyhow::Result<(Journal, EventIndex)> {
    let storage = &config.storage;
    let index = EventIndex::open(&dir.join("index"), IndexOptions::default())?;
    let options = JournalOptions {
        reserve_bytes: u64::from(storage.reserve_mib) << 20,
        max_bytes: Some(u64::from(storage.journal_max_mib) << 20),
        max_age_s: Some(i64::from(storage.journal_max_days) * 86_400),
        not_before: not_before.max(index.position()),
        ..JournalOptions::default()
    };
    let (journal, recovery) = Journal::open(&dir.join("journal"), options)?;
    if let Some(cut) = &recovery.cut {
        notes.push(format!(
            "journal: cut {} bytes of a batch that was never acknowledged from the end of {}",
            cut.bytes,
            cut.path.display()
        ));
    }
    for damage in &recovery.damage {
        notes.push(format!(
            "journal: records {} to {} are lost: {} is damaged at byte {}",
            damage.first,
            damage.end,
            damage.path.display(),
            damage.offset
        ));
    }
    Ok((journal, index))
}

pub fn detector_settings(config: &Config) -> vigie_detector::Settings {
    vigie_detector::Settings {
        incident_gap_s: config.detection.incident_gap_s,
        ..vigie_detector::Settings::default()
    }
}

pub fn parser_options(config: &Config) -> anyhow::Result<Options> {
    let timezone = match config.timezone.as_str() {
        "" => crate::input::system_zone(),
        name => jiff::tz::TimeZone::get(name)
            .with_context(|| format!("configuration: timezone = \"{name}\""))?,
    };
    Ok(Options { timezone, reference: Reference::Observed })
}

pub fn load_policy(config: &Config) -> anyhow::Result<Policy> {
    let path = &config.response.policy;
    if path.as_os_str().is_empty() {
        return Ok(Policy::shipped());
    }
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read policy {}", path.display()))?;
    Policy::parse(&text).map_err(|error| anyhow::anyhow!("{}:{error}", path.display()))
}

pub fn allowlist(config: &Config) -> anyhow::Result<Vec<Allowed>> {
    let entry = |text: &String| {
        Allowed::parse(text, "configuration", None).with_context(|| {
            format!("configuration: response.allow: \"{text}\" is no address or network, such as 192.0.2.0/24")
        })
    };
    config.response.allow.iter().map(entry).collect()
}

async fn listen(address: SocketAddr, what: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address} for {what}: is another Vigie running? (`vigie config reference` shows how to set another port)")
    })
}

/// The sensors of a centre. Dropping them ends them.
struct Sensors {
    follower: Follower,
    journald: Option<journald::Journald>,
    statuses: Vec<Statuses>,
}

/// Starts following the configured sources where the journal says that they were left.
async fn start_sensors(
    config: &Config,
    journal: &Journal,
    batches: &mpsc::Sender<Batch>,
) -> anyhow::Result<Sensors> {
    let files: Vec<FollowFile> = config
        .sources
        .files
        .iter()
        .map(|path| FollowFile { path: path.clone(), format: None })
        .collect();
    let from = match config.sources.first_read {
        FirstRead::Start => From::Start,
        FirstRead::End => From::End,
    };
    let options = FollowOptions { files, cursors: journal.cursors(), from };
    let mut follower =
        vigie_sensor::follow::follow(options, Arc::new(SystemClock), batches.clone())?;
    let mut sources = vec![follower.statuses()];
    let mut journald = None;
    let wanted = match config.sources.journald {
        Journald::Always => true,
        Journald::Never => false,
        Journald::Auto => {
            !config.sources.files.iter().map(PathBuf::as_path).any(is_readable_system_log)
        }
    };
    if wanted {
        let options =
            JournaldOptions { cursors: journal.cursors(), from, ..JournaldOptions::default() };
        let following = journald::follow(options, Arc::new(SystemClock), batches.clone());
        sources.push(following.statuses());
        journald = Some(following);
    }
    // A source that hangs does not keep the centre from starting.
    let first_look = async {
        follower.first_look().await;
        for statuses in &sources {
            statuses.looked_at().await;
        }
    };
    if tokio::time::timeout(FIRST_LOOK, first_look).await.is_err() {
        tracing::debug!("a source has not been looked at after {FIRST_LOOK:?}");
    }
    Ok(Sensors { follower, journald, statuses: sources })
}

fn is_readable_system_log(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    SYSTEM_LOGS.contains(&name) && std::fs::File::open(path).is_ok()
}

/// Drops old journal segments that every consumer is past.
async fn retain(journal: Journal, state: State, indexed: Arc<AtomicU64>) {
    let mut tick = tokio::time::interval(RETAIN_EVERY);
    loop {
        tick.tick().await;
        let Ok(checkpoint) = state.detector_checkpoint().await else { continue };
        let indexed = Position(indexed.load(Ordering::Relaxed));
        let needed = checkpoint.needed().min(indexed);
        let start = journal.start();
        let kept = journal.clone();
        let retained =
            tokio::task::spawn_blocking(move || kept.retain(needed, SystemClock.now())).await;
        if let Ok(Err(error)) = retained {
            tracing::error!(%error, "old journal segments cannot be removed");
        }
        if journal.start() != start
            && let Err(error) = state.forget_seed_marks(journal.start()).await
        {
            tracing::error!(%error, "marks of dropped agents' events cannot be removed");
        }
    }
}

/// The agents' interface token: the environment's, else the one kept in `dir`, made at the first
/// start.
pub fn agents_token(dir: &Path) -> anyhow::Result<(String, Option<PathBuf>)> {
    if let Ok(token) = std::env::var("VIGIE_AGENTS_TOKEN")
        && !token.is_empty()
    {
        return Ok((token, None));
    }
    let path = dir.join("agents.token");
    match std::fs::read_to_string(&path) {
        Ok(token) if !token.trim().is_empty() => return Ok((token.trim().to_owned(), Some(path))),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
    }
    let mut halves = [[0; 16]; 2];
    for half in &mut halves {
        getrandom::fill(half).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    }
    let [high, low] = halves.map(u128::from_be_bytes);
    let token = format!("{high:032x}{low:032x}");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    std::io::Write::write_all(&mut file, format!("{token}\n").as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok((token, Some(path)))
}
