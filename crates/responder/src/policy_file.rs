//! Reads a policy file, and says of each mistake where it stands and how to mend it.

use std::fmt;
use std::ops::Range;

use ipnet::IpNet;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use vigie_event::{Action, Category, Localized, Severity};

use crate::policy::{BanTerms, Policy, PolicyRule, Step, When};

/// The longest name of a rule, a playbook or a command, in bytes.
const MAX_NAME: usize = 64;
/// A ban of more than ten years is a typing mistake.
const MAX_SECONDS: u64 = 10 * 366 * 86_400;

/// What is wrong with a policy file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PolicyError {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub mend: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} ({})", self.line, self.column, self.message, self.mend)
    }
}

/// A mistake and where it stands in the text.
struct Mistake {
    span: Range<usize>,
    message: String,
    mend: String,
}

type Read<T> = Result<T, Mistake>;
type Field<'t> = Spanned<DeValue<'t>>;

fn mistake<T>(span: Range<usize>, message: impl Into<String>, mend: impl Into<String>) -> Read<T> {
    Err(Mistake { span, message: message.into(), mend: mend.into() })
}

pub(crate) fn parse(text: &str) -> Result<Policy, PolicyError> {
    let tree = DeTable::parse(text).map_err(|error| {
        let mend = "write it as TOML 1.0, see https://toml.io".to_owned();
        let message = error.message().to_owned();
        locate(text, Mistake { span: error.span().unwrap_or(0..0), message, mend })
    })?;
    policy(tree.get_ref()).map_err(|mistake| locate(text, mistake))
}

fn locate(text: &str, mistake: Mistake) -> PolicyError {
    let before = text.get(..mistake.span.start.min(text.len())).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    PolicyError { line, column, message: mistake.message, mend: mistake.mend }
}

fn policy(table: &DeTable<'_>) -> Read<Policy> {
    known_keys(table, &["bans", "rule"])?;
    let bans = match table.get("bans") {
        Some(field) => ban_terms(as_table(field, "bans")?)?,
        None => BanTerms::default(),
    };
    let mut rules: Vec<PolicyRule> = Vec::new();
    if let Some(field) = table.get("rule") {
        let DeValue::Array(members) = field.get_ref() else {
            return mistake(field.span(), "`rule` is no list of rules", "write `[[rule]]`");
        };
        for member in members {
            let read = rule(member)?;
            if rules.iter().any(|rule| rule.name == read.name) {
                let message = format!("two rules are called `{}`", read.name);
                return mistake(member.span(), message, "give each rule a name of its own");
            }
            rules.push(read);
        }
    }
    Ok(Policy { rules, bans })
}

fn ban_terms(table: &DeTable<'_>) -> Read<BanTerms> {
    known_keys(table, &["first", "factor", "memory", "longest", "per_minute"])?;
    let mut terms = BanTerms::default();
    if let Some(field) = table.get("first") {
        terms.first_s = duration(field)?;
    }
    if let Some(field) = table.get("factor") {
        terms.factor = number(field, 1, 10)? as u32;
    }
    if let Some(field) = table.get("memory") {
        terms.memory_s = duration(field)?;
    }
    if let Some(field) = table.get("longest") {
        terms.longest_s = duration(field)?;
    }
    if let Some(field) = table.get("per_minute") {
        terms.per_minute = number(field, 0, 100_000)? as u32;
    }
    Ok(terms)
}

fn rule(field: &Field<'_>) -> Read<PolicyRule> {
    let table = as_table(field, "rule")?;
    known_keys(table, &["name", "when", "do", "duration", "reason"])?;
    let Some(name_field) = table.get("name") else {
        return mistake(field.span(), "a rule has no name", "add `name = \"…\"`");
    };
    let Some(steps_field) = table.get("do") else {
        return mistake(field.span(), "a rule does nothing", "add `do = [\"create_ticket\"]`");
    };
    let steps = list(steps_field).into_iter().map(step).collect::<Read<Vec<_>>>()?;
    if steps.is_empty() {
        return mistake(steps_field.span(), "`do` is empty", "add an action, such as \"ignore\"");
    }
    let Some(reason_field) = table.get("reason") else {
        return mistake(
            field.span(),
            "a rule gives no reason",
            "add `reason = { en = \"…\", fr = \"…\" }`",
        );
    };
    Ok(PolicyRule {
        name: name(name_field)?,
        when: table.get("when").map_or(Ok(When::default()), when)?,
        steps,
        duration_s: table.get("duration").map(duration).transpose()?,
        reason: localized(reason_field)?,
    })
}

fn when(field: &Field<'_>) -> Read<When> {
    let table = as_table(field, "when")?;
    known_keys(
        table,
        &[
            "min_severity",
            "max_severity",
            "category",
            "recommended",
            "min_confidence",
            "max_false_positive",
            "min_autonomy",
            "actor_in",
            "actor_not_in",
        ],
    )?;
    let percent = |key| table.get(key).map(|field| number(field, 0, 100)).transpose();
    let networks = |key| match table.get(key) {
        Some(field) => list(field).into_iter().map(network).collect(),
        None => Ok(Vec::new()),
    };
    Ok(When {
        min_severity: table.get("min_severity").map(severity).transpose()?,
        max_severity: table.get("max_severity").map(severity).transpose()?,
        categories: match table.get("category") {
            Some(field) => list(field).into_iter().map(category).collect::<Read<_>>()?,
            None => Vec::new(),
        },
        recommended: match table.get("recommended") {
            Some(field) => list(field).into_iter().map(action).collect::<Read<_>>()?,
            None => Vec::new(),
        },
        min_confidence: percent("min_confidence")?.map(|value| value as u8),
        max_false_positive: percent("max_false_positive")?.map(|value| value as u8),
        min_autonomy: percent("min_autonomy")?.map(|value| value as u8),
        actor_in: networks("actor_in")?,
        actor_not_in: networks("actor_not_in")?,
    })
}

fn step(field: &Field<'_>) -> Read<Step> {
    let (action_field, step_name) = match field.get_ref() {
        DeValue::Table(table) => {
            known_keys(table, &["action", "name"])?;
            let Some(action_field) = table.get("action") else {
                return mistake(field.span(), "an action is missing", "add `action = \"…\"`");
            };
            (action_field, table.get("name").map(name).transpose()?)
        }
        _ => (field, None),
    };
    let action = action(action_field)?;
    let runs = matches!(action, Action::RunPlaybook | Action::RunCommand);
    if runs && step_name.is_none() {
        return mistake(
            field.span(),
            format!("`{action}` does not say what to run"),
            format!("write {{ action = \"{action}\", name = \"…\" }}"),
        );
    }
    if !runs && step_name.is_some() {
        return mistake(field.span(), format!("`{action}` takes no name"), "leave `name` out");
    }
    Ok(Step { action, name: step_name })
}

/// A field as a list: its members where it is one, else itself.
fn list<'f, 't>(field: &'f Field<'t>) -> Vec<&'f Field<'t>> {
    match field.get_ref() {
        DeValue::Array(members) => members.iter().collect(),
        _ => vec![field],
    }
}

fn as_table<'f, 't>(field: &'f Field<'t>, what: &str) -> Read<&'f DeTable<'t>> {
    match field.get_ref() {
        DeValue::Table(table) => Ok(table),
        _ => mistake(field.span(), format!("`{what}` is no table"), "write `{ key = value, … }`"),
    }
}

fn text<'f>(field: &'f Field<'_>) -> Read<&'f str> {
    match field.get_ref() {
        DeValue::String(text) => Ok(text),
        _ => mistake(field.span(), "text was expected", "write it in quotes"),
    }
}

fn name(field: &Field<'_>) -> Read<String> {
    let text = text(field)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if text.is_empty() || text.len() > MAX_NAME || !text.bytes().all(fits) {
        let mend = "use 1 to 64 letters, digits, `-` and `_`";
        return mistake(field.span(), "this cannot be a name", mend);
    }
    Ok(text.to_owned())
}

fn localized(field: &Field<'_>) -> Read<Localized> {
    if let DeValue::String(text) = field.get_ref() {
        return Ok(Localized::new(text.as_ref(), ""));
    }
    let table = as_table(field, "reason")?;
    known_keys(table, &["en", "fr"])?;
    let Some(en) = table.get("en") else {
        return mistake(field.span(), "the English text is missing", "add `en = \"…\"`");
    };
    let fr = table.get("fr").map(text).transpose()?;
    Ok(Localized::new(text(en)?, fr.unwrap_or_default()))
}

fn number(field: &Field<'_>, least: u64, most: u64) -> Read<u64> {
    let wanted = || format!("write a whole number from {least} to {most}");
    let DeValue::Integer(integer) = field.get_ref() else {
        return mistake(field.span(), "a number was expected", wanted());
    };
    match u64::from_str_radix(integer.as_str(), integer.radix()) {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => mistake(field.span(), "the number is out of range", wanted()),
    }
}

/// Seconds as a whole number, or a number with a unit: `90s`, `30m`, `4h`, `7d`, `4w`.
fn duration(field: &Field<'_>) -> Read<u64> {
    const MEND: &str = "write a duration such as \"30m\", \"4h\", \"7d\" or \"4w\"";
    if let DeValue::Integer(_) = field.get_ref() {
        return number(field, 1, MAX_SECONDS);
    }
    let Ok(written) = text(field) else {
        return mistake(field.span(), "a duration was expected", MEND);
    };
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400), ('w', 7 * 86_400)];
    let seconds = units.iter().find_map(|(unit, seconds)| {
        written.strip_suffix(*unit)?.trim().parse::<u64>().ok()?.checked_mul(*seconds)
    });
    match seconds {
        Some(seconds) if (1..=MAX_SECONDS).contains(&seconds) => Ok(seconds),
        _ => mistake(field.span(), format!("`{}` is no duration", short(written)), MEND),
    }
}

fn severity(field: &Field<'_>) -> Read<Severity> {
    let names: Vec<_> = Severity::ALL.iter().map(|severity| severity.name()).collect();
    let index = one_of(field, "severity", &names)?;
    Ok(Severity::ALL.get(index).copied().unwrap_or_default())
}

fn category(field: &Field<'_>) -> Read<Category> {
    let names: Vec<_> = Category::ALL.iter().map(|category| category.name()).collect();
    let index = one_of(field, "category", &names)?;
    Ok(Category::ALL.get(index).copied().unwrap_or_default())
}

fn action(field: &Field<'_>) -> Read<Action> {
    let names: Vec<_> = Action::ALL.iter().map(|action| action.name()).collect();
    let index = one_of(field, "action", &names)?;
    Ok(Action::ALL.get(index).copied().unwrap_or(Action::Ignore))
}

fn network(field: &Field<'_>) -> Read<IpNet> {
    let written = text(field)?;
    crate::net::parse(written).map_or_else(
        || {
            mistake(
                field.span(),
                format!("`{}` is no address and no network", short(written)),
                "write \"203.0.113.7\", \"203.0.113.0/24\" or \"2001:db8::/32\"",
            )
        },
        Ok,
    )
}

fn one_of(field: &Field<'_>, what: &str, known: &[&str]) -> Read<usize> {
    let written = text(field)?;
    match known.iter().position(|name| *name == written) {
        Some(index) => Ok(index),
        None => mistake(
            field.span(),
            format!("`{}` is no {what}", short(written)),
            nearest(written, known),
        ),
    }
}

fn known_keys(table: &DeTable<'_>, known: &[&str]) -> Read<()> {
    // Keys are kept in alphabetical order; the first in the file is the one to name.
    let unknown = table
        .keys()
        .filter(|key| !known.contains(&key.get_ref().as_ref()))
        .min_by_key(|key| key.span().start);
    match unknown {
        None => Ok(()),
        Some(key) => {
            let message = format!("`{}` is no setting here", short(key.get_ref()));
            mistake(key.span(), message, nearest(key.get_ref(), known))
        }
    }
}

/// The known name that was probably meant, else all of them.
fn nearest(written: &str, known: &[&str]) -> String {
    let closest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(written, name), *name))
        .max_by(|one, other| one.0.total_cmp(&other.0));
    match closest {
        Some((likeness, name)) if likeness > 0.8 => format!("did you mean `{name}`?"),
        _ => format!("use one of {}", known.join(", ")),
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "[[rule]]\nname = \"a\"\ndo = [\"ignore\"]\nreason = \"r\"\n";

    fn check(toml: &str, expected: &str) {
        let error = parse(toml).expect_err(toml);
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn reads_the_shipped_policy() {
        let policy = parse(crate::policy::SHIPPED_POLICY).unwrap();
        assert_eq!(policy.bans, BanTerms::default());
        assert_eq!(policy.rules.len(), 7);
        for rule in &policy.rules {
            assert!(!rule.reason.en.is_empty() && !rule.reason.fr.is_empty(), "{}", rule.name);
        }
    }

    #[test]
    fn names_the_place_and_the_mend() {
        check("[bans]\nfrist = \"4h\"", "2:1: `frist` is no setting here (did you mean `first`?)");
        check(
            "[[rule]]\nname = \"a\"\nwhen = { min_severty = \"high\" }\ndo = [\"ignore\"]\nreason = \"r\"",
            "3:10: `min_severty` is no setting here (did you mean `min_severity`?)",
        );
        check(
            "[[rule]]\nname = \"é\"\ndo = [\"ignore\"]\nreason = \"r\"",
            "2:8: this cannot be a name (use 1 to 64 letters, digits, `-` and `_`)",
        );
        check(
            "[[rule]]\nname = \"a\"\ndo = [\"ignore\", \"blockip\"]\nreason = \"r\"",
            "3:17: `blockip` is no action (did you mean `block_ip`?)",
        );
        check(
            "[bans]\nfirst = \"soon\"",
            "2:9: `soon` is no duration (write a duration such as \"30m\", \"4h\", \"7d\" or \"4w\")",
        );
        check(
            "[[rule]]\nname = \"a\"\nwhen = { min_confidence = 101 }\ndo = [\"ignore\"]\nreason = \"r\"",
            "3:27: the number is out of range (write a whole number from 0 to 100)",
        );
        check(
            "[[rule]]\nname = \"a\"\ndo = [\"run_command\"]\nreason = \"r\"",
            "3:7: `run_command` does not say what to run (write { action = \"run_command\", name = \"…\" })",
        );
        check(
            "[[rule]]\nname = \"a\"\nreason = \"r\"",
            "1:1: a rule does nothing (add `do = [\"create_ticket\"]`)",
        );
        check(
            "[[rule]]\nname = \"a\"\nwhen = { actor_in = \"300.1.1.1\" }\ndo = [\"ignore\"]\nreason = \"r\"",
            "3:21: `300.1.1.1` is no address and no network (write \"203.0.113.7\", \"203.0.113.0/24\" or \"2001:db8::/32\")",
        );
        check(&RULE.repeat(2), "5:1: two rules are called `a` (give each rule a name of its own)");
    }

    #[test]
    fn what_is_no_toml_is_placed_too() {
        let error = parse("[bans]\nfirst = ").unwrap_err();
        assert_eq!(error.line, 2);
    }

    #[test]
    fn durations_have_units() {
        for (written, seconds) in
            [("90", 90), ("\"90s\"", 90), ("\"30m\"", 1_800), ("\"4w\"", 2_419_200)]
        {
            let policy = parse(&format!("{RULE}duration = {written}")).unwrap();
            assert_eq!(policy.rules[0].duration_s, Some(seconds), "{written}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]a-z_ =\"'{}0-9\n,.é]{0,200}") {
            let _ = parse(&text);
        }
    }
}
