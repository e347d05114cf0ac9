//! Decides again and again, for as long as the service runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use stamp_metrics::table::Table;
use stamp_service::log::Log;
use stamp_service::manager;
use stamp_session::clock::Now;
use tokio::sync::mpsc::UnboundedReceiver;

use super::answer::Answer;
use super::asker::{AskError, Asker};
use super::board::Board;
use super::config::Select;
use super::decider::Decider;
use super::load;
use super::readings::Readings;
use super::wish::Wish;
use crate::Ended;
use crate::daemon::{Asked, Configuration, Events, Signals};
use crate::exit::{Failure, Status};
use crate::paths::Moved;

/// Questions are no closer than this, however soon a decision would be another one.
const CLOSEST: Duration = Duration::from_millis(500);

/// Everything the deciding side owns.
pub(super) struct Selecting {
    pub(super) file: PathBuf,
    /// What is in force.
    pub(super) configuration: Configuration,
    pub(super) select: Select,
    pub(super) decider: Decider,
    pub(super) events: Events,
    pub(super) board: Board,
    pub(super) table: Arc<Table>,
    pub(super) log: Log,
    /// What somebody wants drained.
    pub(super) wished: UnboundedReceiver<Wish>,
}

impl Selecting {
    /// Until it is told to stop.
    pub(super) async fn serve(mut self, mut signals: Signals) -> Ended {
        let policies = self.decider.in_force().policies.policies.len();
        let prometheus = self.select.prometheus.text();
        tracing::info!(file = %self.file.display(), prometheus, policies, "stamp-sender selects");
        manager::ready();
        let mut watchdog = manager::watchdog().map(tokio::time::interval);
        let mut at = Instant::now();
        let mut soonest = at;
        let mut asking = Box::pin(self.asker().ask(at));
        loop {
            let is_urgent = tokio::select! {
                asked = signals.next() => match asked {
                    Asked::Stop => break,
                    Asked::Reload => {
                        manager::reloading();
                        self.reload();
                        manager::ready();
                        true
                    }
                    Asked::Status => {
                        self.tell_status();
                        false
                    }
                },
                Some(wish) = self.wished.recv() => {
                    self.drain(wish);
                    true
                }
                answer = &mut asking => {
                    self.take(answer);
                    (at, soonest) = (self.next(), Instant::now() + CLOSEST);
                    asking = Box::pin(self.asker().ask(at));
                    false
                }
                () = ticked(watchdog.as_mut()) => {
                    manager::alive();
                    false
                }
            };
            // Whoever ordered it waits for the decision. However often that is, one question is begun anew.
            if is_urgent && soonest < at {
                at = soonest;
                asking = Box::pin(self.asker().ask(at));
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
        let (moves, frozen) = match answer {
            Ok(answer) => (self.decide(&Readings::of(&answer), now), None),
            Err(error) => {
                self.freeze(&error.to_string());
                (Vec::new(), Some(error.to_string()))
            }
        };
        let (shown, rows) = self.decider.shown(now, frozen.as_deref());
        if frozen.is_none() || self.board.read().has_decided() {
            self.table.publish(rows);
        }
        let mut posted = self.board.read();
        if frozen.is_none() {
            // Not before the table: whoever follows would take an empty one for a decision.
            posted.answered = Some(SystemTime::now());
        }
        posted.policies.choose(shown);
        let changes = posted.policies.changes(now);
        drop(posted);
        // Last: whoever hears of a move and asks for more is shown what it led to.
        moves.into_iter().for_each(|moved| self.events.path(moved));
        changes.into_iter().for_each(|change| self.events.policy(change));
    }

    fn decide(&mut self, readings: &Readings, now: Now) -> Vec<Moved> {
        let mut posted = self.board.read();
        let moved = self.decider.decide(readings, &mut posted.policies, now);
        posted.asked.0 = posted.asked.0.saturating_add(1);
        if posted.trouble.take().is_some() {
            tracing::info!("Prometheus answers again: decisions go on");
        }
        posted.drawing = Arc::new(self.decider.drawing());
        posted.lists = self
            .decider
            .lists()
            .map(|(list, silence)| {
                (list.to_owned(), silence.map(|it| (it.label(), it.to_string())))
            })
            .collect();
        moved
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

    fn drain(&mut self, Wish { drain, is_drained, answer }: Wish) {
        let outcome = self.decider.drain(drain, is_drained);
        self.board.read().policies.configure(self.decider.in_force().sessions.iter());
        // Whoever asked may have gone.
        let _ = answer.send(outcome);
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
