//! `/api/channels` and what is below it.

use crate::error::HttpError;
use crate::extract::{Params, Segment, Whole, csv, limit, parsed};
use crate::json::Json;
use crate::render::channel::{ChannelMessageRow, ChannelRow};
use crate::state::ApiState;
use crate::visibility::regions;
use axum::extract::State;
use index::{ChannelFilter, ChannelRef, MessageView, PacketQuery, Sort};
use meshcore::PayloadType;
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
    let filter = ChannelFilter {
        regions: regions.as_deref(),
        include_encrypted: params.include_encrypted == Some(true),
    };
    let channels = state.read(|index, _now| index.channels(&filter).iter().map(ChannelRow::of).collect());
    Ok(Json(ChannelsResponse { channels }))
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
    /// Heard in any of these regions: codes, separated by commas; `All` for no filter.
    #[serde(deserialize_with = "csv")]
    #[param(value_type = Option<String>)]
    region: Vec<String>,
}

/// A page of messages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessagesResponse {
    /// Of those heard last; the newest comes last.
    messages: Vec<ChannelMessageRow>,
    /// How many there are, on this page or not.
    total: u64,
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
    Segment(channel): Segment,
    Params(params): Params<MessagesParams>,
) -> Result<Json<MessagesResponse>, HttpError> {
    let rows = limit(params.limit, 100, state.config().list_limits.channel_messages_max);
    let offset = params.offset.map_or(0, |Whole(rows)| rows);
    let regions = regions(params.region);
    let channel = parse_channel(&channel);
    let query = PacketQuery {
        limit: rows,
        offset,
        sort: Sort::Latest,
        payload_type: Some(PayloadType::GroupText),
        channel: Some(channel),
        regions,
        ..PacketQuery::default()
    };
    let answer = state.reach(rows, move |reach| {
        let page = reach.packets(&query);
        let mut messages = reach.views(&page.rows, |packet| ChannelMessageRow::of(&MessageView::of(*packet)));
        messages.reverse();
        let total_is_lower_bound = page.total_is_lower_bound.then_some(true);
        MessagesResponse { messages, total: page.total, total_is_lower_bound }
    });
    Ok(Json(answer.await?))
}

/// `enc_HH` for the texts with a hash byte that no key opens; anything else is a name.
pub(crate) fn parse_channel(text: &str) -> ChannelRef {
    let hash_byte = text.strip_prefix("enc_").filter(|hex| hex.len() == 2);
    match hash_byte.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
        Some(byte) => ChannelRef::Encrypted(byte),
        None => ChannelRef::Name(text.to_owned()),
    }
}
