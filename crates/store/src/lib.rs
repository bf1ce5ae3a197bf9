//! What do we keep, and how does it survive?
//!
//! Three stores, each behind one small interface: the [`journal`] keeps raw records in the order
//! in which they came, [`state`] keeps what was made of them and what people changed, and the
//! [`index`] makes events searchable. The journal is the truth; the index can be rebuilt from it.

pub mod index;
pub mod journal;
pub mod state;

mod varint;
