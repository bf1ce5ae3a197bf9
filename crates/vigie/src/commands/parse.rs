//! `vigie parse`: one event a line.

use std::io::Write;
use std::process::ExitCode;

use vigie_event::wire;

use crate::cli::{Global, ParseArgs};
use crate::{input, output};

pub fn run(global: &Global, args: &ParseArgs) -> anyhow::Result<ExitCode> {
    let mut out = output::stdout();
    let mut failed = false;
    // Opened one after the other, so that the first file is shown before the second is looked for.
    let options = input::parser_options(&args.input)?;
    for path in &args.input.files {
        let read = input::Input::open(path, args.input.format, &options).and_then(|mut input| {
            while input.advance()? {
                output::json_line(&mut out, &wire::event(&input.event))?;
            }
            Ok(())
        });
        if let Err(error) = read {
            if output::is_broken_pipe(&error) {
                return Err(error);
            }
            out.flush()?;
            output::complain(&error, global.lang());
            failed = true;
        }
    }
    out.flush()?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
