//! The state's promises, on a file and in memory.

mod crash;
mod detection;
mod fixtures;
mod lists;
mod open;
mod people;
mod response;
mod together;
