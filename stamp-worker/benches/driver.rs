//! Keeps a window of probes on the way to a reflector or an echo.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, poll};
use stamp_net::{ErrorBatch, Outgoing, ReceiveBatch, SendBatch, SocketOptions, UdpSocket, clock};
use stamp_proto::auth::Key;
use stamp_proto::packet::{AuthenticationMode, SenderPacket, Ssid};
use stamp_proto::time::{ErrorEstimate, Timestamp, TimestampFormat};

use crate::reflection;

/// Probes under way: enough to keep both ends busy, few enough for any receive queue.
const WINDOW: usize = 128;
const BATCH: usize = 64;
/// What has not come back then never will.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it looks whether that time has come.
const LOOK_MS: u8 = 20;

pub(crate) struct Driver {
    socket: UdpSocket,
    mode: AuthenticationMode,
    key: Key,
    send: SendBatch,
    receive: ReceiveBatch,
    /// Where the kernel's transmit stamps are taken to, if it makes any.
    stamps: Option<ErrorBatch>,
    sequence: u32,
}

/// What came of it.
pub(crate) struct Driven {
    pub(crate) answered: u64,
    pub(crate) lost: u64,
    pub(crate) lasted: Duration,
}

/// A socket on the loopback address of the family of `like`.
pub(crate) fn options(like: SocketAddr) -> SocketOptions {
    let local: IpAddr = match like {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketOptions::new(SocketAddr::new(local, 0))
}

impl Driver {
    /// Sends `step` probes at once when that many have come back. Where the kernel makes transmit
    /// stamps they are taken from it and not looked at.
    pub(crate) fn open(options: &SocketOptions, mode: AuthenticationMode, step: usize) -> Self {
        Self {
            socket: UdpSocket::open(options).expect("a socket"),
            mode,
            key: reflection::key(),
            send: SendBatch::new(step, 256),
            receive: ReceiveBatch::new(BATCH, 256),
            stamps: options.transmit_stamps.then(|| ErrorBatch::new(BATCH)),
            sequence: 0,
        }
    }

    /// Drives for this long, then waits for what is still under way.
    pub(crate) fn drive(&mut self, to: SocketAddr, length: Duration) -> Driven {
        let step = self.send.capacity();
        let start = Instant::now();
        let mut heard = start;
        let (mut answered, mut under_way) = (0, 0);
        loop {
            let now = Instant::now();
            let sending = now - start < length;
            if sending && under_way + step <= WINDOW {
                self.prepare(to);
                under_way += self.socket.send(&mut self.send);
            }
            if under_way + step > WINDOW || !sending {
                // Sleeps rather than spins: a core that spins takes from the other end's.
                let mut descriptors = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
                poll(&mut descriptors, LOOK_MS).expect("a usable socket");
            }
            if let Some(stamps) = &mut self.stamps {
                self.socket.errors(stamps).expect("a usable socket");
            }
            let taken = self.socket.receive(&mut self.receive).expect("a usable socket");
            (answered, under_way) = (answered + taken as u64, under_way - taken.min(under_way));
            if taken > 0 {
                heard = now;
            }
            let over = !sending && under_way == 0;
            if over || now - heard > PATIENCE {
                return Driven { answered, lost: under_way as u64, lasted: heard - start };
            }
        }
    }

    fn prepare(&mut self, to: SocketAddr) {
        self.send.clear();
        let octets = self.mode.base_octets();
        let timestamp = Timestamp::from_wall(clock::wall_now(), TimestampFormat::Ntp);
        let error_estimate = ErrorEstimate::new(0, true, TimestampFormat::Ntp);
        while let Some(slot) = self.send.slot() {
            let sequence = self.sequence;
            self.sequence = sequence.wrapping_add(1);
            let packet = SenderPacket { sequence, timestamp, error_estimate, ssid: Ssid(1) };
            packet.emit(self.mode, slot).expect("room for a base packet");
            if self.mode == AuthenticationMode::Authenticated {
                self.key.sign(slot).expect("room for a digest");
            }
            self.send.push(Outgoing::new(octets, to));
        }
    }
}
