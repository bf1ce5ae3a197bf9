//! What is turned away before anything else happens?

pub(crate) mod headers;
pub(crate) mod host;
pub(crate) mod origin;
