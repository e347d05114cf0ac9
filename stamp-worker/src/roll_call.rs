//! Whether packet threads are there: each is asked, and answers when it has looked after its packets, or when it is woken for
//! it from its idleness.

use core::fmt;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use crate::line::PATIENCE;

/// Packet threads that were asked whether they are there, and have not answered yet.
#[derive(Debug, Default)]
pub struct RollCall {
    asked: VecDeque<(Arc<str>, Receiver<()>)>,
}

/// A packet thread that is not there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Absence {
    /// The thread of this name has not answered yet.
    Silent(Arc<str>),
    /// The thread of this name is gone.
    Ended(Arc<str>),
}

impl RollCall {
    /// One more that was asked.
    pub(crate) fn expect(&mut self, name: Arc<str>, answer: Receiver<()>) {
        self.asked.push_back((name, answer));
    }

    /// Those of both.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.asked.extend(other.asked);
        self
    }

    /// The first that has not answered until now; `None` when all of them have.
    pub fn absence(&mut self) -> Option<Absence> {
        self.absence_at(Instant::now())
    }

    /// The same when they have had time for it.
    #[must_use]
    pub fn wait(mut self) -> Option<Absence> {
        self.absence_at(Instant::now() + PATIENCE)
    }

    fn absence_at(&mut self, end: Instant) -> Option<Absence> {
        while let Some((name, answer)) = self.asked.front() {
            match answer.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(()) => drop(self.asked.pop_front()),
                Err(RecvTimeoutError::Timeout) => return Some(Absence::Silent(Arc::clone(name))),
                Err(RecvTimeoutError::Disconnected) => {
                    return Some(Absence::Ended(Arc::clone(name)));
                }
            }
        }
        None
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(name) => write!(f, "packet thread {name} does not answer"),
            Self::Ended(name) => write!(f, "packet thread {name} has ended"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn whoever_has_not_answered_is_absent_until_it_does() {
        let mut roll = RollCall::default();
        let answers = ["a", "b"].map(|name| {
            let (answer, answered) = mpsc::channel();
            roll.expect(name.into(), answered);
            answer
        });
        assert_eq!(roll.absence(), Some(Absence::Silent("a".into())));
        answers[0].send(()).unwrap();
        let absence = roll.absence().unwrap();
        assert_eq!(absence.to_string(), "packet thread b does not answer");
        answers[1].send(()).unwrap();
        assert_eq!(roll.absence(), None);
        assert_eq!(roll.wait(), None, "each is asked once");
    }

    #[test]
    fn a_thread_that_has_ended_is_told_from_one_that_is_silent() {
        let mut roll = RollCall::default();
        for name in ["a", "b"] {
            let (answer, answered) = mpsc::channel();
            roll.expect(name.into(), answered);
            // The first one answers before it ends.
            let _ = (name == "a").then(|| answer.send(()));
        }
        let absence = roll.wait().unwrap();
        assert_eq!(absence.to_string(), "packet thread b has ended");
    }
}
