//! A page of messages, from the places where they are.

use index::{Cursor, Index, MessageQuery, MessageView};

/// One page of messages.
#[derive(Debug)]
pub(crate) struct MessagePage<'a> {
    /// The ones heard last, of which the last comes last.
    pub(crate) messages: Vec<MessageView<'a>>,
    pub(crate) total: u64,
    pub(crate) next: Option<Cursor>,
}

pub(crate) fn messages<'a>(index: &'a Index, query: &MessageQuery<'_>) -> MessagePage<'a> {
    let places = index.message_places(query);
    let messages = places.newest.iter().rev().map(|place| index.message_at(*place).unwrap()).collect();
    MessagePage { messages, total: places.total, next: places.next }
}
