//! Serving on a socket until it is time to stop.

use crate::error::ApiError;
use crate::live;
use crate::router::router;
use crate::state::ApiState;
use axum::serve::ListenerExt;
use std::future::Future;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long clients of the live feed may take to be told that the program stops.
const GOODBYE_LIMIT: Duration = Duration::from_secs(2);

/// Serves until `shutdown` resolves; then takes no more connections, closes live feeds with 1001 and finishes the requests
/// that are under way. The caller bounds how long that may take.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    state: ApiState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ApiError> {
    let feed = tokio::spawn(live::render(state.clone()));
    let lag = {
        let state = state.clone();
        tokio::spawn(async move { state.lag().run().await })
    };
    let hub = state.live_hub();
    let leaving = hub.clone();
    let shutdown = async move {
        shutdown.await;
        leaving.close();
    };
    // Frames of the live feed are small and wait for nothing.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection closed before it was set up");
        }
    });
    let served = axum::serve(listener, router(state)).with_graceful_shutdown(shutdown).await;
    hub.emptied(GOODBYE_LIMIT).await;
    feed.abort();
    lag.abort();
    served.map_err(ApiError::Listener)
}
