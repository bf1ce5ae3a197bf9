//! Windows events, as JSON of whatever shipper: the fields go by the names that Sigma's rules
//! use, which are the event's own, with ECS fields beside them.
//!
//! `event.dataset` is `windows.<service>`, after Sigma's service of the channel, or `windows`.
//!
//! | `event.action` | outcome | events |
//! |---|---|---|
//! | `windows_logon` | success, failure | 4624, 4625, 4648, 4776 |
//! | `windows_logoff` | – | 4634, 4647 |
//! | `windows_admin_logon` | – | 4672 |
//! | `kerberos_ticket` | success, failure | 4768, 4769, 4771 |
//! | `account_locked` | – | 4740 |
//! | `user_created`, `user_changed`, `user_deleted`, `password_changed` | – | 4720, 4722 4725 4738 4781, 4726, 4723 4724 |
//! | `group_created`, `group_deleted`, `group_member_added`, `group_member_removed` | – | 4727 4731 4754, 4730 4734 4758, 4728 4732 4756, 4729 4733 4757 |
//! | `log_cleared` | – | 1102, 104 |
//! | `service_installed` | – | 7045, 4697 |
//! | `scheduled_task_created` | – | 4698 |
//! | `process_started`, `process_ended` | – | Sysmon 1 and 4688, Sysmon 5 and 4689 |
//! | `network_connection`, `dns_query`, `image_loaded`, `driver_loaded`, `remote_thread_created`, `process_accessed`, `file_created`, `file_deleted`, `registry_changed`, `pipe_event`, `wmi_event` | – | Sysmon |
//! | `powershell_script`, `powershell_module` | – | 4104, 4103 |
//! | `malware_detected` | – | Defender 1116, 1117, 1006, 1007 |
//! | `windows_event` | – | all others |

mod action;
mod ecs;
mod logsources;
mod names;

use vigie_event::{FieldId, Fields, Timestamp, Value, ValueRef, field};

use crate::json::{Walker, hand_over_value, text_time};
use crate::line::{Known, act};
use crate::parser::{Found, Reading};
use ecs::wanted;
pub(crate) use logsources::all as all_logsources;
pub(crate) use names::Renames;

/// The fields of one event under their plain names.
pub(crate) struct Event<'e> {
    base: &'e str,
    values: Vec<(FieldId, Value)>,
}

impl Event<'_> {
    fn get(&self, id: Option<FieldId>) -> Option<&Value> {
        let id = id?;
        self.values.iter().find(|(known, _)| *known == id).map(|(_, value)| value)
    }

    /// The text of a field; empty where it is absent, no text, or the `-` that Windows writes.
    fn text(&self, id: Option<FieldId>) -> &str {
        match self.get(id).map(|value| value.resolve(self.base)) {
            Some(ValueRef::Text("-")) | None => "",
            Some(ValueRef::Text(text)) => text,
            _ => "",
        }
    }

    /// The number of a field, also where it is written as text.
    fn number(&self, id: Option<FieldId>) -> Option<i64> {
        match self.get(id)?.resolve(self.base) {
            ValueRef::Integer(number) => Some(number),
            ValueRef::Text(text) => {
                let hexadecimal =
                    text.strip_prefix("0x").and_then(|digits| i64::from_str_radix(digits, 16).ok());
                hexadecimal.or_else(|| crate::text::number(text.trim()))
            }
            _ => None,
        }
    }
}

/// Whether the record that `walker` holds is a Windows event.
pub(crate) fn recognise(walker: &Walker) -> bool {
    let names = wanted();
    let has = |id| walker.get(id).is_some();
    has(names.xml_id)
        || has(names.xml_id_text)
        || has(names.winlog_id)
        || has(names.wazuh_id)
        || has(names.wazuh_alert_id)
        || (has(names.event_id) && (has(names.channel) || has(names.source_name)))
        || (has(names.winlog_channel) && has(Some(field::EVENT_CODE)))
}

/// Reads the record that `walker` holds.
pub(crate) fn parse(
    walker: &mut Walker,
    reading: &mut Reading<'_>,
    fields: &mut Fields<'_>,
    at: Option<Timestamp>,
) -> Found {
    let base = reading.base();
    let mut event = Event { base, values: Vec::with_capacity(48) };
    for (written, value) in walker.take() {
        if let Some(id) = reading.renames().of(written) {
            // An element without text is empty, not absent.
            let value = if value == Value::Null { Value::Fixed("") } else { value };
            event.values.push((id, value));
        }
    }
    let names = wanted();
    let code = event.number(names.event_id).or_else(|| event.number(Some(field::EVENT_CODE)));
    if let Some(code) = code {
        // Shippers write it as text or as a number; rules ask for a number.
        event.values.retain(|(id, _)| Some(*id) != names.event_id);
        event.values.extend(names.event_id.map(|id| (id, Value::Integer(code))));
    }
    let code = code.unwrap_or(-1);
    let service = logsources::service(event.text(names.channel));
    let time = [names.time_created, names.event_time, names.utc_time]
        .into_iter()
        .find_map(|id| text_time(event.text(id), reading))
        .or(at);

    let action = action::of(service, code, &event);
    act(fields, action.name, action.category, action.kind, action.outcome);
    ecs::process_creation(&mut event, service, code);
    ecs::fill(fields, &event, code);
    for (id, value) in event.values {
        hand_over_value(fields, id, value);
    }
    walker.leftovers(fields);
    let known = Known::event(dataset(service), logsources::of(service, code));
    Found::new(known, time)
}

/// `event.dataset` by service.
fn dataset(service: Option<&str>) -> &'static str {
    match service {
        Some("security") => "windows.security",
        Some("system") => "windows.system",
        Some("application") => "windows.application",
        Some("sysmon") => "windows.sysmon",
        Some("powershell" | "powershell-classic") => "windows.powershell",
        Some("windefend") => "windows.windefend",
        _ => "windows",
    }
}
