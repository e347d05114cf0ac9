//! The way from the control side to a sink: bounded, and never waited for.
//!
//! What finds the queue full is dropped and counted. Whoever takes from the queue is told where how
//! much is missing, so that it can say so in its own stream.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use stamp_metrics::feed::Told;
use stamp_metrics::program::Sink;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// What becomes of the events of a sink.
#[derive(Debug, Default)]
pub(in crate::daemon) struct Counts {
    /// On their way.
    queued: AtomicU64,
    /// Got where they were to go.
    delivered: AtomicU64,
    /// Found no place in the queue.
    overflowed: AtomicU64,
    /// Never got where they were to go, though the sink had them.
    failed: AtomicU64,
    /// Attempts that went wrong, those that were made again included.
    failures: AtomicU64,
}

impl Counts {
    /// So many are done with.
    pub(in crate::daemon) fn delivered(&self, events: u64) {
        self.queued.fetch_sub(events, Ordering::Relaxed);
        self.delivered.fetch_add(events, Ordering::Relaxed);
    }

    /// An attempt went wrong; what is to become of its events is another question.
    pub(in crate::daemon) fn went_wrong(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// So many are given up.
    pub(in crate::daemon) fn failed(&self, events: u64) {
        self.queued.fetch_sub(events, Ordering::Relaxed);
        self.failed.fetch_add(events, Ordering::Relaxed);
    }
}

/// The counts of every sink by its name; they go on when a reload opens a sink anew.
#[derive(Clone, Debug, Default)]
pub(in crate::daemon) struct Sinks(Arc<Mutex<BTreeMap<String, Arc<Counts>>>>);

impl Sinks {
    /// Those of the sink of this name.
    pub(in crate::daemon) fn of(&self, name: &str) -> Arc<Counts> {
        let mut sinks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = match sinks.entry(name.to_owned()) {
            Slot::Occupied(known) => known.into_mut(),
            Slot::Vacant(new) => new.insert(Arc::default()),
        };
        Arc::clone(counts)
    }

    /// As metrics tell them.
    pub(in crate::daemon) fn all(&self) -> Vec<Sink> {
        let sinks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sink = |(name, counts): (&String, &Arc<Counts>)| {
            let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
            let dropped = get(&counts.overflowed).saturating_add(get(&counts.failed));
            Sink {
                name: name.clone(),
                delivered: get(&counts.delivered),
                dropped,
                failures: get(&counts.failures),
                queued: get(&counts.queued),
            }
        };
        sinks.iter().map(sink).collect()
    }
}

/// What waits in a queue.
enum Item {
    Told {
        told: Arc<Told>,
        /// So many had found no place when this one did.
        overflowed: u64,
    },
    Nudge,
}

/// The control side's end.
pub(super) struct Queue {
    items: Sender<Item>,
    counts: Arc<Counts>,
}

/// What whoever takes from a queue meets next.
#[derive(Debug)]
pub(super) enum Next {
    /// An event.
    Told(Arc<Told>),
    /// So many are missing here.
    Missing(u64),
    /// The control side wants to be looked after.
    Nudge,
}

/// The sink's end.
pub(super) struct Inbox {
    items: Receiver<Item>,
    held: Option<Arc<Told>>,
    /// So many were told to be missing.
    missing: u64,
    counts: Arc<Counts>,
}

/// Both ends of a queue that so many events fit into.
pub(super) fn queue(capacity: usize, counts: &Arc<Counts>) -> (Queue, Inbox) {
    let (sender, receiver) = mpsc::channel(capacity);
    let missing = counts.overflowed.load(Ordering::Relaxed);
    let inbox = Inbox { items: receiver, held: None, missing, counts: Arc::clone(counts) };
    (Queue { items: sender, counts: Arc::clone(counts) }, inbox)
}

impl Queue {
    /// Hands on an event, if there is room for it.
    pub(super) fn offer(&self, told: &Arc<Told>) {
        let overflowed = self.counts.overflowed.load(Ordering::Relaxed);
        // First: whoever takes it counts it off.
        self.counts.queued.fetch_add(1, Ordering::Relaxed);
        let item = Item::Told { told: Arc::clone(told), overflowed };
        if self.items.try_send(item).is_err() {
            self.counts.queued.fetch_sub(1, Ordering::Relaxed);
            self.counts.overflowed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Has the sink look up. One that is busy does so anyway.
    pub(super) fn nudge(&self) {
        let _ = self.items.try_send(Item::Nudge);
    }
}

impl Inbox {
    /// What comes next; waits for it. None when the control side has let go and nothing is left.
    pub(super) fn blocking_next(&mut self) -> Option<Next> {
        match self.at_hand() {
            Some(next) => next,
            None => {
                let item = self.items.blocking_recv()?;
                Some(self.take(item))
            }
        }
    }

    /// The same for a task. What it would have given is not lost when it is dropped.
    pub(super) async fn next(&mut self) -> Option<Next> {
        match self.at_hand() {
            Some(next) => next,
            None => {
                let item = self.items.recv().await?;
                Some(self.take(item))
            }
        }
    }

    /// What there is without waiting: something, or the end of everything.
    fn at_hand(&mut self) -> Option<Option<Next>> {
        if let Some(told) = self.held.take() {
            return Some(Some(Next::Told(told)));
        }
        match self.items.try_recv() {
            Ok(item) => Some(Some(self.take(item))),
            Err(error) => {
                // Everything before what found no place has been taken.
                let missing = self.missing_until(self.counts.overflowed.load(Ordering::Relaxed));
                match (missing, error) {
                    (Some(missing), _) => Some(Some(missing)),
                    (None, TryRecvError::Empty) => None,
                    (None, TryRecvError::Disconnected) => Some(None),
                }
            }
        }
    }

    fn take(&mut self, item: Item) -> Next {
        let (told, overflowed) = match item {
            Item::Nudge => return Next::Nudge,
            Item::Told { told, overflowed } => (told, overflowed),
        };
        match self.missing_until(overflowed) {
            Some(missing) => {
                self.held = Some(told);
                missing
            }
            None => Next::Told(told),
        }
    }

    fn missing_until(&mut self, overflowed: u64) -> Option<Next> {
        let count = overflowed.saturating_sub(self.missing);
        self.missing = self.missing.max(overflowed);
        (count > 0).then_some(Next::Missing(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(number: u64) -> Arc<Told> {
        let line = format!("{{\"number\":{number}}}");
        Arc::new(Told { number, kind: "state", session: Some("a".to_owned()), line })
    }

    fn taken(inbox: &mut Inbox) -> Vec<String> {
        let mut taken = Vec::new();
        while let Some(Some(next)) = inbox.at_hand() {
            taken.push(match next {
                Next::Told(told) => told.number.to_string(),
                Next::Missing(count) => format!("{count} missing"),
                Next::Nudge => "nudge".to_owned(),
            });
        }
        taken
    }

    #[test]
    fn what_finds_no_place_is_missing_where_it_would_have_been() {
        let sinks = Sinks::default();
        let (queue, mut inbox) = queue(3, &sinks.of("file"));
        (0..5).for_each(|number| queue.offer(&told(number)));
        let counted = &sinks.all()[0];
        assert_eq!((counted.dropped, counted.queued), (2, 3));
        assert_eq!(taken(&mut inbox), ["0", "1", "2", "2 missing"]);
        (5..7).for_each(|number| queue.offer(&told(number)));
        assert_eq!(taken(&mut inbox), ["5", "6"], "told once");
        (7..11).for_each(|number| queue.offer(&told(number)));
        assert_eq!(inbox.items.len(), 3);
        let first = inbox.at_hand();
        assert!(matches!(first, Some(Some(Next::Told(told))) if told.number == 7));
        queue.offer(&told(11));
        assert_eq!(taken(&mut inbox), ["8", "9", "1 missing", "11"]);
    }

    #[test]
    fn what_is_left_is_taken_before_the_end() {
        let (queue, mut inbox) = queue(1, &Arc::default());
        (0..3).for_each(|number| queue.offer(&told(number)));
        drop(queue);
        assert_eq!(taken(&mut inbox), ["0", "2 missing"]);
        assert!(matches!(inbox.at_hand(), Some(None)));
    }

    #[test]
    fn counts_go_on_when_a_sink_is_opened_anew() {
        let sinks = Sinks::default();
        let (first, _inbox) = queue(1, &sinks.of("file"));
        (0..3).for_each(|number| first.offer(&told(number)));
        let (_second, mut inbox) = queue(1, &sinks.of("file"));
        assert!(inbox.at_hand().is_none(), "what was lost before is not this one's");
        sinks.of("file").failed(1);
        let counted = &sinks.all()[0];
        assert_eq!((counted.name.as_str(), counted.dropped, counted.queued), ("file", 3, 0));
    }
}
