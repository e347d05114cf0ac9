//! `--csv`: a line for each probe, with the fields of a sample.
//!
//! Quoted as RFC 4180 §2 says; lines end with a line feed. Delays are seconds with nine digits,
//! what is unknown is empty. A probe that was lost has a line with the flag `lost`.

use std::borrow::Cow;
use std::io;

use stamp_proto::time::{TimeDelta, WallTime};
use stamp_session::sender::{Outcome, Sample, SenderEvent};
use stamp_session::snapshot::SessionSnapshot;

use super::duration::seconds;
use super::instant::Instant;
use super::ledger::Ledger;
use super::screen::Screen;
use super::{Reporter, aside, flags};
use crate::happening::{Ended, Happening, SessionInfo};

const HEADING: &str = "session,sequence,time,forward_seconds,backward_seconds,\
                       round_trip_seconds,residence_seconds,hops,dscp,flags\n";

/// Writes the lines.
pub struct Csv {
    screen: Screen,
    ledger: Ledger,
    /// No line for each probe.
    quiet: bool,
    now: fn() -> WallTime,
}

impl Csv {
    /// Writes to `screen`.
    #[must_use]
    pub fn new(screen: Screen, quiet: bool, now: fn() -> WallTime) -> Self {
        Self { screen, ledger: Ledger::default(), quiet, now }
    }
}

impl Reporter for Csv {
    fn start(&mut self, sessions: &[SessionInfo]) -> io::Result<()> {
        self.ledger.start(sessions, false);
        self.screen.print(HEADING)
    }

    fn happening(&mut self, session: usize, happening: &Happening) -> io::Result<()> {
        self.ledger.note(session, happening);
        let Some(info) = self.ledger.infos().get(session).filter(|_| !self.quiet) else {
            return Ok(());
        };
        let name = quoted(&info.name);
        match happening {
            Happening::Outcome(Outcome::Sample(sample)) => {
                self.screen.print(&answered(&name, sample, false))
            }
            Happening::Outcome(Outcome::Late(sample)) => {
                self.screen.print(&answered(&name, sample, true))
            }
            Happening::Event(SenderEvent::Lost { sequence, probe_sent }) => {
                let time = Instant(*probe_sent);
                self.screen.print(&format!("{name},{sequence},{time},,,,,,,lost\n"))
            }
            _ => Ok(()),
        }
    }

    fn running_summary(&mut self, sessions: &[SessionSnapshot]) -> io::Result<()> {
        aside::summary(&mut self.screen, &self.ledger, sessions, (self.now)());
        Ok(())
    }

    fn tick(&mut self) -> io::Result<()> {
        let ledger = &self.ledger;
        self.screen.tick(|| ledger.progress())
    }

    fn finish(&mut self, _sessions: &[SessionSnapshot], _ended: Ended) -> io::Result<()> {
        self.screen.finish()
    }
}

fn answered(name: &str, sample: &Sample, late: bool) -> String {
    let measured =
        |value: Option<TimeDelta>| value.map_or_else(String::new, |value| seconds(value.ns()));
    let empty_or = |number: Option<u8>| number.map_or_else(String::new, |it| it.to_string());
    format!(
        "{name},{},{},{},{},{},{},{},{},{}\n",
        sample.sequence,
        Instant(sample.probe_sent.time),
        measured(sample.forward_delay),
        measured(sample.backward_delay),
        seconds(sample.round_trip.ns()),
        measured(sample.residence),
        empty_or(sample.forward_hops),
        empty_or(sample.traffic_class.map(|(dscp, _)| dscp.value())),
        flags::labels(sample, late).join(" "),
    )
}

/// In quotes when it needs them.
fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains(['"', ',', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::golden;
    use crate::output::rehearsal::{Fate, Plot, START, play};
    use crate::output::screen::paper::Paper;

    fn written(quiet: bool, plot: &Plot) -> String {
        let run = play(plot);
        let paper = Paper::default();
        let mut csv = Csv::new(paper.screen(), quiet, || START);
        csv.start(std::slice::from_ref(&run.info)).unwrap();
        for happening in &run.happenings {
            csv.happening(0, happening).unwrap();
        }
        csv.finish(std::slice::from_ref(&run.snapshot), Ended::Complete).unwrap();
        paper.text()
    }

    #[test]
    fn a_run_with_a_loss_and_untrusted_clocks() {
        let plot = Plot {
            count: 4,
            synchronized: false,
            fate: |probe| match probe {
                2 => Fate::LostForward,
                _ => Fate::Passes(58_000 + probe, 61_000),
            },
            ..Plot::default()
        };
        golden::check("run.csv", &written(false, &plot));
    }

    #[test]
    fn every_line_has_ten_fields() {
        let text = written(false, &Plot::default());
        assert_eq!(text.lines().count(), 11);
        for line in text.lines() {
            assert_eq!(line.split(',').count(), 10, "{line}");
        }
    }

    #[test]
    fn quiet_leaves_the_heading() {
        assert_eq!(written(true, &Plot::default()), HEADING);
    }

    #[test]
    fn a_name_is_quoted_when_it_must_be() {
        assert_eq!(quoted("r1"), "r1");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"hi\""), "\"say \"\"hi\"\"\"");
    }
}
