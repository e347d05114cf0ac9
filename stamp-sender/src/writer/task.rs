//! One writer at work: follows its daemon, lets through what may change, writes it, looks after it.

use std::collections::BTreeSet;
use std::future::ready;
use std::io::Write as _;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::board::Board;
use super::config::{OnExit, Writer};
use super::damping::{Admitted, Damper};
use super::follow::{self, Known};
use super::outcome::{Change, Outcome};
use super::table::Table;
use super::target::Target;
use crate::exit::Failure;
use crate::pause::pause;

/// First and longest pause before what failed is tried again.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How long what is under way at the end may take, and what is to be done then.
const GRACE: Duration = Duration::from_secs(5);
/// How long a place is left alone at most, whatever it asks for.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// One writer.
pub struct Task {
    config: Writer,
    target: Target,
    damper: Damper,
    board: Board,
    begun: Instant,
    /// What was let through last.
    admitted: Option<Admitted>,
    /// Attempts in vain since the latest that was not.
    failures: u32,
    /// Until when the place wants to be left alone.
    left_alone: Option<Instant>,
    /// What was said to be wrong, which is said once.
    complaints: BTreeSet<String>,
}

impl Task {
    /// Does nothing yet.
    ///
    /// # Errors
    ///
    /// When what it needs cannot be read.
    pub fn new(config: &Writer, board: &Board) -> Result<Self, Failure> {
        Ok(Self {
            target: Target::new(config)?,
            damper: Damper::new(config.changes_per_hour),
            config: config.clone(),
            board: board.clone(),
            begun: Instant::now(),
            admitted: None,
            failures: 0,
            left_alone: None,
            complaints: BTreeSet::new(),
        })
    }

    /// Writes the paths as they are now; whether all of it could be written.
    ///
    /// # Errors
    ///
    /// [`Failure::Requirement`] when the daemon does not tell.
    pub async fn once(mut self) -> Result<bool, Failure> {
        let source = &self.config.source;
        let failed = |error| Failure::Requirement(format!("{}: {error}", source.url.text()));
        let table = follow::once(source).await.map_err(failed)?;
        let unreadable = !table.unreadable.is_empty();
        let complete = self.take(&table).await.is_complete();
        Ok(complete && !unreadable)
    }

    /// Until `ends` says so.
    pub async fn run(mut self, mut ends: watch::Receiver<bool>) {
        let (sender, mut known) = watch::channel(Known::default());
        let follower = tokio::spawn(follow::follow(self.config.source.clone(), sender));
        loop {
            let due = self.due();
            let heard = tokio::select! {
                () = ended(&mut ends) => break,
                Ok(()) = known.changed() => Some(known.borrow_and_update().clone()),
                () = wait_until(due) => None,
            };
            let latest = heard.is_none().then(|| known.borrow().table.clone()).flatten();
            let work = async {
                match (heard, latest) {
                    (Some(known), _) => self.hear(known).await,
                    (None, Some(table)) => drop(self.take(&table).await),
                    (None, None) => {}
                }
            };
            if in_time(work, ended(&mut ends)).await.is_none() {
                self.give_up("the end came while something was being written");
                break;
            }
        }
        follower.abort();
        if self.config.on_exit == OnExit::Undo {
            match in_time(self.target.undo(), ready(())).await {
                Some(outcome) => self.tell(&outcome),
                None => self.give_up("the end came before what was written was taken away"),
            }
        }
    }

    /// Nobody knows how much of it was done.
    fn give_up(&self, what: &str) {
        self.board.count(&self.config.name, "failed", 1);
        tracing::error!(writer = self.config.name, "{what}");
    }

    /// When to look again without being told anything new.
    fn due(&self) -> Option<Instant> {
        let admitted = self.admitted.as_ref()?;
        let now = Instant::now();
        let held = admitted.next().map(|until| self.begun + until);
        let retry =
            (self.failures > 0).then(|| now + pause(PAUSES, self.failures, crate::random::u64()));
        let check = self.target.check_every().map(|every| now + every);
        let due = [held, retry, check].into_iter().flatten().min();
        match self.left_alone {
            Some(until) => due.max(Some(until)),
            None => due,
        }
    }

    async fn hear(&mut self, known: Known) {
        self.board.heard(&self.config.name, known.trouble.as_deref());
        if let Some(reason) = &known.trouble {
            let daemon = self.config.source.url.text().to_owned();
            let keeps = "the daemon is not heard; what is written stays";
            self.complain(format!("{keeps}: {reason}"), |writer| {
                tracing::warn!(writer, daemon, reason, "{keeps}");
            });
            return;
        }
        self.complaints.retain(|it| !it.starts_with("the daemon"));
        // Whatever is chosen meanwhile is told when it may be asked again.
        let is_left_alone = self.left_alone.is_some_and(|until| Instant::now() < until);
        if let Some(table) = known.table.filter(|_| !is_left_alone) {
            self.take(&table).await;
        }
    }

    /// Writes what of it may be written now.
    async fn take(&mut self, table: &Table) -> Outcome {
        for (policy, reason) in &table.unreadable {
            self.complain(format!("{policy} unreadable {reason}"), |writer| {
                tracing::warn!(writer, policy, reason, "a path is not understood and not written");
            });
        }
        let chosen = table.chosen(&self.config.choice);
        let admitted = self.damper.admit(self.begun.elapsed(), &chosen);
        let before = self.admitted.replace(admitted.clone());
        for (policy, until) in &admitted.held {
            let was_held = before.iter().flat_map(|it| &it.held).any(|(name, _)| name == policy);
            if !was_held {
                let left = until.saturating_sub(self.begun.elapsed()).as_secs();
                let writer = &self.config.name;
                tracing::warn!(writer, policy, seconds = left, "a change is held back");
                self.board.count(writer, "held", 1);
            }
        }
        let outcome = self.target.apply(&admitted.paths, table.sequence).await;
        let asked = outcome.retry_after.map(|asked| asked.min(LONGEST_ASKED));
        self.left_alone = asked.map(|asked| Instant::now() + asked);
        self.tell(&outcome);
        self.board.wrote(&self.config.name, table, &admitted, &outcome);
        outcome
    }

    fn tell(&mut self, outcome: &Outcome) {
        outcome.changes.iter().for_each(|change| self.tell_change(change));
        for (policy, reason) in &outcome.refused {
            self.complain(format!("{policy} refused {reason}"), |writer| {
                tracing::warn!(writer, policy, reason, "this path cannot be written here");
            });
        }
        if let Some(reason) = &outcome.failure {
            self.board.count(&self.config.name, "failed", 1);
            self.complain(format!("failed {reason}"), |writer| {
                tracing::error!(writer, reason, "nothing could be written");
            });
        }
        let failed =
            outcome.failure.is_some() || outcome.changes.iter().any(|it| it.result.is_err());
        self.failures = if failed { self.failures.saturating_add(1) } else { 0 };
        let still_refused = |complaint: &str| {
            let refused = outcome.refused.iter();
            let mut refused = refused.map(|(policy, reason)| format!("{policy} refused {reason}"));
            refused.any(|it| it == complaint)
        };
        // What is over may be said again when it comes again.
        self.complaints.retain(|complaint| match complaint {
            it if it.starts_with("failed") => failed,
            it if it.contains(" refused ") => still_refused(it),
            _ => true,
        });
    }

    fn tell_change(&mut self, Change { policy, what, result }: &Change) {
        let (board, policy) = (self.board.clone(), policy.as_deref());
        let count = |result| board.count(&self.config.name, result, 1);
        match result {
            Ok(()) if self.config.dry_run => {
                count("dry_run");
                print(what);
            }
            Ok(()) => {
                count("made");
                tracing::info!(writer = self.config.name, policy, what, "written");
            }
            Err(reason) => {
                count("failed");
                self.complain(format!("failed {what}: {reason}"), |writer| {
                    tracing::error!(writer, policy, what, reason, "not written");
                });
            }
        }
    }

    /// Says it unless it was said.
    fn complain(&mut self, complaint: String, say: impl FnOnce(&str)) {
        if self.complaints.insert(complaint) {
            say(&self.config.name);
        }
    }
}

/// What a dry run has to say is its result; whoever does not read it does not miss it.
fn print(what: &str) {
    let mut stream = std::io::stdout().lock();
    let _ =
        stream.write_all(format!("{}\n", what.trim_end()).as_bytes()).and_then(|()| stream.flush());
}

/// What comes of `work`, unless it takes longer than [`GRACE`] from the end on.
async fn in_time<T>(work: impl Future<Output = T>, ends: impl Future<Output = ()>) -> Option<T> {
    let mut work = pin!(work);
    tokio::select! {
        it = &mut work => Some(it),
        () = ends => timeout(GRACE, work).await.ok(),
    }
}

/// Once the process is told to stop.
async fn ended(ends: &mut watch::Receiver<bool>) {
    // Whoever could say so may have gone.
    let _ = ends.wait_for(|ends| *ends).await;
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
