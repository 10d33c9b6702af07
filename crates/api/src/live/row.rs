//! The rows of `/api/live`: an observation with its transmission, thinned to the fields that a client asked for.

use crate::json::to_text;
use crate::render::hex;
use crate::render::hops::resolved_path;
use crate::render::packet::{ObserverTexts, decoded, hops};
use crate::render::payload::DecodedPayload;
use crate::render::time::{rfc3339, rfc3339_millis};
use index::ObservationView;
use meshcore::KeyRing;
use serde::de::IntoDeserializer;
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;
use utoipa::ToSchema;

/// The fields of a [`LiveRow`], as `fields` of a subscription names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RowField {
    ObservationId,
    Id,
    Hash,
    Timestamp,
    FirstSeen,
    Latest,
    RouteType,
    PayloadType,
    PayloadTypeName,
    ObserverId,
    ObserverName,
    ObserverIata,
    Snr,
    Rssi,
    Score,
    Path,
    PathJson,
    ResolvedPath,
    ObservationCount,
    ObserverCount,
    ScopeName,
    Channel,
    Node,
    Payload,
    DecodedJson,
    RawHex,
    Size,
}

impl RowField {
    /// All of them, in the order in which they stand in a row.
    pub(crate) const ALL: [Self; 27] = [
        Self::ObservationId,
        Self::Id,
        Self::Hash,
        Self::Timestamp,
        Self::FirstSeen,
        Self::Latest,
        Self::RouteType,
        Self::PayloadType,
        Self::PayloadTypeName,
        Self::ObserverId,
        Self::ObserverName,
        Self::ObserverIata,
        Self::Snr,
        Self::Rssi,
        Self::Score,
        Self::Path,
        Self::PathJson,
        Self::ResolvedPath,
        Self::ObservationCount,
        Self::ObserverCount,
        Self::ScopeName,
        Self::Channel,
        Self::Node,
        Self::Payload,
        Self::DecodedJson,
        Self::RawHex,
        Self::Size,
    ];

    /// The field with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
        Self::deserialize(name).ok()
    }

    /// Its name.
    pub(crate) fn name(self) -> String {
        to_text(&self).trim_matches('"').to_owned()
    }
}

/// Which fields a row has: the shape by which rows are rendered once for all who want the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FieldSet(u32);

impl FieldSet {
    /// Each fact once: no frame beside its decoded form, no JSON within JSON.
    pub(crate) const COMPACT: Self = Self::of(&[
        RowField::ObservationId,
        RowField::Id,
        RowField::Hash,
        RowField::Timestamp,
        RowField::RouteType,
        RowField::PayloadType,
        RowField::ObserverId,
        RowField::ObserverName,
        RowField::ObserverIata,
        RowField::Snr,
        RowField::Rssi,
        RowField::Path,
        RowField::ObservationCount,
        RowField::ScopeName,
        RowField::Payload,
    ]);

    pub(crate) const fn of(fields: &[RowField]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < fields.len() {
            bits |= 1 << fields[at] as u32;
            at += 1;
        }
        Self(bits)
    }

    pub(crate) fn has(self, field: RowField) -> bool {
        self.0 & (1 << field as u32) != 0
    }

    /// The fields that are in it, in the order of a row.
    pub(crate) fn list(self) -> Vec<RowField> {
        RowField::ALL.into_iter().filter(|field| self.has(*field)).collect()
    }
}

/// An observation with its transmission. A row has the fields that its subscription names and no others; those that may
/// be null are null when there is nothing to say.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct LiveRow {
    /// The observation's id, which is its place in the sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    observation_id: Option<u64>,
    /// The transmission's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<u64>,
    /// The content hash: 16 hex digits, the same for all copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hash: Option<String>,
    /// When this observation was made, RFC 3339 with milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    timestamp: Option<String>,
    /// When the transmission was first heard, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    first_seen: Option<String>,
    /// When the transmission was last heard, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    latest: Option<String>,
    /// Of this copy: 0 TRANSPORT_FLOOD, 1 FLOOD, 2 DIRECT, 3 TRANSPORT_DIRECT.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    route_type: Option<u8>,
    /// 0 to 15.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    payload_type: Option<u8>,
    /// The same in words, such as `ADVERT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    payload_type_name: Option<&'static str>,
    /// The id under which the observer publishes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    observer_id: Option<Option<String>>,
    /// What the observer calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    observer_name: Option<Option<String>>,
    /// The observer's region.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    observer_iata: Option<Option<String>>,
    /// Signal-to-noise ratio in decibels.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    snr: Option<Option<f64>>,
    /// Received signal strength in dBm.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    rssi: Option<Option<f64>>,
    /// The firmware's retransmit score, 0 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u16>)]
    score: Option<Option<u16>>,
    /// The hops as hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    path: Option<Vec<String>>,
    /// The hops as a JSON array in a text, as rows of `/api/packets` have them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    path_json: Option<String>,
    /// By hop of the path: the key of the node that it is, null where that is not as good as sure; null when it is not for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Option<String>>>)]
    resolved_path: Option<Option<Vec<Option<String>>>>,
    /// How often the transmission has been heard by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    observation_count: Option<u64>,
    /// By how many observers it has been heard by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    observer_count: Option<u64>,
    /// The scope's name with `#`, empty when it is not known, null when the packet is not scoped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    scope_name: Option<Option<String>>,
    /// The channel whose key opens it; null for other packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    channel: Option<Option<String>>,
    /// The public key of the node that an advert is of; null for other packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    node: Option<Option<String>>,
    /// What the payload says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    payload: Option<DecodedPayload>,
    /// The same as JSON in a text, as rows of `/api/packets` have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    decoded_json: Option<String>,
    /// The frame that was heard, as hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    raw_hex: Option<String>,
    /// Bytes of the frame that was heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    size: Option<u64>,
}

/// An observation about to be rendered in several shapes: what is dear is made once.
pub(crate) struct RowSource<'a> {
    heard: ObservationView<'a>,
    keys: &'a KeyRing,
    payload: OnceCell<DecodedPayload>,
}

impl<'a> RowSource<'a> {
    pub(crate) fn new(heard: ObservationView<'a>, keys: &'a KeyRing) -> Self {
        Self { heard, keys, payload: OnceCell::new() }
    }

    pub(crate) fn heard(&self) -> &ObservationView<'a> {
        &self.heard
    }

    /// The row as JSON.
    pub(crate) fn text(&self, fields: FieldSet) -> String {
        to_text(&self.row(fields))
    }

    fn payload(&self) -> &DecodedPayload {
        self.payload.get_or_init(|| decoded(&self.heard.transmission(), self.keys))
    }

    fn row(&self, fields: FieldSet) -> LiveRow {
        use RowField as F;
        let heard = &self.heard;
        let packet = heard.transmission();
        let observer = ObserverTexts::of(heard.observer());
        let hops = if fields.has(F::Path) || fields.has(F::PathJson) {
            hops(&packet.frame(), heard.path())
        } else {
            Vec::new()
        };
        let frame =
            if fields.has(F::RawHex) || fields.has(F::Size) { heard.frame_bytes() } else { Vec::new() };
        LiveRow {
            observation_id: fields.has(F::ObservationId).then(|| heard.id().0),
            id: fields.has(F::Id).then(|| packet.id().0),
            hash: fields.has(F::Hash).then(|| packet.hash().to_string()),
            timestamp: fields.has(F::Timestamp).then(|| rfc3339_millis(heard.time())),
            first_seen: fields.has(F::FirstSeen).then(|| rfc3339(packet.first_seen())),
            latest: fields.has(F::Latest).then(|| rfc3339(packet.latest())),
            route_type: fields.has(F::RouteType).then(|| heard.route().code()),
            payload_type: fields.has(F::PayloadType).then(|| packet.payload_type().code()),
            payload_type_name: fields.has(F::PayloadTypeName).then(|| packet.payload_type().name()),
            observer_id: fields.has(F::ObserverId).then_some(observer.id),
            observer_name: fields.has(F::ObserverName).then_some(observer.name),
            observer_iata: fields.has(F::ObserverIata).then_some(observer.iata),
            snr: fields.has(F::Snr).then(|| heard.snr().map(model::SnrQuarterDb::db)),
            rssi: fields.has(F::Rssi).then(|| heard.rssi().map(f64::from)),
            score: fields.has(F::Score).then(|| heard.score()),
            path_json: fields.has(F::PathJson).then(|| to_text(&hops)),
            path: fields.has(F::Path).then_some(hops),
            resolved_path: fields.has(F::ResolvedPath).then(|| resolved_path(heard)),
            observation_count: fields.has(F::ObservationCount).then(|| u64::from(packet.observation_count())),
            observer_count: fields.has(F::ObserverCount).then(|| u64::from(packet.observer_count())),
            scope_name: fields.has(F::ScopeName).then(|| packet.scope().map(str::to_owned)),
            channel: fields.has(F::Channel).then(|| channel_name(&packet)),
            node: fields.has(F::Node).then(|| packet.node().map(|node| node.key.to_string())),
            payload: fields.has(F::Payload).then(|| self.payload().clone()),
            decoded_json: fields.has(F::DecodedJson).then(|| to_text(self.payload())),
            raw_hex: fields.has(F::RawHex).then(|| hex::upper(&frame)),
            size: fields.has(F::Size).then_some(frame.len() as u64),
        }
    }
}

fn channel_name(packet: &index::TransmissionView<'_>) -> Option<String> {
    match packet.channel()? {
        index::ChannelRef::Name(name) => Some(name.clone()),
        _ => None,
    }
}
