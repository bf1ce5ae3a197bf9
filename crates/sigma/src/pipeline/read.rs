//! From YAML to pipelines.

use regex::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;
use vigie_yaml::{Kind, Node, Refusal, shown};

use super::Pipeline;
use super::gate::{Expression, Gate, Link};
use super::item::{
    Case, Change, FieldNames, FieldTest, MatchTest, Names, Operator, ProcessingItem, RuleTest,
    Target,
};
use crate::diagnostic::{Warnings, nearest};
use crate::rule::LogsourceSpec;
use crate::spec::{SearchSpec, search};

/// Processing items of a pipeline, and how deep they may nest.
const MAX_ITEMS: usize = 5_000;
const MAX_NESTING: usize = 4;
/// Bytes of a compiled regular expression.
const REGEX_BYTES: usize = 1 << 20;

/// The transformations that are known.
const CHANGES: [&str; 30] = [
    "add_condition",
    "add_field",
    "add_field_name_prefix",
    "add_field_name_suffix",
    "case",
    "change_logsource",
    "convert_type",
    "detection_item_failure",
    "drop_detection_item",
    "field_name_mapping",
    "field_name_prefix",
    "field_name_prefix_mapping",
    "field_name_suffix",
    "hashes_fields",
    "map_string",
    "nest",
    "query_expression_placeholders",
    "regex",
    "remove_field",
    "replace_string",
    "rule_failure",
    "set_custom_attribute",
    "set_field",
    "set_state",
    "set_value",
    "strict_field_mapping_failure",
    "value_list_placeholders",
    "value_placeholders",
    "wildcard_placeholders",
    "extract_fields",
];

pub(super) fn pipeline(root: &Node, warnings: &mut Warnings) -> Result<Pipeline, Refusal> {
    if !matches!(root.kind, Kind::Map(_)) {
        let message = format!("the document is {}, not a pipeline", root.what());
        return Err(Refusal::new(root.at, message, "begin with `name:`"));
    }
    let mut pipeline = Pipeline {
        name: root.get("name").and_then(Node::scalar).unwrap_or_default().into_owned(),
        priority: match root.get("priority").map(|node| &node.kind) {
            Some(Kind::Integer(priority, _)) => *priority,
            _ => 0,
        },
        vars: root.get("vars").map(lists).transpose()?.unwrap_or_default(),
        items: Vec::new(),
    };
    for entry in root.entries() {
        match entry.key.as_str() {
            "name" | "priority" | "vars" | "allowed_backends" => {}
            "transformations" => pipeline.items = items(&entry.value, warnings, 0)?,
            "postprocessing" | "finalizers" => {
                let message = format!("`{}` concerns queries alone and has no effect", entry.key);
                warnings.add(entry.at, message, "");
            }
            name => {
                let known =
                    ["name", "priority", "vars", "transformations", "postprocessing", "finalizers"];
                warnings.add(
                    entry.at,
                    format!("unknown key `{}`", shown(name)),
                    nearest(name, known),
                );
            }
        }
    }
    if pipeline.items.is_empty() {
        warnings.add(root.at, "the pipeline has no `transformations`", "");
    }
    Ok(pipeline)
}

fn items(
    node: &Node,
    warnings: &mut Warnings,
    depth: usize,
) -> Result<Vec<ProcessingItem>, Refusal> {
    let members = node.members();
    if members.len() > MAX_ITEMS || depth > MAX_NESTING {
        return Err(Refusal::new(node.at, "over 5,000 transformations, or 4 levels of them", ""));
    }
    members.iter().map(|member| item(member, warnings, depth)).collect()
}

fn item(node: &Node, warnings: &mut Warnings, depth: usize) -> Result<ProcessingItem, Refusal> {
    Ok(ProcessingItem {
        id: optional(node, "id")?,
        change: change(node, warnings, depth)?,
        rules: gate(node, "rule", rule_test)?,
        matches: gate(node, "detection_item", match_test)?,
        fields: gate(node, "field_name", field_test)?,
    })
}

fn change(node: &Node, warnings: &mut Warnings, depth: usize) -> Result<Change, Refusal> {
    let kind = required(node, "type")?;
    let without_effect = |warnings: &mut Warnings| {
        let message = format!("`{kind}` concerns queries alone and has no effect");
        warnings.add(node.at, message, "");
        Ok(Change::Nothing)
    };
    Ok(match kind.as_str() {
        "field_name_mapping" => Change::MapFields(lists(child(node, "mapping")?)?),
        "field_name_prefix_mapping" => {
            let mut prefixes: Vec<_> = lists(child(node, "mapping")?)?.into_iter().collect();
            // The longest prefix is meant.
            prefixes.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
            Change::MapPrefixes(prefixes)
        }
        "field_name_prefix" | "add_field_name_prefix" => {
            Change::PrefixFields(required(node, "prefix")?)
        }
        "field_name_suffix" | "add_field_name_suffix" => {
            Change::SuffixFields(required(node, "suffix")?)
        }
        "drop_detection_item" => Change::DropMatches,
        "value_placeholders" | "value_list_placeholders" => Change::Values(names(node)?),
        "wildcard_placeholders" => Change::Wildcards(names(node)?),
        "replace_string" => Change::ReplaceText {
            pattern: pattern(child(node, "regex")?, false)?,
            with: replacement(&required(node, "replacement")?),
        },
        "map_string" => Change::MapText(lists(child(node, "mapping")?)?),
        "set_value" => Change::SetValue(set_value(node)?),
        "change_logsource" => Change::SetLogsource(logsource(node)?),
        "add_condition" => Change::AddCondition {
            search: SearchSpec {
                name: optional(node, "name")?.unwrap_or_else(|| "added".to_owned()),
                at: node.at,
                body: search(child(node, "conditions")?)?,
            },
            template: flag(node, "template"),
            negated: flag(node, "negated"),
        },
        "set_state" => Change::SetState(required(node, "key")?, required(node, "val")?),
        "set_custom_attribute" => {
            Change::SetAttribute(required(node, "attribute")?, required(node, "value")?)
        }
        "rule_failure" => Change::RefuseRule(required(node, "message")?),
        "detection_item_failure" | "strict_field_mapping_failure" => {
            Change::RefuseMatch(required(node, "message")?)
        }
        "convert_type" => Change::ConvertType(match required(node, "target_type")?.as_str() {
            "str" => Target::Text,
            "num" => Target::Number,
            other => return Err(unknown(node, "target_type", other, &["str", "num"])),
        }),
        "case" => Change::Case(match optional(node, "method")?.as_deref() {
            None | Some("lower") => Case::Lower,
            Some("upper") => Case::Upper,
            Some("snake_case") => Case::Snake,
            Some(other) => {
                return Err(unknown(node, "method", other, &["lower", "upper", "snake_case"]));
            }
        }),
        "hashes_fields" => Change::Hashes {
            algorithms: match node.get("valid_hash_algos") {
                Some(list) => texts(list)?,
                None => ["MD5", "SHA1", "SHA256", "SHA512", "IMPHASH"].map(String::from).into(),
            },
            prefix: optional(node, "field_prefix")?.unwrap_or_default(),
            drop_algorithm: flag(node, "drop_algo_prefix"),
        },
        "nest" => Change::Nest(items(child(node, "items")?, warnings, depth + 1)?),
        "add_field" | "remove_field" | "set_field" | "regex" => return without_effect(warnings),
        "query_expression_placeholders" => {
            let message = "`query_expression_placeholders` is an expression of a query language";
            let mend = "use `value_placeholders` with `vars`, or `wildcard_placeholders`";
            return Err(Refusal::new(node.at, message, mend));
        }
        other => return Err(unknown(node, "transformation", other, &CHANGES)),
    })
}

/// `X_conditions`, `X_cond_op`, `X_cond_not`, `X_cond_expr`.
fn gate<T>(
    node: &Node,
    what: &str,
    test: fn(&Node) -> Result<T, Refusal>,
) -> Result<Gate<T>, Refusal> {
    let key = |rest: &str| format!("{what}_{rest}");
    let mut gate = Gate { negated: flag(node, &key("cond_not")), ..Gate::default() };
    let Some(conditions) = node.get(&key("conditions")) else {
        return Ok(gate);
    };
    if let Kind::Map(entries) = &conditions.kind {
        for entry in entries {
            gate.tests.push((entry.key.to_string(), test(&entry.value)?));
        }
    } else {
        for (place, member) in conditions.members().iter().enumerate() {
            gate.tests.push((format!("cond_{place}"), test(member)?));
        }
    }
    match optional(node, &key("cond_op"))?.as_deref() {
        None | Some("and") => {}
        Some("or") => gate.link = Link::Any,
        Some(other) => return Err(unknown(node, "cond_op", other, &["and", "or"])),
    }
    let expression = ["cond_expr", "cond_expression"].iter().find_map(|name| node.get(&key(name)));
    if let Some(expression) = expression {
        let names: Vec<&str> = gate.tests.iter().map(|(name, _)| name.as_str()).collect();
        let written = expression.text("cond_expr")?;
        gate.link = Link::Expression(Expression::parse(&written, expression.at, &names)?);
    }
    Ok(gate)
}

fn rule_test(node: &Node) -> Result<RuleTest, Refusal> {
    let kind = required(node, "type")?;
    Ok(match kind.as_str() {
        "logsource" => RuleTest::Logsource(logsource(node)?),
        "contains_detection_item" => {
            RuleTest::HasMatch { field: optional(node, "field")?, value: required(node, "value")? }
        }
        "contains_field" => RuleTest::HasField(required(node, "field")?),
        "processing_item_applied" => RuleTest::Applied(required(node, "processing_item_id")?),
        "processing_state" => RuleTest::State(required(node, "key")?, required(node, "val")?),
        "is_sigma_rule" => RuleTest::IsDetection,
        "is_sigma_correlation_rule" => RuleTest::IsCorrelation,
        "rule_attribute" => RuleTest::Attribute {
            name: required(node, "attribute")?,
            value: required(node, "value")?,
            operator: match optional(node, "op")?.as_deref() {
                None | Some("eq") => Operator::Equal,
                Some("ne" | "neq") => Operator::NotEqual,
                Some("lt") => Operator::Less,
                Some("lte") => Operator::LessOrEqual,
                Some("gt") => Operator::Greater,
                Some("gte") => Operator::GreaterOrEqual,
                Some(other) => {
                    let known = ["eq", "ne", "lt", "lte", "gt", "gte"];
                    return Err(unknown(node, "op", other, &known));
                }
            },
        },
        "tag" => RuleTest::Tag(required(node, "tag")?),
        other => {
            let known = [
                "logsource",
                "contains_detection_item",
                "contains_field",
                "processing_item_applied",
                "processing_state",
                "is_sigma_rule",
                "is_sigma_correlation_rule",
                "rule_attribute",
                "tag",
            ];
            return Err(unknown(node, "rule condition", other, &known));
        }
    })
}

fn match_test(node: &Node) -> Result<MatchTest, Refusal> {
    let kind = required(node, "type")?;
    let all = optional(node, "cond")?.as_deref() == Some("all");
    Ok(match kind.as_str() {
        "match_string" => MatchTest::Text {
            pattern: pattern(child(node, "pattern")?, true)?,
            all,
            negated: flag(node, "negate"),
        },
        "match_value" => MatchTest::Value { value: required(node, "value")?, all },
        "contains_wildcard" => MatchTest::HasWildcard { all },
        "is_null" => MatchTest::IsNull { all },
        "processing_item_applied" => MatchTest::Applied(required(node, "processing_item_id")?),
        "processing_state" => MatchTest::State(required(node, "key")?, required(node, "val")?),
        other => {
            let known = [
                "match_string",
                "match_value",
                "contains_wildcard",
                "is_null",
                "processing_item_applied",
                "processing_state",
            ];
            return Err(unknown(node, "detection item condition", other, &known));
        }
    })
}

fn field_test(node: &Node) -> Result<FieldTest, Refusal> {
    let kind = required(node, "type")?;
    Ok(match kind.as_str() {
        "include_fields" | "exclude_fields" => {
            let list = child(node, "fields")?;
            let names = match optional(node, "mode")?.as_deref() {
                None | Some("plain") => FieldNames::Plain(texts(list)?),
                Some("re") => FieldNames::Patterns(
                    list.members()
                        .iter()
                        .map(|member| pattern(member, true))
                        .collect::<Result<_, _>>()?,
                ),
                Some(other) => return Err(unknown(node, "mode", other, &["plain", "re"])),
            };
            FieldTest::Within { names, included: kind == "include_fields" }
        }
        "processing_item_applied" => FieldTest::Applied(required(node, "processing_item_id")?),
        "processing_state" => FieldTest::State(required(node, "key")?, required(node, "val")?),
        other => {
            let known =
                ["include_fields", "exclude_fields", "processing_item_applied", "processing_state"];
            return Err(unknown(node, "field name condition", other, &known));
        }
    })
}

fn unknown(node: &Node, what: &str, name: &str, known: &[&str]) -> Refusal {
    let message = format!("unknown {what} `{}`", shown(name));
    Refusal::new(node.at, message, nearest(name, known.iter().copied()))
}

fn child<'n>(node: &'n Node, name: &str) -> Result<&'n Node, Refusal> {
    node.get(name).ok_or_else(|| Refusal::new(node.at, format!("`{name}` is missing"), ""))
}

fn required(node: &Node, name: &str) -> Result<String, Refusal> {
    child(node, name)?.text(name).map(String::from)
}

fn optional(node: &Node, name: &str) -> Result<Option<String>, Refusal> {
    match node.get(name) {
        None => Ok(None),
        Some(found) if found.kind == Kind::Null => Ok(None),
        Some(found) => found.text(name).map(|text| Some(text.into_owned())),
    }
}

fn flag(node: &Node, name: &str) -> bool {
    node.get(name).is_some_and(|found| found.kind == Kind::Boolean(true))
}

fn texts(node: &Node) -> Result<Vec<String>, Refusal> {
    node.members().iter().map(|member| member.text("a list").map(String::from)).collect()
}

/// A map of texts to one or several.
fn lists(node: &Node) -> Result<FxHashMap<String, Vec<String>>, Refusal> {
    if !matches!(node.kind, Kind::Map(_)) {
        return Err(Refusal::new(node.at, format!("expected a map, found {}", node.what()), ""));
    }
    node.entries().iter().map(|entry| Ok((entry.key.to_string(), texts(&entry.value)?))).collect()
}

fn names(node: &Node) -> Result<Names, Refusal> {
    let list = |name: &str| node.get(name).map(texts).transpose().map(Option::unwrap_or_default);
    Ok(Names { include: list("include")?, exclude: list("exclude")? })
}

fn logsource(node: &Node) -> Result<LogsourceSpec, Refusal> {
    Ok(LogsourceSpec {
        category: optional(node, "category")?,
        product: optional(node, "product")?,
        service: optional(node, "service")?,
    })
}

fn set_value(node: &Node) -> Result<Node, Refusal> {
    let value = child(node, "value")?.clone();
    let force = optional(node, "force_type")?;
    let kind = match (force.as_deref(), &value.kind) {
        (_, Kind::List(_) | Kind::Map(_)) => {
            return Err(Refusal::new(value.at, "`set_value` sets one value", ""));
        }
        (Some("str"), kind) => match value.scalar() {
            Some(text) => Kind::Text(text.into()),
            None => kind.clone(),
        },
        (_, kind) => kind.clone(),
    };
    Ok(Node { at: value.at, kind })
}

/// Python's regular expressions; anchored at the start where Python's `match` is meant.
fn pattern(node: &Node, at_start: bool) -> Result<Regex, Refusal> {
    let text = node.text("a regular expression")?;
    let written = if at_start { format!("^(?:{text})") } else { text.clone().into_owned() };
    RegexBuilder::new(&written).size_limit(REGEX_BYTES).dfa_size_limit(REGEX_BYTES).build().map_err(
        |error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default();
            let message = format!("regular expression `{}`: {}", shown(&text), shown(reason));
            Refusal::new(node.at, message, "look-around is not supported")
        },
    )
}

/// Python's `\1` and `\g<name>` as `${1}` and `${name}`.
fn replacement(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek().copied()) {
            ('$', _) => written.push_str("$$"),
            ('\\', Some(digit)) if digit.is_ascii_digit() => {
                chars.next();
                written.push_str("${");
                written.push(digit);
                written.push('}');
            }
            ('\\', Some('g')) => {
                chars.next();
                if chars.next_if_eq(&'<').is_some() {
                    let name: String = chars.by_ref().take_while(|c| *c != '>').collect();
                    written.extend(["${", &name, "}"]);
                }
            }
            ('\\', Some('\\')) => {
                chars.next();
                written.push('\\');
            }
            (c, _) => written.push(c),
        }
    }
    written
}
