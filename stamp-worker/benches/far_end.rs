//! The Session-Reflector of the product, one worker on loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use stamp_net::{SocketOptions, UdpSocket};
use stamp_proto::packet::AuthenticationMode;
use stamp_session::reflector::ReflectorEvent;
use stamp_worker::reflector::{ReflectorObserver, ReflectorPool};

use crate::reflection::{config, limiter};

pub(crate) struct FarEnd {
    pub(crate) pool: ReflectorPool,
    pub(crate) address: SocketAddr,
}

struct Deaf;

impl ReflectorObserver for Deaf {
    fn notice(&self, _event: ReflectorEvent) {}
}

/// Listens at `at`.
pub(crate) fn start(at: SocketAddr, mode: AuthenticationMode, stateful: bool) -> FarEnd {
    let (config, limiter) = (config(mode, stateful), limiter());
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
    pool.add_listener("far end", vec![socket]).expect("the worker takes the socket");
    FarEnd { pool, address }
}
