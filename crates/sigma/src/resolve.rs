//! Which rules does a correlation name? Those that name what is not there, or each other in a
//! circle, are refused, and what names these in turn.

use rustc_hash::FxHashMap;
use vigie_event::FieldId;
use vigie_yaml::{Refusal, shown};

use crate::diagnostic::nearest;
use crate::draft::{Body, Draft};
use crate::load::Findings;
use crate::spec::{Aggregate, CorrelationSpec};

/// Unknown names for which the nearest known one is looked for: that takes time for each rule.
const MAX_SUGGESTIONS: usize = 20;
/// How many correlations may stand on one another.
const MAX_NESTING: usize = 16;

/// Correlations with what they name, inputs before what they feed.
#[derive(Default)]
pub(crate) struct Resolution {
    pub correlations: Vec<Resolved>,
}

/// A correlation with the places of its inputs.
pub(crate) struct Resolved {
    /// Its place among the drafts.
    pub draft: usize,
    pub inputs: Vec<usize>,
    /// By input: the fields that `group-by` stands for there.
    pub group_fields: Vec<Vec<FieldId>>,
    /// By input: the fields whose values are looked at.
    pub value_fields: Vec<Vec<FieldId>>,
    pub spec: CorrelationSpec,
}

enum State {
    Unseen,
    /// Being looked at: to come back here is a circle.
    Open,
    Good,
    Refused,
}

/// Resolves all names; gives the drafts that remain.
pub(crate) fn resolve<'t>(
    drafts: Vec<Draft<'t>>,
    findings: &mut Findings,
) -> (Vec<Draft<'t>>, Resolution) {
    let names = names(&drafts, findings);
    let mut walk = Walk {
        drafts: &drafts,
        names: &names,
        states: drafts.iter().map(|_| State::Unseen).collect(),
        order: Vec::new(),
        suggestions: 0,
        findings,
    };
    for draft in 0..drafts.len() {
        walk.visit(draft, 0);
    }
    let Walk { states, order, .. } = walk;

    // Refused drafts go, so the places of those behind them change.
    let mut place = 0;
    let places: Vec<Option<usize>> = states
        .iter()
        .map(|state| {
            matches!(state, State::Good).then(|| {
                place += 1;
                place - 1
            })
        })
        .collect();
    let correlations = order
        .into_iter()
        .filter_map(|mut resolved| {
            resolved.draft = places.get(resolved.draft).copied().flatten()?;
            for input in &mut resolved.inputs {
                *input = places.get(*input).copied().flatten()?;
            }
            Some(resolved)
        })
        .collect();
    let mut places = places.into_iter();
    let drafts = drafts.into_iter().filter(|_| places.next().flatten().is_some()).collect();
    (drafts, Resolution { correlations })
}

/// Places of the drafts by id and by name; the first to have a name keeps it.
fn names(drafts: &[Draft<'_>], findings: &mut Findings) -> FxHashMap<String, usize> {
    let mut names: FxHashMap<String, usize> = FxHashMap::default();
    for (place, draft) in drafts.iter().enumerate() {
        names.insert(draft.id().to_owned(), place);
    }
    for (place, draft) in drafts.iter().enumerate() {
        let Some(name) = &draft.metadata.name else {
            continue;
        };
        let holder = *names.entry(name.clone()).or_insert(place);
        if holder != place
            && let Some(other) = drafts.get(holder)
        {
            let message =
                format!("the name `{}` is taken by {}:{}", shown(name), other.file, other.line);
            let mend = "correlations that use the name mean that rule";
            findings.warn_one(draft.file, Refusal::new(draft.position(), message, mend));
        }
    }
    names
}

struct Walk<'w, 't> {
    drafts: &'w [Draft<'t>],
    names: &'w FxHashMap<String, usize>,
    states: Vec<State>,
    order: Vec<Resolved>,
    suggestions: usize,
    findings: &'w mut Findings,
}

impl Walk<'_, '_> {
    /// Whether the draft is good; its depth is bounded by [`MAX_NESTING`].
    fn visit(&mut self, place: usize, depth: usize) -> bool {
        match self.states.get(place) {
            Some(State::Unseen) => {}
            Some(State::Good) => return true,
            _ => return false,
        }
        let Some(draft) = self.drafts.get(place) else {
            return false;
        };
        let Body::Correlation(spec) = &draft.body else {
            self.set(place, State::Good);
            return true;
        };
        self.set(place, State::Open);
        match self.inputs(spec, depth).and_then(|inputs| {
            check_aliases(spec, &inputs, self.drafts)?;
            let places: Vec<(usize, usize)> =
                inputs.iter().map(|input| (*input, self.detection_of(*input))).collect();
            let group_fields = by_input(spec, &spec.group_by, &places, self.drafts)?;
            let value_fields = by_input(spec, &spec.values, &places, self.drafts)?;
            let spec = (**spec).clone();
            Ok(Resolved { draft: place, inputs, group_fields, value_fields, spec })
        }) {
            Ok(resolved) => {
                self.order.push(resolved);
                self.set(place, State::Good);
                true
            }
            Err(refusal) => {
                self.findings.refuse(draft.file, refusal);
                self.set(place, State::Refused);
                false
            }
        }
    }

    fn inputs(&mut self, spec: &CorrelationSpec, depth: usize) -> Result<Vec<usize>, Refusal> {
        let mut inputs = Vec::with_capacity(spec.inputs.len());
        for input in &spec.inputs {
            let Some(place) = self.names.get(&input.name).copied() else {
                let message = format!("no rule has the id or name `{}`", shown(&input.name));
                self.suggestions += 1;
                let mend = if self.suggestions <= MAX_SUGGESTIONS {
                    nearest(&input.name, self.names.keys().map(String::as_str))
                } else {
                    String::new()
                };
                return Err(Refusal::new(input.at, message, mend));
            };
            if depth >= MAX_NESTING {
                let message = "correlations stand on one another over 16 deep";
                return Err(Refusal::new(input.at, message, ""));
            }
            if matches!(self.states.get(place), Some(State::Open)) {
                let message =
                    format!("the correlation stands on itself by `{}`", shown(&input.name));
                return Err(Refusal::new(input.at, message, "break the circle"));
            }
            if !self.visit(place, depth + 1) {
                let message = format!("rule `{}` is refused, so this is too", shown(&input.name));
                return Err(Refusal::new(input.at, message, "mend that rule first"));
            }
            let is_absence = self.drafts.get(place).is_some_and(|draft| {
                matches!(&draft.body, Body::Correlation(spec) if spec.aggregate == Aggregate::Absence)
            });
            if is_absence {
                let message = format!(
                    "`{}` is of type `absence`: it has no event that another could count",
                    shown(&input.name)
                );
                return Err(Refusal::new(input.at, message, "let it raise its own alerts"));
            }
            if inputs.contains(&place) {
                let message = format!("rule `{}` stands twice", shown(&input.name));
                return Err(Refusal::new(input.at, message, "it is named by id and by name"));
            }
            inputs.push(place);
        }
        Ok(inputs)
    }

    /// The detection whose events an input is fed by: of a correlation its first one's.
    fn detection_of(&self, mut place: usize) -> usize {
        while let Some(nested) = self.order.iter().find(|resolved| resolved.draft == place)
            && let Some(first) = nested.inputs.first()
        {
            place = *first;
        }
        place
    }

    fn set(&mut self, place: usize, state: State) {
        if let Some(slot) = self.states.get_mut(place) {
            *slot = state;
        }
    }
}

/// Aliases must be of inputs.
fn check_aliases(
    spec: &CorrelationSpec,
    inputs: &[usize],
    drafts: &[Draft<'_>],
) -> Result<(), Refusal> {
    for alias in &spec.aliases {
        for (name, at, _) in &alias.fields {
            let known = inputs.iter().any(|input| is_called(drafts.get(*input), name));
            if !known {
                let message =
                    format!("alias of `{}`, which is no rule of this correlation", shown(name));
                let mend = nearest(name, spec.inputs.iter().map(|input| input.name.as_str()));
                return Err(Refusal::new(*at, message, mend));
            }
        }
    }
    Ok(())
}

/// By input, with the detection that stands for its events: what `fields` stand for in them.
fn by_input(
    spec: &CorrelationSpec,
    fields: &[FieldId],
    inputs: &[(usize, usize)],
    drafts: &[Draft<'_>],
) -> Result<Vec<Vec<FieldId>>, Refusal> {
    let mut by_input = Vec::with_capacity(inputs.len());
    for (place, (input, detection)) in inputs.iter().enumerate() {
        let mut real_fields = Vec::with_capacity(fields.len());
        for field in fields {
            let Some(alias) = spec.aliases.iter().find(|alias| alias.name == *field) else {
                real_fields.push(renamed(drafts, *detection, *field));
                continue;
            };
            let real = alias.fields.iter().find(|(name, ..)| is_called(drafts.get(*input), name));
            let Some((.., real)) = real else {
                let name = spec.inputs.get(place).map(|input| shown(&input.name));
                let message = format!(
                    "alias `{}` has no field for rule `{}`",
                    shown(alias.name.name()),
                    name.unwrap_or_default()
                );
                return Err(Refusal::new(alias.at, message, "name one field for every rule"));
            };
            real_fields.push(renamed(drafts, *detection, *real));
        }
        by_input.push(real_fields);
    }
    Ok(by_input)
}

/// The name of a field in the events of a detection, after the pipelines.
fn renamed(drafts: &[Draft<'_>], detection: usize, field: FieldId) -> FieldId {
    let name_of = |draft: &Draft<'_>| FieldId::intern(&draft.applied.name_of(field.name()));
    drafts.get(detection).and_then(name_of).unwrap_or(field)
}

fn is_called(draft: Option<&Draft<'_>>, name: &str) -> bool {
    draft.is_some_and(|draft| draft.id() == name || draft.metadata.name.as_deref() == Some(name))
}
