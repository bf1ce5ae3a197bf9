//! What is going on?
//!
//! The [`Detector`] runs events through the rules, keeps alerts open while their condition goes
//! on holding, and groups the alerts of one actor into incidents. It does no I/O and knows no
//! time but the events' own, so a log file read twice gives the same alerts, with the same ids, and an event that
//! comes twice counts once.
//!
//! ```
//! use std::sync::Arc;
//! use vigie_detector::{Detector, Settings};
//! use vigie_event::Event;
//! use vigie_sigma::{RuleSet, RuleText};
//!
//! let rule = "
//! title: Root logs in
//! id: 1f0e9f6e-5e57-4b3c-9f5c-0d3a52b0a001
//! logsource: { product: linux }
//! detection: { who: { user.name: root }, condition: who }
//! level: high
//! ";
//! let (rules, _) = RuleSet::load([RuleText { file: "root.yml", text: rule }]);
//! let mut detector = Detector::new(Arc::new(rules), Settings::default());
//! detector.observe(&Event::default());
//! assert!(detector.take_changes().is_empty());
//! ```

#![deny(missing_docs)]

mod alerts;
mod backtest;
mod clocks;
mod command;
mod core;
mod detector;
mod eviction;
mod facets;
mod facts;
mod histogram;
mod hosts;
mod incidents;
mod index;
mod recent;
mod rule_info;
mod seen;
mod settings;
mod slab;
mod snapshot;
mod success;
mod title;
mod totals;

pub use backtest::{BackTest, Bystander, RuleHistory, Subject};
pub use command::{Applied, Command};
pub use detector::{Changes, Detector, DetectorStats};
pub use histogram::Histogram;
pub use settings::Settings;
pub use snapshot::RestoreError;
pub use success::login;
pub use totals::Totals;
