//! How others ask a worker for its sessions while it probes.

use core::iter::zip;
use std::sync::mpsc::Sender as Outbox;
use std::time::{Duration, Instant};

use stamp_session::snapshot::{SessionSnapshot, SessionStanding};

use super::thread::Command;
use crate::line::Line;
use crate::roll_call::RollCall;

/// Asks a worker how its sessions are, from any thread and for as long as it runs.
///
/// It asks for a few at a time, and the worker looks after its packets in between: while it keeps up, no probe is later
/// for it than the answer for those few takes.
#[derive(Clone, Debug)]
pub struct SenderAsker(Line<Command>);

impl SenderAsker {
    pub(super) const fn new(line: Line<Command>) -> Self {
        Self(line)
    }

    /// Hands on how these sessions stand, but for those that have gone. `false` when the worker has ended or
    /// has not answered for seconds; it is asked no further then.
    pub fn standings_of(
        &self,
        sessions: &[usize],
        take: impl FnMut(usize, SessionStanding),
    ) -> bool {
        self.ask(sessions, STANDINGS, Command::StandingsOf, take)
    }

    /// The same with all their values, which takes tens of times as long.
    pub fn snapshots_of(
        &self,
        sessions: &[usize],
        take: impl FnMut(usize, SessionSnapshot),
    ) -> bool {
        self.ask(sessions, SNAPSHOTS, Command::SnapshotsOf, take)
    }

    fn ask<T>(
        &self,
        mut sessions: &[usize],
        mut portion: Portion,
        command: impl Fn(Vec<usize>, Outbox<Vec<Option<T>>>) -> Command,
        mut take: impl FnMut(usize, T),
    ) -> bool {
        while !sessions.is_empty() {
            let (now, later) = sessions.split_at(portion.size.min(sessions.len()));
            let asked = Instant::now();
            let answers = self.0.ask_shortly(|answer| command(now.to_vec(), answer));
            let Some(answers) = answers else { return false };
            portion.took(asked.elapsed());
            let here = zip(now, answers).filter_map(|(session, it)| Some((*session, it?)));
            here.for_each(|(session, it)| take(session, it));
            sessions = later;
        }
        true
    }

    /// Asks these whether their workers are there.
    #[must_use]
    pub fn call_roll(askers: &[Self]) -> RollCall {
        let mut roll = RollCall::default();
        askers.iter().for_each(|Self(line)| line.call(&mut roll, Command::Here));
        roll
    }
}

/// A microsecond or two each.
const STANDINGS: Portion = Portion::between(16, 512);
/// Tens of microseconds each.
const SNAPSHOTS: Portion = Portion::between(2, 16);
/// A worker that answers later than this has more to send than time to send it in.
const BEHIND: Duration = Duration::from_millis(5);

/// How many sessions to ask for at a time.
///
/// A worker that is behind takes long to come to a question and gains nothing from a short one, while
/// whoever scrapes would wait for hundreds of them.
struct Portion {
    usual: usize,
    most: usize,
    size: usize,
}

impl Portion {
    const fn between(usual: usize, most: usize) -> Self {
        Self { usual, most, size: usual }
    }

    /// So long was an answer awaited.
    fn took(&mut self, time: Duration) {
        self.size = match time > BEHIND {
            true => (self.size * 2).min(self.most),
            false => self.usual,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_is_behind_is_asked_for_more_at_a_time() {
        let mut portion = Portion::between(16, 512);
        let sizes: Vec<usize> = std::iter::repeat_with(|| {
            portion.took(BEHIND + Duration::from_nanos(1));
            portion.size
        })
        .take(7)
        .collect();
        assert_eq!(sizes, [32, 64, 128, 256, 512, 512, 512]);
        portion.took(BEHIND);
        assert_eq!(portion.size, 16);
    }
}
