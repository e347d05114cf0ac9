//! A configuration on its way to being in force: read, held against the one before, and opened, all
//! of it beside the sessions that run. Nothing of them changes until it is ready.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use stamp_config::web::WebArguments;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout_at};

use super::config::{self, Composed, Configuration, Found, Refused, SessionSpec};
use super::files;
use super::fleet::{Attempt, Change, Known, Openers, sockets_of};
use super::opening::Obstacle;
use super::shard::Shard;
use super::wish::{Answers, Cause, Wanted};
use crate::descriptors;
use crate::exit::Failure;
use crate::paths::{Circumstances, Plan};

/// How long nothing may come before sessions that are still being opened are left to themselves: their
/// names are not answered.
const IDLE: Duration = Duration::from_secs(2);
/// How long all of it may take.
const WHOLE: Duration = Duration::from_secs(10);

/// What can be put in force.
pub(super) struct Prepared {
    pub(super) configuration: Configuration,
    pub(super) plan: Plan,
    pub(super) found: Found,
    /// What was found and is no session.
    pub(super) refused: Vec<Refused>,
    pub(super) change: Change,
    /// Sessions that were opened, or cannot be now.
    pub(super) opened: Vec<Attempt>,
    /// Those that are still being opened.
    pub(super) late: UnboundedReceiver<Attempt>,
}

/// A preparation under way.
pub(super) struct Preparation {
    cause: Cause,
    answers: Answers,
    task: JoinHandle<Result<Prepared, Failure>>,
}

/// What a preparation is held against.
pub(super) struct Before {
    pub(super) file: PathBuf,
    pub(super) arguments: WebArguments,
    pub(super) shard: Option<Shard>,
    pub(super) running: Configuration,
    pub(super) found: Found,
    pub(super) known: Known,
    pub(super) circumstances: Circumstances,
}

impl Preparation {
    /// Begins one.
    pub(super) fn begin(
        wanted: Wanted,
        answers: Answers,
        before: Before,
        openers: Openers,
    ) -> Self {
        Self {
            cause: wanted.cause(),
            answers,
            task: tokio::spawn(prepare(wanted, before, openers)),
        }
    }

    /// Waits for the end of the one under way and takes it; for ever while there is none.
    pub(super) async fn finished(
        under_way: &mut Option<Self>,
    ) -> (Result<Prepared, Failure>, Answers, Cause) {
        let Some(preparation) = under_way else { return std::future::pending().await };
        let result = (&mut preparation.task).await.unwrap_or_else(|_| Err(broken_down()));
        let answers = std::mem::take(&mut preparation.answers);
        let cause = preparation.cause;
        *under_way = None;
        (result, answers, cause)
    }
}

impl Drop for Preparation {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn prepare(wanted: Wanted, before: Before, openers: Openers) -> Result<Prepared, Failure> {
    let Read { configuration, plan, found, refused, change } =
        spawn_blocking(move || read(wanted, &before))
            .await
            .unwrap_or_else(|_| Err(broken_down()))?;
    let (done, mut late) = unbounded_channel();
    for spec in &change.opened {
        openers.open(Arc::clone(spec), None, done.clone());
    }
    drop(done);
    let mut opened = Vec::with_capacity(change.opened.len());
    let end = Instant::now() + WHOLE;
    while opened.len() < change.opened.len() {
        let until = end.min(Instant::now() + IDLE);
        let Ok(Some(attempt)) = timeout_at(until, late.recv()).await else { break };
        match attempt {
            (spec, Some(Err(Obstacle::Lasting(failure)))) if !spec.discovered => {
                return Err(spec.refused(failure));
            }
            attempt => opened.push(attempt),
        }
    }
    Ok(Prepared { configuration, plan, found, refused, change, opened, late })
}

/// A configuration that was read, and what it changes.
struct Read {
    configuration: Configuration,
    plan: Plan,
    found: Found,
    refused: Vec<Refused>,
    change: Change,
}

/// What waits for files and computes long.
fn read(wanted: Wanted, before: &Before) -> Result<Read, Failure> {
    let is_new = matches!(wanted.cause(), Cause::Start | Cause::Reload);
    let configuration = match wanted {
        Wanted::First(configuration) => *configuration,
        Wanted::File => Configuration::load_under(&before.file, &before.arguments)?,
        Wanted::Pushed(text) => {
            let folder = before.file.parent().unwrap_or(Path::new(""));
            Configuration::read_under("pushed", &text, folder, &before.arguments)
                .map_err(|errors| Failure::Input(errors.to_string()))?
        }
        Wanted::Found | Wanted::Computed | Wanted::Drained(..) => before.running.clone(),
    };
    if let Some(key) = before.running.service.restart_for(&configuration.service) {
        return Err(Failure::Input(format!("{key} changes with a restart only")));
    }
    let mut found = before.found.clone();
    let plan = Plan::make(&configuration.paths, &before.circumstances, before.shard)?;
    let (sessions, refused) = complete(&configuration, &plan, &mut found, before.shard)?;
    let change = Change::between(&before.known, &sessions);
    let workers = configuration.service.workers.get();
    descriptors::ensure(sockets_of(&sessions)?.total(workers))?;
    if is_new {
        files::tell(&configuration);
    }
    Ok(Read { configuration, plan, found, refused, change })
}

/// The sessions of a file with those of lists and of what was found; what is named in files is looked for
/// where nobody has yet. Of all of them those that `shard` takes.
///
/// # Errors
///
/// When a session of the file is called like a list.
pub(super) fn complete(
    configuration: &Configuration,
    plan: &Plan,
    found: &mut Found,
    shard: Option<Shard>,
) -> Result<Composed, Failure> {
    for entry in &configuration.discoveries {
        let provider = &entry.provider;
        found.entry(provider.clone()).or_insert_with(|| Arc::new(provider.at_once()));
    }
    if let Some(spec) = configuration.sessions.iter().find(|spec| plan.has(&spec.name)) {
        let name = &spec.name;
        let reason = format!("session {name}: a segment list of a policy is called so");
        return Err(Failure::Input(reason));
    }
    let of_file: Vec<_> = configuration.sessions.iter().chain(&plan.sessions).cloned().collect();
    let (mut sessions, refused) = config::compose(&of_file, &configuration.discoveries, found);
    // Lists have been chosen together with those that they belong to.
    let takes = |spec: &SessionSpec| shard.is_none_or(|shard| shard.takes(spec.unit()));
    sessions.retain(|spec| plan.has(&spec.name) || takes(spec));
    Ok((sessions, refused))
}

fn broken_down() -> Failure {
    Failure::Input("reading it broke down".to_owned())
}
