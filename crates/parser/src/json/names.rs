//! Native names that the parsers ask for, interned once.

use std::sync::LazyLock;

use vigie_event::FieldId;

macro_rules! native {
    ($($member:ident = $name:literal,)*) => {
        /// Native field names; `None` where so many names are known that it could not be learned.
        pub struct Names {
            $(pub $member: Option<FieldId>,)*
            /// Whether Vigie fills the name itself on every event, by its number.
            reserved: Vec<bool>,
        }

        static NAMES: LazyLock<Names> = LazyLock::new(|| Names {
            $($member: FieldId::intern($name),)*
            reserved: reserved(),
        });
    };
}

impl Names {
    /// Whether Vigie fills the name itself on every event.
    pub fn is_reserved(&self, id: FieldId) -> bool {
        self.reserved.get(id.index()).copied().unwrap_or(false)
    }
}

fn reserved() -> Vec<bool> {
    let mut reserved = Vec::new();
    for index in RESERVED.iter().filter_map(|name| FieldId::intern(name)).map(FieldId::index) {
        reserved.resize(reserved.len().max(index + 1), false);
        if let Some(reserved) = reserved.get_mut(index) {
            *reserved = true;
        }
    }
    reserved
}

const RESERVED: &[&str] = &[
    "@timestamp",
    "event.created",
    "event.dataset",
    "event.id",
    "event.kind",
    "event.original",
    "event.repeat",
    "log.file.path",
    "log.offset",
    "vigie.overflow",
    "vigie.truncated",
];

/// The names.
pub fn names() -> &'static Names {
    &NAMES
}

native! {
    // Times.
    at_timestamp = "@timestamp",
    timestamp = "timestamp",
    ts = "ts",
    uid = "uid",
    zeek_path = "_path",
    orig_h = "id.orig_h",
    orig_p = "id.orig_p",
    resp_h = "id.resp_h",
    resp_p = "id.resp_p",
    query = "query",
    time = "time",
    mongo_date = "t.$date",
    start_utc = "StartUTC",
    asctime = "asctime",
    event_time = "eventTime",

    // Suricata's EVE.
    event_type = "event_type",
    flow_id = "flow_id",
    pcap_cnt = "pcap_cnt",
    stats_uptime = "stats.uptime",
    src_ip = "src_ip",
    src_port = "src_port",
    dest_ip = "dest_ip",
    dest_port = "dest_port",
    proto = "proto",
    app_proto = "app_proto",
    community_id = "community_id",
    host = "host",
    in_iface = "in_iface",
    alert_action = "alert.action",
    alert_signature = "alert.signature",
    alert_signature_id = "alert.signature_id",
    alert_category = "alert.category",
    alert_severity = "alert.severity",
    flow_bytes_toserver = "flow.bytes_toserver",
    flow_bytes_toclient = "flow.bytes_toclient",
    flow_pkts_toserver = "flow.pkts_toserver",
    flow_pkts_toclient = "flow.pkts_toclient",
    http_hostname = "http.hostname",
    http_url = "http.url",
    http_user_agent = "http.http_user_agent",
    http_method = "http.http_method",
    http_status = "http.status",
    http_length = "http.length",
    http_refer = "http.http_refer",
    dns_rrname = "dns.rrname",
    dns_rrtype = "dns.rrtype",
    dns_rcode = "dns.rcode",
    dns_rdata = "dns.rdata",
    dns_answers_rdata = "dns.answers.rdata",
    dns_queries_rrname = "dns.queries.rrname",
    dns_queries_rrtype = "dns.queries.rrtype",
    dns_query_rrname = "dns.query.rrname",
    dns_query_rrtype = "dns.query.rrtype",
    tls_sni = "tls.sni",
    tls_subject = "tls.subject",
    tls_issuerdn = "tls.issuerdn",
    tls_fingerprint = "tls.fingerprint",
    tls_ja3_hash = "tls.ja3.hash",
    file_filename = "fileinfo.filename",
    file_size = "fileinfo.size",
    file_md5 = "fileinfo.md5",
    file_sha1 = "fileinfo.sha1",
    file_sha256 = "fileinfo.sha256",
    krb5_cname = "krb5.cname",
    smb_user = "smb.ntlmssp.user",
    smb_filename = "smb.filename",
    ftp_command = "ftp.command",
    ftp_command_data = "ftp.command_data",

    // The journal.
    journal_message = "MESSAGE",
    realtime = "__REALTIME_TIMESTAMP",
    source_realtime = "_SOURCE_REALTIME_TIMESTAMP",
    cursor = "__CURSOR",
    comm = "_COMM",
    identifier = "SYSLOG_IDENTIFIER",
    journal_pid = "_PID",
    syslog_pid = "SYSLOG_PID",
    hostname = "_HOSTNAME",
    priority = "PRIORITY",
    unit = "_SYSTEMD_UNIT",

    // The agents' events.
    src = "src",
    dst = "dst",
    user = "user",
    path = "path",
    domain = "domain",
    hash = "hash",
    sensor_id = "sensor_id",

    // Names that unknown JSON uses.
    alert_type = "alert_type",
    srcip = "srcip",
    source_ip = "source_ip",
    client_ip = "client_ip",
    clientip = "clientip",
    remote_addr = "remote_addr",
    remote_ip = "remote_ip",
    ip = "ip",
    dstip = "dstip",
    dst_ip = "dst_ip",
    destination_ip = "destination_ip",
    srcport = "srcport",
    source_port = "source_port",
    spt = "spt",
    dstport = "dstport",
    dst_port = "dst_port",
    destination_port = "destination_port",
    dpt = "dpt",
    username = "username",
    user_name = "user_name",
    srcuser = "srcuser",
    hostname_plain = "hostname",
    host_name = "host_name",
    url = "url",
    uri = "uri",
    request_uri = "request_uri",
    method = "method",
    request_method = "request_method",
    status = "status",
    agent = "http_user_agent",
    user_agent = "user_agent",
    msg = "msg",
    log = "log",
    level = "level",
}
