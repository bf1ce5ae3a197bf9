//! What a rule asks of one field: the smallest thing that is true or false of an event.

use std::hash::{Hash, Hasher};

use ipnet::IpNet;
use vigie_event::FieldId;

use crate::civil::TimePart;
use crate::pattern::{Anchor, Pattern};

/// What a predicate looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// A field.
    Field(FieldId),
    /// The whole record: its text and every value that does not stand in it (keywords).
    Record,
}

/// A question and what it is asked of. Equal predicates are one atom, whoever asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Predicate {
    pub subject: Subject,
    pub test: Test,
}

/// A question to the values of a field. It holds when it holds of any of a list's members.
/// Needles are folded unless `cased`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Test {
    /// Literal text.
    Literal { anchor: Anchor, needle: Box<str>, cased: bool },
    /// Text with wildcards.
    Glob { pattern: Pattern, cased: bool },
    /// Any value at all, empty text included.
    AnyValue,
    /// A regular expression that is found somewhere.
    Regex(RegexSource),
    /// An address in a network.
    Cidr(IpNet),
    /// A number on one side of another.
    Compare(Comparison, Number),
    /// Absent, null or a list without members.
    Null,
    /// Present, whatever the value.
    Present,
    /// Text compared with another field's.
    FieldRef { other: FieldId, anchor: Anchor, cased: bool },
    /// A part of a date and time.
    Time(TimePart, Comparison, i64),
}

/// A regular expression as written, with its flags.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RegexSource {
    pub pattern: Box<str>,
    pub insensitive: bool,
    pub multi_line: bool,
    pub dot_all: bool,
}

/// How two numbers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// Whether an operand that stands so to the other fulfils it.
    pub const fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// A number of a rule or of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

impl Number {
    /// Reads decimal text.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(integer) = text.parse() {
            return Some(Self::Integer(integer));
        }
        // `inf`, `nan` and the like are words, not numbers.
        let plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
        if plain { text.parse().ok().map(Self::Float) } else { None }
    }

    /// How it stands to `other`; `None` beside a NaN.
    pub fn compare(self, other: Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(&b)),
            (a, b) => a.as_float().partial_cmp(&b.as_float()),
        }
    }

    const fn as_float(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        }
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Integer(integer) => integer.hash(state),
            Self::Float(float) => float.to_bits().hash(state),
        }
    }
}
