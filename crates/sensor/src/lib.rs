//! Where do records come from?
