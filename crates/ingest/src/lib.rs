//! Turns what observers publish into changes of the durable state.
//!
//! A message passes these stations, in this order, and ends at exactly one of them:
//!
//! 1. **topic**: whose message it is and of which kind ([`Outcome::IgnoredTopic`], [`Outcome::BadObserverKey`], …);
//! 2. **envelope**: the JSON around it, with fields of any type ([`Outcome::NotJson`], …);
//! 3. **filters**: blacklist, region whitelist, region filter of its source (not for status messages);
//! 4. **frame**: `raw` as bytes and by the firmware's rules; `tx` records stop here;
//! 5. **adverts**: key, place and, for packets not known yet, signature;
//! 6. **verdict**, under the index's write lock: new transmission, new observation, duplicate, or a status;
//! 7. the changes go to the index, to the viewers, and to the writer; its sender is answered when they are durable.
//!
//! [`IngestLedger`] counts the end of every message, by source and by observer, and its sums always add up.
//!
//! This crate must never believe what an envelope says of its packet, acknowledge what is not durable, let strangers
//! grow its memory, or serve HTTP.
//!
//! # What is decided here, and how
//! - **Duplicate** is the same content from the same observer by the same path. The first one's signal is kept: a
//!   later copy with a better one rewrites nothing, since rows never change once they are written.
//! - **The time of an observation** is the envelope's when it is beyond doubt: it has a zone, or stands beside a UTC
//!   pair, and is neither in the future nor older than 30 days. A time without a zone is taken as UTC within 15
//!   minutes of the arrival. Otherwise it is the time of arrival, and the observer's clock skew is noted. Status
//!   messages count when they arrive; their own time only tells a late will from a fresh one.
//! - **Observer keys** are 64 hex digits, kept in capitals; short plain ids are taken as well, since topics are user
//!   settings. `origin_id` counts only where the topic has no key.
//! - **Retained status** is old news. It fills what is unknown of its observer, and never makes it seen now.
//! - **An advert's role and name** are not judged: roles 5 to 15 belong to firmware to come, and names are made fit to
//!   be shown where they are shown. A packet too short for its type is kept, too, and remarked.
//! - **Mobile clients** (`meshcore/client/<key>/packets`) tell where they heard a node. Only who had sent the packet last is
//!   kept, with the place; the packet itself is no observation.
//! - **Refused adverts** are kept as evidence, one for each packet and observer, and not more than a disk can bear.
//! - **Companion messages** (`meshcore/message/…`) are plain text without packet bytes. They are counted as
//!   [`Outcome::IgnoredCompanion`] and not kept.
//!
//! # Example
//! ```
//! use std::sync::Arc;
//!
//! use index::{Index, IndexOptions};
//! use ingest::{Ingest, IngestConfig, Outcome};
//! use meshcore::{KeyRing, ScopeSet};
//! use parking_lot::RwLock;
//!
//! let options = IndexOptions { keys: Arc::new(KeyRing::with_public()), scopes: Arc::new(ScopeSet::new()) };
//! let index = Arc::new(RwLock::new(Index::new(options)));
//! let sink = |changes: Vec<model::Change>, on_durable: Option<ingest::OnDurable>| {
//!     println!("{changes:?}");
//!     if let Some(on_durable) = on_durable {
//!         on_durable();
//!     }
//! };
//! let mut ingest = Ingest::with_sink(IngestConfig::default(), index, Box::new(sink), Box::new(|_| {}));
//! let message = mqtt::Message {
//!     source: 0,
//!     topic: "meshcore/AMS/DUNE-NORTH/packets".into(),
//!     payload: r#"{"raw":"0D011101020304","SNR":"7 dB","RSSI":-88}"#.into(),
//!     qos: mqtt::Qos::AtMostOnce,
//!     retained: false,
//!     received: std::time::SystemTime::now(),
//!     ack: mqtt::Ack::none(),
//! };
//! ingest.handle_batch(vec![message]);
//! let report = ingest.ledger().report();
//! assert_eq!((report.received, report.count(Outcome::StoredTransmission)), (1, 1));
//! ```

#![forbid(unsafe_code)]

mod answers;
mod clock;
mod config;
mod coverage;
mod decide;
mod engine;
mod envelope;
mod evidence;
mod history;
mod ledger;
mod message;
mod observers;
mod outcome;
mod packet;
mod prune;
mod record;
mod retention;
mod status;
mod submit;
mod text;
mod topic;
mod window;

pub use config::{IngestConfig, SourcePolicy};
pub use engine::{DurableSink, Ingest, LiveHook, OnDurable};
pub use envelope::Scalar;
pub use history::{
    History, PastPacket, PastReception, PastSignal, PastVerdict, observer_key, past_client, past_frame,
    past_radio, past_region, past_text, past_time,
};
pub use ledger::{Count, IngestLedger, IngestReport, IngestTotals, ObserverReport, Rejection, SourceReport};
pub use outcome::{Outcome, Remark};
pub use prune::{PruneHandle, PruneRequest};
pub use retention::{
    Overseer, Retention, RetentionError, RetentionReport, RetentionRules, StepDone, give_back,
};
pub use submit::{IngestError, PacketSubmission, SubmitAnswer, SubmitHandle};
pub use window::Window;
