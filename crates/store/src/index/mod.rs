//! The event index: which events say this, newest first, how many, and when?
//!
//! One [tantivy] index a UTC day, in a folder of that name (`2026-11-21/`), so that retention
//! drops folders. It follows the journal and can always be rebuilt from it.
//!
//! # What is kept of an event
//!
//! | field | how | for |
//! |---|---|---|
//! | `words` | the raw record's words, with positions | free words and phrases |
//! | `fields` | one term `name NUL value` for each field | `source.ip:203.0.113.7`, wildcards, networks, ranges, counting by field |
//! | `time` | column, nanoseconds since 1970 | order, ranges, histograms |
//! | `tie` | column, the low 64 bits of the event's id | order within an instant, looking up an id |
//! | `epoch` | term | taking back a commit that was not finished |
//! | `event` | stored, zstd blocks | showing the event; text that stands in the raw record is kept as a span of it |
//!
//! One field for all names learns names without a schema, and counting walks its terms. Measured
//! over 200,000 sshd events: 108 bytes and 19 µs an event; a dynamic JSON field is alike without
//! columns, and takes 117 bytes and 23 µs with the columns that counting would need.
//! Long prose (`message`, `url.original` …) is not a term: asked for by name, its words are
//! looked for in the raw record.
//!
//! # Commits
//!
//! Days cannot be committed at one instant. Each event carries the number of the commit that it
//! belongs to (`epoch`); once all days are durable the file `checkpoint` names epoch and journal
//! position. On open, events of a later epoch than the checkpoint's are deleted. So indexing
//! resumes at [`EventIndex::position`] exactly, without loss and without doubles.

mod checkpoint;
mod collect;
mod count;
mod day;
mod error;
mod query;
mod schema;
mod search;
mod stored;
mod terms;
mod words;
mod writer;

pub use error::{IndexError, QueryError};
pub use search::{EventSearcher, Hit, Page, PageCursor, SearchRequest};
pub use writer::{EventIndex, IndexOptions};
