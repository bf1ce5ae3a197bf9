//! What the owner says of his machines and of others: critical assets, denied and permitted
//! addresses, tools of his own.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use vigie_event::{Claim, CompactString, Entities, Lang, Localized, Severity, unmapped};

use crate::facts::Facts;
use crate::score::{Part, Score, proof};
use crate::text::list;

/// Names, addresses and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    names: BTreeSet<String>,
    networks: Vec<IpNet>,
}

impl Names {
    /// Those that `texts` name: an address or a network where a text reads as one, else a name, in
    /// any case. Empty texts name nobody.
    pub fn of<S: AsRef<str>>(texts: &[S]) -> Self {
        let mut known = Self::default();
        for text in texts.iter().map(|text| text.as_ref().trim()).filter(|text| !text.is_empty()) {
            let address = text.parse::<IpAddr>().map(|address| IpNet::from(unmapped(address)));
            match text.parse::<IpNet>().or(address) {
                Ok(network) => known.networks.push(network),
                Err(_) => _ = known.names.insert(text.to_lowercase()),
            }
        }
        known
    }

    /// Whether `value` is one of them, or an address in one of them.
    pub fn contains(&self, value: &str) -> bool {
        if !self.networks.is_empty()
            && let Ok(address) = value.parse::<IpAddr>()
        {
            let address = unmapped(address);
            return self.networks.iter().any(|network| network.contains(&address));
        }
        !self.names.is_empty() && self.names.contains(&value.to_lowercase())
    }

    fn is_empty(&self) -> bool {
        self.names.is_empty() && self.networks.is_empty()
    }

    /// Those of `values` that are among them.
    fn among(&self, values: &[CompactString]) -> Vec<String> {
        if self.is_empty() {
            return Vec::new();
        }
        values.iter().filter(|value| self.contains(value)).map(ToString::to_string).collect()
    }

    fn in_fields(&self, entities: &Entities, fields: &[&str]) -> Vec<String> {
        fields.iter().flat_map(|field| self.among(entities.values(field))).collect()
    }
}

/// What the owner says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Machines, accounts and networks whose loss would hurt most.
    pub critical: Names,
    /// Sources that are known to be hostile.
    pub denied: Names,
    /// Sources that may do unusual things.
    pub allowed: Names,
    /// Scanners, monitors and deployment tools of one's own, by address, machine or account.
    pub tools: Names,
}

impl Known {
    fn is_empty(&self) -> bool {
        let Self { critical, denied, allowed, tools } = self;
        [critical, denied, allowed, tools].into_iter().all(Names::is_empty)
    }
}

/// Severity and score as the lists change them; returns the claims that explain it.
///
/// A critical asset lifts low and medium one step. A denied source gives 15 points of confidence and
/// takes 15 of false positive; a permitted one, or a tool of one's own, takes and gives 10 and 15,
/// unless the incident is high or critical: lists of the owner's friends quieten nothing there.
pub(crate) fn apply(
    facts: &Facts<'_>,
    entities: &Entities,
    known: &Known,
    severity: &mut Severity,
    score: &mut Score,
) -> Vec<Claim> {
    let mut claims = Vec::new();
    if known.is_empty() {
        return claims;
    }
    let events = proof(facts);
    let critical = known
        .critical
        .in_fields(entities, &["host.name", "destination.ip", "user.name", "user.target.name"]);
    if !critical.is_empty() {
        let before = *severity;
        *severity = match before {
            Severity::Low => Severity::Medium,
            Severity::Medium => Severity::High,
            same => same,
        };
        let raises = *severity > before;
        claims.push(Claim {
            events: events.clone(),
            claim: facts.langs.text(|lang| {
                let names = list(&critical, lang);
                let so = match (raises, lang) {
                    (false, _) => "",
                    (true, Lang::En) => ", which raises the severity",
                    (true, Lang::Fr) => ", ce qui élève la gravité",
                };
                match lang {
                    Lang::En => format!("A critical asset is concerned ({names}){so}"),
                    Lang::Fr => format!("Un actif critique est concerné ({names}){so}"),
                }
            }),
        });
    }
    let denied = known.denied.in_fields(entities, &["source.ip", "destination.ip"]);
    let mut part = |confidence: i32, false_positive: i32, fact: Localized| {
        let part = Part { fact, confidence, false_positive, events: events.clone() };
        score.confidence = shift(score.confidence, confidence, 5, 99);
        score.false_positive = shift(score.false_positive, false_positive, 1, 95);
        claims.push(part.into_claim(facts.langs));
    };
    if !denied.is_empty() {
        part(
            15,
            -15,
            facts.langs.text(|lang| {
                let names = list(&denied, lang);
                match lang {
                    Lang::En => format!("On your deny list: {names}"),
                    Lang::Fr => format!("Sur votre liste noire : {names}"),
                }
            }),
        );
    }
    let friends = [
        (
            &known.allowed,
            "On your list of permitted sources: ",
            "Sur votre liste de sources autorisées : ",
        ),
        (&known.tools, "A tool of your own: ", "Un outil à vous : "),
    ];
    for (names, en, fr) in friends {
        let found = names.in_fields(entities, &["source.ip"]);
        if found.is_empty() {
            continue;
        }
        let (sure, wrong) = if *severity >= Severity::High { (0, 0) } else { (-10, 15) };
        part(
            sure,
            wrong,
            facts.langs.text(|lang| format!("{}{}", lang.pick(en, fr), list(&found, lang))),
        );
    }
    claims
}

fn shift(value: u8, by: i32, least: i32, most: i32) -> u8 {
    (i32::from(value) + by).clamp(least, most) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_networks_are_told_apart() {
        let known = Names::of(&["DB-01", "192.0.2.7", "198.51.100.0/24", "2001:db8::/32", " "]);
        for (value, expected) in [
            ("db-01", true),
            ("db-02", false),
            ("192.0.2.7", true),
            ("::ffff:192.0.2.7", true),
            ("192.0.2.8", false),
            ("198.51.100.200", true),
            ("2001:db8:1::1", true),
            ("", false),
        ] {
            assert_eq!(known.contains(value), expected, "{value}");
        }
    }
}
