//! `stamp-sender select`: decides for all policies of a file over what many senders measured.
//!
//! ```text
//!  senders ── series ──► Prometheus ◄── one question ── asker ─► readings ─► decider ─► table, events
//! ```
//!
//! The decider is the chooser of `run`, told by series what a daemon is told by packet threads. Without an
//! answer nothing is decided: what carries stays, and everybody is told so.

mod answer;
mod asker;
mod board;
pub mod config;
mod decider;
mod matcher;
mod needs;
mod once;
mod query;
mod reading;
mod readings;
#[cfg(test)]
mod tests;
mod web;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use stamp_metrics::table::Table;
use stamp_service::inherited::Inherited;
use stamp_service::log::Log;
use stamp_service::manager;
use stamp_service::sandbox::Sandbox;

use crate::Ended;
use crate::command_line;
use crate::daemon::{self, Configuration, Events, Signals};
use crate::exit::{Failure, Status};
use crate::output::instant;
use crate::policies::Policies;
use answer::Answer;
use asker::{AskError, Asker};
use board::Board;
use config::Select;
use decider::Decider;
use readings::Readings;
use web::Sources;

/// Questions are no closer than this, however soon a decision would be another one.
const CLOSEST: Duration = Duration::from_millis(500);

/// Decides until SIGTERM or SIGINT, or once.
///
/// # Errors
///
/// Whatever keeps it from starting.
pub fn run(asked: &command_line::Select) -> Ended {
    let (configuration, select) = load(&asked.file)?;
    let service = configuration.service.clone();
    let fail = |source| Failure::System { what: "going on with what was passed on", source };
    let mut inherited = Inherited::take().map_err(fail)?;
    // While there is one thread: those to come have what it has.
    let needs = needs::of(&configuration, &select, &asked.file);
    let mut sandbox = Sandbox::enter(service.sandbox, &needs)?;
    let log = Log::start(service.log_level, service.log_format);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Failure::System { what: "starting the runtime", source })?;
    let ended = runtime.block_on(async {
        if asked.once {
            sandbox.close()?;
            return once(&configuration, &select, asked.json).await;
        }
        let signals = Signals::listen()?;
        let mut events = Events::open(service.events_file.as_deref())?;
        events.prepare_to_notify(&service.notify)?;
        events.notify(&service.notify);
        let board = Board::default();
        let table = Arc::new(Table::new(|| instant::Instant(stamp_worker::now().wall).to_string()));
        sandbox.close()?;
        sandbox.tell();
        let sources = Sources {
            board: board.clone(),
            table: Arc::clone(&table),
            events: events.shown(),
            clients: Arc::clone(&service.clients),
            layers: sandbox.in_force(),
        };
        let _server = web::start(sources, &select, &mut inherited)?;
        inherited.close();
        let decider = Decider::new(configuration.paths.clone(), select.stale_after);
        board.read().policies.configure(decider.in_force().sessions.iter());
        let file = asked.file.clone();
        let selecting =
            Selecting { file, configuration, select, decider, events, board, table, log };
        selecting.serve(signals).await
    });
    // A name that is still being looked up is nobody's any more.
    runtime.shutdown_background();
    ended
}

/// A file, and whom it says is to be asked.
fn load(file: &Path) -> Result<(Configuration, Select), Failure> {
    let configuration = Configuration::load(file)?;
    let lacks = |what: &str| Failure::Input(format!("{}: no {what} in it", file.display()));
    let select = configuration.select.clone().ok_or_else(|| lacks("[select]"))?;
    if configuration.paths.policies.policies.is_empty() {
        return Err(lacks("[[policy]] or [[mesh]]"));
    }
    Ok((configuration, select))
}

async fn once(configuration: &Configuration, select: &Select, json: bool) -> Ended {
    let mut decider = Decider::new(configuration.paths.clone(), select.stale_after);
    let asker = Asker::new(select, &decider.in_force().policies);
    let answer = asker.ask(Instant::now()).await;
    let answer = answer
        .map_err(|error| Failure::Requirement(format!("{}: {error}", select.prometheus.text())))?;
    let now = stamp_worker::now();
    decider.decide(&Readings::of(&answer), &mut Policies::default(), now);
    let (shown, rows) = decider.shown(now, None);
    once::tell(&shown, rows, json)
}

/// Everything the deciding side owns.
struct Selecting {
    file: PathBuf,
    /// What is in force.
    configuration: Configuration,
    select: Select,
    decider: Decider,
    events: Events,
    board: Board,
    table: Arc<Table>,
    log: Log,
}

impl Selecting {
    /// Until it is told to stop.
    async fn serve(mut self, mut signals: Signals) -> Ended {
        let policies = self.decider.in_force().policies.policies.len();
        let prometheus = self.select.prometheus.text();
        tracing::info!(file = %self.file.display(), prometheus, policies, "stamp-sender selects");
        manager::ready();
        let mut watchdog = manager::watchdog().map(tokio::time::interval);
        let mut asking = Box::pin(self.asker().ask(Instant::now()));
        loop {
            tokio::select! {
                asked = signals.next() => match asked {
                    daemon::Asked::Stop => break,
                    daemon::Asked::Reload => {
                        manager::reloading();
                        self.reload();
                        manager::ready();
                    }
                    daemon::Asked::Status => self.tell_status(),
                },
                answer = &mut asking => {
                    self.take(answer);
                    asking = Box::pin(self.asker().ask(self.next()));
                }
                () = ticked(watchdog.as_mut()) => manager::alive(),
            }
        }
        manager::stopping();
        tracing::info!("stopped");
        Ok(Status::Done)
    }

    fn asker(&self) -> Asker {
        Asker::new(&self.select, &self.decider.in_force().policies)
    }

    /// When to ask again: after the interval, or when a decision would be another one.
    fn next(&self) -> Instant {
        let now = Instant::now();
        let usual = now + self.select.interval;
        let due = self.decider.due().filter(|_| self.board.read().trouble.is_none());
        due.map_or(usual, |due| usual.min(due.max(now + CLOSEST)))
    }

    /// Decides by an answer, or leaves all as it is.
    fn take(&mut self, answer: Result<Answer, AskError>) {
        let now = stamp_worker::now();
        let frozen = match answer {
            Ok(answer) => {
                self.decide(&Readings::of(&answer), now);
                None
            }
            Err(error) => {
                self.freeze(&error.to_string());
                Some(error.to_string())
            }
        };
        let (shown, rows) = self.decider.shown(now, frozen.as_deref());
        if self.board.read().has_decided() {
            self.table.publish(rows);
        }
        let mut posted = self.board.read();
        posted.policies.choose(shown);
        let changes = posted.policies.changes(now);
        drop(posted);
        changes.into_iter().for_each(|change| self.events.policy(change));
    }

    fn decide(&mut self, readings: &Readings, now: stamp_session::clock::Now) {
        let mut posted = self.board.read();
        let moved = self.decider.decide(readings, &mut posted.policies, now);
        posted.asked.0 = posted.asked.0.saturating_add(1);
        posted.answered = Some(SystemTime::now());
        if posted.trouble.take().is_some() {
            tracing::info!("Prometheus answers again: decisions go on");
        }
        posted.lists = self
            .decider
            .lists()
            .map(|(list, silence)| {
                (list.to_owned(), silence.map(|it| (it.label(), it.to_string())))
            })
            .collect();
        drop(posted);
        moved.into_iter().for_each(|moved| self.events.path(moved));
    }

    /// Nobody answers: what carries stays.
    fn freeze(&self, reason: &str) {
        let mut posted = self.board.read();
        posted.asked.1 = posted.asked.1.saturating_add(1);
        let before = posted.trouble.replace(reason.to_owned());
        drop(posted);
        if before.as_deref() != Some(reason) {
            let prometheus = self.select.prometheus.text();
            tracing::error!(
                prometheus,
                reason,
                "Prometheus does not answer: nothing is decided, every choice stays"
            );
        }
    }

    /// Reads the file again, all of it or nothing.
    fn reload(&mut self) {
        match self.reread() {
            Ok(()) => {
                tracing::info!("configuration reloaded");
                self.events.configuration(None);
            }
            Err(failure) => {
                let reason = failure.to_string();
                reason.lines().for_each(|line| tracing::error!("{line}"));
                let file = self.file.display();
                tracing::error!(%file, "the new configuration is refused; the one before stays in force");
                self.events.configuration(Some(&reason));
            }
        }
    }

    fn reread(&mut self) -> Result<(), Failure> {
        let (configuration, select) = load(&self.file)?;
        let (new, old) = (&configuration.service, &self.configuration.service);
        let key = new.restart_for(old).or_else(|| (select != self.select).then_some("select"));
        let key = key.or_else(|| {
            let same = (&new.events_file, &new.notify) == (&old.events_file, &old.notify);
            (!same).then_some("events, webhook or hook")
        });
        let key = key.or_else(|| (new.clients != old.clients).then_some("client"));
        if let Some(key) = key {
            return Err(Failure::Input(format!("{key} changes with a restart only")));
        }
        self.decider.reload(configuration.paths.clone());
        self.board.read().policies.configure(self.decider.in_force().sessions.iter());
        self.log.set_level(new.log_level);
        self.events.reopen();
        self.configuration = configuration;
        Ok(())
    }

    fn tell_status(&self) {
        for (list, silence) in self.decider.lists() {
            match silence {
                Some(silence) => tracing::info!(list, reason = %silence, "nothing is known of it"),
                None => tracing::info!(list, "is known"),
            }
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
