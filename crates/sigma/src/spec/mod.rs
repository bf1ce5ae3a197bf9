//! From a rule as it is written to what it asks.

mod condition;
mod correlation;
mod detection;
mod filter;
mod guidance;
mod metadata;
mod modifier;
mod placeholder;
mod search;
mod value;

pub(crate) use correlation::{Aggregate, CorrelationSpec, Range};
pub(crate) use detection::DetectionReader;
pub(crate) use filter::FilterSpec;
pub(crate) use metadata::Metadata;
pub(crate) use placeholder::{Lookup, expand};
pub(crate) use search::{
    Clause, DetectionSpec, Item, MAX_VALUES, Match, SearchSpec, search, too_many,
};
