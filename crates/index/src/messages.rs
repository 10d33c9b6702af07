//! The channels and their messages, as they are listed.

use std::borrow::Cow;

use meshcore::ChannelMessage;
use model::UnixMillis;
use roaring::{MultiOps, RoaringBitmap};

use crate::channels::{Channel, ChannelRef};
use crate::cursor::Cursor;
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
    /// Texts, however many copies of each were heard; with regions, the copies heard there. At least one.
    pub message_count: u64,
    /// When the last was heard last; with regions, there.
    pub last_activity: UnixMillis,
    /// The one heard last; with regions, there.
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

/// Which messages, and which page of them.
#[derive(Clone, Debug, Default)]
pub struct MessageQuery<'a> {
    /// Of this channel; of all channels that we hold a key of when absent.
    pub channel: Option<&'a ChannelRef>,
    /// Only those heard by an observer of any of these regions (in either case).
    pub regions: Option<&'a [String]>,
    /// The most messages of the page.
    pub limit: usize,
    /// Newest messages to leave out, counted from the cursor if there is one.
    pub offset: usize,
    /// Only those last heard before this time.
    pub before: Option<UnixMillis>,
    /// Where the page before ended; goes before `before`.
    pub cursor: Option<Cursor>,
}

/// Where one page of messages is.
#[derive(Clone, Debug, Default)]
pub struct MessagePlaces {
    /// The one heard last comes first.
    pub newest: Vec<Cursor>,
    /// How many messages there are, on this page or not.
    pub total: u64,
    /// Where the page with the older ones begins; `None` when this one has the oldest.
    pub next: Option<Cursor>,
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

    /// Where messages to one or all channels are: from all of them by latest observation, those after the `offset` newest, at
    /// most `limit`; the newest first. A message that is heard again while pages are read moves to the newest, so that no
    /// page lacks it.
    ///
    /// None of them is looked at: decrypting very many is better done in portions, with the index let go between them.
    pub fn message_places(&self, query: &MessageQuery<'_>) -> MessagePlaces {
        let Some(packets) = self.packets_of_channels(query.channel) else { return MessagePlaces::default() };
        let mut texts =
            &*packets & &self.postings.types[usize::from(meshcore::PayloadType::GroupText.code())];
        if let Some(regions) = query.regions {
            texts &= &*self.heard_in(regions);
        }
        let before = query.before.map(|before| (before, 0));
        let after = query.cursor.and_then(|cursor| self.latest_key(cursor, Order::Descending)).or(before);
        // One more than the page has tells whether there is an older one.
        let take = if query.limit == 0 { 0 } else { query.limit.saturating_add(1) };
        let window = Window { order: Order::Descending, after, skip: query.offset, take };
        let mut page = self.latest.page(Some(&texts), window, |row| self.transmissions.state(row).latest);
        let more = page.len() > query.limit;
        page.truncate(query.limit);
        let newest: Vec<Cursor> = page.iter().map(|(time, row)| self.latest_cursor(*time, *row)).collect();
        let next = newest.last().filter(|_| more).copied();
        MessagePlaces { newest, total: texts.len(), next }
    }

    /// The message at a place; `None` when it is there no longer.
    pub fn message_at(&self, place: Cursor) -> Option<MessageView<'_>> {
        let transmission = self.transmission(place.id)?;
        Some(MessageView { transmission, message: transmission.channel_message() })
    }

    fn packets_of_channels(&self, channel: Option<&ChannelRef>) -> Option<Cow<'_, RoaringBitmap>> {
        match channel {
            Some(channel) => self.channels.packets(channel).map(Cow::Borrowed),
            None => {
                let named = self.channels.iter().filter(|channel| !channel.is_encrypted());
                Some(Cow::Owned(named.map(|channel| &channel.texts).union()))
            }
        }
    }

    fn channel_view<'a>(
        &'a self,
        channel: &'a Channel,
        observers: Option<&[u16]>,
    ) -> Option<ChannelView<'a>> {
        let (message_count, last) = match observers {
            None => (channel.texts.len(), channel.last_text),
            Some(observers) => {
                let heard = observers.iter().filter_map(|observer| channel.heard.get(observer));
                let count = heard.clone().map(|heard| u64::from(heard.observations)).sum();
                (count, heard.map(|heard| heard.last).max())
            }
        };
        let (last_activity, last) = last?;
        Some(ChannelView {
            channel: &channel.identity,
            hash_byte: channel.hash_byte,
            encrypted: channel.is_encrypted(),
            message_count,
            last_activity,
            last: self.message_view(last),
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
