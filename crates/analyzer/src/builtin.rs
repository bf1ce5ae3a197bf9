//! The deterministic analyst.

use vigie_event::{
    Claim, Closings, EVIDENCE_PER_ALERT, Earlier, EventId, Lang, Langs, Localized, Verdict,
};

use crate::facts::{Facts, Finding};
use crate::score::{Part, Score};
use crate::text::{counted, push_counted, push_duration, shown};
use crate::{Background, Case, attack, known, learning, recommend, severity, summary};

/// The name that the built-in analyst signs with.
pub const NAME: &str = "built-in";
/// Alerts that a verdict speaks of one by one.
const MOST_CLAIMS: usize = 10;
/// Events cited with one claim.
const MOST_EVENTS: usize = 20;
/// Events cited with a claim about one alert, which names more of them itself: as many as it shows
/// with their raw records.
const EVENTS_OF_ALERT: usize = EVIDENCE_PER_ALERT;

/// The deterministic analyst: the same case gives the same verdict, in well under a millisecond.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    langs: Langs,
    /// Whether the autonomy score is wanted.
    autonomy: bool,
}

impl Default for BuiltIn {
    fn default() -> Self {
        Self::speaking(Langs::Both)
    }
}

impl BuiltIn {
    /// The analyst; it keeps nothing between cases.
    pub fn new() -> Self {
        Self::default()
    }

    /// The analyst who writes in `langs`.
    pub const fn speaking(langs: Langs) -> Self {
        Self { langs, autonomy: true }
    }

    /// The analyst whose verdicts are decided on and not read: their severity, category, confidence,
    /// likelihood of a false positive, recommended actions with their targets and, with `autonomy`,
    /// its score are as ever; what explains them is left out.
    pub const fn weighing(autonomy: bool) -> Self {
        Self { langs: Langs::None, autonomy }
    }

    /// Whether he asks what the actor did, for the autonomy score.
    pub const fn reads_activity(&self) -> bool {
        self.autonomy
    }

    /// Judges an incident by its alerts and what their rules' authors know.
    ///
    /// Text from logs is counted and shown, never read: no wording changes a verdict.
    pub fn judge(&self, case: &Case<'_>) -> Verdict {
        self.judge_knowing(case, &Background::default())
    }

    /// As [`BuiltIn::judge`], with what is known besides the evidence. It can raise severity and
    /// never lowers it.
    pub fn judge_knowing(&self, case: &Case<'_>, background: &Background<'_>) -> Verdict {
        let facts = Facts::of(case, self.langs);
        let (mut severity, raised) = severity::judge(&facts);
        let mut score = Score::of(&facts);
        let mut known_of = Vec::new();
        if let Some(known) = background.known {
            let entities = &case.incident.entities;
            known_of = known::apply(&facts, entities, known, &mut severity, &mut score);
        }
        if let Some(past) = background.past {
            known_of.extend(past.earlier.map(|earlier| earlier_claim(case, &earlier, self.langs)));
            known_of.extend(learning::apply(&facts, past, severity, &mut score));
        }
        let declared =
            background.known.is_some_and(|known| known.tools.contains(&case.incident.actor.value));
        let category = facts.leading().map(|finding| finding.category).unwrap_or_default();

        let autonomy = self
            .autonomy
            .then(|| crate::autonomy::of_incident(&facts, background.activity, declared));
        let mut verdict = Verdict {
            incident: case.incident.id,
            revision: case.incident.revision,
            analyst: NAME.into(),
            time: case.now,
            severity,
            category,
            confidence: score.confidence,
            false_positive: score.false_positive,
            attack: Vec::new(),
            autonomy: autonomy.unwrap_or_default(),
            summary: Localized::default(),
            rationale: Vec::new(),
            recommendations: recommend::actions(case, &facts, severity),
            advice: Vec::new(),
            open_questions: Vec::new(),
            model: None,
        };
        if self.langs.any() {
            verdict.attack = attack::of_all_tags(case.alerts.iter().map(|alert| &*alert.tags));
            verdict.summary = summary::summary(case, &facts, category, severity);
            verdict.rationale = rationale(&facts, raised, score.parts, known_of);
            verdict.advice = recommend::advice(&facts);
            verdict.open_questions = recommend::open_questions(case, &facts);
        }
        verdict
    }
}

/// Each claim with its proof: what the alerts counted, what raised the severity, what the score is
/// made of, and what was known before.
fn rationale(
    facts: &Facts<'_>,
    raised: Vec<Claim>,
    parts: Vec<Part>,
    known: Vec<Claim>,
) -> Vec<Claim> {
    let findings = facts.findings.iter().take(MOST_CLAIMS);
    let most = findings.len() + raised.len() + parts.len() + known.len() + 1;
    let mut rationale: Vec<Claim> = Vec::with_capacity(most);
    rationale.extend(findings.map(|finding| finding_claim(finding, facts.langs)));
    rationale.extend(raised);
    rationale.extend(parts.into_iter().map(|part| part.into_claim(facts.langs)));
    rationale.extend(known);
    rationale.extend(injection_claim(facts));
    for claim in &mut rationale {
        claim.events.truncate(MOST_EVENTS);
    }
    rationale
}

/// What one alert counted, over which time.
fn finding_claim(finding: &Finding<'_>, langs: Langs) -> Claim {
    let alert = finding.alert;
    let seconds = u64::try_from(alert.last_seen.since(alert.first_seen) / 1_000_000_000);
    let seconds = seconds.unwrap_or(0);
    let claim = langs.text(|lang| {
        let title = alert.rule.title.get(lang);
        let (colon, one, many, over) = match lang {
            Lang::En => (": ", "event", "events", " over "),
            Lang::Fr => (" : ", "événement", "événements", " en "),
        };
        let mut text = String::with_capacity(title.len() + 48);
        text.push_str(title);
        text.push_str(colon);
        push_counted(&mut text, alert.count, one, many, lang);
        if seconds > 0 {
            text.push_str(over);
            push_duration(&mut text, seconds, lang);
        }
        text
    });
    Claim { claim, events: alert.events.iter().take(EVENTS_OF_ALERT).copied().collect() }
}

/// How often the actor was met before, and what became of it.
fn earlier_claim(case: &Case<'_>, earlier: &Earlier, langs: Langs) -> Claim {
    let claim = langs.text(|lang| {
        let actor = shown(&case.incident.actor.value, lang);
        let Closings { true_positive: attacks, undetermined, .. } = earlier.closings;
        let harmless = earlier.closings.harmless();
        let open = earlier.incidents.saturating_sub(earlier.closings.total());
        let number = u64::from(earlier.incidents);
        let french = |number: u32, one, many| counted(u64::from(number), one, many, Lang::Fr);
        match lang {
            Lang::En if number == 0 => format!("The first incident about {actor}"),
            Lang::Fr if number == 0 => format!("Le premier incident concernant {actor}"),
            Lang::En => format!(
                "{} about {actor}: {}, {harmless} as benign, {undetermined} undetermined, {open} not closed",
                counted(number, "earlier incident", "earlier incidents", lang),
                counted(attacks.into(), "closed as an attack", "closed as attacks", lang),
            ),
            Lang::Fr => format!(
                "{} concernant {actor} : {}, {}, {}, {open} non clos",
                counted(number, "incident antérieur", "incidents antérieurs", lang),
                french(attacks, "clos comme attaque", "clos comme attaques"),
                french(harmless, "comme bénin", "comme bénins"),
                french(undetermined, "indéterminé", "indéterminés"),
            ),
        }
    });
    Claim { claim, events: Vec::new() }
}

/// That somebody tried to talk to a model; without his words.
fn injection_claim(facts: &Facts<'_>) -> Option<Claim> {
    if facts.injections.is_empty() {
        return None;
    }
    let claim = facts.langs.fixed(
        "A log line carries instructions for an AI assistant; they were not followed and change nothing here",
        "Une ligne de journal porte des instructions pour un assistant IA ; elles n’ont pas été suivies et ne changent rien ici",
    );
    let events: Vec<EventId> =
        facts.injections.iter().flat_map(|alert| alert.events.iter().copied()).collect();
    Some(Claim { claim, events })
}
