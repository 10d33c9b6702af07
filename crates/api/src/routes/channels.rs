//! `/api/channels` and what is below it.

pub(crate) mod search;

use crate::error::HttpError;
use crate::extract::{Moment, Params, Segment, Whole, csv, limit, parsed};
use crate::json::Json;
use crate::limits::Deadline;
use crate::render::channel::{ChannelMessageRow, ChannelRow, LastText};
use crate::state::ApiState;
use crate::visibility::{Visibility, regions};
use axum::extract::State;
use index::{Budget, ChannelFilter, ChannelRef, Cursor, MessageView, OverBudget, PacketQuery, Reach, Sort};
use meshcore::PayloadType;
use model::TransmissionId;
use search::{MessageSearchExtent, Needle};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which channels.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct ChannelsParams {
    /// With a text heard in any of these regions: codes, separated by commas; `All` for no filter.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = Option<String>)]
    region: Vec<String>,
    /// `true` for those too whose key is not known.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<bool>)]
    include_encrypted: Option<bool>,
}

/// The channels.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelsResponse {
    /// The one heard last first.
    channels: Vec<ChannelRow>,
}

/// The channels with texts.
#[utoipa::path(
    get, path = "/api/channels", tag = "channels", params(ChannelsParams),
    responses((status = 200, body = ChannelsResponse), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn list_channels(
    State(state): State<ApiState>,
    Params(params): Params<ChannelsParams>,
) -> Result<Json<ChannelsResponse>, HttpError> {
    let regions = regions(params.region);
    let include_encrypted = params.include_encrypted == Some(true);
    let channels = state.reach(1, move |reach| {
        let filter = ChannelFilter { regions: regions.as_deref(), include_encrypted };
        list(reach, &filter)
    });
    Ok(Json(ChannelsResponse { channels: channels.await? }))
}

/// The channels with their newest texts, some of which may have to be read from storage.
fn list(reach: &Reach<'_>, filter: &ChannelFilter<'_>) -> Vec<ChannelRow> {
    let views: Vec<(ChannelRow, ChannelRef, TransmissionId)> = {
        let index = reach.hot.read();
        let channels = index.channels(filter).into_iter();
        channels.map(|view| (ChannelRow::of(&view), view.channel.clone(), view.last)).collect()
    };
    let with_last = |(row, channel, last): (ChannelRow, ChannelRef, TransmissionId)| {
        if row.encrypted.is_some() {
            return row;
        }
        // If it is no longer stored, others of the channel are, which were heard before it.
        let text = reach.by_id(last, LastText::of).unwrap_or_else(|| newest_text(reach, channel, filter));
        match text {
            Some(text) => row.with_last(text),
            None => row,
        }
    };
    views.into_iter().map(with_last).collect()
}

fn newest_text(reach: &Reach<'_>, channel: ChannelRef, filter: &ChannelFilter<'_>) -> Option<LastText> {
    let regions = filter.regions.map(<[String]>::to_vec);
    let newest = PacketQuery { limit: 1, channel: Some(channel), regions, ..PacketQuery::default() };
    // Nothing is tried on each packet, so that the budget suffices.
    let page = reach.packets(&newest, &mut Budget::default()).ok()?;
    reach.views(&page.rows, LastText::of).pop()?
}

/// Which messages.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessagesParams {
    /// Messages of the page: 100 when absent or 0, at most 500.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    limit: Option<Whole>,
    /// Newest messages to leave out.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<u64>)]
    offset: Option<Whole>,
    /// `nextCursor` of the page before: goes on from there to older messages, whatever has come in since.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
    /// Last heard before this time, RFC 3339; counts only without a cursor.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    before: Option<Moment>,
    /// Only messages with this in their text or in the name of their sender, in either case.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Option<String>)]
    q: Option<Needle>,
    /// Heard in any of these regions: codes, separated by commas; `All` for no filter.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = Option<String>)]
    region: Vec<String>,
}

/// A page of messages.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessagesResponse {
    /// Of those heard last; the newest comes last.
    messages: Vec<ChannelMessageRow>,
    /// How many there are, on this page or not; with `q`, how many were found on this page.
    total: u64,
    /// What `cursor` wants for the page with older messages; null when this one has the oldest.
    next_cursor: Option<String>,
    /// How far was searched; absent without `q`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    search: Option<MessageSearchExtent>,
    /// True when old packets were not all looked at, so that there may be more than `total`; absent otherwise.
    #[serde(rename = "totalIsLowerBound", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    total_is_lower_bound: Option<bool>,
}

/// The messages of a channel.
#[utoipa::path(
    get, path = "/api/channels/{hash}/messages", tag = "channels",
    params(
        ("hash" = String, Path, description = "The channel's name (`%23test`), or `enc_` and the hash byte in hex"),
        MessagesParams
    ),
    responses((status = 200, body = MessagesResponse), (status = 400, body = crate::error::ErrorBody))
)]
pub(crate) async fn channel_messages(
    State(state): State<ApiState>,
    deadline: Deadline,
    Segment(channel): Segment,
    Params(params): Params<MessagesParams>,
) -> Result<Json<MessagesResponse>, HttpError> {
    let config = state.config_arc();
    let rows = limit(params.limit, 100, config.list_limits.channel_messages_max);
    let regions = regions(params.region);
    let cursor = older_than(params.cursor)?;
    let channel = parse_channel(&channel);
    let mut budget = deadline.budget();
    let before = params.before.map(|Moment(time)| time);
    let offset = params.offset.map_or(0, |Whole(rows)| rows);
    // Each text that is searched is decrypted, so that a search is never of a few rows.
    let work = if params.q.is_some() { usize::MAX } else { rows };
    let answer = state.reach(work, move |reach: &Reach<'_>| {
        let visibility = Visibility::new(&config);
        let make = |view: &MessageView<'_>| ChannelMessageRow::of(view, &visibility);
        let query = PacketQuery {
            limit: rows,
            offset,
            cursor: cursor.or(before.map(Cursor::before)),
            sort: Sort::Latest,
            payload_type: Some(PayloadType::GroupText),
            channel: Some(channel),
            regions,
            ..PacketQuery::default()
        };
        if let Some(needle) = params.q {
            return search::search(reach, &query, &needle, &mut budget, make).map(MessagesResponse::found);
        }
        let page = reach.packets(&query, &mut budget)?;
        let mut messages = reach.views(&page.rows, |packet| make(&MessageView::of(*packet)));
        messages.reverse();
        Ok::<_, OverBudget>(MessagesResponse {
            messages,
            total: page.total,
            next_cursor: page.next.map(|cursor| cursor.to_string()),
            search: None,
            total_is_lower_bound: page.total_is_lower_bound.then_some(true),
        })
    });
    Ok(Json(answer.await??))
}

/// Checks that a cursor is of a list of messages.
fn older_than(cursor: Option<Cursor>) -> Result<Option<Cursor>, HttpError> {
    match cursor {
        Some(cursor) if cursor.sort() != Sort::Latest => {
            Err(HttpError::bad_parameter("cursor", "belongs to a list of another order"))
        }
        cursor => Ok(cursor),
    }
}

impl MessagesResponse {
    fn found(found: search::Found<ChannelMessageRow>) -> Self {
        Self {
            total: found.rows.len() as u64,
            messages: found.rows,
            next_cursor: found.next.map(|cursor| cursor.to_string()),
            search: Some(found.extent),
            total_is_lower_bound: None,
        }
    }
}

/// `enc_HH` for the texts with a hash byte that no key opens; anything else is a name.
pub(crate) fn parse_channel(text: &str) -> ChannelRef {
    let hash_byte = text.strip_prefix("enc_").filter(|hex| hex.len() == 2);
    match hash_byte.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
        Some(byte) => ChannelRef::Encrypted(byte),
        None => ChannelRef::Name(text.to_owned()),
    }
}
