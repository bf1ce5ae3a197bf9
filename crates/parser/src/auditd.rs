//! Records of the Linux audit daemon: `[node=HOST ]type=TYPE msg=audit(SECONDS.MS:SERIAL): k=v …`,
//! as `audit.log` holds them, as audisp and the kernel send them to syslog.
//!
//! One record is one event; records of one deed share `auditd.sequence`. Values that users choose
//! are quoted, or in hexadecimal where they hold a space, a quote or a control character: neither
//! can end a value early. `EXECVE` gives its arguments as `process.command_line`.

use std::borrow::Cow;
use std::sync::LazyLock;

use vigie_event::{FieldId, Fields, Timestamp, Value, field};

use crate::line::{Known, Outcome, act_named};
use crate::{logsources, text};

const KNOWN: Known = Known::event("auditd", logsources::AUDITD);
/// Arguments of one `EXECVE` that are joined.
const MOST_ARGUMENTS: usize = 64;
/// Names of one record that are kept as they are.
const MOST_OTHERS: usize = 64;

/// Fields that are kept under `auditd.`.
struct Own {
    message_type: Option<FieldId>,
    sequence: Option<FieldId>,
    audit_user: Option<FieldId>,
    effective_user: Option<FieldId>,
    session: Option<FieldId>,
    tags: Option<FieldId>,
}

static OWN: LazyLock<Own> = LazyLock::new(|| Own {
    message_type: FieldId::intern("auditd.message_type"),
    sequence: FieldId::intern("auditd.sequence"),
    audit_user: FieldId::intern("user.audit.id"),
    effective_user: FieldId::intern("user.effective.id"),
    session: FieldId::intern("auditd.session"),
    tags: FieldId::intern("tags"),
});

/// Reads a record. `None`: it is none.
pub(crate) fn parse(fields: &mut Fields<'_>, line: &str) -> Option<(Known, Timestamp)> {
    let (node, rest) = match line.strip_prefix("node=") {
        Some(rest) => text::split(rest, b' ')?,
        None => ("", line),
    };
    let (kind, rest) = text::split(rest.strip_prefix("type=")?, b' ')?;
    // The kernel leaves `msg=` out, and writes numbers for types.
    let rest = rest.strip_prefix("msg=").unwrap_or(rest);
    let (stamp, rest) = text::split(rest.strip_prefix("audit(")?, b')')?;
    let rest = rest.strip_prefix(':')?;
    let (time, serial) = text::split(stamp, b':')?;
    let time = instant(time)?;
    let name = type_name(kind);
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return None;
    }

    text::some_text(fields, field::HOST_NAME, node);
    add(fields, OWN.message_type, name);
    if let (Some(id), Some(serial)) = (OWN.sequence, text::number(serial)) {
        fields.integer(id, serial);
    }
    let mut record =
        Record { name, outcome: Outcome::None, arguments: Vec::new(), others: 0, arm: false };
    record.pairs(fields, rest.trim_start(), true);
    record.command_line(fields);
    let action = name.to_ascii_lowercase();
    let (category, kind) = meaning(name);
    act_named(fields, &action, category, kind, record.outcome);
    Some((KNOWN, time))
}

/// `SECONDS.MILLISECONDS`
fn instant(text: &str) -> Option<Timestamp> {
    let (seconds, thousandths) = text::split(text, b'.')?;
    let seconds = text::number(seconds)?;
    let thousandths = text::number(thousandths).filter(|number| (0..1_000).contains(number))?;
    let nanos = seconds.checked_mul(1_000_000_000)?.checked_add(thousandths * 1_000_000)?;
    Some(Timestamp::from_nanos(nanos))
}

/// A record while it is read.
struct Record<'l> {
    name: &'l str,
    outcome: Outcome,
    /// The arguments of `EXECVE`, decoded.
    arguments: Vec<String>,
    /// Names kept as they are.
    others: usize,
    /// Whether calls are numbered as on 64-bit ARM.
    arm: bool,
}

impl Record<'_> {
    /// Takes `key=value` after `key=value`, and those of a message in single quotes.
    fn pairs(&mut self, fields: &mut Fields<'_>, text: &str, outer: bool) {
        let mut rest = text;
        while let Some((key, value, after)) = pair(rest) {
            rest = after;
            match (key, value) {
                ("msg", Quoted::Message(message)) if outer => {
                    fields.text(field::MESSAGE, message);
                    self.pairs(fields, message, false);
                }
                _ => self.take(fields, key, value),
            }
        }
        if outer && !fields.has(field::MESSAGE) {
            text::some_text(fields, field::MESSAGE, text);
        }
    }

    fn take(&mut self, fields: &mut Fields<'_>, key: &str, value: Quoted<'_>) {
        let plain = value.text();
        if matches!(value, Quoted::Bare("?" | "(none)" | "(null)" | "" | "4294967295" | "unset")) {
            return;
        }
        match key {
            "res" | "result" => self.outcome = outcome(plain).unwrap_or(self.outcome),
            // What a call gave is its own; what the daemon says of it counts more.
            "success" if self.outcome == Outcome::None => {
                self.outcome = outcome(plain).unwrap_or(Outcome::None);
            }
            "acct" => text_once(fields, field::USER_NAME, &value.decoded()),
            "uid" => text_once(fields, field::USER_ID, plain),
            "auid" => add(fields, OWN.audit_user, plain),
            "euid" => add(fields, OWN.effective_user, plain),
            "ses" => add(fields, OWN.session, plain),
            // A frame names the program that sent the record.
            "pid" => {
                if let Some(number) = text::number(plain) {
                    fields.replace(field::PROCESS_PID, Value::Integer(number));
                }
            }
            "ppid" => number_once(fields, field::PROCESS_PARENT_PID, plain),
            "comm" => {
                let name = fields.cut(&value.decoded());
                fields.replace(field::PROCESS_NAME, name);
            }
            "exe" => text_once(fields, field::PROCESS_EXECUTABLE, &value.decoded()),
            "cwd" => text_once(fields, field::PROCESS_WORKING_DIRECTORY, &value.decoded()),
            "tty" | "terminal" => text_once(fields, field::PROCESS_TTY, plain),
            "cmd" | "proctitle" => {
                let command = value.decoded();
                text_once(fields, field::PROCESS_COMMAND_LINE, &command.replace('\0', " "));
            }
            "name" | "path" => text_once(fields, field::FILE_PATH, &value.decoded()),
            "unit" => text_once(fields, field::SERVICE_NAME, plain),
            "addr" | "laddr" | "saddr" if text::address(plain).is_some() => {
                if !fields.has(field::SOURCE_IP) && key == "addr" {
                    text::source(fields, plain);
                } else {
                    self.other(fields, key, plain);
                }
            }
            "hostname" => text_once(fields, field::SOURCE_ADDRESS, plain),
            "key" => {
                add(fields, OWN.tags, &value.decoded());
                self.other(fields, key, &value.decoded());
            }
            "arch" => {
                self.arm = plain == "c00000b7";
                self.other(fields, key, plain);
            }
            "syscall" => self.other(fields, key, syscall(plain, self.arm).unwrap_or(plain)),
            _ if self.name == "EXECVE" && is_argument(key) => {
                let argument = value.decoded();
                self.other(fields, key, &argument);
                if self.arguments.len() < MOST_ARGUMENTS {
                    self.arguments.push(argument.into_owned());
                }
            }
            _ => self.other(fields, key, plain),
        }
    }

    /// Keeps a value under its own name.
    fn other(&mut self, fields: &mut Fields<'_>, key: &str, value: &str) {
        self.others += 1;
        let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if self.others > MOST_OTHERS || !plain || key.len() > 32 {
            return;
        }
        let name = format!("auditd.data.{}", key.to_ascii_lowercase());
        match FieldId::intern(&name) {
            Some(id) if !fields.has(id) => fields.text(id, value),
            Some(_) => {}
            None => fields.overflow(&name, &Value::Made(value.into())),
        }
    }

    fn command_line(&self, fields: &mut Fields<'_>) {
        let Some(program) = self.arguments.first() else { return };
        let line = self.arguments.join(" ");
        text_once(fields, field::PROCESS_COMMAND_LINE, &line);
        let name = program.rsplit('/').next().unwrap_or(program);
        text_once(fields, field::PROCESS_NAME, name);
    }
}

/// A value as it is written.
#[derive(Clone, Copy)]
enum Quoted<'l> {
    /// In double quotes: as it is.
    Double(&'l str),
    /// In single quotes: a message of pairs.
    Message(&'l str),
    /// Without quotes: as it is, or in hexadecimal.
    Bare(&'l str),
}

impl<'l> Quoted<'l> {
    fn text(self) -> &'l str {
        match self {
            Self::Double(text) | Self::Message(text) | Self::Bare(text) => text,
        }
    }

    /// What users chose: bare hexadecimal is decoded.
    fn decoded(self) -> Cow<'l, str> {
        match self {
            Self::Bare(text) => unhex(text).map_or(Cow::Borrowed(text), Cow::Owned),
            Self::Double(text) | Self::Message(text) => Cow::Borrowed(text),
        }
    }
}

/// The next `key=value`, and what follows it. Words without `=` are passed over.
fn pair(text: &str) -> Option<(&str, Quoted<'_>, &str)> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', ',', '\u{1d}']);
        if rest.is_empty() {
            return None;
        }
        let end = rest.find([' ', '=', '\u{1d}']).unwrap_or(rest.len());
        let (key, after) = rest.split_at_checked(end)?;
        let Some(value) = after.strip_prefix('=') else {
            rest = after;
            continue;
        };
        for (quote, made) in
            [('"', Quoted::Double as fn(_) -> _), ('\'', Quoted::Message as fn(_) -> _)]
        {
            if let Some(inside) = value.strip_prefix(quote) {
                // A message in single quotes holds quoted values, and ends the record's own part.
                let closed = if quote == '"' { inside.find('"') } else { inside.rfind('\'') };
                let (inside, after) = inside.split_at(closed.unwrap_or(inside.len()));
                return Some((key, made(inside), after.get(1..).unwrap_or_default()));
            }
        }
        let end = value.find([' ', '\u{1d}']).unwrap_or(value.len());
        let (bare, after) = value.split_at(end);
        let bare = bare.strip_suffix(',').unwrap_or(bare);
        return Some((key, Quoted::Bare(bare), after));
    }
}

fn unhex(text: &str) -> Option<String> {
    if text.len() < 2 || !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks_exact(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect();
    Some(String::from_utf8_lossy(&bytes?).into_owned())
}

/// `a0`, `a1` … of `EXECVE`, not `a0_len`.
fn is_argument(key: &str) -> bool {
    key.strip_prefix('a').is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn outcome(text: &str) -> Option<Outcome> {
    match text {
        "success" | "yes" | "1" => Some(Outcome::Success),
        "failed" | "no" | "0" => Some(Outcome::Failure),
        _ => None,
    }
}

fn add(fields: &mut Fields<'_>, id: Option<FieldId>, value: &str) {
    if let Some(id) = id.filter(|id| !fields.has(*id)) {
        text::some_text(fields, id, value);
    }
}

fn text_once(fields: &mut Fields<'_>, id: FieldId, value: &str) {
    add(fields, Some(id), value);
}

fn number_once(fields: &mut Fields<'_>, id: FieldId, value: &str) {
    if let Some(number) = text::number(value).filter(|_| !fields.has(id)) {
        fields.integer(id, number);
    }
}

/// The calls that rules speak of, by their numbers on x86-64 and on 64-bit ARM (`asm/unistd.h`).
const SYSCALLS: [(&str, &str, &str); 30] = [
    ("59", "221", "execve"),
    ("322", "281", "execveat"),
    ("2", "", "open"),
    ("257", "56", "openat"),
    ("85", "", "creat"),
    ("76", "45", "truncate"),
    ("77", "46", "ftruncate"),
    ("87", "", "unlink"),
    ("263", "35", "unlinkat"),
    ("82", "", "rename"),
    ("264", "38", "renameat"),
    ("84", "", "rmdir"),
    ("90", "", "chmod"),
    ("91", "52", "fchmod"),
    ("268", "53", "fchmodat"),
    ("92", "", "chown"),
    ("93", "55", "fchown"),
    ("260", "54", "fchownat"),
    ("41", "198", "socket"),
    ("42", "203", "connect"),
    ("49", "200", "bind"),
    ("101", "117", "ptrace"),
    ("105", "146", "setuid"),
    ("106", "144", "setgid"),
    ("165", "40", "mount"),
    ("175", "105", "init_module"),
    ("313", "273", "finit_module"),
    ("176", "106", "delete_module"),
    ("227", "112", "clock_settime"),
    ("310", "270", "process_vm_readv"),
];

fn syscall(number: &str, arm: bool) -> Option<&'static str> {
    let known = SYSCALLS.iter().find(|(x86, of_arm, _)| number == if arm { *of_arm } else { *x86 });
    known.map(|(.., name)| *name)
}

/// The names of types that the kernel writes as numbers (`linux/audit.h`).
fn type_name(kind: &str) -> &str {
    match kind {
        "1006" => "LOGIN",
        "1100" => "USER_AUTH",
        "1101" => "USER_ACCT",
        "1102" => "USER_MGMT",
        "1103" => "CRED_ACQ",
        "1104" => "CRED_DISP",
        "1105" => "USER_START",
        "1106" => "USER_END",
        "1112" => "USER_LOGIN",
        "1113" => "USER_LOGOUT",
        "1123" => "USER_CMD",
        "1130" => "SERVICE_START",
        "1131" => "SERVICE_STOP",
        "1300" => "SYSCALL",
        "1302" => "PATH",
        "1305" => "CONFIG_CHANGE",
        "1306" => "SOCKADDR",
        "1307" => "CWD",
        "1309" => "EXECVE",
        "1325" => "NETFILTER_CFG",
        "1326" => "SECCOMP",
        "1327" => "PROCTITLE",
        "1400" => "AVC",
        "1701" => "ANOM_ABEND",
        other => other,
    }
}

/// `event.category` and `event.type` of a type.
fn meaning(name: &str) -> (&'static str, &'static str) {
    match name {
        "USER_LOGIN" | "USER_AUTH" | "USER_ACCT" | "USER_ERR" | "LOGIN" | "CRED_ACQ"
        | "GRP_AUTH" => ("authentication", "start"),
        "USER_START" | "USER_END" | "USER_LOGOUT" | "CRED_DISP" | "CRED_REFR" => {
            ("session", "info")
        }
        "ADD_USER" | "DEL_USER" | "ADD_GROUP" | "DEL_GROUP" | "USER_MGMT" | "GRP_MGMT"
        | "USER_CHAUTHTOK" | "GRP_CHAUTHTOK" | "ACCT_LOCK" | "ACCT_UNLOCK" | "CHUSER_ID"
        | "CHGRP_ID" | "ROLE_ASSIGN" | "ROLE_REMOVE" => ("iam", "change"),
        "PATH" | "CWD" => ("file", "info"),
        "CONFIG_CHANGE" | "NETFILTER_CFG" | "FEATURE_CHANGE" | "MAC_STATUS" | "MAC_POLICY_LOAD" => {
            ("configuration", "change")
        }
        "AVC" | "USER_AVC" | "SELINUX_ERR" | "SECCOMP" => ("intrusion_detection", "denied"),
        name if name.starts_with("ANOM_") => ("intrusion_detection", "info"),
        name if name.starts_with("DAEMON_") => ("configuration", "info"),
        _ => ("process", "info"),
    }
}
