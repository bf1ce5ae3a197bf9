//! The policy: which rule answers a verdict.

use std::net::IpAddr;

use ipnet::IpNet;
use vigie_event::{Action, Category, Incident, Localized, Severity, Verdict};

use crate::policy_file;
pub use crate::policy_file::PolicyError;

/// The policy that ships with Vigie, as a commented file to start one's own from.
pub const SHIPPED_POLICY: &str = include_str!("../policy.toml");

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// Which actions answer which verdict. Rules are tried in order; the first that fits decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The rules, in order.
    pub rules: Vec<PolicyRule>,
    /// How bans grow, and how many a minute are too many.
    pub bans: BanTerms,
}

impl Policy {
    /// The policy in [`SHIPPED_POLICY`].
    pub fn shipped() -> Self {
        // A test proves that the shipped file parses; the empty policy, which does nothing, only
        // stands here because libraries do not panic.
        Self::parse(SHIPPED_POLICY)
            .unwrap_or_else(|_| Self { rules: Vec::new(), bans: BanTerms::default() })
    }

    /// Reads a policy file. A policy is taken whole or not at all: half a policy could ban whom
    /// the other half protects.
    ///
    /// # Errors
    /// The first mistake, with its line, its column and how to mend it.
    pub fn parse(toml: &str) -> Result<Self, PolicyError> {
        policy_file::parse(toml)
    }

    /// Whether a rule asks for the autonomy score.
    pub fn reads_autonomy(&self) -> bool {
        self.rules.iter().any(|rule| rule.when.min_autonomy.is_some())
    }

    /// The first rule that fits, if any does.
    pub fn rule_for(&self, verdict: &Verdict, incident: &Incident) -> Option<&PolicyRule> {
        self.rules.iter().find(|rule| rule.when.holds(verdict, incident))
    }
}

/// One rule of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyRule {
    /// How decisions name it.
    pub name: String,
    /// What must hold.
    pub when: When,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// How long a first ban holds, in seconds; `None`: as [`BanTerms::first_s`] says.
    pub duration_s: Option<u64>,
    /// Why, as a clause without capital and full stop.
    pub reason: Localized,
}

/// One action of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// Which playbook or command, for `run_playbook` and `run_command`: letters, digits, `-` and
    /// `_`, so it can never be a path.
    pub name: Option<String>,
}

/// What must hold for a rule to fit. What is absent holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct When {
    /// The least severity.
    pub min_severity: Option<Severity>,
    /// The greatest severity.
    pub max_severity: Option<Severity>,
    /// The categories; empty: any.
    pub categories: Vec<Category>,
    /// Actions of which the verdict must recommend one; empty: none need be.
    pub recommended: Vec<Action>,
    /// The least confidence, 0–100.
    pub min_confidence: Option<u8>,
    /// The greatest likelihood of a false positive, 0–100.
    pub max_false_positive: Option<u8>,
    /// The least autonomy score, 0–100; a verdict without score does not reach it.
    pub min_autonomy: Option<u8>,
    /// Networks of which one must hold the actor's address; empty: none need.
    pub actor_in: Vec<IpNet>,
    /// Networks of which none may hold the actor's address.
    pub actor_not_in: Vec<IpNet>,
}

impl When {
    /// Whether everything holds for `verdict` on `incident`.
    pub fn holds(&self, verdict: &Verdict, incident: &Incident) -> bool {
        self.severity_holds(verdict)
            && (self.categories.is_empty() || self.categories.contains(&verdict.category))
            && self.recommendation_holds(verdict)
            && self.min_confidence.is_none_or(|least| verdict.confidence >= least)
            && self.max_false_positive.is_none_or(|most| verdict.false_positive <= most)
            && self
                .min_autonomy
                .is_none_or(|least| verdict.autonomy.score.is_some_and(|score| score >= least))
            && self.actor_holds(incident)
    }

    fn severity_holds(&self, verdict: &Verdict) -> bool {
        self.min_severity.is_none_or(|least| verdict.severity >= least)
            && self.max_severity.is_none_or(|most| verdict.severity <= most)
    }

    fn recommendation_holds(&self, verdict: &Verdict) -> bool {
        self.recommended.is_empty()
            || verdict
                .recommendations
                .iter()
                .any(|advice| self.recommended.contains(&advice.action))
    }

    fn actor_holds(&self, incident: &Incident) -> bool {
        let address = actor_address(incident);
        let within = |networks: &[IpNet]| {
            address.is_some_and(|address| networks.iter().any(|net| net.contains(&address)))
        };
        (self.actor_in.is_empty() || within(&self.actor_in)) && !within(&self.actor_not_in)
    }
}

/// The actor's address, where the actor is one.
pub(crate) fn actor_address(incident: &Incident) -> Option<IpAddr> {
    if incident.actor.field != "source.ip" {
        return None;
    }
    incident.actor.value.parse().ok().map(vigie_event::unmapped)
}

/// How bans grow, and how many a minute are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BanTerms {
    /// How long the first ban holds, in seconds.
    pub first_s: u64,
    /// How many times longer each next ban is, 1–10.
    pub factor: u32,
    /// How long an earlier ban is remembered from its beginning, in seconds.
    pub memory_s: u64,
    /// No ban is longer, in seconds.
    pub longest_s: u64,
    /// Bans a minute beyond which bans wait for approval.
    pub per_minute: u32,
}

impl Default for BanTerms {
    /// 4 h, doubling for each ban of the last 30 days up to 4 weeks; 30 bans a minute.
    fn default() -> Self {
        Self {
            first_s: 4 * HOUR,
            factor: 2,
            memory_s: 30 * DAY,
            longest_s: 28 * DAY,
            per_minute: 30,
        }
    }
}

impl BanTerms {
    /// How long the next ban of an address holds that was banned `earlier` times, in seconds.
    pub fn duration_s(&self, first_s: Option<u64>, earlier: usize) -> u64 {
        let first = first_s.unwrap_or(self.first_s).min(self.longest_s);
        let times = u32::try_from(earlier).unwrap_or(u32::MAX);
        let factor = u64::from(self.factor).checked_pow(times).unwrap_or(u64::MAX);
        first.saturating_mul(factor).min(self.longest_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{incident, verdict};

    fn check(severity: Severity, confidence: u8, false_positive: u8, ban: bool, expected: &str) {
        let incident = incident("203.0.113.7");
        let mut verdict = verdict(&incident, severity, ban);
        verdict.confidence = confidence;
        verdict.false_positive = false_positive;
        let policy = Policy::shipped();
        let rule = policy.rule_for(&verdict, &incident).unwrap();
        let actions: Vec<_> = rule.steps.iter().map(|step| step.action.name()).collect();
        assert_eq!(format!("{}: {}", rule.name, actions.join(" ")), expected);
    }

    #[test]
    fn the_shipped_policy_answers_every_severity() {
        check(Severity::Critical, 90, 5, true, "critical-ban: escalate block_ip");
        check(Severity::Critical, 90, 5, false, "critical: escalate");
        check(Severity::High, 90, 5, true, "high-ban: block_ip create_ticket");
        check(Severity::High, 90, 5, false, "high: create_ticket");
        check(Severity::Medium, 90, 5, true, "medium: create_ticket");
        check(Severity::Low, 90, 5, true, "low: monitor");
        check(Severity::Informational, 90, 5, true, "informational: ignore");
    }

    #[test]
    fn the_shipped_policy_bans_only_on_firm_ground() {
        check(Severity::High, 60, 40, true, "high-ban: block_ip create_ticket");
        check(Severity::High, 59, 5, true, "high: create_ticket");
        check(Severity::High, 90, 41, true, "high: create_ticket");
        check(Severity::Critical, 59, 5, true, "critical: escalate");
    }

    #[test]
    fn every_condition_can_keep_a_rule_from_fitting() {
        let incident = incident("203.0.113.7");
        let verdict = verdict(&incident, Severity::High, true);
        let holds = |when: &str| {
            let toml = format!(
                "[[rule]]\nname = \"x\"\nwhen = {{ {when} }}\ndo = [\"ignore\"]\nreason = {{ en = \"x\", fr = \"x\" }}"
            );
            Policy::parse(&toml).unwrap().rule_for(&verdict, &incident).is_some()
        };
        for (when, expected) in [
            ("", true),
            ("min_severity = \"critical\"", false),
            ("max_severity = \"medium\"", false),
            ("max_severity = \"high\"", true),
            ("category = \"brute_force\"", true),
            ("category = [\"malware\", \"brute_force\"]", true),
            ("category = \"malware\"", false),
            ("recommended = \"block_ip\"", true),
            ("recommended = [\"escalate\"]", false),
            ("min_confidence = 91", false),
            ("max_false_positive = 4", false),
            ("min_autonomy = 1", false),
            ("actor_in = \"203.0.113.0/24\"", true),
            ("actor_in = [\"198.51.100.0/24\"]", false),
            ("actor_not_in = [\"203.0.113.7\"]", false),
            ("actor_not_in = \"198.51.100.0/24\"", true),
        ] {
            assert_eq!(holds(when), expected, "{when}");
        }
    }

    #[test]
    fn bans_double_up_to_four_weeks() {
        let terms = BanTerms::default();
        for (earlier, hours) in [(0, 4), (1, 8), (2, 16), (7, 512), (8, 672), (1_000, 672)] {
            assert_eq!(terms.duration_s(None, earlier), hours * HOUR, "{earlier}");
        }
        assert_eq!(terms.duration_s(Some(60), 3), 480);
    }
}
