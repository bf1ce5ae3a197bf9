//! The console as a service: every test speaks HTTP to the router, without a socket.

// The lints know tests by `#[test]`; here the helpers beside them are tests too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../sample/mod.rs"]
mod sample;

mod access;
mod api;
mod client;
mod files;
mod first;
mod hostile;
mod live;
mod metrics;
mod model;
mod pages;
mod style;
mod work;
