//! Does this event, or this series of events, match a rule?
