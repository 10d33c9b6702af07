//! The one ingest thread: batches in, changes out, answers when they are durable.

use std::sync::{Arc, Once};

use index::SharedIndex;
use model::{Change, ObservationId, UnixMillis};
use mqtt::{Message, MessageReceiver, Qos};
use tokio::sync::mpsc;

use crate::answers::Answers;
use crate::config::{Filters, IngestConfig};
use crate::decide::Decider;
use crate::evidence::Evidence;
use crate::ledger::{Entry, IngestLedger, Rejection};
use crate::message::{Content, Ended, Incoming, Read, Reader};
use crate::observers::Directory;
use crate::packet::unfit_adverts;
use crate::prune::{PruneHandle, PruneRequest};
use crate::record::{Decision, Recorder};
use crate::submit::{SubmitAnswer, SubmitHandle, SubmitRequest};

/// The most messages decided under one hold of the index's write lock: about a millisecond's worth, so that readers
/// hardly wait.
const MAX_BATCH: usize = 512;

/// Called with the new observations of each batch, once they are in the index.
pub type LiveHook = Box<dyn Fn(Vec<ObservationId>) + Send>;

/// Takes the changes of a batch and calls back when they are durable; if they never will be, it drops the call. Without a
/// call nobody waits for them, and there is time to gather more.
pub type DurableSink = Box<dyn Fn(Vec<Change>, Option<OnDurable>) + Send>;

/// What is to be done when a batch is durable.
pub type OnDurable = Box<dyn FnOnce() + Send>;

/// Turns messages into changes: see the crate's documentation.
pub struct Ingest {
    config: IngestConfig,
    filters: Filters,
    index: SharedIndex,
    sink: DurableSink,
    live: LiveHook,
    ledger: Arc<IngestLedger>,
    directory: Directory,
    evidence: Evidence,
    submit: SubmitHandle,
    submissions: mpsc::Receiver<SubmitRequest>,
    prune: PruneHandle,
    prunings: mpsc::Receiver<PruneRequest>,
}

impl Ingest {
    /// Ingest for one process: it must be the only one that applies changes to `index` while it runs.
    ///
    /// `live` is called on the ingest thread and must not block.
    pub fn new(
        config: IngestConfig,
        index: SharedIndex,
        writer: storage::WriterHandle,
        live: LiveHook,
    ) -> Ingest {
        let complained = Once::new();
        let sink = move |changes, on_durable| {
            let batch = storage::WriteBatch { changes, on_durable };
            if let Err(error) = writer.submit(batch) {
                // Nothing more will ever be durable, so nobody is answered any more; to say so once is enough.
                complained.call_once(|| tracing::error!(%error, "packets are no longer written"));
            }
        };
        Ingest::with_sink(config, index, Box::new(sink), live)
    }

    /// As [`Ingest::new`], with another place for the changes than a database.
    pub fn with_sink(config: IngestConfig, index: SharedIndex, sink: DurableSink, live: LiveHook) -> Ingest {
        let (submit, submissions) = SubmitHandle::new();
        let filters = Filters::new(&config);
        let ledger = IngestLedger::new(&config);
        let directory = Directory::new(config.max_observers);
        let (prune, prunings) = PruneHandle::new();
        let evidence = Evidence::default();
        Ingest {
            config,
            filters,
            index,
            sink,
            live,
            ledger,
            directory,
            evidence,
            submit,
            submissions,
            prune,
            prunings,
        }
    }

    /// The books, readable from other threads.
    pub fn ledger(&self) -> Arc<IngestLedger> {
        Arc::clone(&self.ledger)
    }

    /// The way in for packets of the API; answered while [`Ingest::run`] runs.
    pub fn submit_handle(&self) -> SubmitHandle {
        self.submit.clone()
    }

    /// The way in for nodes to be taken off the list; answered while [`Ingest::run`] runs.
    pub fn prune_handle(&self) -> PruneHandle {
        self.prune.clone()
    }

    /// Takes messages and submissions until all senders of messages are gone, and everything is handed on.
    pub fn run(mut self, mut receiver: MessageReceiver) {
        // Without a driver for I/O or time it needs nothing of the system; it only waits on two channels at once.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime without drivers asks the system for nothing");
        let mut messages = Vec::with_capacity(MAX_BATCH);
        let mut requests = Vec::new();
        loop {
            let open = runtime.block_on(async {
                tokio::select! {
                    count = receiver.recv_many(&mut messages, MAX_BATCH) => count > 0,
                    Some(request) = self.submissions.recv() => {
                        requests.push(request);
                        true
                    }
                    Some(request) = self.prunings.recv() => {
                        self.prune(request);
                        true
                    }
                }
            });
            if !open {
                break;
            }
            self.handle(std::mem::take(&mut messages), std::mem::take(&mut requests));
        }
        self.submissions.close();
        self.prunings.close();
        while let Ok(request) = self.submissions.try_recv() {
            self.handle(Vec::new(), vec![request]);
        }
        while let Ok(request) = self.prunings.try_recv() {
            self.prune(request);
        }
    }

    /// Handles messages as if they had just been received.
    pub fn handle_batch(&mut self, messages: Vec<Message>) {
        let mut messages = messages.into_iter();
        loop {
            let batch: Vec<Message> = messages.by_ref().take(MAX_BATCH).collect();
            if batch.is_empty() {
                return;
            }
            self.handle(batch, Vec::new());
        }
    }

    fn handle(&mut self, messages: Vec<Message>, requests: Vec<SubmitRequest>) {
        let mut batch = self.read(&messages, &requests);
        let refused = self.check_adverts(&mut batch);
        let Decided { mut verdicts, mut changes, observations } = self.decide(&batch);
        changes.extend(refused);
        let payload_bytes = messages.iter().map(|message| message.payload.len()).sum();
        self.book(&batch, payload_bytes, &verdicts);
        drop(batch);
        if !observations.is_empty() {
            (self.live)(observations);
        }
        let of_requests = verdicts.split_off(messages.len());
        // Nobody waits for an answer at QoS 0.
        let waiting = messages.into_iter().filter(|message| message.qos != Qos::AtMostOnce);
        let answers = Answers::new(
            waiting.map(|message| message.ack).collect(),
            requests.into_iter().zip(of_requests).map(|(request, verdict)| (request.answer, answer(verdict))),
        );
        // A duplicate is safe only when the copy before it is. So its answer, too, goes behind all that the writer
        // has been given so far, even when this batch changes nothing.
        let on_durable: Option<OnDurable> = match answers.is_empty() {
            true => None,
            false => Some(Box::new(move || answers.give())),
        };
        if !changes.is_empty() || on_durable.is_some() {
            (self.sink)(changes, on_durable);
        }
    }

    fn read<'m>(&mut self, messages: &'m [Message], requests: &'m [SubmitRequest]) -> Vec<Read<'m>> {
        let mut reader = Reader {
            filters: &self.filters,
            config: &self.config,
            directory: &mut self.directory,
            ledger: &self.ledger,
        };
        let mut batch = Vec::with_capacity(messages.len() + requests.len());
        batch.extend(messages.iter().map(|message| reader.message(&Incoming::of(message))));
        batch.extend(requests.iter().map(|r| reader.submission(&r.submission, UnixMillis::now())));
        batch
    }

    /// Ends the adverts that are new and not to be kept, and gives what is kept as evidence of them. This needs no write lock,
    /// since nobody else writes; and checking a signature costs more than all the rest.
    fn check_adverts(&mut self, batch: &mut [Read<'_>]) -> Vec<Change> {
        let packets = batch.iter().enumerate().filter_map(|(place, read)| match &read.content {
            Ok((_, Content::Packet(heard))) => Some((place, heard)),
            _ => None,
        });
        let is_known = |hash| self.index.read().find(hash).is_some();
        let ends = unfit_adverts(packets, is_known, self.config.validate_signatures);
        let mut evidence = Vec::new();
        for (place, ended) in ends {
            let read = &mut batch[place];
            let outcome = ended.0;
            if let Ok((sender, Content::Packet(heard))) = std::mem::replace(&mut read.content, Err(ended)) {
                evidence.extend(self.evidence.of(outcome, &sender, &heard, read.received));
            }
        }
        evidence.into_iter().map(Change::Dropped).collect()
    }

    /// Takes nodes off the list and answers when that is durable.
    fn prune(&self, request: PruneRequest) {
        let (changes, answer) = request.decide(&mut self.index.write());
        (self.sink)(changes, Some(answer));
    }

    fn decide(&mut self, batch: &[Read<'_>]) -> Decided {
        let mut index = self.index.write();
        let mut decider = Decider {
            recorder: Recorder { index: &mut index, changes: Vec::new(), observations: Vec::new() },
            directory: &mut self.directory,
            ledger: &self.ledger,
            metrics_interval_secs: self.config.metrics_interval_secs,
            max_clients: self.config.max_clients,
        };
        let verdict = |read: &Read<'_>| match &read.content {
            Ok((sender, content)) => decider.decide(sender, content, read.received),
            Err(ended) => Err(ended.clone()),
        };
        let verdicts = batch.iter().map(verdict).collect();
        let Recorder { changes, observations, .. } = decider.recorder;
        Decided { verdicts, changes, observations }
    }

    fn book(&self, batch: &[Read<'_>], payload_bytes: usize, verdicts: &[Verdict]) {
        let mut rejections = Vec::new();
        let mut entries = Vec::with_capacity(batch.len());
        for (read, verdict) in batch.iter().zip(verdicts) {
            let outcome = match verdict {
                Ok(decision) => decision.outcome,
                Err((outcome, detail)) => {
                    if outcome.is_rejection() {
                        let (time, source, topic) = (read.received, read.source, read.topic);
                        rejections.push(Rejection::new(time, source, topic, *outcome, detail));
                    }
                    *outcome
                }
            };
            let Read { source, received, row, remarks, .. } = *read;
            entries.push(Entry { source, observer: row, received, outcome, remarks });
        }
        self.ledger.book(batch.len(), payload_bytes, &entries, rejections);
    }
}

type Verdict = Result<Decision, Ended>;

/// A batch, decided.
struct Decided {
    /// One for each message.
    verdicts: Vec<Verdict>,
    changes: Vec<Change>,
    observations: Vec<ObservationId>,
}

fn answer(verdict: Verdict) -> SubmitAnswer {
    match verdict {
        Ok(Decision { transmission: Some(transmission), observation: Some(observation), .. }) => {
            SubmitAnswer::Stored { transmission, observation }
        }
        Ok(Decision { transmission: Some(transmission), observation: None, .. }) => {
            SubmitAnswer::Duplicate { transmission }
        }
        Ok(Decision { outcome, transmission: None, .. }) => {
            SubmitAnswer::Refused { outcome, detail: String::new() }
        }
        Err((outcome, detail)) => SubmitAnswer::Refused { outcome, detail },
    }
}
