//! Which request goes where?

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tokio::net::TcpListener;

use crate::auth::{sign_in, welcome};
use crate::console::Console;
use crate::failure::Failure;
use crate::pages::{account, bans, incident, incidents, learning, overview, tickets};
use crate::{api, assets, context, guard, live_stream, metrics};

/// Bytes of a request's body at most; no form of the console needs more.
const BODY_BYTES: usize = 64 * 1_024;
/// How long open connections may go on once the console is told to stop. Live views never end by
/// themselves.
const GRACE: Duration = Duration::from_secs(2);

/// The console as a service; it needs no socket.
pub fn router(console: Console) -> Router {
    let framed = Router::new()
        .route("/", get(overview::show))
        .route("/incidents", get(incidents::show))
        .route("/incidents/{id}", get(incident::show))
        .route("/incidents/{id}/status", post(incident::change_status))
        .route("/incidents/{id}/assign", post(incident::assign))
        .route("/incidents/{id}/notes", post(incident::add_note))
        .route("/bans", get(bans::show))
        .route("/bans/{id}/lift", post(bans::lift))
        .route("/tickets", get(tickets::show))
        .route("/tickets/{id}/status", post(tickets::change_status))
        .route("/learning", get(learning::show))
        .route("/learning/reset", post(learning::reset))
        .route("/account", get(account::show))
        .route("/account/language", post(account::change_language))
        .route("/account/password", post(account::change_password))
        .route("/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/welcome/{token}", get(welcome::show).post(welcome::submit))
        .route("/live", get(live_stream::stream))
        .route("/metrics", get(metrics::show))
        .route("/api/v1/model", get(api::model::show))
        .route("/api/v1/overview", get(api::overview::show))
        .route("/api/v1/incidents", get(api::incidents::list_all))
        .route("/api/v1/incidents/{id}", get(api::incidents::show))
        .route("/api/v1/alerts", get(api::lists::alerts))
        .route("/api/v1/bans", get(api::lists::bans))
        .route("/api/v1/tickets", get(api::lists::tickets))
        .route("/api/v1/learning", get(api::learning::show))
        .fallback(api::unknown)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn_with_state(console.clone(), context::frame));
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/assets/{hash}/{name}", get(assets::serve))
        .merge(framed)
        .layer(from_fn(guard::headers::add))
        .with_state(console)
}

/// Serves `router` on `listener` until `shutdown` resolves.
///
/// # Errors
/// The socket fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
        shutdown.await;
        // The receiver is gone only when serving has ended already.
        let _ = stop.send(());
    });
    tokio::select! {
        result = serving => result,
        () = async {
            // Without a signal (the sender was dropped) serving has ended by itself.
            if stopped.await.is_ok() {
                tokio::time::sleep(GRACE).await;
            } else {
                std::future::pending::<()>().await;
            }
        } => Ok(()),
    }
}

/// `GET /healthz`: the process answers.
async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the state answers too.
async fn readyz(
    State(console): State<Console>,
) -> Result<&'static str, (StatusCode, &'static str)> {
    match console.state.user_count().await.map_err(Failure::from) {
        Ok(_) => Ok("ready\n"),
        Err(failure) => {
            tracing::warn!(error = ?failure, "state does not answer");
            Err((StatusCode::SERVICE_UNAVAILABLE, "not ready\n"))
        }
    }
}
