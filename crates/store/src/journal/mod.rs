//! The journal: raw records in the order in which they came, durable before they are acknowledged.
