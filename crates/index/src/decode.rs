//! What of a packet takes keys to read. Nothing of it is kept but which key or scope it was.

use meshcore::{Frame, GroupData, GroupText};

use crate::index::IndexOptions;

impl IndexOptions {
    /// The name of the region that a frame is scoped to: `None` when it is not scoped, empty when we do not know the
    /// region. A code of 0 names no region.
    pub(crate) fn recognise_scope(&self, frame: &Frame<'_>) -> Option<&str> {
        frame.transport_codes().filter(|codes| codes.scope != 0)?;
        Some(self.scopes.recognise(frame).unwrap_or(""))
    }

    /// The channel whose key opens the text, and the place of the key.
    pub(crate) fn text_channel(&self, text: &GroupText<'_>) -> Option<(&str, usize)> {
        self.keys.decrypt_text(text).map(|message| (message.channel, message.key_index))
    }

    /// The channel whose key opens the data, and the place of the key.
    pub(crate) fn data_channel(&self, data: &GroupData<'_>) -> Option<(&str, usize)> {
        self.keys.decrypt_data(data).map(|data| (data.channel, data.key_index))
    }
}
