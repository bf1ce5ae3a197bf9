//! What sensors hand over: raw bytes and where they stood.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Timestamp, fingerprint};

/// The kind of place that records come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A file on this machine.
    File,
    /// Standard input.
    Stdin,
    /// The system's journal, by `journalctl`.
    Journald,
    /// The agents' HTTP interface or the ingest API.
    Http,
    /// The simulator.
    Simulator,
}

/// A place that records come from. Two sources with one `fingerprint` hold the same records, so
/// a log and its rotated or compressed copy share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Source {
    /// What it is.
    pub kind: SourceKind,
    /// How people know it: a path, a unit, a peer.
    pub name: String,
    /// Identity of the content: of a file the [`fingerprint`](crate::fingerprint) of its first
    /// line (at most 1,024 bytes of it), of others of their name.
    pub fingerprint: u64,
    /// The format, where the user named it; `None`: recognised from content.
    pub format: Option<Format>,
}

impl Source {
    /// A file with the fingerprint of its first line.
    pub fn file(path: impl Into<String>, fingerprint: u64, format: Option<Format>) -> Arc<Self> {
        Arc::new(Self { kind: SourceKind::File, name: path.into(), fingerprint, format })
    }

    /// A source that is known by its name.
    pub fn named(kind: SourceKind, name: impl Into<String>, format: Option<Format>) -> Arc<Self> {
        let name = name.into();
        Arc::new(Self { kind, fingerprint: fingerprint(name.as_bytes()), name, format })
    }
}

/// How far a source has been read: enough to go on without reading twice or skipping.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Cursor {
    /// The next byte to read of the file with this fingerprint and identity.
    File {
        /// Fingerprint of the first line, as in [`Source`].
        fingerprint: u64,
        /// Device number, to tell files with one first line apart.
        device: u64,
        /// Inode number.
        inode: u64,
        /// Bytes read.
        offset: u64,
    },
    /// The last entry read of the system's journal (`__CURSOR`).
    Journald {
        /// The opaque cursor text.
        cursor: String,
    },
    /// The last sequence number received of an agent or another numbered source.
    Sequence {
        /// Its number.
        number: u64,
    },
}

/// One record as read, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it was read.
    pub source: Arc<Source>,
    /// Its first byte's offset in the (uncompressed) source, or its sequence number.
    pub offset: u64,
    /// When it was read.
    pub observed: Timestamp,
    /// The bytes, without the line's end.
    pub bytes: Vec<u8>,
}

impl Record {
    /// A borrowed view.
    pub fn as_ref(&self) -> RecordRef<'_> {
        RecordRef {
            source: &self.source,
            offset: self.offset,
            observed: self.observed,
            bytes: &self.bytes,
        }
    }
}

/// Records of one source that were read together, and how far the source has been read with
/// them: what sensors hand over and the journal keeps as one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Where they were read; the same for each of the records.
    pub source: Arc<Source>,
    /// Where to go on reading after them; `None` where the source cannot be read again.
    pub cursor: Option<Cursor>,
    /// The records, oldest first.
    pub records: Vec<Record>,
}

/// One record as read, borrowed from the reader's buffer.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'r> {
    /// Where it was read.
    pub source: &'r Arc<Source>,
    /// Its first byte's offset in the (uncompressed) source, or its sequence number.
    pub offset: u64,
    /// When it was read; the reference for times without a year.
    pub observed: Timestamp,
    /// The bytes, without the line's end.
    pub bytes: &'r [u8],
}

/// A format that can be asked for with `--as`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// RFC 3164, RFC 5424 or ISO-stamped lines of any program.
    Syslog,
    /// `OpenSSH`, with or without a syslog header.
    Sshd,
    /// Linux audit.
    Auditd,
    /// nginx access and error logs.
    Nginx,
    /// Apache access and error logs.
    Apache,
    /// Suricata EVE JSON.
    Suricata,
    /// Zeek, TSV or JSON.
    Zeek,
    /// Windows event log files.
    Evtx,
    /// Windows events as JSON.
    Windows,
    /// `journalctl -o json`.
    Journald,
    /// Kernel lines of iptables, nftables and ufw.
    Iptables,
    /// `ArcSight` Common Event Format.
    Cef,
    /// JSON with ECS or unknown fields.
    Json,
    /// The agents' events.
    Seed,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 14] = [
        Self::Syslog,
        Self::Sshd,
        Self::Auditd,
        Self::Nginx,
        Self::Apache,
        Self::Suricata,
        Self::Zeek,
        Self::Evtx,
        Self::Windows,
        Self::Journald,
        Self::Iptables,
        Self::Cef,
        Self::Json,
        Self::Seed,
    ];

    /// The name on the command line and in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syslog => "syslog",
            Self::Sshd => "sshd",
            Self::Auditd => "auditd",
            Self::Nginx => "nginx",
            Self::Apache => "apache",
            Self::Suricata => "suricata",
            Self::Zeek => "zeek",
            Self::Evtx => "evtx",
            Self::Windows => "windows",
            Self::Journald => "journald",
            Self::Iptables => "iptables",
            Self::Cef => "cef",
            Self::Json => "json",
            Self::Seed => "seed",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No format has this name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is no format (syslog, sshd, auditd, nginx, apache, suricata, zeek, evtx, windows, journald, iptables, cef, json, seed)"
)]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| UnknownFormat(text.chars().take(40).collect()))
    }
}
