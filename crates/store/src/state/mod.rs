//! The state: what was made of the records, and what people changed.
