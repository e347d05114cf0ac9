//! The timestamp-and-forward node between two hosts, in real kernels.
//!
//! ```text
//! near eth0 ══ eth0 node eth1 ══ eth0 far
//!      tap     tap               tap
//! ```
//!
//! Probes are raw frames of `near`. Taps tell what crossed each link, and when.

mod kernel_mpls;
mod labels;
mod operation;
mod sids;
mod taps;
mod tc;
mod tcx;
mod twins;

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use stamp_proto::packet::{AuthenticationMode, SenderPacket, Ssid};
use stamp_proto::sr::checksum::AddressPair;
use stamp_proto::sr::encapsulation::{Encapsulation, Flow, Limits};
use stamp_proto::sr::header::UdpChecksum;
use stamp_proto::sr::layers::{Layer, Layers, Outermost, find_udp};
use stamp_proto::sr::mpls::{Label, LabelStack};
use stamp_proto::time::{ErrorEstimate, Timestamp, TimestampFormat, WallTime};
use stamp_tests::netns::{self, Families, Finished, Program, Routed, Signal, Trial};

use taps::{Seen, Tap};

pub(crate) fn trials() -> Vec<Trial> {
    [
        labels::trials(),
        sids::trials(),
        operation::trials(),
        tc::trials(),
        tcx::trials(),
        twins::trials(),
        kernel_mpls::trials(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Every kind of entry. `near` is 192.0.2.1 and 2001:db8::1, `far` 198.51.100.2.
const EVERYTHING: &str = r#"
listen = ["127.0.0.1:8620"]
stateful = true
workers = 1
[[timestamp]]
extended = 240
interfaces = ["eth0"]
[[timestamp]]
extended = 241
authenticated = true
interfaces = ["eth0"]
[[timestamp]]
label = 15001
offset = 20
format = "ntp"
ports = [49300]
interfaces = ["eth0"]
[[timestamp]]
sid = "fc00:bb:2:f::/64"
interfaces = ["eth0"]
[[timestamp]]
sid = "fc00:bb:2:e::/64"
authenticated = true
interfaces = ["eth0"]
[[timestamp]]
sid = "fcbb:bb00:2:f::/64"
next-csid = "32/16"
interfaces = ["eth0"]
[[timestamp]]
sid = "fc00:bb:2:1::/64"
interfaces = ["eth1"]
[[forward]]
label = 16011
action = "pop"
[[forward]]
label = 16004
action = "pop"
interface = "eth0"
next-hop = "192.0.2.1"
[[forward]]
label = 16005
action = "swap"
labels = [17005]
interface = "eth1"
next-hop = "198.51.100.2"
[[forward]]
label = 20000
action = "push"
labels = [16004, 16001]
next-hop = "198.51.100.2"
"#;

/// UDP port of every probe.
const PORT: u16 = 49_300;

/// A network with the node in its middle, and a tap on each link.
struct Stage {
    net: Routed,
    near: Tap,
    node: Tap,
    far: Tap,
    program: Program,
    _folder: Folder,
}

/// What came back, and when it had left.
struct Returned {
    seen: Seen,
    /// When the probe passed on its way out of `near`.
    sent_ns: i64,
    /// When it reached the node.
    received_ns: i64,
}

impl Stage {
    #[track_caller]
    fn new(configuration: &str) -> Self {
        Self::over(network(), configuration)
    }

    #[track_caller]
    fn over(net: Routed, configuration: &str) -> Self {
        let folder = Folder::new();
        let file = folder.write("node.toml", configuration);
        let program = net.router.spawn(netns::binary("stamp-reflector").arg(file));
        program.wait_for_error_line(|line| line.contains("msg=\"listening on "));
        let near = Tap::open(&net.near, "eth0");
        let node = Tap::open(&net.router, "eth0");
        let far = Tap::open(&net.far, "eth0");
        Self { net, near, node, far, program, _folder: folder }
    }

    /// Sends a packet of `near` to the node.
    fn send(&mut self, ether_type: u16, packet: &[u8]) {
        let to = self.net.router.mac("eth0");
        self.near.send(to, self.net.near.mac("eth0"), ether_type, packet);
    }

    /// Sends a probe and waits until it comes back.
    #[track_caller]
    fn round_trip(&mut self, ether_type: u16, packet: &[u8]) -> Returned {
        self.send(ether_type, packet);
        let sent_ns = self.near.wait_for(|seen| seen.outgoing && seen.is_probe()).stamp_ns;
        let received_ns = self.node.wait_for(|seen| !seen.outgoing && seen.is_probe()).stamp_ns;
        let seen = self.near.wait_for(|seen| !seen.outgoing && seen.is_probe());
        Returned { seen, sent_ns, received_ns }
    }

    /// What came to `near` and `far` and nobody waited for.
    fn unexpected(&mut self) -> Vec<Seen> {
        // Whatever the node's kernel does with a packet it does before it looks at the next.
        for (tap, to) in
            [(&mut self.near, self.net.near.ipv4()), (&mut self.far, self.net.far.ipv4())]
        {
            let socket = self.net.router.udp_socket((std::net::Ipv4Addr::UNSPECIFIED, 0));
            socket.send_to(b"end", (to, 9)).expect("it leaves");
            tap.wait_for(|seen| !seen.outgoing && seen.octets.ends_with(b"end"));
        }
        let waiting = self.near.take_unexpected().into_iter().chain(self.far.take_unexpected());
        waiting.filter(|seen| !seen.outgoing && !seen.is_upkeep()).collect()
    }

    #[track_caller]
    fn stop(self) -> Finished {
        self.program.signal(Signal::SIGTERM);
        let finished = self.program.wait();
        finished.assert_code(0);
        finished
    }
}

/// Near, node and far, with routes to the SIDs that stand for `near`.
fn network() -> Routed {
    network_of(1_500)
}

/// The same with this MTU between node and far.
fn network_of(mtu: u32) -> Routed {
    let net = netns::with_router(Families::Both, mtu);
    let near = IpAddr::from(net.near.ipv6());
    for prefix in ["fc00:bb:1::/48", "fcbb:bb00:1::/48"] {
        net.router.add_route(prefix, Some(near), "eth0");
    }
    net
}

fn flow(source: IpAddr, destination: IpAddr) -> Flow {
    let pair = AddressPair::new(source, destination).expect("one family");
    Flow::new(pair, 49_200, PORT)
}

/// A probe as a Session-Sender writes it, T2 octets zero.
fn probe(mode: AuthenticationMode) -> Vec<u8> {
    let format = TimestampFormat::Ptp;
    let packet = SenderPacket {
        sequence: 7,
        timestamp: Timestamp::from_wall(stamp_net::clock::wall_now(), format),
        error_estimate: ErrorEstimate::unsynchronized(format),
        ssid: Ssid(0x1234),
    };
    let mut octets = vec![0; mode.base_octets()];
    packet.emit(mode, &mut octets).expect("it fits");
    octets
}

fn open_probe() -> Vec<u8> {
    probe(AuthenticationMode::Unauthenticated)
}

fn compose(encapsulation: Encapsulation<'_>, flow: &Flow, payload: &[u8]) -> Vec<u8> {
    let template = encapsulation.compose(flow, Limits::default()).expect("it can be sent");
    let mut out = [0; 1500];
    template.emit(payload, &mut out).expect("there is room").to_vec()
}

fn labelled(labels: &[u32], flow: &Flow, payload: &[u8]) -> Vec<u8> {
    let labels = labels.iter().map(|label| Label::new(*label).expect("20 bits"));
    let stack = LabelStack::from_labels(labels).expect("the rules are kept");
    compose(Encapsulation::Mpls(&stack), flow, payload)
}

impl Returned {
    /// Only T2 differs, the checksum is right, and T2 is when the kernel saw the frame.
    #[track_caller]
    fn assert_stamped(&self, offset: usize, format: TimestampFormat, sent: &[u8]) {
        let payload = self.seen.payload();
        let t2 = payload[offset..offset + 8].try_into().expect("eight octets");
        let mut expected = sent.to_vec();
        expected[offset..offset + 8].copy_from_slice(&payload[offset..offset + 8]);
        assert_eq!(payload, expected, "the rest is as it was");
        assert_eq!(self.seen.checksum(), UdpChecksum::Right);
        let near = WallTime::from_unix_ns(self.received_ns);
        let t2 = Timestamp::from_octets(t2, format).to_wall(near).expect("an instant").unix_ns();
        let off = (t2 - self.received_ns).abs();
        assert!(off <= 1_000, "T2 is {off} ns from what the tap of the node says");
        assert!(self.sent_ns <= t2 && t2 <= self.seen.stamp_ns, "T2 is between out and back");
    }
}

impl Seen {
    fn outermost(&self) -> Outermost {
        if self.ether_type == 0x8847 { Outermost::Mpls } else { Outermost::Ip }
    }

    /// A UDP datagram to the port of the probes.
    fn is_probe(&self) -> bool {
        let place = find_udp(self.outermost(), &self.octets);
        place.is_ok_and(|place| place.header.destination_port == PORT)
    }

    fn payload(&self) -> &[u8] {
        let place = find_udp(self.outermost(), &self.octets).expect("a datagram");
        &self.octets[place.payload]
    }

    fn checksum(&self) -> UdpChecksum {
        let Some(Ok((_, Layer::Udp { datagram, addresses }))) =
            Layers::new(self.outermost(), &self.octets).last()
        else {
            panic!("no datagram in {self:?}")
        };
        datagram.checksum(addresses)
    }

    fn labels(&self) -> Vec<(u32, u8)> {
        let entries = Layers::new(self.outermost(), &self.octets).filter_map(|layer| match layer {
            Ok((_, Layer::Mpls { entry, .. })) => Some((entry.label.value(), entry.ttl)),
            _ => None,
        });
        entries.collect()
    }

    /// Neighbour discovery and group membership, which no packet of a test causes.
    fn is_upkeep(&self) -> bool {
        /// Types of ICMPv6 from Multicast Listener Query on; errors are below 128.
        const FIRST_UPKEEP: u8 = 130;
        self.ether_type == 0x86dd
            && Layers::new(Outermost::Ip, &self.octets).any(|layer| match layer {
                Ok((_, Layer::Opaque { protocol: Some(protocol), octets })) => {
                    protocol == stamp_proto::sr::protocol::Protocol::ICMPV6
                        && octets.first().is_some_and(|kind| *kind >= FIRST_UPKEEP)
                }
                _ => false,
            })
    }
}

/// A folder for the files of one test; gone when dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("stamp-node-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("the folder for temporary files can be written");
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("the file can be written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What could not be removed goes with all temporary files.
        let _left = fs::remove_dir_all(&self.0);
    }
}
