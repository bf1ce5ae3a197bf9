//! How bad something is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Lang;

/// Sigma's five levels, from least to worst.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth keeping, not worth a look by itself.
    #[default]
    Informational,
    /// Worth a look some day.
    Low,
    /// Worth a look today.
    Medium,
    /// Wants an answer within the hour.
    High,
    /// Wants an answer now.
    Critical,
}

impl Severity {
    /// All levels, from least to worst.
    pub const ALL: [Self; 5] =
        [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name in Sigma and in every machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The name for people.
    pub const fn label(self, lang: Lang) -> &'static str {
        match (lang, self) {
            (Lang::En, Self::Informational) => "Informational",
            (Lang::En, Self::Low) => "Low",
            (Lang::En, Self::Medium) => "Medium",
            (Lang::En, Self::High) => "High",
            (Lang::En, Self::Critical) => "Critical",
            (Lang::Fr, Self::Informational) => "Information",
            (Lang::Fr, Self::Low) => "Faible",
            (Lang::Fr, Self::Medium) => "Moyen",
            (Lang::Fr, Self::High) => "Élevé",
            (Lang::Fr, Self::Critical) => "Critique",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No severity has this name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no severity (informational, low, medium, high, critical)")]
pub struct UnknownSeverity(String);

impl FromStr for Severity {
    type Err = UnknownSeverity;

    /// Reads a name in any case, English or French, with or without accents.
    fn from_str(text: &str) -> Result<Self, UnknownSeverity> {
        Ok(match text.trim().to_lowercase().as_str() {
            "informational" | "information" | "info" => Self::Informational,
            "low" | "faible" | "bas" | "basse" => Self::Low,
            "medium" | "moderate" | "moyen" | "moyenne" => Self::Medium,
            "high" | "élevé" | "eleve" | "élevée" | "elevee" | "haut" | "haute" => Self::High,
            "critical" | "critique" => Self::Critical,
            _ => return Err(UnknownSeverity(text.chars().take(40).collect())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_languages_in_any_case() {
        for (text, expected) in [
            ("HIGH", Severity::High),
            ("Élevé", Severity::High),
            ("ÉLEVÉ", Severity::High),
            ("critique", Severity::Critical),
            (" Faible ", Severity::Low),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert!("urgent".parse::<Severity>().is_err());
    }

    #[test]
    fn is_ordered_by_gravity() {
        assert!(Severity::ALL.is_sorted());
    }
}
