//! Vigie: a security operations centre in one binary.

mod cli;
mod commands;
mod config;
mod decoys;
mod doctor;
mod history;
mod import;
mod input;
mod live;
mod model;
mod offline;
mod output;
mod report;
mod rulebook;
mod shipped;
mod together;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    output::init_log(&cli.global);
    let lang = cli.global.lang();
    match run(cli) {
        Ok(code) => code,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error, lang);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let global = cli.global;
    match cli.command {
        Command::Up(args) => commands::up::run(&global, &args),
        Command::Scan(args) => commands::scan::run(&global, &args),
        Command::Parse(args) => commands::parse::run(&global, &args),
        Command::Analyze(args) => commands::analyze::run(&global, &args),
        Command::Simulate(args) => commands::simulate::run(&global, &args),
        Command::Rules(args) => commands::rules::run(&global, args),
        Command::Doctor(args) => commands::doctor::run(&global, &args),
        Command::Learning(args) => commands::learning::run(&global, &args),
        Command::Config(args) => commands::config::run(&global, args),
        Command::Completions { shell } => Ok(commands::completions(shell)),
        Command::Man => commands::man(),
    }
}
