//! One path to follow, through whatever happens to the file under it.
//!
//! The files that stood under the path are kept in the order in which they did, each until its
//! writer has left it; they are read in that order. The last one is the file under the path now.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use vigie_event::{Format, Localized, Source, Timestamp};

use super::input::{self, FileId, Input};
use super::resume::{self, Known, Memory, Resumption};
use super::tail::{Naming, Progress, Tail};
use super::wake::Wake;
use super::{FollowFile, From};
use crate::batch::Batcher;
use crate::read::Compression;
use crate::{Lost, SensorState, mend};

/// How long a file that has been replaced or deleted must stay unchanged to be given up: a
/// writer may notice late that its file was renamed.
const LINGER: Duration = Duration::from_secs(30);
/// Files of one path that are kept open at once.
const MAX_TAILS: usize = 16;
/// Bytes read of one path before others have their turn.
const TURN: usize = 1024 * 1024;
/// How often a path that cannot be opened is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// What a look at the path brought.
#[derive(Default)]
pub(super) struct Look {
    /// There is more to read at once.
    pub more: bool,
    /// The path is in another state now.
    pub state: Option<SensorState>,
    /// Rotations and truncations seen.
    pub rotations: u64,
    /// What was lost.
    pub lost: Lost,
}

impl Look {
    /// Whether there is nothing to tell.
    pub fn is_quiet(&self) -> bool {
        self.state.is_none() && self.rotations == 0 && self.lost.is_nothing()
    }
}

struct OpenFile {
    tail: Tail,
    watch: Option<i32>,
}

/// A path and the files that stand or stood under it.
pub(super) struct Watched {
    path: PathBuf,
    name: String,
    format: Option<Format>,
    from: From,
    memory: Memory,
    files: Vec<OpenFile>,
    /// Size and time of change of the newest file when it was last read to its end.
    seen: Option<(u64, i64, i64)>,
    started: bool,
    retry: Option<Instant>,
    pub batcher: Batcher,
}

impl Watched {
    pub fn new(file: FollowFile, memory: Memory, from: From) -> Self {
        Self {
            name: file.path.to_string_lossy().into_owned(),
            path: file.path,
            format: file.format,
            from,
            memory,
            files: Vec::new(),
            seen: None,
            started: false,
            retry: None,
            batcher: Batcher::default(),
        }
    }

    /// Looks what stands under the path, and reads what is new in all of its files.
    pub fn look(&mut self, observed: Timestamp, wake: &Wake, scratch: &mut [u8]) -> Look {
        let mut look = Look::default();
        if self.retry.is_some_and(|retry| Instant::now() < retry) {
            return look;
        }
        self.retry = None;
        let found = fs::metadata(&self.path);
        if self.is_unchanged(&found) {
            return look;
        }
        look.state = Some(match self.note(found, wake, &mut look) {
            Ok(()) => SensorState::Reading,
            Err(error) => self.failed(&error),
        });
        if let Err(error) = self.read(observed, wake, scratch, &mut look) {
            look.state = Some(self.failed(&error));
        }
        look
    }

    fn is_unchanged(&self, found: &io::Result<Metadata>) -> bool {
        let (Ok(found), [file]) = (found, &*self.files) else { return false };
        file.tail.id == FileId::of(found) && self.seen == Some(stamp(found))
    }

    fn failed(&mut self, error: &io::Error) -> SensorState {
        match error.kind() {
            io::ErrorKind::NotFound => {
                if let Some(parent) = self.path.parent().filter(|parent| !parent.exists()) {
                    return SensorState::Waiting {
                        reason: Localized::new(
                            format!("waiting for the folder {} to appear", parent.display()),
                            format!("en attente du dossier {}", parent.display()),
                        ),
                    };
                }
                SensorState::Waiting {
                    reason: Localized::new(
                        "waiting for the file to appear",
                        "en attente de l’apparition du fichier",
                    ),
                }
            }
            kind => {
                self.retry = Some(Instant::now() + RETRY);
                match kind {
                    io::ErrorKind::PermissionDenied => {
                        SensorState::Denied { mend: mend::permission(&self.path) }
                    }
                    _ => SensorState::Failed { error: error.to_string() },
                }
            }
        }
    }

    /// Opens the file that stands under the path, if it is another one than before.
    fn note(
        &mut self,
        found: io::Result<Metadata>,
        wake: &Wake,
        look: &mut Look,
    ) -> io::Result<()> {
        if let Some(parent) = self.path.parent() {
            wake.watch_folder(if parent.as_os_str().is_empty() { Path::new(".") } else { parent });
        }
        if !self.started {
            return self.start(found, wake, look);
        }
        let id = FileId::of(&found?);
        if let Some(place) = self.files.iter().position(|file| file.tail.id == id) {
            // Renamed away and back: it is the newest again.
            let file = self.files.remove(place);
            self.files.push(file);
            return Ok(());
        }
        let (file, metadata) = input::open(&self.path)?;
        let id = FileId::of(&metadata);
        if self.files.iter().any(|file| file.tail.id == id) {
            return Ok(());
        }
        if let Some(last) = self.files.last() {
            look.rotations += 1;
            if let Input::Plain(before) = &last.tail.input {
                let since = before.metadata()?.modified()?;
                for tail in self.missed(since, Some((&file, id))) {
                    self.open(tail, wake);
                }
            }
        }
        let offset = match self.continued_by(&file, metadata.len()) {
            Some((place, offset)) => {
                self.close(place, wake);
                offset
            }
            None => self.memory.offset_of(&file, id, metadata.len()).unwrap_or(0),
        };
        let tail = self.tail_at(id, file, offset)?;
        self.open(tail, wake);
        Ok(())
    }

    /// The first look: goes on where the cursors point.
    fn start(
        &mut self,
        found: io::Result<Metadata>,
        wake: &Wake,
        look: &mut Look,
    ) -> io::Result<()> {
        let opened = match found.and_then(|_| input::open(&self.path)) {
            Ok((file, metadata)) => Some((file, FileId::of(&metadata), metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let mut offset = None;
        let resuming = !self.memory.is_empty();
        if resuming {
            let current = opened.as_ref().map(|(file, id, size)| (file, *id, *size));
            let Resumption { rotated, offset: read, gap } =
                resume::resume(&self.path, &self.name, self.format, &self.memory, current);
            look.rotations += u64::from(!rotated.is_empty());
            look.lost.gaps += u64::from(gap);
            for tail in rotated {
                self.open(tail, wake);
            }
            offset = read;
        }
        self.started = true;
        let Some((file, id, size)) = opened else { return Err(io::ErrorKind::NotFound.into()) };
        let offset = match offset {
            Some(offset) => offset,
            None if resuming || self.from == From::Start => 0,
            None => input::end_of_last_line(&file, size)?,
        };
        let tail = self.tail_at(id, file, offset)?;
        self.open(tail, wake);
        Ok(())
    }

    /// Which of the open files the new one is a copy of, and how far that was read: editors
    /// replace the file that they save.
    fn continued_by(&self, file: &File, size: u64) -> Option<(usize, u64)> {
        let fingerprint = input::fingerprint(file).ok()??;
        self.files.iter().map(|open| &open.tail).enumerate().rev().find_map(|(place, tail)| {
            let anchor = tail.anchor();
            let mut before = vec![0; anchor.len()];
            let start = tail.position() - anchor.len() as u64;
            let same = tail.fingerprint() == Some(fingerprint)
                && !anchor.is_empty()
                && size >= tail.position()
                && input::read_at(file, &mut before, start).ok()? == before.len()
                && before == anchor;
            same.then(|| (place, tail.consumed()))
        })
    }

    fn tail_at(&self, id: FileId, file: File, offset: u64) -> io::Result<Tail> {
        let source = match offset {
            0 => None,
            _ => input::fingerprint(&file)?
                .map(|fingerprint| Source::file(&*self.name, fingerprint, self.format)),
        };
        Tail::plain_at(id, file, offset, source)
    }

    fn open(&mut self, tail: Tail, wake: &Wake) {
        let place = self.files.len();
        self.open_at(place, tail, wake);
    }

    fn open_at(&mut self, place: usize, tail: Tail, wake: &Wake) {
        let watch = match &tail.input {
            Input::Plain(file) => wake.watch_file(file),
            Input::Packed(_) => None,
        };
        self.files.insert(place.min(self.files.len()), OpenFile { tail, watch });
        self.seen = None;
    }

    /// What was rotated twice between two looks, so that we never saw it under the path.
    fn missed(&self, since: SystemTime, new: Option<(&File, FileId)>) -> Vec<Tail> {
        let open = self.files.iter().filter_map(|open| match &open.tail.input {
            Input::Plain(file) => Some((file, open.tail.id)),
            Input::Packed(_) => None,
        });
        let heads: Vec<_> = open
            .chain(new)
            .filter_map(|(file, id)| Some((id, input::head(file, Compression::None).ok()?)))
            .collect();
        resume::missed(&self.path, &self.memory, &heads, since)
    }

    /// Reads all files in order, the newest ones only as far as they reach now: what is written
    /// to them afterwards may come after something that is still to be read of the older ones.
    fn read(
        &mut self,
        observed: Timestamp,
        wake: &Wake,
        scratch: &mut [u8],
        look: &mut Look,
    ) -> io::Result<()> {
        self.seen = None;
        let seen = match self.files.last().map(|file| &file.tail.input) {
            Some(Input::Plain(file)) => file.metadata().ok().map(|found| stamp(&found)),
            _ => None,
        };
        let limits: Vec<u64> = self.files.iter().rev().map(|file| file.tail.size()).collect();
        let limits: Vec<u64> = limits.into_iter().rev().collect();
        let mut left = TURN;
        let mut place = 0;
        while let Some(open) = self.files.get_mut(place) {
            let limit = if place == 0 { u64::MAX } else { limits.get(place).copied().unwrap_or(0) };
            let naming = Naming { name: &self.name, format: self.format, observed };
            let progress = loop {
                let before = open.tail.position();
                let progress = match open.tail.read(limit, scratch, &naming, &mut self.batcher) {
                    Err(error) if matches!(open.tail.input, Input::Packed(_)) => {
                        tracing::error!(path = self.name, %error, "compressed copy is damaged");
                        look.lost.gaps += 1;
                        Progress::End
                    }
                    progress => progress?,
                };
                left = left.saturating_sub((open.tail.position() - before) as usize);
                if progress != Progress::More || left == 0 {
                    break progress;
                }
            };
            look.lost += open.tail.take_lost();
            match progress {
                Progress::More => {
                    look.more = true;
                    return Ok(());
                }
                Progress::Truncated => {
                    look.rotations += 1;
                    look.more = true;
                    self.restart(place, observed, wake);
                    return Ok(());
                }
                Progress::End => place += 1,
            }
        }
        self.seen = seen;
        self.close_left(observed, wake, look);
        Ok(())
    }

    /// Begins a truncated file again, after what its copy still has.
    fn restart(&mut self, place: usize, observed: Timestamp, wake: &Wake) {
        self.learn(place);
        let naming = Naming { name: &self.name, format: self.format, observed };
        let Some(open) = self.files.get_mut(place) else { return };
        let copy = resume::copy_of(&self.path, &open.tail);
        let copy = copy.map(|(id, input, modified)| (open.tail.take_over(id, input), modified));
        if copy.is_none() {
            // No more of its last line will come.
            open.tail.finish(&naming, &mut self.batcher);
        }
        open.tail.restart();
        if let Some((copy, modified)) = copy {
            self.open_at(place, copy, wake);
            for (count, tail) in self.missed(modified, None).into_iter().enumerate() {
                self.open_at(place + 1 + count, tail, wake);
            }
        }
    }

    /// Closes files that their writer has left.
    fn close_left(&mut self, observed: Timestamp, wake: &Wake, look: &mut Look) {
        let replaced = self.files.last().is_some_and(|file| file.tail.size() > 0);
        let crowd = self.files.len() > MAX_TAILS;
        let mut place = 0;
        while let Some(open) = self.files.get(place) {
            let is_last = place + 1 == self.files.len();
            let quiet = open.tail.grown.elapsed() >= LINGER;
            let left = open.tail.complete
                || (!is_last && replaced && (quiet || (crowd && place == 0)))
                || (is_last && quiet && is_deleted(&open.tail));
            if !left {
                place += 1;
                continue;
            }
            let naming = Naming { name: &self.name, format: self.format, observed };
            if let Some(open) = self.files.get_mut(place) {
                open.tail.finish(&naming, &mut self.batcher);
                look.lost += open.tail.take_lost();
            }
            self.close(place, wake);
        }
    }

    fn close(&mut self, place: usize, wake: &Wake) {
        self.learn(place);
        let open = self.files.remove(place);
        if let Some(watch) = open.watch {
            wake.unwatch(watch);
        }
    }

    fn learn(&mut self, place: usize) {
        if let Some(known) = self.files.get(place).and_then(|open| known(&open.tail)) {
            self.memory.learn(known);
        }
    }
}

fn known(tail: &Tail) -> Option<Known> {
    Some(Known { fingerprint: tail.fingerprint()?, id: tail.id, offset: tail.consumed() })
}

/// What changes whenever a file does.
fn stamp(found: &Metadata) -> (u64, i64, i64) {
    (found.len(), found.mtime(), found.mtime_nsec())
}

fn is_deleted(tail: &Tail) -> bool {
    match &tail.input {
        Input::Plain(file) => file.metadata().is_ok_and(|metadata| metadata.nlink() == 0),
        Input::Packed(_) => true,
    }
}
