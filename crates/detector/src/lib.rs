//! What is going on?
