//! The frame around a message: RFC 3164 with and without priority, RFC 5424, RFC 3339 times as
//! rsyslog and systemd write them, with and without a host.

mod heads;

pub use heads::Heads;

use vigie_event::{FieldId, Fields, Value, field};

use crate::text;
use crate::time::{self, Written};

/// The longest name of a program that is looked for, in bytes (RFC 5424 has 48).
const MAX_TAG: usize = 96;

/// A message and what its frame tells. Absent parts are empty or `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header<'l> {
    pub written: Option<Written>,
    /// Facility × 8 + severity, 0–191.
    pub priority: Option<u8>,
    pub host: &'l str,
    pub program: &'l str,
    /// The process id as it stands; not always a number.
    pub process: &'l str,
    /// The process id where it is a number.
    pub pid: Option<i64>,
    /// RFC 5424 only.
    pub message_id: &'l str,
    /// RFC 5424 only.
    pub structured_data: &'l str,
    pub message: &'l str,
}

/// Reads the frame of `line`, which is likely to be like one of `heads`. `None`: it has none.
pub fn parse<'l>(line: &'l str, heads: &mut Heads) -> Option<Header<'l>> {
    let (priority, rest) = priority(line);
    if priority.is_some()
        && let Some(header) = rfc5424(priority, rest)
    {
        return Some(header);
    }
    let (written, length) = time::month_first(rest).or_else(|| time::iso(rest))?;
    let after = rest.get(length..)?;
    // The time must end where the rest begins; Cisco puts a colon behind it.
    let after = match after.as_bytes().first() {
        Some(b' ') => text::unindented(after),
        Some(b':') => text::unindented(after.get(1..)?),
        None => "",
        _ => return None,
    };
    let mut header = Header { written: Some(written), priority, ..Header::default() };
    heads.read(after, &mut header);
    Some(header)
}

/// Reads `host program[pid]: message` without a time, as `journalctl -o cat`-like tools cut it.
/// The process id is required, since nothing else tells such a frame from a sentence.
pub fn parse_untimed(line: &str) -> Option<Header<'_>> {
    let mut header = Header::default();
    let (first, rest) = text::split(line, b' ')?;
    if first.contains('[') {
        tag(line).filter(|found| found.process_known)?.fill(&mut header);
        return Some(header);
    }
    let plain =
        first.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':'));
    let found = tag(rest).filter(|found| plain && found.process_known)?;
    header.host = first;
    found.fill(&mut header);
    Some(header)
}

/// `<PRI>`, 0–191.
#[inline]
fn priority(line: &str) -> (Option<u8>, &str) {
    let split = || {
        let (number, rest) = line.strip_prefix('<')?.split_once('>')?;
        let number = text::number(number).filter(|number| *number <= 191)?;
        Some((number as u8, rest))
    };
    match split() {
        Some((priority, rest)) => (Some(priority), rest),
        None => (None, line),
    }
}

/// `1 <time> <host> <program> <process> <message id> <structured data> <message>`
fn rfc5424(priority: Option<u8>, rest: &str) -> Option<Header<'_>> {
    let (version, rest) = text::split(rest, b' ')?;
    if text::number(version)? > 999 {
        return None;
    }
    let (stamp, rest) = text::split(rest, b' ')?;
    let written = match stamp {
        "-" => None,
        stamp => Some(time::iso(stamp).filter(|(_, length)| *length == stamp.len())?.0),
    };
    let (host, rest) = text::split(rest, b' ')?;
    let (program, rest) = text::split(rest, b' ')?;
    let (process, rest) = text::split(rest, b' ')?;
    let (message_id, rest) = text::split(rest, b' ').unwrap_or((rest, ""));
    let (structured_data, message) = structured_data(rest);
    let present = |part| if part == "-" { "" } else { part };
    Some(Header {
        written,
        priority,
        host: present(host),
        program: present(program),
        process: present(process),
        pid: text::number(process),
        message_id: present(message_id),
        structured_data: present(structured_data),
        message: message.strip_prefix('\u{FEFF}').unwrap_or(message),
    })
}

/// Splits `-` or `[id name="value" …]…` from the message; values escape `"`, `\` and `]`.
fn structured_data(rest: &str) -> (&str, &str) {
    if let Some(message) = rest.strip_prefix('-') {
        return ("-", message.strip_prefix(' ').unwrap_or(message));
    }
    let bytes = rest.as_bytes();
    let (mut at, mut quoted) = (0, false);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b']' if !quoted && bytes.get(at + 1) != Some(&b'[') => {
                let data = rest.get(..=at).unwrap_or_default();
                let message = rest.get(at + 1..).unwrap_or_default();
                return (data, message.strip_prefix(' ').unwrap_or(message));
            }
            _ if at == 0 && byte != b'[' => return ("-", rest),
            _ => {}
        }
        at += 1;
    }
    ("-", rest)
}

/// `[<host> ]<tag>: <message>`
fn host_and_tag<'l>(after: &'l str, header: &mut Header<'l>) {
    let (first, rest) = text::split(after, b' ').unwrap_or((after, ""));
    // No host: the first word is the tag, unless it is an IPv6 address.
    if first.ends_with(':')
        && text::address(first).is_none()
        && let Some(found) = tag(after)
    {
        found.fill(header);
        return;
    }
    if first == "---" {
        header.message = after;
        return;
    }
    let rest = text::unindented(rest);
    header.host = first;
    match tag(rest) {
        Some(found) => found.fill(header),
        None => header.message = rest,
    }
}

struct Tag<'l> {
    program: &'l str,
    process: &'l str,
    pid: Option<i64>,
    process_known: bool,
    message: &'l str,
}

impl<'l> Tag<'l> {
    fn fill(&self, header: &mut Header<'l>) {
        header.program = self.program;
        header.process = self.process;
        header.pid = self.pid;
        header.message = self.message;
    }
}

/// `<program>[[<process>]]: <message>`. A name with spaces needs a process id behind it.
fn tag(rest: &str) -> Option<Tag<'_>> {
    let bytes = rest.as_bytes();
    let mut spaced = false;
    for (at, byte) in bytes.iter().enumerate().take(MAX_TAG) {
        match byte {
            b':' if !spaced => {
                let after = rest.get(at + 1..)?;
                // `postfix/smtpd:` ends a tag, `a::b` and `12:34` do not.
                if !after.is_empty() && !after.starts_with(' ') {
                    continue;
                }
                let message = after.strip_prefix(' ').unwrap_or(after);
                return (at > 0).then(|| Tag {
                    program: rest.get(..at).unwrap_or_default(),
                    process: "",
                    pid: None,
                    process_known: false,
                    message,
                });
            }
            b'[' => {
                let (process, after) = text::split(rest.get(at + 1..)?, b']')?;
                let number = !process.is_empty() && process.bytes().all(|b| b.is_ascii_digit());
                if at == 0 || (!number && (spaced || process.contains(' '))) {
                    return None;
                }
                // macOS: `launchd[1] (com.example.job[7]): …`. The job is who speaks, so the whole
                // tag is the name, as Filebeat has it too.
                if let Some((job, message)) =
                    text::after(after, " (").and_then(|after| text::split_at(after, "):"))
                    && job.len() < MAX_TAG
                {
                    let program = rest.get(..rest.len() - message.len() - 1)?;
                    let message = message.strip_prefix(' ').unwrap_or(message);
                    return Some(Tag {
                        program,
                        process: "",
                        pid: None,
                        process_known: number,
                        message,
                    });
                }
                let after =
                    after.strip_prefix(':').or_else(|| after.starts_with(' ').then_some(after))?;
                let message = after.strip_prefix(' ').unwrap_or(after);
                let program = rest.get(..at)?.trim_end();
                let pid = text::number(process);
                return Some(Tag { program, process, pid, process_known: number, message });
            }
            b' ' => spaced = true,
            0..=31 | b'"' | b'=' | b'{' => return None,
            _ => {}
        }
    }
    None
}

/// `message repeated <n> times: [ <message>]`: how often, and the message.
#[inline]
pub fn unwrap_repeat(message: &str) -> (u32, &str) {
    match text::after(message, "message repeated ") {
        Some(rest) => repeated(rest).unwrap_or((1, message)),
        None => (1, message),
    }
}

fn repeated(rest: &str) -> Option<(u32, &str)> {
    let (times, rest) = text::split_at(rest, " times: [")?;
    let times = text::number(times)?;
    let inner = rest.trim_end().strip_suffix(']')?;
    Some((times.clamp(1, MAX_REPEAT) as u32, inner.strip_prefix(' ').unwrap_or(inner)))
}

/// What one line may count for; whoever can write it should not weigh without bound.
const MAX_REPEAT: i64 = 1_000;

/// Fills what the frame tells.
#[inline]
pub fn fill(fields: &mut Fields<'_>, header: &Header<'_>) {
    if header.host.is_empty() || header.program.is_empty() {
        text::some_text(fields, field::HOST_NAME, header.host);
        text::some_text(fields, field::HOST_HOSTNAME, header.host);
        text::some_text(fields, field::PROCESS_NAME, header.program);
    } else {
        fields.texts([
            (field::HOST_NAME, header.host),
            (field::HOST_HOSTNAME, header.host),
            (field::PROCESS_NAME, header.program),
        ]);
    }
    if let Some(pid) = header.pid {
        fields.integer(field::PROCESS_PID, pid);
    }
    if header.priority.is_some()
        || !header.message_id.is_empty()
        || !header.structured_data.is_empty()
    {
        fill_rare(fields, header);
    }
}

fn fill_rare(fields: &mut Fields<'_>, header: &Header<'_>) {
    if let Some(priority) = header.priority {
        fields.integer(field::LOG_SYSLOG_PRIORITY, i64::from(priority));
        fields.integer(field::LOG_SYSLOG_FACILITY_CODE, i64::from(priority >> 3));
        fields.integer(field::LOG_SYSLOG_SEVERITY_CODE, i64::from(priority & 7));
    }
    text::some_text(fields, field::LOG_SYSLOG_MSGID, header.message_id);
    if !header.structured_data.is_empty() {
        structured(fields, header.structured_data);
    }
}

/// Fills `log.syslog.structured_data` with the parameters, `id.name=value` each.
fn structured(fields: &mut Fields<'_>, data: &str) {
    let mut members = Vec::new();
    let mut rest = data;
    while let Some(after) = rest.strip_prefix('[') {
        let end = after.find([' ', ']']).unwrap_or(after.len());
        let Some((id, mut parameters)) = after.split_at_checked(end) else { break };
        while let Some((name, value)) = parameters.trim_start().split_once("=\"") {
            let Some(end) = closing_quote(value) else { break };
            let shown = format!("{id}.{name}={}", value.get(..end).unwrap_or_default());
            members.push(Value::Made(shown.into()));
            parameters = value.get(end + 1..).unwrap_or_default();
            if parameters.starts_with(']') {
                break;
            }
        }
        rest = parameters.trim_start().strip_prefix(']').unwrap_or_default();
    }
    if !members.is_empty() {
        fields.value(field::LOG_SYSLOG_STRUCTURED_DATA, Value::List(members.into()));
    }
}

fn closing_quote(value: &str) -> Option<usize> {
    let bytes = value.as_bytes();
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', bytes.get(from..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
}

/// Fills a field whose name is not among the known ones.
pub fn named(fields: &mut Fields<'_>, name: &str, value: &str) {
    if let Some(id) = FieldId::intern(name) {
        fields.text(id, value);
        return;
    }
    let value = fields.cut(value);
    fields.overflow(name, &value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, host: &str, program: &str, process: &str, message: &str) {
        let header = parse(line, &mut Heads::default())
            .or_else(|| parse_untimed(line))
            .unwrap_or_else(|| panic!("no frame: {line}"));
        let found = (header.host, header.program, header.process, header.message);
        assert_eq!(found, (host, program, process, message), "{line}");
    }

    #[test]
    fn frames() {
        for (line, host, program, process, message) in [
            ("Jan  5 10:12:13 web sshd[7]: hello", "web", "sshd", "7", "hello"),
            ("Jan 5 10:12:13 web sshd[7]: hello", "web", "sshd", "7", "hello"),
            ("<38>Jan  5 10:12:13 web sshd[7]: hello", "web", "sshd", "7", "hello"),
            ("Jan  5 10:12:13 sshd[7]: hello", "", "sshd", "7", "hello"),
            ("Jan  5 10:12:13  sshd[7]: hello", "", "sshd", "7", "hello"),
            ("Jan  5 10:12:13 web sudo:  a : b", "web", "sudo", "", " a : b"),
            ("Jan  5 10:12:13 web su(pam_unix)[9]: x", "web", "su(pam_unix)", "9", "x"),
            ("Jan  5 10:12:13 web Google Chrome[9]: x", "web", "Google Chrome", "9", "x"),
            ("Jan  5 10:12:13 web launchd[1] (a.b[2]): x", "web", "launchd[1] (a.b[2])", "", "x"),
            ("Jan  5 10:12:13 web (systemd): x", "web", "(systemd)", "", "x"),
            (
                "Jan  5 10:12:13 web app says sshd[1]: Accepted",
                "web",
                "app says sshd",
                "1",
                "Accepted",
            ),
            (
                "Jan  5 10:12:13 web app[3]: sshd[1]: Accepted",
                "web",
                "app",
                "3",
                "sshd[1]: Accepted",
            ),
            ("Jan  5 10:12:13 web no tag at all", "web", "", "", "no tag at all"),
            (
                "Jan  5 10:12:13 --- last message repeated 1 time ---",
                "",
                "",
                "",
                "--- last message repeated 1 time ---",
            ),
            ("2015 Nov 13 13:40:01 ether rsyslogd-2177: x", "ether", "rsyslogd-2177", "", "x"),
            ("2019-06-14T10:40:20.912134 localhost sudo: x", "localhost", "sudo", "", "x"),
            (
                "2020-03-25 09:01:30.852002-0700  localhost sshd[7]: x",
                "localhost",
                "sshd",
                "7",
                "x",
            ),
            ("2021-11-12T16:59:46.6+00:00 192.0.2.1  { }", "192.0.2.1", "", "", "{ }"),
            (
                "<38>1 2019-07-08T17:40:17.954167-04:00 h.example.com sshd 5 - [t k=\"1\"][x@1 t=\"[b] \\\"]\"] Failed",
                "h.example.com",
                "sshd",
                "5",
                "Failed",
            ),
            ("<38>1 2022-01-19T14:23:55Z - sshd - - - Failed", "", "sshd", "", "Failed"),
            ("host nginx[98]: 2023/12/09 x", "host", "nginx", "98", "2023/12/09 x"),
        ] {
            check(line, host, program, process, message);
        }
    }

    #[test]
    fn the_frame_before_changes_nothing() {
        let lines = [
            "web app[3]: hello",
            "web app[3]:hello",
            "web app[3] hello",
            "web app[x]: hello",
            "web app[]: hello",
            "web app[1234567890123456789]: hello",
            "web app[3]: web app[4]: hello",
            "web app: hello",
            "web app:hello",
            "web app:",
            "web application[3]: hello",
            "web ap",
            "web  app[3]: hello",
            "webapp[3]: hello",
            "we b app[3]: hello",
            "app[3]: hello",
            "web: app[3]: hello",
            "2001:db8::1 app[3]: hello",
            "--- app[3]: hello ---",
            "web launchd[1] (a.b[2]): hello",
            "w\u{fffd}b app[3]: hello",
            "",
        ];
        for (before, line) in lines.iter().flat_map(|before| lines.map(|line| (before, line))) {
            let [before, line] = [before, line].map(|end| format!("Jan  5 10:12:13 {end}"));
            let mut heads = Heads::default();
            parse(&before, &mut heads);
            let expected = parse(&line, &mut Heads::default());
            assert_eq!(parse(&line, &mut heads), expected, "{before} / {line}");
        }
    }

    #[test]
    fn what_has_no_frame() {
        for line in [
            "",
            "hello world",
            "<999>Jan  5 10:12:13 a b: c",
            "192.0.2.1 - - [x]",
            "Jan  5 10:12:13abc",
        ] {
            assert!(
                parse(line, &mut Heads::default()).is_none() && parse_untimed(line).is_none(),
                "{line}"
            );
        }
    }

    #[test]
    fn repeats_are_unwrapped_and_capped() {
        for (message, expected) in [
            ("message repeated 5 times: [ Failed x]", (5, "Failed x")),
            ("message repeated 99999 times: [ a]", (1_000, "a")),
            ("message repeated 0 times: [ a]", (1, "a")),
            ("message repeated x times: [ a]", (1, "message repeated x times: [ a]")),
            ("a message repeated 5 times: [ b]", (1, "a message repeated 5 times: [ b]")),
            ("message repeated 5 times: [ b", (1, "message repeated 5 times: [ b")),
        ] {
            assert_eq!(unwrap_repeat(message), expected, "{message}");
        }
    }
}
