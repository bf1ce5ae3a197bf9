//! What a message means for its connection: the part that the message alone cannot tell, so it is
//! left to the end.

use super::memory::Connection;
use crate::line::{Line, Outcome};

/// What a message means for its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The message may lack the address, which the connection knows.
    Recalls,
    /// It told the address.
    Remembers,
    /// A connection begins, perhaps under a process id that has served another.
    Opens,
    /// It is authenticated.
    Accepted,
    /// It has failed.
    Fails,
    /// It has failed, if it is known where it comes from.
    FailsWhereKnown,
    /// The client says that it goes, perhaps because it has tried all that it has.
    Disconnects { given_up: bool },
    /// It is closed, before authentication or after.
    Closes { preauth: bool },
    /// The server closes it.
    IsClosed { changed: bool, too_many: bool },
}

/// The end of what a message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    what: What,
    /// `event.action`, `event.category` and `event.type`; none where they are filled already.
    named: Option<[&'static str; 3]>,
}

impl Line<'_, '_> {
    /// Names the event by action, category and type, with an outcome that follows from `what` the
    /// message means for its connection. Nothing more is filled in after that.
    pub(super) fn ends(
        &mut self,
        what: What,
        action: &'static str,
        category: &'static str,
        kind: &'static str,
    ) {
        self.ending = Some(Ending { what, named: Some([action, category, kind]) });
    }

    /// The same of an event that has its name.
    pub(super) fn ends_named(&mut self, what: What) {
        self.ending = Some(Ending { what, named: None });
    }

    /// Does what the message means for its connection.
    #[inline]
    pub fn settle(&mut self) {
        if let Some(ending) = self.ending {
            self.settle_with(&ending);
        }
    }

    /// Does it as `ending` says. The outcome, where that gave one: what else is filled in follows
    /// from it and from the ending, unless an address was recalled.
    pub fn settle_with(&mut self, Ending { what, named }: &Ending) -> Outcome {
        let outcome = self.outcome(*what);
        if let Some([action, category, kind]) = named {
            self.action(action, category, kind, outcome);
        }
        outcome
    }

    fn outcome(&mut self, what: What) -> Outcome {
        match what {
            What::Recalls => {
                self.recall_address();
                Outcome::None
            }
            What::Remembers => {
                self.remember_address();
                Outcome::None
            }
            What::Opens => {
                if let Some(connection) = self.connection() {
                    connection.forget();
                }
                self.remember_address();
                Outcome::None
            }
            What::Accepted => {
                self.remember_address();
                if let Some(connection) = self.connection() {
                    connection.accepted = true;
                    connection.failed = false;
                    connection.pending = false;
                }
                Outcome::Success
            }
            What::Fails => {
                self.failed();
                Outcome::Failure
            }
            What::FailsWhereKnown => Outcome::failure_if(self.failed()),
            What::Disconnects { given_up } => {
                let pending = self.known_connection().is_some_and(Connection::take_pending);
                self.failure_if(given_up || pending)
            }
            What::Closes { preauth } => {
                let failed = match self.known_connection() {
                    Some(connection) => {
                        let untold = preauth && !connection.failed && !connection.accepted;
                        connection.take_pending() || untold
                    }
                    None => preauth,
                };
                self.failure_if(failed)
            }
            What::IsClosed { changed, too_many } => {
                let told = self.known_connection().is_some_and(|connection| connection.failed);
                if changed || (too_many && !told) {
                    return Outcome::failure_if(self.failed());
                }
                self.recall_address();
                Outcome::None
            }
        }
    }

    fn failure_if(&mut self, failed: bool) -> Outcome {
        if failed {
            self.failed();
        }
        Outcome::failure_if(failed)
    }
}
