//! What is asked of packet threads: a few sessions at a time, so that no packet is later for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use stamp_metrics::SessionCounters;
use stamp_metrics::process::Process;
use stamp_metrics::program::Program;
use stamp_metrics::sender::{Now, SERIES_OF_A_SESSION, Sender, Session, Shared, Window};
use stamp_session::snapshot::SessionSnapshot;

use super::SenderSite;
use crate::daemon::observer::Place;
use crate::happening::SessionInfo;

/// Sessions that a packet thread is asked for at a time.
const SLICE: usize = 16;

/// A session that runs, as it is now.
pub(super) struct Seen {
    pub(super) info: Arc<SessionInfo>,
    pub(super) now: SessionSnapshot,
    pub(super) window: Option<Window>,
}

impl SenderSite {
    /// Everything there is to tell now.
    pub(super) fn scrape(&self) -> Shared {
        let places = self.places();
        let mut found = HashMap::with_capacity(places.len());
        self.ask(&places, |place, snapshot| {
            found.insert(place, (SessionCounters::of(&snapshot), Now::from(snapshot)));
        });
        let most = self.sources.service.web.series_limit / SERIES_OF_A_SESSION;
        let mut posted = self.sources.board.read();
        let waiting = posted.sessions.values().filter(|entry| entry.waits.is_some()).count();
        let mut sessions = Vec::with_capacity(found.len());
        let mut omitted = 0;
        for branch in posted.sessions.values_mut().flat_map(|entry| &mut entry.branches) {
            let place = branch.runs.as_ref().map(|(place, _)| *place);
            let seen = place.and_then(|place| Some((place, found.remove(&place)?)));
            let now = seen.map(|(place, (counters, now))| {
                branch.ledger.take(place, &counters);
                now
            });
            if sessions.len() >= most {
                omitted += 1;
                continue;
            }
            sessions.push(Session {
                identity: Arc::clone(&branch.identity),
                counters: *branch.ledger.told(),
                now,
                window: branch.window.clone(),
            });
        }
        let config = posted.reloads;
        drop(posted);
        self.tell_omitted(omitted, most);
        let program = Program {
            name: "stamp-sender",
            version: env!("CARGO_PKG_VERSION"),
            config,
            sinks: self.sources.events.sinks(),
            evicted: self.evicted.load(Ordering::Relaxed),
            omitted,
            process: Process::read(),
        };
        Sender { program, running: places.len(), waiting, sessions }.shared()
    }

    /// Sessions that run, as they are now.
    pub(super) fn seen(&self) -> Vec<Seen> {
        let mut found = HashMap::new();
        self.ask(&self.places(), |place, snapshot| drop(found.insert(place, snapshot)));
        let posted = self.sources.board.read();
        let branches = posted.sessions.values().flat_map(|entry| &entry.branches);
        let seen = branches.filter_map(|branch| {
            let (place, info) = branch.runs.as_ref()?;
            let now = found.remove(place)?;
            Some(Seen { info: Arc::clone(info), now, window: branch.window.clone() })
        });
        seen.collect()
    }

    fn places(&self) -> Vec<Place> {
        let posted = self.sources.board.read();
        let branches = posted.sessions.values().flat_map(|entry| &entry.branches);
        branches.filter_map(|branch| branch.runs.as_ref().map(|(place, _)| *place)).collect()
    }

    /// Hands on every snapshot that there is, those of one worker after those of another.
    fn ask(&self, places: &[Place], mut take: impl FnMut(Place, SessionSnapshot)) {
        for (worker, asker) in self.sources.askers.iter().enumerate() {
            let here = places.iter().filter(|place| place.worker == worker);
            let numbers: Vec<usize> = here.map(|place| place.number).collect();
            for slice in numbers.chunks(SLICE) {
                let snapshots = asker.snapshots_of(slice.to_vec()).unwrap_or_default();
                for (number, snapshot) in slice.iter().zip(snapshots) {
                    if let Some(snapshot) = snapshot {
                        take(Place { worker, number: *number }, snapshot);
                    }
                }
            }
        }
    }

    /// Once for each change.
    fn tell_omitted(&self, omitted: usize, most: usize) {
        if self.omitted.swap(omitted, Ordering::Relaxed) != omitted && omitted > 0 {
            tracing::error!(
                omitted,
                told = most,
                "sessions without metrics: raise web.series-limit, and the limits of Prometheus"
            );
        }
    }
}
