//! The second verdict: what a model picked, in the words of this program.

use vigie_event::{Lang, Localized, ModelTrace, Proposal, Recommendation, Verdict};

use super::answer::Answer;
use super::offer::Offer;
use super::raised::Raised;
use crate::Case;
use crate::text::both;

/// The tag of alerts about words that speak to language models.
pub const INJECTION: &str = "llm.injection";

/// The verdict that `answer` is, beside `first`. `spoken_to` tells whether any alert of the
/// incident carries [`INJECTION`], those too that `case` has left out. `trace` tells how the answer
/// came about; agreement, proposals and note are filled in here.
///
/// Tactics, techniques and the autonomy score are measured, so they stay the first analyst's.
pub fn second(
    case: &Case<'_>,
    first: &Verdict,
    offer: &Offer,
    answer: &Answer,
    spoken_to: bool,
    model: &str,
    mut trace: ModelTrace,
) -> Verdict {
    let (raised, advice) = Raised::over(first.severity, answer.severity, spoken_to);
    trace.agrees = answer.severity == first.severity && answer.category == first.category;
    trace.proposals = advice.into_iter().chain(answer.close.then_some(Proposal::Close)).collect();
    trace.note = if spoken_to { String::new() } else { note(&answer.note) };
    let picked = |places: &[usize]| -> Vec<Recommendation> {
        places.iter().filter_map(|place| offer.actions().get(*place).cloned()).collect()
    };
    let questions = answer.questions.iter().filter_map(|place| offer.questions().get(*place));
    let facts = answer.facts.iter().filter_map(|place| offer.facts().get(*place));
    Verdict {
        incident: case.incident.id,
        revision: first.revision,
        analyst: model.into(),
        time: case.now,
        severity: raised.severity(),
        category: answer.category,
        confidence: answer.confidence.min(100),
        false_positive: answer.false_positive.min(100),
        attack: first.attack.clone(),
        autonomy: first.autonomy.clone(),
        summary: summary(first, answer),
        rationale: facts.cloned().collect(),
        recommendations: picked(&answer.actions),
        advice: Vec::new(),
        open_questions: questions.cloned().collect(),
        model: Some(trace),
    }
}

/// What the model thinks, beside what the first analyst thinks.
fn summary(first: &Verdict, answer: &Answer) -> Localized {
    both(|lang| {
        let category = answer.category.label(lang).to_lowercase();
        let severity = answer.severity.label(lang).to_lowercase();
        let same = answer.severity == first.severity && answer.category == first.category;
        match (lang, same) {
            (Lang::En, true) => {
                format!("The model agrees with the first analyst: {category}, severity {severity}.")
            }
            (Lang::Fr, true) => format!(
                "Le modèle est d’accord avec le premier analyste : {category}, gravité « {severity} »."
            ),
            (Lang::En, false) => format!(
                "The model sees it otherwise than the first analyst: {category}, severity {severity}."
            ),
            (Lang::Fr, false) => format!(
                "Le modèle en juge autrement que le premier analyste : {category}, gravité « {severity} »."
            ),
        }
    })
}

/// The model's own sentence, if it is made of plain words: no names with digits, no addresses, no
/// markup, nothing that could be taken for a link.
fn note(text: &str) -> String {
    let is_plain = |c: char| c.is_alphabetic() || " ,.;:'’-()".contains(c);
    let ends_words =
        text.split('.').skip(1).all(|after| after.is_empty() || after.starts_with(' '));
    let plain = text.chars().all(is_plain) && ends_words;
    if plain { text.trim().to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_plain_words_or_nothing() {
        for (text, kept) in [
            ("The login after guessing weighs most.", true),
            ("La connexion après les essais pèse le plus.", true),
            ("see http://203.0.113.9/x", false),
            ("see evil.example", false),
            ("write ZX372610", false),
            ("<b>bold</b>", false),
            ("![x](y)", false),
            ("two\nlines", false),
        ] {
            assert_eq!(!note(text).is_empty(), kept, "{text}");
        }
    }
}
