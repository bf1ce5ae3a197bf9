//! What programs said lately: most messages are said again, in other lines, word for word.
//!
//! What is filled in from a message is a function of the message, of the program's name and of
//! whether there is a process id; what its connection makes of it is left to the end
//! ([`crate::sshd`]). So an equal message of the same program gives the same fields.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

use vigie_event::Passage;

use crate::line::{Known, Line, Outcome};
use crate::program::Parse;
use crate::sshd::Ending;

/// Messages remembered; a power of two.
const PLACES: usize = 512;
/// Longer messages are not remembered, in bytes.
const LONGEST: usize = 512;

/// The number that is given out next: never 0, and none twice in a process. It counts in steps of
/// four, for the outcomes.
static NEXT: AtomicU64 = AtomicU64::new(4);

/// A number that nothing else in this process has or will have, with room for three beside it.
pub fn fresh_number() -> u64 {
    NEXT.fetch_add(4, Ordering::Relaxed)
}

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
    hashes: Box<[Hashes]>,
    /// At the same places.
    places: Box<[Saying]>,
}

/// The hash of the message that stands at a place, and of the one that asked for it last. Beside
/// the rest, so that what is new costs no look at it.
#[derive(Clone, Copy, Debug, Default)]
struct Hashes {
    kept: u64,
    candidate: u64,
}

#[derive(Debug, Default)]
struct Saying {
    program: Packed,
    /// The number of what stands here.
    number: u64,
    message: String,
    /// Whether the frame had a process id, and one that counts.
    process: (bool, bool),
    fields: Passage,
    known: Option<Known>,
    ending: Option<Ending>,
}

impl Default for Said {
    fn default() -> Self {
        Self {
            hashes: vec![Hashes::default(); PLACES].into(),
            places: (0..PLACES).map(|_| Saying::default()).collect(),
        }
    }
}

impl Said {
    /// A memory that remembers nothing.
    #[cfg(test)]
    pub fn nothing() -> Self {
        Self { hashes: Box::new([]), places: Box::new([]) }
    }

    /// Reads `message` with `parse`, or as it was read before, to the end. `None`: nobody knows it.
    #[inline]
    pub fn read(
        &mut self,
        line: &mut Line<'_, '_>,
        message: &str,
        parse: Parse,
        program: &Packed,
        numbered: bool,
    ) -> Option<Known> {
        let hash = hash_of(message.as_bytes());
        let place = (hash >> 32) as usize % PLACES;
        if let (Some(hashes), Some(saying)) =
            (self.hashes.get_mut(place), self.places.get_mut(place))
        {
            let process = (numbered, line.pid != 0);
            if hashes.kept == hash
                && saying.program == *program
                && saying.process == process
                && saying.message == message
            {
                line.fields.again(&saying.fields, message);
                let outcome = match &saying.ending {
                    Some(ending) => line.settle_with(ending),
                    None => Outcome::None,
                };
                line.said = saying.number_with(outcome).filter(|_| !line.recalled);
                return saying.known;
            }
            if hashes.candidate == hash && message.len() <= LONGEST {
                hashes.kept = hash;
                return saying.read(line, message, parse, program, process);
            }
            hashes.candidate = hash;
        }
        let known = parse(line, message);
        line.settle();
        known
    }
}

/// A number that messages of different texts mostly do not have in common: most of them differ in
/// the middle, or towards the end.
#[inline]
fn hash_of(message: &[u8]) -> u64 {
    const MIXER: u64 = 0x9E37_79B9_7F4A_7C15;
    let word = |at: usize| match message.get(at..).and_then(<[u8]>::first_chunk) {
        Some(eight) => u64::from_le_bytes(*eight),
        None => 0,
    };
    let length = message.len();
    let Some(end) = length.checked_sub(24) else {
        return message.iter().fold(length as u64, |hash, byte| {
            (hash.rotate_left(8) ^ u64::from(*byte)).wrapping_mul(MIXER)
        });
    };
    let [middle, one, two, three] = [length / 2 - 4, end, end + 8, end + 16].map(word);
    let mixed = (middle ^ length as u64).wrapping_mul(MIXER).rotate_left(29) ^ one;
    let mixed = mixed.wrapping_mul(MIXER).rotate_left(31) ^ two;
    (mixed.wrapping_mul(MIXER).rotate_left(33) ^ three).wrapping_mul(MIXER)
}

impl Saying {
    /// The number of what stands here with the outcome that its connection gave it.
    #[inline]
    fn number_with(&self, outcome: Outcome) -> Option<NonZeroU64> {
        NonZeroU64::new(self.number | outcome as u64)
    }

    /// Reads `message` with `parse`, and gives it the place.
    #[inline(never)]
    fn read(
        &mut self,
        line: &mut Line<'_, '_>,
        message: &str,
        parse: Parse,
        program: &Packed,
        process: (bool, bool),
    ) -> Option<Known> {
        let first = line.fields.count();
        let known = parse(line, message);
        let learnt = self.learn(line, message, first);
        // No program has no name.
        self.program = if learnt { *program } else { Packed::default() };
        (self.process, self.known) = (process, known);
        line.settle();
        known
    }

    /// Takes the place for `message`, from which the fields from `first` on were filled in. Whether
    /// they can be kept.
    fn learn(&mut self, line: &Line<'_, '_>, message: &str, first: usize) -> bool {
        if line.asked || !line.fields.keep(first, message, &mut self.fields) {
            return false;
        }
        self.message.clear();
        self.message.push_str(message);
        self.number = fresh_number();
        self.ending = line.ending;
        true
    }
}
