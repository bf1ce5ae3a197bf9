//! Where an actor got in: what ties what he does next to his incident.

use vigie_event::{Event, field, unmapped};

use crate::clocks::to_micros;
use crate::core::Core;
use crate::facts::{Key, Outcome, name_of};

impl Core {
    /// Whoever logs in from an address that an incident is about takes account and host into
    /// that incident; so does whoever changes account there.
    pub(crate) fn note_success(&mut self, event: &Event) {
        if Outcome::of(event) != Outcome::Success {
            return;
        }
        let (Some(action), Some(user)) =
            (event.text_of(field::EVENT_ACTION), name_of(event, field::USER_NAME))
        else {
            return;
        };
        let host = name_of(event, field::HOST_NAME).unwrap_or_default();
        let gap_s = u64::from(self.settings.incident_gap_s);
        let time = to_micros(event.time);
        if let Some(address) = event.address_of(field::SOURCE_IP).map(unmapped) {
            let logs_in = ["login", "logon", "session"].iter().any(|word| action.contains(word));
            let Some(slot) = self.incidents.find(&Key::Address(address), time, time, gap_s) else {
                return;
            };
            if !logs_in {
                return;
            }
            let mut keys =
                vec![Key::Owned(user.clone(), host.clone()), Key::Owned(user, "".into())];
            if !host.is_empty() {
                keys.push(Key::Entered(host));
            }
            let own = [field::HOST_IP, field::DESTINATION_IP];
            keys.extend(
                own.into_iter()
                    .filter_map(|id| event.address_of(id).map(unmapped))
                    .filter(|own| *own != address)
                    .map(Key::EnteredAddress),
            );
            for key in keys {
                self.incidents.add_key(slot, key);
            }
            return;
        }
        let next = name_of(event, field::USER_EFFECTIVE_NAME)
            .or_else(|| name_of(event, field::USER_TARGET_NAME));
        let (Some(next), true) = (next, matches!(action, "su" | "sudo_command")) else {
            return;
        };
        let owned = Key::Owned(user, host.clone());
        if let Some(slot) = self.incidents.find(&owned, time, time, gap_s) {
            self.incidents.add_key(slot, Key::Owned(next, host));
        }
    }
}
