//! What programs said lately: most messages are said again, in other lines, word for word.
//!
//! What is filled in from a message is a function of the message, of the program's name and of
//! whether there is a process id; what its connection makes of it is left to the end
//! ([`crate::sshd`]). So an equal message of the same program gives the same fields.

use std::hash::Hasher;

use rustc_hash::FxHasher;
use vigie_event::Passage;

use crate::line::{Known, Line};
use crate::program::Parse;
use crate::sshd::Ending;

/// Messages remembered; a power of two.
const PLACES: usize = 256;
/// Longer messages are not remembered, in bytes.
const LONGEST: usize = 512;

/// A program's name with zeros behind it, which no plain name has: quick to compare.
pub type Packed = [u8; 24];

/// The name, where it is short enough.
pub fn pack(name: &str) -> Option<Packed> {
    let mut packed = Packed::default();
    packed.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
    Some(packed)
}

/// What programs said lately, and what was filled in then. Bounded: a message has one place, and
/// takes it from another when it is met a second time.
#[derive(Debug)]
pub struct Said {
    places: Box<[Saying]>,
}

#[derive(Debug, Default)]
struct Saying {
    /// The hash of the message that stands here, and of the one that asked for the place last.
    hash: u64,
    candidate: u64,
    program: Packed,
    message: String,
    /// Whether the frame had a process id, and one that counts.
    process: (bool, bool),
    fields: Passage,
    known: Option<Known>,
    ending: Option<Ending>,
}

impl Default for Said {
    fn default() -> Self {
        Self { places: (0..PLACES).map(|_| Saying::default()).collect() }
    }
}

impl Said {
    /// Reads `message` with `parse`, or as it was read before.
    #[inline]
    pub fn read(
        &mut self,
        line: &mut Line<'_, '_>,
        message: &str,
        parse: Parse,
        program: &Packed,
        numbered: bool,
    ) -> Option<Known> {
        if message.len() > LONGEST {
            return parse(line, message);
        }
        let mut hasher = FxHasher::default();
        hasher.write(message.as_bytes());
        let hash = hasher.finish();
        let place = (hash >> 32) as usize % PLACES;
        let Some(saying) = self.places.get_mut(place) else { return parse(line, message) };
        let process = (numbered, line.pid != 0);
        if saying.hash == hash
            && saying.message == message
            && saying.program == *program
            && saying.process == process
        {
            line.fields.again(&saying.fields, message);
            line.ending = saying.ending;
            return saying.known;
        }
        let first = line.fields.count();
        let known = parse(line, message);
        if saying.candidate == hash {
            let learnt = saying.learn(line, message, first);
            // No program has no name.
            saying.program = if learnt { *program } else { Packed::default() };
            (saying.hash, saying.process, saying.known) = (hash, process, known);
        }
        saying.candidate = hash;
        known
    }
}

impl Saying {
    /// Takes the place for `message`, from which the fields from `first` on were filled in. Whether
    /// they can be kept.
    fn learn(&mut self, line: &Line<'_, '_>, message: &str, first: usize) -> bool {
        if line.asked || !line.fields.keep(first, message, &mut self.fields) {
            return false;
        }
        self.message.clear();
        self.message.push_str(message);
        self.ending = line.ending;
        true
    }
}
