//! YAML with positions, read within limits.
//!
//! Rules may come from strangers, so each document is bounded in bytes, depth and nodes while it
//! is being read, aliases included, before anything is built from it. A file is cut at its
//! document markers first: a document that cannot be read takes no other with it.

mod node;
mod read;

pub(crate) use node::{Entry, Kind, Node, Position};
pub(crate) use read::documents;
