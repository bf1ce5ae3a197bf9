//! How each source is doing, for the start message and the console.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;
use vigie_event::{Lang, Localized, SourceKind, Timestamp};

use crate::Lost;

/// What a source is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum SensorState {
    /// Not looked at yet.
    #[default]
    Starting,
    /// Being read.
    Reading,
    /// There is nothing to read yet; it will be read as soon as it appears.
    Waiting {
        /// For what.
        reason: Localized,
    },
    /// It may not be read.
    Denied {
        /// What to do about it.
        mend: Localized,
    },
    /// It cannot be read; tried again regularly.
    Failed {
        /// What went wrong.
        error: String,
    },
    /// This source does not exist on this machine.
    Absent {
        /// What is missing.
        reason: Localized,
    },
    /// Its end was reached, or it was told to stop.
    Stopped,
}

/// One source and how it is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SensorStatus {
    /// What kind of source.
    pub kind: SourceKind,
    /// Its name: a path, `journald`, `stdin`.
    pub name: String,
    /// What it is doing.
    #[serde(flatten)]
    pub state: SensorState,
    /// Records handed over since the start.
    pub records: u64,
    /// Bytes of those records.
    pub bytes: u64,
    /// Rotations and truncations gone through since the start.
    pub rotations: u64,
    /// What was lost since the start.
    pub lost: Lost,
    /// When the last record was read.
    pub last_record: Option<Timestamp>,
}

impl SensorStatus {
    /// A source that has not been looked at.
    pub fn new(kind: SourceKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            state: SensorState::Starting,
            records: 0,
            bytes: 0,
            rotations: 0,
            lost: Lost::default(),
            last_record: None,
        }
    }

    /// Name, state and mend in one sentence without a full stop.
    pub fn sentence(&self, lang: Lang) -> String {
        let fr = lang == Lang::Fr;
        let colon = if fr { "\u{202f}:" } else { ":" };
        let state = match &self.state {
            SensorState::Starting if fr => "pas encore ouvert".to_owned(),
            SensorState::Starting => "not opened yet".to_owned(),
            SensorState::Reading if fr => "lecture en cours".to_owned(),
            SensorState::Reading => "reading".to_owned(),
            SensorState::Waiting { reason } | SensorState::Absent { reason } => {
                reason.get(lang).to_owned()
            }
            SensorState::Denied { mend } if fr => {
                format!("lecture refusée\u{202f}; {}", mend.get(lang))
            }
            SensorState::Denied { mend } => format!("permission denied; {}", mend.get(lang)),
            SensorState::Failed { error } if fr => format!("échec{colon} {error}"),
            SensorState::Failed { error } => format!("failed{colon} {error}"),
            SensorState::Stopped if fr => "arrêté".to_owned(),
            SensorState::Stopped => "stopped".to_owned(),
        };
        format!("{}{colon} {state}", self.name)
    }
}

/// The statuses of some sources, shared between their reader and whoever shows them.
#[derive(Clone, Debug)]
pub struct Statuses(Arc<watch::Sender<Vec<SensorStatus>>>);

impl Statuses {
    pub(crate) fn new(statuses: Vec<SensorStatus>) -> Self {
        Self(Arc::new(watch::Sender::new(statuses)))
    }

    /// How the sources are doing now, in the order in which they were named.
    pub fn list(&self) -> Vec<SensorStatus> {
        self.0.borrow().clone()
    }

    /// Waits until every source has been looked at once, so that its status tells something.
    pub async fn looked_at(&self) {
        let looked = |list: &Vec<SensorStatus>| {
            list.iter().all(|status| status.state != SensorState::Starting)
        };
        // It cannot fail: the sender is kept alive by `self`.
        let _ = self.0.subscribe().wait_for(looked).await;
    }

    pub(crate) fn update(&self, index: usize, change: impl FnOnce(&mut SensorStatus)) {
        self.0.send_modify(|list| {
            if let Some(status) = list.get_mut(index) {
                change(status);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_to_do_in_both_languages() {
        let mut status = SensorStatus::new(SourceKind::File, "/var/log/auth.log");
        status.state = SensorState::Denied { mend: Localized::new("do this", "faites ceci") };
        assert_eq!(status.sentence(Lang::En), "/var/log/auth.log: permission denied; do this");
        assert_eq!(
            status.sentence(Lang::Fr),
            "/var/log/auth.log\u{202f}: lecture refusée\u{202f}; faites ceci"
        );
    }
}
