//! Where an actor got in: what ties what he does next to his incident.

use std::net::IpAddr;

use vigie_event::{Event, field, unmapped};

use crate::clocks::to_micros;
use crate::core::Core;
use crate::facts::{Key, Outcome, is_inside, name_of, names_one_account};

/// Actions with one of these words in them are logins.
const LOGINS: [&str; 3] = ["login", "logon", "session"];

/// The address that a login came from and the account that it got into, if `event` tells of one
/// that succeeded.
pub fn login(event: &Event) -> Option<(IpAddr, &str)> {
    if Outcome::of(event) != Outcome::Success {
        return None;
    }
    let from = event.address_of(field::SOURCE_IP).map(unmapped)?;
    let action = event.text_of(field::EVENT_ACTION)?;
    let user = event.text_of(field::USER_NAME)?;
    LOGINS.iter().any(|word| action.contains(word)).then_some((from, user))
}

impl Core {
    /// Takes note of `event`, which is a success.
    ///
    /// Whoever logs in from an address that an incident is about takes account and host into
    /// that incident; so does who moves on from there, and who changes account there.
    #[inline(never)]
    pub(crate) fn note_success(&mut self, event: &Event) {
        let Some(action) = event.text_of(field::EVENT_ACTION) else {
            return;
        };
        let from = event.address_of(field::SOURCE_IP).map(unmapped);
        let matters = match from {
            Some(_) => LOGINS.iter().any(|word| action.contains(word)),
            None => matches!(action, "su" | "sudo_command"),
        };
        if !matters {
            return;
        }
        if let Some(from) = from {
            self.note_login(event, from);
            return;
        }
        let Some(user) = name_of(event, field::USER_NAME) else {
            return;
        };
        let host = name_of(event, field::HOST_NAME).unwrap_or_default();
        let time = to_micros(event.time);
        let next = name_of(event, field::USER_EFFECTIVE_NAME)
            .or_else(|| name_of(event, field::USER_TARGET_NAME));
        let Some(next) = next else {
            return;
        };
        let owned = Key::Owned(user, host.clone());
        let gap_s = u64::from(self.settings.incident_gap_s);
        if let Some(slot) = self.incidents.find(&owned, time, time, gap_s) {
            self.incidents.add_key(slot, Key::Owned(next, host));
        }
    }

    /// Takes note of a login from an address.
    fn note_login(&mut self, event: &Event, from: IpAddr) {
        let time = to_micros(event.time);
        let gap_s = u64::from(self.settings.incident_gap_s);
        let find = |key: Key| self.incidents.find(&key, time, time, gap_s);
        let from_host = self.hosts.host_of(from);
        let here = find(Key::Address(from));
        // Most logins are from addresses that no incident knows.
        if here.is_none() && from_host.is_none() && !is_inside(from) {
            return;
        }
        let Some(user) = name_of(event, field::USER_NAME) else {
            return;
        };
        let host = || name_of(event, field::HOST_NAME).unwrap_or_default();
        let entered = here.or_else(|| {
            // From a host that the actor got into, with an account of his. Others log in from
            // there too: what they do is not his.
            let from_host = from_host?;
            find(Key::Entered(from_host.clone()))
                .filter(|slot| self.incidents.owns(*slot, &user, from_host))
        });
        if let Some(slot) = entered {
            let host = host();
            let any_host = Key::Owned(user.clone(), "".into());
            self.incidents.add_key(slot, Key::Owned(user, host.clone()));
            self.incidents.add_key(slot, any_host);
            if !host.is_empty() {
                self.incidents.add_key(slot, Key::Entered(host));
            }
            return;
        }
        // Nobody knows whose this inside address is. The account is the actor's: what it does
        // there may be his, what others do there is not.
        if from_host.is_none()
            && is_inside(from)
            && names_one_account(&user)
            && let Some(slot) = find(Key::Owned(user.clone(), "".into()))
        {
            self.incidents.add_key(slot, Key::Owned(user, host()));
        }
    }
}
