//! Lists by pages: each page tells where the next one starts, so lists have no end and no page
//! costs more than another.

use sea_orm::sea_query::{Expr, IntoColumnRef};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::StateError;

/// Items on a page unless asked otherwise.
pub const PAGE_LIMIT: u64 = 50;
/// Items on a page at most.
pub const PAGE_LIMIT_MAX: u64 = 1_000;

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// How many items, 1 to [`PAGE_LIMIT_MAX`]; other values are brought into that range.
    pub limit: u64,
    /// The `next` of the page before; `None` for the first page.
    pub after: Option<String>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: PAGE_LIMIT, after: None }
    }
}

impl PageRequest {
    /// The first page, with `limit` items.
    pub fn first(limit: u64) -> Self {
        Self { limit, after: None }
    }

    /// The page that follows `after`, with `limit` items.
    pub fn after(limit: u64, after: impl Into<String>) -> Self {
        Self { limit, after: Some(after.into()) }
    }

    pub(crate) fn size(&self) -> usize {
        usize::try_from(self.limit.clamp(1, PAGE_LIMIT_MAX)).unwrap_or(1)
    }
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items in the list's order.
    pub items: Vec<T>,
    /// Where the next page starts; `None` on the last page.
    pub next: Option<String>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next: None }
    }
}

impl<T> Page<T> {
    /// The same page of what `map` makes of each item.
    pub fn try_map<U, E>(self, map: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        let items = self.items.into_iter().map(map).collect::<Result<_, _>>()?;
        Ok(Page { items, next: self.next })
    }

    /// The same page with each item made into another, without those that `map` leaves out.
    pub(crate) fn try_filter_map<U, E>(
        self,
        map: impl FnMut(T) -> Result<Option<U>, E>,
    ) -> Result<Page<U>, E> {
        let items = self.items.into_iter().map(map).filter_map(Result::transpose);
        Ok(Page { items: items.collect::<Result<_, _>>()?, next: self.next })
    }

    /// A page of the first `size` of `rows`, which holds one more where there is a next page.
    pub(crate) fn cut(mut rows: Vec<T>, size: usize, key: impl Fn(&T) -> Key) -> Self {
        let more = rows.len() > size;
        rows.truncate(size);
        let next = if more { rows.last().map(|row| key(row).encode()) } else { None };
        Self { items: rows, next }
    }
}

/// Where a row stands in its list: sort values, then the identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub sort: Vec<i64>,
    pub id: String,
}

impl Key {
    pub fn new(sort: impl Into<Vec<i64>>, id: impl Into<String>) -> Self {
        Self { sort: sort.into(), id: id.into() }
    }

    fn encode(&self) -> String {
        let mut text = String::new();
        for value in &self.sort {
            text.push_str(&value.to_string());
            text.push('.');
        }
        text.push_str(&self.id);
        text
    }

    fn decode(text: &str, values: usize) -> Result<Self, StateError> {
        let bad = || StateError::BadCursor(text.chars().take(80).collect());
        let mut parts = text.splitn(values + 1, '.');
        let mut sort = Vec::with_capacity(values);
        for _ in 0..values {
            sort.push(parts.next().and_then(|part| part.parse().ok()).ok_or_else(bad)?);
        }
        let id = parts.next().ok_or_else(bad)?.to_owned();
        Ok(Self { sort, id })
    }
}

/// Orders `query` newest first by the `sort` columns, then by `id`, from where `page` starts,
/// with one row more than the page holds.
pub(crate) fn newest_first<E, C>(
    query: Select<E>,
    sort: &[C],
    id: C,
    page: &PageRequest,
) -> Result<Select<E>, StateError>
where
    E: EntityTrait,
    C: ColumnTrait,
{
    let mut query = query;
    if let Some(after) = &page.after {
        let key = Key::decode(after, sort.len())?;
        query = query.filter(before(sort, id, &key));
    }
    for column in sort {
        query = query.order_by_desc(*column);
    }
    Ok(query.order_by_desc(id).limit(page.size() as u64 + 1))
}

/// `(sort…, id) < key`, written so that an index over the first column serves it.
fn before<C: ColumnTrait>(sort: &[C], id: C, key: &Key) -> Condition {
    let mut any = Condition::any();
    let mut equal = Condition::all();
    for (column, value) in sort.iter().zip(&key.sort) {
        any = any.add(equal.clone().add(column.lt(*value)));
        equal = equal.add(column.eq(*value));
    }
    any = any.add(equal.add(id.lt(key.id.clone())));
    match (sort.first(), key.sort.first()) {
        (Some(column), Some(value)) => Condition::all().add(column.lte(*value)).add(any),
        _ => any,
    }
}

/// Whether `column` holds `text`, letter by letter: `%` and `_` stand for themselves.
pub(crate) fn contains<C: ColumnTrait + IntoColumnRef>(column: C, text: &str) -> Expr {
    let mut pattern = String::from("%");
    for letter in text.to_lowercase().chars().take(200) {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    Expr::col(column).like(sea_orm::sea_query::LikeExpr::new(pattern).escape('\\'))
}
