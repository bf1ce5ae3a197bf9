//! The agents' interface of a running centre: what the three ports stand for.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use vigie_analyzer::quick;
use vigie_collector::{
    Analyse, BoxFuture, Collector, Respond, RespondError, Token, analyze_router, collect_router,
    respond_router,
};
use vigie_event::{Clock, Lang, SystemClock};
use vigie_responder::agents::{self, AgentTicket};
use vigie_store::journal::Journal;
use vigie_store::state::{PageRequest, State, TicketFilter, TicketStatus};

use super::respond::{Responding, stored};
use super::{agents_token, until};

/// Tickets that `/status` lists; it counts all.
const TICKETS: u64 = 1_000;

/// What the interface works with.
pub struct Parts<'p> {
    pub dir: &'p Path,
    pub journal: &'p Journal,
    pub state: &'p State,
    pub responding: Responding,
    pub lang: Lang,
}

/// Serves the interface on its three listeners (collect, analyze, respond); nothing where there
/// are none.
pub fn start(
    listeners: Vec<TcpListener>,
    inlets: &mut JoinSet<()>,
    stop: &watch::Receiver<bool>,
    parts: Parts<'_>,
) -> anyhow::Result<Option<[SocketAddr; 3]>> {
    let Ok([collect, analyze, respond]) = <[TcpListener; 3]>::try_from(listeners) else {
        return Ok(None);
    };
    let addresses = [collect.local_addr()?, analyze.local_addr()?, respond.local_addr()?];
    let (token, _) = agents_token(parts.dir)?;
    let token = Token::new(token);
    let collector =
        Collector::new(Arc::new(parts.journal.clone()), parts.state.clone(), Arc::new(SystemClock));
    let analyst = Arc::new(Analyst { lang: parts.lang });
    let responder = Arc::new(Responder { responding: parts.responding, lang: parts.lang });
    let routers = [
        (collect, collect_router(token.clone(), collector)),
        (analyze, analyze_router(token.clone(), analyst)),
        (respond, respond_router(token, responder)),
    ];
    for (listener, router) in routers {
        let stop = stop.clone();
        inlets.spawn(async move {
            if let Err(error) = vigie_collector::serve(listener, router, until(stop)).await {
                tracing::error!(%error, "a part of the agents' interface has ended");
            }
        });
    }
    Ok(Some(addresses))
}

struct Analyst {
    lang: Lang,
}

impl Analyse for Analyst {
    fn analyse(&self, event: Value) -> Value {
        quick::judge_event(&event, SystemClock.now(), self.lang)
    }
}

struct Responder {
    responding: Responding,
    lang: Lang,
}

impl Respond for Responder {
    fn respond(&self, result: Value) -> BoxFuture<'_, Result<Value, RespondError>> {
        Box::pin(self.answer(result))
    }

    fn status(&self) -> BoxFuture<'_, Result<Value, RespondError>> {
        Box::pin(self.tell())
    }
}

fn unavailable(error: impl std::fmt::Display) -> RespondError {
    RespondError::Unavailable(error.to_string())
}

impl Responder {
    async fn answer(&self, result: Value) -> Result<Value, RespondError> {
        let now = SystemClock.now();
        let protection = self.responding.protection(now).await.map_err(unavailable)?;
        let mut responder = self.responding.responder().await;
        let before = responder.bans().clone();
        // Numbers are the store's to give; the answer gets them once the tickets are kept.
        let answer =
            agents::respond_to(&result, &mut responder, &protection, now, self.lang, &mut |_| {
                String::new()
            });
        let mut answer = answer.map_err(|error| RespondError::Invalid(error.to_string()))?;
        let mut batch = stored(&answer.response, now);
        for ticket in &mut batch.tickets {
            ticket.event = result.get("original_event").cloned();
        }
        match self.responding.state.save_response(&batch).await {
            Ok(saved) => {
                self.responding.wake();
                if let (Some(ticket), Some(body)) =
                    (saved.tickets.first(), answer.body.as_object_mut())
                {
                    body.insert("ticket_id".to_owned(), ticket.id.clone().into());
                }
                Ok(answer.body)
            }
            Err(error) => {
                *responder.bans_mut() = before;
                Err(unavailable(error))
            }
        }
    }

    async fn tell(&self) -> Result<Value, RespondError> {
        let now = SystemClock.now();
        let page = PageRequest { limit: TICKETS, after: None };
        let state = &self.responding.state;
        let tickets = state.tickets(&TicketFilter::default(), &page).await.map_err(unavailable)?;
        // Newest first, and numbered without gaps: the newest number is the count.
        let total = tickets
            .items
            .first()
            .and_then(|ticket| ticket.id.strip_prefix("TKT-")?.parse().ok())
            .unwrap_or_default();
        let responder = self.responding.responder().await;
        let tickets: Vec<AgentTicket> = tickets
            .items
            .into_iter()
            .rev()
            .map(|ticket| AgentTicket {
                id: ticket.id,
                created: ticket.about.created,
                severity: ticket.about.severity,
                category: ticket.about.category,
                event: ticket.about.event.unwrap_or_default(),
                explanation: ticket.about.explanation.get(self.lang).to_owned(),
                open: ticket.status == TicketStatus::Open,
            })
            .collect();
        Ok(agents::status(&responder, &tickets, total, now))
    }
}
