//! The story that the demo tells while its sessions run.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::time::Duration;

use stamp_config::quantity::Ratio;
use stamp_lab::Loss;
use stamp_session::snapshot::SessionSnapshot;

use super::network::{DATA_PLANES, Network};
use super::table;
use super::tally::Tally;
use crate::command_line::Demo;
use crate::happening::{Ended, Happening, SessionInfo};
use crate::output::Reporter;
use crate::output::duration::setting;
use crate::output::paint::Paint;

/// Position of the way that is made worse: the best by round trip.
const DEGRADED: usize = 1;
/// What it takes there then.
const WORSE: Duration = Duration::from_millis(8);
/// How many packets it loses there then, in billionths.
const WORSE_LOSS: u32 = 100_000_000;
/// Probes before the change when nobody said how many there will be.
const USUAL_HALF: u32 = 100;

/// Tells people what happens; programs get what they asked for from `inner`.
pub(super) struct Showing {
    /// The form of output that was asked for, unless the story is enough.
    inner: Option<Box<dyn Reporter>>,
    /// The story is told.
    told: bool,
    /// Told from the start, to somebody who sees it.
    introduced: bool,
    /// The table is drawn again and again in its place.
    live: bool,
    paint: Paint,
    network: Network,
    tallies: Vec<Tally>,
    /// Probes in a session before the change.
    half: u32,
    /// Packets that the wires had held before the change, by way and direction.
    held_before: Vec<[usize; 2]>,
    changed: bool,
    /// The user has seen enough.
    is_interrupted: bool,
    /// Lines of the table that stand on the terminal and may be drawn over.
    drawn: usize,
}

impl Showing {
    pub(super) fn new(demo: &Demo, inner: Box<dyn Reporter>, network: Network) -> Self {
        let told = demo.output.is_for_people();
        let wants_more = demo.output.report.is_some();
        let sessions = network.paths().len() * DATA_PLANES.len();
        Self {
            inner: (!told || wants_more).then_some(inner),
            told,
            introduced: told && demo.output.quiet == 0,
            live: told && !wants_more && demo.output.quiet == 0 && io::stdout().is_terminal(),
            paint: Paint::of_standard_output(),
            network,
            tallies: vec![Tally::default(); sessions],
            half: match demo.count.0 {
                0 => USUAL_HALF,
                count => u32::try_from(count / 2).unwrap_or(u32::MAX).max(1),
            },
            held_before: Vec::new(),
            changed: false,
            is_interrupted: false,
            drawn: 0,
        }
    }

    /// The network, for what comes next, unless the user has seen enough.
    pub(super) fn into_network(self) -> Option<Network> {
        (!self.is_interrupted).then_some(self.network)
    }

    fn introduction(&self) -> String {
        let raised =
            setting(u64::try_from(self.network.raised_in().as_millis()).unwrap_or(0) * 1_000_000);
        let ways: Vec<String> = self
            .network
            .paths()
            .iter()
            .map(|path| {
                let [there, back] = self.network.treatment(path).map(|treatment| {
                    setting(u64::try_from(treatment.delay.as_nanos()).unwrap_or(u64::MAX))
                });
                format!("{there} there, {back} back")
            })
            .collect();
        let way = |number: usize| ways.get(number).map_or("", String::as_str);
        let mut text = format!(
            "A network on this machine, up in {raised}: three ways from s to r that share no link.\n\n\
             {:7}.--- a ---.        {}\n\
             {:2}s ---+--- b ---+--- r   {}\n\
             {:7}'--- c ---'        {}\n\n\
             Enhanced loopback: r answers nothing and knows no session. It writes its receive time \
             into the\nprobe and forwards it back to s. In such a network (`stamp-sender lab`) you \
             would type at s:\n\n",
            "",
            way(0),
            "",
            way(1),
            "",
            way(2)
        );
        for flags in self.network.paths().iter().take(1).flat_map(|path| &path.flags) {
            let _infallible = writeln!(text, "  stamp-sender {}", flags.join(" "));
        }
        text.push('\n');
        text
    }

    /// Draws the table of the phase that goes on, over itself where that is possible.
    fn draw(&mut self, last: bool) -> io::Result<()> {
        let rows = table::rows(&self.network, &self.tallies, self.changed, &self.held_before);
        let table = table::print(&rows, self.paint);
        let mut out = io::stdout().lock();
        if self.drawn > 0 {
            write!(out, "\x1b[{}A", self.drawn)?;
        }
        if self.live {
            // A line that a narrow terminal wraps would be two, and the next table one too low: what
            // is drawn over is cut instead, and the last one is shown whole.
            let [cut, whole] = if last { [""; 2] } else { ["\x1b[?7l", "\x1b[?7h"] };
            write!(out, "{cut}")?;
            for line in table.lines() {
                writeln!(out, "{line}\x1b[K")?;
            }
            write!(out, "{whole}")?;
        } else {
            out.write_all(table.as_bytes())?;
        }
        if last {
            let lowest = table::lowest(&rows);
            // Interrupted before the first probe was back.
            if !lowest.is_empty() {
                writeln!(out, "Lowest: {lowest}.")?;
            }
            writeln!(out)?;
        }
        self.drawn = if last || !self.live { 0 } else { table.lines().count() };
        out.flush()
    }

    /// Half of the probes are back: one way becomes worse.
    fn change(&mut self) -> io::Result<()> {
        if self.told {
            self.draw(true)?;
        }
        let paths = self.network.paths();
        let Some(path) = paths.get(DEGRADED).cloned() else { return Ok(()) };
        self.held_before =
            paths.iter().map(|path| self.network.held(path).map(|held| held.len())).collect();
        let loss = Ratio::from_billionths(WORSE_LOSS).map_or(Loss::None, Loss::Share);
        let typed = self.network.degrade(&path, WORSE, loss).map_err(io::Error::other)?;
        let now = stamp_net::clock::wall_now();
        self.tallies.iter_mut().for_each(|tally| tally.change(now));
        self.changed = true;
        if self.told {
            print(&format!("Way {} becomes worse:\n\n  {typed}\n\n", path.name))?;
        }
        Ok(())
    }

    /// How the losses that were counted compare with those that the wires made.
    fn losses(&self) -> String {
        let counted: u64 = self
            .tallies
            .iter()
            .map(|tally| tally.phase(false).lost().0 + tally.phase(true).lost().0)
            .sum();
        let made = self.network.dropped();
        format!("Losses: the wires dropped {made} probes, the sessions counted {counted}.\n")
    }
}

fn print(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())
}

impl Reporter for Showing {
    fn start(&mut self, sessions: &[SessionInfo]) -> io::Result<()> {
        if self.introduced {
            print(&self.introduction())?;
        }
        self.inner.as_mut().map_or(Ok(()), |inner| inner.start(sessions))
    }

    fn happening(&mut self, session: usize, happening: &Happening) -> io::Result<()> {
        if let Some(tally) = self.tallies.get_mut(session) {
            tally.note(happening);
        }
        if !self.changed && self.tallies.iter().all(|tally| tally.decided() >= self.half) {
            self.change()?;
        }
        self.inner.as_mut().map_or(Ok(()), |inner| inner.happening(session, happening))
    }

    fn running_summary(&mut self, sessions: &[SessionSnapshot]) -> io::Result<()> {
        self.inner.as_mut().map_or(Ok(()), |inner| inner.running_summary(sessions))
    }

    fn tick(&mut self) -> io::Result<()> {
        if self.live {
            self.draw(false)?;
        }
        self.inner.as_mut().map_or(Ok(()), |inner| inner.tick())
    }

    fn finish(&mut self, sessions: &[SessionSnapshot], ended: Ended) -> io::Result<()> {
        self.is_interrupted = ended == Ended::Interrupted;
        if self.told {
            self.draw(true)?;
            print(&self.losses())?;
        }
        self.inner.as_mut().map_or(Ok(()), |inner| inner.finish(sessions, ended))
    }
}
