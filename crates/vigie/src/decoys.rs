//! The decoys of the configuration as rules: who touches what nobody has a reason to touch.

use std::fmt::Write;

use anyhow::bail;

use crate::config::AnalysisConfig;
use crate::shipped::{Content, RuleFile};

/// One kind of decoy.
struct Kind {
    key: &'static str,
    id: [&'static str; 2],
    tag: &'static str,
    /// For requests, then for machines.
    titles: [[&'static str; 2]; 2],
    explanation: [&'static str; 2],
}

const KINDS: [Kind; 2] = [
    Kind {
        key: "decoys",
        id: ["5f0c6c1e-7d7b-4a52-8a7e-0b3f6a1f5d01", "5f0c6c1e-7d7b-4a52-8a7e-0b3f6a1f5d02"],
        tag: "decoy.touched",
        titles: [
            ["Decoy touched by a request", "Leurre touché par une requête"],
            ["Decoy touched on a machine", "Leurre touché sur une machine"],
        ],
        explanation: [
            "Nobody has a reason to touch this. Whoever does is looking around where he has no business.",
            "Personne n’a de raison d’y toucher. Qui le fait fouille là où il n’a rien à faire.",
        ],
    },
    Kind {
        key: "prose_decoys",
        id: ["5f0c6c1e-7d7b-4a52-8a7e-0b3f6a1f5d03", "5f0c6c1e-7d7b-4a52-8a7e-0b3f6a1f5d04"],
        tag: "decoy.prose",
        titles: [
            [
                "Request for a decoy that only prose names",
                "Requête vers un leurre nommé seulement dans un texte",
            ],
            [
                "Use of a decoy that only prose names",
                "Usage d’un leurre nommé seulement dans un texte",
            ],
        ],
        explanation: [
            "This is mentioned in prose only. Whoever uses it has read that prose, as language models do and scanners do not.",
            "Ce leurre n’est mentionné que dans un texte. Qui l’utilise a lu ce texte, comme le font les modèles de langage et non les scanners.",
        ],
    },
];

/// Fewer characters than this stand in too much that nobody meant.
const LEAST_LETTERS: usize = 4;

/// Whether the decoys of the configuration can be told from what everybody touches.
///
/// # Errors
/// The first that is too short.
pub fn check(config: &AnalysisConfig) -> anyhow::Result<()> {
    let lists = [&config.decoys, &config.prose_decoys];
    for (kind, values) in KINDS.iter().zip(lists) {
        let short = values
            .iter()
            .map(|value| value.trim())
            .find(|value| !value.is_empty() && value.chars().count() < LEAST_LETTERS);
        if let Some(short) = short {
            bail!(
                "configuration: analysis.{}: `{short}` is too short, it would stand in what everybody touches; a decoy has at least {LEAST_LETTERS} characters",
                kind.key
            );
        }
    }
    Ok(())
}

/// The rules of the configured decoys; none without any.
pub fn rule_files(config: &AnalysisConfig) -> Vec<RuleFile> {
    let lists = [&config.decoys, &config.prose_decoys];
    let mut files = Vec::new();
    for (kind, values) in KINDS.iter().zip(lists) {
        let values: Vec<&str> =
            values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()).collect();
        if !values.is_empty() {
            let name = format!("configuration: analysis.{}", kind.key);
            files.push(RuleFile { name, content: Content::Text(text(kind, &values).into_bytes()) });
        }
    }
    files
}

fn text(kind: &Kind, values: &[&str]) -> String {
    const SOURCES: [(&str, &[&str]); 2] = [
        ("category: webserver", &["url.decoded|contains"]),
        ("product: linux", &["user.name", "file.path|endswith", "process.command_line|contains"]),
    ];
    let mut text = String::new();
    for (((logsource, fields), id), [en, fr]) in SOURCES.iter().zip(kind.id).zip(kind.titles) {
        let [why_en, why_fr] = kind.explanation;
        let _ = write!(
            text,
            "---\ntitle: {en}\nid: {id}\nstatus: stable\ntags:\n  - attack.discovery\n  - attack.t1083\n  - {}\nlogsource:\n  {logsource}\ndetection:\n",
            kind.tag
        );
        for (number, field) in fields.iter().enumerate() {
            let _ = write!(text, "  touched{number}:\n    {field}:\n");
            for value in values {
                let _ = writeln!(text, "      - {}", quoted(value));
            }
        }
        let _ = write!(
            text,
            "  condition: 1 of touched*\nlevel: high\nvigie:\n  title:\n    fr: {}\n  explanation:\n    en: {}\n    fr: {}\n  category: suspicious_activity\n  actions: [block_ip, create_ticket]\n",
            quoted(fr),
            quoted(why_en),
            quoted(why_fr)
        );
    }
    text
}

/// The value as YAML, with what Sigma would take for a wildcard escaped.
fn quoted(value: &str) -> String {
    let mut plain = String::with_capacity(value.len() + 2);
    for c in value.chars().filter(|c| !c.is_control()) {
        if matches!(c, '\\' | '*' | '?') {
            plain.push('\\');
        }
        plain.push(c);
    }
    format!("'{}'", plain.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_decoy_that_stands_in_everything_is_refused() {
        let mut config = Config::load(None, std::iter::empty()).unwrap().analysis;
        for (value, right) in [("/", false), (" /ab ", false), ("/old", true), ("", true)] {
            config.decoys = vec![value.to_owned()];
            assert_eq!(check(&config).is_ok(), right, "{value}");
        }
    }

    #[test]
    fn every_value_makes_a_rule_that_loads() {
        let mut config = Config::load(None, std::iter::empty()).unwrap().analysis;
        assert!(rule_files(&config).is_empty());
        config.decoys =
            vec!["/backup-2019.zip".into(), "svc-legacy".into(), "it's *?\\ \"x\"".into()];
        config.prose_decoys = vec!["/notes/rotate: key".into(), "\n".into()];
        let files = rule_files(&config);
        let (rules, diagnostics) = crate::shipped::compile(&files).unwrap();
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        assert_eq!(rules.rules().len(), 4);
    }
}
