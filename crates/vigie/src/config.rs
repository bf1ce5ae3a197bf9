//! The configuration: one TOML file over the defaults of `reference.toml`, and the environment
//! over both. The reference is the definition: its values are the defaults, its keys are the only
//! ones known.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};
use vigie_analyzer::autonomy::Planted;

use crate::decoys;

/// Every key with its meaning and its default.
pub const REFERENCE: &str = include_str!("reference.toml");

/// Environment variables that are no configuration keys.
const OTHER_VARIABLES: [&str; 5] =
    ["VIGIE_CONFIG", "VIGIE_LANG", "VIGIE_AGENTS_TOKEN", "VIGIE_ADMIN_PASSWORD", MODEL_KEY];
/// The environment variable with the key of the model's server.
pub const MODEL_KEY: &str = "VIGIE_MODEL_KEY";

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Config {
    pub lang: String,
    pub data: PathBuf,
    pub timezone: String,
    pub console: ConsoleConfig,
    pub agents_interface: AgentsInterfaceConfig,
    pub sources: SourcesConfig,
    pub detection: DetectionConfig,
    pub analysis: AnalysisConfig,
    pub response: ResponseConfig,
    pub model: ModelConfig,
    pub storage: StorageConfig,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ConsoleConfig {
    pub listen: SocketAddr,
    pub hosts: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AgentsInterfaceConfig {
    pub enabled: bool,
    pub collect: SocketAddr,
    pub analyze: SocketAddr,
    pub respond: SocketAddr,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SourcesConfig {
    pub files: Vec<PathBuf>,
    pub journald: Journald,
    pub first_read: FirstRead,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Journald {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum FirstRead {
    Start,
    End,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct DetectionConfig {
    pub rules: Vec<PathBuf>,
    pub rules_folder: PathBuf,
    pub incident_gap_s: u32,
    pub snapshot_s: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AnalysisConfig {
    pub critical: Vec<String>,
    pub denied: Vec<String>,
    pub allowed: Vec<String>,
    pub tools: Vec<String>,
    pub decoys: Vec<String>,
    pub prose_decoys: Vec<String>,
    pub planted: Vec<String>,
}

impl AnalysisConfig {
    /// The lists as the analyst reads them.
    pub fn known(&self) -> vigie_analyzer::Known {
        use vigie_analyzer::Names;
        vigie_analyzer::Known {
            critical: Names::of(&self.critical),
            denied: Names::of(&self.denied),
            allowed: Names::of(&self.allowed),
            tools: Names::of(&self.tools),
        }
    }

    /// The values that only an answer of ours carries.
    pub fn planted(&self) -> anyhow::Result<Planted> {
        Planted::parse(&self.planted).context("configuration: analysis.planted")
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ResponseConfig {
    pub mode: vigie_event::Mode,
    pub policy: PathBuf,
    pub allow: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ModelConfig {
    pub url: String,
    pub name: String,
    pub key_file: PathBuf,
    pub timeout_s: u32,
    pub concurrency: u32,
    pub per_minute: u32,
    pub tokens_per_day: u64,
    pub max_tokens: u32,
    pub notes: bool,
    pub look: bool,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StorageConfig {
    pub journal_max_mib: u32,
    pub journal_max_days: u32,
    pub index_days: u32,
    pub reserve_mib: u32,
}

impl Config {
    /// The configuration in force: defaults, then `file`, then `environment`.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> anyhow::Result<Self> {
        let mut merged: Table = toml::from_str(REFERENCE).context("reference configuration")?;
        let known = merged.clone();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read configuration {}", path.display()))?;
            let table = read_file(&text, &known)
                .map_err(|problem| anyhow::anyhow!("{}:{problem}", path.display()))?;
            merge(&mut merged, table);
        }
        for (name, value) in environment {
            if name.starts_with("VIGIE_") && !OTHER_VARIABLES.contains(&name.as_str()) {
                set_from_environment(&mut merged, &known, &name, &value)?;
            }
        }
        let text = toml::to_string(&merged)?;
        let config: Self = toml::from_str(&text)
            .map_err(|error| anyhow::anyhow!("configuration: {}", error.message().trim_end()))?;
        if !matches!(config.lang.as_str(), "" | "en" | "fr") {
            bail!(
                "configuration: `lang` is \"{}\"; it must be \"en\", \"fr\" or \"\"",
                config.lang
            );
        }
        config.analysis.planted()?;
        decoys::check(&config.analysis)?;
        Ok(config)
    }

    /// The data directory: the command line's, else the configured one, else the usual place.
    pub fn data_dir(&self, from_command_line: Option<&Path>) -> anyhow::Result<PathBuf> {
        if let Some(dir) = from_command_line {
            return Ok(dir.to_owned());
        }
        if !self.data.as_os_str().is_empty() {
            return Ok(self.data.clone());
        }
        if rustix::process::geteuid().is_root() {
            return Ok("/var/lib/vigie".into());
        }
        let from_variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        from_variable("XDG_DATA_HOME")
            .map(PathBuf::from)
            .or_else(|| from_variable("HOME").map(|home| Path::new(&home).join(".local/share")))
            .map(|base| base.join("vigie"))
            .context("no place for data: set --data, or HOME")
    }
}

/// Reads a configuration file; the error starts with line and column.
fn read_file(text: &str, known: &Table) -> Result<Table, String> {
    let place = |offset: usize| {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        format!("{line}:{column}")
    };
    let spanned = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        format!("{}: {}", place(offset), error.message())
    })?;
    if let Some((offset, problem)) = unknown_key(spanned.get_ref(), known, "") {
        return Err(format!("{}: {problem}", place(offset)));
    }
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

/// The first key that is not in `known`, as its byte offset and what is wrong.
fn unknown_key(table: &DeTable<'_>, known: &Table, prefix: &str) -> Option<(usize, String)> {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let offset = key.span().start;
        let Some(expected) = known.get(name) else {
            return Some((offset, unknown(name, known, prefix)));
        };
        match (value.get_ref(), expected) {
            (DeValue::Table(inner), Value::Table(known)) => {
                let problem = unknown_key(inner, known, &format!("{prefix}{name}."));
                if problem.is_some() {
                    return problem;
                }
            }
            (DeValue::Table(_), _) => {
                return Some((offset, format!("`{prefix}{name}` is a value, not a table")));
            }
            (_, Value::Table(_)) => {
                return Some((offset, format!("`{prefix}{name}` is a table, not a value")));
            }
            _ => {}
        }
    }
    None
}

fn unknown(name: &str, known: &Table, prefix: &str) -> String {
    let nearest = known.keys().max_by(|left, right| {
        let near = |key: &str| strsim::jaro_winkler(name, key);
        near(left).total_cmp(&near(right))
    });
    match nearest {
        Some(nearest) if strsim::jaro_winkler(name, nearest) > 0.7 => {
            format!("unknown key `{prefix}{name}`; did you mean `{prefix}{nearest}`?")
        }
        _ => {
            let keys: Vec<&str> = known.keys().map(String::as_str).collect();
            format!("unknown key `{prefix}{name}`; the keys here are {}", keys.join(", "))
        }
    }
}

fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Sets the key that `VIGIE_SECTION__KEY` names. The value is read as the type of the default;
/// members of a list stand between commas.
fn set_from_environment(
    merged: &mut Table,
    known: &Table,
    name: &str,
    value: &str,
) -> anyhow::Result<()> {
    let path = name.trim_start_matches("VIGIE_").to_ascii_lowercase();
    let mut parts: Vec<&str> = path.split("__").collect();
    let last = parts.pop().unwrap_or_default();
    let (mut table, mut known, mut prefix) = (merged, known, String::new());
    for part in parts {
        let inner = known.get(part).and_then(Value::as_table);
        let (Some(Value::Table(next)), Some(inner)) = (table.get_mut(part), inner) else {
            bail!("environment variable {name}: {}", unknown(part, known, &prefix));
        };
        prefix = format!("{prefix}{part}.");
        (table, known) = (next, inner);
    }
    let value = match known.get(last) {
        None => bail!("environment variable {name}: {}", unknown(last, known, &prefix)),
        Some(Value::Table(_)) => bail!("environment variable {name}: `{last}` is a table"),
        Some(Value::Integer(_)) => Value::Integer(
            value
                .parse()
                .with_context(|| format!("environment variable {name}: a whole number"))?,
        ),
        Some(Value::Boolean(_)) => Value::Boolean(
            value.parse().with_context(|| format!("environment variable {name}: true or false"))?,
        ),
        Some(Value::Array(_)) => Value::Array(
            value
                .split(',')
                .map(str::trim)
                .filter(|member| !member.is_empty())
                .map(|member| Value::String(member.to_owned()))
                .collect(),
        ),
        Some(_) => Value::String(value.to_owned()),
    };
    table.insert(last.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, environment: &[(&str, &str)]) -> anyhow::Result<Config> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vigie.toml");
        std::fs::write(&path, text).unwrap();
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::load(Some(&path), environment)
    }

    fn check_error(text: &str, environment: &[(&str, &str)], expected: &str) {
        let error = format!("{:#}", load(text, environment).unwrap_err());
        assert!(error.contains(expected), "`{expected}` is not in: {error}");
    }

    #[test]
    fn the_reference_is_the_default() {
        let config = load("", &[]).unwrap();
        assert_eq!(config.console.listen.to_string(), "127.0.0.1:6080");
        assert_eq!(config.response.mode, vigie_event::Mode::DryRun);
    }

    #[test]
    fn what_is_planted_is_a_page_with_values() {
        let section = |entry: &str| format!("[analysis]\nplanted = [\"{entry}\"]\n");
        assert!(load(&section("/notes/access.html: svc-archive"), &[]).is_ok());
        check_error(&section("svc-archive"), &[], "must be a page and its values");
        check_error(&section("/notes: svc"), &[], "too short");
    }

    #[test]
    fn the_environment_comes_over_the_file() {
        let text = "[console]\nlisten = \"127.0.0.1:1\"\nhosts = [\"vigie.example.com\"]\n";
        let config = load(text, &[("VIGIE_CONSOLE__LISTEN", "127.0.0.1:2")]).unwrap();
        assert_eq!(config.console.listen.port(), 2);
        assert_eq!(config.console.hosts, ["vigie.example.com"]);
        let config = load("", &[("VIGIE_RESPONSE__ALLOW", "192.0.2.1, 198.51.100.0/24")]).unwrap();
        assert_eq!(config.response.allow.len(), 2);
    }

    #[test]
    fn errors_name_the_place_and_the_mend() {
        check_error(
            "[console]\nlisen = 1\n",
            &[],
            "vigie.toml:2:1: unknown key `console.lisen`; did you mean `console.listen`?",
        );
        check_error("console = 1\n", &[], "`console` is a table, not a value");
        check_error("lang = \"de\"\n", &[], "it must be \"en\", \"fr\"");
        check_error("lang = [\n", &[], "vigie.toml:");
        check_error("", &[("VIGIE_CONSOLE__PORT", "1")], "unknown key `console.port`");
        check_error("", &[("VIGIE_STORAGE__INDEX_DAYS", "many")], "a whole number");
    }
}
