//! The pages: what people see.

pub(crate) mod account;
pub(crate) mod bans;
pub(crate) mod incident;
pub(crate) mod incident_view;
pub(crate) mod incidents;
pub(crate) mod overview;
pub(crate) mod rows;
pub(crate) mod tickets;
pub(crate) mod timeline;
pub(crate) mod verdict_view;

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
