//! What services are, and what a message of theirs may mean.

use crate::line::Outcome;

/// What a message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// A login that was refused.
    Failure,
    /// A login that succeeded. Only of programs known by name.
    Success,
    /// A connection that ended while a login failed, or before any: told beside the failure.
    Abandoned,
    /// Mail that was refused, or a client that does not speak the protocol.
    MailRefused,
    /// A request, call or connection that was refused by a rule.
    Refused,
    /// Somebody looks for a way in where nobody has any business.
    Probe,
    /// Another program has banned the address.
    Banned,
    /// Known, and nothing to count.
    Note,
}

impl Tells {
    /// `event.action`, `event.category`, `event.type` and the outcome.
    pub const fn words(self) -> (&'static str, &'static str, &'static str, Outcome) {
        const AUTH: &str = "authentication";
        match self {
            Self::Failure => ("login", AUTH, "start", Outcome::Failure),
            Self::Success => ("login", AUTH, "start", Outcome::Success),
            Self::Abandoned => ("login_abandoned", "session", "end", Outcome::Failure),
            Self::MailRefused => ("mail_refused", "email", "denied", Outcome::Failure),
            Self::Refused => ("access_refused", "network", "denied", Outcome::Failure),
            Self::Probe => ("probe", "intrusion_detection", "info", Outcome::Failure),
            Self::Banned => ("banned", "intrusion_detection", "info", Outcome::Failure),
            Self::Note => ("message", "network", "info", Outcome::None),
        }
    }
}

/// A pattern and what the message tells that it fits.
pub type Saying = (&'static str, Tells);

/// A service: the names of its programs, and what they say.
#[derive(Debug)]
pub struct Service {
    /// `event.dataset`.
    pub dataset: &'static str,
    /// Names in the frame; one that ends in `*` stands for all that begin so.
    pub programs: &'static [&'static str],
    /// Cuts off what the program puts in front of its messages.
    pub body: fn(&str) -> &str,
    /// The first that fits decides.
    pub sayings: &'static [Saying],
}

impl Service {
    /// Whether `program` is one of the service's.
    pub fn is(&self, program: &str) -> bool {
        self.programs.iter().any(|name| match name.strip_suffix('*') {
            Some(start) => program.starts_with(start),
            None => *name == program,
        })
    }
}

/// The message as it is.
pub fn whole(message: &str) -> &str {
    message
}
