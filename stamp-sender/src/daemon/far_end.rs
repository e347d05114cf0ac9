//! What Session-Reflectors tell of our probes: which sessions they miss, and when probes arrived that want
//! no reply (draft-gandhi-spring-enhanced-srpm §5).

mod asking;
mod listening;
mod told;
mod verdict;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use stamp_session::sender::{Schedule, SessionState};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::config::Reflector;
use super::observer::Place;
use crate::happening::SessionInfo;
use crate::output::heard::Tally;
use listening::Listening;
pub(super) use told::{SessionKey, Told};
pub(super) use verdict::Broken;
use verdict::{Outages, Rhythm};

/// Things that are told and wait to be acted upon.
const QUEUE: usize = 4_096;
/// Probes of a Poisson schedule are further apart than so many means once in 22 000 times.
const LONGEST_OF_MEANS: u32 = 10;

/// Something that a Session-Reflector told, or that became of it.
#[derive(Debug)]
pub(super) enum Word {
    /// It is heard from now on.
    Heard,
    /// It is not, for a reason.
    Unheard(String),
    /// It tells.
    Told(Told),
    /// It was asked: how long ago it saw the latest probe of each session.
    Seen(Vec<(SessionKey, Duration)>),
}

/// Which way of a session is broken, and what tells so.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) broken: Broken,
    /// What the far end misses, where it told.
    pub(super) missed: Option<Missed>,
    /// What was counted until the session went down.
    pub(super) tally: Tally,
}

/// Probes that a far end misses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Missed {
    /// How many.
    pub(super) count: Option<i64>,
    /// The first and the last.
    pub(super) sequences: Option<(u32, u32)>,
}

/// A session that is down.
#[derive(Clone, Copy, Debug)]
struct Down {
    far_end: IpAddr,
    tally: Tally,
}

/// All of them.
pub(super) struct FarEnds {
    listening: BTreeMap<Reflector, (Listening, bool)>,
    words: Receiver<(Reflector, Word)>,
    telling: Sender<(Reflector, Word)>,
    outages: Outages<Place>,
    down: BTreeMap<Place, Down>,
    /// What far ends miss of sessions.
    missed: BTreeMap<Place, Missed>,
}

impl Default for FarEnds {
    fn default() -> Self {
        let (telling, words) = channel(QUEUE);
        let (listening, outages, down, missed) = Default::default();
        Self { listening, words, telling, outages, down, missed }
    }
}

impl FarEnds {
    /// Listens to these from now on; what stays is not interrupted. Those that have gone are not heard any more.
    pub(super) fn listen_to(&mut self, reflectors: &[Reflector]) -> Vec<Reflector> {
        let gone: Vec<Reflector> =
            self.listening.keys().filter(|it| !reflectors.contains(it)).cloned().collect();
        for reflector in &gone {
            self.listening.remove(reflector);
            self.unheard(reflector);
        }
        for reflector in reflectors {
            self.listening.entry(reflector.clone()).or_insert_with(|| {
                (Listening::begin(reflector.clone(), self.telling.clone()), false)
            });
        }
        gone
    }

    /// Forgets sessions that have gone: their places are never taken again.
    pub(super) fn retain(&mut self, is_there: impl Fn(Place) -> bool) {
        self.outages.retain(|place| is_there(*place));
        self.down.retain(|place, _| is_there(*place));
        self.missed.retain(|place, _| is_there(*place));
    }

    /// What is told next; waits for it.
    pub(super) async fn next(&mut self) -> (Reflector, Word) {
        loop {
            // It never ends, as the other end is here, too.
            let Some((reflector, word)) = self.words.recv().await else { continue };
            let Some((_, is_heard)) = self.listening.get_mut(&reflector) else { continue };
            match &word {
                Word::Heard => *is_heard = true,
                Word::Unheard(_) => *is_heard = false,
                Word::Told(_) | Word::Seen(_) => {}
            }
            if matches!(word, Word::Unheard(_)) {
                self.unheard(&reflector);
            }
            return (reflector, word);
        }
    }

    fn unheard(&mut self, reflector: &Reflector) {
        let down = &self.down;
        let is_concerned = |place: &Place| {
            down.get(place).is_some_and(|down| reflector.addresses.contains(&down.far_end))
        };
        self.outages.unheard(is_concerned);
    }

    /// A session of ours changed its state; which way is broken if that is known already.
    pub(super) fn state(
        &mut self,
        (place, info): (Place, &SessionInfo),
        to: SessionState,
        tally: &Tally,
    ) -> Option<Verdict> {
        if self.listening.is_empty() {
            return None;
        }
        if to != SessionState::Down {
            self.outages.over(&place);
            self.down.remove(&place);
            return None;
        }
        let far_end = info.target.ip().to_canonical();
        self.down.insert(place, Down { far_end, tally: *tally });
        let gap = match info.schedule {
            Schedule::Poisson { mean } => mean.saturating_mul(LONGEST_OF_MEANS),
            schedule => schedule.period(),
        };
        let rhythm = Rhythm { gap, timeout: info.timeout };
        let broken = self.outages.down(&place, self.is_heard(far_end), rhythm, Instant::now());
        self.verdict(place, broken?)
    }

    /// The far end says that it misses probes of a session of ours, or does not any more; which way is broken if
    /// that is news.
    pub(super) fn missed(
        &mut self,
        place: Place,
        is_missed: bool,
        missed: Missed,
    ) -> Option<Verdict> {
        if is_missed {
            self.missed.insert(place, missed);
        } else {
            self.missed.remove(&place);
        }
        let broken = self.outages.told(&place, is_missed, Instant::now());
        self.verdict(place, broken?)
    }

    fn verdict(&self, place: Place, broken: Broken) -> Option<Verdict> {
        let missed = self.missed.get(&place).copied().filter(|_| broken == Broken::Forward);
        let tally = self.down.get(&place)?.tally;
        Some(Verdict { broken, missed, tally })
    }

    /// Which way a session that is down is broken, as far as that is known.
    pub(super) fn broken(&self, place: Place) -> Option<Broken> {
        self.outages.known(&place)
    }

    /// The Session-Reflector at this address is heard.
    pub(super) fn is_heard(&self, address: IpAddr) -> bool {
        let heard = self.listening.iter().filter(|(_, (_, is_heard))| *is_heard);
        heard.into_iter().any(|(reflector, _)| reflector.addresses.contains(&address))
    }

    /// The far end saw the latest probe of a session of ours so long ago; which way is broken if that is news.
    pub(super) fn seen(&mut self, place: Place, idle: Duration) -> Option<Verdict> {
        let broken = self.outages.seen(&place, idle, Instant::now());
        self.verdict(place, broken?)
    }

    /// When [`Self::ask_due`] has something to do.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.outages.next_due()
    }

    /// Asks far ends that have told nothing, each once for all of its sessions.
    pub(super) fn ask_due(&mut self, now: Instant) {
        let due = self.outages.take_due(now);
        let down: Vec<&Down> = due.iter().filter_map(|place| self.down.get(place)).collect();
        for (reflector, (_, is_heard)) in &self.listening {
            if *is_heard && down.iter().any(|it| reflector.addresses.contains(&it.far_end)) {
                tokio::spawn(asking::ask(reflector.clone(), self.telling.clone()));
            }
        }
    }
}
