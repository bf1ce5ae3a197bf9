//! One module a command.

pub mod analyze;
pub mod config;
pub mod doctor;
pub mod learning;
pub mod parse;
pub mod rules;
pub mod rules_history;
pub mod rules_import;
pub mod scan;
pub mod simulate;
pub mod up;

use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::Cli;
use crate::output;

/// Prints a shell's completions.
pub fn completions(shell: clap_complete::Shell) -> ExitCode {
    clap_complete::generate(shell, &mut Cli::command(), "vigie", &mut output::stdout());
    ExitCode::SUCCESS
}

/// Prints the manual page.
pub fn man() -> anyhow::Result<ExitCode> {
    clap_mangen::Man::new(Cli::command()).render(&mut output::stdout())?;
    Ok(ExitCode::SUCCESS)
}
