//! From one document to a rule whose references are not yet known to be good.

use vigie_event::fingerprint;
use vigie_yaml::{Kind, Node, Position, Refusal, shown};

use crate::diagnostic::{Warnings, nearest};
use crate::expr::NodeId;
use crate::load::Findings;
use crate::pipeline::{Applied, Subject, apply};
use crate::spec::{
    CorrelationSpec, DetectionReader, DetectionSpec, FilterSpec, Item, Lookup, Metadata, expand,
};
use crate::{Pipelines, Placeholders, RuleSource};

/// A rule that was read, before its references are known to be good.
pub(crate) struct Draft<'t> {
    pub file: &'t str,
    pub line: usize,
    pub metadata: Metadata,
    pub body: Body,
    /// Fingerprint of the document's content, and of what filters and pipelines made of it.
    pub content: u64,
    /// What pipelines did to it.
    pub applied: Applied<'t>,
}

/// What a rule asks.
pub(crate) enum Body {
    Detection(NodeId),
    Correlation(Box<CorrelationSpec>),
}

impl Draft<'_> {
    /// Sigma's id, else the name, else the title.
    pub fn id(&self) -> &str {
        self.metadata.id()
    }

    /// Where its document begins.
    pub fn position(&self) -> Position {
        Position { line: self.line, column: 1 }
    }
}

/// A filter, with what came of it.
pub(crate) struct Filter<'t> {
    file: &'t str,
    spec: FilterSpec,
    content: u64,
    /// Rules that it was applied to.
    applied: usize,
    /// By name: whether there is such a rule.
    found: Vec<bool>,
}

/// Reads documents to drafts.
pub(crate) struct DraftReader<'t> {
    pub detections: DetectionReader,
    filters: Vec<Filter<'t>>,
    pipelines: &'t Pipelines,
    placeholders: &'t Placeholders,
}

impl<'t> DraftReader<'t> {
    /// A reader for rules of `sources`, with the filters among them.
    pub fn new(
        sources: &[RuleSource<'t>],
        pipelines: &'t Pipelines,
        placeholders: &'t Placeholders,
        findings: &mut Findings,
    ) -> Self {
        let mut filters = Vec::new();
        for source in sources {
            // Most files have none, so most are read once.
            if !source.may_have("filter") {
                continue;
            }
            let file = source.file();
            for document in source.documents() {
                // What cannot be read is told when it is read as a rule.
                let Ok(root) = document.root else {
                    continue;
                };
                let Some(section) = root.get("filter") else {
                    continue;
                };
                let mut warnings = Warnings::default();
                match FilterSpec::read(&root, section, &mut warnings) {
                    Ok(spec) => {
                        let mut content = Vec::new();
                        root.fold_into(&mut content);
                        let found = vec![false; spec.rules.as_ref().map_or(0, Vec::len)];
                        let content = fingerprint(&content);
                        filters.push(Filter { file, spec, content, applied: 0, found });
                    }
                    Err(refusal) => findings.refuse(file, refusal),
                }
                findings.warn(file, warnings);
            }
        }
        Self { detections: DetectionReader::default(), filters, pipelines, placeholders }
    }

    /// Reads one document; nothing of a filter.
    pub fn read(
        &mut self,
        file: &'t str,
        line: usize,
        root: &Node,
        warnings: &mut Warnings,
    ) -> Result<Option<Draft<'t>>, Refusal> {
        if !matches!(root.kind, Kind::Map(_)) {
            let message = format!("the document is {}, not a rule", root.what());
            return Err(Refusal::new(root.at, message, "begin with `title:`"));
        }
        if let Some(action) = root.entry("action") {
            let mend = "write each rule out in full";
            return Err(Refusal::new(action.at, "rule collections (`action`) are obsolete", mend));
        }
        let sections = (root.get("detection"), root.get("correlation"), root.get("filter"));
        if let (None, None, Some(_)) = sections {
            return Ok(None);
        }
        let mut metadata = Metadata::read(root, warnings)?;
        let mut content = Vec::new();
        root.fold_into(&mut content);
        let (body, applied) = match sections {
            (Some(detection), None, None) => {
                let (node, applied) =
                    self.detection(root, detection, &mut metadata, &mut content, warnings)?;
                (Body::Detection(node), applied)
            }
            (None, Some(section), None) => {
                let tags = &metadata.tags;
                let logsource = &mut metadata.logsource;
                let subject = Subject { root, tags, logsource, detection: None };
                let applied = apply(self.pipelines, subject)?;
                (Body::Correlation(Box::new(CorrelationSpec::read(root, section)?)), applied)
            }
            (None, None, _) => return Err(nothing(root)),
            (_, Some(section), _) | (_, _, Some(section)) => {
                let message = "`detection`, `correlation` and `filter` exclude each other";
                let mend = "put them into documents of their own";
                return Err(Refusal::new(section.at, message, mend));
            }
        };
        let content = fingerprint(&content);
        Ok(Some(Draft { file, line, metadata, body, content, applied }))
    }

    fn detection(
        &mut self,
        root: &Node,
        section: &Node,
        metadata: &mut Metadata,
        content: &mut Vec<u8>,
        warnings: &mut Warnings,
    ) -> Result<(NodeId, Applied<'t>), Refusal> {
        let mut detection = DetectionSpec::read(section, warnings)?;
        for filter in &mut self.filters {
            if filter.takes(metadata) {
                detection.added.push(filter.spec.clause.clone());
                content.extend_from_slice(&filter.content.to_le_bytes());
            }
        }
        let mut applied = Applied::default();
        if !self.pipelines.is_empty() {
            let (mut before, mut after) = (Vec::new(), Vec::new());
            detection.fold_into(&mut before);
            let tags = &metadata.tags;
            let logsource = &mut metadata.logsource;
            let subject = Subject { root, tags, logsource, detection: Some(&mut detection) };
            applied = apply(self.pipelines, subject)?;
            detection.fold_into(&mut after);
            // A pipeline that left a rule as it was leaves its windows as well.
            if before != after {
                content.append(&mut after);
            }
        }
        self.fill_in(&mut detection, content)?;
        // `logsource: {}` says so on purpose.
        if metadata.logsource.is_empty() && !is_empty_map(root.get("logsource")) {
            let mend = "name `category`, `product` or `service`";
            warnings.add(root.at, "no logsource: the rule applies to every event", mend);
        }
        Ok((self.detections.read(&detection, warnings)?, applied))
    }

    /// Fills in the placeholders that pipelines left.
    fn fill_in(&self, detection: &mut DetectionSpec, content: &mut Vec<u8>) -> Result<(), Refusal> {
        if !detection.any_match(|found| found.has_modifier("expand")) {
            return Ok(());
        }
        detection.change(&mut |mut found| {
            expand(&mut found, |name| {
                self.placeholders.get(name).map_or(Lookup::Unknown, Lookup::Values)
            })?;
            if found.has_modifier("expand") {
                found.values.iter().for_each(|value| value.fold_into(content));
            }
            Ok(Item::Match(Box::new(found)))
        })
    }

    /// Tells of filters that came to nothing.
    pub fn finish(self, findings: &mut Findings) -> DetectionReader {
        for Filter { file, spec, applied, found, .. } in &self.filters {
            let names = spec.rules.iter().flatten();
            for ((name, at), _) in names.zip(found).filter(|(_, found)| !**found) {
                let message = format!("the filter names `{}`, which is no rule", shown(name));
                findings.warn_one(file, Refusal::new(*at, message, "name a rule by id or `name`"));
            }
            if *applied == 0 && found.iter().all(|found| *found) {
                let message = format!("the filter `{}` applies to no rule", spec.title);
                let mend = "its `logsource` fits none of the rules that it names";
                findings.warn_one(file, Refusal::new(spec.at, message, mend));
            }
        }
        self.detections
    }
}

impl Filter<'_> {
    /// Whether it is applied to a rule; notes that it is.
    fn takes(&mut self, metadata: &Metadata) -> bool {
        let mut named = self.spec.rules.is_none();
        for ((name, _), found) in self.spec.rules.iter().flatten().zip(&mut self.found) {
            if metadata.id() == name || metadata.name.as_deref() == Some(name) {
                *found = true;
                named = true;
            }
        }
        let takes = named && self.spec.fits(&metadata.logsource);
        self.applied += usize::from(takes);
        takes
    }
}

fn nothing(root: &Node) -> Refusal {
    let keys = root.entries().iter().map(|entry| entry.key.as_str());
    let mend = keys
        .map(|key| nearest(key, ["detection", "correlation"]))
        .find(|mend| mend.starts_with("did you mean"));
    let message = "the rule has neither `detection` nor `correlation`";
    Refusal::new(root.at, message, mend.unwrap_or_default())
}

/// Whether it is `{}`.
fn is_empty_map(node: Option<&Node>) -> bool {
    node.is_some_and(|node| matches!(&node.kind, Kind::Map(entries) if entries.is_empty()))
}
