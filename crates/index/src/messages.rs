//! The channels and their messages, as they are listed.

use meshcore::ChannelMessage;
use model::{TransmissionId, UnixMillis};
use roaring::{MultiOps, RoaringBitmap};

use crate::channels::{Channel, ChannelRef};
use crate::index::Index;
use crate::view::TransmissionView;

/// Which channels to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChannelFilter<'a> {
    /// Only messages heard by an observer of any of these regions (in either case), and channels that have some.
    pub regions: Option<&'a [String]>,
    /// Also those that no key opens.
    pub include_encrypted: bool,
}

/// A channel with its messages counted.
#[derive(Clone, Debug)]
pub struct ChannelView<'a> {
    /// [`ChannelRef::Name`], or [`ChannelRef::Encrypted`] when no key opens it.
    pub channel: &'a ChannelRef,
    /// The first byte of its packets. Two keys of the same name have two; this is that of the packet heard first.
    pub hash_byte: u8,
    /// Whether no key opens it.
    pub encrypted: bool,
    /// Texts, however many copies of each were heard; with regions, the copies heard there. At least one.
    pub message_count: u64,
    /// When the last was heard last; with regions, there.
    pub last_activity: UnixMillis,
    /// The one heard last; with regions, there. It may be in storage.
    pub last: TransmissionId,
}

/// A text to a channel.
#[derive(Clone, Debug)]
pub struct MessageView<'a> {
    /// The packet that carried it: its times, observations and hash.
    pub transmission: TransmissionView<'a>,
    /// The text with its sender and time, decrypted; `None` when no key opens it.
    pub message: Option<ChannelMessage<'a>>,
}

impl<'a> MessageView<'a> {
    /// The text that a packet carries.
    pub fn of(transmission: TransmissionView<'a>) -> Self {
        Self { transmission, message: transmission.channel_message() }
    }

    /// The time of its latest observation.
    pub fn time(&self) -> UnixMillis {
        self.transmission.latest()
    }
}

impl Index {
    /// The channels with texts, the one heard last first. GRP_DATA does not count.
    pub fn channels(&self, filter: &ChannelFilter<'_>) -> Vec<ChannelView<'_>> {
        let observers: Option<Vec<u16>> = filter
            .regions
            .map(|regions| self.observers.of_regions(regions).map(|observer| observer.record.id.0).collect());
        let channels =
            self.channels.iter().filter(|channel| filter.include_encrypted || !channel.is_encrypted());
        let mut views: Vec<_> =
            channels.filter_map(|channel| self.channel_view(channel, observers.as_deref())).collect();
        views.sort_by(|a, b| b.last_activity.cmp(&a.last_activity).then_with(|| a.channel.cmp(b.channel)));
        views
    }

    /// The texts to all channels that a key opens.
    pub(crate) fn readable_texts(&self) -> RoaringBitmap {
        let named = self.channels.iter().filter(|channel| !channel.is_encrypted());
        named.map(|channel| &channel.texts).union()
    }

    fn channel_view<'a>(&self, channel: &'a Channel, observers: Option<&[u16]>) -> Option<ChannelView<'a>> {
        let (message_count, last) = match observers {
            None => (channel.text_count(), channel.last_text),
            Some(observers) => {
                let heard = observers.iter().filter_map(|observer| channel.heard.get(observer));
                let count = heard.clone().map(|heard| u64::from(heard.observations)).sum();
                (count, heard.map(|heard| heard.last).max())
            }
        };
        let (last_activity, last) = last.filter(|_| message_count > 0)?;
        Some(ChannelView {
            channel: &channel.identity,
            hash_byte: channel.hash_byte,
            encrypted: channel.is_encrypted(),
            message_count,
            last_activity,
            last,
        })
    }
}
