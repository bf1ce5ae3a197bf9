//! What does this YAML say, and where?
//!
//! [`documents`] reads YAML 1.2 into [`Node`]s that know where they stand, so that whatever is
//! wrong with one can be told with its line and column. Files may come from strangers, so each
//! document is bounded in bytes, depth and nodes while it is being read, aliases included, before
//! anything is built from it; one that cannot be read takes no other with it.
//!
//! What takes long to read can be read ahead: [`pack`] writes documents in a form that [`unpack`]
//! reads with an eighth of the instructions.
//!
//! ```
//! let read = vigie_yaml::documents("title: one\n---\ntitle: two\n");
//! let titles: Vec<_> = read
//!     .iter()
//!     .filter_map(|document| document.root.as_ref().ok()?.get("title")?.scalar())
//!     .collect();
//! assert_eq!(titles, ["one", "two"]);
//! ```

mod node;
mod packed;
mod read;
mod refusal;

pub use node::{Entry, Kind, Node, Position};
pub use packed::{pack, unpack};
pub use read::{Document, documents};
pub use refusal::{Refusal, shown};
