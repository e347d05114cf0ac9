//! What packet threads tell the control side: everything that is to be acted upon, and no samples.

use stamp_proto::time::WallTime;
use stamp_session::clock::MonotonicTime;
use stamp_session::sender::{Outcome, SenderEvent, SessionState};
use stamp_session::snapshot::SessionSnapshot;
use stamp_worker::sender::{SenderObserver, Trouble};
use tokio::sync::mpsc::UnboundedSender;

use crate::output::heard::Tally;

/// A session as its packet thread knows it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Place {
    /// Which of the threads.
    pub(super) worker: usize,
    /// Its number there.
    pub(super) number: usize,
}

/// Something that a packet thread tells.
#[derive(Debug)]
pub(super) enum Notice {
    /// A session changed its state, or what is known of its path or far end.
    Event {
        /// What happened.
        event: SenderEvent,
        /// What was counted until then.
        tally: Tally,
        /// Now.
        time: WallTime,
    },
    /// The network or the kernel began to complain, of something else than before.
    Trouble(Trouble),
    /// A window is complete.
    Window {
        /// What was measured in it.
        measured: Box<SessionSnapshot>,
        /// When it ended.
        end: MonotonicTime,
    },
}

/// The packet thread's end.
///
/// The queue has no bound: what goes into it is edges and windows, whose number the configuration
/// bounds, and a stream of edges with a hole would tell of a state that is not.
pub(super) struct Observer {
    pub(super) worker: usize,
    pub(super) notices: UnboundedSender<(Place, Notice)>,
    watched: Vec<Watched>,
}

/// What is remembered of a session between two notices.
#[derive(Clone, Default)]
struct Watched {
    tally: Tally,
    trouble: Option<std::mem::Discriminant<Trouble>>,
    /// It went down, and nobody has told yet which way its probes were lost.
    outage: bool,
}

impl Observer {
    pub(super) const fn new(worker: usize, notices: UnboundedSender<(Place, Notice)>) -> Self {
        Self { worker, notices, watched: Vec::new() }
    }

    fn watched(&mut self, number: usize) -> &mut Watched {
        if number >= self.watched.len() {
            self.watched.resize_with(number + 1, Watched::default);
        }
        &mut self.watched[number]
    }

    fn tell(&self, number: usize, notice: Notice) {
        // When the control side is gone, the end is near.
        let _ = self.notices.send((Place { worker: self.worker, number }, notice));
    }
}

impl SenderObserver for Observer {
    fn outcome(&mut self, session: usize, outcome: &Outcome) {
        let watched = self.watched(session);
        watched.tally.outcome(outcome);
        if matches!(outcome, Outcome::Sample(_)) {
            watched.trouble = None;
        }
    }

    fn event(&mut self, session: usize, event: SenderEvent) {
        let watched = self.watched(session);
        if matches!(event, SenderEvent::Lost { .. }) {
            watched.tally.lost += 1;
        }
        watched.outage |=
            matches!(event, SenderEvent::State(change) if change.to == SessionState::Down);
        let is_to_be_told = match event {
            SenderEvent::LossDirection { .. } => std::mem::take(&mut watched.outage),
            SenderEvent::Lost { .. }
            | SenderEvent::MissedSlots { .. }
            | SenderEvent::Unsent { .. }
            | SenderEvent::Finished => false,
            _ => true,
        };
        if is_to_be_told {
            let tally = watched.tally;
            let time = stamp_worker::now().wall;
            self.tell(session, Notice::Event { event, tally, time });
        }
    }

    fn trouble(&mut self, session: usize, trouble: Trouble) {
        let kind = std::mem::discriminant(&trouble);
        let watched = self.watched(session);
        if watched.trouble.replace(kind) != Some(kind) {
            self.tell(session, Notice::Trouble(trouble));
        }
    }

    fn window(&mut self, session: usize, window: SessionSnapshot) {
        let end = stamp_worker::now().monotonic;
        self.tell(session, Notice::Window { measured: Box::new(window), end });
    }
}

#[cfg(test)]
mod tests {
    use stamp_session::clock::Now;
    use stamp_session::sender::StateChange;
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[test]
    fn of_losses_only_the_direction_of_an_outage_is_told() {
        let (sender, mut notices) = unbounded_channel();
        let mut observer = Observer::new(0, sender);
        let state =
            |from, to| StateChange { from, to, at: Now::default(), run: 3, first: 5, last: 7 };
        let direction =
            |last| SenderEvent::LossDirection { first: 1, last, forward: 0, backward: 1 };
        observer.event(0, direction(1));
        observer.event(0, SenderEvent::State(state(SessionState::Up, SessionState::Down)));
        observer.event(0, SenderEvent::State(state(SessionState::Down, SessionState::Up)));
        observer.event(0, direction(2));
        observer.event(0, direction(3));
        let mut told = Vec::new();
        while let Ok((_, Notice::Event { event, .. })) = notices.try_recv() {
            told.push(event);
        }
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(matches!(told[2], SenderEvent::LossDirection { last: 2, .. }), "{told:?}");
    }
}
