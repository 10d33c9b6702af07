//! Channels and their messages as rows.

use super::time::rfc3339;
use crate::visibility::Visibility;
use index::{ChannelRef, ChannelView, MessageView, ObservationView, TransmissionView};
use meshcore::{shown_name, shown_text};
use serde::Serialize;
use utoipa::ToSchema;

/// Observations of a message among which one by an observer that may be shown is looked for.
const OBSERVERS_TRIED: usize = 100;

/// A channel.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChannelRow {
    /// What `/api/channels/{hash}/messages` wants: the name, or `enc_` and the hash byte in hex.
    pub(crate) hash: String,
    pub(crate) name: String,
    /// The newest text without its sender; null when encrypted.
    pub(crate) last_message: Option<String>,
    /// Who sent it; null when encrypted or when the text names nobody.
    pub(crate) last_sender: Option<String>,
    /// Texts; with a region, copies of them heard there.
    pub(crate) message_count: u64,
    /// When the last was heard last, RFC 3339; with a region, there.
    pub(crate) last_activity: String,
    /// True when no key is known; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) encrypted: Option<bool>,
}

/// The newest text of a channel.
pub(crate) struct LastText {
    text: String,
    sender: Option<String>,
}

/// A message of a channel.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ChannelMessageRow {
    /// The name before the colon, which nobody vouches for; empty when the text names nobody.
    pub(crate) sender: String,
    /// The text without its sender; empty when encrypted.
    pub(crate) text: String,
    /// When it was last heard, RFC 3339.
    pub(crate) timestamp: String,
    /// When it was first heard, RFC 3339.
    pub(crate) first_seen: String,
    /// Seconds since 1970 by the sender's clock; 0 when encrypted.
    pub(crate) sender_timestamp: u32,
    /// Id of the first observation.
    #[serde(rename = "packetId")]
    pub(crate) packet_id: u64,
    /// The content hash.
    #[serde(rename = "packetHash")]
    pub(crate) packet_hash: String,
    /// How often it was heard.
    pub(crate) repeats: u64,
    /// The name of the first observer; nobody when it is hidden and so are all others.
    pub(crate) observers: Vec<String>,
    /// Hops of the first observation.
    pub(crate) hops: usize,
    /// Of the first observation, in decibels.
    pub(crate) snr: Option<f64>,
}

impl ChannelRow {
    /// Without the newest text, which stands in the packet `view.last`.
    pub(crate) fn of(view: &ChannelView<'_>) -> Self {
        let name = match view.channel {
            ChannelRef::Name(name) => name.clone(),
            ChannelRef::Encrypted(byte) | ChannelRef::HashByte(byte) => format!("Encrypted (0x{byte:02X})"),
        };
        Self {
            hash: view.channel.to_string(),
            name,
            last_message: None,
            last_sender: None,
            message_count: view.message_count,
            last_activity: rfc3339(view.last_activity),
            encrypted: view.encrypted.then_some(true),
        }
    }

    /// With the newest text.
    pub(crate) fn with_last(self, last: LastText) -> Self {
        Self { last_message: Some(last.text), last_sender: last.sender, ..self }
    }
}

impl LastText {
    /// `None` for an encrypted one.
    pub(crate) fn of(packet: &TransmissionView<'_>) -> Option<Self> {
        let message = packet.channel_message()?;
        let sender = message.sender().map(|sender| shown_name(&sender));
        Some(Self { text: shown_text(&message.body()), sender })
    }
}

impl ChannelMessageRow {
    pub(crate) fn of(view: &MessageView<'_>, visibility: &Visibility<'_>) -> Self {
        let packet = view.transmission;
        let is_shown = |heard: &ObservationView<'_>| visibility.shows_observer_key(&heard.observer().key);
        let shown = packet.observations().take(OBSERVERS_TRIED).find(is_shown);
        let first = shown.unwrap_or_else(|| packet.first());
        let observers = shown.map(|shown| {
            let observer = shown.observer();
            observer.name.as_deref().unwrap_or(&observer.key).to_owned()
        });
        let message = view.message.as_ref();
        Self {
            sender: message
                .and_then(|message| message.sender().map(|sender| shown_name(&sender)))
                .unwrap_or_default(),
            text: message.map(|message| shown_text(&message.body())).unwrap_or_default(),
            timestamp: rfc3339(packet.latest()),
            first_seen: rfc3339(packet.first_seen()),
            sender_timestamp: message.map_or(0, |message| message.timestamp),
            packet_id: first.id().0,
            packet_hash: packet.hash().to_string(),
            repeats: u64::from(packet.observation_count()),
            observers: observers.into_iter().collect(),
            hops: first.path().count(),
            snr: first.snr().map(model::SnrQuarterDb::db),
        }
    }
}
