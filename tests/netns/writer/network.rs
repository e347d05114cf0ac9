//! Two ways from one host to another, each over a router that knows a SID.
//!
//! ```text
//!         ┌─ eth0 ── a ──┐
//!  near ──┤              ├── far    SIDs: fc00:a::e of a, fc00:b::e of b
//!         └─ eth1 ── b ──┘          usual routes of near: over a
//! ```

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use nix::sys::socket::{setsockopt, sockopt};
use stamp_net::frame::EtherType;
use stamp_net::{FrameFilter, FrameOptions, FrameSocket};
use stamp_proto::sr::layers::{Layer, Layers, Outermost};
use stamp_tests::netns::{Families, Host, PATIENCE, Program};

pub(super) struct Network {
    pub(super) near: Host,
    /// They live as long as this does.
    _routers: [Host; 2],
    /// What comes to each router from near.
    taps: [Mutex<FrameSocket>; 2],
}

const WAYS: [&str; 2] = ["a", "b"];
/// A port where nobody listens.
const PORT: u16 = 8621;

impl Network {
    pub(super) fn up() -> Self {
        let near = Host::new("near", Families::Both);
        let routers = WAYS.map(|way| Host::new(way, Families::Both));
        for (number, router) in routers.iter().enumerate() {
            let (own, its) = (format!("eth{number}"), "eth0");
            near.join(&own, router, its);
            near.add_address(&own, &format!("10.0.{number}.1/24"));
            near.add_address(&own, &format!("fd00:0:0:{number}::1/64"));
            router.add_address(its, &format!("10.0.{number}.2/24"));
            router.add_address(its, &format!("fd00:0:0:{number}::2/64"));
            for next in [format!("10.0.{number}.2"), format!("fd00:0:0:{number}::2")] {
                near.set_neighbour(&own, next.parse().expect("an address"), router.mac(its));
            }
            let way = WAYS[number];
            let via = format!("fd00:0:0:{number}::2").parse().expect("an address");
            near.add_route(&format!("fc00:{way}::/32"), Some(via), &own);
        }
        for prefix in ["2001:db8:f::/64", "2001:db8:e::/64"] {
            near.add_route(prefix, Some("fd00::2".parse().expect("an address")), "eth0");
        }
        for prefix in ["198.51.100.0/24", "198.51.101.0/24"] {
            near.add_route(prefix, Some("10.0.0.2".parse().expect("an address")), "eth0");
        }
        let taps = routers.each_ref().map(|router| {
            let types = [EtherType::IPV4, EtherType::IPV6];
            let filter = types.into_iter().fold(FrameFilter::nothing(), FrameFilter::and_type);
            let options = FrameOptions { ring_frames: 128, ..FrameOptions::new("eth0", filter) };
            router.run(|| FrameSocket::open(&options)).expect("a ring").into()
        });
        Self { near, _routers: routers, taps }
    }

    /// The SID of the router on a way.
    pub(super) fn sid(way: &str) -> String {
        format!("fc00:{way}::e")
    }

    /// What `ip` does at near.
    #[track_caller]
    pub(super) fn ip(&self, line: &str) {
        let mut ip = Command::new("ip");
        self.near.spawn(ip.args(line.split_whitespace())).wait().assert_code(0);
    }

    /// Waits for the kernel to have what a writer puts there.
    #[track_caller]
    pub(super) fn wait_until(&self, writer: &Program, is_so: impl Fn() -> bool) {
        writer.wait_until("routes as they are to be", is_so);
    }

    /// Over which routers a datagram leaves near, and whether below a header with segments.
    pub(super) fn goes_over(&self, target: &str, dscp: u8) -> Vec<(&'static str, bool)> {
        let target: IpAddr = target.parse().expect("an address");
        let any = SocketAddr::new(if target.is_ipv6() { [0; 16].into() } else { [0; 4].into() }, 0);
        let sent = self.near.run(|| {
            let socket = UdpSocket::bind(any)?;
            let class = i32::from(dscp << 2);
            match target {
                IpAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4Tos, &class)?,
                IpAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6TClass, &class)?,
            }
            socket.send_to(b"of the class", (target, PORT))
        });
        assert!(sent.is_ok(), "{target}: {sent:?}");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = self.seen();
            if !seen.is_empty() {
                return seen;
            }
            assert!(Instant::now() < deadline, "{target} went nowhere");
            thread::yield_now();
        }
    }

    fn seen(&self) -> Vec<(&'static str, bool)> {
        let mut seen = Vec::new();
        for (way, tap) in WAYS.into_iter().zip(&self.taps) {
            let mut tap = tap.lock().expect("one at a time");
            while let Some(frame) = tap.receive() {
                let layers: Result<Vec<_>, _> =
                    Layers::new(Outermost::Ethernet, frame.octets).collect();
                let layers = layers.expect("whole packets");
                let of_us = layers.iter().any(|(_, layer)| {
                    matches!(layer, Layer::Udp { datagram, .. } if datagram.header.destination_port == PORT)
                });
                if of_us {
                    let headers = layers.iter().filter(|(_, layer)| is_ip(layer)).count();
                    seen.push((way, headers == 2));
                }
            }
        }
        seen
    }
}

const fn is_ip(layer: &Layer<'_>) -> bool {
    matches!(layer, Layer::Ipv4 { .. } | Layer::Ipv6(_))
}
