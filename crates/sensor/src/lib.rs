//! Where do records come from?
//!
//! - [`Reader`] goes through finished files, compressed or not, for `vigie scan`.
//! - [`mod@follow`] tails growing files through every kind of rotation.
//! - [`journald`] and [`stdin`] are the other live sources.
//! - [`simulate`] makes up records by scenario, the same ones for the same seed.
//!
//! Live sources hand over [`vigie_event::Batch`]es through a bounded channel and wait while it is
//! full: what cannot be taken yet stays where it is. Each batch's cursor, given back at the next
//! start, makes reading go on after its last record.
//!
//! ```
//! use vigie_event::SystemClock;
//! use vigie_sensor::Reader;
//!
//! let path = std::env::temp_dir().join(format!("vigie-sensor-example-{}.log", std::process::id()));
//! std::fs::write(&path, "first line\nsecond line\n")?;
//! let mut reader = Reader::open(&path, None, &SystemClock)?;
//! let mut offsets = Vec::new();
//! while let Some(record) = reader.next()? {
//!     offsets.push((record.offset, record.bytes.len()));
//! }
//! assert_eq!(offsets, [(0, 10), (11, 11)]);
//! # std::fs::remove_file(&path)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
pub mod follow;
pub mod journald;
mod lines;
mod mend;
mod read;
pub mod simulate;
mod status;
pub mod stdin;

pub use follow::follow;
pub use lines::{Lost, MAX_LINE};
pub use read::{Compression, ReadError, Reader, unpacked};
pub use status::{SensorState, SensorStatus, Statuses};
