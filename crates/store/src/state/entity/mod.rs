//! The tables' rows. Times are nanoseconds since the epoch, severities their rank (0 informational
//! to 4 critical), identifiers UUID text, bodies JSON of the `vigie_event` types.

pub mod alert;
pub mod allow;
pub mod audit;
pub mod ban;
pub mod checkpoint;
pub mod closing;
pub mod counter;
pub mod decision;
pub mod incident;
pub mod login_link;
pub mod note;
pub mod outbox;
pub mod seed_mark;
pub mod session;
pub mod setting;
pub mod ticket;
pub mod user;
pub mod verdict;
