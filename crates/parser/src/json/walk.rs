//! Walks JSON straight into slots: no tree is built, strings without escapes stay where they are.
//!
//! Nested objects become dotted names, arrays become lists, and arrays of objects project member
//! by member: `{"a": [{"b": 1}, {"b": 2}]}` is `a.b` = [1, 2]. Of duplicate keys the last wins.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use vigie_event::{FieldId, Fields, Value};

/// Levels of nesting that are read; what lies deeper is left in the raw record.
const MAX_DEPTH: u8 = 32;
/// Values that are kept of one record; a record of a megabyte could hold half a million.
const MAX_VALUES: usize = 16_384;
/// Fields whose names cannot be interned that are kept of one record.
const MAX_OVERFLOW: usize = 256;

/// Reads JSON objects into slots, over and over with the same memory.
#[derive(Debug, Default)]
pub struct Walker {
    slots: Vec<Slot>,
    /// By field index: the generation in which the field was met last, and its slot.
    places: Vec<(u32, u32)>,
    generation: u32,
    path: String,
    arrays: u32,
    values: usize,
    overflow: Vec<(String, Value)>,
    truncated: bool,
}

/// A field being collected.
#[derive(Debug)]
struct Slot {
    id: FieldId,
    first: Value,
    more: Vec<Value>,
    /// The outermost array that it stands in; 0: none.
    array: u32,
}

impl Slot {
    fn into_value(self) -> (FieldId, Value) {
        if self.array == 0 {
            return (self.id, self.first);
        }
        let mut members = Vec::with_capacity(1 + self.more.len());
        if self.first != Value::Null {
            members.push(self.first);
        }
        members.extend(self.more);
        (self.id, Value::List(members.into()))
    }
}

impl Walker {
    /// Reads `text`, which must be one JSON object. Whether it is.
    pub fn walk(&mut self, fields: &Fields<'_>, text: &str) -> bool {
        self.slots.clear();
        self.overflow.clear();
        self.path.clear();
        self.generation = self.generation.wrapping_add(1);
        if self.generation == 0 {
            self.places.clear();
            self.generation = 1;
        }
        (self.arrays, self.values, self.truncated) = (0, 0, false);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let node = Node { walker: self, fields, depth: 0, array: 0 };
        node.deserialize(&mut deserializer).is_ok() && deserializer.end().is_ok()
    }

    /// The value of a field; of an array its first member.
    pub fn get(&self, id: Option<FieldId>) -> Option<&Value> {
        self.slot(id?).map(|slot| &slot.first)
    }

    /// The value of a field, an array as a list.
    pub fn whole(&self, id: Option<FieldId>) -> Option<Value> {
        let slot = self.slot(id?)?;
        if slot.array == 0 {
            return Some(slot.first.clone());
        }
        let members = std::iter::once(&slot.first).chain(&slot.more);
        Some(Value::List(members.filter(|member| **member != Value::Null).cloned().collect()))
    }

    /// The members of a field that is an array, or its one value.
    pub fn members(&self, id: Option<FieldId>) -> impl Iterator<Item = &Value> {
        let slot = id.and_then(|id| self.slot(id));
        slot.into_iter().flat_map(|slot| std::iter::once(&slot.first).chain(&slot.more))
    }

    /// Takes out all fields, in the order of the record.
    pub fn take(&mut self) -> impl Iterator<Item = (FieldId, Value)> {
        self.generation = self.generation.wrapping_add(1);
        self.slots.drain(..).map(Slot::into_value)
    }

    /// Hands over what has no slot.
    pub fn leftovers(&mut self, fields: &mut Fields<'_>) {
        for (name, value) in self.overflow.drain(..) {
            fields.overflow(&name, &value);
        }
        if self.truncated
            && let Some(id) = FieldId::intern("vigie.truncated")
        {
            fields.value(id, Value::Boolean(true));
        }
    }

    fn slot(&self, id: FieldId) -> Option<&Slot> {
        match self.places.get(id.index()) {
            Some((generation, place)) if *generation == self.generation => {
                self.slots.get(*place as usize)
            }
            _ => None,
        }
    }

    fn put(&mut self, value: Value, array: u32) {
        self.values += 1;
        if self.values > MAX_VALUES {
            self.truncated = true;
            return;
        }
        let Some(id) = FieldId::intern(&self.path) else {
            if self.overflow.len() < MAX_OVERFLOW {
                self.overflow.push((self.path.clone(), value));
            } else {
                self.truncated = true;
            }
            return;
        };
        if self.places.len() <= id.index() {
            self.places.resize(id.index() + 1, (0, 0));
        }
        let Some(place) = self.places.get_mut(id.index()) else { return };
        if place.0 == self.generation
            && let Some(slot) = self.slots.get_mut(place.1 as usize)
        {
            if array != 0 && slot.array == array {
                if value != Value::Null {
                    slot.more.push(value);
                }
            } else {
                *slot = Slot { id, first: value, more: Vec::new(), array };
            }
            return;
        }
        *place = (self.generation, self.slots.len() as u32);
        self.slots.push(Slot { id, first: value, more: Vec::new(), array });
    }
}

/// One JSON value at `walker.path`.
struct Node<'w, 'f, 'e> {
    walker: &'w mut Walker,
    fields: &'f Fields<'e>,
    depth: u8,
    array: u32,
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.depth == 0 {
            return deserializer.deserialize_map(self);
        }
        if self.depth > MAX_DEPTH {
            self.walker.truncated = true;
            return deserializer.deserialize_ignored_any(IgnoredAny).map(|_| ());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let length = self.walker.path.len();
        while map.next_key_seed(Key(&mut self.walker.path))?.is_some() {
            map.next_value_seed(Node {
                walker: &mut *self.walker,
                fields: self.fields,
                depth: self.depth + 1,
                array: self.array,
            })?;
            self.walker.path.truncate(length);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let array = if self.array == 0 {
            self.walker.arrays += 1;
            self.walker.arrays
        } else {
            self.array
        };
        let mut empty = true;
        while seq
            .next_element_seed(Node {
                walker: &mut *self.walker,
                fields: self.fields,
                depth: self.depth + 1,
                array,
            })?
            .is_some()
        {
            empty = false;
        }
        if empty {
            self.walker.put(Value::Null, array);
        }
        Ok(())
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        self.walker.put(self.fields.cut(text), self.array);
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.walker.put(Value::Made(text.into()), self.array);
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.walker.put(Value::Integer(number), self.array);
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        let value = i64::try_from(number)
            .map_or_else(|_| Value::Made(number.to_string().into()), Value::Integer);
        self.walker.put(value, self.array);
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.walker.put(Value::Float(number), self.array);
        Ok(())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.walker.put(Value::Boolean(truth), self.array);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.walker.put(Value::Null, self.array);
        Ok(())
    }
}

/// Appends a key to the path.
struct Key<'p>(&'p mut String);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<(), E> {
        if !self.0.is_empty() {
            self.0.push('.');
        }
        self.0.push_str(key);
        Ok(())
    }
}
