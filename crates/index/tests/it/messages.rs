//! A page of messages, as the API asks for it.

use index::{ChannelRef, Cursor, Index, MessageView, PacketQuery, Sort};
use meshcore::PayloadType;
use model::UnixMillis;

/// Which messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct MessageQuery<'a> {
    /// Of this channel; of all channels that we hold a key of when absent.
    pub(crate) channel: Option<&'a ChannelRef>,
    pub(crate) regions: Option<&'a [String]>,
    pub(crate) limit: usize,
    pub(crate) offset: usize,
    /// Only those last heard before this time.
    pub(crate) before: Option<UnixMillis>,
    pub(crate) cursor: Option<Cursor>,
}

/// One page of messages.
#[derive(Debug)]
pub(crate) struct MessagePage<'a> {
    /// The ones heard last, of which the last comes last.
    pub(crate) messages: Vec<MessageView<'a>>,
    pub(crate) total: u64,
    pub(crate) next: Option<Cursor>,
}

pub(crate) fn messages<'a>(index: &'a Index, query: &MessageQuery<'_>) -> MessagePage<'a> {
    let page = index.packets(&PacketQuery {
        limit: query.limit,
        offset: query.offset,
        cursor: query.cursor.or(query.before.map(Cursor::before)),
        sort: Sort::Latest,
        payload_type: Some(PayloadType::GroupText),
        channel: query.channel.cloned(),
        readable_texts: query.channel.is_none(),
        regions: query.regions.map(<[String]>::to_vec),
        ..PacketQuery::default()
    });
    let messages = page.rows.iter().rev().map(|row| MessageView::of(index.view(*row))).collect();
    MessagePage { messages, total: page.total, next: page.next }
}
