//! The agents' events: `{"type": "ssh_failed", "src": …, "user": …, "sensor_id": …}`.

use vigie_event::{FieldId, Fields, ValueRef, field};

use super::names::names;
use super::{Walker, address, copy, event, text_of};
use crate::line::{Known, Outcome, act};
use crate::{logsources, url};

/// Types with category, class and outcome.
const TYPES: &[(&str, &str, &str, Outcome)] = &[
    ("ssh_failed", "authentication", "start", Outcome::Failure),
    ("port_scan", "network", "info", Outcome::None),
    ("http_anomaly", "web", "access", Outcome::None),
    ("dns_query_suspicious", "network", "protocol", Outcome::None),
    ("malware_hash_detected", "malware", "info", Outcome::None),
    ("login_success_unusual", "authentication", "start", Outcome::Success),
];

/// Whether `name` is a type of the agents' events.
pub fn is_type(name: &str) -> bool {
    TYPES.iter().any(|(known, ..)| *known == name)
}

/// Fills the ECS fields of an agent's event.
pub fn derive(walker: &Walker, fields: &mut Fields<'_>, base: &str) -> Known {
    let names = names();
    let kind = text_of(walker, Some(field::SEED_TYPE), base);
    match TYPES.iter().find(|(known, ..)| *known == kind) {
        Some((name, category, class, outcome)) => act(fields, name, category, class, *outcome),
        None => fields.text(field::EVENT_ACTION, kind),
    }
    address(fields, field::SOURCE_IP, walker.get(names.src), base);
    address(fields, field::DESTINATION_IP, walker.get(names.dst), base);
    copy(fields, field::USER_NAME, walker.get(names.user));
    copy(fields, field::DNS_QUESTION_NAME, walker.get(names.domain));
    copy(fields, field::SENSOR_ID, walker.get(names.sensor_id));
    if let Some(ValueRef::Text(path)) = walker.get(names.path).map(|value| value.resolve(base)) {
        url::target(fields, path);
    }
    let hash = walker.get(names.hash);
    if let Some(id) = hash_field(text_of(walker, names.hash, base)) {
        copy(fields, id, hash);
    }
    event("seed", logsources::SEED)
}

/// The field of a hash, which its length tells.
fn hash_field(hash: &str) -> Option<FieldId> {
    if !hash.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    match hash.len() {
        32 => Some(field::FILE_HASH_MD5),
        40 => Some(field::FILE_HASH_SHA1),
        64 => Some(field::FILE_HASH_SHA256),
        _ => None,
    }
}
