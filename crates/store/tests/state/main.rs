//! The state's promises, on a file and in memory.

// Helpers of tests fail as tests do.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

mod closings;
mod crash;
mod detection;
mod fixtures;
mod lists;
mod open;
mod people;
mod response;
mod second;
mod together;
