//! `vigie config`: check, show, reference.

use std::io::Write;
use std::process::ExitCode;

use crate::cli::{ConfigArgs, ConfigCommand, Global};
use crate::config::{Config, REFERENCE};
use crate::output;

pub fn run(global: &Global, args: ConfigArgs) -> anyhow::Result<ExitCode> {
    let mut out = output::stdout();
    match args.command {
        ConfigCommand::Check { config } => {
            Config::load(config.as_deref(), std::env::vars())?;
            tracing::info!("the configuration is right");
        }
        ConfigCommand::Show { config } => {
            let config = Config::load(config.as_deref(), std::env::vars())?;
            if global.json {
                output::json_line(&mut out, &serde_json::to_value(&config)?)?;
            } else {
                write!(out, "{}", toml::to_string(&config)?)?;
            }
        }
        ConfigCommand::Reference => write!(out, "{REFERENCE}")?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
