//! `stamp-sender run`: many sessions, from a file, for as long as the service runs.

mod announced;
mod board;
mod choosing;
mod config;
mod discovery;
mod events;
mod far_end;
mod fleet;
mod inputs;
mod needs;
mod observer;
mod opening;
mod paths;
mod policies;
mod preparation;
mod shard;
mod signals;
mod verbs;
mod web;
mod wish;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use stamp_metrics::table::Table;
use stamp_service::inherited::Inherited;
use stamp_service::log::Log;
use stamp_service::manager;
use stamp_service::sandbox::{self, Sandbox};
use stamp_session::sender::SenderEvent;
use stamp_session::snapshot::{DelaySummary, SessionSnapshot};
use stamp_session::te::TeState;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::Ended;
use crate::exit::{Failure, Status};
use crate::output::duration::delay;
use crate::output::instant;
use board::Board;
pub use config::Configuration;
use config::Reflector;
use discovery::Discoverer;
use events::Events;
use far_end::{FarEnds, Told, Verdict, Word};
use fleet::{Changed, Fleet, Openers};
use observer::{Notice, Place};
use paths::Chooser;
use preparation::{Before, Preparation, Prepared};
pub use signals::{Asked, Signals};
use web::Sources;
use wish::{Answers, Cause, Wanted, Wish, Wishes};

pub use shard::Shard;
pub use verbs::{check, schema, show, template};

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
///
/// Whatever keeps it from starting.
pub fn run(file: PathBuf, shard: Option<Shard>) -> Ended {
    let configuration = Configuration::load(&file)?;
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
        let _server = web::start(sources, &mut inherited)?;
        inherited.close();
        let running =
            Configuration { service: configuration.service.clone(), ..Default::default() };
        let mut daemon = Daemon {
            file,
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

const HOOK_NEEDS_A_RESTART: &str = "the first [[hook]] takes a restart: the sandbox lets no command run \
                                    where none was configured at the start";

/// Everything the control side owns.
struct Daemon {
    file: PathBuf,
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
                    // Packet threads that answer are alive; one that hangs holds this up.
                    self.fleet.hear_from_workers();
                    manager::alive();
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
            shard: self.shard,
            running: self.running.clone(),
            found: self.discoverer.found(),
            known: self.fleet.known(),
            circumstances: self.chooser.circumstances(),
        };
        let preparation = Preparation::begin(wanted, answers, before, self.fleet.openers());
        self.preparation = Some(preparation);
    }

    /// All of what was prepared is put in force, or everything stays as it was.
    fn prepared(
        &mut self,
        result: Result<Prepared, Failure>,
        answers: Answers,
        cause: Cause,
    ) -> Result<(), Failure> {
        let result = result.and_then(|prepared| self.put_in_force(prepared, cause));
        match (cause, result) {
            (Cause::Start, result) => {
                result?;
                self.board.reloaded(true);
                self.sandbox.close()?;
                self.sandbox.tell();
                self.board.sandboxed(self.sandbox.in_force());
                manager::ready();
            }
            (Cause::Reload, result) => {
                self.board.reloaded(result.is_ok());
                let outcome = result.map_err(|failure| self.refused(&failure));
                manager::ready();
                answers.tell(&outcome);
            }
            (Cause::Computation, result) => {
                let outcome = result.map_err(|failure| {
                    tracing::error!(%failure, "other paths are not in force");
                    failure.to_string()
                });
                answers.tell(&outcome);
            }
            (Cause::Discovery, Ok(())) => {}
            (Cause::Discovery, Err(failure)) => {
                tracing::error!(%failure, "what was discovered is not in force");
            }
        }
        Ok(())
    }

    /// Says so, loudly.
    fn refused(&mut self, failure: &Failure) -> String {
        let reason = failure.to_string();
        for line in reason.lines() {
            tracing::error!("{line}");
        }
        if let Some(hint) = sandbox::hint(&reason) {
            tracing::error!("{hint}");
        }
        tracing::error!(
            file = %self.file.display(),
            "the new configuration is refused; the one before stays in force"
        );
        self.events.configuration(Some(&reason));
        reason
    }

    fn put_in_force(&mut self, prepared: Prepared, cause: Cause) -> Result<(), Failure> {
        let Prepared { configuration, plan, found, refused, change, opened, late } = prepared;
        let (new, old) = (&configuration.service, &self.running.service);
        if !new.notify.hooks.is_empty() && !self.sandbox.lets_commands_run() {
            return Err(Failure::Input(HOOK_NEEDS_A_RESTART.to_owned()));
        }
        let file = (new.events_file != old.events_file)
            .then(|| self.events.prepare_file(new.events_file.as_deref()))
            .transpose()?;
        self.events.prepare_to_notify(&new.notify)?;
        self.fleet.switch_histograms(&configuration, change.summary().sessions());
        let changed = self.fleet.put_in_force(change, opened, late);
        match file {
            Some(file) => self.events.change_file(file),
            // Whoever has renamed the file wants a new one.
            None if cause == Cause::Reload => self.events.reopen(),
            None => {}
        }
        self.events.notify(&configuration.service.notify);
        self.events.expect(changed.sessions());
        self.tell_plan(&plan, cause);
        self.chooser.put_in_force(plan);
        self.board.serves(&configuration);
        self.board.group();
        self.log.set_level(configuration.service.log_level);
        for gone in self.far_ends.listen_to(&configuration.reflectors) {
            self.fleet.hearing(&gone.addresses, false);
        }
        self.far_ends.retain(|place| self.fleet.at(place).is_some());
        self.discoverer.watch(&configuration.discoveries, &found, &refused);
        self.board.discovered(self.discoverer.states());
        self.running = configuration;
        self.tell_change(&changed, cause);
        Ok(())
    }

    fn tell_change(&mut self, changed: &Changed, cause: Cause) {
        let Changed { added, changed, tuned, removed, kept } = *changed;
        match cause {
            Cause::Start => tracing::info!(
                file = %self.file.display(),
                shard = self.shard.map(tracing::field::display),
                sessions = added,
                "stamp-sender {} runs",
                env!("CARGO_PKG_VERSION")
            ),
            Cause::Reload => {
                tracing::info!(added, changed, tuned, removed, kept, "configuration reloaded");
                self.events.configuration(None);
            }
            Cause::Discovery => tracing::info!(
                added,
                changed,
                tuned,
                removed,
                kept,
                "other targets were discovered"
            ),
            Cause::Computation => {
                tracing::info!(added, changed, tuned, removed, kept, "paths were computed anew");
            }
        }
    }

    fn take(&mut self, place: Place, notice: Notice) {
        // What comes late for a session that has gone is nobody's.
        let Some((member, info)) = self.fleet.at(place) else { return };
        match notice {
            Notice::Event { event, tally, time } => {
                let policy = member.spec.policy.as_ref().map(|it| it.policy.as_str());
                self.events.session((&info.name, policy), &event, &tally, time);
                if let SenderEvent::State(change) = event {
                    let verdict = self.far_ends.state((place, info), change.to, &tally);
                    self.fleet.state(place, change.to);
                    if let Some((session, branch)) = self.fleet.branch(place) {
                        self.chooser.state(session, branch, change.to);
                    }
                    if let Some(verdict) = verdict {
                        self.tell_broken(place, &verdict);
                    }
                }
            }
            Notice::Trouble(trouble) => {
                let wants_a_look = events::trouble(&info.name, trouble);
                if wants_a_look {
                    self.fleet.reconsider(place, Instant::now());
                }
            }
            Notice::Window { measured, end } => {
                let (name, interval) = (info.name.clone(), info.schedule.mean_interval());
                let window = (member.spec.window, end);
                if let Some(branch) = self.fleet.branch(place) {
                    self.chooser.window(branch, &measured, window, interval);
                }
                for advertisement in self.fleet.window(place, measured, end) {
                    self.events.announcement(&name, &advertisement);
                    self.chooser.announced(&name, &advertisement);
                }
            }
        }
    }

    /// A Session-Reflector tells something of probes of ours.
    fn hear(&mut self, reflector: &Reflector, word: Word) {
        let url = reflector.url.text();
        match word {
            Word::Heard => {
                tracing::info!(url, "the reflector is heard: it tells what arrives of our probes");
                self.fleet.hearing(&reflector.addresses, true);
            }
            Word::Unheard(reason) => {
                tracing::warn!(url, reason, "the reflector is not heard; tried again");
                self.fleet.hearing(&reflector.addresses, false);
            }
            // What was under way is not known now.
            Word::Told(Told::Gap) => {
                self.fleet.hearing(&reflector.addresses, false);
                self.fleet.hearing(&reflector.addresses, true);
            }
            Word::Told(Told::Arrivals { of, arrivals }) => {
                if let Some(place) = self.fleet.known_as(&of, &reflector.addresses) {
                    self.fleet.arrived(place, &arrivals);
                }
            }
            Word::Seen(seen) => {
                for (of, idle) in seen {
                    let place = self.fleet.known_as(&of, &reflector.addresses);
                    let Some(place) = place else { continue };
                    if let Some(verdict) = self.far_ends.seen(place, idle) {
                        self.tell_broken(place, &verdict);
                    }
                }
            }
            Word::Told(Told::State { of, is_down, missed }) => {
                let Some(place) = self.fleet.known_as(&of, &reflector.addresses) else { return };
                if let Some(verdict) = self.far_ends.missed(place, is_down, missed) {
                    self.tell_broken(place, &verdict);
                }
            }
        }
    }

    /// Which way of a session that is down is broken.
    fn tell_broken(&mut self, place: Place, verdict: &Verdict) {
        let Some((member, info)) = self.fleet.at(place) else { return };
        let policy = member.spec.policy.as_ref().map(|it| it.policy.as_str());
        self.events.broken((&info.name, policy), verdict);
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
