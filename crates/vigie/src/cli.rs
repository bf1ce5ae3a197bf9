//! The command line, in one definition: `--help`, completions and the manual page come from it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use vigie_event::{Format, Lang, Severity};

/// A security operations centre in one binary: from the log line to the decided response.
#[derive(Debug, Parser)]
#[command(
    name = "vigie",
    version,
    propagate_version = true,
    after_help = "Start here:\n  vigie up --demo                the whole centre with a simulated intrusion\n  vigie scan /var/log/auth.log   what would have been found in a finished log"
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Results as NDJSON, one object a line, no colour
    #[arg(long, global = true)]
    pub json: bool,
    /// Say less on stderr; twice: errors only
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub quiet: u8,
    /// Say more on stderr; twice: everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Language of texts: en or fr; from the locale by default
    #[arg(long, global = true, value_name = "LANG", env = "VIGIE_LANG")]
    lang: Option<Lang>,
}

impl Global {
    /// The language asked for, else the locale's.
    pub fn lang(&self) -> Lang {
        self.lang.unwrap_or_else(|| {
            ["LC_ALL", "LC_MESSAGES", "LANG"]
                .into_iter()
                .filter_map(|name| std::env::var(name).ok())
                .find(|locale| !locale.is_empty())
                .map_or(Lang::En, |locale| Lang::from_locale(&locale))
        })
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole centre in one process
    #[command(after_help = "Example:\n  vigie up --demo")]
    Up(UpArgs),
    /// Read finished log files and report what would have been found and decided; changes nothing
    #[command(
        after_help = "Example:\n  vigie scan /var/log/auth.log*\n  vigie scan access.log.gz --as nginx --json | jq 'select(.kind == \"decision\")'"
    )]
    Scan(ScanArgs),
    /// Show the events that parsers read from log files, one JSON object a line
    #[command(
        after_help = "Example:\n  vigie parse /var/log/auth.log | head\n  journalctl -o json | vigie parse -"
    )]
    Parse(ParseArgs),
    /// Judge the alerts of a file: the batch assistant
    #[command(after_help = "Example:\n  vigie analyze alerts.json --severity high")]
    Analyze(AnalyzeArgs),
    /// Make the events of a simulated attack
    #[command(
        after_help = "Example:\n  vigie simulate --list\n  vigie simulate --scenario ssh-brute-force | vigie scan -\n  vigie simulate --scenario ssh_failed --to http://127.0.0.1:6001"
    )]
    Simulate(SimulateArgs),
    /// Check, list, run and test Sigma rules
    #[command(
        after_help = "Example:\n  vigie rules check ./my-rules\n  vigie rules match --rules ./my-rules events.ndjson"
    )]
    Rules(RulesArgs),
    /// Say what works and what does not on this machine, each with its mend
    #[command(
        after_help = "Example:\n  vigie doctor\n  vigie doctor --json | jq 'select(.state != \"good\")'"
    )]
    Doctor(DoctorArgs),
    /// Show what closings taught, by rule and entity; only reads, also while the centre runs
    #[command(after_help = "Example:\n  vigie learning --json > learnt.ndjson")]
    Learning(LearningArgs),
    /// Check or show the configuration
    #[command(after_help = "Example:\n  vigie config check --config /etc/vigie/vigie.toml")]
    Config(ConfigArgs),
    /// Print a shell's completions
    #[command(after_help = "Example:\n  vigie completions bash > /etc/bash_completion.d/vigie")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(after_help = "Example:\n  vigie man | man -l -")]
    Man,
}

#[derive(Debug, Args)]
pub struct UpArgs {
    /// Play a simulated intrusion; nothing outside is ever changed
    #[arg(long)]
    pub demo: bool,
    /// Where everything is kept
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", env = "VIGIE_CONFIG")]
    pub config: Option<PathBuf>,
}

/// How records are read.
#[derive(Clone, Debug, Args)]
pub struct InputArgs {
    /// Log files, compressed or not; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Format; recognised from content by default
    #[arg(long = "as", value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Time zone of times that name none, such as Europe/Paris; the machine's by default
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// The moment before which times without a year lie (RFC 3339); the file's date by default
    #[arg(long, value_name = "TIME")]
    pub reference: Option<String>,
}

#[derive(Debug, Args)]
pub struct ScanArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Rules to use instead of the shipped ones: a Sigma file or a folder; may be repeated
    #[arg(long, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// Judge as the centre with this configuration (TOML) would: its rules, lists, decoys, policy
    /// and allowlist; built-in defaults without it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Write a report: .html, .md or .json
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ParseArgs {
    #[command(flatten)]
    pub input: InputArgs,
}

#[derive(Debug, Args)]
pub struct AnalyzeArgs {
    /// Alerts: a JSON array or NDJSON, compressed or not; `-` is stdin
    #[arg(value_name = "ALERTS")]
    pub file: PathBuf,
    /// Only alerts of this severity or worse
    #[arg(long, value_name = "SEVERITY")]
    pub severity: Option<Severity>,
    /// Write a report: .html, .md or .json
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Folder for the results, kept as vigie-analysis-TIME.json; the current one by default
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    /// Keep no results
    #[arg(long, conflicts_with = "save")]
    pub no_save: bool,
}

#[derive(Debug, Args)]
pub struct LearningArgs {
    /// Only of this rule
    #[arg(long, value_name = "ID")]
    pub rule: Option<String>,
    /// Data directory of the centre
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", env = "VIGIE_CONFIG")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Which attack; `--list` names them
    #[arg(long, value_name = "NAME", default_value = "demo")]
    pub scenario: String,
    /// Name the scenarios
    #[arg(long)]
    pub list: bool,
    /// Send the events to a centre's agents' interface instead of printing them
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// Events a second; printed events come at once by default, sent ones in their own time
    #[arg(long, value_name = "N")]
    pub rate: Option<f64>,
    /// The same seed makes the same events
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Time of the first event (RFC 3339); now by default
    #[arg(long, value_name = "TIME")]
    pub start: Option<String>,
}

#[derive(Debug, Args)]
pub struct RulesArgs {
    /// Configuration file (TOML): says which rules are in force
    #[arg(long, value_name = "FILE", env = "VIGIE_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// Data directory of the centre
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// What a placeholder (%NAME%) of rules stands for: a value, or @FILE with one a line; repeat
    /// it for more
    #[arg(long = "placeholder", value_name = "NAME=VALUE", global = true)]
    pub placeholders: Vec<String>,
    #[command(subcommand)]
    pub command: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Say what is wrong in rules, with file, line and mend
    #[command(after_help = "Example:\n  vigie rules check ./my-rules")]
    Check {
        /// Sigma files or folders; the rules in force by default
        paths: Vec<PathBuf>,
    },
    /// List rules
    #[command(after_help = "Example:\n  vigie rules list --json")]
    List {
        /// Sigma files or folders; the rules in force by default
        #[arg(long = "rules", value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Say which rules match which records, one JSON object a match; or, with --history, what
    /// rules would have found in what the centre has kept
    #[command(
        after_help = "Example:\n  vigie rules match --rules ./my-rules events.ndjson\n  vigie rules match --history --since 7d --rules ./new-rule.yml"
    )]
    Match(MatchArgs),
    /// Run rules against their own fixtures (fixtures/NAME.fires.*, fixtures/NAME.quiet.*)
    #[command(after_help = "Example:\n  vigie rules test")]
    Test {
        /// Folders of rules; the rules in force by default
        paths: Vec<PathBuf>,
    },
    /// Take in rules of others, such as a clone of SigmaHQ's
    #[command(
        after_help = "Example:\n  git clone --depth 1 https://github.com/SigmaHQ/sigma\n  vigie rules import sigma --dry-run\n  vigie rules import sigma --status stable,test --level medium --product linux"
    )]
    Import(ImportArgs),
}

#[derive(Debug, Args)]
pub struct MatchArgs {
    /// Log files, compressed or not; `-` is stdin
    #[arg(required_unless_present = "history", conflicts_with = "history", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Format; recognised from content by default
    #[arg(long = "as", value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Time zone of times that name none, such as Europe/Paris; the machine's by default
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// The moment before which times without a year lie (RFC 3339); the file's date by default
    #[arg(long, value_name = "TIME")]
    pub reference: Option<String>,
    /// Sigma files or folders; the rules in force by default
    #[arg(long = "rules", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Run the rules over the centre's journal, which is only read, also while the centre runs
    #[arg(long)]
    pub history: bool,
    /// Only events from then on: RFC 3339, a date, or how long ago (90m, 36h, 7d)
    #[arg(long, value_name = "TIME", requires = "history", conflicts_with = "files")]
    pub since: Option<String>,
    /// Only events before then
    #[arg(long, value_name = "TIME", requires = "history", conflicts_with = "files")]
    pub until: Option<String>,
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The clone, or any folder of Sigma files
    #[arg(value_name = "DIR")]
    pub from: PathBuf,
    /// The rules folder; the configured one by default
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// The folder's name below `imported`
    #[arg(long, default_value = "sigmahq")]
    pub name: String,
    /// Only rules of these statuses
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "STATUS",
        default_value = "stable,test,experimental",
        value_parser = ["stable", "test", "experimental", "deprecated", "unsupported"]
    )]
    pub status: Vec<String>,
    /// Only rules of this level or worse
    #[arg(long, value_name = "LEVEL", default_value = "informational")]
    pub level: Severity,
    /// Only rules for these products, and those that name none
    #[arg(long, value_delimiter = ',', value_name = "PRODUCT")]
    pub product: Vec<String>,
    /// Tell what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", env = "VIGIE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where everything is kept
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub command: ConfigCommand,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ConfigForm {
    Toml,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say what is wrong in a configuration
    #[command(after_help = "Example:\n  vigie config check --config vigie.toml")]
    Check {
        /// Configuration file (TOML)
        #[arg(long, value_name = "FILE", env = "VIGIE_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Show the configuration in force, defaults and environment included
    #[command(after_help = "Example:\n  VIGIE_CONSOLE__LISTEN=127.0.0.1:7080 vigie config show")]
    Show {
        /// Configuration file (TOML)
        #[arg(long, value_name = "FILE", env = "VIGIE_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Print every key with its meaning and its default
    #[command(after_help = "Example:\n  vigie config reference > vigie.toml")]
    Reference,
}
