//! How do events arrive from elsewhere?
