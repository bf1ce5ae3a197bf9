//! What was learnt from closings?

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::response::Response;
use serde::Deserialize;
use vigie_event::Precedent;
use vigie_store::state::{PageRequest, Role};

use super::incidents::given;
use crate::auth::sign_in::see_other;
use crate::console::Console;
use crate::context::{Context, page};
use crate::failure::Failure;
use crate::i18n::Text;
use crate::shell::{Section, Shell};
use crate::shown::Shown;
use crate::words;

/// Rows on the page; the API has all.
const ROWS: u64 = 500;

#[derive(Template)]
#[template(path = "learning.html")]
struct LearningPage {
    t: Text,
    shell: Shell,
    rule: Option<Shown>,
    rows: Vec<PrecedentRow>,
    total: usize,
    /// Whether the person may make it forget.
    may_reset: bool,
}

/// How incidents with one rule and one entity were closed.
pub(crate) struct PrecedentRow {
    pub rule: Shown,
    /// The entity's field in words; of the rule as a whole, that it is.
    pub field: String,
    pub value: Shown,
    pub true_positive: String,
    pub benign: String,
    pub false_positive: String,
    pub undetermined: String,
}

impl PrecedentRow {
    /// The row of `precedent`.
    pub(crate) fn of(precedent: &Precedent, t: Text) -> Self {
        let (key, closings) = (&precedent.key, precedent.closings);
        let field = if key.field.is_empty() {
            t.s("learning-anywhere").into_owned()
        } else {
            words::entity(&key.field).map_or_else(String::new, |word| t.s(word).into_owned())
        };
        Self {
            rule: Shown::brief(&key.rule),
            field,
            value: Shown::brief(&key.value),
            true_positive: t.number(u64::from(closings.true_positive)),
            benign: t.number(u64::from(closings.benign_true_positive)),
            false_positive: t.number(u64::from(closings.false_positive)),
            undetermined: t.number(u64::from(closings.undetermined)),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    rule: String,
}

/// `GET /learning`
pub(crate) async fn show(
    State(console): State<Console>,
    context: Context,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failure> {
    let may_reset = context.reader()?.user.role == Role::Admin;
    let rule = given(&wanted.rule);
    let first = PageRequest::first(ROWS);
    let precedents = console.state.precedents(rule.as_deref(), &first).await?.items;
    let total = console.state.count_precedents(rule.as_deref()).await?;
    page(&LearningPage {
        t: context.t,
        shell: context.shell(Section::Learning),
        rule: rule.as_deref().map(Shown::brief),
        total: usize::try_from(total).unwrap_or(usize::MAX),
        rows: precedents.iter().map(|one| PrecedentRow::of(one, context.t)).collect(),
        may_reset,
    })
}

#[derive(Deserialize)]
pub(crate) struct Reset {
    form_token: String,
    /// The rule to forget; empty: all of them.
    #[serde(default)]
    rule: String,
}

/// `POST /learning/reset`
pub(crate) async fn reset(
    State(console): State<Console>,
    context: Context,
    Form(form): Form<Reset>,
) -> Result<Response, Failure> {
    let person = context.editor(&form.form_token)?;
    if person.user.role != Role::Admin {
        return Err(Failure::Forbidden);
    }
    let rule = given(&form.rule);
    let now = console.clock.now();
    console.state.forget_closings(rule.as_deref(), &person.user.name, now).await?;
    Ok(see_other("/learning?done=forgotten"))
}
