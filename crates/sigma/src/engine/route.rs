//! The rules that apply to events of one set of logsources.

use vigie_event::{FieldId, Logsources};

use super::atom::Atom;
use super::program::Op;
use super::witness::Sign;
use super::{Engine, Local, NO_LOCAL};

/// The rules for one set of logsources, and what to look at to find them.
#[derive(Debug, Default)]
pub(crate) struct Route {
    /// A bit for each program that applies.
    programs: Vec<u64>,
    /// Programs without a witness: they always run.
    pub(super) open: Vec<u32>,
    /// By [`FieldId::index`]: fields that a rule of this route asks about, others are passed by.
    local_of: Vec<Local>,
    /// By local.
    stops: Vec<Stop>,
}

/// What is done with a field that is present.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop {
    /// Its table is searched, since a rule's witness stands in it.
    pub scan: bool,
    /// Programs that run since it is present.
    pub programs: Vec<u32>,
}

impl Route {
    /// The route of `logsources`. Where the set is empty nothing is known of the event, and all
    /// rules apply.
    pub fn build(engine: &Engine, logsources: Logsources) -> Self {
        let mut route = Self {
            programs: vec![0; engine.programs.len().div_ceil(64)],
            open: Vec::new(),
            local_of: Vec::new(),
            stops: vec![Stop::default(); engine.fields.len()],
        };
        for (index, program) in engine.programs.iter().enumerate() {
            let wanted = &program.logsource;
            let applies =
                logsources.is_empty() || logsources.iter().any(|logsource| wanted.fits(logsource));
            // A rule that names no logsource is meant for every event.
            if applies || wanted.is_empty() {
                route.add(engine, index as u32);
            }
        }
        route
    }

    fn add(&mut self, engine: &Engine, program: u32) {
        if let Some(bits) = self.programs.get_mut(program as usize / 64) {
            *bits |= 1 << (program % 64);
        }
        self.ask_about(engine, program);
        let witness =
            engine.programs.get(program as usize).and_then(|program| program.witness.as_ref());
        let Some(witness) = witness else {
            self.open.push(program);
            return;
        };
        for sign in witness.signs() {
            let local = match sign {
                Sign::Atom(atom) => engine.atoms.get(atom.index()).map(|atom| atom.local),
                Sign::Present(local) => Some(*local),
            };
            let stop = local.and_then(|local| self.stops.get_mut(local as usize));
            let Some(stop) = stop else {
                continue;
            };
            match sign {
                Sign::Atom(_) => stop.scan = true,
                Sign::Present(_) => stop.programs.push(program),
            }
        }
    }

    /// Notes the fields that a program asks about.
    fn ask_about(&mut self, engine: &Engine, program: u32) {
        let start = engine.programs.get(program as usize).map_or(0, |program| program.start);
        for op in engine.ops.get(start as usize..).unwrap_or_default() {
            let atom = match op {
                Op::Done => break,
                Op::Atom(atom) => engine.atoms.get(atom.index()),
                _ => None,
            };
            for local in atom.into_iter().flat_map(Atom::locals) {
                let Some(field) = engine.fields.get(local as usize).copied().flatten() else {
                    continue;
                };
                if self.local_of.len() <= field.index() {
                    self.local_of.resize(field.index() + 1, NO_LOCAL);
                }
                if let Some(kept) = self.local_of.get_mut(field.index()) {
                    *kept = local;
                }
            }
        }
    }

    /// The local of a field that the route's rules ask about, else [`NO_LOCAL`].
    pub(super) fn local(&self, field: FieldId) -> Local {
        self.local_of.get(field.index()).copied().unwrap_or(NO_LOCAL)
    }

    pub(super) fn has(&self, program: u32) -> bool {
        let bits = self.programs.get(program as usize / 64).copied().unwrap_or(0);
        bits >> (program % 64) & 1 == 1
    }

    pub(super) fn stop(&self, local: Local) -> Option<&Stop> {
        self.stops.get(local as usize)
    }
}
