//! How much the API does for whom: places for requests at a time by class, time for each, requests a second by client.
//!
//! What is over a limit is answered at once, with a problem that names the limit and says when to come again. Nothing
//! here grows with what clients send.

mod addresses;
mod class;
mod client;
mod deadline;
mod places;

pub(crate) use addresses::Addresses;
pub(crate) use class::{RequestClass, class_of};
pub(crate) use client::{Peer, client_address};
pub(crate) use deadline::Deadline;
pub(crate) use places::{Busy, Places};

use index::Limit;
use std::sync::atomic::{AtomicU64, Ordering};

/// The limits' state and their counters.
pub(crate) struct Limits {
    quick: ClassState,
    list: ClassState,
    scan: ClassState,
    write: ClassState,
    /// Who has asked how often.
    pub(crate) addresses: Addresses,
}

/// What is counted of a class of requests.
#[derive(Default)]
struct ClassState {
    places: Option<Places>,
    busy: AtomicU64,
    over_time: AtomicU64,
    over_rows: AtomicU64,
}

/// A class in numbers, since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClassFigures {
    pub(crate) class: RequestClass,
    pub(crate) running: usize,
    pub(crate) waiting: usize,
    pub(crate) refused_busy: u64,
    pub(crate) over_time: u64,
    pub(crate) over_rows: u64,
}

impl Limits {
    pub(crate) fn new() -> Self {
        let state = |class: RequestClass| ClassState {
            places: class.limits().map(|limits| Places::new(limits.running, limits.waiting)),
            ..ClassState::default()
        };
        Self {
            quick: state(RequestClass::Quick),
            list: state(RequestClass::List),
            scan: state(RequestClass::Scan),
            write: state(RequestClass::Write),
            addresses: Addresses::default(),
        }
    }

    /// The places of a class; none for requests that always find one.
    pub(crate) fn places(&self, class: RequestClass) -> Option<&Places> {
        self.state(class)?.places.as_ref()
    }

    pub(crate) fn count_busy(&self, class: RequestClass) {
        if let Some(state) = self.state(class) {
            state.busy.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn count_over(&self, class: RequestClass, what: Limit) {
        if let Some(state) = self.state(class) {
            let counter = match what {
                Limit::Time => &state.over_time,
                Limit::Rows => &state.over_rows,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All classes that have limits.
    pub(crate) fn figures(&self) -> Vec<ClassFigures> {
        let of = |class: RequestClass| {
            let state = self.state(class)?;
            Some(ClassFigures {
                class,
                running: state.places.as_ref().map_or(0, Places::running),
                waiting: state.places.as_ref().map_or(0, Places::waiting),
                refused_busy: state.busy.load(Ordering::Relaxed),
                over_time: state.over_time.load(Ordering::Relaxed),
                over_rows: state.over_rows.load(Ordering::Relaxed),
            })
        };
        RequestClass::LIMITED.into_iter().filter_map(of).collect()
    }

    fn state(&self, class: RequestClass) -> Option<&ClassState> {
        match class {
            RequestClass::Quick => Some(&self.quick),
            RequestClass::List => Some(&self.list),
            RequestClass::Scan => Some(&self.scan),
            RequestClass::Write => Some(&self.write),
            RequestClass::Unlimited => None,
        }
    }
}
