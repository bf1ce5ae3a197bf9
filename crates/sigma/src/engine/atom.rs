//! One predicate, ready to be asked.

use std::cmp::Ordering;
use std::net::IpAddr;

use ipnet::IpNet;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use vigie_event::{FieldId, ValueRef, unmapped};

use super::Local;
use crate::civil::{Civil, TimePart};
use crate::expr::AtomId;
use crate::fold::fold;
use crate::pattern::{Anchor, Glob};
use crate::predicate::{Comparison, Number, RegexSource, Test};
use crate::regular::Regular;
use crate::value::any_member;
use vigie_event::Timestamp;

/// A predicate and the field that it is asked of.
#[derive(Debug)]
pub(super) struct Atom {
    pub local: Local,
    pub ask: Ask,
    /// Literals of the inside of the field's table of which every text has one that this holds of;
    /// none: nothing is known of them.
    pub required: SmallVec<[AtomId; 1]>,
}

/// How a predicate is answered.
#[derive(Debug)]
pub(super) enum Ask {
    /// By the edges of the field's table.
    Edge,
    /// By the inside of the field's table, where this stands in it.
    Inside(Box<str>),
    /// Whether this is the whole text: by the field's table, or, where that was not searched,
    /// by comparing.
    Whole(Box<str>),
    Null,
    Present,
    AnyValue,
    /// Of the folded text.
    FoldedGlob(Glob),
    /// Of the text as it stands.
    Cased(Anchor, Box<str>),
    CasedGlob(Glob),
    Regex(Regular),
    Cidr(IpNet),
    Compare(Comparison, Number),
    FieldRef {
        other: Local,
        anchor: Anchor,
        cased: bool,
    },
    Time(TimePart, Comparison, i64),
    /// By nobody: no loaded rule asks.
    Never,
}

impl Ask {
    /// Whether one look at the value answers: what network, number or time it is.
    pub const fn is_soon_answered(&self) -> bool {
        matches!(self, Self::Cidr(_) | Self::Compare(..) | Self::Time(..))
    }

    /// Whether it takes long to look through the value, and that alone tells.
    pub const fn is_long_answered(&self) -> bool {
        matches!(self, Self::FoldedGlob(_) | Self::CasedGlob(_) | Self::Regex(_))
    }
}

impl Atom {
    pub fn build(
        local: Local,
        test: &Test,
        regexes: &FxHashMap<RegexSource, Regular>,
        local_of: impl FnOnce(FieldId) -> Local,
    ) -> Self {
        let ask = match test {
            Test::Literal { anchor: Anchor::Whole, needle, cased: false } if needle.is_ascii() => {
                Ask::Whole(needle.clone())
            }
            Test::Literal { anchor: Anchor::Anywhere, needle, .. } if needle.is_empty() => {
                Ask::AnyValue
            }
            Test::Literal { anchor: Anchor::Anywhere, needle, cased: false } => {
                Ask::Inside(needle.clone())
            }
            Test::Literal { cased: false, .. } => Ask::Edge,
            Test::Literal { anchor, needle, cased: true } => Ask::Cased(*anchor, needle.clone()),
            Test::Glob { pattern, cased: false } => Ask::FoldedGlob(Glob::new(pattern)),
            Test::Glob { pattern, cased: true } => Ask::CasedGlob(Glob::new(pattern)),
            Test::AnyValue => Ask::AnyValue,
            Test::Regex(source) => regexes.get(source).cloned().map_or(Ask::Never, Ask::Regex),
            Test::Cidr(network) => Ask::Cidr(*network),
            Test::Compare(comparison, number) => Ask::Compare(*comparison, *number),
            Test::Null => Ask::Null,
            Test::Present => Ask::Present,
            Test::FieldRef { other, anchor, cased } => {
                Ask::FieldRef { other: local_of(*other), anchor: *anchor, cased: *cased }
            }
            Test::Time(part, comparison, number) => Ask::Time(*part, *comparison, *number),
        };
        Self { local, ask, required: SmallVec::new() }
    }

    pub fn unreached() -> Self {
        Self { local: super::RECORD, ask: Ask::Never, required: SmallVec::new() }
    }

    /// The fields that it looks at.
    pub fn locals(&self) -> impl Iterator<Item = Local> {
        let other = match self.ask {
            Ask::FieldRef { other, .. } => Some(other),
            _ => None,
        };
        std::iter::once(self.local).chain(other)
    }

    /// Literals of which every text must have one for a test to hold that no table answers.
    pub fn required_literals(
        test: &Test,
        regexes: &FxHashMap<RegexSource, Regular>,
    ) -> Vec<String> {
        let literals = match test {
            Test::Glob { pattern, cased: false } => vec![pattern.longest_literal()],
            Test::Glob { pattern, cased: true } => vec![fold(&pattern.longest_literal())],
            Test::Literal { needle, cased: true, .. } => vec![fold(needle)],
            Test::Regex(source) => {
                regexes.get(source).map(|regex| regex.required().to_vec()).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        // One letter is in every other text.
        if literals.iter().all(|literal| literal.len() > 1) { literals } else { Vec::new() }
    }

    /// What stands in the field's table for a test.
    pub fn table_entry(test: &Test) -> Option<(Anchor, &str)> {
        match test {
            Test::Literal { anchor, needle, cased: false } => Some((*anchor, needle)),
            _ => None,
        }
    }

    /// Whether an [answer that is soon found](Ask::is_soon_answered) is that `value` is so.
    pub fn holds_of(&self, value: ValueRef<'_>) -> bool {
        any_member(value, |value| match &self.ask {
            Ask::Cidr(network) => in_network(network, value),
            Ask::Compare(comparison, number) => compares(*comparison, *number, value),
            Ask::Time(part, comparison, number) => {
                time_compares(*part, *comparison, *number, value)
            }
            _ => false,
        })
    }

    /// What it costs to ask, relative to a look into a stamp.
    pub const fn cost(&self) -> u32 {
        match self.ask {
            Ask::Edge
            | Ask::Inside(_)
            | Ask::Whole(_)
            | Ask::Null
            | Ask::Present
            | Ask::AnyValue
            | Ask::Never => 1,
            Ask::Compare(..) | Ask::Cidr(_) => 3,
            Ask::Cased(..) | Ask::Time(..) => 4,
            Ask::FieldRef { .. } => 8,
            Ask::FoldedGlob(_) | Ask::CasedGlob(_) => 10,
            Ask::Regex(_) => 40,
        }
    }
}

/// Whether `needle` stands in `text` where the anchor says.
pub(super) fn anchored(anchor: Anchor, text: &str, needle: &str) -> bool {
    match anchor {
        Anchor::Whole => text == needle,
        Anchor::Start => text.starts_with(needle),
        Anchor::End => text.ends_with(needle),
        Anchor::Anywhere => text.contains(needle),
    }
}

/// Whether a value is an address in `network`.
fn in_network(network: &IpNet, value: ValueRef<'_>) -> bool {
    let address = match value {
        ValueRef::Address(address) => Some(address),
        ValueRef::Text(text) => text.trim().parse::<IpAddr>().ok(),
        _ => None,
    };
    address.is_some_and(|address| network.contains(&unmapped(address)))
}

/// Whether a value is a number that stands so to `number`.
fn compares(comparison: Comparison, number: Number, value: ValueRef<'_>) -> bool {
    let found = match value {
        ValueRef::Integer(integer) => Some(Number::Integer(integer)),
        ValueRef::Float(float) => Some(Number::Float(float)),
        ValueRef::Text(text) => Number::parse(text.trim()),
        _ => None,
    };
    found
        .and_then(|found| found.compare(number))
        .is_some_and(|ordering: Ordering| comparison.holds(ordering))
}

/// Whether a part of a date stands so to `number`. A whole number is Unix time: seconds, or
/// milliseconds from 10^11 on (a second count reaches that in the year 5138).
fn time_compares(part: TimePart, comparison: Comparison, number: i64, value: ValueRef<'_>) -> bool {
    const MILLISECONDS_FROM: i64 = 100_000_000_000;
    let civil = match value {
        ValueRef::Text(text) => Civil::parse(text),
        ValueRef::Integer(unix) if unix.abs() >= MILLISECONDS_FROM => {
            Some(Civil::of(Timestamp::from_seconds(unix.div_euclid(1_000))))
        }
        ValueRef::Integer(unix) => Some(Civil::of(Timestamp::from_seconds(unix))),
        _ => None,
    };
    civil
        .and_then(|civil| civil.part(part))
        .is_some_and(|found| comparison.holds(found.cmp(&number)))
}
