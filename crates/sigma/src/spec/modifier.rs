//! `field|modifier|modifier`: what stands left of the colon in a search.

use vigie_yaml::{Position, Refusal, shown};

use crate::civil::TimePart;
use crate::diagnostic::nearest;
use crate::pattern::Anchor;
use crate::predicate::Comparison;

/// Every modifier's name.
const NAMES: [&str; 31] = [
    "all",
    "base64",
    "base64offset",
    "cased",
    "cidr",
    "contains",
    "day",
    "endswith",
    "exists",
    "expand",
    "fieldref",
    "gt",
    "gte",
    "hour",
    "i",
    "lt",
    "lte",
    "m",
    "minute",
    "month",
    "neq",
    "re",
    "s",
    "startswith",
    "utf16",
    "utf16be",
    "utf16le",
    "week",
    "wide",
    "windash",
    "year",
];

/// A change to a text value, applied in the order in which it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transform {
    Anchor(Anchor),
    Windash,
    Utf16Le,
    Utf16Be,
    /// Little-endian with a byte order mark in front.
    Utf16,
    Base64,
    Base64Offset,
}

/// What a value is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueType {
    /// Text with wildcards, or a number or boolean by its text.
    Text,
    Regex {
        insensitive: bool,
        multi_line: bool,
        dot_all: bool,
    },
    Cidr,
    Compare(Comparison),
    Exists,
    FieldRef,
    Time(TimePart, Comparison),
}

/// A search key taken apart.
// Each flag is a modifier of its own, in any combination.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug)]
pub(crate) struct SearchKey<'k> {
    /// The field; empty for a keyword search.
    pub field: &'k str,
    pub at: Position,
    pub value_type: ValueType,
    pub transforms: Vec<Transform>,
    /// All of the values instead of any.
    pub all: bool,
    /// None of the values instead of any.
    pub negated: bool,
    pub cased: bool,
    /// Values hold placeholders.
    pub expand: bool,
}

impl<'k> SearchKey<'k> {
    /// A search for keywords.
    pub fn keyword(at: Position) -> Self {
        Self {
            field: "",
            at,
            value_type: ValueType::Text,
            transforms: Vec::new(),
            all: false,
            negated: false,
            cased: false,
            expand: false,
        }
    }

    /// Takes `text` apart and refuses modifiers that are unknown or contradict each other.
    pub fn parse(text: &'k str, at: Position) -> Result<Self, Refusal> {
        let mut parts = text.split('|');
        let mut key = Self { field: parts.next().unwrap_or_default(), ..Self::keyword(at) };
        let mut seen: Vec<&str> = Vec::new();
        for name in parts {
            if !NAMES.contains(&name) {
                let message = format!("unknown modifier `{}`", shown(name));
                return Err(Refusal::new(at, message, nearest(name, NAMES)));
            }
            if seen.contains(&name) {
                let message = format!("modifier `{name}` stands twice");
                return Err(Refusal::new(at, message, "remove one"));
            }
            if let Some(other) = seen.iter().find(|other| contradict(other, name)) {
                let message = format!("modifiers `{other}` and `{name}` contradict each other");
                return Err(Refusal::new(at, message, "keep one of them"));
            }
            seen.push(name);
            key.apply(name)?;
        }
        if key.field.is_empty()
            && !matches!(key.value_type, ValueType::Text | ValueType::Regex { .. })
        {
            let message = "this modifier needs a field";
            return Err(Refusal::new(at, message, "write `field|modifier`"));
        }
        Ok(key)
    }

    fn apply(&mut self, name: &str) -> Result<(), Refusal> {
        match name {
            "all" => self.all = true,
            "neq" => self.negated = true,
            "cased" => self.cased = true,
            "expand" => self.expand = true,
            "contains" => self.transforms.push(Transform::Anchor(Anchor::Anywhere)),
            "startswith" => self.transforms.push(Transform::Anchor(Anchor::Start)),
            "endswith" => self.transforms.push(Transform::Anchor(Anchor::End)),
            "windash" => self.transforms.push(Transform::Windash),
            "wide" | "utf16le" => self.transforms.push(Transform::Utf16Le),
            "utf16be" => self.transforms.push(Transform::Utf16Be),
            "utf16" => self.transforms.push(Transform::Utf16),
            "base64" => self.transforms.push(Transform::Base64),
            "base64offset" => self.transforms.push(Transform::Base64Offset),
            "re" => {
                self.value_type =
                    ValueType::Regex { insensitive: false, multi_line: false, dot_all: false };
            }
            "i" | "m" | "s" => {
                let ValueType::Regex { insensitive, multi_line, dot_all } = &mut self.value_type
                else {
                    let message = format!("modifier `{name}` belongs behind `re`");
                    return Err(Refusal::new(self.at, message, format!("write `re|{name}`")));
                };
                match name {
                    "i" => *insensitive = true,
                    "m" => *multi_line = true,
                    _ => *dot_all = true,
                }
            }
            "cidr" => self.value_type = ValueType::Cidr,
            "exists" => self.value_type = ValueType::Exists,
            "fieldref" => self.value_type = ValueType::FieldRef,
            "lt" => self.compare(Comparison::Less),
            "lte" => self.compare(Comparison::LessOrEqual),
            "gt" => self.compare(Comparison::Greater),
            "gte" => self.compare(Comparison::GreaterOrEqual),
            "minute" => self.time(TimePart::Minute),
            "hour" => self.time(TimePart::Hour),
            "day" => self.time(TimePart::Day),
            "week" => self.time(TimePart::Week),
            "month" => self.time(TimePart::Month),
            "year" => self.time(TimePart::Year),
            _ => {}
        }
        Ok(())
    }

    /// `hour|gte` and `gte|hour` mean the same.
    fn compare(&mut self, comparison: Comparison) {
        self.value_type = match self.value_type {
            ValueType::Time(part, _) => ValueType::Time(part, comparison),
            _ => ValueType::Compare(comparison),
        };
    }

    fn time(&mut self, part: TimePart) {
        self.value_type = match self.value_type {
            ValueType::Compare(comparison) => ValueType::Time(part, comparison),
            _ => ValueType::Time(part, Comparison::Equal),
        };
    }
}

/// Groups of modifiers of which one excludes the other groups named behind it.
fn contradict(a: &str, b: &str) -> bool {
    contradicts(a, b) || contradicts(b, a)
}

fn contradicts(a: &str, b: &str) -> bool {
    const ANCHORS: [&str; 3] = ["contains", "startswith", "endswith"];
    const ENCODINGS: [&str; 7] =
        ["base64", "base64offset", "utf16", "utf16be", "utf16le", "wide", "windash"];
    const WIDTHS: [&str; 4] = ["utf16", "utf16be", "utf16le", "wide"];
    const COMPARISONS: [&str; 4] = ["lt", "lte", "gt", "gte"];
    const TIMES: [&str; 6] = ["minute", "hour", "day", "week", "month", "year"];
    const TYPES: [&str; 4] = ["re", "cidr", "exists", "fieldref"];

    let within = |group: &[&str]| a != b && group.contains(&a) && group.contains(&b);
    let typed = TYPES.contains(&a) || COMPARISONS.contains(&a) || TIMES.contains(&a);
    within(&ANCHORS)
        || within(&WIDTHS)
        || within(&["base64", "base64offset"])
        || within(&COMPARISONS)
        || within(&TIMES)
        || within(&TYPES)
        || (TYPES.contains(&a) && (COMPARISONS.contains(&b) || TIMES.contains(&b)))
        || (typed && ENCODINGS.contains(&b))
        || (typed && a != "fieldref" && (ANCHORS.contains(&b) || b == "cased"))
        || (typed && a != "re" && b == "expand")
        || (a == "exists" && (b == "all" || b == "neq"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<ValueType, &str>) {
        match (SearchKey::parse(text, Position::default()), expected) {
            (Ok(key), Ok(value_type)) => assert_eq!(key.value_type, value_type, "{text}"),
            (Err(refusal), Err(part)) => {
                let whole = format!("{} ({})", refusal.message, refusal.mend);
                assert!(whole.contains(part), "{text}: {whole}");
            }
            (found, _) => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn reads_keys() {
        let regex =
            |insensitive, dot_all| Ok(ValueType::Regex { insensitive, multi_line: false, dot_all });
        check("a", Ok(ValueType::Text));
        check("a|contains|all", Ok(ValueType::Text));
        check("a|re|i|s", regex(true, true));
        check("a|hour|gte", Ok(ValueType::Time(TimePart::Hour, Comparison::GreaterOrEqual)));
        check("a|lt|week", Ok(ValueType::Time(TimePart::Week, Comparison::Less)));
        check("a|fieldref|endswith", Ok(ValueType::FieldRef));
        check("|re", regex(false, false));
    }

    #[test]
    fn refuses_what_is_unknown_or_contradicts_itself() {
        check("a|contain", Err("unknown modifier `contain` (did you mean `contains`?)"));
        check("a|Contains", Err("did you mean `contains`?"));
        check("a|", Err("unknown modifier ``"));
        check("a|contains|startswith", Err("contradict"));
        check("a|re|contains", Err("contradict"));
        check("a|cased|re", Err("contradict"));
        check("a|cidr|gt", Err("contradict"));
        check("a|lt|gt", Err("contradict"));
        check("a|hour|day", Err("contradict"));
        check("a|wide|utf16be", Err("contradict"));
        check("a|base64|base64offset", Err("contradict"));
        check("a|exists|neq", Err("contradict"));
        check("a|contains|contains", Err("twice"));
        check("a|i|re", Err("write `re|i`"));
        check("|cidr", Err("needs a field"));
    }
}
