//! Lines and tables for people.

mod findings;
mod interval;
mod lines;
pub mod summary;
pub mod table;

use std::io;

use stamp_proto::time::WallTime;
use stamp_session::sender::{Outcome, SenderEvent, UnsentReason};
use stamp_session::snapshot::SessionSnapshot;

use super::Reporter;
use super::duration::{setting, stretch};
use super::gather;
use super::instant::Instant;
use super::ledger::Ledger;
use super::record::{BurstRecord, Departure};
use super::screen::Screen;
use crate::happening::{Ended, Happening, SessionInfo};
use lines::{Limiter, Lines};
use summary::Look;

/// The heading of the columns comes again after this many lines on a terminal.
const LINES_PER_HEADING: u64 = 40;

/// What people want to see.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// Colour and columns.
    pub look: Look,
    /// No line for each probe.
    pub quiet: bool,
    /// The time in front of each line.
    pub timestamps: bool,
    /// Length of the periods that are reported.
    pub period_ns: Option<u64>,
    /// A person reads along, so the heading of the columns is repeated.
    pub watched: bool,
}

/// Prints for people.
pub struct Human {
    screen: Screen,
    wishes: Wishes,
    lines: Lines,
    ledger: Ledger,
    limiters: Vec<Limiters>,
    sample_lines: u64,
    now: fn() -> WallTime,
}

/// What may come in floods is held back for each session apart.
#[derive(Clone, Copy, Debug, Default)]
struct Limiters {
    rejected: Limiter,
    trouble: Limiter,
    unsent: Limiter,
}

impl Human {
    /// Prints to `screen`; `now` is the time of things that carry none.
    #[must_use]
    pub fn new(screen: Screen, wishes: Wishes, now: fn() -> WallTime) -> Self {
        let lines = Lines::new(wishes.look.paint, &[]);
        Self {
            screen,
            wishes,
            lines,
            ledger: Ledger::default(),
            limiters: Vec::new(),
            sample_lines: 0,
            now,
        }
    }

    fn line(&mut self, at: Option<WallTime>, text: &str) -> io::Result<()> {
        if self.wishes.timestamps {
            let at = Instant(at.unwrap_or_else(self.now));
            return self.screen.print(&format!("{at} {text}\n"));
        }
        self.screen.print(&format!("{text}\n"))
    }

    fn outcome(&mut self, session: usize, name: &str, outcome: &Outcome) -> io::Result<()> {
        let count = match outcome {
            Outcome::Rejected(_) => match self.limiters[session].rejected.pass() {
                Some(count) => count,
                None => return Ok(()),
            },
            _ if self.wishes.quiet => return Ok(()),
            _ => 1,
        };
        let at = match outcome {
            Outcome::Sample(sample) | Outcome::Late(sample) => Some(sample.reply_received.time),
            Outcome::Duplicate { .. } | Outcome::Rejected(_) => None,
        };
        self.heading_when_due()?;
        let line = self.lines.outcome(name, outcome, count);
        self.line(at, &line)
    }

    fn heading_when_due(&mut self) -> io::Result<()> {
        let due = match self.sample_lines {
            0 => true,
            printed => self.wishes.watched && printed.is_multiple_of(LINES_PER_HEADING),
        };
        self.sample_lines += 1;
        if !due || self.wishes.quiet {
            return Ok(());
        }
        let heading = self.lines.heading();
        // Under the columns also when the time stands in front of them.
        let indent = if self.wishes.timestamps { " ".repeat(31) } else { String::new() };
        self.screen.print(&format!("{indent}{heading}\n"))
    }

    fn event(&mut self, session: usize, name: &str, event: &SenderEvent) -> io::Result<()> {
        let is_about_one_probe =
            matches!(event, SenderEvent::Lost { .. } | SenderEvent::LossDirection { .. });
        // The ICMP error that told it has its own line.
        let is_told =
            matches!(event, SenderEvent::Unsent { reason: UnsentReason::TooBig { .. }, .. });
        if is_told || self.wishes.quiet && is_about_one_probe {
            return Ok(());
        }
        let is_unsent =
            matches!(event, SenderEvent::MissedSlots { .. } | SenderEvent::Unsent { .. });
        let Some(count) = (if is_unsent { self.limiters[session].unsent.pass() } else { Some(1) })
        else {
            return Ok(());
        };
        let timeout = self.ledger.infos()[session].timeout;
        let at = match event {
            SenderEvent::State(change) => Some(change.at.wall),
            SenderEvent::Delay(change) => Some(change.at.wall),
            SenderEvent::Loss(change) => Some(change.at.wall),
            SenderEvent::Fallback(change) => Some(change.at.wall),
            SenderEvent::Pace(change) => Some(change.at.wall),
            SenderEvent::ClockStep { at, .. } => Some(at.wall),
            _ => None,
        };
        match self.lines.event(name, event, timeout, count) {
            Some(line) => self.line(at, &line),
            None => Ok(()),
        }
    }

    fn summaries(&mut self, snapshots: &[SessionSnapshot]) -> io::Result<()> {
        let now = (self.now)();
        for record in self.ledger.records(snapshots) {
            let elapsed = u64::try_from(now.since(record.started.0).ns()).ok();
            let text = summary::session(&record, elapsed, &self.wishes.look);
            self.screen.print(&format!("\n{text}"))?;
        }
        Ok(())
    }
}

impl Reporter for Human {
    fn start(&mut self, sessions: &[SessionInfo]) -> io::Result<()> {
        self.ledger.start(sessions, false);
        self.limiters = vec![Limiters::default(); sessions.len()];
        let names: Vec<&str> = sessions.iter().map(|session| session.name.as_str()).collect();
        self.lines = Lines::new(self.wishes.look.paint, &names);
        for session in sessions {
            let header = header(session);
            let (first, rest) = header.split_once('\n').unwrap_or((&header, ""));
            self.screen.print(&format!("{}\n{rest}", self.wishes.look.paint.strong(first)))?;
        }
        Ok(())
    }

    fn happening(&mut self, session: usize, happening: &Happening) -> io::Result<()> {
        self.ledger.note(session, happening);
        let Some(info) = self.ledger.infos().get(session) else { return Ok(()) };
        let name = info.name.clone();
        match happening {
            Happening::Outcome(outcome) => self.outcome(session, &name, outcome),
            Happening::Event(event) => self.event(session, &name, event),
            Happening::Trouble(trouble) => match self.limiters[session].trouble.pass() {
                Some(count) => {
                    let line = self.lines.trouble(&name, *trouble, count);
                    self.line(None, &line)
                }
                None => Ok(()),
            },
            Happening::Window(window) => {
                let Some(record) = self.ledger.record(session, window) else { return Ok(()) };
                let text = interval::lines(&record, self.wishes.period_ns, &self.wishes.look);
                self.line(None, &text)
            }
        }
    }

    fn running_summary(&mut self, sessions: &[SessionSnapshot]) -> io::Result<()> {
        self.summaries(sessions)?;
        self.screen.print("\n")
    }

    fn tick(&mut self) -> io::Result<()> {
        let ledger = &self.ledger;
        self.screen.tick(|| ledger.progress())
    }

    fn finish(&mut self, sessions: &[SessionSnapshot], _ended: Ended) -> io::Result<()> {
        self.summaries(sessions)?;
        self.screen.finish()
    }
}

/// Who is probed from where, and how.
fn header(info: &SessionInfo) -> String {
    let config = gather::config(info);
    let every = match (config.schedule, config.burst) {
        (Departure::Poisson, _) => "every (in the mean)".to_owned(),
        (Departure::Burst, Some(BurstRecord { count, every_ns })) => {
            format!("{count} in a row each {}, every", setting(every_ns))
        }
        (Departure::Fixed | Departure::Burst, _) => "every".to_owned(),
    };
    let count = config.count.map_or_else(
        || "until stopped".to_owned(),
        |count| match count {
            1 => "once".to_owned(),
            _ => {
                let whole = info.schedule.mean_interval().as_nanos().saturating_mul(count.into());
                let whole = u64::try_from(whole).unwrap_or(u64::MAX);
                format!("{count} times ({})", stretch(whole))
            }
        },
    );
    let looped = info.measurement.looped().is_some();
    let named = if info.name == info.target.to_string() {
        info.name.clone()
    } else if looped {
        format!("{} and back to {}", info.name, info.target)
    } else {
        format!("{} ({})", info.name, info.target)
    };
    format!(
        "STAMP {named} from {}, SSID {}\n{}      {} octets {every} {}, {count}, {}, lost after {}\n",
        info.source,
        info.ssid.0,
        steered(info),
        config.payload_octets,
        setting(config.interval_ns),
        config.authentication.label(),
        setting(config.timeout_ns)
    )
}

/// Which way probes go, when it is not that of any packet.
fn steered(info: &SessionInfo) -> String {
    let steering = &info.steering;
    if steering.segments.is_empty() {
        return String::new();
    }
    let back = match steering.return_segments.as_slice() {
        [] => String::new(),
        segments => format!(", back over {}", segments.join(" ")),
    };
    let fallback = match steering.fallback {
        Some(plain) => format!(" (or plain {plain})"),
        None => String::new(),
    };
    format!(
        "      {} {}{fallback} over {}{back}\n",
        info.measurement.label(),
        steering.encapsulation,
        steering.segments.join(" ")
    )
}

#[cfg(test)]
mod tests;
