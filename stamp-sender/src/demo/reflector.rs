//! A Session-Reflector in this process.

use std::net::SocketAddr;
use std::sync::Arc;

use stamp_net::UdpSocket;
use stamp_proto::auth::KeyRing;
use stamp_proto::packet::AuthenticationMode;
use stamp_session::reflector::{
    RateLimit, RateLimiter, RateLimiterConfig, ReflectorConfig, ReflectorEvent, SourcePolicy,
};
use stamp_worker::reflector::{ReflectorObserver, ReflectorPool};

use super::ONE_CLOCK;
use crate::exit::Failure;
use crate::random;

/// Answers as long as it is kept.
pub(super) struct Reflector {
    /// Where.
    pub(super) address: SocketAddr,
    _pool: ReflectorPool,
}

impl Reflector {
    /// Answers on a socket, whose namespace this process need not be in; with keys, nobody without one.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a thread or what it needs.
    pub(super) fn start(socket: UdpSocket, keys: Option<&Arc<KeyRing>>) -> Result<Self, Failure> {
        let address = socket.local_addr();
        let seed = [random::u64(), random::u64()];
        let mut policy = SourcePolicy::unknown(match keys {
            Some(_) => AuthenticationMode::Authenticated,
            None => AuthenticationMode::Unauthenticated,
        });
        policy.rate_limit = RateLimit::Off;
        let mut config = ReflectorConfig::new(seed);
        config.stateful = true;
        config.keys = keys.map(Arc::clone);
        config.unknown_sources = Some(policy);
        config.own_listeners = vec![address];
        config.clock = ONE_CLOCK;
        let limiter = Arc::new(RateLimiter::new(RateLimiterConfig::new(seed)));
        let observer: Arc<dyn ReflectorObserver> = Arc::new(Quiet);
        let mut pool = ReflectorPool::start(1, &config, &limiter, &observer)?;
        pool.add_listener("demo", vec![socket])?;
        Ok(Self { address, _pool: pool })
    }
}

/// It has nothing to tell: its only source is this demo.
struct Quiet;

impl ReflectorObserver for Quiet {
    fn notice(&self, _event: ReflectorEvent) {}
}
