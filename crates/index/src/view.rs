//! Transmissions and observations as they are read: columns put together, bytes decoded when asked.

use std::fmt;

use meshcore::{ChannelMessage, Frame, NodeKey, Path, Payload, PayloadType, Route, TransportCodes};
use model::{
    ObservationId, ObserverId, ObserverRecord, PacketHash, SnrQuarterDb, TransmissionId, UnixMillis,
};

use crate::channels::ChannelRef;
use crate::cursor::{Cursor, CursorKey};
use crate::heads::Head;
use crate::index::Index;
use crate::nodes::Node;
use crate::observations::{NONE, ObservationRow};
use crate::observers::ObserverEntry;
use crate::transmissions::{ScopeRef, TransmissionState};

/// A transmission of a page. Good for as long as the index that gave it out; [`Index::view`] reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxRow(pub(crate) u32);

/// One transmission. Reading it costs next to nothing; what needs decoding is decoded by the call that asks.
#[derive(Clone, Copy)]
pub struct TransmissionView<'a> {
    pub(crate) index: &'a Index,
    pub(crate) row: u32,
}

/// One observation of a transmission.
#[derive(Clone, Copy)]
pub struct ObservationView<'a> {
    pub(crate) index: &'a Index,
    pub(crate) row: u32,
}

impl Index {
    /// The transmission of a row that this index gave out.
    pub fn view(&self, row: TxRow) -> TransmissionView<'_> {
        TransmissionView { index: self, row: row.0 }
    }
}

impl<'a> TransmissionView<'a> {
    /// Its row, for as long as the index lives.
    pub fn row(&self) -> TxRow {
        TxRow(self.row)
    }

    /// Its id.
    pub fn id(&self) -> TransmissionId {
        self.index.transmission_id(self.row)
    }

    /// Its content hash.
    pub fn hash(&self) -> PacketHash {
        self.index.transmissions.hash(self.row)
    }

    /// The whole frame of the copy that was stored first.
    pub fn raw(&self) -> &'a [u8] {
        self.index.transmissions.raw(self.row)
    }

    /// [`Self::raw`] parsed.
    pub fn frame(&self) -> Frame<'a> {
        Frame::parse(self.raw()).expect("only frames that parse are kept")
    }

    /// What its payload is.
    pub fn payload_type(&self) -> PayloadType {
        self.index.payload_type(self.row)
    }

    /// Whether it is a TRACE. Traces are few, so asking their set costs less than a look at the frame.
    pub(crate) fn is_trace(&self) -> bool {
        self.index.postings.types[usize::from(PayloadType::Trace.code())].contains(self.row)
    }

    /// The least time of an observation.
    pub fn first_seen(&self) -> UnixMillis {
        self.index.transmissions.first_seen(self.row)
    }

    /// The greatest time of an observation.
    pub fn latest(&self) -> UnixMillis {
        self.state().latest
    }

    /// Its place in the order of the latest observation.
    pub fn latest_cursor(&self) -> Cursor {
        Cursor { key: CursorKey::Latest(self.latest()), id: self.id() }
    }

    /// How many observations there are: at least one.
    pub fn observation_count(&self) -> u32 {
        self.state().observations
    }

    /// By how many different observers.
    pub fn observer_count(&self) -> u32 {
        self.state().observers
    }

    /// All observations, in the order in which they arrived. There may be very many: take what is needed.
    pub fn observations(&self) -> impl Iterator<Item = ObservationView<'a>> + use<'a> {
        let index = self.index;
        let next = |row: u32| (row != NONE).then_some(row);
        let rows =
            std::iter::successors(next(self.state().first), move |row| next(index.observations.next(*row)));
        rows.map(move |row| ObservationView { index, row })
    }

    /// The observation that arrived first.
    pub fn first(&self) -> ObservationView<'a> {
        ObservationView { index: self.index, row: self.state().first }
    }

    /// The observation with the most hops; of several, the one that arrived first.
    pub fn best(&self) -> ObservationView<'a> {
        ObservationView { index: self.index, row: self.state().best }
    }

    /// The node that it is an advert of.
    pub fn node(&self) -> Option<&'a Node> {
        let subject = self.subject_of(&[PayloadType::Advert])?;
        Some(self.index.nodes.at(subject))
    }

    /// The channel that it was sent to: [`ChannelRef::Name`] when a key opens it, else [`ChannelRef::Encrypted`].
    pub fn channel(&self) -> Option<&'a ChannelRef> {
        let subject = self.subject_of(&[PayloadType::GroupText, PayloadType::GroupData])?;
        Some(&self.index.channels.at(subject).identity)
    }

    /// The text that it carries to a channel, decrypted now; `None` when no key opens it, or for any other packet.
    pub fn channel_message(&self) -> Option<ChannelMessage<'a>> {
        let subject = self.subject_of(&[PayloadType::GroupText])?;
        let key = self.index.channels.at(subject).key?;
        match self.frame().payload() {
            // The key opened it when it came in, and the ring is the same for as long as the index lives.
            Ok(Payload::GroupText(text)) => self.index.options.keys.reopen_text(key, &text),
            _ => None,
        }
    }

    /// The name of the region that it is scoped to, with `#`. `None` when it is not scoped; empty when it is, to a
    /// region that we do not know.
    pub fn scope(&self) -> Option<&'a str> {
        let scope = self.state().scope;
        match scope.place() {
            Some(place) => self.index.scope_names.get(place).map(AsRef::as_ref),
            None => (scope == ScopeRef::UNKNOWN).then_some(""),
        }
    }

    fn state(&self) -> &'a TransmissionState {
        self.index.transmissions.state(self.row)
    }

    /// Most have no subject, which is known without the look at the frame that tells the type.
    fn subject_of(&self, types: &[PayloadType]) -> Option<u32> {
        let subject = self.state().subject;
        (subject != NONE && types.contains(&self.payload_type())).then_some(subject)
    }
}

impl<'a> ObservationView<'a> {
    /// Its id.
    pub fn id(&self) -> ObservationId {
        ObservationId(self.index.observation_ids.id(self.row))
    }

    /// What was heard.
    pub fn transmission(&self) -> TransmissionView<'a> {
        TransmissionView { index: self.index, row: self.index.observations.transmission(self.row) }
    }

    /// Who heard it.
    pub fn observer(&self) -> &'a ObserverRecord {
        &self.observer_entry().record
    }

    /// Who heard it, as a node; `None` for an observer whose id is not the key of one.
    pub(crate) fn observer_node(&self) -> Option<NodeKey> {
        self.observer_entry().node
    }

    fn observer_entry(&self) -> &'a ObserverEntry {
        let id = ObserverId(self.index.observations.observer(self.row));
        self.index.observers.get(id).expect("observations of unknown observers are refused")
    }

    /// When.
    pub fn time(&self) -> UnixMillis {
        self.index.observations.time(self.row)
    }

    /// Signal-to-noise ratio, where the observer gave one.
    pub fn snr(&self) -> Option<SnrQuarterDb> {
        self.index.observations.snr(self.row)
    }

    /// Received signal strength in dBm, where the observer gave one.
    pub fn rssi(&self) -> Option<i16> {
        self.index.observations.rssi(self.row)
    }

    /// The firmware's retransmit score, 0 to 1000, where the observer gave one.
    pub fn score(&self) -> Option<u16> {
        self.columns().score
    }

    /// The head of the copy, in the format of [`model::FrameHead`].
    pub fn head_bytes(&self) -> &'a [u8] {
        self.index.heads.bytes(self.index.observations.head(self.row))
    }

    /// How the copy travelled.
    pub fn route(&self) -> Route {
        self.head().route
    }

    /// The path of the copy.
    pub fn path(&self) -> Path<'a> {
        self.head().path
    }

    /// The very frame that was heard: the payload of the transmission behind the head of the copy.
    pub fn frame_bytes(&self) -> Vec<u8> {
        let first = self.transmission().frame();
        join(self.head(), &first).expect("observations without codes to borrow are refused")
    }

    /// Copies with the same number went the same way.
    pub(crate) fn way(&self) -> u32 {
        self.index.heads.way(self.index.observations.head(self.row))
    }

    pub(crate) fn head(&self) -> Head<'a> {
        self.index.heads.get(self.index.observations.head(self.row))
    }

    fn columns(&self) -> ObservationRow {
        self.index.observations.get(self.row)
    }
}

/// The frame of a copy: what follows the head in the first copy's frame behind the head of this one ([`model::FrameHead`]).
/// `None` when the one is no head or the other no frame.
pub fn copy_frame(head_bytes: &[u8], first_raw: &[u8]) -> Option<Vec<u8>> {
    join(Head::parse(head_bytes)?, &Frame::parse(first_raw).ok()?)
}

fn join(head: Head<'_>, first: &Frame<'_>) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(6 + head.path.bytes().len() + first.payload_bytes().len());
    bytes.push(first.header() & !0b11 | head.route.code());
    if head.route.has_transport_codes() {
        bytes.extend_from_slice(&head.codes.or(first.transport_codes().map(TransportCodes::to_bytes))?);
    }
    bytes.push(head.path.byte());
    bytes.extend_from_slice(head.path.bytes());
    bytes.extend_from_slice(first.payload_bytes());
    Some(bytes)
}

impl fmt::Debug for TransmissionView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransmissionView({}, {})", self.id().0, self.hash())
    }
}

impl fmt::Debug for ObservationView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObservationView({})", self.id().0)
    }
}
