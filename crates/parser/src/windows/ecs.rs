//! The ECS fields of Windows events.

use std::sync::LazyLock;

use vigie_event::{FieldId, Fields, Value, field};

use super::Event;
use crate::text;

macro_rules! wanted {
    ($($member:ident = $name:literal,)*) => {
        /// Names that are asked for, interned once; `None` where no more could be learned.
        pub struct Wanted { $(pub $member: Option<FieldId>,)* }

        static WANTED: LazyLock<Wanted> =
            LazyLock::new(|| Wanted { $($member: FieldId::intern($name),)* });
    };
}

wanted! {
    // As written, to tell a Windows event by.
    xml_id = "Event.System.EventID",
    xml_id_text = "Event.System.EventID.#text",
    winlog_id = "winlog.event_id",
    winlog_channel = "winlog.channel",
    wazuh_id = "win.system.eventID",
    wazuh_alert_id = "data.win.system.eventID",
    source_name = "SourceName",

    // Under their plain names.
    event_id = "EventID",
    channel = "Channel",
    provider = "Provider_Name",
    computer = "Computer",
    time_created = "TimeCreated",
    event_time = "EventTime",
    utc_time = "UtcTime",
    status = "Status",
    image = "Image",
    command_line = "CommandLine",
    current_directory = "CurrentDirectory",
    process_id = "ProcessId",
    parent_image = "ParentImage",
    parent_process_id = "ParentProcessId",
    user = "User",
    hashes = "Hashes",
    new_process_name = "NewProcessName",
    new_process_id = "NewProcessId",
    parent_process_name = "ParentProcessName",
    process_command_line = "ProcessCommandLine",
    process_name = "ProcessName",
    source_ip = "SourceIp",
    source_port = "SourcePort",
    source_host = "SourceHostname",
    destination_ip = "DestinationIp",
    destination_port = "DestinationPort",
    destination_host = "DestinationHostname",
    protocol = "Protocol",
    query_name = "QueryName",
    target_filename = "TargetFilename",
    ip_address = "IpAddress",
    ip_port = "IpPort",
    client_address = "ClientAddress",
    workstation = "WorkstationName",
    subject_user = "SubjectUserName",
    subject_domain = "SubjectDomainName",
    target_user = "TargetUserName",
    member_name = "MemberName",
    member_sid = "MemberSid",
    service_name = "ServiceName",
}

/// The names.
pub fn wanted() -> &'static Wanted {
    &WANTED
}

/// Gives Security 4688 the names that Sysmon 1 has for the same things, so that rules for
/// process creation apply to both.
pub fn process_creation(event: &mut Event<'_>, service: Option<&str>, code: i64) {
    if service != Some("security") || code != 4_688 {
        return;
    }
    let names = wanted();
    let pairs = [
        (names.image, names.new_process_name),
        (names.parent_image, names.parent_process_name),
        (names.command_line, names.process_command_line),
    ];
    for (wanted, written) in pairs {
        if event.get(wanted).is_none()
            && let Some(value) = event.get(written).cloned()
        {
            event.values.extend(wanted.map(|id| (id, value)));
        }
    }
    // `ProcessId` is the parent's here.
    let (new, parent) = (event.number(names.new_process_id), event.number(names.process_id));
    event.values.retain(|(id, _)| Some(*id) != names.process_id);
    for (id, number) in [(names.process_id, new), (names.parent_process_id, parent)] {
        event.values.extend(id.zip(number).map(|(id, number)| (id, Value::Integer(number))));
    }
    if event.get(names.user).is_none() {
        let (domain, user) = (event.text(names.subject_domain), event.text(names.subject_user));
        if !user.is_empty() {
            let full =
                if domain.is_empty() { user.to_owned() } else { format!("{domain}\\{user}") };
            event.values.extend(names.user.map(|id| (id, Value::Made(full.into()))));
        }
    }
}

/// Fills the ECS fields that the record does not have itself.
pub fn fill(fields: &mut Fields<'_>, event: &Event<'_>, code: i64) {
    let names = wanted();
    let mut put = Put { fields, event };
    if code >= 0 {
        put.made(field::EVENT_CODE, code.to_string());
    }
    put.text(field::EVENT_PROVIDER, &[names.provider]);
    put.text(field::HOST_NAME, &[names.computer]);
    put.text(field::PROCESS_EXECUTABLE, &[names.image, names.process_name]);
    let executable = event.text(names.image);
    let executable =
        if executable.is_empty() { event.text(names.process_name) } else { executable };
    put.slice(field::PROCESS_NAME, file_name(executable));
    put.text(field::PROCESS_COMMAND_LINE, &[names.command_line]);
    put.text(field::PROCESS_WORKING_DIRECTORY, &[names.current_directory]);
    put.number(field::PROCESS_PID, names.process_id);
    put.number(field::PROCESS_PARENT_PID, names.parent_process_id);
    people(&mut put, code);
    put.address(field::SOURCE_IP, &[names.ip_address, names.source_ip, names.client_address]);
    put.number(field::SOURCE_PORT, names.ip_port);
    put.number(field::SOURCE_PORT, names.source_port);
    put.text(field::SOURCE_DOMAIN, &[names.workstation, names.source_host]);
    put.address(field::DESTINATION_IP, &[names.destination_ip]);
    put.number(field::DESTINATION_PORT, names.destination_port);
    put.text(field::DESTINATION_DOMAIN, &[names.destination_host]);
    put.text(field::NETWORK_TRANSPORT, &[names.protocol]);
    put.text(field::DNS_QUESTION_NAME, &[names.query_name]);
    put.text(field::FILE_PATH, &[names.target_filename]);
    put.slice(field::FILE_NAME, file_name(event.text(names.target_filename)));
    put.text(field::SERVICE_NAME, &[names.service_name]);
    hashes(&mut put);
}

/// Who did it, and to whom: of events about logons the account that logs on, of events about
/// accounts the one who acts and the one who is acted on.
fn people(put: &mut Put<'_, '_, '_>, code: i64) {
    let names = wanted();
    match code {
        4_624 | 4_625 | 4_634 | 4_647 | 4_648 | 4_768..=4_771 | 4_776 => {
            // Kerberos writes `user@REALM`.
            let user = put.event.text(names.target_user);
            put.slice(field::USER_NAME, user.split_once('@').map_or(user, |(user, _)| user));
        }
        4_720..=4_726 | 4_738 | 4_740 | 4_781 => {
            put.text(field::USER_NAME, &[names.subject_user]);
            put.text(field::USER_TARGET_NAME, &[names.target_user]);
        }
        4_727..=4_735 | 4_754..=4_758 => {
            put.text(field::USER_NAME, &[names.subject_user]);
            put.text(field::GROUP_NAME, &[names.target_user]);
            // `CN=Somebody,OU=…`, or the identifier where the directory gives no name.
            let member = put.event.text(names.member_name);
            let member = member
                .strip_prefix("CN=")
                .map_or(member, |rest| rest.split(',').next().unwrap_or(rest));
            put.slice(field::USER_TARGET_NAME, member);
            put.text(field::USER_TARGET_NAME, &[names.member_sid]);
        }
        _ => {
            let user = put.event.text(names.user);
            put.slice(field::USER_NAME, user.rsplit_once('\\').map_or(user, |(_, user)| user));
            put.text(field::USER_NAME, &[names.subject_user]);
        }
    }
}

/// `SHA1=…,MD5=…,SHA256=…,IMPHASH=…`
fn hashes(put: &mut Put<'_, '_, '_>) {
    for part in put.event.text(wanted().hashes).split(',') {
        let Some((kind, hash)) = part.split_once('=') else { continue };
        let id = match kind {
            "MD5" => field::FILE_HASH_MD5,
            "SHA1" => field::FILE_HASH_SHA1,
            "SHA256" => field::FILE_HASH_SHA256,
            _ => continue,
        };
        put.made(id, hash.to_ascii_lowercase());
    }
}

/// The last part of a path.
fn file_name(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or(path)
}

/// Fills what is not there yet.
struct Put<'p, 'f, 'e> {
    fields: &'p mut Fields<'f>,
    event: &'p Event<'e>,
}

impl<'p> Put<'p, '_, '_> {
    fn wants(&self, id: FieldId) -> bool {
        !self.fields.has(id) && self.event.get(Some(id)).is_none()
    }

    fn slice(&mut self, id: FieldId, text: &'p str) {
        if !text.is_empty() && self.wants(id) {
            self.fields.text(id, text);
        }
    }

    fn made(&mut self, id: FieldId, text: String) {
        if self.wants(id) {
            self.fields.value(id, Value::Made(text.into()));
        }
    }

    /// The first of `from` that has text.
    fn text(&mut self, id: FieldId, from: &[Option<FieldId>]) {
        let event = self.event;
        let found = from.iter().map(|id| event.text(*id)).find(|text| !text.is_empty());
        self.slice(id, found.unwrap_or_default());
    }

    fn number(&mut self, id: FieldId, from: Option<FieldId>) {
        if let Some(number) = self.event.number(from)
            && self.wants(id)
        {
            self.fields.integer(id, number);
        }
    }

    fn address(&mut self, id: FieldId, from: &[Option<FieldId>]) {
        let event = self.event;
        let found = from.iter().find_map(|id| text::address(event.text(*id)));
        if let Some(address) = found
            && self.wants(id)
        {
            self.fields.address(id, address);
        }
    }
}
