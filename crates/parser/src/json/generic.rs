//! JSON with ECS fields, or with fields of its own: those that name an entity in one of the usual
//! ways get the ECS field beside them.

use vigie_event::{FieldId, Fields, Value, ValueRef, field};

use super::names::names;
use super::{Walker, address, copy, event, login, number, text_of};
use crate::line::Known;
use crate::{logsources, text, zeek};

/// Fills the ECS fields that the record does not have itself.
pub fn derive(walker: &Walker, fields: &mut Fields<'_>, base: &str) -> Known {
    let names = names();
    let addresses: [(FieldId, &[Option<FieldId>]); 2] = [
        (
            field::SOURCE_IP,
            &[
                names.src_ip,
                names.srcip,
                names.source_ip,
                names.client_ip,
                names.clientip,
                names.remote_addr,
                names.remote_ip,
                names.src,
                names.ip,
                names.orig_h,
            ],
        ),
        (
            field::DESTINATION_IP,
            &[
                names.dest_ip,
                names.dst_ip,
                names.dstip,
                names.destination_ip,
                names.dst,
                names.resp_h,
            ],
        ),
    ];
    for (id, natives) in addresses {
        if walker.get(Some(id)).is_none()
            && let Some(value) = first(walker, natives)
        {
            address(fields, id, Some(value), base);
        }
    }
    login::who(walker, fields, base);
    let numbers: [(FieldId, &[Option<FieldId>]); 3] = [
        (
            field::SOURCE_PORT,
            &[names.src_port, names.srcport, names.source_port, names.spt, names.orig_p],
        ),
        (
            field::DESTINATION_PORT,
            &[
                names.dest_port,
                names.dst_port,
                names.dstport,
                names.destination_port,
                names.dpt,
                names.resp_p,
            ],
        ),
        (field::HTTP_RESPONSE_STATUS_CODE, &[names.status]),
    ];
    for (id, natives) in numbers {
        if walker.get(Some(id)).is_none() {
            number(fields, id, first(walker, natives), base);
        }
    }
    let texts: [(FieldId, &[Option<FieldId>]); 6] = [
        (field::USER_NAME, &[names.username, names.user_name, names.user, names.srcuser]),
        (field::HOST_NAME, &[names.hostname_plain, names.host_name]),
        (field::URL_ORIGINAL, &[names.request_uri, names.uri, names.url]),
        (field::HTTP_REQUEST_METHOD, &[names.request_method, names.method]),
        (field::USER_AGENT_ORIGINAL, &[names.agent, names.user_agent]),
        (field::MESSAGE, &[names.msg, names.log]),
    ];
    for (id, natives) in texts {
        if walker.get(Some(id)).is_none()
            && !fields.has(id)
            && let Some(value) = first(walker, natives)
            && matches!(value.resolve(base), ValueRef::Text(text) if text != "--")
        {
            copy(fields, id, Some(value));
        }
    }
    copy_level(walker, fields, base);
    // Zeek's own JSON, which names its log where it is told to.
    if walker.get(names.orig_h).is_some() && walker.get(names.uid).is_some() {
        if walker.get(Some(field::DNS_QUESTION_NAME)).is_none() {
            copy(fields, field::DNS_QUESTION_NAME, walker.get(names.query));
        }
        return zeek::json(fields, text_of(walker, names.zeek_path, base));
    }
    login::derive(walker, fields, base).unwrap_or(event("json", logsources::NONE))
}

fn copy_level(walker: &Walker, fields: &mut Fields<'_>, base: &str) {
    if walker.get(Some(field::LOG_LEVEL)).is_some() {
        return;
    }
    let level = walker.get(names().level);
    if level.is_some_and(|level| matches!(level.resolve(base), ValueRef::Text(_))) {
        copy(fields, field::LOG_LEVEL, level);
    }
}

fn first<'w>(walker: &'w Walker, natives: &[Option<FieldId>]) -> Option<&'w Value> {
    natives.iter().find_map(|id| walker.get(*id)).filter(|value| **value != Value::Null)
}

/// A value in the type that ECS gives its field: addresses and ports are often written as text.
pub fn typed(id: FieldId, value: Value, base: &str) -> Value {
    match id {
        field::SOURCE_IP | field::DESTINATION_IP | field::CLIENT_IP | field::HOST_IP => {
            member_wise(value, &|member| match member.resolve(base) {
                ValueRef::Text(written) => text::address(written)
                    .map(|address| Value::Address(vigie_event::unmapped(address))),
                _ => None,
            })
        }
        field::SOURCE_PORT
        | field::DESTINATION_PORT
        | field::PROCESS_PID
        | field::HTTP_RESPONSE_STATUS_CODE => {
            member_wise(value, &|member| match member.resolve(base) {
                ValueRef::Text(written) => text::number(written).map(Value::Integer),
                _ => None,
            })
        }
        _ => value,
    }
}

fn member_wise(value: Value, convert: &dyn Fn(&Value) -> Option<Value>) -> Value {
    match value {
        Value::List(members) => Value::List(
            members
                .into_vec()
                .into_iter()
                .map(|member| convert(&member).unwrap_or(member))
                .collect(),
        ),
        value => convert(&value).unwrap_or(value),
    }
}
