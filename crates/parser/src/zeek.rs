//! Zeek's logs as it writes them by itself: columns between tabs, named by `#fields` at the head of
//! each file.
//!
//! Columns that have a place in ECS go there; the others keep Zeek's names, which Sigma's rules for
//! Zeek use. The head of a file must have been read before its lines mean anything.

use std::borrow::Cow;

use rustc_hash::FxHashMap;
use vigie_event::{FieldId, Fields, Logsource, Logsources, Timestamp, Value, field};

use crate::line::{Known, Outcome, act};
use crate::{text, time, url};

/// Heads of files that are remembered; of those beyond, all are forgotten.
const MOST_HEADS: usize = 256;
/// Columns of one log that are read.
const MOST_COLUMNS: usize = 256;
/// Members of one column that are read.
const MOST_MEMBERS: usize = 256;

macro_rules! paths {
    ($($name:literal,)*) => {
        /// Logs with their dataset and logsources.
        static PATHS: &[(&str, &str, Logsources)] = &[$((
            $name,
            concat!("zeek.", $name),
            &[Logsource::service("zeek", $name)],
        ),)*];
    };
}

paths! {
    "conn", "dns", "http", "ssl", "ssh", "files", "x509", "weird", "notice", "ftp", "smtp", "smb_files",
    "smb_mapping", "dce_rpc", "kerberos", "ntlm", "rdp", "rfb", "snmp", "software", "syslog", "tunnel",
    "dhcp", "dpd", "irc", "sip", "socks", "mysql", "modbus", "dnp3", "radius", "pe", "ntp", "ocsp", "ldap",
    "ldap_search", "known_hosts", "known_services", "known_certs", "intel", "traceroute", "mqtt_connect",
    "stats", "reporter", "capture_loss", "packet_filter", "loaded_scripts", "analyzer", "quic",
}

static OTHER: (&str, &str, Logsources) = ("log", "zeek.other", &[Logsource::product("zeek")]);

/// Every logsource that a log of Zeek may have.
pub(crate) fn logsources() -> impl Iterator<Item = Logsource> {
    PATHS.iter().chain([&OTHER]).flat_map(|(_, _, set)| set.iter().copied())
}

/// The heads of the files that are being read, by source.
#[derive(Debug, Default)]
pub(crate) struct Heads(FxHashMap<u64, Head>);

/// What the lines at a file's beginning say.
#[derive(Debug)]
struct Head {
    members: char,
    empty: String,
    unset: String,
    path: (&'static str, &'static str, Logsources),
    columns: Vec<(Column, Kind)>,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            members: ',',
            empty: "(empty)".to_owned(),
            unset: "-".to_owned(),
            path: OTHER,
            columns: Vec::new(),
        }
    }
}

/// Where a column goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Time,
    Target,
    Success,
    Field(FieldId),
    Nowhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Address,
    Integer,
    Float,
    Bool,
    Text,
    List,
}

impl Heads {
    /// Reads a line of the source `origin`. `None`: it is no line of a log whose head is known.
    pub(crate) fn parse(
        &mut self,
        fields: &mut Fields<'_>,
        origin: u64,
        line: &str,
    ) -> Option<(Known, Option<Timestamp>)> {
        if let Some(about) = line.strip_prefix('#') {
            return self.head(fields, origin, about);
        }
        let head = self.0.get(&origin).filter(|head| !head.columns.is_empty())?;
        head.row(fields, line)
    }

    /// Whether the source has a head, so that its lines are to be asked about.
    pub(crate) fn knows(&self, origin: u64) -> bool {
        !self.0.is_empty() && self.0.contains_key(&origin)
    }

    fn head(
        &mut self,
        fields: &mut Fields<'_>,
        origin: u64,
        about: &str,
    ) -> Option<(Known, Option<Timestamp>)> {
        const OURS: [&str; 9] = [
            "separator",
            "set_separator",
            "empty_field",
            "unset_field",
            "path",
            "open",
            "close",
            "fields",
            "types",
        ];
        let (name, rest) = about.split_once(['\t', ' '])?;
        if !OURS.contains(&name) {
            return None;
        }
        if name == "separator" {
            // Other separators than the tab are never seen, and would be told as text.
            if rest != "\\x09" {
                return None;
            }
            if self.0.len() >= MOST_HEADS {
                self.0.clear();
            }
            self.0.insert(origin, Head::default());
        }
        let head = self.0.get_mut(&origin)?;
        match name {
            "set_separator" => head.members = rest.chars().next().unwrap_or(','),
            "empty_field" => rest.clone_into(&mut head.empty),
            "unset_field" => rest.clone_into(&mut head.unset),
            "path" => {
                let known = PATHS.iter().find(|(name, ..)| *name == rest);
                head.path = known.copied().unwrap_or(OTHER);
            }
            "fields" => {
                let names = rest.split('\t').take(MOST_COLUMNS);
                head.columns = names.map(|name| (column(name), Kind::Text)).collect();
            }
            "types" => {
                for ((_, kind), name) in head.columns.iter_mut().zip(rest.split('\t')) {
                    *kind = kind_of(name);
                }
            }
            _ => {}
        }
        let (_, dataset, logsources) = head.path;
        text::some_text(fields, field::MESSAGE, rest);
        act(fields, "log_head", "host", "info", Outcome::None);
        Some((Known::event(dataset, logsources), None))
    }
}

/// An event of the log called `path` that came as JSON.
pub(crate) fn json(fields: &mut Fields<'_>, path: &str) -> Known {
    let found = PATHS.iter().find(|(name, ..)| *name == path).copied().unwrap_or(OTHER);
    tell(fields, found, Outcome::None)
}

fn tell(
    fields: &mut Fields<'_>,
    (name, dataset, logsources): (&'static str, &'static str, Logsources),
    outcome: Outcome,
) -> Known {
    let category = match name {
        "ssh" | "kerberos" | "ntlm" | "radius" => "authentication",
        "notice" | "intel" | "weird" => "intrusion_detection",
        "files" | "pe" | "smb_files" => "file",
        _ => "network",
    };
    act(fields, name, category, "info", outcome);
    Known::event(dataset, logsources)
}

impl Head {
    fn row(&self, fields: &mut Fields<'_>, line: &str) -> Option<(Known, Option<Timestamp>)> {
        let values = line.split('\t');
        if values.clone().count() != self.columns.len() {
            return None;
        }
        let mut time = None;
        let mut outcome = Outcome::None;
        for ((column, kind), value) in self.columns.iter().zip(values) {
            if value == self.unset {
                continue;
            }
            let value = if value == self.empty { "" } else { value };
            match column {
                Column::Time => time = value.parse().ok().and_then(time::epoch),
                Column::Target => url::target(fields, value),
                Column::Success => {
                    outcome = if value == "T" { Outcome::Success } else { Outcome::Failure };
                }
                Column::Field(id) => self.add(fields, *id, *kind, value),
                Column::Nowhere => {}
            }
        }
        Some((tell(fields, self.path, outcome), time))
    }

    fn add(&self, fields: &mut Fields<'_>, id: FieldId, kind: Kind, value: &str) {
        if fields.has(id) {
            return;
        }
        match kind {
            Kind::Address => match text::address(value) {
                Some(address) => fields.address(id, address),
                None => fields.text(id, value),
            },
            Kind::Integer => match text::number(value) {
                Some(number) => fields.integer(id, number),
                None => fields.text(id, value),
            },
            Kind::Float => match value.parse() {
                Ok(number) => fields.value(id, Value::Float(number)),
                Err(_) => fields.text(id, value),
            },
            Kind::Bool => fields.value(id, Value::Boolean(value == "T")),
            Kind::Text => fields.text(id, &unescaped(value)),
            Kind::List => {
                let members = value.split(self.members).filter(|member| !member.is_empty());
                let members: Vec<Value> = members
                    .take(MOST_MEMBERS)
                    .map(|member| match unescaped(member) {
                        Cow::Borrowed(member) => fields.cut(member),
                        Cow::Owned(member) => Value::Made(member.into()),
                    })
                    .collect();
                fields.value(id, Value::List(members.into()));
            }
        }
    }
}

/// Where the column called `name` goes.
fn column(name: &str) -> Column {
    Column::Field(match name {
        "ts" => return Column::Time,
        "uri" => return Column::Target,
        "auth_success" | "success" => return Column::Success,
        "id.orig_h" => field::SOURCE_IP,
        "id.orig_p" => field::SOURCE_PORT,
        "id.resp_h" => field::DESTINATION_IP,
        "id.resp_p" => field::DESTINATION_PORT,
        "proto" => field::NETWORK_TRANSPORT,
        "service" => field::NETWORK_PROTOCOL,
        "orig_bytes" => field::SOURCE_BYTES,
        "resp_bytes" => field::DESTINATION_BYTES,
        "query" => field::DNS_QUESTION_NAME,
        "qtype_name" => field::DNS_QUESTION_TYPE,
        "rcode_name" => field::DNS_RESPONSE_CODE,
        "answers" => field::DNS_ANSWERS_DATA,
        "method" => field::HTTP_REQUEST_METHOD,
        "host" => field::URL_DOMAIN,
        "user_agent" => field::USER_AGENT_ORIGINAL,
        "referrer" => field::HTTP_REQUEST_REFERRER,
        "status_code" => field::HTTP_RESPONSE_STATUS_CODE,
        "server_name" => field::TLS_CLIENT_SERVER_NAME,
        "ja3" => field::TLS_CLIENT_JA3,
        "user" | "username" => field::USER_NAME,
        "msg" => field::MESSAGE,
        "note" => field::RULE_NAME,
        "md5" => field::FILE_HASH_MD5,
        "sha1" => field::FILE_HASH_SHA1,
        "sha256" => field::FILE_HASH_SHA256,
        other => return FieldId::intern(other).map_or(Column::Nowhere, Column::Field),
    })
}

fn kind_of(name: &str) -> Kind {
    match name {
        "addr" => Kind::Address,
        "count" | "int" | "port" => Kind::Integer,
        "double" | "interval" => Kind::Float,
        "bool" => Kind::Bool,
        name if name.starts_with("set[") || name.starts_with("vector[") => Kind::List,
        _ => Kind::Text,
    }
}

/// With `\xHH` as the byte that it stands for.
fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains("\\x") {
        return Cow::Borrowed(value);
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("\\x") {
        bytes.extend_from_slice(before.as_bytes());
        let digits = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = digits {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.extend_from_slice(b"\\x");
            rest = after;
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}
