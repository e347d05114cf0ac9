//! `stamp-sender run`: many sessions, from a file, for as long as the service runs.

mod announced;
mod board;
mod choosing;
mod config;
mod discovery;
mod enforcement;
mod events;
mod far_end;
mod files;
mod fleet;
mod hearing;
mod inputs;
mod needs;
mod observer;
mod opening;
mod preparation;
mod shard;
mod signals;
mod status;
mod verbs;
mod web;
mod wish;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use stamp_config::web::WebArguments;
use stamp_metrics::table::Table;
use stamp_service::inherited::Inherited;
use stamp_service::log::Log;
use stamp_service::manager;
use stamp_service::sandbox::Sandbox;
use stamp_worker::RollCall;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::MissedTickBehavior;

use crate::Ended;
use crate::exit::{Failure, Status};
use crate::output::instant;
use crate::paths::Chooser;
use board::Board;
pub use config::{Configuration, ListSession, Membership, Paths, SessionSpec, Settings};
use discovery::Discoverer;
pub use events::{Events, ShownEvents};
use far_end::FarEnds;
use fleet::{Fleet, Openers};
pub use needs::of_others as needs_of_others;
use observer::{Notice, Place};
use preparation::{Before, Preparation};
pub use signals::{Asked, Signals};
use web::Sources;
use wish::{Cause, Wanted, Wish, Wishes};

pub use shard::Shard;
pub use verbs::{check, schema, show, template};
pub use web::{icon, script, style};

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
///
/// Whatever keeps it from starting.
pub fn run(file: PathBuf, arguments: WebArguments, shard: Option<Shard>) -> Ended {
    let configuration = Configuration::load_under(&file, &arguments)?;
    files::check_web(&configuration, &file, &arguments)?;
    let service = configuration.service.clone();
    let fail = |source| Failure::System { what: "going on with what was passed on", source };
    let mut inherited = Inherited::take().map_err(fail)?;
    // While there is one thread: those to come have what it has.
    let sandbox = Sandbox::enter(service.sandbox, &needs::of(&configuration, &file))?;
    let log = Log::start(service.log_level, service.log_format);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(Openers::THREADS)
        .build()
        .map_err(|source| Failure::System { what: "starting the runtime", source })?;
    let ended = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let (sender, notices) = mpsc::unbounded_channel();
        let board = Board::default();
        let fleet = Fleet::new(service.workers.get(), &sender, board.clone())?;
        let events = Events::open(service.events_file.as_deref())?;
        let (wishing, wishes) = mpsc::unbounded_channel();
        let table = Arc::new(Table::new(|| instant::Instant(stamp_worker::now().wall).to_string()));
        let sources = Sources {
            board: board.clone(),
            askers: fleet.askers(),
            events: events.shown(),
            table: Arc::clone(&table),
            lag: fleet.lag(),
            web: service.web,
            shard,
            wishes: wishing,
        };
        // Before anybody can ask; the last layer is laid when all that it forbids is done.
        board.sandboxed(sandbox.in_force());
        let _server = web::start(sources, &mut inherited)?;
        inherited.close();
        let running =
            Configuration { service: configuration.service.clone(), ..Default::default() };
        let mut daemon = Daemon {
            file,
            arguments,
            shard,
            log,
            fleet,
            events,
            notices,
            wishes,
            waiting: Wishes::default(),
            preparation: None,
            discoverer: Discoverer::default(),
            far_ends: FarEnds::default(),
            chooser: Chooser::default(),
            table,
            board,
            running,
            sandbox,
        };
        daemon.waiting.push(Wish::new(Wanted::First(Box::new(configuration))));
        daemon.serve(&mut signals).await
    });
    // Names that are still being looked up are nobody's any more.
    runtime.shutdown_background();
    ended.map(|()| Status::Done)
}

/// Everything the control side owns.
struct Daemon {
    file: PathBuf,
    /// What the command line says, before any file.
    arguments: WebArguments,
    /// Which part of the sessions is ours.
    shard: Option<Shard>,
    log: Log,
    fleet: Fleet,
    events: Events,
    notices: UnboundedReceiver<(Place, Notice)>,
    /// Whoever asks over HTTP for another reading of the file.
    wishes: UnboundedReceiver<Wish>,
    /// What is to be put in force when that under way has come to an end.
    waiting: Wishes,
    /// What is on its way to being in force.
    preparation: Option<Preparation>,
    discoverer: Discoverer,
    far_ends: FarEnds,
    /// Which lists carry traffic.
    chooser: Chooser,
    /// The same for those who follow it.
    table: Arc<Table>,
    /// What others may see.
    board: Board,
    /// What is in force.
    running: Configuration,
    /// What was given away.
    sandbox: Sandbox,
}

impl Daemon {
    /// Until it is told to stop.
    ///
    /// # Errors
    ///
    /// What keeps the first configuration from being in force.
    async fn serve(&mut self, signals: &mut Signals) -> Result<(), Failure> {
        // It is ready before it is said to be alive, unless that takes long.
        let mut watchdog = manager::watchdog()
            .map(|period| tokio::time::interval_at(tokio::time::Instant::now() + period, period));
        if let Some(watchdog) = &mut watchdog {
            // Whoever was held up gives threads as long as ever to answer.
            watchdog.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let (mut roll, mut life) = (RollCall::default(), manager::Life::default());
        loop {
            self.begin_next();
            let due = self.fleet.next_due().into_iter().chain(self.chooser.due()).min();
            let verdict = self.far_ends.next_due();
            tokio::select! {
                biased;
                asked = signals.next() => match asked {
                    Asked::Stop => break,
                    Asked::Reload => self.waiting.push(Wish::new(Wanted::File)),
                    Asked::Status => self.tell_status(),
                },
                Some(wish) = self.wishes.recv() => self.waiting.push(wish),
                (result, answers, cause) = Preparation::finished(&mut self.preparation) => {
                    self.prepared(result, answers, cause)?;
                }
                others = self.discoverer.looked() => {
                    self.board.discovered(self.discoverer.states());
                    if others {
                        self.waiting.push(Wish::new(Wanted::Found));
                    }
                }
                Some((place, notice)) = self.notices.recv() => self.take(place, notice),
                (reflector, word) = self.far_ends.next() => self.hear(&reflector, word),
                () = sleep_until(verdict) => self.far_ends.ask_due(Instant::now()),
                () = self.fleet.attempted() => {}
                () = sleep_until(due) => self.fleet.tend(Instant::now()),
                () = ticked(watchdog.as_mut()) => {
                    // Since the last tick they had time to answer.
                    let absence = roll.absence();
                    life.tell(absence.as_ref().map(ToString::to_string));
                    if absence.is_none() {
                        roll = self.fleet.call_roll();
                    }
                }
            }
            self.choose();
            for change in self.board.policy_changes() {
                self.events.policy(change);
            }
        }
        manager::stopping();
        tracing::info!("stopped");
        Ok(())
    }

    /// Begins to prepare what is wanted next, unless something is under way. Sessions go on meanwhile.
    fn begin_next(&mut self) {
        if self.preparation.is_some() {
            return;
        }
        let Some((wanted, answers)) = self.waiting.next() else { return };
        let Some((wanted, answers)) = self.drained(wanted, answers) else { return };
        if wanted.cause() == Cause::Reload {
            manager::reloading();
        }
        let before = Before {
            file: self.file.clone(),
            arguments: self.arguments.clone(),
            shard: self.shard,
            running: self.running.clone(),
            found: self.discoverer.found(),
            known: self.fleet.known(),
            circumstances: self.chooser.circumstances(),
        };
        let preparation = Preparation::begin(wanted, answers, before, self.fleet.openers());
        self.preparation = Some(preparation);
    }
}

/// The next tick; never where there are none.
async fn ticked(interval: Option<&mut tokio::time::Interval>) {
    match interval {
        Some(interval) => drop(interval.tick().await),
        None => std::future::pending().await,
    }
}

/// Waits until then; for ever when there is no such time.
async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
