//! An ad hoc run: worker on its thread, printing and signals here.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use stamp_lab::Namespace;
use stamp_session::sender::{Outcome, SenderEvent};
use stamp_session::snapshot::SessionSnapshot;
use stamp_worker::sender::{Companion, SenderObserver, SenderPool, SessionSetup, Trouble};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::Ended;
use crate::command_line::{Measure, Output};
use crate::exit::{Failure, Status};
use crate::happening::{Ended as RunEnded, Happening, SessionInfo};
use crate::output::{self, Reporter};
use crate::setup::{self, Sessions};
use crate::{companion, compare, exit, log, malformed, mtu_sweep, names, stateful};

/// Happenings that may wait to be printed. A terminal that is stopped must not stop the probes.
const QUEUE: usize = 65_536;
/// How often a progress line is refreshed.
const TICK: Duration = Duration::from_millis(200);

/// `stamp-sender HOST...`.
pub fn measure(measure: &Measure) -> Ended {
    log::init(measure.output.log_level);
    let measure = &names::resolved(measure)?;
    if measure.steering.show_packet {
        let packets = setup::show_packets(measure)?;
        std::io::stdout().write_all(packets.as_bytes()).map_err(Failure::Output)?;
        return Ok(Status::Done);
    }
    if !measure.asking.send_malformed.is_empty() {
        return malformed::run(measure);
    }
    if measure.steering.mtu_sweep {
        return mtu_sweep::run(measure);
    }
    let stage = Stage::open()?;
    let Sessions { mut setups, mut infos, missing } = setup::sessions(measure)?;
    let stage = stage.with_companions(companion::open(measure, &mut infos)?);
    let mut reporter = reporter(&measure.output)?;
    if !measure.steering.mode.is_looped() {
        stateful::settle(&measure.probe, &mut setups, &infos)?;
    }
    let (status, sessions) = stage.run(setups, &infos, &mut *reporter)?;
    let compared = compare::text(&measure.steering, &infos, &sessions);
    if let Some(text) = compared.filter(|_| measure.output.is_for_people()) {
        std::io::stdout().write_all(text.as_bytes()).map_err(Failure::Output)?;
    }
    // Said again at the end, where a long run has not scrolled it away.
    missing.iter().for_each(exit::tell_failure);
    Ok(if missing.is_empty() { status } else { status.with_missing_host() })
}

/// The form of output that was asked for.
pub fn reporter(output: &Output) -> Result<Box<dyn Reporter>, Failure> {
    output::reporter(output).map_err(|problem| Failure::Usage { flag: "--percentiles", problem })
}

/// What a run stands on: the runtime, and signals that must not end the program from the start.
pub struct Stage {
    runtime: Runtime,
    summary: [Signal; 2],
    companions: Vec<Companion>,
    /// Where the worker is, if not here.
    node: Option<Namespace>,
}

impl Stage {
    /// From now on a signal that asks for a summary waits for the run; one that ends the program
    /// still does, while names are looked up and far ends are asked what they are.
    ///
    /// # Errors
    ///
    /// When the system refuses the runtime or the handlers.
    pub fn open() -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| Failure::System { what: "starting the runtime", source })?;
        let entered = runtime.enter();
        let summary = [listen(SignalKind::quit())?, listen(SignalKind::user_defined1())?];
        drop(entered);
        Ok(Self { runtime, summary, companions: Vec::new(), node: None })
    }

    /// The same with sessions from which others learn their far clock.
    #[must_use]
    pub fn with_companions(self, companions: Vec<Companion>) -> Self {
        Self { companions, ..self }
    }

    /// The same at a node of a lab: its worker follows the routes there, where the sessions were opened too.
    #[must_use]
    pub fn at(self, node: &Namespace) -> Self {
        Self { node: Some(node.clone()), ..self }
    }

    /// Probes until every session has ended or a signal came, then reports.
    pub fn run(
        self,
        setups: Vec<SessionSetup>,
        infos: &[SessionInfo],
        reporter: &mut dyn Reporter,
    ) -> Result<(Status, Vec<SessionSnapshot>), Failure> {
        let Self { runtime, summary, companions, node } = self;
        runtime.block_on(async {
            let mut signals = Signals::listen(summary)?;
            let (queue, mut happenings) = mpsc::channel(QUEUE);
            // Before anything is printed: it refuses sessions that cannot be.
            let queue = Box::new(Queue { queue, lost: 0 });
            let start = || SenderPool::with_companions(setups, companions, queue);
            let pool = match node {
                Some(node) => node
                    .run(start)
                    .map_err(|source| Failure::System { what: "entering a node", source })?,
                None => start(),
            }?;
            reporter.start(infos).map_err(Failure::Output)?;
            if pool.spins() {
                tracing::info!(
                    "probes follow each other within 200 us: one processor is kept busy"
                );
            }
            let ended = follow(&pool, &mut happenings, &mut signals, reporter).await?;
            let snapshots = pool.join()?;
            while let Ok((session, happening)) = happenings.try_recv() {
                reporter.happening(session, &happening).map_err(Failure::Output)?;
            }
            reporter.finish(&snapshots, ended).map_err(Failure::Output)?;
            Ok((status(&snapshots, ended), snapshots))
        })
    }
}

/// Prints what happens until the worker has ended.
async fn follow(
    pool: &SenderPool,
    happenings: &mut Receiver<(usize, Happening)>,
    signals: &mut Signals,
    reporter: &mut dyn Reporter,
) -> Result<RunEnded, Failure> {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut ended = RunEnded::Complete;
    loop {
        tokio::select! {
            biased;
            asked = signals.next() => match asked {
                Asked::Summary => {
                    reporter.running_summary(&pool.snapshots()).map_err(Failure::Output)?;
                }
                // The second time the user means it: replies under way are not waited for.
                Asked::Stop if ended == RunEnded::Interrupted => pool.stop(),
                Asked::Stop => {
                    ended = RunEnded::Interrupted;
                    pool.stop_sending();
                }
            },
            happening = happenings.recv() => match happening {
                Some((session, happening)) => {
                    reporter.happening(session, &happening).map_err(Failure::Output)?;
                }
                None => return Ok(ended),
            },
            _ = tick.tick() => reporter.tick().map_err(Failure::Output)?,
        }
    }
}

/// 0 when every host answered, 1 when one never did, 130 when nobody had the time to.
fn status(snapshots: &[SessionSnapshot], ended: RunEnded) -> Status {
    let answered = |snapshot: &&SessionSnapshot| {
        snapshot.packets.received > 0 || (snapshot.wants_no_reply && snapshot.packets.sent > 0)
    };
    let hosts = snapshots.iter().filter(answered).count();
    match (hosts, ended) {
        (0, RunEnded::Interrupted) => Status::Interrupted,
        (hosts, _) if hosts == snapshots.len() => Status::Done,
        _ => Status::Unmet,
    }
}

/// Passes happenings from the packet thread to the printing side.
struct Queue {
    queue: Sender<(usize, Happening)>,
    /// How many found the queue full.
    lost: u64,
}

impl Queue {
    fn put(&mut self, session: usize, happening: Happening) {
        if self.queue.try_send((session, happening)).is_err() {
            self.lost += 1;
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        if self.lost > 0 {
            tracing::warn!(
                lines = self.lost,
                "printing could not keep up: these lines are missing; the summary is complete"
            );
        }
    }
}

impl SenderObserver for Queue {
    fn outcome(&mut self, session: usize, outcome: &Outcome) {
        self.put(session, Happening::Outcome(*outcome));
    }

    fn event(&mut self, session: usize, event: SenderEvent) {
        self.put(session, Happening::Event(event));
    }

    fn trouble(&mut self, session: usize, trouble: Trouble) {
        self.put(session, Happening::Trouble(trouble));
    }

    fn window(&mut self, session: usize, window: SessionSnapshot) {
        self.put(session, Happening::Window(Box::new(window)));
    }
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Asked {
    /// Send no more, report, end.
    Stop,
    /// Print a summary and carry on.
    Summary,
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    summary: [Signal; 2],
}

fn listen(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|source| Failure::System { what: "handling a signal", source })
}

impl Signals {
    fn listen(summary: [Signal; 2]) -> Result<Self, Failure> {
        let interrupt = listen(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: listen(SignalKind::terminate())?, summary })
    }

    async fn next(&mut self) -> Asked {
        let [quit, user] = &mut self.summary;
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.terminate.recv() => Asked::Stop,
            _ = quit.recv() => Asked::Summary,
            _ = user.recv() => Asked::Summary,
        }
    }
}

/// Whether a person looks at standard output.
#[must_use]
pub fn on_terminal() -> bool {
    std::io::stdout().is_terminal()
}
