//! A few fields with one value each.

use std::collections::BTreeMap;
use std::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Serialize, Serializer};
use smallvec::SmallVec;

/// A few fields with one value each, in order of their names: what an alert is grouped by, or what
/// an action is about. Mostly it is one, and short; then nothing is allocated.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(from = "BTreeMap<CompactString, CompactString>")]
pub struct FieldValues(SmallVec<[(CompactString, CompactString); 1]>);

impl FieldValues {
    /// One field with its value.
    pub fn one(name: &str, value: &str) -> Self {
        let mut values = Self::default();
        values.insert(name, value);
        values
    }

    /// Gives the field called `name` the value, in place of what it has.
    pub fn insert(&mut self, name: impl Into<CompactString>, value: impl Into<CompactString>) {
        let (name, value) = (name.into(), value.into());
        match self.place(&name) {
            Ok(place) => {
                if let Some((_, kept)) = self.0.get_mut(place) {
                    *kept = value;
                }
            }
            Err(place) => self.0.insert(place, (name, value)),
        }
    }

    /// The value of the field called `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.get(self.place(name).ok()?)?;
        Some(value)
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.as_str().cmp(name))
    }

    /// All fields with their values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The values alone.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(_, value)| value)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<CompactString>, V: Into<CompactString>> FromIterator<(N, V)> for FieldValues {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut values = Self::default();
        for (name, value) in pairs {
            values.insert(name, value);
        }
        values
    }
}

impl<N: Into<CompactString>, V: Into<CompactString>, const K: usize> From<[(N, V); K]>
    for FieldValues
{
    fn from(pairs: [(N, V); K]) -> Self {
        pairs.into_iter().collect()
    }
}

impl From<BTreeMap<CompactString, CompactString>> for FieldValues {
    fn from(values: BTreeMap<CompactString, CompactString>) -> Self {
        Self(values.into_iter().collect())
    }
}

impl Serialize for FieldValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl fmt::Debug for FieldValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_stand_in_order_and_come_back() {
        let values: FieldValues =
            [("user.name", "a"), ("host.name", "b"), ("user.name", "c")].into();
        assert_eq!((values.get("user.name"), values.get("user")), (Some("c"), None));
        assert_eq!(values.get("host.name"), Some("b"));
        assert_eq!(values.values().collect::<Vec<_>>(), ["b", "c"]);
        let text = serde_json::to_string(&values).unwrap();
        assert_eq!(text, r#"{"host.name":"b","user.name":"c"}"#);
        assert_eq!(serde_json::from_str::<FieldValues>(&text).unwrap(), values);
        assert_eq!(format!("{values:?}"), r#"{"host.name": "b", "user.name": "c"}"#);
        assert!(FieldValues::default().is_empty() && !values.is_empty());
    }
}
