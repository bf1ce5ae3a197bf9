//! Fields that come together: what a frame tells, and what a message told before.

use super::{Close, ENDS, Slot, Slots};
use crate::{FieldId, field};

/// The fields that a piece of an event's text gave, to be filled in again where an equal piece
/// stands in the text of another event.
#[derive(Clone, Debug, Default)]
pub struct Passage {
    /// Spans count from the start of the piece.
    slots: Vec<(FieldId, Slot)>,
    /// How the numbers of the fields end.
    present: u64,
}

impl Slots {
    /// Starts over with these of a frame, of which nothing but the values is left for run time
    /// where the fields are constants: as many are always of the same fields and kinds.
    #[inline]
    fn start<const N: usize>(&mut self, slots: [(FieldId, Slot); N]) {
        self.clear();
        for (place, (field, _)) in slots.iter().enumerate() {
            self.note(*field, place);
        }
        self.entries.extend(slots);
        self.framed = N as u8;
    }

    /// Starts over with what a frame tells.
    #[inline]
    pub fn frame(
        &mut self,
        host: (u32, u32),
        program: (u32, u32),
        pid: Option<i64>,
        message: (u32, u32),
    ) {
        let span = |(start, length)| Slot::Span(start, length);
        let host_name = (field::HOST_NAME, span(host));
        let host_hostname = (field::HOST_HOSTNAME, span(host));
        let program = (field::PROCESS_NAME, span(program));
        let message = (field::MESSAGE, span(message));
        match pid {
            Some(pid) => {
                let pid = (field::PROCESS_PID, Slot::Integer(Close(pid)));
                self.start([host_name, host_hostname, program, pid, message]);
            }
            None => self.start([host_name, host_hostname, program, message]),
        }
    }

    /// Keeps those from `first` on in `passage`, where all of them are spans within these bytes of
    /// the event's text, or plain values. Whether they are.
    pub fn keep_from(
        &self,
        first: usize,
        (start, length): (u32, u32),
        passage: &mut Passage,
    ) -> bool {
        passage.slots.clear();
        passage.present = 0;
        let Some(added) = self.entries.get(first..) else { return false };
        for (field, slot) in added {
            let kept = match *slot {
                Slot::Span(at, long) if at >= start && at - start + long <= length => {
                    Slot::Span(at - start, long)
                }
                Slot::Span(..) | Slot::Made(..) | Slot::List(_) => return false,
                plain => plain,
            };
            passage.slots.push((*field, kept));
            passage.present |= 1 << (field.index() % ENDS);
        }
        true
    }

    /// Adds those of `passage`, whose piece stands at `start` of the event's text.
    #[inline]
    pub fn again(&mut self, passage: &Passage, start: u32) {
        let place = self.entries.len();
        if self.present & passage.present == 0 {
            self.present |= passage.present;
            // Backwards, so that the first of those that end alike is noted.
            for (index, (field, _)) in passage.slots.iter().enumerate().rev() {
                if let Some(first) = self.first.get_mut(field.index() % ENDS) {
                    *first = (place + index) as u8;
                }
            }
        } else {
            for (index, (field, _)) in passage.slots.iter().enumerate() {
                self.note(*field, place + index);
            }
        }
        self.entries.extend_from_slice(&passage.slots);
        for (_, slot) in self.entries.iter_mut().skip(place) {
            if let Slot::Span(at, _) = slot {
                *at += start;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    #[test]
    fn an_equal_piece_gives_equal_fields() {
        let (name, path, number) = (field::USER_NAME, field::URL_PATH, field::SOURCE_PORT);
        let mut passage = Passage::default();
        let mut slots = Slots::default();
        slots.span(path, 0, 2);
        slots.span(name, 4, 3);
        slots.fixed(field::EVENT_ACTION, "x");
        slots.integer(number, 7);
        slots.span(name, 7, 0);
        assert!(slots.keep_from(1, (4, 3), &mut passage));
        for taken in [path, name] {
            let mut other = Slots::default();
            other.integer(taken, 1);
            other.again(&passage, 1);
            let shown: Vec<_> =
                other.iter(" abcd").map(|(id, value)| (id, value.to_text().into_owned())).collect();
            let action = field::EVENT_ACTION;
            let added = [(name, "abc"), (action, "x"), (number, "7"), (name, "")];
            let expected = [(taken, "1")].into_iter().chain(added);
            assert_eq!(shown, expected.map(|(id, text)| (id, text.to_owned())).collect::<Vec<_>>());
            let first = other.get(name, " abcd").unwrap().to_text().into_owned();
            assert_eq!(first, if taken == name { "1" } else { "abc" });
            assert!(other.has(action) && other.has(number) && !other.has(field::HOST_NAME));
        }
    }

    #[test]
    fn frames_are_of_one_shape_while_they_stand() {
        let framed = |pid, action| {
            let mut slots = Slots::default();
            slots.frame((0, 1), (1, 1), pid, (2, 1));
            slots.fixed(field::EVENT_ACTION, action);
            slots
        };
        let mut shape = super::super::Shape::default();
        framed(Some(7), "x").outline(&mut shape);
        assert!(framed(Some(8), "x").are(&shape));
        assert!(!framed(None, "x").are(&shape) && !framed(Some(7), "y").are(&shape));
        let mut changed = framed(Some(7), "x");
        changed.replace(field::HOST_NAME, Value::Integer(1));
        assert!(!changed.are(&shape));
        changed.outline(&mut shape);
        assert!(changed.are(&shape) && !framed(Some(7), "x").are(&shape));
        changed.clear();
        changed.integer(field::SOURCE_PORT, 1);
        assert!(!changed.are(&shape));
    }

    #[test]
    fn what_does_not_stand_in_the_piece_is_not_kept() {
        let mut passage = Passage::default();
        for value in [
            Value::Span(3, 2),
            Value::Span(6, 2),
            Value::Made("made".into()),
            Value::List([].into()),
        ] {
            let mut slots = Slots::default();
            slots.value(field::USER_NAME, value);
            assert!(!slots.keep_from(0, (4, 3), &mut passage));
            assert!(!slots.keep_from(2, (4, 3), &mut passage));
        }
    }
}
