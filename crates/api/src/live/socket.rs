//! One client of the live feed.

use super::hub::Seat;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use std::time::{Duration, Instant};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};

/// Clients have nothing to say.
pub(crate) const MAX_INBOUND_BYTES: usize = 512;

/// Keeps proxies from closing a quiet connection, and finds clients that are gone.
const PING_EVERY: Duration = Duration::from_secs(30);

/// A client that has not answered for so long is gone.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// A client that does not take a frame for so long is gone.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// Frames put into one write where several wait.
const FRAMES_PER_WRITE: usize = 64;

type Outbound = SplitSink<WebSocket, Message>;

type Frames = broadcast::Receiver<Utf8Bytes>;

/// Why a client is let go.
enum Ending {
    /// It left, or cannot be reached.
    Gone,
    /// The program stops.
    Stopping,
}

/// Serves a client until either side ends it.
pub(crate) async fn run(stream: WebSocket, seat: Seat, mut frames: Frames) {
    let (mut outbound, mut inbound) = stream.split();
    let mut closing = seat.closing.clone();
    let mut ping = tokio::time::interval_at((Instant::now() + PING_EVERY).into(), PING_EVERY);
    let mut last_heard = Instant::now();
    let ending = loop {
        tokio::select! {
            frame = frames.recv() => match frame {
                Ok(frame) => {
                    if write(&mut outbound, frame, &mut frames, &seat).await.is_err() {
                        seat.count_dropped(frames.len() as u64);
                        break Ending::Gone;
                    }
                }
                Err(RecvError::Lagged(missed)) => seat.count_dropped(missed),
                Err(RecvError::Closed) => break Ending::Stopping,
            },
            message = inbound.next() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => break Ending::Gone,
                Some(Ok(_)) => last_heard = Instant::now(),
            },
            _ = ping.tick() => {
                let silent = last_heard.elapsed() > IDLE_LIMIT;
                if silent || send(&mut outbound, Message::Ping(Default::default())).await.is_err() {
                    break Ending::Gone;
                }
            }
            () = told_to_leave(&mut closing) => break Ending::Stopping,
        }
    };
    if let Ending::Stopping = ending {
        let goodbye = CloseFrame { code: close_code::AWAY, reason: Utf8Bytes::from_static("server stops") };
        // The client may be gone already, and then nobody needs to be told.
        let _ = send(&mut outbound, Message::Close(Some(goodbye))).await;
    }
}

/// An error means that the hub is gone, which also means to leave.
async fn told_to_leave(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Writes a frame and those that wait behind it.
async fn write(
    outbound: &mut Outbound,
    first: Utf8Bytes,
    frames: &mut Frames,
    seat: &Seat,
) -> Result<(), ()> {
    let all = async {
        outbound.feed(Message::Text(first)).await?;
        for _ in 1..FRAMES_PER_WRITE {
            match frames.try_recv() {
                Ok(frame) => outbound.feed(Message::Text(frame)).await?,
                Err(TryRecvError::Lagged(missed)) => seat.count_dropped(missed),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        outbound.flush().await
    };
    match tokio::time::timeout(WRITE_LIMIT, all).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(()),
    }
}

async fn send(outbound: &mut Outbound, message: Message) -> Result<(), ()> {
    match tokio::time::timeout(WRITE_LIMIT, outbound.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(()),
    }
}
