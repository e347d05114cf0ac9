//! A configuration on its way to being in force: read, held against the one before, and opened, all
//! of it beside the sessions that run. Nothing of them changes until it is ready.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout_at};

use super::config::{Configuration, Service};
use super::fleet::{Attempt, Change, Known, Openers, sockets_of};
use super::opening::Obstacle;
use super::wish::{Answers, Wanted};
use crate::descriptors;
use crate::exit::Failure;

/// How long nothing may come before sessions that are still being opened are left to themselves: their
/// names are not answered.
const IDLE: Duration = Duration::from_secs(2);
/// How long all of it may take.
const WHOLE: Duration = Duration::from_secs(10);

/// What can be put in force.
pub(super) struct Prepared {
    pub(super) configuration: Configuration,
    pub(super) change: Change,
    /// Sessions that were opened, or cannot be now.
    pub(super) opened: Vec<Attempt>,
    /// Those that are still being opened.
    pub(super) late: UnboundedReceiver<Attempt>,
}

/// A preparation under way.
pub(super) struct Preparation {
    /// It is the first one, and without it there is no service.
    pub(super) is_first: bool,
    pub(super) answers: Answers,
    task: JoinHandle<Result<Prepared, Failure>>,
}

/// What a preparation is held against.
pub(super) struct Before {
    pub(super) file: PathBuf,
    pub(super) service: Service,
    pub(super) known: Known,
}

impl Preparation {
    /// Begins one.
    pub(super) fn begin(
        wanted: Wanted,
        answers: Answers,
        before: Before,
        openers: Openers,
    ) -> Self {
        let is_first = matches!(wanted, Wanted::First(_));
        Self { is_first, answers, task: tokio::spawn(prepare(wanted, before, openers)) }
    }

    /// Waits for the end of the one under way and takes it; for ever while there is none.
    pub(super) async fn finished(
        under_way: &mut Option<Self>,
    ) -> (Result<Prepared, Failure>, Answers, bool) {
        let Some(preparation) = under_way else { return std::future::pending().await };
        let result = (&mut preparation.task).await.unwrap_or_else(|_| Err(broken_down()));
        let answers = std::mem::take(&mut preparation.answers);
        let is_first = preparation.is_first;
        *under_way = None;
        (result, answers, is_first)
    }
}

impl Drop for Preparation {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn prepare(wanted: Wanted, before: Before, openers: Openers) -> Result<Prepared, Failure> {
    let (configuration, change) = spawn_blocking(move || read(wanted, &before))
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
        let (spec, result) = attempt;
        if let Some(Err(Obstacle::Lasting(failure))) = result {
            let (name, source) = (spec.name.clone(), Box::new(failure));
            return Err(Failure::Session { name, source });
        }
        opened.push((spec, result));
    }
    Ok(Prepared { configuration, change, opened, late })
}

/// What waits for files and computes long.
fn read(wanted: Wanted, before: &Before) -> Result<(Configuration, Change), Failure> {
    let configuration = match wanted {
        Wanted::First(configuration) => *configuration,
        Wanted::File => Configuration::load(&before.file)?,
    };
    if let Some(key) = before.service.restart_for(&configuration.service) {
        return Err(Failure::Input(format!("{key} changes with a restart only")));
    }
    let change = Change::between(&before.known, &configuration);
    descriptors::ensure(sockets_of(&configuration)?)?;
    Ok((configuration, change))
}

fn broken_down() -> Failure {
    Failure::Input("reading it broke down".to_owned())
}
