//! `GET /api/backup`.

use crate::error::HttpError;
use crate::extract::Authorized;
use crate::services::{BackupError, BackupFile};
use crate::state::ApiState;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, try_unfold};
use model::UnixMillis;
use std::io::{self, Read};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::ToSchema;

/// The path, which the limit on the time of a request leaves alone.
pub(crate) const PATH: &str = "/api/backup";

/// Neither a compressed answer nor an error in JSON.
pub(crate) const TYPE: &str = "application/octet-stream";

/// Read and sent at a time: large enough that the trip to the thread that reads does not matter.
const CHUNK_BYTES: usize = 256 * 1024;

/// An SQLite database.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(crate) struct DatabaseFile(#[expect(dead_code, reason = "stands for the body in the document")] Vec<u8>);

/// The database as it is now, to be kept and restored. Needs the API key in `X-API-Key`.
///
/// The copy is made at a bounded pace and checked before the first byte is sent, which takes a while: about 20 seconds
/// for each 100 MB. One at a time.
#[utoipa::path(
    get, path = PATH, tag = "core",
    responses(
        (status = 200, body = DatabaseFile, content_type = "application/octet-stream"),
        (status = 401, body = crate::error::ErrorBody),
        (status = 403, body = crate::error::ErrorBody),
        (status = 409, body = crate::error::ErrorBody),
        (status = 500, body = crate::error::ErrorBody),
        (status = 507, body = crate::error::ErrorBody),
    )
)]
pub(crate) async fn backup(
    _authorized: Authorized,
    State(state): State<ApiState>,
) -> Result<Response, HttpError> {
    let turn = state.turn_to_back_up().ok_or_else(|| refusal(&BackupError::UnderWay))?;
    let file = state.services().backup().await.map_err(|error| refusal(&error))?;
    let name = format!("attachment; filename=\"analyzer-backup-{}.db\"", UnixMillis::now().secs());
    let headers = [
        (CONTENT_TYPE, TYPE.to_owned()),
        (CONTENT_DISPOSITION, name),
        (CONTENT_LENGTH, file.bytes.to_string()),
    ];
    Ok((headers, Body::from_stream(chunks(file, turn))).into_response())
}

fn refusal(error: &BackupError) -> HttpError {
    let status = match error {
        BackupError::UnderWay => StatusCode::CONFLICT,
        BackupError::NoRoom(_) => StatusCode::INSUFFICIENT_STORAGE,
        BackupError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let answer = HttpError::new(status, error.to_string());
    match error {
        BackupError::UnderWay => answer,
        BackupError::NoRoom(detail) | BackupError::Failed(detail) => answer.with_detail(detail.clone()),
    }
}

/// The file piece by piece; it and the turn are given back when the client has all of it, or has gone away.
fn chunks(
    file: BackupFile,
    turn: OwnedSemaphorePermit,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    try_unfold((file.content, turn), |(mut content, turn)| async move {
        // A disk may take its time, and the threads that serve everyone must not wait for it.
        let read = tokio::task::spawn_blocking(move || {
            let mut chunk = vec![0; CHUNK_BYTES];
            let length = content.read(&mut chunk)?;
            chunk.truncate(length);
            Ok::<_, io::Error>((chunk, content))
        });
        let (chunk, content) = read.await.map_err(io::Error::other)??;
        Ok((!chunk.is_empty()).then(|| (Bytes::from(chunk), (content, turn))))
    })
}
