//! Field names, interned: an event's slot carries a small number instead of a path.

use std::cell::RefCell;
use std::fmt;
use std::sync::{LazyLock, RwLock};

use rustc_hash::FxHashMap;

/// Names learned at run time are bounded, since whoever writes logs can invent names without end.
const MAX_NAMES: usize = 65_536;
/// The longest name that is learned, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// A field name. Equal names have equal ids within a process; ids are never stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(u32);

struct Names {
    by_name: FxHashMap<&'static str, FieldId>,
    names: Vec<&'static str>,
}

static NAMES: LazyLock<RwLock<Names>> = LazyLock::new(|| {
    let names: Vec<&'static str> = KNOWN.to_vec();
    let by_name =
        names.iter().enumerate().map(|(index, name)| (*name, FieldId(index as u32))).collect();
    RwLock::new(Names { by_name, names })
});

thread_local! {
    /// Names this thread has met, so that the lock is taken once a name and thread.
    static MET: RefCell<FxHashMap<&'static str, FieldId>> = RefCell::default();
}

impl FieldId {
    /// The id of `name`, learned if it is new. `None` when the name is over 256 bytes long or
    /// 65,536 names are known already: the caller keeps such a field under [`OVERFLOW`].
    pub fn intern(name: &str) -> Option<Self> {
        MET.with_borrow_mut(|met| {
            if let Some(id) = met.get(name) {
                return Some(*id);
            }
            let id = Self::find(name).or_else(|| Self::learn(name))?;
            met.insert(id.name(), id);
            Some(id)
        })
    }

    /// The id of `name` if it is known; learns nothing.
    pub fn find(name: &str) -> Option<Self> {
        let names = NAMES.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        names.by_name.get(name).copied()
    }

    fn learn(name: &str) -> Option<Self> {
        let mut names = NAMES.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(id) = names.by_name.get(name) {
            return Some(*id);
        }
        if names.names.len() >= MAX_NAMES || name.len() > MAX_NAME_BYTES {
            return None;
        }
        let kept: &'static str = Box::leak(name.into());
        let id = Self(names.names.len() as u32);
        names.names.push(kept);
        names.by_name.insert(kept, id);
        Some(id)
    }

    /// The name.
    pub fn name(self) -> &'static str {
        if let Some(name) = KNOWN.get(self.0 as usize) {
            return name;
        }
        let names = NAMES.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        names.names.get(self.0 as usize).copied().unwrap_or_default()
    }

    /// A small number, dense from 0, for tables indexed by field.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for FieldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! known {
    ($($konst:ident = $name:literal,)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Order { $($konst,)* }
        $(
            #[doc = concat!("`", $name, "`")]
            pub const $konst: FieldId = FieldId(Order::$konst as u32);
        )*
        /// The names that are known from the start.
        const KNOWN: &[&str] = &[$($name,)*];
    };
}

known! {
    // Elastic Common Schema 8.17, as far as the parsers fill it.
    CLIENT_IP = "client.ip",
    DESTINATION_ADDRESS = "destination.address",
    DESTINATION_BYTES = "destination.bytes",
    DESTINATION_DOMAIN = "destination.domain",
    DESTINATION_IP = "destination.ip",
    DESTINATION_MAC = "destination.mac",
    DESTINATION_PACKETS = "destination.packets",
    DESTINATION_PORT = "destination.port",
    DNS_ANSWERS_DATA = "dns.answers.data",
    DNS_ID = "dns.id",
    DNS_QUESTION_NAME = "dns.question.name",
    DNS_QUESTION_TYPE = "dns.question.type",
    DNS_RESPONSE_CODE = "dns.response_code",
    DNS_TYPE = "dns.type",
    EMAIL_SUBJECT = "email.subject",
    ERROR_CODE = "error.code",
    ERROR_MESSAGE = "error.message",
    EVENT_ACTION = "event.action",
    EVENT_CATEGORY = "event.category",
    EVENT_CODE = "event.code",
    EVENT_DURATION = "event.duration",
    EVENT_END = "event.end",
    EVENT_ID = "event.id",
    EVENT_KIND = "event.kind",
    EVENT_MODULE = "event.module",
    EVENT_OUTCOME = "event.outcome",
    EVENT_PROVIDER = "event.provider",
    EVENT_REASON = "event.reason",
    EVENT_SEVERITY = "event.severity",
    EVENT_START = "event.start",
    EVENT_TYPE = "event.type",
    FILE_HASH_MD5 = "file.hash.md5",
    FILE_HASH_SHA1 = "file.hash.sha1",
    FILE_HASH_SHA256 = "file.hash.sha256",
    FILE_NAME = "file.name",
    FILE_PATH = "file.path",
    FILE_SIZE = "file.size",
    GROUP_ID = "group.id",
    GROUP_NAME = "group.name",
    HOST_HOSTNAME = "host.hostname",
    HOST_IP = "host.ip",
    HOST_NAME = "host.name",
    HTTP_REQUEST_BODY_BYTES = "http.request.body.bytes",
    HTTP_REQUEST_METHOD = "http.request.method",
    HTTP_REQUEST_REFERRER = "http.request.referrer",
    HTTP_RESPONSE_BODY_BYTES = "http.response.body.bytes",
    HTTP_RESPONSE_STATUS_CODE = "http.response.status_code",
    HTTP_VERSION = "http.version",
    LOG_LEVEL = "log.level",
    LOG_LOGGER = "log.logger",
    LOG_SYSLOG_APPNAME = "log.syslog.appname",
    LOG_SYSLOG_FACILITY_CODE = "log.syslog.facility.code",
    LOG_SYSLOG_HOSTNAME = "log.syslog.hostname",
    LOG_SYSLOG_MSGID = "log.syslog.msgid",
    LOG_SYSLOG_PRIORITY = "log.syslog.priority",
    LOG_SYSLOG_PROCID = "log.syslog.procid",
    LOG_SYSLOG_SEVERITY_CODE = "log.syslog.severity.code",
    LOG_SYSLOG_STRUCTURED_DATA = "log.syslog.structured_data",
    MESSAGE = "message",
    NETWORK_BYTES = "network.bytes",
    NETWORK_COMMUNITY_ID = "network.community_id",
    NETWORK_DIRECTION = "network.direction",
    NETWORK_PACKETS = "network.packets",
    NETWORK_PROTOCOL = "network.protocol",
    NETWORK_TRANSPORT = "network.transport",
    NETWORK_TYPE = "network.type",
    OBSERVER_EGRESS_INTERFACE_NAME = "observer.egress.interface.name",
    OBSERVER_INGRESS_INTERFACE_NAME = "observer.ingress.interface.name",
    OBSERVER_NAME = "observer.name",
    PROCESS_ARGS = "process.args",
    PROCESS_COMMAND_LINE = "process.command_line",
    PROCESS_EXECUTABLE = "process.executable",
    PROCESS_NAME = "process.name",
    PROCESS_PARENT_PID = "process.parent.pid",
    PROCESS_PID = "process.pid",
    PROCESS_THREAD_ID = "process.thread.id",
    PROCESS_TTY = "process.tty",
    PROCESS_WORKING_DIRECTORY = "process.working_directory",
    RELATED_HASH = "related.hash",
    RULE_CATEGORY = "rule.category",
    RULE_ID = "rule.id",
    RULE_NAME = "rule.name",
    SERVICE_NAME = "service.name",
    SERVICE_TYPE = "service.type",
    SOURCE_ADDRESS = "source.address",
    SOURCE_BYTES = "source.bytes",
    SOURCE_DOMAIN = "source.domain",
    SOURCE_IP = "source.ip",
    SOURCE_MAC = "source.mac",
    SOURCE_PACKETS = "source.packets",
    SOURCE_PORT = "source.port",
    TLS_CLIENT_JA3 = "tls.client.ja3",
    TLS_CLIENT_SERVER_NAME = "tls.client.server_name",
    TLS_SERVER_HASH_SHA1 = "tls.server.hash.sha1",
    TLS_SERVER_ISSUER = "tls.server.issuer",
    TLS_SERVER_SUBJECT = "tls.server.subject",
    TLS_VERSION = "tls.version",
    URL_DOMAIN = "url.domain",
    URL_EXTENSION = "url.extension",
    URL_FRAGMENT = "url.fragment",
    URL_FULL = "url.full",
    URL_ORIGINAL = "url.original",
    URL_PATH = "url.path",
    URL_QUERY = "url.query",
    URL_SCHEME = "url.scheme",
    USER_EFFECTIVE_NAME = "user.effective.name",
    USER_GROUP_NAME = "user.group.name",
    USER_ID = "user.id",
    USER_NAME = "user.name",
    USER_TARGET_NAME = "user.target.name",
    USER_AGENT_ORIGINAL = "user_agent.original",

    // Vigie's own.
    SSH_METHOD = "ssh.method",
    SSH_KEY_TYPE = "ssh.key.type",
    SSH_KEY_FINGERPRINT = "ssh.key.fingerprint",
    SENSOR_ID = "sensor.id",
    SEED_TYPE = "type",
    SEED_PORTS = "ports",
    URL_DECODED = "url.decoded",
    OVERFLOW = "vigie.overflow",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_keep_their_constants() {
        assert_eq!(FieldId::intern("source.ip"), Some(SOURCE_IP));
        assert_eq!(SOURCE_IP.name(), "source.ip");
        assert_eq!(OVERFLOW.name(), "vigie.overflow");
        let mut sorted = KNOWN.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), KNOWN.len(), "a name stands twice");
    }

    #[test]
    fn learns_new_names_once() {
        let id = FieldId::intern("win.eventdata.image").unwrap();
        assert_eq!(FieldId::intern("win.eventdata.image"), Some(id));
        assert_eq!(FieldId::find("win.eventdata.image"), Some(id));
        assert_eq!(id.name(), "win.eventdata.image");
        let other = std::thread::spawn(|| FieldId::intern("win.eventdata.image")).join().unwrap();
        assert_eq!(other, Some(id));
    }

    #[test]
    fn refuses_names_without_end() {
        assert_eq!(FieldId::intern(&"x".repeat(MAX_NAME_BYTES + 1)), None);
    }
}
