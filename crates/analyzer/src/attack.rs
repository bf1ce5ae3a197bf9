//! The official ATT&CK table (Enterprise): ids, names, and which tactics a technique serves.
//!
//! Tags of rules are checked against it, so that no verdict names a technique that MITRE does not
//! know. The data and its notice stand in `data/attack.tsv`, which `data/update.py` writes anew.

use std::sync::LazyLock;

use vigie_event::Attack;

const SHIPPED: &str = include_str!("../data/attack.tsv");

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(SHIPPED));

/// The version of ATT&CK that the table holds, such as `15.1`.
pub fn version() -> &'static str {
    let head = SHIPPED.lines().next().unwrap_or_default();
    let words = head.split([' ', ':']);
    words
        .into_iter()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap_or_default()
}

/// A tactic: what the attacker is after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tactic {
    /// `TA0006`.
    pub id: &'static str,
    /// `credential-access`.
    pub name: &'static str,
}

impl Tactic {
    fn is_named(&self, name_or_id: &str) -> bool {
        same_name(self.name, name_or_id) || self.id.eq_ignore_ascii_case(name_or_id)
    }
}

/// A technique or sub-technique: how he gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Technique {
    /// `T1110.001`.
    pub id: &'static str,
    /// `Password Guessing`.
    pub name: &'static str,
    /// The tactics that it serves; never empty.
    pub tactics: Vec<Tactic>,
    number: u32,
}

/// `T1110` as 11100000 and `T1110.001` as 11100002, so that numbers stand in the order of ids.
fn number(id: &str) -> Option<u32> {
    let digits = |text: &[u8]| {
        let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
        text.iter().try_fold(0, |number, byte| Some(number * 10 + digit(*byte)?))
    };
    match id.as_bytes() {
        [b't' | b'T', main @ ..] if main.len() == 4 => Some(digits(main)? * 10_000),
        [b't' | b'T', main @ .., b'.', a, b, c] if main.len() == 4 => {
            Some(digits(main)? * 10_000 + digits(&[*a, *b, *c])? + 1)
        }
        _ => None,
    }
}

struct Table {
    tactics: Vec<Tactic>,
    techniques: Vec<Technique>,
}

impl Table {
    /// Reads the shipped file; both lists come out sorted by id, since the file is.
    fn read(text: &'static str) -> Self {
        let mut table =
            Self { tactics: Vec::with_capacity(16), techniques: Vec::with_capacity(700) };
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut columns = line.split('\t');
            let (Some(id), Some(name)) = (columns.next(), columns.next()) else { continue };
            match columns.next() {
                None => table.tactics.push(Tactic { id, name }),
                Some(ids) => {
                    let tactics = ids.split(',').filter_map(|id| table.tactic(id)).collect();
                    let number = number(id).unwrap_or_default();
                    table.techniques.push(Technique { id, name, tactics, number });
                }
            }
        }
        table
    }

    fn tactic(&self, name_or_id: &str) -> Option<Tactic> {
        self.tactics.iter().copied().find(|tactic| tactic.is_named(name_or_id))
    }
}

/// Sigma wrote tactics with underscores before version 2 of its tags.
fn same_name(known: &str, asked: &str) -> bool {
    known == asked
        || known.len() == asked.len()
            && known.bytes().zip(asked.bytes()).all(|(known, asked)| {
                known == asked.to_ascii_lowercase() || (known == b'-' && asked == b'_')
            })
}

/// The tactic with this id (`TA0006`) or name (`credential-access`, `credential_access`), in any
/// case; `None` if ATT&CK has none.
pub fn tactic(name_or_id: &str) -> Option<Tactic> {
    TABLE.tactic(name_or_id)
}

/// The technique with this id (`T1110.001`, in any case); `None` if ATT&CK has none or has
/// withdrawn it.
pub fn technique(id: &str) -> Option<&'static Technique> {
    let number = number(id)?;
    let place = TABLE.techniques.binary_search_by_key(&number, |known| known.number).ok()?;
    TABLE.techniques.get(place)
}

/// All tactics, in order of their ids.
pub fn tactics() -> &'static [Tactic] {
    &TABLE.tactics
}

/// All techniques, in order of their ids.
pub fn techniques() -> &'static [Technique] {
    &TABLE.techniques
}

/// What the Sigma tags of one rule name: each technique with those of its tactics that are tagged
/// too (its first one if none is), and tactics that no technique stands for. Unknown and
/// withdrawn ids are left out, as are tags of other kinds.
pub fn of_tags<S: AsRef<str>>(tags: &[S]) -> Vec<Attack> {
    let mut found = Vec::new();
    add_tags(&mut found, tags);
    found.into_iter().map(|(tactic, technique)| attack(tactic, technique)).collect()
}

/// What the Sigma tags of several rules name: each once, in order of tactics and techniques. A
/// tactic alone, which says less than the same tactic with a technique, is left out beside that.
pub(crate) fn of_all_tags<'t>(tags: impl Iterator<Item = &'t [String]>) -> Vec<Attack> {
    let mut found: Vec<Named> = Vec::new();
    for tags in tags {
        let before = found.len();
        add_tags(&mut found, tags);
        // Alerts of one incident mostly name the same.
        let (known, new) = found.split_at(before);
        if new.iter().all(|named| known.contains(named)) {
            found.truncate(before);
        }
    }
    found.sort_unstable_by_key(|(tactic, technique)| (tactic.id, technique.map_or("", |t| t.id)));
    found.dedup();
    let keeps = |(tactic, technique): &Named| {
        technique.is_some() || !found.iter().any(|(other, with)| other == tactic && with.is_some())
    };
    found.iter().filter(|named| keeps(named)).map(|named| attack(named.0, named.1)).collect()
}

/// A tactic, and a technique that serves it.
type Named = (Tactic, Option<&'static Technique>);

/// Adds what [`of_tags`] tells.
fn add_tags<S: AsRef<str>>(found: &mut Vec<Named>, tags: &[S]) {
    let start = found.len();
    let named = || {
        tags.iter().filter_map(|tag| {
            let tag = tag.as_ref();
            let (kind, name) = tag.split_at_checked(7)?;
            kind.eq_ignore_ascii_case("attack.").then_some(name)
        })
    };
    let mut others = false;
    for name in named() {
        let Some(technique) = technique(name) else {
            others = true;
            continue;
        };
        let is_tagged = |tactic: &&Tactic| named().any(|name| tactic.is_named(name));
        let before = found.len();
        let served = technique.tactics.iter().filter(is_tagged);
        found.extend(served.map(|tactic| (*tactic, Some(technique))));
        if found.len() == before {
            found.extend(technique.tactics.first().map(|first| (*first, Some(technique))));
        }
    }
    for name in named().filter(|_| others) {
        let known = found.get(start..).unwrap_or_default();
        if !known.iter().any(|(known, _)| known.is_named(name)) {
            found.extend(tactic(name).map(|tactic| (tactic, None)));
        }
    }
}

fn attack(tactic: Tactic, technique: Option<&Technique>) -> Attack {
    Attack {
        tactic: tactic.id.into(),
        tactic_name: tactic.name.into(),
        technique: technique.map_or("", |technique| technique.id).into(),
        technique_name: technique.map_or("", |technique| technique.name).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_sorted() {
        assert_eq!(tactics().len(), 14);
        assert_eq!(techniques().len(), 637);
        assert!(techniques().is_sorted_by_key(|technique| technique.id));
        assert!(techniques().iter().all(|technique| !technique.tactics.is_empty()));
    }

    #[test]
    fn the_table_is_that_of_its_release() {
        assert_eq!(version(), "15.1");
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/attack/techniques.json");
        let Ok(text) = std::fs::read_to_string(path) else {
            eprintln!("skipped: {path} is absent");
            return;
        };
        let release: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(release["version"], version());
        let named = release["tactics"].as_object().unwrap();
        assert_eq!(named.len(), tactics().len());
        for (id, name) in named {
            assert_eq!(tactic(id).unwrap().name, name.as_str().unwrap());
        }
        let known = release["techniques"].as_object().unwrap();
        assert_eq!(known.len(), techniques().len());
        for (id, expected) in known {
            let found = technique(id).unwrap_or_else(|| panic!("{id} is missing"));
            assert_eq!(found.name, expected["name"].as_str().unwrap(), "{id}");
            let mut served: Vec<&str> = found.tactics.iter().map(|tactic| tactic.name).collect();
            let mut expected: Vec<&str> = expected["tactics"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect();
            served.sort_unstable();
            expected.sort_unstable();
            assert_eq!(served, expected, "{id}");
        }
    }

    #[test]
    fn finds_ids_in_any_case() {
        assert_eq!(technique("t1110.001").unwrap().name, "Password Guessing");
        assert_eq!(technique("T1110").unwrap().tactics[0].id, "TA0006");
        assert_eq!(tactic("credential_access").unwrap().id, "TA0006");
        assert_eq!(tactic("ta0006").unwrap().name, "credential-access");
    }

    #[test]
    fn refuses_what_attack_does_not_know() {
        // T1086 (PowerShell) was withdrawn for T1059.001; T9999 never was.
        for id in ["T1086", "T9999", "", "T1110.001.001", "T1110.0é", "T111.0001", "T1110.000", "x"]
        {
            assert!(technique(id).is_none(), "{id}");
        }
        assert!(tactic("stealth").is_none());
    }

    #[test]
    fn reads_the_tags_of_a_rule() {
        let check = |tags: &[&str], expected: &[(&str, &str)]| {
            let found = of_tags(tags);
            let found: Vec<_> =
                found.iter().map(|a| (a.tactic.as_ref(), a.technique.as_ref())).collect();
            assert_eq!(found, expected, "{tags:?}");
        };
        check(&["attack.credential-access", "attack.t1110.001"], &[("TA0006", "T1110.001")]);
        // T1078 serves four tactics: the tagged one is meant.
        check(&["attack.initial-access", "attack.T1078"], &[("TA0001", "T1078")]);
        check(&["attack.t1190"], &[("TA0001", "T1190")]);
        check(&["attack.impact", "cve.2021-44228", "attack.t9999"], &[("TA0040", "")]);
        check(&["attack.", "é", "attack.é"], &[]);
    }
}
