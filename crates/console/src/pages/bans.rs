//! Who is kept out, and until when?

use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use vigie_event::{IncidentId, Timestamp};
use vigie_store::state::{Ban, BanFilter, BanStatus, PageRequest};

use super::incidents::given;
use super::{List, Pager, Part};
use crate::auth::sign_in::see_other;
use crate::console::Console;
use crate::context::{Context, page};
use crate::failure::Failure;
use crate::i18n::Text;
use crate::shell::{Section, Shell};
use crate::shown::Shown;
use crate::words;

const PAGE: u64 = 50;

#[derive(Template)]
#[template(path = "bans.html")]
struct BansPage {
    t: Text,
    shell: Shell,
    list: List,
    bans: Vec<BanView>,
    pager: Pager,
}

struct BanView {
    id: String,
    target: Shown,
    reason: Shown,
    incident: Option<IncidentId>,
    status: String,
    tone: &'static str,
    mode: String,
    created: Timestamp,
    expires: Option<Timestamp>,
    can_lift: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    history: String,
    after: String,
}

/// `GET /bans`
pub(crate) async fn show(
    State(console): State<Console>,
    context: Context,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failure> {
    context.reader()?;
    let history = !wanted.history.is_empty();
    let filter = if history { BanFilter::default() } else { BanFilter::active() };
    let after = given(&wanted.after);
    let request = PageRequest { limit: PAGE, after: after.clone() };
    let found = console.state.bans(&filter, &request).await?;
    let kept = [("history", if history { "1" } else { "" })];
    page(&BansPage {
        t: context.t,
        shell: context.shell(Section::Bans),
        list: List {
            title: "bans-title",
            parts: [
                Part { name: "bans-active", href: "/bans", current: !history },
                Part { name: "bans-history", href: "/bans?history=1", current: history },
            ],
            columns: &["col-address", "col-reason", "col-status", "col-since", "col-until"],
            is_empty: found.items.is_empty(),
            empty_title: "no-ban-title",
            empty_text: if history { "no-ban-ever-text" } else { "no-ban-text" },
        },
        bans: found.items.iter().map(|ban| view(ban, context.t)).collect(),
        pager: Pager::new("/bans", &kept, after.as_deref(), found.next.as_deref()),
    })
}

#[derive(Deserialize)]
pub(crate) struct Lift {
    form_token: String,
}

/// `POST /bans/{id}/lift`
pub(crate) async fn lift(
    State(console): State<Console>,
    context: Context,
    Path(id): Path<String>,
    Form(form): Form<Lift>,
) -> Result<Response, Failure> {
    let person = context.editor(&form.form_token)?;
    console.state.lift_ban(&id, &person.user.name, console.clock.now()).await?;
    Ok(see_other("/bans?done=lifted"))
}

fn view(ban: &Ban, t: Text) -> BanView {
    // A whole address reads better without its prefix length.
    let whole = ban.target.prefix_len() == ban.target.max_prefix_len();
    let target = if whole { ban.target.addr().to_string() } else { ban.target.to_string() };
    BanView {
        id: ban.id.clone(),
        target: Shown::brief(&target),
        reason: Shown::cut(t.pick(&ban.reason), 300),
        incident: ban.incident,
        status: t.s(words::ban_status(ban.status)).into_owned(),
        tone: if ban.status == BanStatus::Active { "active" } else { "over" },
        mode: ban.mode.label(t.lang()).to_owned(),
        created: ban.created,
        expires: ban.ended.or(ban.expires),
        can_lift: ban.status == BanStatus::Active,
    }
}
