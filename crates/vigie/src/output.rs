//! What people and programs see of a command: results on stdout, all else on stderr.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;
use vigie_event::Lang;
use vigie_sensor::ReadError;

use crate::cli::Global;

/// Sends log messages to stderr, at the level that `-q` and `-v` ask for; `VIGIE_LOG` overrides.
pub fn init_log(global: &Global) {
    let level = match i16::from(global.verbose) - i16::from(global.quiet) {
        ..=-2 => "error",
        -1 => "warn",
        0 => "info,vigie_sensor=warn",
        1 => "info,vigie=debug,vigie_sensor=debug,vigie_store=debug,vigie_collector=debug",
        2.. => "debug",
    };
    let quiet_libraries =
        format!("{level},tantivy=warn,sqlx=warn,sea_orm=warn,sea_orm_migration=warn");
    let filter = std::env::var("VIGIE_LOG").unwrap_or(quiet_libraries).parse::<Targets>();
    tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_writer(io::stderr)
        .with_target(global.verbose > 0)
        .with_ansi(io::stderr().is_terminal() && colour_wanted())
        .finish()
        .with(filter.as_ref().cloned().unwrap_or_else(|_| Targets::new().with_default(Level::INFO)))
        .init();
    if let Err(error) = filter {
        tracing::warn!("VIGIE_LOG is no log filter, such as info,vigie_sensor=debug: {error}");
    }
}

/// Whether the reader accepts colour: <https://no-color.org>.
fn colour_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Colours for stdout: empty where colour is not wanted.
#[derive(Clone, Copy, Default)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// Colours where stdout is a terminal that wants them.
    pub fn for_stdout(global: &Global) -> Self {
        Self { on: !global.json && io::stdout().is_terminal() && colour_wanted() }
    }

    /// `text` in bold.
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// `text` in the colour of a severity.
    pub fn severity(self, severity: vigie_event::Severity, text: &str) -> String {
        use vigie_event::Severity;
        let code = match severity {
            Severity::Critical => "1;31",
            Severity::High => "31",
            Severity::Medium => "33",
            Severity::Low => "36",
            Severity::Informational => "2",
        };
        self.wrap(code, text)
    }

    /// `text` in grey.
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Text from logs, made fit for a terminal: control characters and the characters that turn the
/// direction of writing are shown as escapes.
pub fn inert(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let turns = matches!(character, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || turns {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Writes one JSON object a line.
pub fn json_line(out: &mut impl Write, object: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    out.write_all(b"\n")
}

/// A buffered, locked stdout.
pub fn stdout() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::with_capacity(64 * 1024, io::stdout().lock())
}

/// Whether `error` is the reader of stdout having gone, as `head` does: no error of ours.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let json =
            cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        io.or(json) == Some(io::ErrorKind::BrokenPipe)
    })
}

/// Says on stderr what went wrong; about files, in `lang`.
pub fn complain(error: &anyhow::Error, lang: Lang) {
    let told = match error.downcast_ref::<ReadError>() {
        Some(unread) => unread.sentence(lang),
        None => format!("{error:#}"),
    };
    let mut stderr = io::stderr().lock();
    // Nothing is left to be told when stderr is gone too.
    let _ = writeln!(stderr, "{}: {}", lang.pick("error", "erreur"), inert(&told));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_log_moves_the_terminal() {
        assert_eq!(inert("a\x1b[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(inert("x\u{202E}y\r\n"), "x\\u{202e}y\\u{d}\\u{a}");
        assert_eq!(inert("élevé"), "élevé");
    }
}
