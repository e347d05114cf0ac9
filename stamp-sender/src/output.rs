//! What a run looks like to people and to programs.
//!
//! ```text
//!  Happening ─► Ledger ─┐
//!                       ├─► SessionRecord ─► explain ─► human, json, ndjson, csv; report
//!  SessionSnapshot ─────┘
//! ```
//!
//! Every form of output and `stamp-sender report` say what one [`SessionRecord`](record) says.

mod aside;
mod columns;
mod csv;
pub mod document;
pub mod duration;
mod flags;
pub mod gather;
pub mod heard;
pub mod histogram;
pub mod human;
pub mod instant;
mod json;
pub mod keeper;
pub mod layout;
mod ledger;
pub mod ndjson;
pub mod paint;
pub mod record;
pub mod schema;
mod screen;
pub mod series;

#[cfg(test)]
pub mod golden;
#[cfg(test)]
pub mod rehearsal;
#[cfg(test)]
pub mod written;

use std::io::{self, IsTerminal};

use stamp_session::snapshot::SessionSnapshot;

use crate::command_line::Output;
use crate::happening::{Ended, Happening, SessionInfo};
use csv::Csv;
use document::Origin;
use human::summary::Look;
use human::{Human, Wishes};
use json::Json;
use ndjson::Ndjson;
use paint::Paint;
use screen::Screen;

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

/// The form of output that was asked for.
///
/// # Errors
///
/// When `--percentiles` names one that is not measured; the text says which are.
pub fn reporter(output: &Output) -> Result<Box<dyn Reporter>, String> {
    let percentiles = columns::percentiles(&output.percentiles)?;
    let now = stamp_net::clock::wall_now;
    let quiet = output.quiet > 0;
    if output.quiet > 1 {
        return Ok(Box::new(Silence));
    }
    Ok(if output.json {
        Box::new(Json::new(Screen::standard(false, true), Origin::of_this_process(), now))
    } else if output.ndjson {
        let screen = Screen::standard(true, quiet);
        Box::new(Ndjson::new(screen, Origin::of_this_process(), quiet, now))
    } else if output.csv {
        Box::new(Csv::new(Screen::standard(false, quiet), quiet, now))
    } else {
        let wishes = Wishes {
            look: Look { paint: Paint::of_standard_output(), percentiles },
            quiet,
            timestamps: output.timestamps,
            period_ns: output.report.and_then(|period| u64::try_from(period.0.as_nanos()).ok()),
            watched: io::stdout().is_terminal(),
        };
        let screen = Screen::standard(false, quiet);
        Box::new(Human::new(screen, wishes, now))
    })
}

/// `-qq`: the exit status only; and whatever has words of its own for the end.
pub struct Silence;

impl Reporter for Silence {
    fn start(&mut self, _sessions: &[SessionInfo]) -> io::Result<()> {
        Ok(())
    }

    fn happening(&mut self, _session: usize, _happening: &Happening) -> io::Result<()> {
        Ok(())
    }

    fn running_summary(&mut self, _sessions: &[SessionSnapshot]) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, _sessions: &[SessionSnapshot], _ended: Ended) -> io::Result<()> {
        Ok(())
    }
}
