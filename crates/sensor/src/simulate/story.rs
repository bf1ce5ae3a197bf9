//! What happens when, and how each kind of log writes it down.

use jiff::Timestamp as Instant;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use vigie_event::{Format, Timestamp};

use super::Simulated;
use super::random::Random;

const NANOS: f64 = 1e9;

/// The logs of the simulated site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Log {
    /// Logins, sudo, accounts.
    Auth,
    /// cron and other services.
    Syslog,
    /// The firewall.
    Kernel,
    /// The web server.
    Access,
    /// Suricata.
    Eve,
    /// The agents' events.
    Agents,
}

impl Log {
    fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth.log",
            Self::Syslog => "syslog",
            Self::Kernel => "kern.log",
            Self::Access => "access.log",
            Self::Eve => "eve.json",
            Self::Agents => "events.json",
        }
    }

    fn format(self) -> Format {
        match self {
            Self::Auth | Self::Syslog => Format::Syslog,
            Self::Kernel => Format::Iptables,
            Self::Access => Format::Nginx,
            Self::Eve => Format::Suricata,
            Self::Agents => Format::Seed,
        }
    }
}

/// An entry before it is known when it is written.
#[derive(Clone, Debug)]
enum Entry {
    /// Host, program (with its process number) and message.
    Syslog(&'static str, String, String),
    /// What stands before and after the time of an access log's line.
    Access(String, String),
    /// An object that still lacks its `timestamp`.
    Object(Map<String, Value>),
}

/// A story being told: entries in any order, each with its time after the beginning.
pub(super) struct Story {
    pub random: Random,
    entries: Vec<(i64, Log, Entry)>,
}

/// One HTTP request of a web log.
pub(super) struct Request<'r> {
    pub client: &'r str,
    pub method: &'r str,
    pub target: &'r str,
    pub status: u16,
    pub bytes: u64,
    pub referrer: &'r str,
    pub agent: &'r str,
}

impl Story {
    pub fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), entries: Vec::new() }
    }

    fn add(&mut self, seconds: f64, log: Log, entry: Entry) {
        self.entries.push(((seconds * NANOS) as i64, log, entry));
    }

    /// A syslog line.
    pub fn syslog(
        &mut self,
        seconds: f64,
        log: Log,
        host: &'static str,
        program: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.add(seconds, log, Entry::Syslog(host, program.into(), message.into()));
    }

    /// A line of sshd.
    pub fn sshd(&mut self, seconds: f64, host: &'static str, pid: u64, message: impl Into<String>) {
        self.syslog(seconds, Log::Auth, host, format!("sshd[{pid}]"), message);
    }

    /// A command run as root.
    pub fn sudo(&mut self, seconds: f64, host: &'static str, user: &str, command: &str) {
        let message =
            format!("{user:>8} : TTY=pts/1 ; PWD=/home/{user} ; USER=root ; COMMAND={command}");
        self.syslog(seconds, Log::Auth, host, "sudo", message);
    }

    /// A packet that the firewall refused.
    pub fn blocked(&mut self, seconds: f64, source: &str, target: &str, port: u64) {
        let (spt, id, ttl) = (
            self.random.client_port(),
            self.random.between(1, 65_535),
            self.random.between(48, 56),
        );
        let message = format!(
            "[{:.6}] [UFW BLOCK] IN=eth0 OUT= MAC=02:00:5e:10:00:01:02:00:5e:10:00:02:08:00 \
             SRC={source} DST={target} LEN=44 TOS=0x00 PREC=0x00 TTL={ttl} ID={id} PROTO=TCP \
             SPT={spt} DPT={port} WINDOW=1024 RES=0x00 SYN URGP=0",
            86_400.0 + seconds
        );
        self.syslog(seconds, Log::Kernel, "gw-01", "kernel", message);
    }

    /// A request to the web server.
    pub fn request(&mut self, seconds: f64, request: &Request<'_>) {
        let Request { client, method, target, status, bytes, referrer, agent } = request;
        let after =
            format!("\"{method} {target} HTTP/1.1\" {status} {bytes} \"{referrer}\" \"{agent}\"");
        self.add(seconds, Log::Access, Entry::Access(format!("{client} - -"), after));
    }

    /// An object of Suricata's.
    pub fn eve(&mut self, seconds: f64, object: Value) {
        if let Value::Object(mut object) = object {
            object.insert("flow_id".into(), (self.random.next() >> 12).into());
            object.insert("in_iface".into(), "eth0".into());
            self.add(seconds, Log::Eve, Entry::Object(object));
        }
    }

    /// An event of the agents' interface.
    pub fn agent_event(&mut self, seconds: f64, object: Value) {
        if let Value::Object(object) = object {
            self.add(seconds, Log::Agents, Entry::Object(object));
        }
    }

    /// The story in order, as of `start`.
    pub fn tell(mut self, start: Timestamp) -> impl Iterator<Item = Simulated> + Send + use<> {
        // Stable: what was told first at one time comes first.
        self.entries.sort_by_key(|(after, ..)| *after);
        let mut last = 0;
        self.entries.into_iter().map(move |(after, log, entry)| {
            let pause = u64::try_from(after - last).unwrap_or(0);
            last = after;
            let time = start.plus_nanos(after);
            Simulated {
                time,
                pause: std::time::Duration::from_nanos(pause),
                source: log.name(),
                format: log.format(),
                line: write(&entry, log, time.into()),
            }
        })
    }
}

fn write(entry: &Entry, log: Log, time: Instant) -> String {
    let utc = time.to_zoned(TimeZone::UTC);
    match entry {
        Entry::Syslog(host, program, message) => {
            format!("{} {host} {program}: {message}", utc.strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00"))
        }
        Entry::Access(before, after) => {
            format!("{before} [{}] {after}", utc.strftime("%d/%b/%Y:%H:%M:%S +0000"))
        }
        Entry::Object(object) => {
            let format = match log {
                Log::Eve => "%Y-%m-%dT%H:%M:%S.%6f+0000",
                _ => "%Y-%m-%dT%H:%M:%S.%6fZ",
            };
            let mut object = object.clone();
            object.insert("timestamp".into(), utc.strftime(format).to_string().into());
            Value::Object(object).to_string()
        }
    }
}
