//! The records of the files on the command line, as events.

use std::path::Path;

use anyhow::{Context, bail};
use jiff::tz::TimeZone;
use vigie_event::{Event, Format, SystemClock, Timestamp};
use vigie_parser::{Options, Parser, Reference};
use vigie_sensor::Reader;

use crate::cli::InputArgs;

/// Files that are read side by side at most; each holds a descriptor and a buffer.
const MAX_FILES: usize = 512;

/// Parser options that the command line asks for.
pub fn parser_options(args: &InputArgs) -> anyhow::Result<Options> {
    let timezone = match &args.timezone {
        Some(name) => TimeZone::get(name)
            .with_context(|| format!("no time zone `{name}`; such as Europe/Paris"))?,
        None => system_zone(),
    };
    let reference = match &args.reference {
        Some(text) => Reference::Fixed(Timestamp::parse(text).with_context(|| {
            format!("--reference `{text}` is not RFC 3339, such as 2026-01-31T00:00:00Z")
        })?),
        None => Reference::Observed,
    };
    Ok(Options { timezone, reference })
}

/// The system's time zone. To learn its name, jiff reads the folders of all zones; what its clock
/// shows stands in one file.
pub fn system_zone() -> TimeZone {
    let told = std::env::var_os("TZ").is_some();
    let zone = if told { None } else { zone_in(Path::new("/etc/localtime")) };
    zone.unwrap_or_else(TimeZone::system)
}

/// The zone whose rules stand in that file (`TZif`, RFC 9636).
fn zone_in(file: &Path) -> Option<TimeZone> {
    TimeZone::tzif("", &std::fs::read(file).ok()?).ok()
}

/// One file, read and parsed record by record.
pub struct Input {
    reader: Reader,
    parser: Parser,
    /// The record read last.
    pub event: Box<Event>,
    /// Its number in the file, from 0.
    pub number: u64,
    started: bool,
}

impl Input {
    /// Opens `path` (`-`: stdin).
    pub fn open(path: &Path, format: Option<Format>, options: &Options) -> anyhow::Result<Self> {
        let reader = Reader::open(path, format, &SystemClock)?;
        Ok(Self {
            reader,
            parser: Parser::new(options.clone()),
            event: Box::default(),
            number: 0,
            started: false,
        })
    }

    /// Reads the next record into `event`; `false` at the end.
    pub fn advance(&mut self) -> anyhow::Result<bool> {
        let Some((record, text)) = self.reader.next_text()? else {
            return Ok(false);
        };
        if self.started {
            self.number += 1;
        }
        self.started = true;
        match text {
            Some(text) => self.parser.parse_text(&record, text, &mut self.event),
            None => self.parser.parse(&record, &mut self.event),
        }
        Ok(true)
    }

    /// What could not be kept, by reason.
    pub fn lost(&self) -> impl Iterator<Item = (String, u64)> {
        let lost = self.reader.lost();
        let counts =
            [("cut_lines", lost.cut_lines), ("gaps", lost.gaps), ("damaged_records", lost.damaged)];
        counts.into_iter().filter(|(_, count)| *count > 0).map(|(why, n)| (why.to_owned(), n))
    }
}

/// Opens all files that the command line names. One that cannot be opened does not keep the
/// others from being read: the second list says what is wrong with it.
pub fn open_all(args: &InputArgs) -> anyhow::Result<(Vec<Input>, Vec<anyhow::Error>)> {
    if args.files.len() > MAX_FILES {
        bail!("{} files are too many at once; name at most {MAX_FILES}", args.files.len());
    }
    let options = parser_options(args)?;
    let (mut inputs, mut errors) = (Vec::new(), Vec::new());
    for path in &args.files {
        match Input::open(path, args.format, &options) {
            Ok(input) => inputs.push(input),
            Err(error) => errors.push(error),
        }
    }
    Ok((inputs, errors))
}

/// Calls `each` with the events of all inputs in order of their time, to look at or to take, so that what belongs
/// together is seen together even when it stands in several files. Within a file the file's
/// order holds. A file that fails in its middle ends there: its error is returned after the
/// events of the others.
///
/// # Errors
/// The first that `each` gives ends it.
pub fn merge(
    inputs: &mut [Input],
    mut each: impl FnMut(&mut Box<Event>) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<anyhow::Error>> {
    let mut errors = Vec::new();
    let mut open: Vec<&mut Input> = Vec::new();
    for input in inputs {
        keep_if_open(input.advance(), &mut errors).then(|| open.push(input));
    }
    while open.len() > 1 {
        let earliest = open.iter().enumerate().min_by_key(|(_, input)| input.event.time);
        let Some((at, _)) = earliest else { break };
        let Some(input) = open.get_mut(at) else { break };
        each(&mut input.event)?;
        if !keep_if_open(input.advance(), &mut errors) {
            open.remove(at);
        }
    }
    if let Some(input) = open.pop() {
        loop {
            each(&mut input.event)?;
            if !keep_if_open(input.advance(), &mut errors) {
                break;
            }
        }
    }
    Ok(errors)
}

fn keep_if_open(advanced: anyhow::Result<bool>, errors: &mut Vec<anyhow::Error>) -> bool {
    advanced.unwrap_or_else(|error| {
        errors.push(error);
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_that_of_its_name() {
        for name in ["Europe/Paris", "America/Sao_Paulo", "Asia/Kathmandu", "UTC"] {
            let file = Path::new("/usr/share/zoneinfo").join(name);
            if !file.exists() {
                println!("skipped: no {}", file.display());
                continue;
            }
            let (read, named) = (zone_in(&file).unwrap(), TimeZone::get(name).unwrap());
            for second in (0..4_000).map(|week| jiff::Timestamp::new(week * 604_800, 0).unwrap()) {
                assert_eq!(read.to_offset(second), named.to_offset(second), "{name} {second}");
            }
        }
        assert!(zone_in(Path::new("/etc/passwd")).is_none());
        assert!(zone_in(Path::new("/nowhere")).is_none());
    }
}
