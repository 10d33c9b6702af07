//! The channels and their messages, as they are listed.

use meshcore::ChannelMessage;
use model::UnixMillis;
use roaring::RoaringBitmap;

use crate::channels::{Channel, ChannelRef};
use crate::index::Index;
use crate::latest::Window;
use crate::query::Order;
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
    /// Texts, however many copies of each were heard: at least one.
    pub message_count: u64,
    /// The one heard last.
    pub last: MessageView<'a>,
}

/// A text to a channel.
#[derive(Clone, Debug)]
pub struct MessageView<'a> {
    /// The packet that carried it: its times, observations and hash.
    pub transmission: TransmissionView<'a>,
    /// The text with its sender and time, decrypted; `None` when no key opens it.
    pub message: Option<ChannelMessage<'a>>,
}

/// One page of messages.
#[derive(Clone, Debug, Default)]
pub struct MessagePage<'a> {
    /// The ones heard last, of which the last comes last.
    pub messages: Vec<MessageView<'a>>,
    /// How many messages there are, on this page or not.
    pub total: u64,
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
        let heard = filter.regions.map(|regions| self.heard_in(regions));
        let channels =
            self.channels.iter().filter(|channel| filter.include_encrypted || !channel.is_encrypted());
        let mut views: Vec<_> =
            channels.filter_map(|channel| self.channel_view(channel, heard.as_deref())).collect();
        views.sort_by(|a, b| b.last.time().cmp(&a.last.time()).then_with(|| a.channel.cmp(b.channel)));
        views
    }

    /// The messages of a channel: from all of them by latest observation, those after the `offset` newest, at most
    /// `limit`; listed oldest first.
    pub fn channel_messages(
        &self,
        channel: &ChannelRef,
        regions: Option<&[String]>,
        limit: usize,
        offset: usize,
    ) -> MessagePage<'_> {
        let Some(packets) = self.channels.packets(channel) else { return MessagePage::default() };
        let mut texts = packets & &self.postings.types[usize::from(meshcore::PayloadType::GroupText.code())];
        if let Some(regions) = regions {
            texts &= &*self.heard_in(regions);
        }
        let window = Window { order: Order::Descending, after: None, skip: offset, take: limit };
        let page = self.latest.page(Some(&texts), window, |row| self.transmissions.state(row).latest);
        let messages = page.into_iter().rev().map(|(_, row)| self.message_view(row)).collect();
        MessagePage { messages, total: texts.len() }
    }

    fn channel_view<'a>(
        &'a self,
        channel: &'a Channel,
        heard: Option<&RoaringBitmap>,
    ) -> Option<ChannelView<'a>> {
        let (message_count, last) = match heard {
            None => (channel.texts.len(), channel.last_text),
            Some(heard) => {
                let texts = &channel.texts & heard;
                let last = texts.iter().map(|row| (self.transmissions.state(row).latest, row)).max();
                (texts.len(), last)
            }
        };
        Some(ChannelView {
            channel: &channel.identity,
            hash_byte: channel.hash_byte,
            encrypted: channel.is_encrypted(),
            message_count,
            last: self.message_view(last?.1),
        })
    }

    fn message_view(&self, row: u32) -> MessageView<'_> {
        MessageView::of(TransmissionView { index: self, row })
    }
}

impl Channel {
    fn is_encrypted(&self) -> bool {
        matches!(self.identity, ChannelRef::Encrypted(_))
    }
}
