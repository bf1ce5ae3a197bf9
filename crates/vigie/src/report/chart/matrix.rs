//! The part of the ATT&CK matrix that was seen: a column a tactic, in the order of an intrusion.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use vigie_event::{Attack, Lang};

use super::{escaped, label, svg};

/// Tactics in the order in which MITRE shows them.
const ORDER: [&str; 14] = [
    "TA0043", "TA0042", "TA0001", "TA0002", "TA0003", "TA0004", "TA0005", "TA0006", "TA0007",
    "TA0008", "TA0009", "TA0011", "TA0010", "TA0040",
];
const COLUMN: f64 = 140.0;
const GAP: f64 = 6.0;
const CELL: f64 = 66.0;
const HEAD: f64 = 40.0;
/// Characters of a name on one line of a cell.
const LINE: usize = 18;

/// A tactic, and its techniques by id with their names and how often they were seen.
type Column<'a> = (&'a Attack, BTreeMap<&'a str, (&'a str, u64)>);

/// The matrix of what was seen, each technique with how often; `None` where nothing was.
pub fn matrix<'a>(seen: impl Iterator<Item = &'a Attack>, lang: Lang) -> Option<String> {
    let mut columns: BTreeMap<usize, Column<'a>> = BTreeMap::new();
    for attack in seen {
        let place = ORDER.iter().position(|id| *id == attack.tactic).unwrap_or(ORDER.len());
        let column = columns.entry(place).or_insert_with(|| (attack, BTreeMap::new()));
        if !attack.technique.is_empty() {
            let cell = column.1.entry(&attack.technique);
            cell.or_insert((&attack.technique_name, 0)).1 += 1;
        }
    }
    let tallest = columns.values().map(|(_, cells)| cells.len()).max()?;
    let most = columns.values().flat_map(|(_, cells)| cells.values()).map(|(_, n)| *n).max();
    let most = most.unwrap_or(1).max(3) as f64;
    let mut body = String::new();
    for (column, (attack, cells)) in columns.values().enumerate() {
        let x = column as f64 * (COLUMN + GAP);
        label(&mut body, (x, 14.0), "tactic", &tactic_name(&attack.tactic_name, lang), 24);
        label(&mut body, (x, 30.0), "soft-text", &attack.tactic, 12);
        for (row, (id, (name, count))) in cells.iter().enumerate() {
            let y = HEAD + row as f64 * (CELL + GAP);
            // Never so faint that it looks empty.
            let strength = 0.12 + 0.36 * (*count as f64 / most);
            let title = escaped(&format!("{id} {name}: {count}"), 120);
            let _ = write!(
                body,
                "<g><title>{title}</title><rect x=\"{x:.0}\" y=\"{y:.0}\" width=\"{COLUMN}\" height=\"{CELL}\" rx=\"5\" class=\"cell\" fill-opacity=\"{strength:.2}\"/></g>"
            );
            label(&mut body, (x + 8.0, y + 16.0), "technique", id, 12);
            label(
                &mut body,
                (x + COLUMN - 8.0, y + 16.0),
                "soft-text end",
                &format!("×{count}"),
                8,
            );
            for (line, words) in wrapped(name).iter().enumerate() {
                label(&mut body, (x + 8.0, y + 31.0 + 13.0 * line as f64), "name", words, LINE + 2);
            }
        }
    }
    let width = columns.len() as f64 * (COLUMN + GAP) - GAP;
    let height = HEAD + tallest as f64 * (CELL + GAP);
    let title =
        lang.pick("ATT&CK techniques seen, by tactic", "Techniques ATT&CK observées, par tactique");
    Some(svg(width, height, title, &body))
}

/// A name on three lines at most.
fn wrapped(name: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in name.split(' ') {
        let full = lines.last().is_some_and(|line| {
            !line.is_empty() && line.chars().count() + word.chars().count() >= LINE
        });
        if full && lines.len() < 3 {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// A tactic's name for people.
pub fn tactic_name(name: &str, lang: Lang) -> String {
    let french = match name {
        "reconnaissance" => "Reconnaissance",
        "resource-development" => "Préparation de moyens",
        "initial-access" => "Accès initial",
        "execution" => "Exécution",
        "persistence" => "Persistance",
        "privilege-escalation" => "Élévation de privilèges",
        "defense-evasion" => "Contournement",
        "credential-access" => "Vol d’identifiants",
        "discovery" => "Découverte",
        "lateral-movement" => "Déplacement latéral",
        "collection" => "Collecte",
        "command-and-control" => "Commande et contrôle",
        "exfiltration" => "Exfiltration",
        "impact" => "Impact",
        other => other,
    };
    if lang == Lang::Fr {
        return french.to_owned();
    }
    let mut text = name.replace('-', " ");
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_follow_an_intrusion() {
        let attack = |tactic: &str, technique: &str| Attack {
            tactic: tactic.to_owned().into(),
            tactic_name: "x".to_owned().into(),
            technique: technique.to_owned().into(),
            technique_name: "A <long> name of more than one line".to_owned().into(),
        };
        let seen =
            [attack("TA0010", "T1048"), attack("TA0001", "T1190"), attack("TA0001", "T1190")];
        let svg = matrix(seen.iter(), Lang::En).unwrap();
        assert!(svg.find("TA0001").unwrap() < svg.find("TA0010").unwrap());
        assert!(svg.contains("×2") && svg.contains("&lt;long&gt;") && !svg.contains("<long>"));
        assert!(matrix([].iter(), Lang::En).is_none());
    }
}
