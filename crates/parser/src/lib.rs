//! What does this line say?
