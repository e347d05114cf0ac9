//! The Session-Reflector of the product, one worker on loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use stamp_net::{SocketOptions, UdpSocket};
use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_proto::packet::AuthenticationMode;
use stamp_session::clock::ClockState;
use stamp_session::reflector::{
    RateLimit, RateLimiter, RateLimiterConfig, ReflectorConfig, ReflectorEvent, SourcePolicy,
};
use stamp_worker::reflector::{ReflectorObserver, ReflectorPool};

/// Both ends read the same clock.
pub(crate) const ONE_CLOCK: ClockState =
    ClockState { synchronized: true, error_bound_ns: Some(0), declared: true };
const SEED: [u64; 2] = [7, 9];

pub(crate) struct FarEnd {
    pub(crate) pool: ReflectorPool,
    pub(crate) address: SocketAddr,
}

struct Deaf;

impl ReflectorObserver for Deaf {
    fn notice(&self, _event: ReflectorEvent) {}
}

pub(crate) fn key() -> Key {
    Key::new(KeyId(1), &[7; 32]).expect("a key of 32 octets")
}

/// Listens at `at`, without any limit of rate.
pub(crate) fn start(at: SocketAddr, mode: AuthenticationMode, stateful: bool) -> FarEnd {
    let mut config = ReflectorConfig::new(SEED);
    config.stateful = stateful;
    if mode == AuthenticationMode::Authenticated {
        config.keys = KeyRing::new(vec![key()]).ok().map(Arc::new);
    }
    let policy = SourcePolicy { rate_limit: RateLimit::Off, ..SourcePolicy::unknown(mode) };
    config.unknown_sources = Some(policy);
    config.clock = ONE_CLOCK;
    let limiter = Arc::new(RateLimiter::new(RateLimiterConfig::new(SEED)));
    let observer: Arc<dyn ReflectorObserver> = Arc::new(Deaf);
    let mut pool = ReflectorPool::start(1, &config, &limiter, &observer).expect("a worker");
    let socket = UdpSocket::open(&SocketOptions::new(at)).expect("a socket");
    let mut address = socket.local_addr();
    if address.ip().is_unspecified() {
        let loopback: std::net::IpAddr = match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        address.set_ip(loopback);
    }
    pool.add_listener(vec![socket]).expect("the worker takes the socket");
    FarEnd { pool, address }
}
