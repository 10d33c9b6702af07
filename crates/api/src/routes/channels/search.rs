//! Searching the texts of channels, and `GET /api/messages/search`.
//!
//! Texts are stored as they were sent, so each is decrypted to be searched. That takes microseconds, and a search is
//! therefore bounded by a number of texts and by time; it says how far it came and where to go on.

use crate::error::HttpError;
use crate::extract::{Moment, Params, Whole, csv, limit, parsed};
use crate::json::Json;
use crate::limits::Deadline;
use crate::render::channel::ChannelMessageRow;
use crate::state::ApiState;
use crate::visibility::{Visibility, regions};
use axum::extract::State;
use index::{Budget, Cursor, MessageView, OverBudget, PacketQuery, Reach, Sort, TransmissionView};
use meshcore::PayloadType;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::time::{Duration, Instant};
use utoipa::{IntoParams, ToSchema};

/// Texts searched for one answer.
const MAX_SEARCHED: usize = 5_000;

/// Time for one answer from memory, so that a slow machine searches fewer.
const MAX_TIME: Duration = Duration::from_millis(12);

/// Texts looked up at once: more would have to be read from storage when the page is full already.
const TEXTS_PER_PORTION: usize = 1_024;

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
    /// Texts looked at, the newest first; also those that only storage has.
    pub(crate) searched: usize,
    /// Whether there is nothing left to search: neither were there too many texts, nor is the page full.
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

/// Searches the texts of a query, the newest first, until its page is full. `offset` counts texts, found or not.
///
/// # Errors
/// As [`Reach::packets`].
pub(crate) fn search<T>(
    reach: &Reach<'_>,
    query: &PacketQuery,
    needle: &Needle,
    budget: &mut Budget,
    make: impl Fn(&MessageView<'_>) -> T,
) -> Result<Found<T>, OverBudget> {
    let is_all_in_memory = reach.hot.read().cold_segments().is_empty();
    let until = if is_all_in_memory { Instant::now() + MAX_TIME } else { reach.until };
    let look = |packet: &TransmissionView<'_>| {
        let message = MessageView::of(*packet);
        (packet.latest_cursor(), needle.is_in(&message).then(|| make(&message)))
    };
    let (mut rows, mut searched) = (Vec::new(), 0);
    let mut portion = PacketQuery { limit: TEXTS_PER_PORTION, ..query.clone() };
    let next = loop {
        let page = reach.packets(&portion, budget)?;
        let mut left = page.rows.len();
        let is_enough = |rows: &[T], searched| rows.len() >= query.limit || searched >= MAX_SEARCHED;
        for texts in page.rows.chunks(TEXTS_PER_GUARD) {
            let seen = reach.views(texts, look);
            // Some may have gone since they were listed.
            left -= texts.len() - seen.len();
            for (place, found) in seen {
                if is_enough(&rows, searched) {
                    break;
                }
                rows.extend(found);
                (left, searched, portion.cursor) = (left - 1, searched + 1, Some(place));
            }
            if is_enough(&rows, searched) || Instant::now() > until {
                break;
            }
        }
        if left > 0 {
            break portion.cursor;
        }
        if page.next.is_none() || is_enough(&rows, searched) || Instant::now() > until {
            break page.next;
        }
        (portion.cursor, portion.offset) = (page.next, 0);
    };
    rows.reverse();
    Ok(Found { rows, extent: MessageSearchExtent { searched, complete: next.is_none() }, next })
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
    deadline: Deadline,
    Params(params): Params<MessageSearchParams>,
) -> Result<Json<MessageSearchResponse>, HttpError> {
    let Some(needle) = params.q else { return Err(HttpError::missing_parameter("q", "q required")) };
    let config = state.config_arc();
    let rows = limit(params.limit, 50, config.list_limits.channel_messages_max);
    let cursor = super::older_than(params.cursor)?;
    let regions = regions(params.region);
    let mut budget = deadline.budget();
    let answer = state.reach(usize::MAX, move |reach| {
        let visibility = Visibility::new(&config);
        let query = PacketQuery {
            limit: rows,
            cursor: cursor.or(params.before.map(|Moment(time)| Cursor::before(time))),
            sort: Sort::Latest,
            payload_type: Some(PayloadType::GroupText),
            readable_texts: true,
            regions,
            ..PacketQuery::default()
        };
        search(reach, &query, &needle, &mut budget, |view| FoundMessageRow {
            channel: view.transmission.channel().map(ToString::to_string).unwrap_or_default(),
            message: ChannelMessageRow::of(view, &visibility),
        })
    });
    let found = answer.await??;
    Ok(Json(MessageSearchResponse {
        messages: found.rows,
        search: found.extent,
        next_cursor: found.next.map(|cursor| cursor.to_string()),
    }))
}
