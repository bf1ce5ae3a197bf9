//! Reading what a model answered: either it is one of the choices, or it is nothing.

use std::fmt;

use serde::Deserialize;
use vigie_event::{Category, Severity};

use super::offer::Offer;
use super::schema::{NOTE, PICKS};

/// Places in a text at which an object is tried.
const TRIES: usize = 40;

/// A valid answer. Places point into the [`Offer`] that it was read for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The facts that weigh most.
    pub facts: Vec<usize>,
    /// What kind of attack.
    pub category: Category,
    /// How severe, as the model sees it.
    pub severity: Severity,
    /// How sure, 0–100.
    pub confidence: u8,
    /// Likelihood of a false positive, 0–100.
    pub false_positive: u8,
    /// Actions advised, most urgent first.
    pub actions: Vec<usize>,
    /// Questions worth asking.
    pub questions: Vec<usize>,
    /// Whether the model would close the incident as harmless.
    pub close: bool,
    /// Text of the model's own; empty where none was asked for.
    pub note: String,
}

/// Why an answer is none. It quotes nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It holds no JSON object.
    NoObject,
    /// The answer ends within its object: there was no room for more.
    CutOff,
    /// An object that is not of the schema: which field, or what else.
    NotOfSchema(String),
    /// A place that is not offered, in this list.
    NotOffered(&'static str),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoObject => f.write_str("there is no JSON object in it"),
            Self::CutOff => f.write_str("it ends within the JSON object"),
            Self::NotOfSchema(what) => write!(f, "{what}"),
            Self::NotOffered(list) => write!(f, "`{list}` must hold 1 to 3 of the listed numbers"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    facts: Vec<usize>,
    category: Category,
    severity: Severity,
    confidence: u8,
    false_positive: u8,
    actions: Vec<usize>,
    questions: Vec<usize>,
    close: bool,
    #[serde(default)]
    note: String,
}

impl Answer {
    /// Reads the answer in `text`, which may stand between other words or in a code fence: the
    /// first object that is wholly valid for `offer`.
    ///
    /// # Errors
    /// What is wrong with the first object, or that there is none.
    pub fn read(text: &str, offer: &Offer, notes: bool) -> Result<Self, Flaw> {
        let mut first_flaw = None;
        for (start, _) in text.match_indices('{').take(TRIES) {
            let rest = text.get(start..).unwrap_or_default();
            match Self::read_at(rest, offer, notes) {
                Ok(answer) => return Ok(answer),
                Err(flaw) => first_flaw = first_flaw.or(Some(flaw)),
            }
        }
        Err(first_flaw.unwrap_or(Flaw::NoObject))
    }

    fn read_at(text: &str, offer: &Offer, notes: bool) -> Result<Self, Flaw> {
        let mut objects = serde_json::Deserializer::from_str(text).into_iter::<Raw>();
        let raw = match objects.next() {
            Some(Ok(raw)) => raw,
            Some(Err(error)) if error.is_eof() => return Err(Flaw::CutOff),
            Some(Err(error)) if error.is_data() => {
                return Err(Flaw::NotOfSchema(of_schema(&error)));
            }
            Some(Err(_)) | None => return Err(Flaw::NoObject),
        };
        if raw.confidence > 100 || raw.false_positive > 100 {
            return Err(Flaw::NotOfSchema("a percentage is above 100".to_owned()));
        }
        if !notes && !raw.note.is_empty() {
            return Err(Flaw::NotOfSchema("there is a field that was not asked for".to_owned()));
        }
        let facts = if offer.facts().is_empty() {
            Vec::new()
        } else {
            picked(raw.facts, offer.facts().len(), "facts")?
        };
        Ok(Self {
            facts,
            category: raw.category,
            severity: raw.severity,
            confidence: raw.confidence,
            false_positive: raw.false_positive,
            actions: picked(raw.actions, offer.actions().len(), "actions")?,
            questions: picked(raw.questions, offer.questions().len(), "questions")?,
            close: raw.close,
            note: raw.note.chars().take(NOTE).collect(),
        })
    }
}

/// Each place once, in the order of the answer.
fn picked(places: Vec<usize>, offered: usize, list: &'static str) -> Result<Vec<usize>, Flaw> {
    let fits = (1..=PICKS).contains(&places.len()) && places.iter().all(|place| *place < offered);
    if !fits {
        return Err(Flaw::NotOffered(list));
    }
    let mut distinct = Vec::with_capacity(places.len());
    for place in places {
        if !distinct.contains(&place) {
            distinct.push(place);
        }
    }
    Ok(distinct)
}

/// The library's message up to what it quotes of the answer.
fn of_schema(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let known =
        ["missing field", "unknown field", "unknown variant", "invalid type", "duplicate field"];
    let kind = known.into_iter().find(|kind| message.starts_with(kind)).unwrap_or("a wrong value");
    // The names of missing fields are ours.
    match message.split('`').nth(1).filter(|_| kind == "missing field") {
        Some(name) => format!("{kind} `{name}`"),
        None => format!("{kind} in the JSON object"),
    }
}
