//! What works and what does not on this machine: real tries, each with its mend.

use std::io::ErrorKind;
use std::path::Path;

use vigie_analyzer::model::{http, probe};
use vigie_event::{Clock, Lang, SystemClock, Timestamp};

use crate::config::{Config, Journald};
use crate::model;
use crate::report::counted;

/// Seconds by which a file system's clock and the machine's may differ.
const CLOCK_S: u64 = 5;
/// Seconds that a log may seem to lie in the future.
const FUTURE_S: i64 = 60;
/// What tells that the clock is set by others: systemd-timesyncd, chrony, ntpd.
const CLOCK_SIGNS: [&str; 4] = [
    "/run/systemd/timesync/synchronized",
    "/run/chrony/chronyd.pid",
    "/run/chronyd.pid",
    "/run/ntpd.pid",
];
/// Where the system's journal is kept.
const SYSTEM_JOURNALS: [&str; 2] = ["/var/log/journal", "/run/log/journal"];

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It works.
    Good,
    /// It works, and something is worth knowing.
    Note,
    /// It does not work.
    Bad,
}

impl State {
    /// The name in every machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Bad => "bad",
        }
    }
}

/// One thing that was tried.
#[derive(Clone, Debug)]
pub struct Check {
    /// What: `logs`, `journald`, `data`, `disk`, `clock`, `model`.
    pub name: &'static str,
    pub state: State,
    /// How it is.
    pub text: String,
    /// What to do about it; empty where there is nothing to do.
    pub mend: String,
}

impl Check {
    fn good(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, state: State::Good, text: text.into(), mend: String::new() }
    }

    fn note(name: &'static str, text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, state: State::Note, text: text.into(), mend: mend.into() }
    }

    fn bad(name: &'static str, text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, state: State::Bad, text: text.into(), mend: mend.into() }
    }
}

/// Whether a folder of journals that may be read is there, with a journal in it.
fn holds_journal(path: &str) -> bool {
    let folders = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut files =
        folders.flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten());
    files.any(|file| file.is_ok_and(|file| file.path().extension() == Some("journal".as_ref())))
}

/// `320 ms`, `1.4 s`, in French `1,4 s`.
fn duration(ms: u32, lang: Lang) -> String {
    match (ms, lang) {
        (..1_000, _) => format!("{ms} ms"),
        (_, Lang::En) => format!("{:.1} s", f64::from(ms) / 1_000.0),
        (_, Lang::Fr) => format!("{:.1} s", f64::from(ms) / 1_000.0).replace('.', ","),
    }
}

/// Tries everything that `config` names; `dir` is the data directory.
pub fn checks(config: &Config, dir: &Path, lang: Lang) -> Vec<Check> {
    let mut checks = logs(config, lang);
    checks.extend(data(config, dir, lang));
    checks.push(clock(config, lang));
    checks.extend(language_model(config, lang));
    checks
}

/// Whether there is anything to read.
fn logs(config: &Config, lang: Lang) -> Vec<Check> {
    let mut checks = Vec::new();
    let (mut readable, mut missing) = (0, 0);
    for path in &config.sources.files {
        let shown = path.display();
        match std::fs::File::open(path) {
            Ok(_) => {
                readable += 1;
                checks.push(Check::good(
                    "logs",
                    format!("{shown} {}", lang.pick("is readable", "est lisible")),
                ));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => missing += 1,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                let mend = lang.pick(
                    "run Vigie as a member of the file's group, mostly `usermod -aG adm USER`, or as root",
                    "lancer Vigie comme membre du groupe du fichier, le plus souvent `usermod -aG adm UTILISATEUR`, ou comme root",
                );
                let text = lang.pick("may not be read", "ne peut être lu : accès refusé");
                checks.push(Check::bad("logs", format!("{shown} {text}"), mend));
            }
            Err(error) => checks.push(Check::bad("logs", format!("{shown}: {error}"), "")),
        }
    }
    if missing > 0 {
        let words = [
            "configured log is not there yet; it is read as soon as it appears",
            "configured logs are not there yet; each is read as soon as it appears",
            "journal configuré n’existe pas encore ; il sera lu dès qu’il apparaît",
            "journaux configurés n’existent pas encore ; chacun sera lu dès qu’il apparaît",
        ];
        let text = counted(missing, lang, words);
        checks.push(Check::note("logs", text, ""));
    }
    let journal = SYSTEM_JOURNALS.iter().find(|path| holds_journal(path));
    match (journal, config.sources.journald) {
        (_, Journald::Never) => {}
        (Some(path), _) => {
            let text = lang.pick("the system's journal is readable", "le journal du système est lisible");
            checks.push(Check::good("journald", format!("{text} ({path})")));
        }
        (None, Journald::Always) => checks.push(Check::bad(
            "journald",
            lang.pick("there is no system journal that could be read", "aucun journal du système ne peut être lu"),
            lang.pick(
                "start systemd-journald, join the group systemd-journal, or set sources.journald = \"never\"",
                "démarrer systemd-journald, rejoindre le groupe systemd-journal, ou mettre sources.journald = \"never\"",
            ),
        )),
        (None, Journald::Auto) if readable == 0 => checks.push(Check::bad(
            "logs",
            lang.pick("there is nothing to read: no configured log and no system journal", "il n’y a rien à lire : ni journal configuré, ni journal du système"),
            lang.pick("name your logs in sources.files", "nommer vos journaux dans sources.files"),
        )),
        (None, Journald::Auto) => {}
    }
    checks
}

/// Whether records can be kept.
fn data(config: &Config, dir: &Path, lang: Lang) -> Vec<Check> {
    let shown = dir.display();
    let dir = &std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    // A directory that is not there yet is made at the first start, in the nearest one that is.
    let existing = dir.ancestors().find(|ancestor| ancestor.is_dir()).unwrap_or(dir);
    let written = tempfile::Builder::new().prefix(".vigie-doctor-").tempfile_in(existing);
    if let Err(error) = written {
        let mend = match lang {
            Lang::En => format!(
                "let the user who runs Vigie own it (`chown`), or name another with --data: {error}"
            ),
            Lang::Fr => format!(
                "le donner à l’utilisateur qui lance Vigie (`chown`), ou en nommer un autre par --data : {error}"
            ),
        };
        let text = lang.pick("cannot be written to", "n’est pas accessible en écriture");
        return vec![Check::bad("data", format!("{shown} {text}"), mend)];
    }
    let text = if existing == dir {
        lang.pick("can be written to", "est accessible en écriture")
    } else {
        lang.pick("is made at the first start", "sera créé au premier démarrage")
    };
    let mut checks = vec![Check::good("data", format!("{shown} {text}"))];
    match rustix::fs::statvfs(existing) {
        Ok(space) => {
            let free = (space.f_bavail.saturating_mul(space.f_frsize)) >> 20;
            let reserve = u64::from(config.storage.reserve_mib);
            let text = match lang {
                Lang::En => format!("{free} MiB are free, of which {reserve} are never used"),
                Lang::Fr => {
                    format!("{free} Mio sont libres, dont {reserve} ne sont jamais utilisés")
                }
            };
            checks.push(if free > reserve.saturating_mul(2) {
                Check::good("disk", text)
            } else {
                let mend = lang.pick(
                    "make room, or put data on another disk; with less than the reserve sources are held back",
                    "faire de la place, ou mettre les données sur un autre disque ; sous la réserve, les sources sont retenues",
                );
                if free > reserve { Check::note("disk", text, mend) } else { Check::bad("disk", text, mend) }
            });
        }
        Err(error) => checks.push(Check::bad("disk", format!("{shown}: {error}"), "")),
    }
    checks
}

/// Whether times can be trusted.
fn clock(config: &Config, lang: Lang) -> Check {
    let now = SystemClock.now();
    let mend = lang.pick(
        "switch time synchronisation on, such as `timedatectl set-ntp true`",
        "activer la synchronisation de l’heure, par exemple `timedatectl set-ntp true`",
    );
    let apart = tempfile::NamedTempFile::new()
        .and_then(|file| file.as_file().metadata())
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|modified| modified.duration_since(std::time::UNIX_EPOCH).ok())
        .map(|since| since.as_secs().abs_diff(now.seconds().unsigned_abs()));
    if let Some(seconds) = apart.filter(|seconds| *seconds > CLOCK_S) {
        let text = match lang {
            Lang::En => format!("the clock and the file system's are {seconds} s apart"),
            Lang::Fr => {
                format!("l’horloge et celle du système de fichiers diffèrent de {seconds} s")
            }
        };
        return Check::bad("clock", text, mend);
    }
    let newest = config.sources.files.iter().filter_map(|path| {
        let modified = std::fs::metadata(path).ok()?.modified().ok()?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    });
    if newest.max().is_some_and(|newest| newest > now.seconds() + FUTURE_S) {
        let text = lang.pick(
            "a log was written later than now: the clock has been turned back",
            "un journal a été écrit dans le futur : l’horloge a été reculée",
        );
        return Check::bad("clock", text, mend);
    }
    let shown = Timestamp::from_seconds(now.seconds());
    if CLOCK_SIGNS.iter().any(|sign| Path::new(sign).exists()) {
        return Check::good(
            "clock",
            format!("{shown}, {}", lang.pick("set by the network", "réglée par le réseau")),
        );
    }
    let text = lang
        .pick("nothing tells that the network sets it", "rien n’indique que le réseau la règle");
    let mend = match lang {
        Lang::En => format!("{mend}; in a container the host does it"),
        Lang::Fr => format!("{mend} ; dans un conteneur, l’hôte s’en charge"),
    };
    Check::note("clock", format!("{shown}, {text}"), mend)
}

/// Whether the model answers, how fast, and whether it holds to schemas; or what is served here.
fn language_model(config: &Config, lang: Lang) -> Vec<Check> {
    let configured = match model::configured(&config.model, lang) {
        Ok(configured) => configured,
        Err(error) => return vec![Check::bad("model", format!("{error:#}"), "")],
    };
    let Some(configured) = configured else {
        let mut checks: Vec<Check> = http::look(&http::USUAL_PORTS)
            .iter()
            .map(|local| {
                let (base, names) = (&local.base, local.models.join(", "));
                let text = match (names.is_empty(), lang) {
                    (false, Lang::En) => format!("none is configured; {base} serves {names}"),
                    (false, Lang::Fr) => format!("aucun n’est configuré ; {base} propose {names}"),
                    (true, Lang::En) => format!("none is configured; {base} serves none yet"),
                    (true, Lang::Fr) => {
                        format!("aucun n’est configuré ; {base} n’en propose pas encore")
                    }
                };
                let mend = lang.pick(
                    "to use it, set model.url and model.name",
                    "pour l’utiliser, définir model.url et model.name",
                );
                Check::note("model", text, mend)
            })
            .collect();
        if checks.is_empty() {
            checks.push(Check::good(
                "model",
                lang.pick(
                    "none is configured or found on this machine; the built-in analyst needs none",
                    "aucun n’est configuré ni trouvé sur cette machine ; l’analyste intégré s’en passe",
                ),
            ));
        }
        return checks;
    };
    let (name, base) = (&configured.model.name, configured.server.base());
    let mut nonce = [0; 8];
    // A fixed word would do too: it only must not stand in the question.
    let _ = getrandom::fill(&mut nonce);
    let nonce = u64::from_be_bytes(nonce);
    let mut checks = match probe(&configured.server, &configured.model, nonce, &SystemClock) {
        Ok(found) => {
            let took = duration(found.latency_ms, lang);
            let form = found.form.name();
            let text = match lang {
                Lang::En => format!(
                    "{name} at {base} answered in {took}; schema enforced: {} ({form})",
                    if found.enforced { "yes" } else { "no" }
                ),
                Lang::Fr => format!(
                    "{name} sur {base} a répondu en {took} ; schéma imposé : {} ({form})",
                    if found.enforced { "oui" } else { "non" }
                ),
            };
            vec![if found.enforced {
                Check::good("model", text)
            } else {
                let mend = lang.pick(
                    "answers are checked and repaired once, which costs time; a server that holds to schemas (Ollama, llama.cpp, vLLM) needs none of it",
                    "les réponses sont vérifiées et réparées une fois, ce qui prend du temps ; un serveur qui impose les schémas (Ollama, llama.cpp, vLLM) l’évite",
                );
                Check::note("model", text, mend)
            }]
        }
        Err(fault) => {
            let mend = lang.pick(
                "check that its server runs, and model.url and model.name; verdicts come from the built-in analyst meanwhile",
                "vérifier que son serveur tourne, ainsi que model.url et model.name ; en attendant, l’analyste intégré donne les verdicts",
            );
            vec![Check::bad(
                "model",
                format!("{name} {} {base}: {fault}", lang.pick("at", "sur")),
                mend,
            )]
        }
    };
    if configured.server.shows_key() {
        checks.push(Check::note(
            "model",
            lang.pick(
                "the key goes over the network in clear text",
                "la clé passe en clair sur le réseau",
            ),
            lang.pick(
                "use https, or a server on this machine",
                "utiliser https, ou un serveur sur cette machine",
            ),
        ));
    }
    checks
}
