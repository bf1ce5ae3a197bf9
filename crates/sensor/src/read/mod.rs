//! Finished files, record by record.

mod compression;
mod error;
mod evtx;
mod reader;

pub use compression::{Compression, unpacked};
pub(crate) use compression::{MAGIC_BYTES, decoder};
pub use error::ReadError;
pub use reader::Reader;
