//! Answers held until a batch is durable.

use mqtt::Ack;
use tokio::sync::oneshot;

use crate::submit::SubmitAnswer;

/// What the senders of a batch wait for.
///
/// Given, all are answered. Dropped without, because the batch will never be durable, publishers are left to send
/// again, and those who wait for a submission learn that it is not safe.
#[derive(Default)]
pub(crate) struct Answers {
    acks: Vec<Ack>,
    submissions: Vec<(oneshot::Sender<SubmitAnswer>, SubmitAnswer)>,
}

impl Answers {
    pub(crate) fn new(
        acks: Vec<Ack>,
        submissions: impl Iterator<Item = (oneshot::Sender<SubmitAnswer>, SubmitAnswer)>,
    ) -> Answers {
        Answers { acks, submissions: submissions.collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.acks.is_empty() && self.submissions.is_empty()
    }

    pub(crate) fn give(mut self) {
        for ack in self.acks.drain(..) {
            ack.confirm();
        }
        for (sender, answer) in self.submissions.drain(..) {
            // Whoever asked may have left.
            let _ = sender.send(answer);
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        for ack in self.acks.drain(..) {
            ack.abandon();
        }
    }
}
