//! Serving on a socket until it is time to stop.

use crate::error::ApiError;
use crate::limits::Peer;
use crate::live;
use crate::router::router;
use crate::state::ApiState;
use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// How long clients of the live feed may take to be told that the program stops.
const GOODBYE_LIMIT: Duration = Duration::from_secs(2);

/// A client that sends its request head byte by byte, or nothing at all, is let go after this (contract §0.2).
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// A request's first line and headers; hyper answers longer ones, and more than a hundred headers, with 431.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Connections at a time; further ones wait in the system's queue. Each costs some kilobytes and a file descriptor.
const MAX_CONNECTIONS: u32 = 4_096;

/// Wait after a failure to accept that is not the client's, such as no free file descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How long requests under way may take to finish once the program stops. All of ours take milliseconds; a client that has
/// sent half a request would keep us waiting for the other half.
const DRAIN_LIMIT: Duration = Duration::from_secs(3);

/// Serves until `shutdown` resolves; then takes no more connections, closes live feeds with 1001 and finishes the requests
/// that are under way, within five seconds in all.
///
/// # Errors
/// When the listener does not work.
pub async fn serve(
    listener: TcpListener,
    state: ApiState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ApiError> {
    listener.local_addr().map_err(ApiError::Listener)?;
    let feed = tokio::spawn(live::render(state.clone()));
    let lag = {
        let state = state.clone();
        tokio::spawn(async move { state.lag().run().await })
    };
    let hub = state.live_hub();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS as usize));
    let (stop, stopping) = watch::channel(false);
    tokio::select! {
        never = accept(&listener, router(state), &places, stopping) => match never {},
        () = shutdown => {}
    }
    drop(listener);
    hub.close();
    stop.send_replace(true);
    // All places are free when all connections have ended; the semaphore is never closed.
    let _ = tokio::time::timeout(DRAIN_LIMIT, places.acquire_many(MAX_CONNECTIONS)).await;
    hub.emptied(GOODBYE_LIMIT).await;
    feed.abort();
    lag.abort();
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    router: Router,
    places: &Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
) -> Infallible {
    loop {
        let place = Arc::clone(places).acquire_owned().await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                let connection = connection(stream, Peer(peer.ip()), router.clone(), stopping.clone());
                tokio::spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept http connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one connection until it ends or becomes one of the live feed; told to stop, it finishes its request.
async fn connection(stream: TcpStream, peer: Peer, router: Router, mut stopping: watch::Receiver<bool>) {
    // Frames of the live feed are small and wait for nothing.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection closed before it was set up");
    }
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT).max_buf_size(MAX_HEAD_BYTES);
    let service = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        // What the limits count by.
        request.extensions_mut().insert(peer);
        service.call(request)
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let told = async {
        // An error means that the server is gone, which also means to stop.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an http connection ended with an error");
    }
}

/// The client gave up while it waited; nothing is wrong here.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}
