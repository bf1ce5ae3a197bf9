//! A router behind a listener, within limits that no client can stretch.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::idle::Idle;

/// Between two tries when no connection can be taken, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a listener allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeLimits {
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
    /// For the head of a request, from its connection's beginning or the last answer's end.
    pub head: Duration,
    /// For a connection on which no byte moves.
    pub idle: Duration,
    /// For requests under way when shutdown begins.
    pub grace: Duration,
}

impl Default for ServeLimits {
    /// 256 connections; 15 s for a head, 60 s idle, 10 s of grace.
    fn default() -> Self {
        Self {
            connections: 256,
            head: Duration::from_secs(15),
            idle: Duration::from_mins(1),
            grace: Duration::from_secs(10),
        }
    }
}

/// Serves `router` on `listener` until `shutdown` resolves, with the usual limits. Requests under
/// way are finished first. Handlers can take the peer as `ConnectInfo<SocketAddr>`.
///
/// # Errors
/// The listener itself cannot be used.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    serve_with(listener, router, ServeLimits::default(), shutdown).await
}

/// [`serve`] within `limits`.
///
/// # Errors
/// The listener itself cannot be used.
pub async fn serve_with(
    listener: TcpListener,
    router: Router,
    limits: ServeLimits,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    listener.local_addr()?;
    let room = Arc::new(Semaphore::new(limits.connections));
    let (stop, stopping) = watch::channel(false);
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            (stream, place) = next(&listener, &room) => {
                tokio::spawn(connection(stream, router.clone(), limits, stopping.clone(), place));
            }
        }
    }
    drop(listener);
    stop.send_replace(true);
    drop(stopping);
    // Each connection holds a receiver for as long as it lives.
    if timeout(limits.grace, stop.closed()).await.is_err() {
        tracing::warn!("some requests were not finished in time for shutdown");
    }
    Ok(())
}

/// The next connection, with its place among those that are allowed.
async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there is always a place in the end.
    let place = Arc::clone(room).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken; trying again");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(
    stream: TcpStream,
    router: Router,
    limits: ServeLimits,
    mut stopping: watch::Receiver<bool>,
    _place: Option<OwnedSemaphorePermit>,
) {
    // Answers are small: without this each waits for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let router = match stream.peer_addr() {
        Ok(peer) => router.layer(axum::Extension(ConnectInfo(peer))),
        Err(_) => return,
    };
    let stream = TokioIo::new(Idle::new(stream, limits.idle));
    let service = TowerToHyperService::new(router);
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(64 << 10)
        .serve_connection(stream, service);
    let mut served = pin!(served);
    tokio::select! {
        // A client that goes away or breaks the protocol is its own affair.
        result = &mut served => {
            if let Err(error) = result {
                tracing::debug!(%error, "a connection ended");
            }
        }
        _ = stopping.changed() => {
            served.as_mut().graceful_shutdown();
            let _ = timeout(limits.grace, served).await;
        }
    }
}
