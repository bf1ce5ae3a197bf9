//! The `correlation` section, as it is written: inputs are names still.

use vigie_event::FieldId;
use vigie_yaml::{Entry, Kind, Node, Position, Refusal, shown};

use super::detection;
use crate::diagnostic::nearest;

/// Inputs of a correlation, so that they fit a table of small numbers.
const MAX_INPUTS: usize = 256;
/// Fields of `group-by` and of a value.
const MAX_FIELDS: usize = 16;
/// Rules of a `temporal_ordered` correlation: their orders are all kept track of.
const MAX_ORDERED: usize = 16;
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
    /// How many of the inputs, in their order.
    TemporalOrdered,
    /// The sum of a field's numbers.
    ValueSum,
    /// Their mean.
    ValueAverage,
    /// The number that so many thousandths of a percent of them do not exceed (nearest rank).
    ValuePercentile(u32),
    /// How many percent of the events have the value of the one at hand.
    ValueShare,
    /// Whether a field's value is new to the group (Vigie's own).
    NewValue,
    /// Whether nothing came for a timespan (Vigie's own).
    Absence,
}

impl Aggregate {
    /// Whether it computes with numbers, which need not be whole.
    pub const fn is_numeric(self) -> bool {
        matches!(self, Self::ValueSum | Self::ValueAverage | Self::ValuePercentile(_))
    }

    /// Whether it wants `field` in the condition.
    pub const fn wants_field(self) -> bool {
        !matches!(self, Self::EventCount | Self::Temporal | Self::TemporalOrdered | Self::Absence)
    }

    /// Whether the number of inputs is what it counts.
    pub const fn counts_inputs(self) -> bool {
        matches!(self, Self::Temporal | Self::TemporalOrdered)
    }
}

/// The correlation types, Sigma's and our own.
const TYPES: [(&str, Aggregate); 10] = [
    ("event_count", Aggregate::EventCount),
    ("value_count", Aggregate::ValueCount),
    ("temporal", Aggregate::Temporal),
    ("temporal_ordered", Aggregate::TemporalOrdered),
    ("value_sum", Aggregate::ValueSum),
    ("value_avg", Aggregate::ValueAverage),
    ("value_percentile", Aggregate::ValueShare),
    ("value_median", Aggregate::ValuePercentile(50_000)),
    ("new_value", Aggregate::NewValue),
    ("absence", Aggregate::Absence),
];

/// The numbers that fulfil a condition: all from `least` to `most`, save `except`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub least: f64,
    /// Whether `least` itself is outside.
    pub above: bool,
    pub most: f64,
    /// Whether `most` itself is outside.
    pub below: bool,
    pub except: Option<f64>,
}

impl Range {
    const ALL: Self = Self {
        least: f64::NEG_INFINITY,
        above: false,
        most: f64::INFINITY,
        below: false,
        except: None,
    };

    pub fn holds(&self, number: f64) -> bool {
        let from = if self.above { number > self.least } else { number >= self.least };
        let to = if self.below { number < self.most } else { number <= self.most };
        // Written in the rule and equal to the last bit: whole numbers are.
        #[allow(clippy::float_cmp)]
        let excepted = self.except.is_some_and(|except| except == number);
        from && to && !excepted
    }

    fn from(&mut self, bound: f64, above: bool) {
        if bound > self.least || (bound >= self.least && above) {
            (self.least, self.above) = (bound, above);
        }
    }

    fn to(&mut self, bound: f64, below: bool) {
        if bound < self.most || (bound <= self.most && below) {
            (self.most, self.below) = (bound, below);
        }
    }

    fn is_empty(&self) -> bool {
        self.least > self.most || (self.least >= self.most && (self.above || self.below))
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
    /// The fields whose values are looked at.
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
        if aggregate == Aggregate::TemporalOrdered && inputs.len() > MAX_ORDERED {
            let message = "`temporal_ordered` over more than 16 rules";
            return Err(Refusal::new(section.at, message, "nest correlations"));
        }
        let Condition { range, values, aggregate } = condition(section, aggregate, inputs.len())?;
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

/// What the condition says.
struct Condition {
    range: Range,
    values: Vec<FieldId>,
    aggregate: Aggregate,
}

/// Reads the condition; `aggregate` may become a percentile by it.
fn condition(section: &Node, aggregate: Aggregate, inputs: usize) -> Result<Condition, Refusal> {
    let node = section.get("condition");
    if let Some(node) = node.filter(|node| !matches!(node.kind, Kind::Map(_) | Kind::Null)) {
        let message = format!("`condition` is {}, not a map", node.what());
        return Err(Refusal::new(node.at, message, "write `condition: {gte: 5}`"));
    }
    let mut found = Condition { range: Range::ALL, values: Vec::new(), aggregate };
    let mut bounded = false;
    for entry in node.map(Node::entries).unwrap_or_default() {
        match entry.key.as_str() {
            "field" => found.values = fields(&entry.value)?,
            "percentile" => found.aggregate = percentile(aggregate, &entry.value)?,
            _ => {
                bound(entry, aggregate, &mut found.range)?;
                bounded = true;
            }
        }
    }
    let at = node.map_or(section.at, |node| node.at);
    check_fields(&found, at)?;
    let range = &mut found.range;
    match found.aggregate {
        aggregate if aggregate.counts_inputs() && !bounded => range.from(inputs as f64, false),
        Aggregate::NewValue | Aggregate::Absence if bounded => {
            let message = "this correlation compares with nothing";
            return Err(Refusal::new(at, message, "remove the number from `condition`"));
        }
        Aggregate::NewValue | Aggregate::Absence => {}
        _ if !bounded => {
            return Err(Refusal::new(at, "`condition` compares with nothing", "add `gte: 5`"));
        }
        _ => {}
    }
    let reachable = if aggregate.counts_inputs() { inputs as f64 } else { f64::INFINITY };
    if range.is_empty() || range.least > reachable {
        let mend = "the lower bound is over the upper one, or over the number of rules";
        return Err(Refusal::new(at, "the condition can never hold", mend));
    }
    Ok(found)
}

fn percentile(aggregate: Aggregate, node: &Node) -> Result<Aggregate, Refusal> {
    let number = match &node.kind {
        Kind::Integer(number, _) => *number as f64,
        Kind::Float(number, _) => *number,
        _ => f64::NAN,
    };
    if aggregate != Aggregate::ValueShare {
        let message = "`percentile` belongs to `value_percentile`";
        return Err(Refusal::new(node.at, message, "remove it"));
    }
    if !(0.0..=100.0).contains(&number) {
        return Err(Refusal::new(node.at, "`percentile` wants a number from 0 to 100", ""));
    }
    Ok(Aggregate::ValuePercentile((number * 1_000.0).round() as u32))
}

fn bound(entry: &Entry, aggregate: Aggregate, range: &mut Range) -> Result<(), Refusal> {
    let known = ["gt", "gte", "lt", "lte", "eq", "neq", "field", "percentile"];
    let name = entry.key.as_str();
    if !known.contains(&name) {
        let message = format!("unknown condition `{}`", shown(name));
        return Err(Refusal::new(entry.at, message, nearest(name, known)));
    }
    let fractions = aggregate.is_numeric() || aggregate == Aggregate::ValueShare;
    let number = match &entry.value.kind {
        Kind::Integer(number, _) if fractions || *number >= 0 => Some(*number as f64),
        Kind::Float(number, _) if fractions && number.is_finite() => Some(*number),
        _ => None,
    };
    let Some(number) = number else {
        let what = if fractions { "a number" } else { "a whole number from 0" };
        return Err(Refusal::new(entry.value.at, format!("`{name}` wants {what}"), ""));
    };
    // A count over 100 is one from 101 on, so that what cannot be reached is seen.
    match name {
        "gt" if !fractions => range.from(number + 1.0, false),
        "lt" if !fractions => range.to(number - 1.0, false),
        "gt" => range.from(number, true),
        "lt" => range.to(number, true),
        "gte" => range.from(number, false),
        "lte" => range.to(number, false),
        "eq" => {
            range.from(number, false);
            range.to(number, false);
        }
        _ => range.except = Some(number),
    }
    if !fractions && range.most < 0.0 {
        return Err(Refusal::new(entry.at, "the condition can never hold", "no count is below 0"));
    }
    Ok(())
}

fn check_fields(found: &Condition, at: Position) -> Result<(), Refusal> {
    let aggregate = found.aggregate;
    if aggregate.wants_field() && found.values.is_empty() {
        let message = "this correlation looks at values, but `condition` has no `field`";
        return Err(Refusal::new(at, message, "add `field: user.name`, or whichever it is"));
    }
    if !aggregate.wants_field() && !found.values.is_empty() {
        let message = "`field` has no meaning for this correlation type";
        return Err(Refusal::new(at, message, "use `value_count`, or remove it"));
    }
    if aggregate.is_numeric() && found.values.len() > 1 {
        let message = "this correlation computes with the numbers of one field";
        return Err(Refusal::new(at, message, "name one `field`"));
    }
    Ok(())
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
            fields.push((input.key.to_string(), input.at, field(&input.value)?));
        }
        aliases.push(Alias { name, at: entry.at, fields });
    }
    Ok(aliases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_yaml::documents;

    fn read(section: &str) -> Result<CorrelationSpec, Refusal> {
        let root = documents(&format!("correlation: {section}\n")).remove(0).root.unwrap();
        CorrelationSpec::read(&root, root.get("correlation").unwrap())
    }

    const MAX: f64 = f64::INFINITY;

    fn check(section: &str, expected: Result<(f64, f64), &str>) {
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
        check(&count("{gte: 5}"), Ok((5.0, MAX)));
        check(&count("{gt: 100, lte: 200}"), Ok((101.0, 200.0)));
        check(&count("{eq: 3}"), Ok((3.0, 3.0)));
        check(&count("{lt: 3}"), Ok((-MAX, 2.0)));
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
        check("{type: temporal, rules: [a, b], timespan: 1h}", Ok((2.0, MAX)));
        check("{type: temporal, rules: [a, b], timespan: 1h, condition: {gte: 3}}", Err("never"));
        check(
            "{type: value_count, rules: a, timespan: 1h, condition: {field: [u, v], gte: 2000}}",
            Ok((2_000.0, MAX)),
        );
        check("{type: value_count, rules: a, timespan: 1h, condition: {gte: 2}}", Err("`field`"));
        check("{type: new_value, rules: a, timespan: 30d, condition: {field: u}}", Ok((-MAX, MAX)));
        check("{type: temporal_ordered, rules: [a, b], timespan: 1h}", Ok((2.0, MAX)));
        check("{type: absence, rules: a, timespan: 1h}", Ok((-MAX, MAX)));
        check("{type: absence, rules: a, timespan: 1h, condition: {gte: 1}}", Err("with nothing"));
        let value = |name: &str, condition: &str| {
            format!("{{type: {name}, rules: a, timespan: 1h, condition: {{{condition}}}}}")
        };
        check(&value("value_sum", "field: n, gt: 1.5"), Ok((1.5, MAX)));
        check(&value("value_avg", "field: n, lt: -2"), Ok((-MAX, -2.0)));
        check(&value("value_avg", "field: [n, m], lt: 2"), Err("one `field`"));
        check(&value("value_sum", "gt: 5"), Err("no `field`"));
        check(&value("value_percentile", "field: n, percentile: 95, gt: 5"), Ok((5.0, MAX)));
        check(&value("value_percentile", "field: n, percentile: 101, gt: 5"), Err("0 to 100"));
        check(&value("value_median", "field: n, percentile: 5, gt: 5"), Err("belongs to"));
        check(&value("value_percentile", "field: n, lte: 1"), Ok((-MAX, 1.0)));
        check(
            "{type: temporal, rules: [a, b], timespan: 1h, condition: a and b}",
            Err("not a map"),
        );
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
