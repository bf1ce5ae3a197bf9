//! What do we keep, and how does it survive?
