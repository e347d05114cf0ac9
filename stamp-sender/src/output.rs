//! What a run looks like to people and to programs.

use std::io;

use stamp_session::snapshot::SessionSnapshot;

use crate::happening::{Ended, Happening, SessionInfo};

/// One form of output. Results go to standard output, notes and progress to standard error.
///
/// The caller's order: [`start`](Self::start), then [`happening`](Self::happening) and
/// [`running_summary`](Self::running_summary) in any order, then [`finish`](Self::finish).
pub trait Reporter {
    /// Before the first probe.
    ///
    /// # Errors
    ///
    /// When standard output cannot be written (the reader of a pipe is gone).
    fn start(&mut self, sessions: &[SessionInfo]) -> io::Result<()>;

    /// Something happened to the session with that index.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    fn happening(&mut self, session: usize, happening: &Happening) -> io::Result<()>;

    /// The user asked how it is going (SIGQUIT).
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    fn running_summary(&mut self, sessions: &[SessionSnapshot]) -> io::Result<()>;

    /// Nothing happened for a while: time to refresh a progress line, if there is one.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    fn tick(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// After the last reply.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    fn finish(&mut self, sessions: &[SessionSnapshot], ended: Ended) -> io::Result<()>;
}
