//! A processing item: what it changes, and when.

use regex::Regex;
use rustc_hash::FxHashMap;
use vigie_yaml::Node;

use super::gate::Gate;
use crate::rule::LogsourceSpec;
use crate::spec::SearchSpec;

/// A transformation and its conditions.
#[derive(Debug)]
pub(super) struct ProcessingItem {
    pub id: Option<String>,
    pub change: Change,
    pub rules: Gate<RuleTest>,
    pub matches: Gate<MatchTest>,
    pub fields: Gate<FieldTest>,
}

/// What a transformation does.
#[derive(Debug)]
pub(super) enum Change {
    /// Fields to others; one to many is any of them.
    MapFields(FxHashMap<String, Vec<String>>),
    MapPrefixes(Vec<(String, Vec<String>)>),
    PrefixFields(String),
    SuffixFields(String),
    DropMatches,
    /// Placeholders by the pipelines' variables.
    Values(Names),
    Wildcards(Names),
    ReplaceText {
        pattern: Regex,
        with: String,
    },
    MapText(FxHashMap<String, Vec<String>>),
    SetValue(Node),
    SetLogsource(LogsourceSpec),
    AddCondition {
        search: SearchSpec,
        template: bool,
        negated: bool,
    },
    SetState(String, String),
    SetAttribute(String, String),
    RefuseRule(String),
    RefuseMatch(String),
    ConvertType(Target),
    Case(Case),
    Hashes {
        algorithms: Vec<String>,
        prefix: String,
        drop_algorithm: bool,
    },
    Nest(Vec<ProcessingItem>),
    /// It says something about queries alone.
    Nothing,
}

impl Change {
    /// Whether it gives fields other names.
    pub const fn renames(&self) -> bool {
        matches!(
            self,
            Self::MapFields(_)
                | Self::MapPrefixes(_)
                | Self::PrefixFields(_)
                | Self::SuffixFields(_)
        )
    }
}

/// Which placeholders.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub include: Vec<String>,
    pub exclude: Vec<String>,
}

impl Names {
    pub fn has(&self, name: &str) -> bool {
        let within = |names: &[String]| names.iter().any(|known| known == name);
        (self.include.is_empty() || within(&self.include)) && !within(&self.exclude)
    }
}

/// What values are turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Text,
    Number,
}

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Lower,
    Upper,
    Snake,
}

/// A question about a rule.
#[derive(Debug)]
pub(super) enum RuleTest {
    Logsource(LogsourceSpec),
    HasMatch { field: Option<String>, value: String },
    HasField(String),
    Applied(String),
    State(String, String),
    IsDetection,
    IsCorrelation,
    Attribute { name: String, value: String, operator: Operator },
    Tag(String),
}

/// How an attribute stands to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A question about a search's values.
#[derive(Debug)]
pub(super) enum MatchTest {
    /// Any (or all) of the texts fit, or do not.
    Text {
        pattern: Regex,
        all: bool,
        negated: bool,
    },
    Value {
        value: String,
        all: bool,
    },
    HasWildcard {
        all: bool,
    },
    IsNull {
        all: bool,
    },
    Applied(String),
    State(String, String),
}

/// A question about a field's name.
#[derive(Debug)]
pub(super) enum FieldTest {
    Within { names: FieldNames, included: bool },
    Applied(String),
    State(String, String),
}

/// Names of fields, or patterns of them.
#[derive(Debug)]
pub(super) enum FieldNames {
    Plain(Vec<String>),
    Patterns(Vec<Regex>),
}

impl FieldNames {
    pub fn has(&self, field: &str) -> bool {
        match self {
            Self::Plain(names) => names.iter().any(|name| name == field),
            Self::Patterns(patterns) => patterns.iter().any(|pattern| pattern.is_match(field)),
        }
    }
}
