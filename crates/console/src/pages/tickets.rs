//! What waits for somebody?

use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use vigie_event::{IncidentId, Severity, Timestamp};
use vigie_store::state::{PageRequest, Ticket, TicketFilter, TicketStatus};

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
#[template(path = "tickets.html")]
struct TicketsPage {
    t: Text,
    shell: Shell,
    list: List,
    tickets: Vec<TicketRow>,
    pager: Pager,
}

struct TicketRow {
    id: String,
    severity: Severity,
    title: Shown,
    explanation: Shown,
    incident: Option<IncidentId>,
    status: String,
    tone: &'static str,
    open: bool,
    next_status: &'static str,
    created: Timestamp,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    all: String,
    after: String,
}

/// `GET /tickets`
pub(crate) async fn show(
    State(console): State<Console>,
    context: Context,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failure> {
    context.reader()?;
    let all = !wanted.all.is_empty();
    let status = (!all).then_some(TicketStatus::Open);
    let filter = TicketFilter { status, ..TicketFilter::default() };
    let after = given(&wanted.after);
    let request = PageRequest { limit: PAGE, after: after.clone() };
    let found = console.state.tickets(&filter, &request).await?;
    let kept = [("all", if all { "1" } else { "" })];
    page(&TicketsPage {
        t: context.t,
        shell: context.shell(Section::Tickets),
        list: List {
            title: "tickets-title",
            parts: [
                Part { name: "tickets-open", href: "/tickets", current: !all },
                Part { name: "tickets-all", href: "/tickets?all=1", current: all },
            ],
            columns: &["col-ticket", "col-severity", "col-subject", "col-status", "col-opened"],
            is_empty: found.items.is_empty(),
            empty_title: "no-ticket-title",
            empty_text: if all { "no-ticket-ever-text" } else { "no-ticket-text" },
        },
        tickets: found.items.iter().map(|ticket| view(ticket, context.t)).collect(),
        pager: Pager::new("/tickets", &kept, after.as_deref(), found.next.as_deref()),
    })
}

#[derive(Deserialize)]
pub(crate) struct ChangeStatus {
    form_token: String,
    /// `open` or `closed`.
    status: String,
}

/// `POST /tickets/{id}/status`
pub(crate) async fn change_status(
    State(console): State<Console>,
    context: Context,
    Path(id): Path<String>,
    Form(form): Form<ChangeStatus>,
) -> Result<Response, Failure> {
    let person = context.editor(&form.form_token)?;
    let status = match form.status.as_str() {
        "open" => TicketStatus::Open,
        "closed" => TicketStatus::Closed,
        _ => return Err(Failure::BadRequest),
    };
    let now = console.clock.now();
    console.state.set_ticket_status(&id, status, &person.user.name, now).await?;
    Ok(see_other("/tickets?done=ticket"))
}

fn view(ticket: &Ticket, t: Text) -> TicketRow {
    let open = ticket.status == TicketStatus::Open;
    TicketRow {
        id: ticket.id.clone(),
        severity: ticket.about.severity,
        title: Shown::brief(t.pick(&ticket.about.title)),
        explanation: Shown::cut(t.pick(&ticket.about.explanation), 400),
        incident: ticket.about.incident,
        status: t.s(words::ticket_status(ticket.status)).into_owned(),
        tone: if open { "open" } else { "closed" },
        open,
        next_status: if open { "closed" } else { "open" },
        created: ticket.about.created,
    }
}
