//! Rules, live: loaded at the start, and again whenever their files change or somebody asks, on
//! one way. What cannot be loaded is told and leaves in force what was.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use vigie_sigma::{Diagnostic, DiagnosticLevel, RuleSet};

use crate::output::inert;
use crate::rulebook::{Loaded, Rulebook};

/// How often to look whether rule files have changed. What changes is loaded once it has stayed
/// as it is from one look to the next, so that nothing is read half written.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Keeps the rules in force up to date.
pub struct Rules {
    book: Arc<Rulebook>,
    loaded: Arc<Loaded>,
    /// Of the files that were loaded.
    stamp: u64,
    in_force: watch::Sender<Arc<RuleSet>>,
    asked: Arc<Notify>,
}

impl Rules {
    /// Loads the rules for the first time; `asked` makes it load them again at once.
    ///
    /// # Errors
    /// A configured path is not there.
    pub fn load(book: Rulebook, asked: Arc<Notify>) -> anyhow::Result<Self> {
        // Before the files are read: what changes meanwhile is seen at the next look.
        let stamp = book.stamp();
        let loaded = Arc::new(book.load(None)?);
        let in_force = watch::Sender::new(Arc::clone(&loaded.rules));
        Ok(Self { book: Arc::new(book), loaded, stamp, in_force, asked })
    }

    /// The rules in force, now and later.
    pub fn subscribe(&self) -> watch::Receiver<Arc<RuleSet>> {
        self.in_force.subscribe()
    }

    /// What is wrong in the files.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.loaded.diagnostics
    }

    /// Runs until `stop`.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut changing = None;
        loop {
            let asked = tokio::select! {
                () = self.asked.notified() => true,
                () = tokio::time::sleep(LOOK_EVERY) => false,
                _ = stop.changed() => return,
            };
            let book = Arc::clone(&self.book);
            let Ok(stamp) = tokio::task::spawn_blocking(move || book.stamp()).await else {
                continue;
            };
            let settled = changing == Some(stamp);
            changing = (stamp != self.stamp).then_some(stamp);
            if asked || (settled && changing.is_some()) {
                self.reload(stamp).await;
                changing = None;
            }
        }
    }

    async fn reload(&mut self, stamp: u64) {
        let (book, before) = (Arc::clone(&self.book), Arc::clone(&self.loaded));
        let loaded = tokio::task::spawn_blocking(move || book.load(Some(&before))).await;
        self.stamp = stamp;
        let loaded = match loaded {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(error)) => {
                let error = format!("{error:#}");
                tracing::error!(%error, "rules cannot be loaded; those in force stay");
                return;
            }
            Err(error) => {
                tracing::error!(%error, "loading rules ended abnormally; those in force stay");
                return;
            }
        };
        tell(&self.loaded, &loaded);
        self.loaded = Arc::new(loaded);
        self.in_force.send_replace(Arc::clone(&self.loaded.rules));
    }
}

/// Tells what is new since `before`.
fn tell(before: &Loaded, now: &Loaded) {
    let known: HashSet<&Diagnostic> = before.diagnostics.iter().collect();
    for problem in now.diagnostics.iter().filter(|problem| !known.contains(problem)) {
        let text = inert(&problem.to_string());
        match problem.level {
            DiagnosticLevel::Error if now.kept.contains(&problem.file) => {
                tracing::warn!("rules: {text}; the file goes on in its earlier form");
            }
            _ => tracing::warn!("rules: {text}"),
        }
    }
    let versions = |rules: &RuleSet| -> BTreeMap<String, String> {
        let references = rules.rules().iter().map(|rule| &rule.reference);
        references.map(|one| (one.id.clone(), one.version.clone())).collect()
    };
    let (old, new) = (versions(&before.rules), versions(&now.rules));
    let added = new.keys().filter(|id| !old.contains_key(*id)).count();
    let gone = old.keys().filter(|id| !new.contains_key(*id)).count();
    let same = new.iter().filter(|(id, version)| old.get(*id) == Some(version)).count();
    let changed = new.len() - added - same;
    let refused = now.refused().len();
    tracing::info!(rules = new.len(), added, changed, gone, refused, "rules reloaded");
}
