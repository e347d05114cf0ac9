//! `stamp-sender write` on a kernel that puts labels on packets: traffic of a class takes the stack of its path, is
//! spread by weight, and nothing else does.

use std::collections::BTreeMap;
use std::net::{IpAddr, UdpSocket};
use std::process::Command;

use nix::sys::socket::{setsockopt, sockopt};
use serde_json::{Value, json};
use stamp_tests::netns::{self, Family, Need, Program, Signal, Trial, trials};

use super::MPLS;
use super::network::Net;
use crate::capture::Capture;
use crate::folder::Folder;
use crate::writer::daemon::FakeDaemon;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        traffic_of_a_class_takes_the_labels_of_its_path: [MPLS, Need::IPV6],
        several_stacks_share_traffic_by_their_weights: [MPLS, Need::IPV6],
    ]
}

const TEXT: &str = "\
[[writer]]
kind = \"linux\"
dry-run = false
on-exit = \"undo\"
check-every = \"100ms\"
";

/// A port at far, where somebody listens.
const PORT: u16 = 8700;

/// A stack past `a` or `c`: the node there takes its own label off, and `b` the one of far.
fn stack(way: &str) -> [u32; 2] {
    [if way == "a" { 16_012 } else { 18_012 }, 17_002]
}

fn list(way: &str, first: &str, weight: u32) -> Value {
    json!({
        "name": way, "weight": weight, "segments": [first], "labels": stack(way), "sids": null,
        "next_hop": null, "interface": null
    })
}

fn path(policy: &str, prefix: &str, dscp: &[&str], lists: &[Value]) -> Value {
    json!({
        "policy": policy, "headend": null, "color": 100, "endpoint": "2001:db8::2", "class": policy,
        "traffic": { "prefixes": [prefix], "dscp": dscp }, "standing": "good", "active": "fast",
        "preference": 200, "since": "2026-11-28T23:39:00.000000Z", "reason": "first", "lists": lists
    })
}

/// The neighbour of near that a list begins at.
const fn first(way: &str, family: Family) -> &'static str {
    match (way.as_bytes(), family) {
        (b"a", Family::V4) => "10.0.1.2",
        (b"a", Family::V6) => "fd00:0:0:1::2",
        (_, Family::V4) => "10.0.4.2",
        (_, Family::V6) => "fd00:0:0:4::2",
    }
}

/// Five hosts, somebody at near who tells of paths, and a writer there.
struct Stage {
    net: Net,
    daemon: FakeDaemon,
    writer: Program,
    captures: Vec<Capture>,
    _folder: Folder,
}

impl Stage {
    fn set() -> Self {
        let net = Net::up();
        let daemon = FakeDaemon::start(net.host("near"), 9862);
        let folder = Folder::new();
        let file = folder.write("writer.toml", TEXT);
        let writer = net.host("near").spawn(netns::binary("stamp-sender").arg("write").arg(file));
        let captures = net.captures();
        Self { net, daemon, writer, captures, _folder: folder }
    }

    /// What `ip` shows of the writer's own.
    fn routes(&self) -> String {
        let show = |family: &str| {
            let mut ip = Command::new("ip");
            ip.args([family, "route", "show", "table", "all", "proto", "84"]);
            self.net.host("near").spawn(&mut ip).wait().assert_code(0).stdout.clone()
        };
        show("-4") + &show("-6")
    }

    /// Sends a datagram of a class from near.
    fn send(&self, to: IpAddr, dscp: u8) {
        let (near, class) = (self.net.host("near"), i32::from(dscp << 2));
        let family = if to.is_ipv6() { Family::V6 } else { Family::V4 };
        let from = (near.address(family), 0);
        let sent = near.run(|| {
            let socket = UdpSocket::bind(from)?;
            match to {
                IpAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4Tos, &class)?,
                IpAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6TClass, &class)?,
            }
            socket.send_to(b"of the class", (to, PORT))
        });
        assert!(sent.is_ok(), "{to}: {sent:?}");
    }

    /// The labels with which datagrams crossed each link meanwhile.
    fn crossed(&mut self) -> BTreeMap<String, Vec<Vec<u32>>> {
        let seen = self.captures.iter_mut().map(|capture| {
            let stacks = capture.stacks(PORT.into());
            (capture.way().to_owned(), stacks)
        });
        seen.filter(|(_, stacks)| !stacks.is_empty()).collect()
    }
}

/// What crosses which links, by the path of its policy or by routing.
fn expected(way: Option<&str>) -> BTreeMap<String, Vec<Vec<u32>>> {
    let [own, last] = stack(way.unwrap_or("a"));
    let links: [(String, Vec<u32>); 3] = match way {
        Some(way) => [
            (format!("near>{way}"), vec![own, last]),
            (format!("{way}>b"), vec![last]),
            ("b>far".to_owned(), vec![]),
        ],
        None => ["near>a", "a>b", "b>far"].map(|way| (way.to_owned(), vec![])),
    };
    links.into_iter().map(|(link, labels)| (link, vec![labels])).collect()
}

fn traffic_of_a_class_takes_the_labels_of_its_path() {
    let mut stage = Stage::set();
    let far = stage.net.host("far");
    let [v4, v6] = [Family::V4, Family::V6].map(|family| far.address(family));
    let listeners = [v4, v6].map(|address| far.udp_socket((address, PORT)));
    // IPv4 of any DSCP, and of IPv6 one class.
    let tell = |stage: &Stage, way: &str| {
        let of = |family| [list(way, first(way, family), 1)];
        stage.daemon.tell(path("plain", "192.0.2.2/32", &[], &of(Family::V4)));
        stage.daemon.tell(path("video", "2001:db8::2/128", &["AF41"], &of(Family::V6)));
    };
    for way in ["a", "c"] {
        tell(&stage, way);
        let [own, last] = stack(way);
        let words = format!("encap mpls  {own}/{last} ");
        stage.writer.wait_until("both routes", || stage.routes().matches(&words).count() == 2);
        for (to, listener, dscp, is_steered) in [
            (v4, &listeners[0], 0, true),
            (v4, &listeners[0], 34, true),
            (v6, &listeners[1], 34, true),
            (v6, &listeners[1], 0, false),
            (v6, &listeners[1], 46, false),
        ] {
            stage.send(to, dscp);
            listener.recv(&mut [0; 64]).expect("it arrives");
            let seen = stage.crossed();
            let wanted = expected(is_steered.then_some(way));
            assert_eq!(seen, wanted, "{to} with DSCP {dscp}");
        }
    }
    stage.writer.signal(Signal::SIGTERM);
    stage.writer.wait().assert_code(0);
    assert_eq!(stage.routes(), "", "undone");
    stage.send(v6, 34);
    listeners[1].recv(&mut [0; 64]).expect("it arrives");
    assert_eq!(stage.crossed(), expected(None), "by routing");
}

fn several_stacks_share_traffic_by_their_weights() {
    const SENT: u16 = 160;
    let mut stage = Stage::set();
    let lists = [("a", 3), ("c", 1)].map(|(way, weight)| list(way, first(way, Family::V6), weight));
    stage.daemon.tell(path("bulk", "2001:db8:f::/64", &[], &lists));
    stage.writer.wait_until("its route", || stage.routes().matches("nexthop").count() == 2);
    let mut shares = BTreeMap::<String, u16>::new();
    for number in 0..SENT {
        // Each is a flow of its own.
        stage.send([0x2001, 0xdb8, 0xf, 0, 0, 0, 0, number].into(), 0);
        let mut seen = stage.crossed();
        while !seen.keys().any(|link| link.starts_with("near>")) {
            assert!(stage.writer.is_running(), "{seen:?}");
            seen = stage.crossed();
        }
        for way in ["a", "c"] {
            let link = format!("near>{way}");
            let Some(stacks) = seen.get(&link) else { continue };
            assert_eq!(stacks, &[stack(way)], "{link}");
            *shares.entry(link).or_default() += 1;
        }
    }
    // Three of four, as far as chance allows: the kernel takes a secret into its hash.
    let share = shares.get("near>a").copied().unwrap_or_default();
    assert_eq!(shares.values().sum::<u16>(), SENT, "{shares:?}");
    assert!((SENT / 2..SENT - 10).contains(&share), "{shares:?}");
    // The heavier one alone, then none.
    stage.daemon.tell(path("bulk", "2001:db8:f::/64", &[], &lists[..1]));
    stage.writer.wait_until("one way", || {
        let routes = stage.routes();
        routes.contains("16012/17002") && !routes.contains("18012/17002")
    });
    stage.daemon.tell(path("bulk", "2001:db8:f::/64", &[], &[]));
    stage.writer.wait_until("no route", || stage.routes().is_empty());
    stage.writer.signal(Signal::SIGTERM);
    stage.writer.wait().assert_code(0);
}
