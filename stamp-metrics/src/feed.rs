//! The latest events of a program, for whoever asks for them or listens.
//!
//! They stand in one ring, whose size bounds what all listeners together cost. Each listener has a
//! place in it; one that falls behind so far that its place is overwritten goes on with the oldest
//! that is left, and is told how many it missed.

mod listener;
mod wanted;

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::program::Sink;
pub use listener::Listener;
pub use wanted::Wanted;

/// An event as it is told: made once, handed to whoever wants it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    /// They are numbered as they are told, from 1.
    pub number: u64,
    /// What it is about, in one word.
    pub kind: &'static str,
    /// The session that it is about; none where it is about more than one.
    pub session: Option<String>,
    /// A JSON object, in one line.
    pub line: String,
}

/// What listeners are called among sinks.
const SINK: &str = "sse";

/// The latest events.
pub struct Feed {
    ring: Mutex<Ring>,
    /// The number of the latest.
    news: watch::Sender<u64>,
    /// Tells the numbers of this run of the program from those of another.
    era: u64,
    /// An event that says how many are missing.
    missing: fn(u64) -> String,
    /// Events that were sent to listeners, and those that they missed.
    sent: AtomicU64,
    missed: AtomicU64,
    /// Where listeners stand.
    cursors: Mutex<Vec<Weak<AtomicU64>>>,
}

struct Ring {
    told: VecDeque<Arc<Told>>,
    capacity: usize,
    /// The number of the next one.
    next: u64,
}

impl Feed {
    /// Without events yet; the latest `capacity` of them will be kept. `missing` makes an event that
    /// says that so many are missing.
    #[must_use]
    pub fn new(capacity: usize, missing: fn(u64) -> String) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            ring: Mutex::new(Ring { told: VecDeque::new(), capacity, next: 1 }),
            news: watch::Sender::new(0),
            era: u64::try_from(since.as_millis()).unwrap_or_default(),
            missing,
            sent: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            cursors: Mutex::default(),
        }
    }

    /// From now on so many are kept.
    pub fn keep(&self, capacity: usize) {
        let mut ring = self.ring();
        ring.capacity = capacity;
        ring.shorten();
    }

    /// Whether anybody listens now.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.news.receiver_count() > 0
    }

    /// Tells an event. Never waits for a listener.
    pub fn tell(&self, kind: &'static str, session: Option<String>, line: String) -> Arc<Told> {
        let mut ring = self.ring();
        let number = ring.next;
        let told = Arc::new(Told { number, kind, session, line });
        ring.next += 1;
        ring.told.push_back(Arc::clone(&told));
        ring.shorten();
        drop(ring);
        self.news.send_replace(number);
        told
    }

    /// The latest `most` that are wanted, the oldest of them first, and the identifier to listen on from.
    #[must_use]
    pub fn latest(&self, wanted: &Wanted, most: usize) -> (Vec<Arc<Told>>, String) {
        let ring = self.ring();
        let found = ring.told.iter().rev().filter(|told| wanted.wants(told)).take(most);
        let mut latest: Vec<_> = found.cloned().collect();
        latest.reverse();
        (latest, self.id(ring.next - 1))
    }

    /// Listens to what is told from now on, or behind the event of an identifier.
    #[must_use]
    pub fn listen(self: &Arc<Self>, wanted: Wanted, after: Option<&str>) -> Listener {
        let ring = self.ring();
        let cursor = match after.map(|id| self.number(id)) {
            None => ring.next,
            Some(Some(number)) => number.saturating_add(1).min(ring.next),
            // Of another run: everything of this one is news.
            Some(None) => ring.oldest(),
        };
        drop(ring);
        let cursor = Arc::new(AtomicU64::new(cursor));
        let mut cursors = self.cursors.lock().unwrap_or_else(PoisonError::into_inner);
        cursors.retain(|known| known.strong_count() > 0);
        cursors.push(Arc::downgrade(&cursor));
        Listener::new(Arc::clone(self), wanted, cursor)
    }

    /// What listeners got and missed, all of them together, and how far the last of them is behind.
    #[must_use]
    pub fn sink(&self) -> Sink {
        let next = self.ring().next;
        let cursors = self.cursors.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = cursors
            .iter()
            .filter_map(Weak::upgrade)
            .map(|cursor| next.saturating_sub(cursor.load(Ordering::Relaxed)));
        Sink {
            name: SINK.to_owned(),
            delivered: self.sent.load(Ordering::Relaxed),
            dropped: self.missed.load(Ordering::Relaxed),
            failures: 0,
            queued: behind.max().unwrap_or_default(),
        }
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.era)
    }

    /// The number of an identifier of this run.
    fn number(&self, id: &str) -> Option<u64> {
        let (era, number) = id.split_once('-')?;
        (era.parse() == Ok(self.era)).then(|| number.parse().ok()).flatten()
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn oldest(&self) -> u64 {
        self.next.saturating_sub(self.told.len() as u64)
    }

    fn shorten(&mut self) {
        let surplus = self.told.len().saturating_sub(self.capacity);
        self.told.drain(..surplus);
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("era", &self.era).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
