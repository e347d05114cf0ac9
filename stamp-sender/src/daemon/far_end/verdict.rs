//! Which direction of a session is broken while no reply comes.
//!
//! The far end tells of probes that it misses. Where it has not, after a while it is asked when it saw the
//! latest probe: one that arrived during the outage means that the way back is broken.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use stamp_session::sender::MeasuredDirection;

/// How much longer than a gap between two probes the far end is given to tell by itself.
const GRACE: Duration = Duration::from_secs(1);

/// How a session probes, as far as an outage is concerned.
#[derive(Clone, Copy, Debug)]
pub(in crate::daemon) struct Rhythm {
    /// The longest time between two probes.
    pub(in crate::daemon) gap: Duration,
    /// How long a reply is awaited.
    pub(in crate::daemon) timeout: Duration,
}

/// Which way is broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::daemon) enum Broken {
    /// That of probes.
    Forward,
    /// That of replies.
    Backward,
}

impl Broken {
    /// The direction of a measurement.
    pub(in crate::daemon) const fn direction(self) -> MeasuredDirection {
        match self {
            Self::Forward => MeasuredDirection::Forward,
            Self::Backward => MeasuredDirection::Backward,
        }
    }

    /// Its name in every output.
    pub(in crate::daemon) const fn label(self) -> &'static str {
        self.direction().label()
    }

    /// What tells so.
    pub(in crate::daemon) const fn reason(self) -> &'static str {
        match self {
            Self::Forward => "far_end_misses_probes",
            Self::Backward => "far_end_hears_probes",
        }
    }
}

/// Outages of sessions with a name each.
#[derive(Debug)]
pub(in crate::daemon) struct Outages<K> {
    sessions: BTreeMap<K, Known>,
}

impl<K> Default for Outages<K> {
    fn default() -> Self {
        Self { sessions: BTreeMap::new() }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// Probes do not arrive, as the far end tells.
    is_missed: bool,
    outage: Option<Outage>,
}

#[derive(Clone, Copy, Debug)]
struct Outage {
    since: Instant,
    rhythm: Rhythm,
    /// When the far end is asked.
    due: Option<Instant>,
    told: Option<Broken>,
}

impl<K: Ord + Clone> Outages<K> {
    /// No reply comes any more; which way is broken if that is known already.
    pub(in crate::daemon) fn down(
        &mut self,
        session: &K,
        is_heard: bool,
        rhythm: Rhythm,
        now: Instant,
    ) -> Option<Broken> {
        let known = self.sessions.entry(session.clone()).or_default();
        let due = is_heard.then(|| now + rhythm.gap + GRACE);
        let told = known.is_missed.then_some(Broken::Forward);
        known.outage = Some(Outage { since: now, rhythm, due, told });
        told
    }

    /// Replies come again, or the session is no more.
    pub(in crate::daemon) fn over(&mut self, session: &K) {
        if let Some(known) = self.sessions.get_mut(session) {
            known.outage = None;
            if !known.is_missed {
                self.sessions.remove(session);
            }
        }
    }

    /// Which way a session is broken, as far as it was told.
    pub(in crate::daemon) fn known(&self, session: &K) -> Option<Broken> {
        self.sessions.get(session)?.outage?.told
    }

    /// Forgets all others.
    pub(in crate::daemon) fn retain(&mut self, stays: impl Fn(&K) -> bool) {
        self.sessions.retain(|session, _| stays(session));
    }

    /// The far end says that probes arrive no more, or again; which way is broken if that is news.
    pub(in crate::daemon) fn told(
        &mut self,
        session: &K,
        is_missed: bool,
        now: Instant,
    ) -> Option<Broken> {
        let known = self.sessions.entry(session.clone()).or_default();
        known.is_missed = is_missed;
        match &mut known.outage {
            Some(outage) if is_missed && outage.told != Some(Broken::Forward) => {
                outage.told = Some(Broken::Forward);
                outage.told
            }
            Some(outage) if !is_missed && outage.told == Some(Broken::Forward) => {
                // Where no reply comes all the same, it was not the way there alone.
                outage.told = None;
                outage.due = Some(now + outage.rhythm.gap + GRACE);
                None
            }
            Some(_) => None,
            None => {
                if !is_missed {
                    self.sessions.remove(session);
                }
                None
            }
        }
    }

    /// The far end of these sessions is not heard any more: its silence says nothing.
    pub(in crate::daemon) fn unheard(&mut self, is_concerned: impl Fn(&K) -> bool) {
        for (session, known) in &mut self.sessions {
            if is_concerned(session) {
                known.is_missed = false;
                if let Some(outage) = &mut known.outage {
                    outage.due = None;
                }
            }
        }
    }

    /// When [`Self::take_due`] has something to do.
    pub(in crate::daemon) fn next_due(&self) -> Option<Instant> {
        self.sessions.values().filter_map(Known::due).min()
    }

    /// Sessions whose far end is to be asked now.
    pub(in crate::daemon) fn take_due(&mut self, now: Instant) -> Vec<K> {
        let is_due = |known: &Known| known.due().is_some_and(|due| due <= now);
        let due = self.sessions.iter_mut().filter(|(_, known)| is_due(known));
        due.filter_map(|(session, known)| {
            known.outage.as_mut()?.due = None;
            Some(session.clone())
        })
        .collect()
    }

    /// The far end saw the latest probe of a session so long ago; which way is broken if that is news.
    pub(in crate::daemon) fn seen(
        &mut self,
        session: &K,
        idle: Duration,
        now: Instant,
    ) -> Option<Broken> {
        let outage = self.sessions.get_mut(session)?.outage.as_mut()?;
        if outage.told.is_some() {
            return None;
        }
        let Rhythm { gap, timeout } = outage.rhythm;
        // The first probe that was lost left before this; half-way to it, nobody can be mistaken.
        let silence = now.saturating_duration_since(outage.since) + timeout;
        let least = gap + silence.saturating_sub(gap) / 2;
        outage.told = Some(if idle < least { Broken::Backward } else { Broken::Forward });
        outage.told
    }
}

impl Known {
    /// Nothing is due of what was told already.
    fn due(&self) -> Option<Instant> {
        self.outage.filter(|outage| outage.told.is_none())?.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const RHYTHM: Rhythm = Rhythm { gap: SECOND, timeout: SECOND };

    fn due(now: Instant) -> Instant {
        now + RHYTHM.gap + GRACE
    }

    #[test]
    fn a_far_end_that_misses_probes_says_forward_before_or_after() {
        let (mut outages, now) = (Outages::default(), Instant::now());
        assert_eq!(outages.told(&"a", true, now), None, "no outage here yet");
        assert_eq!(outages.down(&"a", true, RHYTHM, now), Some(Broken::Forward));
        assert_eq!(outages.down(&"b", true, RHYTHM, now), None);
        assert_eq!(outages.told(&"b", true, now), Some(Broken::Forward));
        assert_eq!(outages.told(&"b", true, now), None, "that is no news");
        assert_eq!((outages.next_due(), outages.take_due(due(now))), (None, Vec::new()));
    }

    #[test]
    fn a_far_end_that_says_nothing_is_asked_once_when_it_saw_a_probe() {
        for (idle, broken) in [
            (Duration::ZERO, Broken::Backward),
            (SECOND, Broken::Backward),
            (SECOND * 3, Broken::Forward),
        ] {
            let (mut outages, now) = (Outages::default(), Instant::now());
            assert_eq!(outages.down(&"a", true, RHYTHM, now), None);
            assert_eq!(outages.next_due(), Some(due(now)));
            assert!(outages.take_due(now + SECOND).is_empty());
            assert_eq!(outages.take_due(due(now)), ["a"]);
            assert_eq!((outages.next_due(), outages.take_due(due(now))), (None, Vec::new()));
            assert_eq!(outages.seen(&"a", idle, due(now)), Some(broken), "{idle:?}");
            assert_eq!(outages.seen(&"a", idle, due(now)), None, "that is no news");
        }
    }

    #[test]
    fn what_is_told_goes_before_what_was_concluded() {
        let (mut outages, now) = (Outages::default(), Instant::now());
        outages.down(&"a", true, RHYTHM, now);
        assert_eq!(outages.seen(&"a", SECOND, due(now)), Some(Broken::Backward));
        assert_eq!(outages.told(&"a", true, now), Some(Broken::Forward), "it broke as well");
    }

    #[test]
    fn a_far_end_that_gets_probes_again_is_asked_unless_replies_come_too() {
        let (mut outages, now) = (Outages::default(), Instant::now());
        for session in ["a", "b"] {
            assert_eq!(outages.told(&session, true, now), None);
            assert_eq!(outages.down(&session, true, RHYTHM, now), Some(Broken::Forward));
            assert_eq!(outages.told(&session, false, now + SECOND), None);
        }
        outages.over(&"b");
        assert_eq!((outages.known(&"a"), outages.known(&"b")), (None, None));
        assert_eq!(outages.take_due(due(now + SECOND)), ["a"]);
        let seen = outages.seen(&"a", Duration::ZERO, due(now + SECOND));
        assert_eq!(seen, Some(Broken::Backward));
        assert_eq!(outages.known(&"a"), seen);
    }

    #[test]
    fn whoever_is_not_heard_is_not_asked() {
        let (mut outages, now) = (Outages::default(), Instant::now());
        assert_eq!(outages.down(&"a", false, RHYTHM, now), None);
        assert_eq!(outages.down(&"b", true, RHYTHM, now), None);
        outages.unheard(|session| *session == "b");
        assert_eq!(outages.next_due(), None);
        assert_eq!(outages.told(&"a", true, now), Some(Broken::Forward), "it is heard again");
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let (mut outages, now) = (Outages::default(), Instant::now());
        outages.down(&"a", true, RHYTHM, now);
        outages.over(&"a");
        assert_eq!(outages.next_due(), None);
        assert_eq!(outages.told(&"a", true, now), None);
        assert_eq!(outages.seen(&"a", SECOND, now), None);
        assert_eq!(outages.told(&"a", false, now), None);
        assert!(outages.sessions.is_empty());
        outages.down(&"a", true, RHYTHM, now);
        outages.down(&"b", true, RHYTHM, now);
        outages.retain(|session| *session == "b");
        assert_eq!(outages.take_due(due(now)), ["b"]);
    }
}
