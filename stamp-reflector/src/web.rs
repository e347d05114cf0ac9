//! What the reflector shows over HTTP. Everything here runs beside the control thread and never waits
//! for it, except for a reload that was asked for.

mod sessions;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use stamp_config::web::Web;
use stamp_metrics::feed::Feed;
use stamp_metrics::http::{Done, Note, Order, Page, Pieces, Query, Server, Site, Verb};
use stamp_metrics::process::Process;
use stamp_metrics::program::{Program, Reloads};
use stamp_metrics::reflector::{Listener, Node, Reflector};
use stamp_service::inherited::Inherited;
use stamp_service::web;
use stamp_session::clock::ClockState;
use stamp_worker::forwarder::ForwarderAsker;
use stamp_worker::reflector::{ListenerView, PoolCounts, ReflectorAsker};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::failure::Failure;
use crate::node::NodeStatistics;

/// A wish for another configuration.
pub(crate) struct Wish {
    /// What is to be read in place of the file, if anything.
    pub(crate) document: Option<String>,
    /// Where to say what became of it.
    pub(crate) answer: mpsc::Sender<Result<(), String>>,
}

/// The control thread's end of the server.
pub(crate) struct Exporter {
    state: Arc<Mutex<State>>,
    /// Whoever asks over HTTP for a reload.
    pub(crate) wishes: UnboundedReceiver<Wish>,
    _server: Option<Server>,
}

/// What the control thread tells the pages, and told before there was anybody to ask.
#[derive(Debug)]
pub(crate) struct Shown {
    /// As it was declared; none to ask the kernel.
    pub(crate) clock: Option<ClockState>,
    /// The configuration in effect, as text.
    pub(crate) configuration: String,
    /// What was forwarded when it was last asked.
    pub(crate) node: Option<NodeStatistics>,
    /// Asks its packet thread.
    pub(crate) forwarder: ForwarderAsker,
    /// Layers of the sandbox, and whether each is in force.
    pub(crate) layers: Vec<(&'static str, bool)>,
}

/// The same, with what became of configurations.
#[derive(Debug)]
struct State {
    reloads: Reloads,
    shown: Shown,
}

/// The pages.
struct ReflectorSite {
    asker: ReflectorAsker,
    feed: Arc<Feed>,
    state: Arc<Mutex<State>>,
    wishes: UnboundedSender<Wish>,
    enable_lifecycle: bool,
    control_token_file: Option<PathBuf>,
    evicted: AtomicU64,
}

impl Exporter {
    /// Serves pages where `web` says, which may be nowhere.
    ///
    /// # Errors
    ///
    /// When an address that was written cannot be had. One that was not is left to whoever has it,
    /// loudly.
    pub(crate) fn start(
        web: &Web,
        (asker, feed): (ReflectorAsker, Arc<Feed>),
        shown: Shown,
        inherited: &mut Inherited,
    ) -> Result<Self, Failure> {
        let state = Arc::new(Mutex::new(State { reloads: Reloads::started(), shown }));
        let (wishing, wishes) = unbounded_channel();
        let fail = |source| Failure::System { what: "cannot listen for HTTP", source };
        let listeners = web::listen(&web.listen, web.is_configured, inherited).map_err(fail)?;
        if listeners.is_empty() {
            return Ok(Self { state, wishes, _server: None });
        }
        let site = ReflectorSite {
            asker,
            feed,
            state: Arc::clone(&state),
            wishes: wishing,
            enable_lifecycle: web.enable_lifecycle,
            control_token_file: web.control_token_file.clone(),
            evicted: AtomicU64::new(0),
        };
        let server = Server::start(listeners, web.config_file.clone(), Arc::new(site))?;
        Ok(Self { state, wishes, _server: Some(server) })
    }

    /// What the node that writes timestamps and forwards has done until now, and how to ask its packet thread.
    pub(crate) fn forwarded(&self, node: Option<NodeStatistics>, forwarder: ForwarderAsker) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.shown.node = node;
        state.shown.forwarder = forwarder;
    }

    /// What the process has given away.
    pub(crate) fn sandboxed(&self, layers: Vec<(&'static str, bool)>) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).shown.layers = layers;
    }

    /// The configuration was read again; `in_effect` is the new one and its clock, none where it was
    /// refused.
    pub(crate) fn reloaded(&self, in_effect: Option<(String, Option<ClockState>)>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.reloads.add(in_effect.is_some());
        if let Some((configuration, clock)) = in_effect {
            state.shown.configuration = configuration;
            state.shown.clock = clock;
        }
    }
}

impl ReflectorSite {
    /// Waits until it is, or has been refused.
    fn put_in_effect(&self, document: Option<String>) -> Result<(), String> {
        let (answer, answered) = mpsc::channel();
        let ends = || Err("the reflector ends".to_owned());
        if self.wishes.send(Wish { document, answer }).is_err() {
            return ends();
        }
        answered.recv().unwrap_or_else(|_| ends())
    }
}

impl Site for ReflectorSite {
    fn metrics(&self) -> Pieces {
        let (config, clock, node, layers) = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let Shown { clock, node, layers, .. } = &state.shown;
            (Some(state.reloads), *clock, node.clone(), layers.clone())
        };
        let node = node.map(|NodeStatistics { names, counters, queue_drops, .. }| Node {
            entries: names,
            counters,
            queue_drops,
        });
        let program = Program {
            name: "stamp-reflector",
            version: env!("CARGO_PKG_VERSION"),
            config,
            layers,
            evicted: self.evicted.load(Ordering::Relaxed),
            process: Process::read(),
            ..Program::default()
        };
        let PoolCounts { snapshot, listeners, queue_drops } = self.asker.counts();
        let reflector = Reflector {
            program,
            counters: snapshot,
            queue_drops,
            clock: clock.unwrap_or_else(stamp_worker::clock_state),
            listeners: listeners.into_iter().map(listener).collect(),
            node,
        };
        Box::new(reflector.shared().exposition())
    }

    fn unready(&self) -> Option<String> {
        let forwarder = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.shown.forwarder.clone()
        };
        if let Some(absence) = self.asker.call_roll().with(forwarder.call_roll()).wait() {
            return Some(absence.to_string());
        }
        let is_draining = self.asker.snapshot().is_draining;
        is_draining.then(|| "no session begins: drained".to_owned())
    }

    fn page(&self, path: &str, _query: &Query) -> Option<Page> {
        match path {
            "/" => Some(Page::whole("text/html; charset=utf-8", ENTRANCE.to_owned())),
            "/config" => {
                let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                let text = state.shown.configuration.clone();
                Some(Page::whole("text/plain; charset=utf-8", text))
            }
            "/api/v1/sessions" => Some(sessions::page(&self.asker)),
            _ => None,
        }
    }

    fn feed(&self) -> Option<Arc<Feed>> {
        Some(Arc::clone(&self.feed))
    }

    fn reload(&self) -> Option<Result<(), String>> {
        if !self.enable_lifecycle {
            return None;
        }
        Some(self.put_in_effect(None))
    }

    fn control_token_file(&self) -> Option<&Path> {
        self.control_token_file.as_deref()
    }

    fn obey(&self, order: Order) -> Done {
        match (order.verb, order.path.as_str()) {
            (Verb::Put, "/api/v1/config") => match self.put_in_effect(Some(order.text)) {
                Ok(()) => Done::Done(
                    "in effect until a reload or a restart, which read the file".to_owned(),
                ),
                Err(reason) => Done::Refused(reason),
            },
            (Verb::Delete, "/api/v1/sessions") => sessions::forget(&self.asker, &order.query),
            (verb, "/api/v1/drain") => sessions::drain(&self.asker, verb == Verb::Put),
            _ => Done::Unknown,
        }
    }

    fn note(&self, note: Note) {
        web::tell(note, "web", &self.evicted);
    }
}

fn listener(ListenerView { name, probes, turnaround }: ListenerView) -> Listener {
    Listener { name, probes, turnaround }
}

const ENTRANCE: &str = concat!(
    "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>stamp-reflector</title>",
    "</head><body><h1>stamp-reflector ",
    env!("CARGO_PKG_VERSION"),
    "</h1><p><a href=\"/metrics\">metrics</a> · <a href=\"/api/v1/sessions\">sessions</a> · <a href=\"/api/v1/events\">events</a> · <a href=\"/config\">configuration</a> · ",
    "<a href=\"/-/ready\">ready</a></p></body></html>\n"
);

#[cfg(test)]
mod tests {
    use stamp_session::reflector::{
        RateLimiter, RateLimiterConfig, ReflectorConfig, ReflectorEvent,
    };
    use stamp_worker::reflector::{ReflectorObserver, ReflectorPool};

    use super::*;

    struct Nobody;

    impl ReflectorObserver for Nobody {
        fn notice(&self, _: ReflectorEvent) {}
    }

    #[test]
    fn a_packet_thread_that_has_ended_is_told_and_its_counters_stay() {
        let limiter = Arc::new(RateLimiter::new(RateLimiterConfig::new([1, 2])));
        let observer: Arc<dyn ReflectorObserver> = Arc::new(Nobody);
        let config =
            ReflectorConfig { stateful: true, session_limit: 7, ..ReflectorConfig::new([3, 4]) };
        let pool = ReflectorPool::start(2, &config, &limiter, &observer).unwrap();
        let site = ReflectorSite {
            asker: pool.asker(),
            feed: Arc::new(Feed::new(1, |_| String::new())),
            state: Arc::new(Mutex::new(State {
                reloads: Reloads::started(),
                shown: Shown {
                    clock: None,
                    configuration: String::new(),
                    node: None,
                    forwarder: ForwarderAsker::default(),
                    layers: Vec::new(),
                },
            })),
            wishes: unbounded_channel().0,
            enable_lifecycle: false,
            control_token_file: None,
            evicted: AtomicU64::new(0),
        };
        assert_eq!((site.unready(), site.asker.snapshot().session_limit), (None, 14));
        let _ = pool.stop();
        assert_eq!(site.unready().unwrap(), "packet thread reflector-0 has ended");
        assert_eq!(site.asker.snapshot().session_limit, 14, "as it was told last");
    }
}
