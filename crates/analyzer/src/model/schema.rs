//! The JSON schema of an answer: only choices, no text.

use serde_json::{Value, json};
use vigie_event::{Category, Severity};

use super::offer::Offer;

/// Steps in which a model says how sure it is; it cannot tell 71 from 73.
pub const CONFIDENCES: [u8; 5] = [10, 30, 50, 70, 90];
/// Steps of the likelihood of a false positive.
pub const FALSE_POSITIVES: [u8; 6] = [5, 20, 40, 60, 80, 95];
/// Choices of one list at most.
pub const PICKS: usize = 3;
/// Characters of a note.
pub const NOTE: usize = 160;

/// The schema of an answer to `offer`; with a text of the model's own where `notes` allows it.
pub fn schema(offer: &Offer, notes: bool) -> Value {
    let severities: Vec<&str> = Severity::ALL.iter().map(|level| level.name()).collect();
    let categories: Vec<&str> = Category::ALL.iter().map(|category| category.name()).collect();
    let mut properties = serde_json::Map::new();
    // The grounds come before the judgement, since a model writes from left to right.
    if !offer.facts().is_empty() {
        properties.insert("facts".into(), picks(offer.facts().len()));
    }
    let closed = [
        ("category", json!({ "type": "string", "enum": categories })),
        ("severity", json!({ "type": "string", "enum": severities })),
        ("confidence", json!({ "type": "integer", "enum": CONFIDENCES })),
        ("false_positive", json!({ "type": "integer", "enum": FALSE_POSITIVES })),
        ("actions", picks(offer.actions().len())),
        ("questions", picks(offer.questions().len())),
        ("close", json!({ "type": "boolean" })),
    ];
    properties.extend(closed.map(|(name, schema)| (name.to_owned(), schema)));
    if notes {
        properties.insert("note".into(), json!({ "type": "string", "maxLength": NOTE }));
    }
    let required: Vec<&String> = properties.keys().collect();
    json!({
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}

fn picks(count: usize) -> Value {
    let places: Vec<usize> = (0..count).collect();
    json!({
        "type": "array",
        "items": { "type": "integer", "enum": places },
        "minItems": 1,
        "maxItems": PICKS,
    })
}
