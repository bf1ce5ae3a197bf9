//! One event against all detections.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use vigie_event::{Event, Logsources};

use crate::engine::{Route, Scratch};
use crate::{RuleIndex, RuleSet};

/// Per-worker scratch for stateless matching. An event that matches nothing costs no allocation
/// once the buffers have grown to the size of the events, save where the matcher learns by which
/// signs rules are found best: often at first, then after every half a million events.
#[derive(Debug)]
pub struct Matcher {
    rules: Arc<RuleSet>,
    scratch: Scratch,
    routes: Vec<Route>,
    /// Places in `routes` by address and length: parsers keep logsources in static tables.
    route_of: FxHashMap<(usize, usize), usize>,
    last: Option<((usize, usize), usize)>,
    matched: Vec<RuleIndex>,
    unrouted: u64,
}

impl Matcher {
    /// A matcher for `rules`.
    pub fn new(rules: Arc<RuleSet>) -> Self {
        Self {
            scratch: Scratch::new(&rules.engine),
            rules,
            routes: Vec::new(),
            route_of: FxHashMap::default(),
            last: None,
            matched: Vec::with_capacity(64),
            unrouted: 0,
        }
    }

    /// The detections, silent ones included, that `event` matches, by ascending index.
    pub fn matches(&mut self, event: &Event) -> &[RuleIndex] {
        self.matched.clear();
        let place = self.route(event.logsources);
        if let Some(route) = self.routes.get_mut(place) {
            route.matches(&self.rules.engine, event, &mut self.scratch, &mut self.matched);
        }
        if self.matched.len() > 1 {
            self.matched.sort_unstable();
        }
        &self.matched
    }

    /// How many rules the last event could have matched by its signs, so that their conditions
    /// were looked at.
    pub fn candidates(&self) -> usize {
        self.scratch.candidates()
    }

    /// How many times the signs by which rules are found were chosen by the events so far, for any
    /// set of logsources. No answer depends on it.
    pub fn learned(&self) -> usize {
        self.routes.iter().map(Route::chosen).sum()
    }

    /// Events so far without any logsource: all rules were tried on them.
    pub fn unrouted(&self) -> u64 {
        self.unrouted
    }

    fn route(&mut self, logsources: Logsources) -> usize {
        let key = if logsources.is_empty() {
            self.unrouted += 1;
            (0, 0)
        } else {
            (logsources.as_ptr() as usize, logsources.len())
        };
        if let Some((last, place)) = self.last
            && last == key
        {
            return place;
        }
        let place = *self.route_of.entry(key).or_insert_with(|| {
            let route = Route::build(&self.rules.engine, logsources, &mut self.scratch);
            self.routes.push(route);
            self.routes.len() - 1
        });
        self.last = Some((key, place));
        place
    }
}
