//! What every program's parser works on, and what it answers.

use std::num::NonZeroU64;

use vigie_event::{EventKind, Fields, Logsources, Timestamp, field};

use crate::sshd::{Ending, Memory, Place, Server};
use crate::text::{self, LastAddress};

/// What a parser says of a line that it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub kind: EventKind,
    pub dataset: &'static str,
    pub logsources: Logsources,
}

impl Known {
    /// An ordinary event of `dataset`.
    pub const fn event(dataset: &'static str, logsources: Logsources) -> Self {
        Self { kind: EventKind::Event, dataset, logsources }
    }

    /// A line of a known frame whose content no parser knows.
    pub const fn unparsed(dataset: &'static str, logsources: Logsources) -> Self {
        Self { kind: EventKind::Unparsed, dataset, logsources }
    }
}

/// `event.outcome`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failure,
    /// The line tells of no attempt.
    #[default]
    None,
}

impl Outcome {
    /// The value of `event.outcome`.
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Success => Some("success"),
            Self::Failure => Some("failure"),
            Self::None => None,
        }
    }

    /// Failure where `failed` holds, else no outcome.
    pub const fn failure_if(failed: bool) -> Self {
        if failed { Self::Failure } else { Self::None }
    }
}

/// A message with what its frame told.
pub struct Line<'e, 'p> {
    /// The event's slots.
    pub fields: &'p mut Fields<'e>,
    /// The program's name as the frame gives it; empty where it gives none.
    pub program: &'p str,
    /// The host's name; empty where the frame gives none.
    pub host: &'p str,
    /// The process id; 0 where the frame gives none.
    pub pid: u32,
    /// When it happened.
    pub time: Timestamp,
    /// Fingerprint of the source, to tell equal process ids apart.
    pub origin: u64,
    /// The address read last.
    pub last_address: &'p mut LastAddress,
    /// The host's server, where it is known already.
    pub server: Option<&'p Server>,
    /// Where the connection stands in memory, once it has been asked for.
    pub place: Option<Place>,
    /// What is left to be done about the connection.
    pub ending: Option<Ending>,
    /// Whether the memory has been asked.
    pub asked: bool,
    /// Whether it gave an address.
    pub recalled: bool,
    /// The number of what is said, where it was said before.
    pub said: Option<NonZeroU64>,
    /// What sshd's connections have told so far.
    pub memory: &'p mut Memory,
}

impl Line<'_, '_> {
    /// Adds where somebody comes from, as [`text::source`] does.
    #[inline]
    pub fn source(&mut self, host: &str) -> bool {
        match self.last_address.read(host) {
            Some(address) => {
                self.fields.address(field::SOURCE_IP, address);
                true
            }
            None => text::named_source(self.fields, host),
        }
    }

    /// Fills `event.action`, `event.category`, `event.type` and `event.outcome`.
    #[inline]
    pub fn action(
        &mut self,
        action: &'static str,
        category: &'static str,
        kind: &'static str,
        outcome: Outcome,
    ) {
        act(self.fields, action, category, kind, outcome);
    }
}

/// The same as [`act`], with an action that the line itself names.
pub fn act_named(
    fields: &mut Fields<'_>,
    action: &str,
    category: &'static str,
    kind: &'static str,
    outcome: Outcome,
) {
    fields.text(field::EVENT_ACTION, action);
    fields.fixed(field::EVENT_CATEGORY, category);
    fields.fixed(field::EVENT_TYPE, kind);
    told(fields, outcome);
}

/// Fills `event.action`, `event.category`, `event.type` and `event.outcome` of any event.
#[inline]
pub fn act(
    fields: &mut Fields<'_>,
    action: &'static str,
    category: &'static str,
    kind: &'static str,
    outcome: Outcome,
) {
    let action = (field::EVENT_ACTION, action);
    let category = (field::EVENT_CATEGORY, category);
    let kind = (field::EVENT_TYPE, kind);
    match outcome.name() {
        Some(name) => fields.all_fixed([action, category, kind, (field::EVENT_OUTCOME, name)]),
        None => fields.all_fixed([action, category, kind]),
    }
}

#[inline]
fn told(fields: &mut Fields<'_>, outcome: Outcome) {
    if let Some(name) = outcome.name() {
        fields.fixed(field::EVENT_OUTCOME, name);
    }
}
