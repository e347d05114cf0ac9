//! What is asked of packet threads: a few sessions at a time, so that no packet is later for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use stamp_metrics::SessionCounters;
use stamp_metrics::process::Process;
use stamp_metrics::program::Program;
use stamp_metrics::sender::{
    Now, SERIES_OF_A_SESSION, Sender, Session, Shared, Window, series_of_histograms,
};
use stamp_session::snapshot::SessionSnapshot;
use stamp_worker::sender::SenderAsker;

use super::{SenderSite, listing};
use crate::daemon::observer::Place;
use crate::happening::SessionInfo;

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
        self.of_each_worker(&places, |asker, worker, numbers| {
            asker.standings_of(numbers, |number, standing| {
                let seen = (SessionCounters::of(&standing), Now::from(standing));
                found.insert(Place { worker, number }, seen);
            });
        });
        let mut left = self.sources.web.series_limit;
        let mut posted = self.sources.board.read();
        let has_histograms = posted.has_histograms == Some(true);
        let waiting = posted.sessions.values().filter(|entry| entry.waits.is_some()).count();
        let mut sessions = Vec::with_capacity(found.len());
        let mut omitted = 0;
        let branches = posted.sessions.values_mut().flat_map(|entry| {
            let histograms = &entry.histograms;
            entry.branches.iter_mut().map(move |branch| (branch, histograms))
        });
        for (branch, histograms) in branches {
            let place = branch.runs.as_ref().map(|(place, _)| *place);
            let seen = place.and_then(|place| Some((place, found.remove(&place)?)));
            let now = seen.map(|(place, (counters, now))| {
                branch.ledger.take(place, &counters);
                now
            });
            let histograms = histograms.get(&branch.identity.name).filter(|_| has_histograms);
            let of_histograms = histograms.map_or(0, |it| series_of_histograms(it.buckets()));
            match left.checked_sub(SERIES_OF_A_SESSION + of_histograms) {
                Some(rest) => left = rest,
                None => {
                    omitted += 1;
                    continue;
                }
            }
            sessions.push(Session {
                identity: Arc::clone(&branch.identity),
                counters: *branch.ledger.told(),
                now,
                window: branch.window.clone(),
                histograms: histograms.cloned(),
                announced: branch.announced,
                broken: branch.broken,
            });
        }
        let (config, layers) = (posted.reloads, posted.layers.clone());
        let shard = self.sources.shard.map(|shard| (shard.number, shard.count));
        let discovery = listing::sources(&posted.discovery);
        let policies = posted.policies.all();
        drop(posted);
        self.tell_omitted(omitted, sessions.len());
        let program = Program {
            name: "stamp-sender",
            version: env!("CARGO_PKG_VERSION"),
            config,
            layers,
            sinks: self.sources.events.sinks(),
            evicted: self.evicted.load(Ordering::Relaxed),
            omitted,
            process: Process::read(),
        };
        let (running, lag) = (places.len(), Arc::clone(&self.sources.lag));
        Sender {
            program,
            running,
            waiting,
            has_histograms,
            lag,
            shard,
            discovery,
            policies,
            sessions,
        }
        .shared()
    }

    /// Sessions that run, as they are now.
    pub(super) fn seen(&self) -> Vec<Seen> {
        let mut found = HashMap::new();
        self.of_each_worker(&self.places(), |asker, worker, numbers| {
            asker.snapshots_of(numbers, |number, snapshot| {
                found.insert(Place { worker, number }, snapshot);
            });
        });
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

    /// Those of one worker after those of another.
    fn of_each_worker(&self, places: &[Place], mut ask: impl FnMut(&SenderAsker, usize, &[usize])) {
        for (worker, asker) in self.sources.askers.iter().enumerate() {
            let here = places.iter().filter(|place| place.worker == worker);
            let numbers: Vec<usize> = here.map(|place| place.number).collect();
            ask(asker, worker, &numbers);
        }
    }

    /// Once for each change.
    fn tell_omitted(&self, omitted: usize, told: usize) {
        if self.omitted.swap(omitted, Ordering::Relaxed) != omitted && omitted > 0 {
            tracing::error!(
                omitted,
                told,
                "sessions without metrics: raise web.series-limit, and the limits of Prometheus"
            );
        }
    }
}
