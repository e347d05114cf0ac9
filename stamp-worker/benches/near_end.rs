//! Sessions of the product's sender, to a reflector on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use stamp_net::{SocketOptions, UdpSocket};
use stamp_proto::packet::Ssid;
use stamp_session::sender::{Schedule, SenderConfig};
use stamp_worker::sender::{Nobody, SenderPool, SessionSetup};

use crate::reflection::ONE_CLOCK;

/// Where reflectors of these benches listen.
pub(crate) fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// A session with a fixed interval that ends after this time; T1 by the kernel if asked for.
pub(crate) fn session(
    target: SocketAddr,
    interval: Duration,
    length: Duration,
    transmit_stamps: bool,
) -> SessionSetup {
    let mut local = target;
    local.set_port(0);
    let options = SocketOptions { transmit_stamps, ..SocketOptions::new(local) };
    let mut socket = UdpSocket::open(&options).expect("a socket");
    socket.connect(target).expect("loopback has a route");
    let mut config = SenderConfig::new(target, Ssid(local.port().max(1)));
    config.schedule = Schedule::Fixed { interval };
    config.duration = Some(length);
    config.timeout = Duration::from_millis(500);
    config.clock = ONE_CLOCK;
    SessionSetup::new(socket, config)
}

/// Starts them all on one worker.
pub(crate) fn start(sessions: Vec<SessionSetup>) -> SenderPool {
    SenderPool::start(sessions, Box::new(Nobody)).expect("sessions that can be")
}
