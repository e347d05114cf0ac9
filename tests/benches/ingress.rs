//! What the program at the ingress costs, and what a node in that shell adds to the delay.
//!
//! `sudo -E cargo bench -p stamp-tests --bench ingress`: it takes the right to load programs.
//!
//! First the program alone, run by the kernel on one frame again and again (`BPF_PROG_TEST_RUN`);
//! medians. Where each run changes what the next gets, single runs are taken, and from them what a
//! single run of nothing takes.
//!
//! Then the delay of single probes on an idle link, from their arrival at the node to their arrival
//! back at the driver, both as the kernel stamped them: plain IPv6 forwarded by the kernel, beside
//! the same probes through an End.TSF SID in both shells. Shells alternate; medians over phases.

#[path = "timestamping/driver.rs"]
#[expect(dead_code, reason = "the other bench asks for the frame that returned as well")]
mod driver;
#[path = "../../stamp-worker/benches/measure.rs"]
mod measure;

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use measure::{Effort, median};
use stamp_net::tc::{Outcome, Stamper, TcRule, TcTrigger, TrialFrame};
use stamp_proto::sr::checksum::AddressPair;
use stamp_proto::sr::encapsulation::{Encapsulation, Flow, Limits, SrhExtras, Srv6Path};
use stamp_proto::sr::mpls::{Label, LabelStack};
use stamp_proto::sr::segment::{SegmentList, Sid};
use stamp_proto::sr::srh::SrhForm;
use stamp_proto::time::{PtpUtcOffset, TimestampFormat};
use stamp_session::forwarding::{Place, SidForm, Trigger};
use stamp_tests::netns::{Access, Families, TwoHosts, two_hosts};
use stamp_worker::forwarder::{ForwarderSetup, ForwarderWorker, Shell, TimestampSetup};

use driver::Driver;

const SID: &str = "fc00:bb:2:f::";
const CONTAINER: &str = "fcbb:bb00:2:f::";
/// Behind the driver, which drops it at once.
const HOME: &str = "2001:db8:ffff::1";
const MPLS: u16 = 0x8847;
const IPV6: u16 = 0x86dd;

fn main() {
    let effort = Effort::asked_for();
    // First of all: the kernel gives a user namespace to a single thread only.
    if let Access::Forbidden { reason, allow } = Access::obtain() {
        println!("skipped: {reason}; allow it: {allow}");
        return;
    }
    let net = two_hosts(Families::Both);
    for prefix in ["2001:db8:ffff::/48", "fc00:bb:2::/48", "fcbb:bb00:1::/48"] {
        net.far.add_route(prefix, Some(net.near.ipv6().into()), "eth0");
    }
    net.far.set_sysctl("net.ipv6.conf.all.forwarding", "1");
    match net.far.run(|| Stamper::load(&rules(&net))) {
        Ok(program) => costs(&net, program, effort),
        Err(error) => {
            println!("skipped: {error}");
            return;
        }
    }
    delays(&net, effort);
}

fn address(text: &str) -> Ipv6Addr {
    text.parse().expect("an address")
}

fn rules(net: &TwoHosts) -> [TcRule; 3] {
    let sid = |prefix, shift| TcTrigger::Sid { prefix: address(prefix), bits: 64, shift };
    let label = TcTrigger::Label(Label::new(15_001).expect("20 bits"));
    [sid(SID, None), sid(CONTAINER, Some((32, 32))), label].map(|trigger| TcRule {
        trigger,
        interfaces: vec![net.far.index("eth0")],
        offset: Place::UNAUTHENTICATED,
        format: TimestampFormat::Ptp,
        ptp_utc_offset: PtpUtcOffset::UTC,
        ports: Vec::new(),
        rate_limit: None,
    })
}

/// A probe of 44 octets of payload.
fn compose(wish: Encapsulation<'_>, to: &str) -> Vec<u8> {
    let (home, to) = (IpAddr::V6(address(HOME)), IpAddr::V6(address(to)));
    let pair = AddressPair::new(home, to).expect("one family");
    let flow = Flow::new(pair, 49_200, driver::PORT);
    let template = wish.compose(&flow, Limits::default()).expect("it can be sent");
    template.emit(&[0; 44], &mut [0; 4000]).expect("there is room").to_vec()
}

fn path(sids: &[&str]) -> Srv6Path {
    let sids = sids.iter().map(|sid| Sid(address(sid))).collect();
    SegmentList::new(sids).expect("not empty").into()
}

fn host(sids: &[&str]) -> Vec<u8> {
    let (form, extras) = (SrhForm::Full, SrhExtras::default());
    let wish = Encapsulation::HostSrh { path: &path(sids), form, extras };
    compose(wish, sids.last().expect("not empty"))
}

fn tunnel(sid: &str) -> Vec<u8> {
    let (form, extras) = (SrhForm::Reduced, SrhExtras::default());
    let source = address(HOME);
    compose(Encapsulation::Srv6Tunnel { source, path: &path(&[sid]), form, extras }, HOME)
}

fn plain() -> Vec<u8> {
    compose(Encapsulation::Plain, HOME)
}

fn labelled() -> Vec<u8> {
    let label = Label::new(15_001).expect("20 bits");
    let stack = LabelStack::from_labels([label]).expect("the rules are kept");
    compose(Encapsulation::Mpls(&stack), HOME)
}

fn costs(net: &TwoHosts, mut program: Stamper, effort: Effort) {
    println!("{:<44} {:>9}", "the program at the ingress", "ns/packet");
    let mut run = |ether_type: u16, packet: &[u8], runs: u32, outcome: Outcome| {
        let mut frame = net.far.mac("eth0").to_vec();
        frame.extend(net.near.mac("eth0"));
        frame.extend(ether_type.to_be_bytes());
        frame.extend(packet);
        let interface = net.far.index("eth0");
        let frame = TrialFrame { octets: &frame, interface, stamp_ns: Some(1 << 60) };
        let trial = net.far.run(|| program.try_out(frame, runs)).expect("it runs");
        assert_eq!(trial.outcome, outcome);
        trial.duration.as_nanos() as f64
    };
    let rounds = effort.choose(3, 401);
    let mut typical = |ether_type, packet: &[u8], runs, outcome| {
        median((0..rounds).map(|_| run(ether_type, packet, runs, outcome)).collect())
    };
    let many = effort.choose(100, 20_000);
    let foreign = typical(IPV6, &plain(), many, Outcome::Pass);
    let single = typical(IPV6, &plain(), 1, Outcome::Pass) - foreign;
    // As many segments as fit on the link, all of them the same: each run finds one more.
    let list = [SID; 84];
    for (name, cost) in [
        ("IPv6 to somewhere else passes", foreign),
        ("T2 below a label, left to the kernel", typical(MPLS, &labelled(), many, Outcome::Pass)),
        ("T2 and the next segment (V6)", typical(IPV6, &host(&list), 80, Outcome::Leave)),
        ("T2 and the packet inside (V5)", typical(IPV6, &tunnel(SID), 1, Outcome::Leave) - single),
        (
            "T2 and a container shifted (V7)",
            typical(IPV6, &tunnel("fcbb:bb00:2:f:1::"), 1, Outcome::Leave) - single,
        ),
    ] {
        println!("{name:<44} {cost:9.0}");
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    /// No SID: the kernel alone.
    Kernel,
    Node(Shell),
}

fn delays(net: &TwoHosts, effort: Effort) {
    println!(
        "\n{:<44} {:>9} {:>6} {:>15}",
        "through the node", "packets/s", "lost", "delay us 50/99"
    );
    let (rounds, length) =
        effort.choose((1, Duration::from_millis(40)), (15, Duration::from_millis(150)));
    for (name, packet) in [("V5", tunnel(SID)), ("V6", host(&[SID, HOME]))] {
        let ways = [Way::Kernel, Way::Node(Shell::Tc), Way::Node(Shell::Packet)];
        let mut found = ways.map(|_| Found::default());
        for _ in 0..rounds {
            for (way, found) in ways.into_iter().zip(&mut found) {
                let packet = if way == Way::Kernel { plain() } else { packet.clone() };
                phase(net, way, &packet, length, found);
            }
        }
        for (way, Found { rates, lost, mut delays }) in ways.into_iter().zip(found) {
            delays.sort_unstable();
            let at = |per_cent: usize| delays[(delays.len() - 1) * per_cent / 100] as f64 / 1e3;
            let name = match way {
                Way::Kernel => "plain IPv6, kernel".to_owned(),
                Way::Node(shell) => format!("{name}, shell {shell}"),
            };
            let delay = format!("{:.1}/{:.1}", at(50), at(99));
            println!("{name:<44} {:9.0} {lost:6} {delay:>15}", median(rates));
        }
    }
}

/// What the phases of one way found.
#[derive(Default)]
struct Found {
    rates: Vec<f64>,
    lost: u64,
    /// Of single probes, in ns.
    delays: Vec<i64>,
}

fn phase(net: &TwoHosts, way: Way, packet: &[u8], length: Duration, found: &mut Found) {
    const SINGLE: usize = 50;
    let node = match way {
        Way::Kernel => None,
        Way::Node(shell) => {
            let started = net.far.run(|| ForwarderWorker::start(setup(shell)));
            Some(started.expect("the node starts"))
        }
    };
    let mut driver = Driver::open(net, IPV6, packet);
    found.delays.extend((0..SINGLE).filter_map(|_| driver.single()));
    let driven = driver.drive(length);
    assert!(driven.returned > 0, "nothing came back");
    found.rates.push(driven.rate());
    found.lost += driven.lost;
    if let Some(node) = node {
        let stamped = net.far.run(|| node.stop()).stamped();
        assert!(stamped >= driven.returned, "{stamped} stamped");
    }
}

fn setup(shell: Shell) -> ForwarderSetup {
    let place = Place {
        offset: Place::UNAUTHENTICATED,
        format: TimestampFormat::Ptp,
        ptp_utc_offset: PtpUtcOffset::UTC,
    };
    let entry = TimestampSetup {
        trigger: Trigger::Sid(SidForm::new(address(SID), 64).expect("a prefix")),
        interfaces: vec!["eth0".to_owned()],
        place,
        ports: Vec::new(),
        rate_limit: None,
    };
    ForwarderSetup { timestamps: vec![entry], shell: shell.into(), ..ForwarderSetup::default() }
}
