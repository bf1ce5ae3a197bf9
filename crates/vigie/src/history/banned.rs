//! Who would have been banned, and whether that would have been a mistake.

use ipnet::IpNet;
use vigie_event::{Lang, Timestamp};
use vigie_responder::{Protection, Refusal};

use super::Logins;

/// Somebody who would have been banned.
pub struct Banned {
    pub network: IpNet,
    /// When the first time.
    pub first: Timestamp,
    /// How many times.
    pub times: u64,
    /// The longest of these bans.
    pub longest_s: i64,
    /// Ids of the rules that had alerts in the incidents.
    pub rules: Vec<String>,
    /// Why it would probably have been one of your own.
    pub yours: Vec<Yours>,
}

impl Banned {
    /// The address, or the network where it is more than one.
    pub fn target(&self) -> String {
        let single = self.network.prefix_len() == self.network.max_prefix_len();
        if single { self.network.addr().to_string() } else { self.network.to_string() }
    }
}

/// What makes an address one of your own.
pub enum Yours {
    /// It must not be banned today, so in truth it would not have been.
    Refused(Refusal),
    /// It logged in successfully.
    LoggedIn { times: u64, user: String },
}

impl Yours {
    /// As a clause.
    pub fn text(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Refused(refusal), Lang::En) => {
                format!("would be refused: {}", refusal.text(lang))
            }
            (Self::Refused(refusal), Lang::Fr) => {
                format!("serait refusé : {}", refusal.text(lang))
            }
            (Self::LoggedIn { times: 1, user }, Lang::En) => format!("logged in as {user}"),
            (Self::LoggedIn { times, user }, Lang::En) => {
                format!("logged in {times} times, as {user} for one")
            }
            (Self::LoggedIn { times: 1, user }, Lang::Fr) => {
                format!("s’est connecté sous le nom {user}")
            }
            (Self::LoggedIn { times, user }, Lang::Fr) => {
                format!("s’est connecté {times} fois, notamment sous le nom {user}")
            }
        }
    }

    /// Its name in `--json`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Refused(Refusal::Allowlisted(_)) => "allowlisted",
            Self::Refused(_) => "protected",
            Self::LoggedIn { .. } => "logged_in",
        }
    }
}

/// What speaks for `network` being one of your own.
pub fn yours(network: &IpNet, logins: &Logins, protection: &Protection) -> Vec<Yours> {
    let refused = protection.check_network(network, protection.taken()).err();
    let mut reasons: Vec<Yours> = refused.map(Yours::Refused).into_iter().collect();
    let mut inside: Vec<_> =
        logins.iter().filter(|(address, _)| network.contains(*address)).collect();
    inside.sort_by_key(|(address, _)| **address);
    let times = inside.iter().map(|(_, login)| login.times).sum();
    if let Some((_, login)) = inside.pop() {
        reasons.push(Yours::LoggedIn { times, user: login.user.clone() });
    }
    reasons
}
