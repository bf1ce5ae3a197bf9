//! A file's alerts judged together, counted, and put into words.

use std::collections::BTreeMap;

use serde::Serialize;
use vigie_event::{AutonomyBand, Localized, Severity};

use super::automation::{self, Course};
use super::chain::{self, Chain, Link};
use super::judge::{Judged, judge};
use super::read::{Problem, Reading};

/// A file's alerts judged, with what was wrong in the file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The alerts in the order of the file.
    pub alerts: Vec<Judged>,
    /// Alerts that belong together.
    pub chains: Vec<Chain>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Events of the file that are no alerts.
    pub passed_over: usize,
    /// Counts.
    pub statistics: Statistics,
}

/// Counts over a report's alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Alerts.
    pub alerts: usize,
    /// By criticality; all five stand in it.
    pub by_severity: BTreeMap<Severity, usize>,
    /// By category.
    pub by_category: BTreeMap<&'static str, usize>,
    /// By ATT&CK technique id.
    pub by_technique: BTreeMap<String, usize>,
    /// Alerts that are rather a false positive than an attack.
    pub false_positives: usize,
    /// Alerts with signs of a program at work, band by band; `insufficient_data` left out.
    pub by_autonomy: BTreeMap<&'static str, usize>,
    /// Alerts whose severity the file did not state.
    pub severity_unknown: usize,
    /// Mean confidence, 0–100.
    pub mean_confidence: u8,
    /// Mean likelihood of a false positive, 0–100.
    pub mean_false_positive: u8,
}

impl Report {
    /// Judges `alerts` one by one and together.
    pub fn of(reading: Reading) -> Self {
        let judged = reading.alerts.into_iter().map(judge).collect();
        Self::gather(judged, reading.problems, reading.passed_over)
    }

    /// Brings together what was judged one by one, so that a caller can show progress in between.
    ///
    /// In a chain each alert gains 10 points of confidence and loses 10 of false positive; in one
    /// of three stages or more that reaches inside, it gains and loses 5 more, and alerts of at
    /// least medium criticality rise one step.
    pub fn gather(mut alerts: Vec<Judged>, problems: Vec<Problem>, passed_over: usize) -> Self {
        let chains = chain::find(&alerts);
        for chain in &chains {
            let members: Vec<&Judged> =
                chain.alerts.iter().filter_map(|place| alerts.get(*place)).collect();
            let course = Course::of(&members);
            for place in &chain.alerts {
                let Some(judged) = alerts.get_mut(*place) else { continue };
                judged.autonomy = automation::together(judged, &course);
                judged.add(
                    Localized::new(
                        "Other alerts stand close to it",
                        "D’autres alertes l’entourent",
                    ),
                    10,
                    -10,
                );
                if chain.intrusion && chain.stages >= 3 {
                    judged.add(
                        Localized::new(
                            "It is a stage of an intrusion",
                            "C’est une étape d’une intrusion",
                        ),
                        5,
                        -5,
                    );
                    judged.criticality = raised(judged.criticality);
                    judged.act();
                }
            }
        }
        let statistics = Statistics::of(&alerts);
        Self { alerts, chains, problems, passed_over, statistics }
    }

    /// The same report with the alerts of `least` or worse only; chains keep those that are left, and
    /// tell of them alone.
    #[must_use]
    pub fn at_least(self, least: Severity) -> Self {
        let kept: Vec<Option<usize>> = self
            .alerts
            .iter()
            .scan(0, |next, judged| {
                let keep = judged.criticality >= least;
                let place = *next;
                *next += usize::from(keep);
                Some(keep.then_some(place))
            })
            .collect();
        let alerts: Vec<Judged> =
            self.alerts.into_iter().filter(|judged| judged.criticality >= least).collect();
        let of_kept = |chain: Chain| {
            let places: Vec<usize> =
                chain.alerts.into_iter().filter_map(|place| *kept.get(place)?).collect();
            let link = |link: Link| {
                let (from, to) = ((*kept.get(link.from)?)?, (*kept.get(link.to)?)?);
                Some(Link { from, to, ..link })
            };
            let links = chain.links.into_iter().filter_map(link).collect();
            (places.len() > 1).then(|| chain::chain(&alerts, places, links))
        };
        let chains = self.chains.into_iter().filter_map(of_kept).collect();
        let statistics = Statistics::of(&alerts);
        let Self { problems, passed_over, .. } = self;
        Self { alerts, chains, problems, passed_over, statistics }
    }
}

fn raised(severity: Severity) -> Severity {
    match severity {
        Severity::Medium => Severity::High,
        Severity::High => Severity::Critical,
        same => same,
    }
}

const fn band_name(band: AutonomyBand) -> Option<&'static str> {
    match band {
        AutonomyBand::InsufficientData => None,
        AutonomyBand::NoSign => Some("no_sign"),
        AutonomyBand::Automated => Some("automated"),
        AutonomyBand::ProbableAgent => Some("probable_agent"),
        AutonomyBand::StrongEvidence => Some("strong_evidence"),
    }
}

impl Statistics {
    fn of(alerts: &[Judged]) -> Self {
        let mut totals = Self { alerts: alerts.len(), ..Self::default() };
        totals.by_severity.extend(Severity::ALL.map(|severity| (severity, 0)));
        let (mut confidence, mut false_positive) = (0_usize, 0_usize);
        for judged in alerts {
            *totals.by_severity.entry(judged.criticality).or_default() += 1;
            *totals.by_category.entry(judged.category.name()).or_default() += 1;
            for attack in judged.attack.iter().filter(|attack| !attack.technique.is_empty()) {
                *totals.by_technique.entry(attack.technique.to_string()).or_default() += 1;
            }
            totals.false_positives += usize::from(judged.is_false_positive);
            if let Some(band) = band_name(judged.autonomy.band) {
                *totals.by_autonomy.entry(band).or_default() += 1;
            }
            totals.severity_unknown += usize::from(judged.alert.severity.is_none());
            confidence += usize::from(judged.confidence);
            false_positive += usize::from(judged.false_positive);
        }
        if let Some(mean) = confidence.checked_div(alerts.len()) {
            totals.mean_confidence = mean as u8;
        }
        if let Some(mean) = false_positive.checked_div(alerts.len()) {
            totals.mean_false_positive = mean as u8;
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alertfile::{Reading, read};
    use vigie_event::Action;

    /// One intrusion in eight alerts, in the dialects of several tools.
    const INTRUSION: &str = r#"[
      {"id": "1", "alert_type": "Port Scan", "severity": "medium", "source_ip": "203.0.113.7", "destination_ip": "192.0.2.10", "timestamp": "2026-01-05T10:00:00Z", "ports_per_second": 47},
      {"id": "2", "type": "SSH Brute Force", "severity": "HIGH", "src_ip": "203.0.113.7", "dst": "192.0.2.10", "timestamp": "2026-01-05T10:05:00Z", "attempts": 156},
      {"id": "3", "alert_type": "Lateral Movement", "severity": "Élevé", "src": "192.0.2.10", "target": "192.0.2.11", "timestamp": "2026-01-05T10:20:00Z"},
      {"id": "4", "alert_type": "Data Exfiltration", "severity": "critical", "source_ip": "192.0.2.11", "timestamp": "2026-01-05T10:40:00Z", "bytes": 2300000000},
      {"id": "5", "alert_type": "SQL Injection", "source_ip": "203.0.113.7", "timestamp": "2026-01-05T10:02:00Z"},
      {"id": "6", "alert_type": "Command Execution", "severity": "high", "source_ip": "192.0.2.11", "timestamp": "2026-01-05T10:30:00Z"},
      {"id": "7", "alert_type": "Anomalous API Activity", "severity": "medium"},
      {"id": "8", "alert_type": "Credential Harvesting", "severity": "critical", "host": "192.0.2.11", "timestamp": "2026-01-05T10:35:00Z"}
    ]"#;

    #[test]
    fn an_intrusion_is_seen_as_one() {
        let report = Report::of(read(INTRUSION));
        assert_eq!(report.statistics.alerts, 8);
        assert_eq!(report.chains.len(), 1);
        assert_eq!(report.chains[0].alerts, [0, 4, 1, 2, 5, 7, 3]);
        assert!(report.chains[0].intrusion);
        assert_eq!(report.alerts[0].criticality, Severity::High);
        assert_eq!(report.alerts[1].criticality, Severity::Critical);
        assert_eq!(report.alerts[6].criticality, Severity::Medium, "alone, so not raised");
        assert_eq!(report.statistics.severity_unknown, 1);
        assert_eq!(report.statistics.by_severity.values().sum::<usize>(), 8);
        let ban = &report.alerts[1].actions[0];
        assert_eq!(
            (ban.action, ban.target.get("source.ip").unwrap()),
            (Action::BlockIp, "203.0.113.7")
        );
        assert!(report.alerts.iter().all(|judged| !judged.attack.is_empty()));
        assert!(report.alerts[1].false_positive < report.alerts[6].false_positive);
    }

    #[test]
    fn the_filter_keeps_places_right() {
        let report = Report::of(read(INTRUSION)).at_least(Severity::Critical);
        assert!(report.alerts.iter().all(|judged| judged.criticality == Severity::Critical));
        assert!(!report.chains.is_empty());
        for chain in &report.chains {
            assert!(chain.alerts.iter().all(|place| *place < report.alerts.len()));
            let counted = format!("{} alerts over ", chain.alerts.len());
            assert!(chain.text.get(vigie_event::Lang::En).starts_with(&counted));
        }
    }

    #[test]
    fn of_one_s_own_machine_it_is_asked_first_what_it_is() {
        let reason = |source: &str| {
            let text = format!(
                r#"[{{"type": "SSH Brute Force", "severity": "high", "src_ip": "{source}"}}]"#
            );
            let report = Report::of(read(&text));
            let ban = &report.alerts[0].actions[0];
            assert_eq!((ban.action, ban.target.get("source.ip")), (Action::BlockIp, Some(source)));
            ban.reason.get(vigie_event::Lang::En).to_owned()
        };
        assert!(reason("10.0.0.1").contains("your own network"));
        assert_eq!(reason("203.0.113.7"), "It stops the source");
    }

    #[test]
    fn alerts_of_no_stage_are_no_intrusion() {
        let text = r#"[{"type": "Notice", "src_ip": "203.0.113.7", "timestamp": "2026-01-05T10:00:00Z"},
                       {"type": "Notice", "src_ip": "203.0.113.7", "timestamp": "2026-01-05T10:01:00Z"}]"#;
        let report = Report::of(read(text));
        let text = report.chains[0].text.get(vigie_event::Lang::Fr);
        assert_eq!(text, "2 alertes en 60 s qui ne montrent aucune étape d’une intrusion");
    }

    #[test]
    fn an_empty_report_is_no_error() {
        let report = Report::of(Reading::default());
        assert_eq!(report.statistics.mean_confidence, 0);
        assert!(report.chains.is_empty());
    }
}
