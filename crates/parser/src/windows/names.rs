//! The one name of each field, whatever wrote the event as JSON: Sigma's, which are those of the
//! Windows event itself.
//!
//! | written by | a field of the header | a field of the event |
//! |---|---|---|
//! | EVTX files, `evtx_dump` | `Event.System.Provider.#attributes.Name` | `Event.EventData.Image`, `Event.UserData.….Image` |
//! | winlogbeat | `winlog.provider_name` | `winlog.event_data.Image` |
//! | Wazuh | `win.system.providerName` | `win.eventdata.image` |
//! | NXLog, others | `SourceName` | `Image` |

use rustc_hash::FxHashMap;
use vigie_event::FieldId;

/// Names remembered; more are worked out anew each time.
const MAX_NAMES: usize = 4_096;

/// Headers that go by another name than the part behind the prefix.
const HEADERS: &[(&str, &str)] = &[
    ("Provider.#attributes.Name", "Provider_Name"),
    ("Provider.#attributes.Guid", "Provider_Guid"),
    ("Provider.#attributes.EventSourceName", "Provider_EventSourceName"),
    ("EventID.#text", "EventID"),
    ("EventID.#attributes.Qualifiers", "Qualifiers"),
    ("TimeCreated.#attributes.SystemTime", "TimeCreated"),
    ("Execution.#attributes.ProcessID", "Execution_ProcessID"),
    ("Execution.#attributes.ThreadID", "Execution_ThreadID"),
    ("Security.#attributes.UserID", "Security_UserID"),
    ("Correlation.#attributes.ActivityID", "ActivityID"),
    ("Correlation.#attributes.RelatedActivityID", "RelatedActivityID"),
    // Wazuh.
    ("providerName", "Provider_Name"),
    ("providerGuid", "Provider_Guid"),
    ("eventID", "EventID"),
    ("eventRecordID", "EventRecordID"),
    ("systemTime", "TimeCreated"),
    ("processID", "Execution_ProcessID"),
    ("threadID", "Execution_ThreadID"),
];

/// winlogbeat's names.
const WINLOG: &[(&str, &str)] = &[
    ("provider_name", "Provider_Name"),
    ("provider_guid", "Provider_Guid"),
    ("event_id", "EventID"),
    ("channel", "Channel"),
    ("computer_name", "Computer"),
    ("record_id", "EventRecordID"),
    ("activity_id", "ActivityID"),
    ("process.pid", "Execution_ProcessID"),
    ("process.thread.id", "Execution_ThreadID"),
    ("user.identifier", "Security_UserID"),
];

/// Names of `NXLog` and other flat forms.
const FLAT: &[(&str, &str)] = &[
    ("SourceName", "Provider_Name"),
    ("ProviderName", "Provider_Name"),
    ("Provider", "Provider_Name"),
    ("ProviderGuid", "Provider_Guid"),
    ("Hostname", "Computer"),
    ("EventId", "EventID"),
    ("event_id", "EventID"),
    ("RecordNumber", "EventRecordID"),
];

/// Which field a written name is.
#[derive(Debug, Default)]
pub struct Renames {
    known: FxHashMap<FieldId, Option<FieldId>>,
}

impl Renames {
    /// The field that `written` is; `None`: it says nothing about the event.
    pub fn of(&mut self, written: FieldId) -> Option<FieldId> {
        if let Some(known) = self.known.get(&written) {
            return *known;
        }
        // A name that cannot be learned stays as it is written.
        let field = plain(written.name()).map(|name| FieldId::intern(&name).unwrap_or(written));
        if self.known.len() < MAX_NAMES {
            self.known.insert(written, field);
        }
        field
    }
}

/// The plain name of a written one.
fn plain(written: &str) -> Option<String> {
    let renamed = |table: &[(&str, &str)], name: &str| {
        table.iter().find(|(known, _)| *known == name).map(|(_, name)| (*name).to_owned())
    };
    if let Some(name) = written.strip_prefix("Event.System.") {
        return renamed(HEADERS, name).or_else(|| bare(name));
    }
    let data = written.strip_prefix("Event.EventData.").or_else(|| {
        // `UserData` holds one element of any name, which holds the fields.
        let user = written.strip_prefix("Event.UserData.")?;
        user.split_once('.').map(|(_, name)| name)
    });
    if let Some(name) = data {
        return bare(name);
    }
    if written.starts_with("Event.") {
        return None;
    }
    if let Some(name) = written.strip_prefix("winlog.") {
        let data = name.strip_prefix("event_data.").or_else(|| name.strip_prefix("user_data."));
        return match data {
            Some(name) => bare(name),
            None => renamed(WINLOG, name).or_else(|| Some(written.to_owned())),
        };
    }
    let wazuh = written.strip_prefix("data.").unwrap_or(written);
    if let Some(name) = wazuh.strip_prefix("win.system.") {
        return renamed(HEADERS, name).or_else(|| Some(capital(name)));
    }
    if let Some(name) = wazuh.strip_prefix("win.eventdata.") {
        return Some(capital(name));
    }
    renamed(FLAT, written).or_else(|| Some(written.to_owned()))
}

/// A name without the spaces and dots that Sigma's names never have; `None` for XML's own.
fn bare(name: &str) -> Option<String> {
    let name = name.strip_suffix(".#text").unwrap_or(name);
    if name.contains("#attributes") {
        return None;
    }
    Some(name.replace(' ', "").replace('.', "_"))
}

/// `targetUserName` is `TargetUserName`.
fn capital(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, expected: &str) {
        assert_eq!(plain(written).as_deref().unwrap_or(""), expected, "{written}");
    }

    #[test]
    fn one_name_whoever_wrote_it() {
        check("Event.System.EventID", "EventID");
        check("Event.System.EventID.#text", "EventID");
        check("Event.System.Provider.#attributes.Name", "Provider_Name");
        check("Event.EventData.CommandLine", "CommandLine");
        check("Event.EventData.Threat Name", "ThreatName");
        check("Event.EventData.Data.#text", "Data");
        check("Event.UserData.LogFileCleared.SubjectUserName", "SubjectUserName");
        check("Event.UserData.LogFileCleared.#attributes.xmlns", "");
        check("Event.#attributes.xmlns", "");
        check("winlog.event_data.Image", "Image");
        check("winlog.channel", "Channel");
        check("winlog.task", "winlog.task");
        check("win.eventdata.targetUserName", "TargetUserName");
        check("data.win.system.eventID", "EventID");
        check("data.win.system.channel", "Channel");
        check("Hostname", "Computer");
        check("Image", "Image");
        check("process.name", "process.name");
    }
}
