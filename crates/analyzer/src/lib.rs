//! How bad is it and what should be done?
