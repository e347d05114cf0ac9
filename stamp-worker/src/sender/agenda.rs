//! Which session wants attention next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use stamp_session::clock::MonotonicTime;

/// Sessions by the time of their next timeout.
///
/// A session has one time at most; rescheduling leaves the old entry behind, which is dropped when
/// it comes up.
#[derive(Debug)]
pub(super) struct Agenda {
    heap: BinaryHeap<Reverse<(MonotonicTime, usize)>>,
    scheduled: Vec<Option<MonotonicTime>>,
}

impl Agenda {
    /// An empty agenda for sessions numbered below `sessions`.
    pub(super) fn new(sessions: usize) -> Self {
        let mut agenda = Self { heap: BinaryHeap::new(), scheduled: Vec::new() };
        agenda.make_room(sessions);
        agenda
    }

    /// Has room for sessions numbered below `sessions`.
    pub(super) fn make_room(&mut self, sessions: usize) {
        if sessions > self.scheduled.len() {
            self.scheduled.resize(sessions, None);
            let room = sessions.saturating_mul(2);
            self.heap.reserve(room.saturating_sub(self.heap.len()));
        }
    }

    /// Sets the time of a session; `None` takes it off the agenda.
    pub(super) fn schedule(&mut self, session: usize, at: Option<MonotonicTime>) {
        let Some(scheduled) = self.scheduled.get_mut(session) else { return };
        if *scheduled != at {
            *scheduled = at;
            if let Some(at) = at {
                self.heap.push(Reverse((at, session)));
            }
        }
    }

    /// Time of the earliest entry.
    pub(super) fn next(&mut self) -> Option<MonotonicTime> {
        while let Some(Reverse((at, session))) = self.heap.peek() {
            if self.scheduled.get(*session).is_some_and(|scheduled| *scheduled == Some(*at)) {
                return Some(*at);
            }
            self.heap.pop();
        }
        None
    }

    /// The session that is likely to be taken next.
    pub(super) fn following(&self) -> Option<usize> {
        self.heap.peek().map(|Reverse((_, session))| *session)
    }

    /// Takes the earliest session off the agenda if it is due.
    pub(super) fn take_due(&mut self, now: MonotonicTime) -> Option<usize> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, session)) = self.heap.pop()?;
        self.schedule(session, None);
        Some(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ns: u64) -> Option<MonotonicTime> {
        Some(MonotonicTime::from_ns(ns))
    }

    #[test]
    fn what_is_due_comes_out_in_order_and_the_rest_stays() {
        let mut agenda = Agenda::new(3);
        agenda.schedule(0, at(30));
        agenda.schedule(1, at(10));
        agenda.schedule(2, at(20));
        let now = MonotonicTime::from_ns(20);
        assert_eq!(agenda.take_due(now), Some(1));
        assert_eq!(agenda.take_due(now), Some(2));
        assert_eq!(agenda.take_due(now), None);
        assert_eq!(agenda.next(), at(30));
    }

    #[test]
    fn a_session_that_was_rescheduled_comes_up_once_and_at_its_new_time() {
        let mut agenda = Agenda::new(1);
        agenda.schedule(0, at(30));
        agenda.schedule(0, at(10));
        assert_eq!(agenda.next(), at(10));
        assert_eq!(agenda.take_due(MonotonicTime::from_ns(50)), Some(0));
        assert_eq!(agenda.next(), None);
        agenda.schedule(0, at(40));
        agenda.schedule(0, None);
        assert_eq!(agenda.next(), None);
    }
}
