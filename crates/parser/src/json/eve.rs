//! Suricata's EVE: native names stay, the ECS entity fields stand beside them.

use vigie_event::{EventKind, Fields, Logsource, Logsources, Value, ValueRef, field};

use super::names::names;
use super::{Walker, address, copy, number, text_of};
use crate::line::{Known, Outcome, act};
use crate::url;

macro_rules! types {
    ($($name:literal,)*) => {
        /// Event types with their dataset and logsources.
        static TYPES: &[(&str, &str, Logsources)] = &[
            ("dns", "suricata.dns", &[Logsource::service("suricata", "dns"), Logsource::category("dns")]),
            $((
                $name,
                concat!("suricata.", $name),
                &[Logsource::service("suricata", $name)],
            ),)*
        ];
    };
}

types! {
    "alert", "anomaly", "flow", "http", "tls", "fileinfo", "ssh", "smtp", "drop", "stats", "frame",
    "smb", "mqtt", "netflow", "krb5", "dhcp", "quic", "nfs", "ftp", "ftp_data", "rdp", "rfb", "rpc",
    "sip", "snmp", "tftp", "ike", "ikev2", "dcerpc", "dnp3", "enip", "modbus", "mdns", "pgsql",
    "pop3", "ldap", "telnet", "template", "websocket", "verdict", "bittorrent_dht", "http2", "arp",
    "metadata", "packetinfo", "email", "doh2", "stream", "engine", "ntp", "tcp_stream",
}

static OTHER: (&str, &str, Logsources) = ("", "suricata.other", &[Logsource::product("suricata")]);

/// Every logsource that an event of Suricata may have.
pub fn logsources() -> impl Iterator<Item = Logsource> {
    TYPES.iter().chain([&OTHER]).flat_map(|(_, _, set)| set.iter().copied())
}

/// Whether `name` is a type that Suricata writes.
pub fn is_type(name: &str) -> bool {
    TYPES.iter().any(|(known, ..)| *known == name)
}

/// Fills the ECS fields of an EVE event.
pub fn derive(walker: &Walker, fields: &mut Fields<'_>, base: &str) -> Known {
    let names = names();
    let kind = text_of(walker, names.event_type, base);
    let (name, dataset, logsources) =
        TYPES.iter().find(|(known, ..)| *known == kind).copied().unwrap_or(OTHER);
    if name.is_empty() {
        fields.text(field::EVENT_ACTION, kind);
        fields.fixed(field::EVENT_CATEGORY, "network");
        fields.fixed(field::EVENT_TYPE, "info");
    } else {
        let (category, class) = classify(walker, name, base);
        act(fields, name, category, class, Outcome::None);
    }
    endpoints(walker, fields, base);
    if walker.get(names.alert_signature).is_some() {
        copy(fields, field::RULE_NAME, walker.get(names.alert_signature));
        copy(fields, field::RULE_ID, walker.get(names.alert_signature_id));
        copy(fields, field::RULE_CATEGORY, walker.get(names.alert_category));
        copy(fields, field::EVENT_SEVERITY, walker.get(names.alert_severity));
    }
    application(walker, fields, base);
    let kind = if name == "alert" { EventKind::Alert } else { EventKind::Event };
    Known { kind, dataset, logsources }
}

fn classify(walker: &Walker, name: &str, base: &str) -> (&'static str, &'static str) {
    match name {
        "alert" => match text_of(walker, names().alert_action, base) {
            "blocked" => ("intrusion_detection", "denied"),
            "allowed" => ("intrusion_detection", "allowed"),
            _ => ("intrusion_detection", "info"),
        },
        "drop" => ("network", "denied"),
        "flow" | "netflow" => ("network", "connection"),
        "fileinfo" => ("file", "info"),
        "stats" | "engine" => ("host", "info"),
        "http" | "http2" => ("web", "access"),
        "dns" | "tls" | "ssh" | "smb" | "quic" => ("network", "protocol"),
        _ => ("network", "info"),
    }
}

fn endpoints(walker: &Walker, fields: &mut Fields<'_>, base: &str) {
    let names = names();
    address(fields, field::SOURCE_IP, walker.get(names.src_ip), base);
    number(fields, field::SOURCE_PORT, walker.get(names.src_port), base);
    address(fields, field::DESTINATION_IP, walker.get(names.dest_ip), base);
    number(fields, field::DESTINATION_PORT, walker.get(names.dest_port), base);
    match text_of(walker, names.proto, base) {
        "" => {}
        "TCP" => fields.fixed(field::NETWORK_TRANSPORT, "tcp"),
        "UDP" => fields.fixed(field::NETWORK_TRANSPORT, "udp"),
        "ICMP" => fields.fixed(field::NETWORK_TRANSPORT, "icmp"),
        "IPv6-ICMP" => fields.fixed(field::NETWORK_TRANSPORT, "ipv6-icmp"),
        other => {
            let lower = other.to_ascii_lowercase();
            fields.text(field::NETWORK_TRANSPORT, &lower);
        }
    }
    for (id, native) in [
        (field::NETWORK_PROTOCOL, names.app_proto),
        (field::NETWORK_COMMUNITY_ID, names.community_id),
        (field::OBSERVER_NAME, names.host),
        (field::OBSERVER_INGRESS_INTERFACE_NAME, names.in_iface),
        (field::SOURCE_BYTES, names.flow_bytes_toserver),
        (field::DESTINATION_BYTES, names.flow_bytes_toclient),
        (field::SOURCE_PACKETS, names.flow_pkts_toserver),
        (field::DESTINATION_PACKETS, names.flow_pkts_toclient),
    ] {
        copy(fields, id, walker.get(native));
    }
}

fn application(walker: &Walker, fields: &mut Fields<'_>, base: &str) {
    let names = names();
    for (id, native) in [
        (field::URL_DOMAIN, names.http_hostname),
        (field::USER_AGENT_ORIGINAL, names.http_user_agent),
        (field::HTTP_REQUEST_METHOD, names.http_method),
        (field::HTTP_REQUEST_REFERRER, names.http_refer),
        (field::HTTP_RESPONSE_BODY_BYTES, names.http_length),
        (field::TLS_CLIENT_SERVER_NAME, names.tls_sni),
        (field::TLS_CLIENT_JA3, names.tls_ja3_hash),
        (field::TLS_SERVER_SUBJECT, names.tls_subject),
        (field::TLS_SERVER_ISSUER, names.tls_issuerdn),
        (field::FILE_SIZE, names.file_size),
        (field::FILE_HASH_MD5, names.file_md5),
        (field::FILE_HASH_SHA1, names.file_sha1),
        (field::FILE_HASH_SHA256, names.file_sha256),
    ] {
        copy(fields, id, walker.get(native));
    }
    number(fields, field::HTTP_RESPONSE_STATUS_CODE, walker.get(names.http_status), base);
    if let Some(ValueRef::Text(wanted)) =
        walker.get(names.http_url).map(|value| value.resolve(base))
    {
        url::target(fields, wanted);
    }
    if let Some(ValueRef::Text(print)) = walker.get(names.tls_fingerprint).map(|v| v.resolve(base))
    {
        let plain: String = print.chars().filter(|c| *c != ':').collect();
        fields.text(field::TLS_SERVER_HASH_SHA1, &plain);
    }
    file(walker, fields, base);
    dns(walker, fields);
    let user = walker.get(names.smb_user).or_else(|| walker.get(names.krb5_cname)).or_else(|| {
        let asks = text_of(walker, names.ftp_command, base) == "USER";
        walker.get(names.ftp_command_data).filter(|_| asks)
    });
    copy(fields, field::USER_NAME, user);
}

fn file(walker: &Walker, fields: &mut Fields<'_>, base: &str) {
    let names = names();
    let path = walker.get(names.file_filename).or_else(|| walker.get(names.smb_filename));
    let Some(ValueRef::Text(path)) = path.map(|value| value.resolve(base)) else { return };
    fields.text(field::FILE_PATH, path);
    let name = path.rsplit_once(['/', '\\']).map_or(path, |(_, name)| name);
    fields.text(field::FILE_NAME, name);
}

/// Version 1 and 2 have the question at the top, version 3 a list of them.
fn dns(walker: &Walker, fields: &mut Fields<'_>) {
    let names = names();
    let question = [names.dns_rrname, names.dns_queries_rrname, names.dns_query_rrname];
    let kinds = [names.dns_rrtype, names.dns_queries_rrtype, names.dns_query_rrtype];
    copy(fields, field::DNS_QUESTION_NAME, question.into_iter().find_map(|id| walker.get(id)));
    copy(fields, field::DNS_QUESTION_TYPE, kinds.into_iter().find_map(|id| walker.get(id)));
    copy(fields, field::DNS_RESPONSE_CODE, walker.get(names.dns_rcode));
    let answers = walker.whole(names.dns_answers_rdata).or_else(|| walker.whole(names.dns_rdata));
    if let Some(answers) = answers.filter(|answers| *answers != Value::Null) {
        fields.value(field::DNS_ANSWERS_DATA, answers);
    }
}
