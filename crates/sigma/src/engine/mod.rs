//! Which rules does this event match?
//!
//! All rules' predicates are distinct *atoms*. Literal ones stand in tables of their field: whole
//! values in a hash map, beginnings and ends in tries, other parts in one table of *grams*, so a
//! field is read once whatever the number of rules. Every rule has, where its condition
//! allows, a *witness*: atoms of which one must hold for the rule to match. An event's hits find
//! the rules whose witness they are; only these rules' programs run, asking the other atoms at
//! most once.

mod alike;
mod atom;
mod gate;
mod grams;
mod parts;
mod program;
mod route;
mod scratch;
mod shapes;
mod table;
mod trie;
mod witness;
mod wordings;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use vigie_event::FieldId;

use crate::RuleIndex;
use crate::expr::{Arena, AtomId, NodeId};
use crate::pattern::Anchor;
use crate::predicate::{RegexSource, Subject};
use crate::regular::Regular;
use crate::rule::LogsourceSpec;
use crate::value::is_attribute;
use atom::{Ask, Atom};
use grams::Rarity;
use program::{Op, Writer};
use table::Table;
use witness::Clue;

pub(crate) use route::Route;
pub(crate) use scratch::Scratch;

/// The place of a field among those that rules ask about; 0 is the whole record.
type Local = u32;
/// The whole record as a field.
const RECORD: Local = 0;
/// Stands for "no rule asks about this field".
const NO_LOCAL: Local = Local::MAX;

/// A detection to be compiled.
pub(crate) struct Detection<'r> {
    pub rule: RuleIndex,
    pub root: NodeId,
    pub logsource: &'r LogsourceSpec,
}

/// The compiled detections of a rule set.
#[derive(Debug, Default)]
pub(crate) struct Engine {
    /// By [`FieldId::index`].
    local_of: Vec<Local>,
    /// By local; that of the record is `None`.
    fields: Vec<Option<FieldId>>,
    /// Fields that an event may have without a slot.
    attributes: Vec<(FieldId, Local)>,
    tables: Vec<Table>,
    rarity: Rarity,
    atoms: Vec<Atom>,
    ops: Vec<Op>,
    memos: usize,
    programs: Vec<Program>,
    clues: Vec<Clue>,
}

/// A detection's program.
#[derive(Debug)]
struct Program {
    rule: RuleIndex,
    start: u32,
    root: NodeId,
    logsource: LogsourceSpec,
}

impl Engine {
    /// Compiles `detections` over the expressions in `arena`.
    pub fn build(
        arena: &Arena,
        regexes: &FxHashMap<RegexSource, Regular>,
        detections: &[Detection<'_>],
    ) -> Self {
        let atoms = Vec::with_capacity(arena.atoms().len());
        let mut engine = Self { fields: vec![None], atoms, ..Self::default() };
        let reached = witness::reached(arena, detections.iter().map(|detection| detection.root));
        let mut table_drafts = vec![table::Draft::default()];
        let mut parts: FxHashMap<(Local, Box<str>), AtomId> = FxHashMap::default();
        for (index, predicate) in arena.atoms().enumerate() {
            let id = AtomId(index as u32);
            let local = match predicate.subject {
                Subject::Field(field) if reached.atom(id) => engine.local(field),
                _ => RECORD,
            };
            // An atom that only a refused rule asked for keeps its number and is never asked.
            let atom = if reached.atom(id) {
                let local_of = |field| engine.local(field);
                Atom::build(local, &predicate.test, regexes, local_of)
            } else {
                Atom::unreached()
            };
            table_drafts.resize_with(engine.fields.len(), table::Draft::default);
            if reached.atom(id)
                && let (Some((anchor, needle)), Some(draft)) =
                    (Atom::table_entry(&predicate.test), table_drafts.get_mut(local as usize))
            {
                if anchor == Anchor::Anywhere {
                    parts.insert((local, needle.into()), id);
                } else {
                    draft.add(anchor, needle, id);
                }
            }
            engine.atoms.push(atom);
        }
        engine.require_literals(arena, regexes, &mut parts);
        for (_, part) in parts.keys() {
            engine.rarity.add(part);
        }
        engine.tables = table_drafts.into_iter().map(table::Draft::build).collect();
        engine.compile(arena, &reached, detections);
        engine
    }

    /// Notes the literals without which globs, regular expressions and cased literals cannot hold,
    /// as atoms of their own where no rule asks for them.
    fn require_literals(
        &mut self,
        arena: &Arena,
        regexes: &FxHashMap<RegexSource, Regular>,
        parts: &mut FxHashMap<(Local, Box<str>), AtomId>,
    ) {
        for (index, predicate) in arena.atoms().enumerate() {
            let Some(atom) = self.atoms.get(index) else { continue };
            if matches!(atom.ask, Ask::Never) {
                continue;
            }
            let local = atom.local;
            let mut required = SmallVec::new();
            for literal in Atom::required_literals(&predicate.test, regexes) {
                let next = AtomId(self.atoms.len() as u32);
                let part = (local, literal.into_boxed_str());
                let ask = Ask::Inside(part.1.clone());
                let id = *parts.entry(part).or_insert(next);
                if id == next {
                    self.atoms.push(Atom { local, ask, required: SmallVec::new() });
                }
                required.push(id);
            }
            if let Some(atom) = self.atoms.get_mut(index) {
                atom.required = required;
            }
        }
    }

    fn compile(&mut self, arena: &Arena, reached: &witness::Reached, detections: &[Detection<'_>]) {
        let mut writer = Writer::new(arena, &self.atoms, reached);
        for detection in detections {
            self.programs.push(Program {
                rule: detection.rule,
                start: writer.write(detection.root),
                root: detection.root,
                logsource: detection.logsource.clone(),
            });
        }
        (self.ops, self.memos) = writer.finish();
        self.clues = witness::clues(arena, &self.atoms, &self.fields);
    }

    /// The literal that an atom looks for anywhere in its field; `None` where it asks otherwise.
    fn part(&self, atom: AtomId) -> Option<&str> {
        match &self.atoms.get(atom.index())?.ask {
            Ask::Inside(part) => Some(part),
            _ => None,
        }
    }

    fn local(&mut self, field: FieldId) -> Local {
        if self.local_of.len() <= field.index() {
            self.local_of.resize(field.index() + 1, NO_LOCAL);
        }
        let Some(local) = self.local_of.get_mut(field.index()) else {
            return NO_LOCAL;
        };
        if *local == NO_LOCAL {
            *local = self.fields.len() as Local;
            self.fields.push(Some(field));
            if is_attribute(field) {
                self.attributes.push((field, *local));
            }
        }
        *local
    }
}
