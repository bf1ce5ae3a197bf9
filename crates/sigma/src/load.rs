//! From files to a rule set.

use rustc_hash::{FxHashMap, FxHashSet};
use vigie_event::{RuleRef, Severity, fingerprint};
use vigie_yaml::{Refusal, shown};

use crate::correlate::Correlation;
use crate::diagnostic::Warnings;
use crate::draft::{Body, Draft, DraftReader};
use crate::engine::{Detection, Engine};
use crate::resolve::{Resolution, resolve};
use crate::set::Feed;
use crate::spec::DetectionReader;
use crate::{
    Diagnostic, DiagnosticLevel, Pipelines, Placeholders, Rule, RuleIndex, RuleKind, RuleSet,
    RuleSource,
};

/// Loads what can be loaded.
pub(crate) fn load<'t>(
    sources: &[RuleSource<'t>],
    pipelines: &'t Pipelines,
    placeholders: &'t Placeholders,
) -> (RuleSet, Vec<Diagnostic>) {
    let mut drafts: Vec<Draft<'t>> = Vec::new();
    let mut findings = Findings::default();
    for source in sources {
        findings.next_file(source.file());
    }
    let mut reader = DraftReader::new(sources, pipelines, placeholders, &mut findings);
    for source in sources {
        let file = source.file();
        for document in source.documents() {
            let mut warnings = Warnings::default();
            let draft = document
                .root
                .and_then(|root| reader.read(file, document.line, &root, &mut warnings));
            findings.warn(file, warnings);
            match draft {
                Ok(draft) => drafts.extend(draft),
                Err(refusal) => findings.refuse(file, refusal),
            }
        }
    }
    let detections = reader.finish(&mut findings);
    let drafts = without_doubles(drafts, &mut findings);
    let (drafts, resolution) = resolve(drafts, &mut findings);
    (assemble(drafts, resolution, &detections), findings.sorted())
}

/// Refuses rules whose id was taken before them.
fn without_doubles<'t>(drafts: Vec<Draft<'t>>, findings: &mut Findings) -> Vec<Draft<'t>> {
    let mut taken: FxHashMap<String, (&'t str, usize)> = FxHashMap::default();
    let mut kept = Vec::with_capacity(drafts.len());
    for draft in drafts {
        if let Some((file, line)) = taken.get(draft.id()) {
            let message = format!("rule id `{}` is taken by {file}:{line}", shown(draft.id()));
            let refusal = Refusal::new(draft.position(), message, "give it an id of its own");
            findings.refuse(draft.file, refusal);
            continue;
        }
        taken.insert(draft.id().to_owned(), (draft.file, draft.line));
        kept.push(draft);
    }
    kept
}

fn assemble(drafts: Vec<Draft<'_>>, resolution: Resolution, reader: &DetectionReader) -> RuleSet {
    let versions = versions(&drafts, &resolution);
    let silent = silent(&drafts, &resolution);
    let mut set = RuleSet { feeds: vec![Box::default(); drafts.len()], ..RuleSet::default() };
    let mut roots = Vec::new();
    for (index, draft) in drafts.into_iter().enumerate() {
        let rule = RuleIndex(index as u32);
        let version = versions.get(index).copied().unwrap_or(0);
        let id = draft.id().to_owned();
        set.by_id.insert(id.clone(), rule);
        if let Body::Detection(root) = &draft.body {
            roots.push((rule, *root));
        }
        set.rules.push(rule_of(rule, id, draft, version, silent.contains(&index)));
    }
    let detections: Vec<Detection<'_>> = roots
        .iter()
        .filter_map(|(rule, root)| {
            let logsource = &set.rules.get(rule.index())?.logsource;
            Some(Detection { rule: *rule, root: *root, logsource })
        })
        .collect();
    set.engine = Engine::build(&reader.arena, &reader.regexes, &detections);
    wire(&mut set, resolution);
    set.version = set_version(&set.rules);
    set
}

fn rule_of(index: RuleIndex, id: String, draft: Draft<'_>, version: u64, silent: bool) -> Rule {
    let Draft { file, line, metadata, body, .. } = draft;
    let (kind, timespan_s, group_by) = match body {
        Body::Detection(_) => (RuleKind::Detection, None, Vec::new()),
        Body::Correlation(spec) => (RuleKind::Correlation, Some(spec.timespan_s), spec.group_by),
    };
    Rule {
        index,
        reference: RuleRef {
            id,
            title: metadata.title,
            level: metadata.level.unwrap_or(Severity::Medium),
            version: format!("{version:016x}"),
        },
        kind,
        status: metadata.status,
        tags: metadata.tags,
        logsource: metadata.logsource,
        guidance: metadata.guidance,
        description: metadata.description,
        author: metadata.author,
        references: metadata.references,
        license: metadata.license,
        silent,
        timespan_s,
        group_by,
        file: file.to_owned(),
        line,
    }
}

/// Fingerprints of the rules' contents; a correlation's takes in its inputs'.
fn versions(drafts: &[Draft<'_>], resolution: &Resolution) -> Vec<u64> {
    let mut versions: Vec<u64> = drafts.iter().map(|draft| draft.content).collect();
    for correlation in &resolution.correlations {
        let mut bytes = Vec::with_capacity(8 * (correlation.inputs.len() + 1));
        for index in std::iter::once(&correlation.draft).chain(&correlation.inputs) {
            let version = versions.get(*index).copied().unwrap_or(0);
            bytes.extend_from_slice(&version.to_le_bytes());
        }
        // Pipelines may have given the fields other names.
        for field in correlation.group_fields.iter().chain(&correlation.value_fields).flatten() {
            bytes.extend_from_slice(field.name().as_bytes());
            bytes.push(0);
        }
        if let Some(version) = versions.get_mut(correlation.draft) {
            *version = fingerprint(&bytes);
        }
    }
    versions
}

/// Drafts that are inputs, and of no correlation that lets them speak.
fn silent(drafts: &[Draft<'_>], resolution: &Resolution) -> FxHashSet<usize> {
    let mut inputs = FxHashSet::default();
    let mut loud = FxHashSet::default();
    for correlation in &resolution.correlations {
        let generate = matches!(
            drafts.get(correlation.draft).map(|draft| &draft.body),
            Some(Body::Correlation(spec)) if spec.generate
        );
        let target = if generate { &mut loud } else { &mut inputs };
        target.extend(correlation.inputs.iter().copied());
    }
    inputs.retain(|index| !loud.contains(index));
    inputs
}

/// Connects rules with the correlations that they feed.
fn wire(set: &mut RuleSet, resolution: Resolution) {
    let mut feeds: Vec<Vec<Feed>> = vec![Vec::new(); set.rules.len()];
    let mut selectors = Selectors::default();
    for (index, resolved) in resolution.correlations.into_iter().enumerate() {
        for (place, input) in resolved.inputs.iter().enumerate() {
            let (group, values) =
                (resolved.group_fields.get(place), resolved.value_fields.get(place));
            if let (Some(feeds), Some(group)) = (feeds.get_mut(*input), group) {
                feeds.push(Feed {
                    correlation: index as u32,
                    input: place as u32,
                    group: selectors.place(group),
                    values: values.map(|fields| selectors.place(fields)),
                });
            }
        }
        let spec = resolved.spec;
        set.correlations.push(Correlation {
            rule: RuleIndex(resolved.draft as u32),
            aggregate: spec.aggregate,
            inputs: spec.inputs.len(),
            timespan: (spec.timespan_s as i64).saturating_mul(1_000_000_000),
            range: spec.range,
            group_by: spec.group_by.into(),
        });
    }
    set.feeds = feeds.into_iter().map(Vec::into_boxed_slice).collect();
    set.selectors = selectors.lists;
}

/// Distinct lists of fields.
#[derive(Default)]
struct Selectors {
    lists: Vec<Box<[vigie_event::FieldId]>>,
}

impl Selectors {
    fn place(&mut self, fields: &[vigie_event::FieldId]) -> u32 {
        if let Some(place) = self.lists.iter().position(|list| **list == *fields) {
            return place as u32;
        }
        self.lists.push(fields.into());
        self.lists.len() as u32 - 1
    }
}

fn set_version(rules: &[Rule]) -> u64 {
    let mut contents: Vec<String> = rules
        .iter()
        .map(|rule| format!("{} {}\n", rule.reference.id, rule.reference.version))
        .collect();
    contents.sort_unstable();
    fingerprint(contents.concat().as_bytes())
}

/// Findings, with the order of the files that they are about.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    files: FxHashMap<String, usize>,
    all: Vec<Diagnostic>,
}

impl Findings {
    fn next_file(&mut self, file: &str) {
        let place = self.files.len();
        self.files.entry(file.to_owned()).or_insert(place);
    }

    pub fn warn(&mut self, file: &str, warnings: Warnings) {
        let level = DiagnosticLevel::Warning;
        self.all.extend(warnings.0.into_iter().map(|found| Diagnostic::of(found, file, level)));
    }

    pub fn warn_one(&mut self, file: &str, finding: Refusal) {
        self.all.push(Diagnostic::of(finding, file, DiagnosticLevel::Warning));
    }

    pub fn refuse(&mut self, file: &str, refusal: Refusal) {
        self.all.push(Diagnostic::of(refusal, file, DiagnosticLevel::Error));
    }

    fn sorted(self) -> Vec<Diagnostic> {
        let Self { files, mut all } = self;
        all.sort_by_key(|found| (files.get(&found.file).copied(), found.line, found.column));
        all
    }
}
