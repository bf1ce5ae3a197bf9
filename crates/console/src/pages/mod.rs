//! The pages: what people see.

pub(crate) mod account;
pub(crate) mod bans;
pub(crate) mod incident;
pub(crate) mod incident_view;
pub(crate) mod incidents;
pub(crate) mod learning;
pub(crate) mod model_card;
pub(crate) mod overview;
pub(crate) mod rows;
pub(crate) mod tickets;
pub(crate) mod timeline;
pub(crate) mod verdict_view;

/// What stands around the rows of a list that has a part and a whole. Texts are named by their keys.
pub(crate) struct List {
    pub title: &'static str,
    /// What may be looked at.
    pub parts: [Part; 2],
    /// The heads of the columns, without that of the buttons.
    pub columns: &'static [&'static str],
    pub is_empty: bool,
    pub empty_title: &'static str,
    pub empty_text: &'static str,
}

/// A part of a list to look at.
pub(crate) struct Part {
    pub name: &'static str,
    pub href: &'static str,
    pub current: bool,
}

/// Links to the neighbours of a page of a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pager {
    /// To the first page, where this is another.
    pub newest: Option<String>,
    /// To the next page, where there is one.
    pub older: Option<String>,
}

impl Pager {
    /// Links for the page of the list at `path` that came after `after` and goes on at `next`.
    /// `filter` is what the links must keep.
    pub fn new(
        path: &str,
        filter: &[(&str, &str)],
        after: Option<&str>,
        next: Option<&str>,
    ) -> Self {
        let link = |after: &str| {
            let mut pairs = filter.to_vec();
            pairs.push(("after", after));
            format!("{path}{}", crate::query::build(&pairs))
        };
        Self { newest: after.map(|_| link("")), older: next.map(link) }
    }
}
