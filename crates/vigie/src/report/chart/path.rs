//! The way of an attack between addresses, machines and accounts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use vigie_event::{Lang, Severity};

use super::{escaped, label, svg};

/// One step of an attack.
pub struct Hop {
    pub from: String,
    pub to: String,
    /// The account that was used, where it is known.
    pub user: Option<String>,
    /// What happened, in two words.
    pub what: String,
    pub severity: Severity,
}

const NODE: f64 = 150.0;
const TALL: f64 = 40.0;
const ACROSS: f64 = 250.0;
/// Where arrows change their height, after the machines that they leave: words stand beyond it, so
/// that no arrow crosses them.
const TURN: f64 = 48.0;
const DOWN: f64 = 92.0;
/// Machines that are drawn; a picture of more shows nothing.
const MOST_NODES: usize = 24;
/// Steps written on one arrow.
const MOST_STEPS: usize = 3;

/// Machines from left to right as the attack reached them, with what happened on the way; `None`
/// where no step has both ends.
pub fn path(hops: &[Hop], lang: Lang) -> Option<String> {
    let mut nodes: Vec<&str> = Vec::new();
    let mut arrows: BTreeMap<(usize, usize), Vec<&Hop>> = BTreeMap::new();
    for hop in hops {
        let (Some(from), Some(to)) = (node(&mut nodes, &hop.from), node(&mut nodes, &hop.to))
        else {
            continue;
        };
        if from != to {
            arrows.entry((from, to)).or_default().push(hop);
        }
    }
    if arrows.is_empty() {
        return None;
    }
    let ends: Vec<(usize, usize)> = arrows.keys().copied().collect();
    let layers = layers(nodes.len(), &ends);
    let mut rows: BTreeMap<usize, usize> = BTreeMap::new();
    let places: Vec<(f64, f64)> = layers
        .iter()
        .map(|layer| {
            let row = rows.entry(*layer).or_default();
            *row += 1;
            (*layer as f64 * (NODE + ACROSS), 10.0 + (*row - 1) as f64 * DOWN)
        })
        .collect();
    let deepest = rows.values().copied().max().unwrap_or(1);
    let columns = layers.iter().copied().max().unwrap_or(0);

    let mut body = String::new();
    // Words go on top of all lines, so that none is crossed out.
    let mut words = String::new();
    let mut lowest = 0.0_f64;
    for ((from, to), hops) in &arrows {
        let (Some(start), Some(end)) = (places.get(*from), places.get(*to)) else { continue };
        arrow(&mut body, *start, *end, hops);
        lowest = lowest.max(steps(&mut words, *start, *end, hops));
    }
    body += &words;
    for (name, (x, y)) in nodes.iter().zip(&places) {
        let title = escaped(name, 200);
        let _ = write!(
            body,
            "<g><title>{title}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{NODE}\" height=\"{TALL}\" rx=\"8\" class=\"node\"/></g>"
        );
        label(&mut body, (x + NODE / 2.0, y + TALL / 2.0 + 5.0), "host", name, 19);
    }
    let width = columns as f64 * (NODE + ACROSS) + NODE + 4.0;
    let height = (deepest as f64 * DOWN - DOWN + TALL + 24.0).max(lowest + 12.0);
    let title = lang.pick("The way of the attack", "Le chemin de l’attaque");
    Some(svg(width, height, title, &body))
}

fn node<'h>(nodes: &mut Vec<&'h str>, name: &'h str) -> Option<usize> {
    if let Some(known) = nodes.iter().position(|node| *node == name) {
        return Some(known);
    }
    (nodes.len() < MOST_NODES).then(|| {
        nodes.push(name);
        nodes.len() - 1
    })
}

/// How many steps each node lies from where an attack begins; a way back counts no further.
fn layers(nodes: usize, arrows: &[(usize, usize)]) -> Vec<usize> {
    let reached = |node: usize| arrows.iter().any(|(_, to)| *to == node);
    let mut layers: Vec<Option<usize>> =
        (0..nodes).map(|node| (!reached(node)).then_some(0)).collect();
    // A circle has no beginning: it begins where it was first seen.
    if layers.iter().all(Option::is_none)
        && let Some(first) = layers.first_mut()
    {
        *first = Some(0);
    }
    for _ in 0..nodes {
        for (from, to) in arrows {
            let Some(Some(layer)) = layers.get(*from).copied() else { continue };
            if let Some(place) = layers.get_mut(*to)
                && place.is_none()
            {
                *place = Some(layer + 1);
            }
        }
    }
    layers.into_iter().map(|layer| layer.unwrap_or(0)).collect()
}

/// Draws an arrow in the colour of the worst that happened on it.
fn arrow(body: &mut String, start: (f64, f64), end: (f64, f64), hops: &[&Hop]) {
    let worst = hops.iter().map(|hop| hop.severity).max().unwrap_or_default();
    let class = worst.name();
    let forward = end.0 > start.0;
    let (x1, y1, x2, y2) = if forward {
        (start.0 + NODE, start.1 + TALL / 2.0, end.0 - 9.0, end.1 + TALL / 2.0)
    } else {
        (start.0 + NODE / 2.0, start.1 + TALL, end.0 + NODE / 2.0, end.1 + TALL + 9.0)
    };
    let line = if forward {
        // Over several columns it keeps its height up to the last of them.
        let near = end.0 - ACROSS;
        format!(
            "M{x1:.1} {y1:.1} L{near:.1} {y1:.1} C{:.1} {y1:.1} {:.1} {y2:.1} {:.1} {y2:.1} L{x2:.1} {y2:.1}",
            near + TURN * 0.7,
            near + TURN * 0.3,
            near + TURN
        )
    } else {
        let low = y1.max(y2) + 44.0;
        format!("M{x1:.1} {y1:.1} C{x1:.1} {low:.1} {x2:.1} {low:.1} {x2:.1} {y2:.1}")
    };
    let head = if forward {
        format!("M{x2:.1} {:.1} l9 5 l-9 5 z", y2 - 5.0)
    } else {
        format!("M{:.1} {y2:.1} l5 -9 l5 9 z", x2 - 5.0)
    };
    let _ = write!(
        body,
        "<g class=\"{class}\"><path d=\"{line}\" class=\"way\"/><path d=\"{head}\" class=\"tip\"/></g>"
    );
}

/// Writes what happened below an arrow, near the machine that it reaches; returns how far down
/// that goes.
fn steps(words: &mut String, start: (f64, f64), end: (f64, f64), hops: &[&Hop]) -> f64 {
    let forward = end.0 > start.0;
    let (x, mut y) = if forward {
        (end.0 - 9.0 - (ACROSS - TURN - 9.0) / 2.0, end.1 + TALL / 2.0 + 17.0)
    } else {
        (f64::midpoint(start.0, end.0) + NODE / 2.0, start.1.max(end.1) + TALL + 48.0)
    };
    let mut steps: Vec<String> = Vec::new();
    for hop in hops {
        let step = match &hop.user {
            Some(user) => format!("{} ({user})", hop.what),
            None => hop.what.clone(),
        };
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    let more = steps.len().saturating_sub(MOST_STEPS);
    let more = (more > 0).then(|| format!("+ {more}"));
    for step in steps.iter().take(MOST_STEPS).chain(&more) {
        label(words, (x, y), "step", step, 30);
        y += 15.0;
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(from: &str, to: &str) -> Hop {
        Hop {
            from: from.to_owned(),
            to: to.to_owned(),
            user: Some("</text><script>".to_owned()),
            what: "<b>".to_owned(),
            severity: Severity::High,
        }
    }

    #[test]
    fn machines_stand_in_the_order_of_the_attack() {
        let arrows = [(0, 1), (1, 2), (2, 0), (3, 2)];
        assert_eq!(layers(4, &arrows), [2, 3, 1, 0]);
        assert_eq!(layers(3, &[(0, 1), (1, 2)]), [0, 1, 2]);
        assert_eq!(layers(2, &[(0, 1), (1, 0)]), [0, 1]);
    }

    #[test]
    fn hostile_names_stay_text_and_many_machines_end() {
        let svg = path(&[hop("<a>", "b\"onload=x"), hop("b\"onload=x", "<a>")], Lang::Fr).unwrap();
        assert!(!svg.contains("<script>") && !svg.contains("<a>") && !svg.contains("\"onload"));
        let many: Vec<Hop> = (0..500).map(|n| hop("source", &format!("host{n}"))).collect();
        assert!(path(&many, Lang::En).unwrap().matches("class=\"node\"").count() <= MOST_NODES);
        assert!(path(&[hop("a", "a")], Lang::En).is_none());
    }
}
