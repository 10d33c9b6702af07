//! A message, read as far as it can be without knowing what is stored: whose it is and what it carries, or how it ended.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use model::{SourceId, UnixMillis};
use mqtt::Qos;

use crate::clock::{self, Judged};
use crate::config::{Filters, IngestConfig};
use crate::coverage::Found;
use crate::envelope::Envelope;
use crate::ledger::{IngestLedger, ObserverRow};
use crate::observers::{Directory, Introduction, Place};
use crate::outcome::{Outcome, Remark, Remarks};
use crate::packet::{Heard, Signal, decode_raw};
use crate::status::Status;
use crate::submit::PacketSubmission;
use crate::text::{MAX_TEXT_BYTES, clean};
use crate::topic::{Topic, TopicKind, is_key, is_public_key};

/// The source of packets that come by the API.
pub(crate) const API_SOURCE: SourceId = SourceId(u16::MAX);

/// The observer of packets from the API that name none.
const API_OBSERVER: &str = "api";

/// How a message ends before its time, with a detail for the log.
pub(crate) type Ended = (Outcome, String);

/// What came in by MQTT, without the answer that its sender waits for.
pub(crate) struct Incoming<'m> {
    pub(crate) source: SourceId,
    pub(crate) topic: &'m str,
    pub(crate) payload: &'m [u8],
    pub(crate) retained: bool,
    pub(crate) qos: Qos,
    pub(crate) received: UnixMillis,
}

impl<'m> Incoming<'m> {
    pub(crate) fn of(message: &'m mqtt::Message) -> Incoming<'m> {
        Incoming {
            source: SourceId(message.source),
            topic: &message.topic,
            payload: &message.payload,
            retained: message.retained,
            qos: message.qos,
            received: unix_millis(message.received),
        }
    }
}

/// A message, read.
pub(crate) struct Read<'m> {
    pub(crate) source: SourceId,
    pub(crate) topic: &'m str,
    pub(crate) received: UnixMillis,
    pub(crate) row: ObserverRow,
    pub(crate) remarks: Remarks,
    pub(crate) content: Result<(Sender<'m>, Content), Ended>,
}

/// Whose message it is.
pub(crate) struct Sender<'m> {
    /// As its owner writes it.
    pub(crate) key: Cow<'m, str>,
    pub(crate) upper_key: String,
    pub(crate) place: Option<Place>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) region: Option<Box<str>>,
}

/// What a message carries.
pub(crate) enum Content {
    Packet(Heard),
    Status(Box<Status>),
    Reception(Box<Found>),
}

impl Sender<'_> {
    /// Public keys in their one form, other ids as their owners write them.
    pub(crate) fn shown_key(&self) -> &str {
        if is_public_key(&self.upper_key) { &self.upper_key } else { &self.key }
    }

    pub(crate) fn introduction(&self, received: UnixMillis) -> Introduction<'_> {
        let (name, region) = (self.name.as_deref(), self.region.as_deref());
        Introduction { key: &self.key, name, region, received }
    }
}

/// Reads messages by the rules of one configuration.
pub(crate) struct Reader<'r> {
    pub(crate) filters: &'r Filters,
    pub(crate) config: &'r IngestConfig,
    pub(crate) directory: &'r mut Directory,
    pub(crate) ledger: &'r IngestLedger,
}

impl Reader<'_> {
    /// Reads a message that came by MQTT.
    pub(crate) fn message<'m>(&mut self, incoming: &Incoming<'m>) -> Read<'m> {
        let mut read = Read {
            source: incoming.source,
            topic: incoming.topic,
            received: incoming.received,
            row: ObserverRow::NOBODY,
            remarks: Remarks::default(),
            content: Err((Outcome::Internal, String::new())),
        };
        if incoming.qos == Qos::AtMostOnce {
            read.remarks.add(Remark::SentAtQos0);
        }
        read.content = self.content(incoming, &mut read.row, &mut read.remarks);
        read
    }

    fn content<'m>(
        &mut self,
        incoming: &Incoming<'m>,
        row: &mut ObserverRow,
        remarks: &mut Remarks,
    ) -> Result<(Sender<'m>, Content), Ended> {
        let end = |outcome| Err((outcome, String::new()));
        let topic = Topic::parse(incoming.topic).map_err(|outcome| (outcome, String::new()))?;
        if topic.kind == TopicKind::Client {
            return self.reception(incoming, &topic, remarks);
        }
        let mut sender = topic.key.map(|key| self.sender(Cow::Borrowed(key), row));
        match topic.kind {
            TopicKind::Ignored => return end(Outcome::IgnoredTopic),
            TopicKind::Companion => return end(Outcome::IgnoredCompanion),
            TopicKind::Packets | TopicKind::Status | TopicKind::Client | TopicKind::Unknown => {}
        }
        let envelope = match Envelope::parse(incoming.payload, self.config.max_payload_bytes) {
            Ok(envelope) => envelope,
            // Anyone may publish anything under a topic that is none of ours.
            Err((outcome, _)) if topic.kind == TopicKind::Unknown && outcome != Outcome::TooLarge => {
                return end(Outcome::IgnoredTopic);
            }
            Err(ended) => return Err(ended),
        };
        if topic.kind == TopicKind::Unknown && envelope.raw.text().is_none() {
            return end(Outcome::IgnoredTopic);
        }
        let origin_id = envelope.origin_id.text().map(str::trim).filter(|id| is_public_key(id));
        match (&sender, origin_id) {
            (Some(sender), Some(id)) if !id.eq_ignore_ascii_case(&sender.key) => {
                remarks.add(Remark::OriginIdDiffers);
            }
            (None, Some(id)) => sender = Some(self.sender(Cow::Owned(id.to_owned()), row)),
            // The flat status of a bridge that is no observer.
            (None, None) if topic.kind == TopicKind::Status => return end(Outcome::IgnoredTopic),
            _ => {}
        }
        let mut sender = sender
            .ok_or_else(|| (Outcome::BadObserverKey, "neither topic nor origin_id has a key".into()))?;
        sender.name = envelope.origin.text().and_then(|name| clean(name, MAX_TEXT_BYTES));
        sender.region = self.filters.region(envelope.region.text(), &topic, incoming.source);
        self.filter(&topic, &sender, incoming.source)?;
        let clock = clock::judge(&envelope.timestamp, &envelope.time, &envelope.date, incoming.received);
        let content = match topic.kind {
            TopicKind::Status => {
                let region = sender.region.clone();
                let status = Status::read(&envelope, region, &clock, incoming.received, incoming.retained);
                Content::Status(Box::new(status))
            }
            _ => {
                let heard = Heard::read(&envelope, &clock, remarks)?;
                // A status is taken by its arrival, so there its clock is of no concern.
                if let Some(remark) = clock.remark {
                    remarks.add(remark);
                }
                Content::Packet(heard)
            }
        };
        Ok((sender, content))
    }

    /// Reads what a mobile client has heard. It has no row among the observers' books, which are bounded for these.
    fn reception<'m>(
        &self,
        incoming: &Incoming<'m>,
        topic: &Topic<'m>,
        remarks: &mut Remarks,
    ) -> Result<(Sender<'m>, Content), Ended> {
        if !self.config.client_rx_coverage {
            return Err((Outcome::IgnoredTopic, String::new()));
        }
        let key = topic.key.ok_or_else(|| (Outcome::BadObserverKey, "the client has no hex key".into()))?;
        let (key, upper_key) = (Cow::Borrowed(key), key.to_ascii_uppercase());
        let mut sender = Sender { key, upper_key, place: None, name: None, region: None };
        self.filter(topic, &sender, incoming.source)?;
        let envelope = Envelope::parse(incoming.payload, self.config.max_payload_bytes)?;
        sender.name = envelope.origin.text().and_then(|name| clean(name, MAX_TEXT_BYTES));
        let clock = clock::judge(&envelope.timestamp, &envelope.time, &envelope.date, incoming.received);
        let found = Found::read(&envelope, &clock, self.config.validate_signatures, remarks)?;
        Ok((sender, Content::Reception(Box::new(found))))
    }

    /// Reads a packet that came by the API: it arrives now, from an observer of any plain name.
    pub(crate) fn submission<'m>(
        &mut self,
        submission: &'m PacketSubmission,
        received: UnixMillis,
    ) -> Read<'m> {
        let mut row = ObserverRow::NOBODY;
        let mut remarks = Remarks::default();
        let content = self.submitted(submission, received, &mut row, &mut remarks);
        Read { source: API_SOURCE, topic: "", received, row, remarks, content }
    }

    fn submitted<'m>(
        &mut self,
        submission: &'m PacketSubmission,
        received: UnixMillis,
        row: &mut ObserverRow,
        remarks: &mut Remarks,
    ) -> Result<(Sender<'m>, Content), Ended> {
        let key = submission.observer.as_deref().unwrap_or(API_OBSERVER).trim();
        if !is_key(key) {
            return Err((Outcome::BadObserverKey, "observer is no key".into()));
        }
        let topic = Topic { kind: TopicKind::Packets, region: None, key: None };
        let mut sender = self.sender(Cow::Borrowed(key), row);
        sender.region = self.filters.region(submission.region.as_deref(), &topic, API_SOURCE);
        self.filter(&topic, &sender, API_SOURCE)?;
        let raw = decode_raw(&submission.raw)?;
        let signal = Signal::of_numbers(submission.snr, submission.rssi);
        let heard = Heard::sound(raw, &Judged::arrival(received), signal, remarks)?;
        Ok((sender, Content::Packet(heard)))
    }

    fn filter(&self, topic: &Topic<'_>, sender: &Sender<'_>, source: SourceId) -> Result<(), Ended> {
        let stopped = self.filters.stops(&sender.upper_key, topic, sender.region.as_deref(), source);
        stopped.map_or(Ok(()), |outcome| Err((outcome, String::new())))
    }

    fn sender<'m>(&mut self, key: Cow<'m, str>, row: &mut ObserverRow) -> Sender<'m> {
        let upper_key = key.to_ascii_uppercase();
        let (place, its_row) = self.directory.place(&upper_key, self.ledger);
        *row = its_row;
        Sender { key, upper_key, place, name: None, region: None }
    }
}

fn unix_millis(time: SystemTime) -> UnixMillis {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
