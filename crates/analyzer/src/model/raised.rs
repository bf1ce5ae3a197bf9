//! A severity that a model can only raise.

use vigie_event::{Proposal, Severity};

/// How severe an incident is once a model has spoken: never less than the first analyst said.
///
/// There is no other way to make one, so no answer of a model lowers anything.
///
/// ```
/// use vigie_analyzer::model::Raised;
/// use vigie_event::{Proposal, Severity};
///
/// let (kept, advice) = Raised::over(Severity::Critical, Severity::Low, false);
/// assert_eq!(kept.severity(), Severity::Critical);
/// assert_eq!(advice, Some(Proposal::Lower { to: Severity::Low }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raised(Severity);

impl Raised {
    /// What `stated` by a model makes of `first`. A lower one is a proposal for people; so is a
    /// higher one where the logs speak to models (`spoken_to`): nobody earns severity by words.
    pub fn over(first: Severity, stated: Severity, spoken_to: bool) -> (Self, Option<Proposal>) {
        if stated < first {
            (Self(first), Some(Proposal::Lower { to: stated }))
        } else if stated > first && spoken_to {
            (Self(first), Some(Proposal::Raise { to: stated }))
        } else {
            (Self(stated), None)
        }
    }

    /// The severity.
    pub const fn severity(self) -> Severity {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lowered_whatever_is_said() {
        for first in Severity::ALL {
            for stated in Severity::ALL {
                for spoken_to in [false, true] {
                    let (kept, advice) = Raised::over(first, stated, spoken_to);
                    assert!(kept.severity() >= first, "{first} {stated}");
                    assert_eq!(advice.is_none(), kept.severity() == stated, "what differs is told");
                    assert!(!spoken_to || kept.severity() == first, "{first} {stated}");
                }
            }
        }
    }
}
