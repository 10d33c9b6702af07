//! Searching the texts of channels, and `GET /api/messages/search`.
//!
//! Texts are stored as they were sent, so each is decrypted to be searched. That takes microseconds, and a search is
//! therefore bounded by a number of texts and by time; it says how far it came and where to go on.

use crate::error::HttpError;
use crate::extract::{Moment, Params, Whole, csv, limit, parsed};
use crate::json::Json;
use crate::render::channel::ChannelMessageRow;
use crate::state::ApiState;
use crate::visibility::{Visibility, regions};
use axum::extract::State;
use index::{Cursor, MessageQuery, MessageView, SharedIndex};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::time::{Duration, Instant};
use utoipa::{IntoParams, ToSchema};

/// Texts searched for one answer.
const MAX_SEARCHED: usize = 5_000;

/// Time for one answer, so that a slow machine searches fewer.
const MAX_TIME: Duration = Duration::from_millis(12);

/// Texts decrypted under one read guard, so that a search does not keep ingest waiting.
const TEXTS_PER_GUARD: usize = 64;

/// Characters that are searched for at most: more than a message can have.
const MAX_NEEDLE: usize = 200;

/// What is searched for, in small letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needle(String);

impl FromStr for Needle {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.chars().count() > MAX_NEEDLE {
            return Err("longer than any message");
        }
        Ok(Self(text.to_lowercase()))
    }
}

/// How far a search came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct MessageSearchExtent {
    /// Texts looked at, the newest first.
    pub(crate) searched: usize,
    /// Whether there is nothing left to search: neither were there too many texts, nor is the page full, nor are there older
    /// packets that only storage has.
    pub(crate) complete: bool,
}

/// What a search has found.
pub(crate) struct Found<T> {
    /// The newest comes last.
    pub(crate) rows: Vec<T>,
    pub(crate) extent: MessageSearchExtent,
    /// Where to go on.
    pub(crate) next: Option<Cursor>,
}

/// Searches the messages of a query, the newest first, until its page is full. `offset` counts messages, found or not.
pub(crate) fn search<T>(
    index: &SharedIndex,
    query: &MessageQuery<'_>,
    needle: &Needle,
    make: impl Fn(&MessageView<'_>) -> T,
) -> Found<T> {
    let started = Instant::now();
    let (places, is_all) = {
        let index = index.read();
        let places = index.message_places(&MessageQuery { limit: MAX_SEARCHED, ..query.clone() });
        (places, index.cold_segments().is_empty())
    };
    let (mut rows, mut searched) = (Vec::new(), 0);
    for portion in places.newest.chunks(TEXTS_PER_GUARD) {
        let index = index.read();
        for place in portion {
            searched += 1;
            // A message may have gone since its place was found.
            if let Some(message) = index.message_at(*place).filter(|message| needle.is_in(message)) {
                rows.push(make(&message));
            }
            if rows.len() >= query.limit {
                break;
            }
        }
        if rows.len() >= query.limit || started.elapsed() > MAX_TIME {
            break;
        }
    }
    rows.reverse();
    let is_last = searched == places.newest.len();
    let reached = searched.checked_sub(1).and_then(|last| places.newest.get(last)).copied();
    let next = if is_last { places.next } else { reached };
    Found { rows, extent: MessageSearchExtent { searched, complete: is_all && next.is_none() }, next }
}

impl Needle {
    fn is_in(&self, message: &MessageView<'_>) -> bool {
        message.message.as_ref().is_some_and(|message| {
            let sender = message.sender();
            message.body().to_lowercase().contains(&self.0)
                || sender.is_some_and(|sender| sender.to_lowercase().contains(&self.0))
        })
    }
}

/// What is searched for, and where.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageSearchParams {
    /// In the text or in the name of the sender, in either case.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = String, required = true)]
    q: Option<Needle>,
    /// Messages of the page: 50 when absent or 0, at most 500.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    limit: Option<Whole>,
    /// `nextCursor` of the answer before: goes on from there to older messages.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
    /// Last heard before this time, RFC 3339; counts only without a cursor.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    before: Option<Moment>,
    /// Heard in any of these regions: codes, separated by commas; `All` for no filter.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = Option<String>)]
    region: Vec<String>,
}

/// Messages of all channels that were found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageSearchResponse {
    /// The newest comes last.
    messages: Vec<FoundMessageRow>,
    /// How far was searched.
    search: MessageSearchExtent,
    /// What `cursor` wants to go on with older messages; null when everything was searched.
    next_cursor: Option<String>,
}

/// A message with its channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundMessageRow {
    /// The channel's name.
    channel: String,
    #[serde(flatten)]
    message: ChannelMessageRow,
}

/// Searches all channels whose keys are known.
#[utoipa::path(
    get, path = "/api/messages/search", tag = "channels", params(MessageSearchParams),
    responses((status = 200, body = MessageSearchResponse), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn search_messages(
    State(state): State<ApiState>,
    Params(params): Params<MessageSearchParams>,
) -> Result<Json<MessageSearchResponse>, HttpError> {
    let Some(needle) = params.q else { return Err(HttpError::missing_parameter("q", "q required")) };
    let config = state.config_arc();
    let rows = limit(params.limit, 50, config.list_limits.channel_messages_max);
    let cursor = super::older_than(params.cursor)?;
    let regions = regions(params.region);
    let answer = state.read_rows(usize::MAX, move |index| {
        let visibility = Visibility::new(&config);
        let query = MessageQuery {
            regions: regions.as_deref(),
            limit: rows,
            before: params.before.map(|Moment(time)| time),
            cursor,
            ..MessageQuery::default()
        };
        search(index, &query, &needle, |view| FoundMessageRow {
            channel: view.transmission.channel().map(ToString::to_string).unwrap_or_default(),
            message: ChannelMessageRow::of(view, &visibility),
        })
    });
    let found = answer.await?;
    Ok(Json(MessageSearchResponse {
        messages: found.rows,
        search: found.extent,
        next_cursor: found.next.map(|cursor| cursor.to_string()),
    }))
}
