//! A loaded rule as other crates see it.

use std::fmt;
use std::str::FromStr;

use vigie_event::{FieldId, Guidance, Logsource, RuleRef};

/// The place of a rule in its [`RuleSet`](crate::RuleSet). Never stored: it changes on reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIndex(pub u32);

impl RuleIndex {
    /// The place as an index into tables.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleKind {
    /// One event at a time.
    Detection,
    /// A series of events that other rules matched.
    Correlation,
}

/// How far a rule is trusted, by its author.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// May be used in production.
    Stable,
    /// Mostly stable.
    Test,
    /// May be noisy.
    #[default]
    Experimental,
    /// Replaced by another rule.
    Deprecated,
    /// Cannot be used as it is.
    Unsupported,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Stable, Self::Test, Self::Experimental, Self::Deprecated, Self::Unsupported];

    /// Sigma's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Test => "test",
            Self::Experimental => "experimental",
            Self::Deprecated => "deprecated",
            Self::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Status {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|status| status.name().eq_ignore_ascii_case(text)).ok_or(())
    }
}

/// The events that a rule is meant for; what is `None` may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LogsourceSpec {
    /// Kind of activity, such as `process_creation`.
    pub category: Option<String>,
    /// Product, such as `linux`.
    pub product: Option<String>,
    /// Part of the product, such as `sshd`.
    pub service: Option<String>,
}

impl LogsourceSpec {
    /// Whether it names nothing, and so fits every event.
    pub fn is_empty(&self) -> bool {
        self.category.is_none() && self.product.is_none() && self.service.is_none()
    }

    /// Whether all that this one names is named by `other` too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let part = |own: &Option<String>, other: &Option<String>| own.is_none() || own == other;
        part(&self.category, &other.category)
            && part(&self.product, &other.product)
            && part(&self.service, &other.service)
    }

    /// Whether a rule with this logsource applies to an event of that one.
    pub fn fits(&self, logsource: &Logsource) -> bool {
        logsource.fits(self.category.as_deref(), self.product.as_deref(), self.service.as_deref())
    }
}

/// A loaded rule: everything about it but the compiled condition.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its place in the set.
    pub index: RuleIndex,
    /// Id, title, level and content version. A rule without `level` is `medium`.
    pub reference: RuleRef,
    /// One event or a series.
    pub kind: RuleKind,
    /// How far it is trusted.
    pub status: Status,
    /// Sigma tags, such as `attack.t1110.001`.
    pub tags: Vec<String>,
    /// The events that it is meant for; empty for a correlation.
    pub logsource: LogsourceSpec,
    /// What the author tells the people who get its alerts (the custom key `vigie`).
    pub guidance: Guidance,
    /// Sigma's `description`.
    pub description: String,
    /// Sigma's `author`.
    pub author: String,
    /// Sigma's `references`.
    pub references: Vec<String>,
    /// Sigma's `license`, an SPDX expression.
    pub license: Option<String>,
    /// Whether it is only an input of correlations and raises no alert of its own: it is named
    /// by a correlation, and by none with `generate: true`.
    pub silent: bool,
    /// A correlation's `timespan`, in seconds.
    pub timespan_s: Option<u64>,
    /// A correlation's `group-by`; an alias is a field of the alias's name.
    pub group_by: Vec<FieldId>,
    /// The file that it was read from.
    pub file: String,
    /// The line where its document begins, from 1.
    pub line: usize,
}
