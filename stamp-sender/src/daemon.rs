//! `stamp-sender run`: many sessions, from a file, for as long as the service runs.

mod announced;
mod board;
mod config;
mod events;
mod fleet;
mod inputs;
mod observer;
mod opening;
mod verbs;
mod web;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use stamp_service::log::Log;
use stamp_service::manager;
use stamp_session::snapshot::{DelaySummary, SessionSnapshot};
use stamp_session::te::TeState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::Ended;
use crate::exit::{Failure, Status};
use crate::output::duration::delay;
use board::Board;
use config::Configuration;
use events::{Counts, Events};
use fleet::Fleet;
use observer::{Notice, Place};
use web::{Sources, Wish};

pub use verbs::{check, show, template};

/// Threads that look names up and open sockets, so that one name server that does not answer keeps
/// nobody else waiting.
const OPENERS: usize = 32;

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
///
/// Whatever keeps it from starting.
pub fn run(file: PathBuf) -> Ended {
    let configuration = Configuration::load(&file)?;
    let service = configuration.service.clone();
    let log = Log::start(service.log_level, service.log_format);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(OPENERS)
        .build()
        .map_err(|source| Failure::System { what: "starting the runtime", source })?;
    runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let (sender, notices) = mpsc::unbounded_channel();
        let board = Board::default();
        let fleet = Fleet::new(service.workers.get(), &sender, board.clone())?;
        let events = Events::open(service.events_file.as_deref(), Arc::<Counts>::default())?;
        let (wishing, wishes) = mpsc::unbounded_channel();
        let _server = web::start(Sources {
            board: board.clone(),
            askers: fleet.askers(),
            events: events.counts(),
            service,
            wishes: wishing,
        })?;
        let running = configuration.clone();
        let mut daemon = Daemon { file, log, fleet, events, notices, wishes, board, running };
        tokio::select! {
            started = daemon.start(configuration) => started?,
            () = signals.stopped() => return Ok(Status::Done),
        }
        daemon.serve(&mut signals).await;
        Ok(Status::Done)
    })
}

/// Everything the control side owns.
struct Daemon {
    file: PathBuf,
    log: Log,
    fleet: Fleet,
    events: Events,
    notices: UnboundedReceiver<(Place, Notice)>,
    /// Whoever asks over HTTP for another reading of the file.
    wishes: UnboundedReceiver<Wish>,
    /// What others may see.
    board: Board,
    /// What is in force.
    running: Configuration,
}

impl Daemon {
    async fn start(&mut self, configuration: Configuration) -> Result<(), Failure> {
        let changed = self.fleet.apply(&configuration).await?;
        self.board.reloaded(true);
        tracing::info!(
            file = %self.file.display(),
            sessions = changed.added,
            "stamp-sender {} runs",
            env!("CARGO_PKG_VERSION")
        );
        Ok(())
    }

    /// Until it is told to stop.
    async fn serve(&mut self, signals: &mut Signals) {
        manager::ready();
        let mut watchdog = manager::watchdog().map(tokio::time::interval);
        loop {
            let due = self.fleet.next_due();
            tokio::select! {
                biased;
                asked = signals.next() => match asked {
                    Asked::Stop => break,
                    Asked::Reload => {
                        manager::reloading();
                        tokio::select! {
                            _ = living(self.reload(), watchdog.as_mut()) => manager::ready(),
                            () = signals.stopped() => break,
                        }
                    }
                    Asked::Status => self.tell_status(),
                },
                Some(wish) = self.wishes.recv() => {
                    manager::reloading();
                    let result = tokio::select! {
                        result = living(self.reload(), watchdog.as_mut()) => result,
                        () = signals.stopped() => break,
                    };
                    manager::ready();
                    // Whoever asked may have gone.
                    let _ = wish.send(result);
                }
                Some((place, notice)) = self.notices.recv() => self.take(place, notice),
                () = self.fleet.attempted() => {}
                () = sleep_until(due) => self.fleet.tend(Instant::now()),
                () = ticked(watchdog.as_mut()) => {
                    // Packet threads that answer are alive; one that hangs holds this up.
                    self.fleet.hear_from_workers();
                    manager::alive();
                }
            }
        }
        manager::stopping();
        tracing::info!("stopped");
    }

    /// The file as it is now, or everything as it was.
    ///
    /// # Errors
    ///
    /// Why the file is not in force.
    async fn reload(&mut self) -> Result<(), String> {
        let result = self.try_reload().await;
        self.board.reloaded(result.is_ok());
        match result {
            Ok(()) => Ok(()),
            Err(failure) => {
                let reason = failure.to_string();
                for line in reason.lines() {
                    tracing::error!("{line}");
                }
                tracing::error!(
                    file = %self.file.display(),
                    "the new configuration is refused; the one before stays in force"
                );
                self.events.configuration(Some(&reason));
                Err(reason)
            }
        }
    }

    async fn try_reload(&mut self) -> Result<(), Failure> {
        let configuration = Configuration::load(&self.file)?;
        let (new, old) = (&configuration.service, &self.running.service);
        let of_a_restart = [
            ("workers", new.workers != old.workers),
            ("log.format", new.log_format != old.log_format),
            ("web", new.web != old.web),
        ];
        if let Some((key, _)) = of_a_restart.iter().find(|(_, changed)| *changed) {
            let problem = format!("{key} changes with a restart only");
            return Err(Failure::Input(problem));
        }
        let events = (new.events_file != old.events_file)
            .then(|| Events::open(new.events_file.as_deref(), self.events.counts()))
            .transpose()?;
        let changed = self.fleet.apply(&configuration).await?;
        match events {
            Some(events) => self.events = events,
            // Whoever has renamed the file wants a new one.
            None => self.events.reopen(),
        }
        self.log.set_level(configuration.service.log_level);
        self.running = configuration;
        tracing::info!(
            added = changed.added,
            changed = changed.changed,
            tuned = changed.tuned,
            removed = changed.removed,
            kept = changed.kept,
            "configuration reloaded"
        );
        self.events.configuration(None);
        Ok(())
    }

    fn take(&mut self, place: Place, notice: Notice) {
        // What comes late for a session that has gone is nobody's.
        let Some((_, info)) = self.fleet.at(place) else { return };
        match notice {
            Notice::Event { event, tally, time } => {
                self.events.session(&info.name, &event, &tally, time);
            }
            Notice::Trouble(trouble) => {
                let wants_a_look = events::trouble(&info.name, trouble);
                if wants_a_look {
                    self.fleet.reconsider(place, Instant::now());
                }
            }
            Notice::Window { measured, end } => {
                let name = info.name.clone();
                for advertisement in self.fleet.window(place, measured, end) {
                    self.events.announcement(&name, &advertisement);
                }
            }
        }
    }

    fn tell_status(&self) {
        for member in self.fleet.members() {
            let name = &member.spec.name;
            match (member.running(), member.waiting()) {
                (Some(running), _) => {
                    let paths = running.infos.iter().zip(&running.windows);
                    for ((info, window), announced) in paths.zip(&running.announced) {
                        tell_window(&info.name, window.as_deref(), announced.state());
                    }
                }
                (None, Some(waiting)) => {
                    tracing::info!(session = name, reason = waiting.reason, "waits");
                }
                (None, None) => tracing::info!(session = name, "is being opened"),
            }
        }
    }
}

/// One line for the latest window of a session that runs.
fn tell_window(session: &str, window: Option<&SessionSnapshot>, announced: Option<TeState>) {
    let Some(window) = window else {
        tracing::info!(session, "runs; no window is complete yet");
        return;
    };
    let median = |summary: &DelaySummary| summary.p50.map(|p50| delay(p50.ns()));
    let packets = &window.packets;
    tracing::info!(
        session,
        state = window.state.label(),
        sent = packets.sent,
        received = packets.received,
        lost = packets.lost.round_trip,
        forward = median(&window.delay.forward),
        backward = median(&window.delay.backward),
        round_trip = median(&window.delay.round_trip),
        clock_synchronized = window.clock.synchronized,
        announced = announced.and_then(|state| state.min).map(|min| delay(min.delay().ns())),
        "runs"
    );
}

/// Does `work`, and tells the service manager meanwhile that this end lives: names that nobody resolves
/// may take longer than it waits.
async fn living<T>(
    work: impl Future<Output = T>,
    mut watchdog: Option<&mut tokio::time::Interval>,
) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = ticked(watchdog.as_deref_mut()) => manager::alive(),
        }
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

/// What a signal asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Asked {
    Stop,
    Reload,
    Status,
}

struct Signals {
    stop: [Signal; 2],
    reload: Signal,
    status: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let on = |kind| {
            signal(kind).map_err(|source| Failure::System { what: "handling a signal", source })
        };
        Ok(Self {
            stop: [on(SignalKind::terminate())?, on(SignalKind::interrupt())?],
            reload: on(SignalKind::hangup())?,
            status: on(SignalKind::user_defined1())?,
        })
    }

    async fn next(&mut self) -> Asked {
        let [terminate, interrupt] = &mut self.stop;
        tokio::select! {
            _ = terminate.recv() => Asked::Stop,
            _ = interrupt.recv() => Asked::Stop,
            _ = self.reload.recv() => Asked::Reload,
            _ = self.status.recv() => Asked::Status,
        }
    }

    async fn stopped(&mut self) {
        let [terminate, interrupt] = &mut self.stop;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
