//! Who is it, and what may they do?

pub(crate) mod first;
pub mod password;
pub(crate) mod rate;
pub(crate) mod session;
pub(crate) mod sign_in;
pub(crate) mod welcome;
