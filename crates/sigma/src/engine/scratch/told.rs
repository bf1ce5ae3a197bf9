//! What was told of values that come again: answers that took long to find.
//!
//! Whether a regular expression matches a command is the same for the next event with that command,
//! and machines give the same few commands all day.

use std::num::NonZeroU32;

use crate::engine::alike::Number;
use crate::expr::AtomId;

/// Answers kept; a power of two.
const PLACES: usize = 1_024;

/// Answers by the numbers of values.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Number of a value, atom, answer; the last that wanted the place.
    answers: Vec<Option<(NonZeroU32, AtomId, bool)>>,
    given: u32,
}

impl Told {
    /// A number that no value had before; `None` once all were given.
    pub fn next_number(&mut self) -> Number {
        self.given = self.given.saturating_add(1);
        NonZeroU32::new(self.given).filter(|number| *number < NonZeroU32::MAX)
    }

    /// Whether the atom holds of the value with this number, where that was told.
    pub fn get(&self, number: Number, atom: AtomId) -> Option<bool> {
        let number = number?;
        let (of, asked, answer) = (*self.answers.get(place(number, atom))?)?;
        (of == number && asked == atom).then_some(answer)
    }

    pub fn put(&mut self, number: Number, atom: AtomId, answer: bool) {
        let Some(number) = number else { return };
        if self.answers.is_empty() {
            self.answers.resize(PLACES, None);
        }
        if let Some(kept) = self.answers.get_mut(place(number, atom)) {
            *kept = Some((number, atom, answer));
        }
    }
}

fn place(number: NonZeroU32, atom: AtomId) -> usize {
    const SPREAD: u32 = 0x9E37_79B9;
    let mixed = (number.get().rotate_left(16) ^ atom.0).wrapping_mul(SPREAD);
    (mixed >> (u32::BITS - PLACES.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_of_one_value_and_atom() {
        let mut told = Told::default();
        let [one, other] = [told.next_number(), told.next_number()];
        assert_eq!(told.get(one, AtomId(7)), None);
        told.put(one, AtomId(7), true);
        told.put(one, AtomId(8), false);
        assert_eq!((told.get(one, AtomId(7)), told.get(one, AtomId(8))), (Some(true), Some(false)));
        assert_eq!((told.get(other, AtomId(7)), told.get(one, AtomId(9))), (None, None));
        // Of values without a number nothing is known.
        told.put(None, AtomId(7), true);
        assert_eq!(told.get(None, AtomId(7)), None);
        // Others take the places, and give no wrong answer.
        for number in 0..10_000 {
            told.put(other, AtomId(number), number % 2 == 0);
            assert_eq!(told.get(other, AtomId(number)), Some(number % 2 == 0));
            assert_eq!(told.get(one, AtomId(number)).unwrap_or(number == 7), number == 7);
        }
    }

    #[test]
    fn numbers_end() {
        let mut told = Told { given: u32::MAX - 2, ..Told::default() };
        assert!(told.next_number().is_some() && told.next_number().is_none());
        assert!(told.next_number().is_none());
    }
}
