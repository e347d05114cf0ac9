//! Everybody who is told of events besides those who ask. Each is a task with a queue of its own, and
//! all of them share one thread, which begins with the first.

mod hook;
mod webhook;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use stamp_metrics::feed::{Told, Wanted};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

use super::queue::{self, Counts, Inbox, Queue, Sinks};
use crate::daemon::config::{Hook, Notify, Webhook};
use crate::exit::Failure;

/// Events that wait for one of them.
const QUEUE: usize = 65_536;
/// How long what is left may take in the end.
const GRACE: Duration = Duration::from_secs(5);

/// All of them.
pub(super) struct Outlets {
    sinks: Sinks,
    teller: Option<Teller>,
    webhooks: Vec<Outlet<Webhook>>,
    hooks: Vec<Outlet<Hook>>,
}

/// The way to one of them. What is on its way goes where the latest configuration says; when this is
/// dropped, where it said last.
struct Outlet<C> {
    name: String,
    wanted: Wanted,
    queue: Queue,
    config: watch::Sender<C>,
}

/// The task's end of an outlet.
struct Station<C> {
    inbox: Inbox,
    counts: Arc<Counts>,
    config: watch::Receiver<C>,
    /// The process is about to end.
    closes: watch::Receiver<()>,
    /// Whoever waits for the end of all tasks hears of this one's.
    _alive: Sender<Infallible>,
}

/// The thread they share.
struct Teller {
    runtime: Handle,
    /// Says to all that the end is near.
    closing: watch::Sender<()>,
    alive: Sender<Infallible>,
    ended: Receiver<Infallible>,
    /// Ends the thread.
    _stop: oneshot::Sender<Infallible>,
}

impl Outlets {
    /// Nobody yet.
    pub(super) const fn new(sinks: Sinks) -> Self {
        Self { sinks, teller: None, webhooks: Vec::new(), hooks: Vec::new() }
    }

    /// Makes sure that [`Self::change`] cannot fail.
    ///
    /// # Errors
    ///
    /// When the kernel gives no thread.
    pub(super) fn prepare(&mut self, notify: &Notify) -> Result<(), Failure> {
        if self.teller.is_none() && !notify.is_empty() {
            self.teller = Some(Teller::start()?);
        }
        Ok(())
    }

    /// Those that are told from now on. Whoever stays loses nothing; whoever goes is told what
    /// happened until now.
    pub(super) fn change(&mut self, notify: &Notify) {
        let Some(teller) = &self.teller else { return };
        let known = std::mem::take(&mut self.webhooks);
        self.webhooks = changed(known, &notify.webhooks, |config| {
            let (outlet, station) = teller.outlet(config, &self.sinks);
            teller.runtime.spawn(webhook::Task::new(station).run());
            outlet
        });
        let known = std::mem::take(&mut self.hooks);
        self.hooks = changed(known, &notify.hooks, |config| {
            let (outlet, station) = teller.outlet(config, &self.sinks);
            teller.runtime.spawn(hook::run(station));
            outlet
        });
    }

    pub(super) fn offer(&self, told: &Arc<Told>) {
        self.webhooks.iter().for_each(|outlet| outlet.offer(told));
        self.hooks.iter().for_each(|outlet| outlet.offer(told));
    }
}

impl Drop for Outlets {
    /// What has happened is told before the end, if it can be.
    fn drop(&mut self) {
        self.webhooks.clear();
        self.hooks.clear();
        if let Some(teller) = self.teller.take() {
            teller.finish();
        }
    }
}

/// What a configuration says of an outlet, whatever it leads to.
trait Configured: Clone + PartialEq {
    fn name(&self) -> &str;
    fn wanted(&self) -> &Wanted;
}

impl Configured for Webhook {
    fn name(&self) -> &str {
        &self.name
    }

    fn wanted(&self) -> &Wanted {
        &self.wanted
    }
}

impl Configured for Hook {
    fn name(&self) -> &str {
        &self.name
    }

    fn wanted(&self) -> &Wanted {
        &self.wanted
    }
}

/// Outlets of one kind as `configs` say: those of a known name go on, the others begin.
fn changed<C: Configured>(
    mut known: Vec<Outlet<C>>,
    configs: &[C],
    begin: impl Fn(&C) -> Outlet<C>,
) -> Vec<Outlet<C>> {
    let mut outlets = Vec::with_capacity(configs.len());
    for config in configs {
        let same = known.iter().position(|outlet| outlet.name == config.name());
        let outlet = match same.map(|index| known.swap_remove(index)) {
            Some(outlet) => outlet.configured(config),
            None => begin(config),
        };
        outlets.push(outlet);
    }
    outlets
}

impl<C: Configured> Outlet<C> {
    /// Goes on as `config` says.
    fn configured(mut self, config: &C) -> Self {
        self.wanted.clone_from(config.wanted());
        self.config.send_if_modified(|known| {
            let differs = known != config;
            known.clone_from(config);
            differs
        });
        self
    }
}

impl<C> Outlet<C> {
    fn offer(&self, told: &Arc<Told>) {
        if self.wanted.wants(told) {
            self.queue.offer(told);
        }
    }
}

impl Teller {
    fn start() -> Result<Self, Failure> {
        let system = |what| move |source| Failure::System { what, source };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("notify-helper")
            .build()
            .map_err(system("starting the runtime"))?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<Infallible>();
        let serve = move || {
            // Nothing is ever sent.
            let _ = runtime.block_on(stopped);
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("notify".to_owned()).spawn(serve);
        thread.map_err(system("starting a thread"))?;
        let (alive, ended) = mpsc::channel();
        Ok(Self { runtime: handle, closing: watch::Sender::new(()), alive, ended, _stop: stop })
    }

    /// Both ends of another outlet.
    fn outlet<C: Configured>(&self, config: &C, sinks: &Sinks) -> (Outlet<C>, Station<C>) {
        let (name, wanted) = (config.name().to_owned(), config.wanted().clone());
        let counts = sinks.of(&name);
        let (queue, inbox) = queue::queue(QUEUE, &counts);
        let (sender, config) = watch::channel(config.clone());
        let station = Station {
            inbox,
            counts,
            config,
            closes: self.closing.subscribe(),
            _alive: self.alive.clone(),
        };
        (Outlet { name, wanted, queue, config: sender }, station)
    }

    /// Waits for the tasks, whose queues are closed, but not for ever.
    fn finish(self) {
        let Self { closing, alive, ended, .. } = self;
        drop((closing, alive));
        if ended.recv_timeout(GRACE) == Err(RecvTimeoutError::Timeout) {
            tracing::error!("the end came before all that happened was told");
        }
    }
}

#[cfg(test)]
mod tests;
