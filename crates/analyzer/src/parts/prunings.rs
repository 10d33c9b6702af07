//! Requests to take nodes off the list: handed to ingest, and what has become of the newest of them.

use api::PruneStatus;
use ingest::PruneHandle;
use model::{NodeKey, UnixMillis};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;

/// Requests that are remembered, the newest; they are not kept when the program ends.
const REMEMBERED: usize = 64;

/// Requests that wait for the disk at a time. Each takes a commit, so one after the other is soon done.
const MAX_PENDING: usize = 4;

/// Takes requests and answers what has become of them.
#[derive(Debug)]
pub(crate) struct Prunings {
    handle: PruneHandle,
    requests: Mutex<VecDeque<Request>>,
}

#[derive(Debug)]
struct Request {
    id: String,
    requested: UnixMillis,
    /// When it was done, and how many nodes are gone, or what went wrong.
    ended: Option<(UnixMillis, Result<u64, String>)>,
}

impl Prunings {
    /// None yet.
    pub(crate) fn new(handle: PruneHandle) -> Self {
        Self { handle, requests: Mutex::default() }
    }

    /// Begins; gives the number of the request, or nothing when there is enough to do already.
    pub(crate) fn begin(self: &Arc<Self>, keys: Vec<NodeKey>) -> Option<String> {
        let id = format!("{:016x}", RandomState::new().build_hasher().finish());
        {
            let mut requests = self.requests.lock();
            if requests.iter().filter(|request| request.ended.is_none()).count() >= MAX_PENDING {
                return None;
            }
            requests.push_back(Request { id: id.clone(), requested: UnixMillis::now(), ended: None });
            if requests.len() > REMEMBERED {
                requests.pop_front();
            }
        }
        let (prunings, of) = (Arc::clone(self), id.clone());
        let work = move || {
            tracing::info!(nodes = keys.len(), request = of, "nodes are taken off the list");
            let result = prunings.handle.prune(keys).map_err(|error| error.to_string());
            prunings.end(&of, result);
        };
        // It only waits for ingest and the disk.
        match std::thread::Builder::new().name("prune".to_owned()).spawn(work) {
            Ok(_) => Some(id),
            Err(error) => {
                self.end(&id, Err(error.to_string()));
                None
            }
        }
    }

    /// What has become of a request; `None` for one that is not known.
    pub(crate) fn status(&self, id: &str) -> Option<PruneStatus> {
        let requests = self.requests.lock();
        let Request { id, requested, ended } = requests.iter().find(|request| request.id == id)?;
        Some(match ended {
            None => PruneStatus::pending(id.clone()),
            Some((at, result)) => PruneStatus::ended(id.clone(), (*requested, *at), result.clone()),
        })
    }

    fn end(&self, id: &str, result: Result<u64, String>) {
        if let Err(error) = &result {
            tracing::error!(error, request = id, "nodes could not be taken off the list");
        }
        let mut requests = self.requests.lock();
        if let Some(request) = requests.iter_mut().find(|request| request.id == id) {
            request.ended = Some((UnixMillis::now(), result));
        }
    }
}
