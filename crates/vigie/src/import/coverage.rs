//! What rules look for, and whether they can ever find it here.

use std::collections::BTreeMap;

use vigie_analyzer::attack;
use vigie_event::{Logsource, Severity};
use vigie_sigma::{Rule, RuleKind};

/// What a set of rules covers. Rules that only feed correlations are not counted.
#[derive(Default)]
pub struct Coverage {
    pub rules: usize,
    /// Rules over logsources that the parsers deliver.
    pub can_fire: usize,
    /// Most rules first.
    pub logsources: Vec<LogsourceRow>,
    /// By level, worst first.
    pub levels: Vec<(Severity, usize)>,
    /// All tactics, in the order of their ids.
    pub tactics: Vec<TacticRow>,
}

pub struct LogsourceRow {
    pub category: Option<String>,
    pub product: Option<String>,
    pub service: Option<String>,
    pub rules: usize,
    /// Whether the parsers give any event such a logsource.
    pub delivered: bool,
}

pub struct TacticRow {
    pub id: &'static str,
    pub name: &'static str,
    pub rules: usize,
    pub can_fire: usize,
    /// Techniques and sub-techniques that serve it, in all.
    pub of: usize,
    /// Those that rules name, most rules first.
    pub techniques: Vec<TechniqueRow>,
}

pub struct TechniqueRow {
    pub id: String,
    pub name: String,
    pub rules: usize,
    pub can_fire: usize,
}

impl Coverage {
    /// What `rules` cover.
    pub fn of(rules: &[&Rule]) -> Self {
        let delivered = vigie_parser::delivered();
        let mut logsources: BTreeMap<_, LogsourceRow> = BTreeMap::new();
        let mut levels: BTreeMap<Severity, usize> = BTreeMap::new();
        // Rules, and those among them that can fire, by tactic and by technique in it.
        let mut named: BTreeMap<(String, String), (String, Tally)> = BTreeMap::new();
        let mut coverage = Self::default();
        for rule in rules.iter().filter(|rule| !rule.silent) {
            let can_fire = can_fire(rule, &delivered);
            coverage.rules += 1;
            coverage.can_fire += usize::from(can_fire);
            *levels.entry(rule.reference.level).or_default() += 1;
            let spec = &rule.logsource;
            let key = (spec.product.clone(), spec.category.clone(), spec.service.clone());
            let row = logsources.entry(key).or_insert_with(|| LogsourceRow {
                category: spec.category.clone(),
                product: spec.product.clone(),
                service: spec.service.clone(),
                rules: 0,
                delivered: can_fire,
            });
            row.rules += 1;
            let mut tactics: Vec<String> = Vec::new();
            for found in attack::of_tags(&rule.tags) {
                let tactic = found.tactic.into_owned();
                if !tactics.contains(&tactic) {
                    let key = (tactic.clone(), String::new());
                    named.entry(key).or_default().1.add(can_fire);
                    tactics.push(tactic.clone());
                }
                if !found.technique.is_empty() {
                    let key = (tactic, found.technique.into_owned());
                    let entry = named.entry(key).or_default();
                    entry.0 = found.technique_name.into_owned();
                    entry.1.add(can_fire);
                }
            }
        }
        coverage.logsources = logsources.into_values().collect();
        coverage.logsources.sort_by_key(|row| std::cmp::Reverse(row.rules));
        coverage.levels = levels.into_iter().rev().collect();
        coverage.tactics = attack::tactics().iter().map(|tactic| row(*tactic, &named)).collect();
        coverage
    }
}

#[derive(Clone, Copy, Default)]
struct Tally {
    rules: usize,
    can_fire: usize,
}

impl Tally {
    fn add(&mut self, can_fire: bool) {
        self.rules += 1;
        self.can_fire += usize::from(can_fire);
    }
}

/// A correlation can fire as far as its inputs can, which are rules of their own.
fn can_fire(rule: &Rule, delivered: &[Logsource]) -> bool {
    rule.kind == RuleKind::Correlation
        || rule.logsource.is_empty()
        || delivered.iter().any(|logsource| rule.logsource.fits(logsource))
}

fn row(tactic: attack::Tactic, named: &BTreeMap<(String, String), (String, Tally)>) -> TacticRow {
    let mut techniques = Vec::new();
    let mut whole = Tally::default();
    for ((_, technique), (name, tally)) in named.iter().filter(|((id, _), _)| id == tactic.id) {
        if technique.is_empty() {
            whole = *tally;
            continue;
        }
        techniques.push(TechniqueRow {
            id: technique.clone(),
            name: name.clone(),
            rules: tally.rules,
            can_fire: tally.can_fire,
        });
    }
    techniques.sort_by_key(|technique| std::cmp::Reverse(technique.rules));
    let serves = |technique: &&attack::Technique| technique.tactics.contains(&tactic);
    TacticRow {
        id: tactic.id,
        name: tactic.name,
        rules: whole.rules,
        can_fire: whole.can_fire,
        of: attack::techniques().iter().filter(serves).count(),
        techniques,
    }
}
