//! How far each source has been read.

use std::collections::HashMap;
use std::sync::Arc;

use vigie_event::{Cursor, Source};

/// Cursors kept; those not heard of for longest are forgotten first.
const MAX_CURSORS: usize = 4096;

/// A source; of files, one file of it, since rotated files can start with the same line.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    source: Arc<Source>,
    file: Option<(u64, u64)>,
}

/// The last cursor of each source.
#[derive(Clone, Default)]
pub(super) struct Cursors {
    last: HashMap<Key, (u64, Cursor)>,
    changes: u64,
}

impl Cursors {
    /// Sets the last cursor of `source`.
    pub(super) fn set(&mut self, source: &Arc<Source>, cursor: Cursor) {
        let file = match cursor {
            Cursor::File { device, inode, .. } => Some((device, inode)),
            Cursor::Journald { .. } | Cursor::Sequence { .. } => None,
        };
        self.changes += 1;
        self.last.insert(Key { source: Arc::clone(source), file }, (self.changes, cursor));
        // Twice the bound, so that sorting is paid for once in many changes.
        if self.last.len() >= 2 * MAX_CURSORS {
            let mut ages: Vec<u64> = self.last.values().map(|(change, _)| *change).collect();
            ages.sort_unstable_by(|a, b| b.cmp(a));
            let oldest = ages.get(MAX_CURSORS - 1).copied().unwrap_or_default();
            self.last.retain(|_, (change, _)| *change >= oldest);
        }
    }

    /// All cursors, oldest change first.
    pub(super) fn list(&self) -> Vec<(Arc<Source>, Cursor)> {
        let mut rows: Vec<_> = self.last.iter().collect();
        rows.sort_unstable_by_key(|(_, (change, _))| *change);
        let surplus = rows.len().saturating_sub(MAX_CURSORS);
        rows.into_iter()
            .skip(surplus)
            .map(|(key, (_, cursor))| (Arc::clone(&key.source), cursor.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use vigie_event::SourceKind;

    use super::*;

    #[test]
    fn keeps_the_last_of_each_and_forgets_the_oldest() {
        let mut cursors = Cursors::default();
        let sources: Vec<_> = (0..3 * MAX_CURSORS)
            .map(|n| Source::named(SourceKind::Http, format!("agent{n}"), None))
            .collect();
        for source in &sources {
            cursors.set(source, Cursor::Sequence { number: 1 });
            cursors.set(&sources[0], Cursor::Sequence { number: 2 });
        }
        let list = cursors.list();
        assert_eq!(list.len(), MAX_CURSORS);
        assert_eq!(list.last(), Some(&(sources[0].clone(), Cursor::Sequence { number: 2 })));
        let newest = sources.last().unwrap();
        assert!(list.iter().any(|(source, _)| source == newest));
    }

    #[test]
    fn files_of_one_first_line_are_told_apart() {
        let mut cursors = Cursors::default();
        let source = Source::file("/var/log/conn.log", 7, None);
        for (inode, offset) in [(1, 10), (2, 20), (1, 30)] {
            let cursor = Cursor::File { fingerprint: 7, device: 1, inode, offset };
            cursors.set(&source, cursor);
        }
        let offsets: Vec<_> = cursors
            .list()
            .into_iter()
            .map(|(_, cursor)| match cursor {
                Cursor::File { inode, offset, .. } => (inode, offset),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(offsets, [(2, 20), (1, 30)]);
    }
}
