//! What the timestamp-and-forward node costs beside the least that a forwarder of frames can do.
//!
//! `cargo bench -p stamp-tests --bench timestamping`
//!
//! A driver on one end of a veth pair keeps a window of probes on the way; the other end returns
//! them. Contenders:
//! * `bare`: a frame from the ring, copied below ready-made headers and sent in batches, unread;
//! * the node of the product: T2 written, checksum brought up to date, labels popped or the list
//!   advanced, next hop and its address on the link looked up.
//!
//! Phases alternate, each with a thread and sockets of its own; medians over phases. Processor time
//! is that of the forwarding thread alone and does not depend on what else the machine does as much
//! as the rate. The delay is that of a single probe on an idle link, from its arrival at the node to
//! its arrival back at the driver, both as the kernel stamped them: for the node that is T2 itself.

#[path = "timestamping/bare.rs"]
mod bare;
#[path = "timestamping/driver.rs"]
mod driver;
#[path = "../../stamp-worker/benches/measure.rs"]
mod measure;
#[path = "../../stamp-worker/benches/threads.rs"]
mod threads;

use std::net::IpAddr;
use std::time::Duration;

use measure::{Effort, median};
use stamp_proto::sr::checksum::AddressPair;
use stamp_proto::sr::encapsulation::{Encapsulation, Flow, Limits, SrhExtras, Srv6Path};
use stamp_proto::sr::mpls::{ExtendedLabel, Label, LabelStack};
use stamp_proto::sr::segment::{SegmentList, Sid};
use stamp_proto::sr::srh::SrhForm;
use stamp_proto::time::{PtpUtcOffset, TimestampFormat};
use stamp_session::forwarding::{Place, SidForm, Trigger};
use stamp_tests::netns::{Access, Families, Family, TwoHosts, two_hosts};
use stamp_worker::forwarder::{
    ForwarderSetup, ForwarderWorker, LabelSetup, NextHopSetup, Shell, TimestampSetup,
};

use bare::Bare;
use driver::{Driven, Driver};

/// Name of the node's thread.
const NODE: &str = "forwarder";

fn main() {
    let effort = Effort::asked_for();
    // First of all: the kernel gives a user namespace to a single thread only.
    if let Access::Forbidden { reason, allow } = Access::obtain() {
        println!("skipped: {reason}; allow it: {allow}");
        return;
    }
    println!(
        "{:<28} {:>9} {:>8} {:>9} {:>6} {:>15}",
        "timestamping", "ns/packet", "of bare", "packets/s", "lost", "delay us 50/99"
    );
    let net = two_hosts(Families::Both);
    // Addresses behind the driver, which its kernel drops at once: those of its own would cost more
    // than everything that is compared.
    for (prefix, family) in [("198.18.0.0/15", Family::V4), ("2001:db8:ffff::/48", Family::V6)] {
        net.far.add_route(prefix, Some(net.near.address(family)), "eth0");
    }
    for probe in probes(&net) {
        compare(&net, &probe, effort);
    }
}

/// One kind of probe.
struct Probe {
    name: &'static str,
    ether_type: u16,
    packet: Vec<u8>,
}

fn probes(net: &TwoHosts) -> Vec<Probe> {
    let v4 = IpAddr::from([198, 18, 0, 1]);
    let home = "2001:db8:ffff::1".parse().expect("an address");
    let v6 = IpAddr::V6(home);
    let flow = |source: IpAddr, destination: IpAddr| {
        let pair = AddressPair::new(source, destination).expect("one family");
        Flow::new(pair, 49_200, driver::PORT)
    };
    let compose = |wish: Encapsulation<'_>, flow: Flow| {
        let template = wish.compose(&flow, Limits::default()).expect("it can be sent");
        template.emit(&[0; 44], &mut [0; 400]).expect("there is room").to_vec()
    };
    let labelled = |labels: &[u32], address: IpAddr| {
        let labels = labels.iter().map(|label| Label::new(*label).expect("20 bits"));
        let stack = LabelStack::from_labels(labels).expect("the rules are kept");
        compose(Encapsulation::Mpls(&stack), flow(address, address))
    };
    let sids = ["fc00:bb:2:f::".parse().expect("an address"), home];
    let path = |sids: &[std::net::Ipv6Addr]| {
        let sids = sids.iter().copied().map(Sid).collect();
        Srv6Path::from(SegmentList::new(sids).expect("not empty"))
    };
    let (form, extras) = (SrhForm::Full, SrhExtras::default());
    let looped = path(&sids);
    let host = compose(Encapsulation::HostSrh { path: &looped, form, extras }, flow(v6, v6));
    let there = path(&sids[..1]);
    let source = net.near.ipv6();
    let tunnel = Encapsulation::Srv6Tunnel { source, path: &there, form, extras };
    let tunnel = compose(tunnel, flow(v6, v6));
    let (mpls, ipv6) = (0x8847, 0x86dd);
    [
        ("M6 IPv4", mpls, labelled(&[15, 240], v4)),
        ("M7 IPv4", mpls, labelled(&[15, 240, 16_004, 16_001], v4)),
        ("V5", ipv6, tunnel),
        ("V6", ipv6, host),
    ]
    .map(|(name, ether_type, packet)| Probe { name, ether_type, packet })
    .into()
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Bare,
    Node,
}

fn compare(net: &TwoHosts, probe: &Probe, effort: Effort) {
    let (rounds, length) =
        effort.choose((1, Duration::from_millis(40)), (21, Duration::from_millis(150)));
    let kinds = [Kind::Bare, Kind::Node];
    let mut phases = kinds.map(|_| Vec::new());
    for _ in 0..rounds {
        for (kind, phases) in kinds.into_iter().zip(&mut phases) {
            phases.push(run(net, probe, kind, length));
        }
    }
    let time = |phases: &[Phase]| median(phases.iter().map(|phase| phase.processor_ns).collect());
    let bare = time(&phases[0]);
    for (kind, phases) in kinds.into_iter().zip(&phases) {
        let own = time(phases);
        let rate = median(phases.iter().map(|phase| phase.driven.rate()).collect());
        let lost: u64 = phases.iter().map(|phase| phase.driven.lost).sum();
        let mut delays: Vec<i64> = phases.iter().flat_map(|phase| &phase.delays).copied().collect();
        delays.sort_unstable();
        let at = |per_cent: usize| delays[(delays.len() - 1) * per_cent / 100] as f64 / 1_000.0;
        let name = format!("{} {}", probe.name, format!("{kind:?}").to_lowercase());
        let delay = format!("{:.1}/{:.1}", at(50), at(99));
        println!("{name:<28} {own:9.0} {:8.3} {rate:9.0} {lost:6} {delay:>15}", bare / own);
    }
}

/// What one phase found.
struct Phase {
    processor_ns: f64,
    driven: Driven,
    /// Of single probes, in ns.
    delays: Vec<i64>,
}

fn run(net: &TwoHosts, probe: &Probe, kind: Kind, length: Duration) -> Phase {
    let mut driver = Driver::open(net, probe.ether_type, &probe.packet);
    match kind {
        Kind::Bare => {
            let node = net.far.run(|| ForwarderWorker::start(setup(net))).expect("it starts");
            let answer = driver.returned();
            net.far.run(|| drop(node));
            let bare = Bare::start(&net.far, probe.ether_type, &answer);
            let phase = timed(&mut driver, bare::THREAD, length);
            drop(bare);
            phase
        }
        Kind::Node => {
            let setup = setup(net);
            let node = net.far.run(|| ForwarderWorker::start(setup)).expect("the node starts");
            let phase = timed(&mut driver, NODE, length);
            let stamped = net.far.run(|| node.stop()).stamped();
            assert!(stamped >= phase.driven.returned, "{stamped} stamped");
            phase
        }
    }
}

fn timed(driver: &mut Driver, thread: &str, length: Duration) -> Phase {
    const SINGLE: usize = 50;
    let delays = (0..SINGLE).filter_map(|_| driver.single()).collect();
    // A drive ends when nothing came for a while: the thread is at rest, its time exact.
    driver.drive(length / 8);
    let before = threads::processor_ns(thread);
    let driven = driver.drive(length);
    let spent = threads::processor_ns(thread) - before;
    assert!(driven.returned > 0, "nothing came back");
    Phase { processor_ns: spent as f64 / driven.returned as f64, driven, delays }
}

fn setup(net: &TwoHosts) -> ForwarderSetup {
    let on = || vec!["eth0".to_owned()];
    let place = Place {
        offset: Place::UNAUTHENTICATED,
        format: TimestampFormat::Ptp,
        ptp_utc_offset: PtpUtcOffset::UTC,
    };
    let timestamp = |trigger| TimestampSetup {
        trigger,
        interfaces: on(),
        place,
        ports: Vec::new(),
        rate_limit: None,
    };
    let sid = SidForm::new("fc00:bb:2:f::".parse().expect("an address"), 64).expect("a prefix");
    let next_hop =
        NextHopSetup { interface: Some("eth0".to_owned()), address: net.near.ipv4().into() };
    ForwarderSetup {
        timestamps: vec![
            timestamp(Trigger::Extended(ExtendedLabel::FIRST_EXPERIMENTAL)),
            timestamp(Trigger::Sid(sid)),
        ],
        labels: vec![LabelSetup {
            label: Label::new(16_004).expect("20 bits"),
            interfaces: on(),
            replaced_by: Vec::new(),
            next_hop: Some(next_hop),
        }],
        hardware_stamps: false,
        shell: Shell::Packet.into(),
    }
}
