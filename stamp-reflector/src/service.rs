//! The running reflector: listeners, packet threads, and what a reload changes about them.

mod reload;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use stamp_net::interface::{self, LinkLayer};
use stamp_session::clock::{ClockState, MonotonicTime};
use stamp_session::reflector::{
    MemberLink, OneWayView, RateLimiter, RateLimiterConfig, ReflectorConfig,
};
use stamp_worker::RollCall;
use stamp_worker::forwarder::ForwarderAsker;
use stamp_worker::reflector::{ListenerId, ReflectorObserver, ReflectorPool};
use stamp_worker::traffic::TrafficWatch;

use crate::config::{self, Config, Note, Source};
use crate::descriptors;
use crate::failure::Failure;
use crate::hardware;
use crate::hearing::Hearing;
use crate::journal::Reporter;
use crate::lag;
use crate::listen::{self, Bound, Endpoint};
use crate::node::{Node, NodeStatistics};
use crate::random;
use crate::statistics::Statistics;
use crate::web::{Exporter, Shown};
use stamp_service::inherited::Inherited;
use stamp_service::log::Log;

/// A reflector that answers probes until it is stopped.
#[derive(Debug)]
pub(crate) struct Service {
    source: Source,
    config: Config,
    log: Log,
    pool: ReflectorPool,
    limiter: Arc<RateLimiter>,
    node: Node,
    listeners: Vec<Listening>,
    /// Local addresses that the engines know of.
    addresses: Vec<IpAddr>,
    members: Vec<MemberLink>,
    /// The clock as the log last told it.
    clock: Option<ClockState>,
    seed: [u64; 2],
    started: MonotonicTime,
    /// When the counters were looked at last for a rate, what they were, and the rate then.
    lately: Lately,
}

/// A listener in use.
#[derive(Debug)]
struct Listening {
    endpoint: Endpoint,
    local: SocketAddr,
    id: ListenerId,
}

#[derive(Debug)]
struct Lately {
    at: MonotonicTime,
    received: u64,
    pps: Option<f64>,
}

impl Service {
    /// Binds every listener, or goes on with what was passed on. To be done with every right, for whoever has given files away cannot see
    /// who has a port.
    ///
    /// # Errors
    ///
    /// The first one that stands in the way.
    pub(crate) fn bind(config: &Config, inherited: &mut Inherited) -> Result<Vec<Bound>, Failure> {
        let workers = config.workers.unwrap_or_else(one_per_core);
        let endpoints = listen::endpoints(config);
        descriptors::ensure(endpoints.len(), workers)?;
        let bound = listen::bind(&endpoints, workers, config.hardware_stamps, inherited)?;
        if bound.is_empty() {
            let names: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
            return Err(Failure::NoFamily { listeners: names.join(" and ") });
        }
        Ok(bound)
    }

    /// Starts the workers, and says on what they listen.
    ///
    /// # Errors
    ///
    /// The first thing that stands in the way; then nothing is left running.
    pub(crate) fn start(
        source: Source,
        config: Config,
        bound: Vec<Bound>,
        log: Log,
        reporter: Reporter,
    ) -> Result<Self, Failure> {
        let workers = config.workers.unwrap_or_else(one_per_core);
        let addresses = local_addresses();
        let seed = [random::u64(), random::u64()];
        let limiter = RateLimiterConfig {
            total: config.total_rate_limit,
            ..RateLimiterConfig::new([random::u64(), random::u64()])
        };
        let limiter = Arc::new(RateLimiter::new(limiter));
        let locals: Vec<SocketAddr> = bound.iter().map(|bound| bound.local).collect();
        let members = lag::member_links(&config.lag_members)?;
        let engine = ReflectorConfig {
            member_links: members.clone(),
            ..engine_config(&config, seed, workers, &locals, &addresses)
        };
        let observer: Arc<dyn ReflectorObserver> = Arc::new(reporter);
        let node = Node::start(&config)?;
        let traffic = config.traffic.as_ref().map(TrafficWatch::start).transpose()?;
        let pool = ReflectorPool::start(workers, &engine, &limiter, &observer)?;
        pool.set_traffic(traffic.as_ref());
        let started = now();
        let lately = Lately { at: started, received: 0, pps: None };
        let listeners = Vec::new();
        let mut service = Self {
            source,
            config,
            log,
            pool,
            limiter,
            node,
            listeners,
            addresses,
            members,
            clock: None,
            seed,
            started,
            lately,
        };
        service.note_configuration();
        service.note_clock();
        if service.config.hardware_stamps {
            hardware::prepare(&listen::interfaces(bound.iter().map(|bound| &bound.endpoint)));
            service.node.prepare_cards();
        }
        let endpoints = bound.iter().map(|bound| &bound.endpoint);
        listen::note_missing_families(endpoints, &service.addresses);
        service.add(bound)?;
        Ok(service)
    }

    /// Tells metrics where the configuration wants them told.
    ///
    /// # Errors
    ///
    /// When that cannot be, though it was asked for.
    pub(crate) fn exporter(
        &self,
        hearing: &Hearing,
        layers: Vec<(&'static str, bool)>,
        inherited: &mut Inherited,
    ) -> Result<Exporter, Failure> {
        let config = &self.config;
        let shown = Shown {
            clock: config.clock,
            configuration: config::show(config),
            node: self.forwarded(),
            forwarder: self.node.asker(),
            layers,
        };
        Exporter::start(&config.web, (self.pool.asker(), hearing.feed()), shown, inherited)
    }

    /// Looks after what changes by itself: the rate of probes, the clock, local addresses.
    pub(crate) fn tick(&mut self) -> Result<(), Failure> {
        let received = self.pool.asker().snapshot().received;
        let now = now();
        let elapsed = now.since(self.lately.at).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let packets = received.saturating_sub(self.lately.received) as f64;
        let pps = (elapsed > 0.0).then(|| packets / elapsed);
        self.lately = Lately { at: now, received, pps };
        self.note_clock();
        let addresses = local_addresses();
        // A member that is gone keeps its number until there is another of its name.
        let members = lag::member_links(&self.config.lag_members);
        let members = members.unwrap_or_else(|_| self.members.clone());
        if addresses != self.addresses || members != self.members {
            self.addresses = addresses;
            self.members = members;
            self.pool.reconfigure(&self.engine_config(&self.config))?;
            tracing::debug!("local addresses changed");
        }
        Ok(())
    }

    /// Everything there is to tell now.
    pub(crate) fn statistics(&self, events_lost: u64) -> Statistics {
        let asker = self.pool.asker();
        let (counts, mut sessions) = (asker.counts(), asker.sessions());
        sessions.sort_by_key(|session| core::cmp::Reverse(session.last_seen));
        Statistics {
            now: now(),
            uptime: now().since(self.started),
            counters: counts.snapshot,
            queue_drops: counts.queue_drops,
            lately_pps: self.lately.pps,
            sessions,
            one_way: self.one_way(),
            events_lost,
            node: self.node.statistics(),
        }
    }

    /// What the node that writes timestamps and forwards has done.
    pub(crate) fn forwarded_lately(&self) -> Option<NodeStatistics> {
        self.node.lately()
    }

    /// The same for whoever can wait.
    pub(crate) fn forwarded(&self) -> Option<NodeStatistics> {
        self.node.statistics()
    }

    /// Asks the packet thread of that node.
    pub(crate) fn forwarder(&self) -> ForwarderAsker {
        self.node.asker()
    }

    /// Asks every packet thread whether it is there.
    pub(crate) fn call_roll(&self) -> RollCall {
        self.pool.asker().call_roll().with(self.node.asker().call_roll())
    }

    /// One-way sessions, the one seen last first.
    fn one_way(&self) -> Vec<OneWayView> {
        let mut sessions = self.pool.asker().one_way();
        sessions.sort_by_key(|session| core::cmp::Reverse(session.last_seen));
        sessions
    }

    /// The configuration in effect.
    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    /// Hands bound sockets to the workers. From here on they answer.
    fn add(&mut self, bound: Vec<Bound>) -> Result<(), Failure> {
        for Bound { endpoint, local, sockets } in bound {
            let name = endpoint.with_port(local.port()).to_string();
            let id = self.pool.add_listener(&name, sockets)?;
            let workers = self.pool.workers();
            tracing::info!(workers, "listening on {name}");
            self.listeners.push(Listening { endpoint, local, id });
        }
        Ok(())
    }

    /// What an operator should know about the clock, when it has changed.
    fn note_clock(&mut self) {
        let clock = self.config.clock.unwrap_or_else(stamp_worker::clock_state);
        let said = self.clock.replace(clock);
        if said.is_some_and(|said| {
            (said.synchronized, said.declared) == (clock.synchronized, clock.declared)
        }) {
            return;
        }
        let source = if clock.declared { "declared" } else { "kernel" };
        let error_ns = clock.error_bound_ns;
        if clock.synchronized {
            tracing::info!(source, error_ns, "the clock is synchronized");
        } else {
            tracing::info!(
                source,
                "the clock is not synchronized: senders mark one-way delays as not to be trusted; \
                 run an NTP or PTP daemon, or declare what is known with --clock"
            );
        }
    }

    /// What an operator should know about the configuration.
    fn note_configuration(&self) {
        for note in Note::about(&self.config) {
            match note {
                Note::ShortKey { .. } | Note::ControlToken { .. } => tracing::warn!("{note}"),
                Note::AllowedOnly { .. } => tracing::info!("{note}"),
            }
        }
        self.node.note();
    }

    fn engine_config(&self, config: &Config) -> ReflectorConfig {
        let locals: Vec<SocketAddr> = self.listeners.iter().map(|one| one.local).collect();
        ReflectorConfig {
            member_links: self.members.clone(),
            ..engine_config(config, self.seed, self.pool.workers(), &locals, &self.addresses)
        }
    }
}

/// What each engine is told.
fn engine_config(
    config: &Config,
    seed: [u64; 2],
    workers: usize,
    locals: &[SocketAddr],
    addresses: &[IpAddr],
) -> ReflectorConfig {
    let own_listeners = listen::own_listeners(locals, addresses);
    let clock = config.clock.unwrap_or_else(stamp_worker::clock_state);
    // A flow stays on its worker, so each engine has its part of the table.
    let session_limit = config.engine.session_limit.div_ceil(workers.max(1));
    ReflectorConfig {
        seed,
        own_listeners,
        own_addresses: addresses.to_vec(),
        own_links: own_links(),
        means: stamp_worker::reflector::reply_means(),
        clock,
        session_limit,
        ..config.engine.clone()
    }
}

/// Link-layer addresses, for probes to a group of nodes.
fn own_links() -> Vec<[u8; 6]> {
    let links = interface::list().unwrap_or_default();
    let address = |link: &interface::Interface| match link.link_layer {
        LinkLayer::Ethernet { address } if !link.loopback => Some(address.0),
        _ => None,
    };
    links.iter().filter_map(address).collect()
}

fn one_per_core() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Addresses of this host in a stable order. Without them (a sandbox may forbid the question) loops
/// are still broken by the rules that need none.
fn local_addresses() -> Vec<IpAddr> {
    let mut addresses = interface::local_addresses().unwrap_or_else(|error| {
        tracing::debug!("local addresses are unknown: {error}");
        Vec::new()
    });
    addresses.sort_unstable();
    addresses
}

fn now() -> MonotonicTime {
    stamp_worker::now().monotonic
}
