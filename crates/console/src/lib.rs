//! What do people see and change?
