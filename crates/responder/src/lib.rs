//! What do we do about it?
//!
//! A [`Policy`] says which actions answer which verdict, [`Protection`] who must never be
//! banned, [`Bans`] who is banned and for how long the next time. The [`Responder`] makes a
//! [`Response`] of them: plain values, which the store keeps in one transaction and workers
//! deliver from its outbox. Nothing here touches the outside world, but that
//! [`Protection::read`] looks at `/proc`.
//!
//! ```
//! use vigie_event::{Mode, Timestamp};
//! use vigie_responder::{Guard, GuardKind, Policy, Protection, Responder};
//!
//! let now = Timestamp::from_seconds(1_700_000_000);
//! let responder = Responder::new(Policy::shipped(), Mode::DryRun);
//! assert_eq!(responder.bans().active(now).count(), 0);
//!
//! let gateway = Guard { network: "192.0.2.1/32".parse()?, kind: GuardKind::Gateway };
//! let protection = Protection::of(vec![gateway], now);
//! assert!(protection.check("192.0.2.1".parse()?, now).is_err());
//! assert!(protection.check("203.0.113.7".parse()?, now).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(missing_docs)]

pub mod agents;
mod bans;
mod net;
mod policy;
mod policy_file;
mod protection;
mod protection_read;
mod responder;
mod response;
#[cfg(test)]
mod testing;
mod wording;

pub use bans::{Ban, Bans, PastBan};
pub use policy::{BanTerms, Policy, PolicyError, PolicyRule, SHIPPED_POLICY, Step, When};
pub use protection::{Allowed, Guard, GuardKind, Protection, Refusal};
pub use protection_read::AdminPorts;
pub use responder::Responder;
pub use response::{NewTicket, OutboxEntry, Response};
