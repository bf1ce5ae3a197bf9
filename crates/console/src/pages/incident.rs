//! One incident: looking at it and working on it.

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use serde::Deserialize;
use vigie_event::{IncidentId, IncidentStatus};

use super::incident_view::IncidentView;
use super::learning::PrecedentRow;
use crate::auth::sign_in::see_other;
use crate::console::Console;
use crate::context::{Context, page};
use crate::failure::Failure;
use crate::i18n::Text;
use crate::shell::{Section, Shell};
use crate::words;

/// Characters of a note.
const NOTE_LENGTH: usize = 4_000;
/// Rows of earlier closings.
const PRECEDENTS: usize = 20;

#[derive(Template)]
#[template(path = "incident.html")]
struct IncidentPage {
    t: Text,
    shell: Shell,
    incident: IncidentView,
    /// How incidents with the same rules and entities were closed.
    rows: Vec<PrecedentRow>,
}

/// `GET /incidents/{id}`
pub(crate) async fn show(
    State(console): State<Console>,
    context: Context,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let reader = context.reader()?.user.name.clone();
    let detail = console.state.incident(named(&id)?).await?.ok_or(Failure::NotFound)?;
    let past = console.state.past(&detail.incident, &detail.alerts).await?;
    let rows = past.precedents.iter().take(PRECEDENTS);
    page(&IncidentPage {
        rows: rows.map(|one| PrecedentRow::of(one, context.t)).collect(),
        t: context.t,
        shell: context.shell(Section::Incidents),
        incident: IncidentView::of(&detail, context.t, &reader),
    })
}

#[derive(Deserialize)]
pub(crate) struct ChangeStatus {
    form_token: String,
    status: String,
    #[serde(default)]
    close_reason: String,
}

/// `POST /incidents/{id}/status`
pub(crate) async fn change_status(
    State(console): State<Console>,
    context: Context,
    Path(id): Path<String>,
    Form(form): Form<ChangeStatus>,
) -> Result<Response, Failure> {
    let person = context.editor(&form.form_token)?;
    let id = named(&id)?;
    let status = words::incident_status_named(&form.status).ok_or(Failure::BadRequest)?;
    let reason = match status {
        IncidentStatus::Closed => {
            Some(words::close_reason_named(&form.close_reason).ok_or(Failure::BadRequest)?)
        }
        IncidentStatus::Open | IncidentStatus::InProgress => None,
    };
    let now = console.clock.now();
    console.state.set_incident_status(id, status, reason, &person.user.name, now).await?;
    Ok(see_other(&format!("/incidents/{id}?done=status")))
}

#[derive(Deserialize)]
pub(crate) struct Assign {
    form_token: String,
    /// `me`, or empty for nobody.
    #[serde(default)]
    owner: String,
}

/// `POST /incidents/{id}/assign`
pub(crate) async fn assign(
    State(console): State<Console>,
    context: Context,
    Path(id): Path<String>,
    Form(form): Form<Assign>,
) -> Result<Response, Failure> {
    let person = context.editor(&form.form_token)?;
    let id = named(&id)?;
    let name = person.user.name.as_str();
    let owner = match form.owner.as_str() {
        "me" => Some(name),
        "" => None,
        _ => return Err(Failure::BadRequest),
    };
    let now = console.clock.now();
    let incident = console.state.assign(id, owner, name, now).await?;
    // Who takes an incident on works on it.
    if owner.is_some() && incident.status == IncidentStatus::Open {
        console.state.set_incident_status(id, IncidentStatus::InProgress, None, name, now).await?;
    }
    Ok(see_other(&format!("/incidents/{id}?done=owner")))
}

#[derive(Deserialize)]
pub(crate) struct AddNote {
    form_token: String,
    text: String,
}

/// `POST /incidents/{id}/notes`
pub(crate) async fn add_note(
    State(console): State<Console>,
    context: Context,
    Path(id): Path<String>,
    Form(form): Form<AddNote>,
) -> Result<Response, Failure> {
    let person = context.editor(&form.form_token)?;
    let id = named(&id)?;
    if form.text.chars().count() > NOTE_LENGTH {
        return Err(Failure::BadRequest);
    }
    let now = console.clock.now();
    console.state.add_note(id, &form.text, &person.user.name, now).await?;
    Ok(see_other(&format!("/incidents/{id}?done=note#notes")))
}

/// The incident that an address names.
pub(crate) fn named(id: &str) -> Result<IncidentId, Failure> {
    id.parse().map_err(|_| Failure::NotFound)
}
