//! A verdict as its card shows it.

use std::collections::HashMap;

use vigie_event::{Attack, EventId, Localized, ModelTrace, Proposal, Severity, Timestamp, Verdict};

use crate::i18n::Text;
use crate::shown::Shown;
use crate::words;

/// Proofs linked with one claim; the rest is counted.
const PROOFS: usize = 8;

/// A verdict.
pub(crate) struct VerdictView {
    pub built_in: bool,
    pub analyst: Shown,
    pub time: Timestamp,
    pub severity: Severity,
    pub category: &'static str,
    pub confidence: u8,
    pub false_positive: u8,
    pub attack: Vec<TacticView>,
    pub autonomy: AutonomyView,
    pub summary: Shown,
    pub rationale: Vec<ClaimView>,
    pub recommendations: Vec<RecommendationView>,
    pub advice: Vec<Shown>,
    pub open_questions: Vec<Shown>,
    pub model: Option<ModelView>,
}

/// How a model came to its verdict.
pub(crate) struct ModelView {
    pub agrees: bool,
    /// What it advises and only people may do.
    pub proposals: Vec<String>,
    /// Its own words: untrusted.
    pub note: Option<Shown>,
    pub version: Shown,
    pub prompt: Shown,
    pub tokens: u64,
    pub seconds: String,
    /// Keys of what else is worth knowing.
    pub remarks: Vec<&'static str>,
}

/// A tactic with its techniques.
pub(crate) struct TacticView {
    pub id: Shown,
    pub name: Shown,
    pub techniques: Vec<TechniqueView>,
}

/// A technique.
pub(crate) struct TechniqueView {
    pub id: Shown,
    pub name: Shown,
}

/// A claim with links to its proofs among the evidence.
pub(crate) struct ClaimView {
    pub text: Shown,
    pub proofs: Proofs,
}

/// Events that prove something.
pub(crate) struct Proofs {
    pub shown: Vec<Proof>,
    /// Further ones, which are not shown.
    pub more: usize,
}

impl Proofs {
    fn of(events: &[EventId], numbers: &HashMap<EventId, usize>) -> Self {
        let known = events
            .iter()
            .filter_map(|id| numbers.get(id).map(|number| Proof { id: *id, number: *number }));
        let shown: Vec<Proof> = known.take(PROOFS).collect();
        Self { more: events.len() - shown.len(), shown }
    }
}

/// A link to a line of evidence.
pub(crate) struct Proof {
    pub id: EventId,
    pub number: usize,
}

/// A recommended action.
pub(crate) struct RecommendationView {
    pub action: String,
    pub targets: Vec<Shown>,
    pub reason: Shown,
}

/// The autonomy score.
pub(crate) struct AutonomyView {
    pub score: Option<u8>,
    pub band: &'static str,
    pub confidence: u8,
    pub indicators: Vec<IndicatorView>,
    pub counter_evidence: Vec<Shown>,
}

/// One sign of automation.
pub(crate) struct IndicatorView {
    pub text: Shown,
    pub name: Shown,
    pub value: String,
    pub threshold: String,
    pub points: String,
    pub proofs: Proofs,
}

impl VerdictView {
    /// The card of `verdict`; `numbers` are those of the lines of evidence on the page.
    pub(crate) fn of(verdict: &Verdict, t: Text, numbers: &HashMap<EventId, usize>) -> Self {
        let texts = |texts: &[Localized]| -> Vec<Shown> {
            texts.iter().map(|text| Shown::prose(t.pick(text))).collect()
        };
        let autonomy = &verdict.autonomy;
        Self {
            built_in: verdict.analyst == "built-in",
            analyst: Shown::brief(&verdict.analyst),
            time: verdict.time,
            severity: verdict.severity,
            category: verdict.category.label(t.lang()),
            confidence: verdict.confidence.min(100),
            false_positive: verdict.false_positive.min(100),
            attack: tactics(&verdict.attack),
            autonomy: AutonomyView {
                score: autonomy.score.map(|score| score.min(100)),
                band: words::autonomy_band(autonomy.band),
                confidence: autonomy.confidence.min(100),
                indicators: autonomy
                    .indicators
                    .iter()
                    .map(|sign| IndicatorView {
                        text: Shown::prose(t.pick(&sign.text)),
                        name: Shown::brief(&sign.name),
                        value: t.decimal(sign.value),
                        threshold: t.decimal(sign.threshold),
                        points: t.decimal(sign.points),
                        proofs: Proofs::of(&sign.events, numbers),
                    })
                    .collect(),
                counter_evidence: texts(&autonomy.counter_evidence),
            },
            summary: Shown::prose(t.pick(&verdict.summary)),
            rationale: verdict
                .rationale
                .iter()
                .map(|claim| ClaimView {
                    text: Shown::prose(t.pick(&claim.claim)),
                    proofs: Proofs::of(&claim.events, numbers),
                })
                .collect(),
            recommendations: verdict
                .recommendations
                .iter()
                .map(|recommendation| RecommendationView {
                    action: recommendation.action.label(t.lang()).to_owned(),
                    targets: recommendation
                        .target
                        .values()
                        .map(|one| Shown::cut(one, 80))
                        .collect(),
                    reason: Shown::prose(t.pick(&recommendation.reason)),
                })
                .collect(),
            advice: texts(&verdict.advice),
            open_questions: texts(&verdict.open_questions),
            model: verdict.model.as_ref().map(|trace| model(trace, t)),
        }
    }
}

fn model(trace: &ModelTrace, t: Text) -> ModelView {
    let level = |severity: &Severity| severity.label(t.lang()).to_lowercase();
    let proposal = |proposal: &Proposal| match proposal {
        Proposal::Lower { to } => t.with("proposal-lower", "severity", level(to)).into_owned(),
        Proposal::Raise { to } => t.with("proposal-raise", "severity", level(to)).into_owned(),
        Proposal::Close => t.s("proposal-close").into_owned(),
    };
    let remarks = [
        (trace.cached, "model-cached"),
        (trace.repaired, "model-repaired"),
        (!trace.schema_enforced, "model-unenforced"),
    ];
    ModelView {
        agrees: trace.agrees,
        proposals: trace.proposals.iter().map(proposal).collect(),
        note: (!trace.note.is_empty()).then(|| Shown::cut(&trace.note, 200)),
        version: Shown::cut(&trace.version, 80),
        prompt: Shown::cut(&trace.prompt, 16),
        tokens: u64::from(trace.prompt_tokens) + u64::from(trace.answer_tokens),
        seconds: t.decimal(f64::from(trace.latency_ms) / 1_000.0),
        remarks: remarks.into_iter().filter_map(|(holds, key)| holds.then_some(key)).collect(),
    }
}

/// Reconnaissance and resource development come before all other tactics (MITRE ATT&CK for
/// enterprises), though their ids are later.
const BEFORE: [&str; 2] = ["TA0043", "TA0042"];

/// Techniques under their tactics, in the verdict's order but for what comes before all others.
fn tactics(attack: &[Attack]) -> Vec<TacticView> {
    let mut tactics: Vec<(&str, TacticView)> = Vec::new();
    for entry in attack {
        let technique = (!entry.technique.is_empty()).then(|| TechniqueView {
            id: Shown::brief(&entry.technique),
            name: Shown::brief(&entry.technique_name),
        });
        let known = tactics.iter_mut().find(|(id, _)| *id == entry.tactic);
        if let Some((_, tactic)) = known {
            tactic.techniques.extend(technique);
            continue;
        }
        let name = words::tactic_title(&entry.tactic_name);
        let tactic = TacticView {
            id: Shown::brief(&entry.tactic),
            name: Shown::brief(&name),
            techniques: technique.into_iter().collect(),
        };
        tactics.push((&entry.tactic, tactic));
    }
    tactics.sort_by_key(|(id, _)| {
        BEFORE.iter().position(|before| before == id).unwrap_or(BEFORE.len())
    });
    tactics.into_iter().map(|(_, tactic)| tactic).collect()
}
