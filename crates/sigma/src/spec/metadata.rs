//! Everything about a rule but its condition.

use vigie_event::{Guidance, Localized, Severity};
use vigie_yaml::{Kind, Node, Refusal, shown};

use super::{detection, guidance};
use crate::diagnostic::{Warnings, nearest};
use crate::rule::{LogsourceSpec, Status};

/// What Sigma calls a rule's components, as far as they concern every kind of rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata {
    pub id: Option<String>,
    pub name: Option<String>,
    pub title: Localized,
    pub status: Status,
    pub level: Option<Severity>,
    pub tags: Vec<String>,
    pub logsource: LogsourceSpec,
    pub guidance: Guidance,
    pub description: String,
    pub author: String,
    pub references: Vec<String>,
    pub license: Option<String>,
}

impl Metadata {
    /// Sigma's id, else the name, else the title.
    pub fn id(&self) -> &str {
        self.id.as_deref().or(self.name.as_deref()).unwrap_or(&self.title.en)
    }

    /// Reads them from a rule's document.
    pub fn read(root: &Node, warnings: &mut Warnings) -> Result<Self, Refusal> {
        let text = |name: &str| root.get(name).and_then(Node::scalar).map(String::from);
        let title = match root.get("title") {
            Some(title) => title.text("title")?.into_owned(),
            None => return Err(detection::missing(root, "title")),
        };
        let (guidance, french) = match root.get("vigie") {
            Some(node) => guidance::read(node, warnings),
            None => Default::default(),
        };
        Ok(Self {
            id: text("id").filter(|id| !id.is_empty()),
            name: text("name").filter(|name| !name.is_empty()),
            title: Localized::new(title, french),
            status: status(root, warnings),
            level: level(root)?,
            tags: texts(root, "tags"),
            logsource: logsource(root)?,
            guidance,
            description: text("description").unwrap_or_default().trim().to_owned(),
            author: text("author").unwrap_or_default(),
            references: texts(root, "references"),
            license: text("license"),
        })
    }
}

fn texts(root: &Node, name: &str) -> Vec<String> {
    let Some(node) = root.get(name) else {
        return Vec::new();
    };
    node.members().iter().filter_map(Node::scalar).map(String::from).collect()
}

fn status(root: &Node, warnings: &mut Warnings) -> Status {
    let Some(node) = root.get("status") else {
        return Status::default();
    };
    let text = node.scalar().unwrap_or_default();
    text.parse().unwrap_or_else(|()| {
        let mend = nearest(&text, Status::ALL.map(Status::name));
        warnings.add(node.at, format!("unknown status `{}`", shown(&text)), mend);
        Status::default()
    })
}

fn level(root: &Node) -> Result<Option<Severity>, Refusal> {
    let Some(node) = root.get("level") else {
        return Ok(None);
    };
    let text = node.text("level")?;
    // Sigma's own names only: a French level in a rule would not be read by other tools.
    if let Some(level) = Severity::ALL.into_iter().find(|level| level.name() == text) {
        return Ok(Some(level));
    }
    let mend = nearest(&text, Severity::ALL.map(Severity::name));
    Err(Refusal::new(node.at, format!("unknown level `{}`", shown(&text)), mend))
}

pub(super) fn logsource(root: &Node) -> Result<LogsourceSpec, Refusal> {
    let Some(node) = root.get("logsource") else {
        return Ok(LogsourceSpec::default());
    };
    if !matches!(node.kind, Kind::Map(_)) {
        let message = format!("`logsource` is {}, not a map", node.what());
        return Err(Refusal::new(
            node.at,
            message,
            "name `category`, `product` or `service` in it",
        ));
    }
    let part = |name: &str| match node.get(name) {
        None => Ok(None),
        Some(part) if part.kind == Kind::Null => Ok(None),
        Some(part) => part.text(name).map(|text| Some(text.into_owned())),
    };
    Ok(LogsourceSpec {
        category: part("category")?,
        product: part("product")?,
        service: part("service")?,
    })
}
