//! Which series there are, and how each is read.

use crate::{SeriesInfo, SeriesKind, Unit};

/// The place of a series in its [`Catalogue`], in samples and in everything that is kept of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub u16);

impl SeriesId {
    /// As an index into a sample.
    pub fn place(self) -> usize {
        usize::from(self.0)
    }
}

/// The series that the books keep, in the order of their registration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    infos: Vec<SeriesInfo>,
}

impl Catalogue {
    /// Of these series.
    pub fn new(infos: Vec<SeriesInfo>) -> Self {
        Self { infos }
    }

    /// The series called so.
    pub fn find(&self, name: &str) -> Option<SeriesId> {
        let place = self.infos.iter().position(|info| info.name == name)?;
        u16::try_from(place).ok().map(SeriesId)
    }

    /// What is known of a series.
    pub fn info(&self, id: SeriesId) -> &SeriesInfo {
        &self.infos[id.place()]
    }

    /// All, in order.
    pub fn infos(&self) -> &[SeriesInfo] {
        &self.infos
    }

    /// Those whose name begins so, with the rest of the name.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (SeriesId, &'a str)> {
        let named = self.infos.iter().enumerate();
        named.filter_map(move |(place, info)| {
            Some((SeriesId(u16::try_from(place).ok()?), info.name.strip_prefix(prefix)?))
        })
    }
}

/// Fills its places of a sample.
type Reader = Box<dyn FnMut(&mut [u64]) + Send>;

/// The series with the ways to read them. Reading must not allocate and must not wait.
///
/// ```
/// use std::sync::Arc;
/// use telemetry::Counter;
/// use xray::{Sources, Unit};
///
/// let written = Arc::new(Counter::new());
/// let mut sources = Sources::default();
/// let read = Arc::clone(&written);
/// sources.counter("written.packets.wal", Unit::Bytes, "bytes of packets in the log", move || read.get());
/// written.add(4120);
/// let mut sample = vec![0; sources.catalogue().infos().len()];
/// sources.read(&mut sample);
/// assert_eq!(sample, [4120]);
/// ```
#[derive(Default)]
pub struct Sources {
    catalogue: Catalogue,
    readers: Vec<(usize, usize, Reader)>,
}

impl Sources {
    /// Adds a number that only grows.
    pub fn counter(
        &mut self,
        name: &str,
        unit: Unit,
        help: &str,
        read: impl FnMut() -> u64 + Send + 'static,
    ) -> SeriesId {
        self.one(info(name, SeriesKind::Counter, unit, help), read)
    }

    /// Adds a number that goes up and down.
    pub fn gauge(
        &mut self,
        name: &str,
        unit: Unit,
        help: &str,
        read: impl FnMut() -> u64 + Send + 'static,
    ) -> SeriesId {
        self.one(info(name, SeriesKind::Gauge, unit, help), read)
    }

    /// Adds several that are read together; the reader is given as many places as there are series. Returns the first.
    ///
    /// # Panics
    /// When a name is there already, or when there are more than 65,535 series: both are faults of the program.
    pub fn group(&mut self, infos: &[SeriesInfo], read: impl FnMut(&mut [u64]) + Send + 'static) -> SeriesId {
        let first = self.catalogue.infos.len();
        for info in infos {
            assert!(self.catalogue.find(&info.name).is_none(), "series {} is registered twice", info.name);
            self.catalogue.infos.push(info.clone());
        }
        self.readers.push((first, infos.len(), Box::new(read)));
        SeriesId(u16::try_from(first).expect("there are fewer series than 65,536"))
    }

    fn one(&mut self, info: SeriesInfo, mut read: impl FnMut() -> u64 + Send + 'static) -> SeriesId {
        self.group(&[info], move |places| places[0] = read())
    }

    /// What is registered.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Reads all of them into a sample of as many places as there are series.
    pub fn read(&mut self, sample: &mut [u64]) {
        for (first, count, read) in &mut self.readers {
            read(&mut sample[*first..*first + *count]);
        }
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").field("catalogue", &self.catalogue).finish_non_exhaustive()
    }
}

/// What is known of a series.
pub fn info(name: &str, kind: SeriesKind, unit: Unit, help: &str) -> SeriesInfo {
    SeriesInfo { name: name.to_owned(), kind, unit, help: help.to_owned() }
}
