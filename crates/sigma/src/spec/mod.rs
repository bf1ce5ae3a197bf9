//! From a rule as it is written to what it asks.

mod condition;
mod correlation;
mod detection;
mod guidance;
mod metadata;
mod modifier;
mod regular;
mod value;

pub(crate) use correlation::{Aggregate, CorrelationSpec, Range};
pub(crate) use detection::DetectionReader;
pub(crate) use metadata::Metadata;
