//! How a packet thread is told and asked.

use core::fmt;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use stamp_net::Waker;

use crate::error::WorkerError;
use crate::roll_call::RollCall;

/// How long somebody waits for an answer who has others to answer in turn: far longer than packets hold a thread up, and
/// shorter than those others wait.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// The way to a packet thread that takes commands of this kind.
pub(crate) struct Line<C> {
    name: Arc<str>,
    commands: Sender<C>,
    waker: Waker,
}

impl<C> Line<C> {
    /// To the thread of that name, which `waker` wakes.
    pub(crate) fn new(name: impl Into<Arc<str>>, commands: Sender<C>, waker: Waker) -> Self {
        Self { name: name.into(), commands, waker }
    }

    /// Sends a command; a thread that has ended needs none.
    pub(crate) fn tell(&self, command: C) {
        if self.commands.send(command).is_ok() {
            self.waker.wake();
        }
    }

    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Ended`] when the thread has.
    pub(crate) fn ask<T>(&self, command: impl FnOnce(Sender<T>) -> C) -> Result<T, WorkerError> {
        self.send(command).recv().map_err(|_| WorkerError::Ended)
    }

    /// The same, for [`PATIENCE`] at most; a command that was not answered may still be carried out.
    pub(crate) fn ask_shortly<T>(&self, command: impl FnOnce(Sender<T>) -> C) -> Option<T> {
        self.send(command).recv_timeout(PATIENCE).ok()
    }

    /// [`Self::ask_shortly`] of all of them at once.
    pub(crate) fn ask_all<T>(lines: &[Self], command: impl Fn(Sender<T>) -> C) -> Vec<Option<T>> {
        let end = Instant::now() + PATIENCE;
        let answers: Vec<_> = lines.iter().map(|line| line.send(&command)).collect();
        let left = || end.saturating_duration_since(Instant::now());
        answers.iter().map(|answer| answer.recv_timeout(left()).ok()).collect()
    }

    /// Asks the thread whether it is there.
    pub(crate) fn call(&self, roll: &mut RollCall, command: impl FnOnce(Sender<()>) -> C) {
        roll.expect(Arc::clone(&self.name), self.send(command));
    }

    fn send<T>(&self, command: impl FnOnce(Sender<T>) -> C) -> Receiver<T> {
        let (answer, answered) = mpsc::channel();
        self.tell(command(answer));
        answered
    }
}

impl<C> Clone for Line<C> {
    fn clone(&self) -> Self {
        let Self { name, commands, waker } = self;
        Self { name: Arc::clone(name), commands: commands.clone(), waker: waker.clone() }
    }
}

impl<C> fmt::Debug for Line<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Line").field(&self.name).finish()
    }
}
