//! What is said over `/api/live`, in both directions. Each message is one JSON text frame.

use super::row::{LiveRow, RowField};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Rises when a message changes so that clients have to.
pub(crate) const PROTOCOL: u32 = 1;

/// What a client says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ClientMessage {
    Subscribe(Subscribe),
    Unsubscribe(Unsubscribe),
    Ping(Ping),
}

/// Asks for observations; answered by `subscribed`, or by `error` when something is wrong with it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subscribe {
    /// The client's name for it, which its messages carry: 1 to 64 bytes. A name in use is replaced.
    pub(crate) id: String,
    /// Only observations that match this expression of the packet filter language; all when absent.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) filter: Option<String>,
    /// The fields of the rows; a compact row when absent.
    #[serde(default)]
    #[schema(value_type = Option<Vec<RowField>>, nullable = false)]
    pub(crate) fields: Option<Vec<String>>,
    /// Only what these observers heard, by id, of either case; all when absent or empty.
    #[serde(default)]
    pub(crate) observers: Vec<String>,
    /// Only what was heard in these regions, of either case; all when absent or empty.
    #[serde(default)]
    pub(crate) regions: Vec<String>,
    /// The sequence number up to which the client has everything: what came after it is sent first, up to a limit.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) resume: Option<u64>,
}

/// Ends a subscription; answered by `unsubscribed`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unsubscribe {
    /// As in `subscribe`.
    pub(crate) id: String,
}

/// Asks whether the server is there and where it is; answered by `pong`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ping {}

/// What the server says. Clients should pass over types and fields that they do not know.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ServerMessage {
    Welcome(Welcome),
    Subscribed(Subscribed),
    Unsubscribed(Unsubscribed),
    #[allow(
        dead_code,
        reason = "describes what `batch::BatchWriter` writes, whose rows are shared by all who want them"
    )]
    Observations(Observations),
    Missed(Missed),
    Resumed(Resumed),
    Pong(Pong),
    Error(Problem),
}

/// The first message. It comes again, with another `server`, if the sequence had to begin anew: an ingest process died
/// before it had stored what it had told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Welcome {
    /// The version of this protocol: 1.
    pub(crate) protocol: u32,
    /// Which sequence this is: stays for as long as the server runs.
    pub(crate) server: String,
    /// The sequence number of the newest observation; 0 before the first.
    pub(crate) seq: u64,
    pub(crate) limits: Limits,
}

/// What a client may ask for.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = LiveLimits)]
pub(crate) struct Limits {
    /// Subscriptions at a time.
    pub(crate) subscriptions: usize,
    /// Bytes of a message to the server.
    pub(crate) message_bytes: usize,
    /// Messages a second to the server; the server takes further ones later.
    pub(crate) messages_per_second: u32,
    /// Bytes of a filter.
    pub(crate) filter_bytes: usize,
    /// Observations that are looked at for a `resume`, the newest ones.
    pub(crate) replay: u64,
    /// Most milliseconds that an observation waits for others to be sent with.
    pub(crate) batch_ms: u64,
}

/// From here on observations come that belong to the subscription.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Subscribed {
    pub(crate) id: String,
    /// The sequence number after which the live observations begin; what a `resume` asks for comes up to it.
    pub(crate) seq: u64,
    /// The fields of the rows.
    pub(crate) fields: Vec<RowField>,
}

/// The subscription has ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Unsubscribed {
    pub(crate) id: String,
}

/// Observations, oldest first. Numbers within `from` and `to` that are not among the rows do not match the subscription.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Observations {
    pub(crate) id: String,
    /// The first sequence number that the batch speaks for.
    pub(crate) from: u64,
    /// The last one: where to resume from.
    pub(crate) to: u64,
    pub(crate) rows: Vec<LiveRow>,
}

/// Observations that the client was not sent and will not be sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Missed {
    pub(crate) id: String,
    /// The first sequence number that is missed.
    pub(crate) from: u64,
    /// The last one.
    pub(crate) to: u64,
    /// How many rows; for `replay_limit`, `not_in_memory` and `overload` how many numbers, since the filter was not tried.
    pub(crate) count: u64,
    pub(crate) why: MissedWhy,
}

/// Why observations were missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MissedWhy {
    /// The client did not take them in time.
    Slow,
    /// There were more than a `resume` gives.
    ReplayLimit,
    /// The server holds them in memory no longer; `/api/packets` has them.
    NotInMemory,
    /// The server could not keep up.
    Overload,
}

/// All that was asked for by `resume` has been sent, or named by `missed`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Resumed {
    pub(crate) id: String,
    /// The first sequence number after `resume`.
    pub(crate) from: u64,
    /// The last one; less than `from` when nothing was missing, or when the client is ahead of this server.
    pub(crate) to: u64,
    /// How many rows were sent.
    pub(crate) rows: u64,
}

/// The server is there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Pong {
    /// The sequence number up to which everything that matches has been sent to this client.
    pub(crate) seq: u64,
}

/// A message that could not be followed. The connection stays.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = LiveProblem)]
pub(crate) struct Problem {
    /// What is wrong.
    pub(crate) error: String,
    /// The subscription that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) id: Option<String>,
    /// The field of the message that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) parameter: Option<&'static str>,
    /// Where in a filter it is, in characters from the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) offset: Option<usize>,
    /// How many characters it covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) length: Option<usize>,
    /// What was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) hint: Option<String>,
}

impl Problem {
    /// About one field of a message.
    pub(crate) fn with(id: &str, parameter: &'static str, error: impl Into<String>) -> Self {
        let error = format!("{parameter}: {}", error.into());
        Self { error, id: Some(id.to_owned()), parameter: Some(parameter), ..Self::default() }
    }
}
