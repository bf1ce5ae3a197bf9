//! The `correlation` section, as it is written: inputs are names still.

use vigie_event::FieldId;

use super::detection;
use crate::diagnostic::{Refusal, nearest, shown};
use crate::yaml::{Kind, Node, Position};

/// Inputs of a correlation, so that they fit a table of small numbers.
const MAX_INPUTS: usize = 256;
/// Fields of `group-by` and of a value.
const MAX_FIELDS: usize = 16;
/// Distinct values that are counted exactly; more cannot be asked for.
pub(crate) const MAX_DISTINCT: u64 = 1_024;
/// The longest timespan, in seconds: ten years.
const MAX_TIMESPAN_S: u64 = 3_653 * 86_400;

/// What a correlation computes over the events of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Aggregate {
    /// How many events.
    EventCount,
    /// How many distinct values of a field.
    ValueCount,
    /// How many of the inputs.
    Temporal,
    /// Whether a field's value is new to the group (Vigie's own).
    NewValue,
}

/// Sigma's correlation types that are understood.
const TYPES: [(&str, Aggregate); 4] = [
    ("event_count", Aggregate::EventCount),
    ("value_count", Aggregate::ValueCount),
    ("temporal", Aggregate::Temporal),
    ("new_value", Aggregate::NewValue),
];

/// Sigma's correlation types that are not understood yet.
const FUTURE_TYPES: [&str; 6] =
    ["temporal_ordered", "value_sum", "value_avg", "value_percentile", "value_median", "absence"];

/// The numbers that fulfil a condition: all from `least` to `most`, save `except`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub least: u64,
    pub most: u64,
    pub except: Option<u64>,
}

impl Range {
    pub fn holds(&self, count: u64) -> bool {
        (self.least..=self.most).contains(&count) && self.except != Some(count)
    }
}

/// An input as it is named.
#[derive(Clone, Debug)]
pub(crate) struct InputSpec {
    pub name: String,
    pub at: Position,
}

/// An alias: its name, and for each input by name the field that it stands for there.
#[derive(Clone, Debug)]
pub(crate) struct Alias {
    pub name: FieldId,
    pub at: Position,
    pub fields: Vec<(String, Position, FieldId)>,
}

/// A correlation as it is written.
#[derive(Clone, Debug)]
pub(crate) struct CorrelationSpec {
    pub aggregate: Aggregate,
    pub inputs: Vec<InputSpec>,
    pub group_by: Vec<FieldId>,
    pub timespan_s: u64,
    pub range: Range,
    /// The fields whose values are counted.
    pub values: Vec<FieldId>,
    pub aliases: Vec<Alias>,
    /// Whether the inputs raise alerts of their own as well.
    pub generate: bool,
}

impl CorrelationSpec {
    /// Reads the `correlation` section of the document `root`.
    pub fn read(root: &Node, section: &Node) -> Result<Self, Refusal> {
        if !matches!(section.kind, Kind::Map(_)) {
            let message = format!("`correlation` is {}, not a map", section.what());
            return Err(Refusal::new(section.at, message, ""));
        }
        let aggregate = aggregate(section)?;
        let inputs = inputs(section)?;
        let group_by = match section.get("group-by") {
            Some(node) => fields(node)?,
            None => Vec::new(),
        };
        let Some(timespan) = section.get("timespan") else {
            return Err(detection::missing(section, "timespan"));
        };
        let (range, values) = condition(section, aggregate, inputs.len())?;
        let generate = section.get("generate").or_else(|| root.get("generate"));
        Ok(Self {
            aggregate,
            inputs,
            group_by,
            timespan_s: seconds(timespan)?,
            range,
            values,
            aliases: aliases(section)?,
            generate: matches!(generate.map(|node| &node.kind), Some(Kind::Boolean(true))),
        })
    }
}

fn aggregate(section: &Node) -> Result<Aggregate, Refusal> {
    let Some(node) = section.get("type") else {
        return Err(detection::missing(section, "type"));
    };
    let text = node.text("type")?;
    if let Some((_, aggregate)) = TYPES.iter().find(|(name, _)| *name == text) {
        return Ok(*aggregate);
    }
    if FUTURE_TYPES.contains(&&*text) {
        let message = format!("correlations of type `{text}` are not supported yet");
        return Err(Refusal::new(node.at, message, ""));
    }
    let mend = nearest(&text, TYPES.iter().map(|(name, _)| *name));
    Err(Refusal::new(node.at, format!("unknown correlation type `{}`", shown(&text)), mend))
}

fn inputs(section: &Node) -> Result<Vec<InputSpec>, Refusal> {
    let Some(node) = section.get("rules") else {
        return Err(detection::missing(section, "rules"));
    };
    let mut inputs: Vec<InputSpec> = Vec::new();
    for member in node.members() {
        let name = member.text("rules")?.into_owned();
        if inputs.iter().any(|input| input.name == name) {
            let message = format!("rule `{}` stands twice", shown(&name));
            return Err(Refusal::new(member.at, message, "remove one"));
        }
        inputs.push(InputSpec { name, at: member.at });
    }
    if inputs.is_empty() || inputs.len() > MAX_INPUTS {
        let message = format!("a correlation of {} rules", inputs.len());
        return Err(Refusal::new(node.at, message, "name 1 to 256 by id or `name`"));
    }
    Ok(inputs)
}

fn fields(node: &Node) -> Result<Vec<FieldId>, Refusal> {
    let members = node.members();
    if members.len() > MAX_FIELDS {
        return Err(Refusal::new(node.at, "over 16 fields", ""));
    }
    members.iter().map(field).collect()
}

fn field(node: &Node) -> Result<FieldId, Refusal> {
    let name = node.text("a field")?;
    FieldId::intern(&name)
        .filter(|_| !name.is_empty())
        .ok_or_else(|| Refusal::new(node.at, "a field's name has 1 to 256 bytes", ""))
}

/// `90s`, `5m`, `1h`, `30d`, `4w`.
fn seconds(node: &Node) -> Result<u64, Refusal> {
    let text = node.text("timespan")?;
    let parsed = text.char_indices().last().and_then(|(at, unit)| {
        let number: u64 = text.get(..at)?.parse().ok()?;
        let unit = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        number.checked_mul(unit).filter(|seconds| (1..=MAX_TIMESPAN_S).contains(seconds))
    });
    parsed.ok_or_else(|| {
        let message = format!("`{}` is no timespan", shown(&text));
        Refusal::new(node.at, message, "write a number and one of s, m, h, d, w, such as `90s`")
    })
}

/// The condition's numbers and, for counts of values, its fields.
fn condition(
    section: &Node,
    aggregate: Aggregate,
    inputs: usize,
) -> Result<(Range, Vec<FieldId>), Refusal> {
    let node = section.get("condition");
    let mut range = Range { least: 0, most: u64::MAX, except: None };
    let mut values = Vec::new();
    let mut bounded = false;
    for entry in node.map(Node::entries).unwrap_or_default() {
        if entry.key == "field" {
            values = fields(&entry.value)?;
            continue;
        }
        let bound = match &entry.value.kind {
            Kind::Integer(number, _) => u64::try_from(*number).ok(),
            _ => None,
        };
        let Some(bound) = bound else {
            let message = format!("`{}` wants a whole number from 0", shown(&entry.key));
            return Err(Refusal::new(entry.value.at, message, ""));
        };
        bounded = true;
        match entry.key.as_str() {
            "gt" => range.least = range.least.max(bound.saturating_add(1)),
            "gte" => range.least = range.least.max(bound),
            "lt" => range.most = range.most.min(bound.checked_sub(1).ok_or_else(|| nothing(node))?),
            "lte" => range.most = range.most.min(bound),
            "eq" => {
                range.least = range.least.max(bound);
                range.most = range.most.min(bound);
            }
            "neq" => range.except = Some(bound),
            name => {
                let known = ["gt", "gte", "lt", "lte", "eq", "neq", "field"];
                let message = format!("unknown condition `{}`", shown(name));
                return Err(Refusal::new(entry.at, message, nearest(name, known)));
            }
        }
    }
    let counts_values = matches!(aggregate, Aggregate::ValueCount | Aggregate::NewValue);
    let at = node.map_or(section.at, |node| node.at);
    if counts_values && values.is_empty() {
        let message = "this correlation counts values, but `condition` has no `field`";
        return Err(Refusal::new(at, message, "add `field: user.name`, or whichever it counts"));
    }
    if !counts_values && !values.is_empty() {
        let message = "`field` has no meaning for this correlation type";
        return Err(Refusal::new(at, message, "use `value_count`, or remove it"));
    }
    match aggregate {
        Aggregate::Temporal if !bounded => range.least = inputs as u64,
        Aggregate::EventCount | Aggregate::ValueCount if !bounded => {
            return Err(Refusal::new(at, "`condition` compares with nothing", "add `gte: 5`"));
        }
        Aggregate::NewValue if bounded => {
            let message = "`new_value` compares with nothing";
            return Err(Refusal::new(at, message, "keep only `field`"));
        }
        _ => {}
    }
    let reachable = match aggregate {
        Aggregate::Temporal => inputs as u64,
        Aggregate::ValueCount => MAX_DISTINCT,
        Aggregate::EventCount | Aggregate::NewValue => u64::MAX,
    };
    if range.least > range.most || range.least > reachable {
        return Err(nothing(node));
    }
    Ok((range, values))
}

fn nothing(node: Option<&Node>) -> Refusal {
    let at = node.map(|node| node.at).unwrap_or_default();
    let mend = "distinct values are counted to 1,024, and `temporal` counts its rules";
    Refusal::new(at, "the condition can never hold", mend)
}

fn aliases(section: &Node) -> Result<Vec<Alias>, Refusal> {
    let Some(node) = section.get("aliases") else {
        return Ok(Vec::new());
    };
    let mut aliases = Vec::new();
    for entry in node.entries() {
        let name = FieldId::intern(&entry.key)
            .ok_or_else(|| Refusal::new(entry.at, "an alias's name has 1 to 256 bytes", ""))?;
        let mut fields = Vec::new();
        for input in entry.value.entries() {
            fields.push((input.key.clone(), input.at, field(&input.value)?));
        }
        aliases.push(Alias { name, at: entry.at, fields });
    }
    Ok(aliases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::documents;

    fn read(section: &str) -> Result<CorrelationSpec, Refusal> {
        let root = documents(&format!("correlation: {section}\n")).remove(0).root.unwrap();
        CorrelationSpec::read(&root, root.get("correlation").unwrap())
    }

    fn check(section: &str, expected: Result<(u64, u64), &str>) {
        match (read(section), expected) {
            (Ok(spec), Ok(bounds)) => assert_eq!((spec.range.least, spec.range.most), bounds),
            (Err(refusal), Err(part)) => {
                let whole = format!("{} ({})", refusal.message, refusal.mend);
                assert!(whole.contains(part), "{section}: {whole}");
            }
            (found, _) => panic!("{section}: {found:?}"),
        }
    }

    #[test]
    fn conditions() {
        let count = |condition: &str| {
            format!("{{type: event_count, rules: a, timespan: 5m, condition: {condition}}}")
        };
        check(&count("{gte: 5}"), Ok((5, u64::MAX)));
        check(&count("{gt: 100, lte: 200}"), Ok((101, 200)));
        check(&count("{eq: 3}"), Ok((3, 3)));
        check(&count("{lt: 3}"), Ok((0, 2)));
        check(&count("{gt: 5, lt: 3}"), Err("never hold"));
        check(&count("{lt: 0}"), Err("never hold"));
        check(&count("{gte: many}"), Err("whole number"));
        check(&count("{gte: -1}"), Err("whole number"));
        check(&count("{gtee: 5}"), Err("did you mean `gte`"));
        check(&count("{}"), Err("compares with nothing"));
        check(&count("{gte: 5, field: a}"), Err("no meaning"));
    }

    #[test]
    fn types() {
        check("{type: temporal, rules: [a, b], timespan: 1h}", Ok((2, u64::MAX)));
        check("{type: temporal, rules: [a, b], timespan: 1h, condition: {gte: 3}}", Err("never"));
        check(
            "{type: value_count, rules: a, timespan: 1h, condition: {field: u, gte: 2000}}",
            Err("1,024"),
        );
        check("{type: value_count, rules: a, timespan: 1h, condition: {gte: 2}}", Err("`field`"));
        check(
            "{type: new_value, rules: a, timespan: 30d, condition: {field: u}}",
            Ok((0, u64::MAX)),
        );
        check("{type: temporal_ordered, rules: a, timespan: 1h}", Err("not supported yet"));
        check("{type: event_counts, rules: a, timespan: 1h}", Err("did you mean `event_count`"));
        check("{type: temporal, rules: [a, a], timespan: 1h}", Err("twice"));
        check("{type: temporal, rules: [], timespan: 1h}", Err("of 0 rules"));
    }

    #[test]
    fn timespans() {
        for (text, expected) in [
            ("90s", Some(90)),
            ("5m", Some(300)),
            ("1h", Some(3_600)),
            ("2d", Some(172_800)),
            ("1w", Some(604_800)),
            ("5M", None),
            ("5", None),
            ("0s", None),
            ("1.5h", None),
            ("é", None),
            ("99999999999999999999w", None),
            ("9999999w", None),
        ] {
            let section = format!("{{type: temporal, rules: [a, b], timespan: {text}}}");
            assert_eq!(read(&section).ok().map(|spec| spec.timespan_s), expected, "{text}");
        }
    }
}
