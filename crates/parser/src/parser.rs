//! The parser: from a record to an event.

use jiff::tz::TimeZone;
use vigie_event::{Event, EventKind, Fields, Format, RecordRef, Source, Timestamp, Wording, field};

use crate::access::{self, Server};
use crate::application::{self, Stamp};
use crate::line::{Known, Line};
use crate::said::Said;
use crate::sshd::{self, Memory};
use crate::syslog::{self, Header};
use crate::time::{Clockwork, Written};
use crate::windows::Renames;
use crate::zeek::Heads;
use crate::{apache_error, auditd, cef, iptables, json, logsources, nginx_error, program, text};

/// What a time without a year is measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The time at which the record was read.
    Observed,
    /// One instant for all records, such as the time at which a finished file was last written.
    Fixed(Timestamp),
}

/// How to read what logs leave open.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time zone of times without an offset.
    pub timezone: TimeZone,
    /// A missing year is chosen so that the time is the latest that lies at most one day after
    /// this.
    pub reference: Reference,
}

/// Turns records into events.
///
/// It keeps a bounded memory of SSH connections and some caches, under 1 MB, so the records of
/// a source should go to one parser in their order.
#[derive(Debug)]
pub struct Parser {
    reference: Reference,
    state: State,
    walker: json::Walker,
}

/// What reading a line changes.
#[derive(Debug)]
struct State {
    clock: Clockwork,
    frames: syslog::Heads,
    last_address: text::LastAddress,
    /// The name of the source that was asked last, and the server that it speaks of.
    server: (String, Option<Server>),
    memory: Memory,
    said: Said,
    renames: Renames,
    /// The heads of Zeek's logs.
    heads: Heads,
}

/// What was found out about a record.
pub(crate) struct Found {
    pub known: Known,
    pub time: Option<Timestamp>,
    pub repeat: u32,
}

impl Found {
    pub(crate) fn new(known: Known, time: Option<Timestamp>) -> Self {
        Self { known, time, repeat: 1 }
    }

    /// Finishes `event`, which happened at `otherwise` where nothing tells when.
    #[inline]
    fn finish(self, event: &mut Event, otherwise: Timestamp) {
        event.kind = self.known.kind;
        event.dataset = self.known.dataset;
        event.logsources = self.known.logsources;
        event.repeat = self.repeat;
        event.finish(self.time.unwrap_or(otherwise));
    }
}

impl Parser {
    /// A parser that has seen nothing yet.
    pub fn new(options: Options) -> Self {
        Self {
            reference: options.reference,
            state: State {
                clock: Clockwork::new(options.timezone),
                frames: syslog::Heads::default(),
                last_address: text::LastAddress::default(),
                server: (String::new(), None),
                memory: Memory::default(),
                said: Said::default(),
                renames: Renames::default(),
                heads: Heads::default(),
            },
            walker: json::Walker::default(),
        }
    }

    /// Fills `event` from `record`. Never fails: what no parser knows becomes an event of kind
    /// `unparsed` with `message`.
    pub fn parse(&mut self, record: &RecordRef<'_>, event: &mut Event) {
        event.begin(record);
        self.read(record, event);
    }

    /// The same of a record whose bytes are known to be `text`.
    pub fn parse_text(&mut self, record: &RecordRef<'_>, text: &str, event: &mut Event) {
        event.begin_text(record, text);
        self.read(record, event);
    }

    fn read(&mut self, record: &RecordRef<'_>, event: &mut Event) {
        let reference = match self.reference {
            Reference::Observed => record.observed,
            Reference::Fixed(reference) => reference,
        };
        let (text, mut fields) = event.fields_mut();
        let mut reading = Reading {
            base: text,
            source: record.source,
            reference,
            observed: record.observed,
            state: &mut self.state,
        };
        let line = match text.as_bytes().last() {
            Some(b'\r' | b'\n') => text.trim_end_matches(['\r', '\n']),
            _ => text,
        };
        let stamped = reading.state.clock.stamped(line.as_bytes(), reference);
        if let Some((time, at)) = stamped
            && let Some((found, wording)) = reading.known_frame(&mut fields, line, time, at)
        {
            found.finish(event, time);
            event.set_wording(wording);
            return;
        }
        let found = reading.any(&mut self.walker, &mut fields, line, stamped);
        found.finish(event, record.observed);
    }
}

/// A record being read.
pub(crate) struct Reading<'r> {
    /// The event's whole text, which spans are cut from.
    base: &'r str,
    source: &'r Source,
    reference: Timestamp,
    observed: Timestamp,
    state: &'r mut State,
}

impl<'r> Reading<'r> {
    /// The event's whole text, which spans are cut from.
    pub(crate) fn base(&self) -> &'r str {
        self.base
    }

    /// The format that the user named.
    pub(crate) fn format(&self) -> Option<Format> {
        self.source.format
    }

    /// The plain names of Windows events' fields.
    pub(crate) fn renames(&mut self) -> &mut Renames {
        &mut self.state.renames
    }

    /// The instant of a written time.
    pub(crate) fn instant(&mut self, written: Written) -> Option<Timestamp> {
        self.state.clock.instant(written, self.reference)
    }

    /// The web server whose log this is, where the source tells.
    fn server(&mut self) -> Option<Server> {
        let (known, server) = &mut self.state.server;
        if *known != self.source.name {
            self.source.name.clone_into(known);
            *server = Server::named(known);
        }
        Server::of_format(self.source.format).or(*server)
    }

    /// Reads a line in a frame as one read before it had, with date, hour, host and program the
    /// same byte for byte: most lines are that. `None`, with nothing filled in: look at it.
    #[inline]
    fn known_frame(
        &mut self,
        fields: &mut Fields<'_>,
        line: &str,
        time: Timestamp,
        at: usize,
    ) -> Option<(Found, Option<Wording>)> {
        if matches!(self.source.format, Some(Format::Sshd | Format::Iptables))
            || line.len() > u32::MAX as usize
        {
            return None;
        }
        let head = self.state.frames.of(line, at)?;
        let (pid, begin) = head.process(line.as_bytes().get(at..)?)?;
        let message = line.get(at + begin..)?;
        let first = match message.as_bytes().first() {
            Some(first) if first.is_ascii_graphic() => Some(first),
            _ => text::trimmed_start(message).as_bytes().first(),
        };
        if let Some(b'{' | b'@') = first {
            // It may be JSON.
            return None;
        }
        let (host, program) = (head.host(), head.program());
        let span = |start: usize, length: usize| ((at + start) as u32, length as u32);
        fields.frame(
            span(0, host),
            span(program.start, program.len()),
            pid,
            span(begin, message.len()),
        );
        let (repeat, message) = match message.as_bytes().first() {
            Some(b'm') => syslog::unwrap_repeat(message),
            _ => (1, message),
        };
        let origin = self.source.fingerprint;
        head.know_server(origin);
        let head = &*head;
        let whole = line;
        let mut line = Line {
            fields,
            program: &head.name,
            host: "",
            pid: pid.and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0),
            time,
            origin,
            last_address: &mut self.state.last_address,
            server: Some(head.server()),
            place: None,
            ending: None,
            asked: false,
            recalled: false,
            said: None,
            memory: &mut self.state.memory,
        };
        let known = if let Some(program) = &head.packed {
            self.state.said.read(&mut line, message, head.parse, program, pid.is_some())
        } else {
            let known = (head.parse)(&mut line, message);
            line.settle();
            known
        };
        // A remark that it was repeated is no part of what is said.
        let said = line.said.filter(|_| repeat == 1);
        let wording = said.map(|said| Wording { head: head.number, said });
        let known = match known {
            Some(known) => known,
            None => program::unknown(&mut line),
        };
        // A frame with a process id holds: its message has been looked at.
        if known.kind == EventKind::Unparsed
            && !(head.named && pid.is_some())
            && let Some((known, when)) = self.whole(fields, whole)
        {
            return Some((Found { known, time: when.or(Some(time)), repeat }, None));
        }
        Some((Found { known, time: Some(time), repeat }, wording))
    }

    /// Reads any line, of which the time may be known already.
    #[inline(never)]
    fn any(
        &mut self,
        walker: &mut json::Walker,
        fields: &mut Fields<'_>,
        line: &str,
        stamped: Option<(Timestamp, usize)>,
    ) -> Found {
        if let Some(b'{') = text::trimmed_start(line).as_bytes().first()
            && let Some(found) = json::parse(walker, self, fields, line.trim())
        {
            return found;
        }
        let mut found = self.text(walker, fields, line, stamped);
        if found.known.kind == EventKind::Unparsed
            && let Some((known, time)) = self.whole(fields, line)
        {
            found.known = known;
            found.time = time.or(found.time);
        }
        found
    }

    /// Reads a line that nobody knows as a whole: what has no frame may still be an application's
    /// own.
    #[cold]
    fn whole(&mut self, fields: &mut Fields<'_>, line: &str) -> Option<(Known, Option<Timestamp>)> {
        if self.source.format.is_some() {
            return None;
        }
        let (known, stamp) = application::parse_whole(fields, line)?;
        let time = match stamp {
            Some(Stamp::Written(written)) => self.instant(written),
            Some(Stamp::Instant(instant)) => Some(instant),
            None => None,
        };
        Some((known, time))
    }

    /// Reads a line by its frame, or by its shape.
    fn text(
        &mut self,
        walker: &mut json::Walker,
        fields: &mut Fields<'_>,
        line: &str,
        stamped: Option<(Timestamp, usize)>,
    ) -> Found {
        if let Some(found) = self.by_format(walker, fields, line) {
            return found;
        }
        if let Some((time, length)) = stamped {
            let after = text::unindented(line.get(length..).unwrap_or_default());
            let mut header = Header::default();
            self.state.frames.read(after, &mut header);
            return self.framed_at(walker, fields, &header, Some(time));
        }
        if let Some(body) = line.strip_prefix("CEF:")
            && let Some((known, time)) = cef::parse(fields, body)
        {
            return Found::new(known, time);
        }
        let origin = self.source.fingerprint;
        if (line.starts_with('#') || self.state.heads.knows(origin))
            && let Some((known, time)) = self.state.heads.parse(fields, origin, line)
        {
            return Found::new(known, time);
        }
        if (line.starts_with("type=") || line.starts_with("node="))
            && let Some((known, time)) = auditd::parse(fields, line)
        {
            return Found::new(known, Some(time));
        }
        let starts_with_digit = line.as_bytes().first().is_some_and(u8::is_ascii_digit);
        // `2023/12/09 21:35:20 [error]` is nginx; every other time at the start is syslog's.
        if starts_with_digit && let Some((known, written)) = nginx_error::parse(fields, line) {
            return Found::new(known, self.instant(written));
        }
        if let Some(header) = syslog::parse(line, &mut self.state.frames) {
            let time = header.written.and_then(|written| {
                let time = self.instant(written)?;
                self.state.clock.remember_stamp(line, written);
                Some(time)
            });
            return self.framed_at(walker, fields, &header, time);
        }
        if line.starts_with('[')
            && let Some((known, written)) = apache_error::parse(fields, line)
        {
            let time = written.and_then(|written| self.instant(written));
            return Found::new(known, time);
        }
        if let Some((known, written)) = access::parse(fields, line, self.server()) {
            return Found::new(known, self.instant(written));
        }
        if let Some(known) = iptables::parse(fields, line) {
            return Found::new(known, None);
        }
        if let Some(header) = syslog::parse_untimed(line) {
            return self.framed(walker, fields, &header);
        }
        unknown(fields, line)
    }

    /// Reads a line in the format that the user named, where that decides more than the content.
    fn by_format(
        &mut self,
        walker: &mut json::Walker,
        fields: &mut Fields<'_>,
        line: &str,
    ) -> Option<Found> {
        match self.source.format? {
            Format::Sshd => {
                let framed = syslog::parse(line, &mut self.state.frames);
                let framed = framed.or_else(|| syslog::parse_untimed(line));
                let mut header = framed.unwrap_or(Header { message: line, ..Header::default() });
                if header.program.is_empty() {
                    header.program = "sshd";
                }
                Some(self.framed(walker, fields, &header))
            }
            Format::Iptables => {
                let header = syslog::parse(line, &mut self.state.frames)?;
                let known = iptables::parse(fields, header.message)?;
                syslog::fill(fields, &header);
                let time = header.written.and_then(|written| self.instant(written));
                Some(Found::new(known, time))
            }
            _ => None,
        }
    }

    /// Reads a message in its frame.
    pub(crate) fn framed(
        &mut self,
        walker: &mut json::Walker,
        fields: &mut Fields<'_>,
        header: &Header<'_>,
    ) -> Found {
        let time = header.written.and_then(|written| self.instant(written));
        self.framed_at(walker, fields, header, time)
    }

    /// Reads a message in its frame, at a time that is known already.
    #[inline]
    pub(crate) fn framed_at(
        &mut self,
        walker: &mut json::Walker,
        fields: &mut Fields<'_>,
        header: &Header<'_>,
        time: Option<Timestamp>,
    ) -> Found {
        syslog::fill(fields, header);
        let (repeat, message) = syslog::unwrap_repeat(header.message);
        if let Some(found) = json::parse_message(walker, self, fields, header, message) {
            return Found { time: found.time.or(time), ..found };
        }
        fields.text(field::MESSAGE, header.message);
        let pid = header.pid.and_then(|pid| u32::try_from(pid).ok());
        let mut line = Line {
            fields,
            program: header.program,
            host: header.host,
            pid: pid.unwrap_or(0),
            time: time.unwrap_or(self.observed),
            origin: self.source.fingerprint,
            last_address: &mut self.state.last_address,
            server: None,
            place: None,
            ending: None,
            asked: false,
            recalled: false,
            said: None,
            memory: &mut self.state.memory,
        };
        let known = program::parse(&mut line, message);
        let known = known.unwrap_or_else(|| program::unknown(&mut line));
        line.settle();
        Found { known, time, repeat }
    }
}

/// Whether `program` may be what it says it is, by the name of the executable that the journal
/// vouches for.
pub(crate) fn vouched(program: &str, executable: &str) -> bool {
    if executable.is_empty() {
        return true;
    }
    let executable = executable.trim_matches(['(', ')']);
    // Anybody may write under any name with these.
    if matches!(executable, "logger" | "systemd-cat") && program != executable {
        return false;
    }
    if sshd::is_sshd(program) {
        return executable.starts_with("sshd");
    }
    !matches!(program, "sudo" | "su" | "login") || executable.starts_with(program)
}

fn unknown(fields: &mut Fields<'_>, line: &str) -> Found {
    fields.text(field::MESSAGE, line);
    Found::new(Known::unparsed("", logsources::NONE), None)
}

#[cfg(test)]
mod tests;
