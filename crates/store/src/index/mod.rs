//! The event index: events searchable by field and by word.
