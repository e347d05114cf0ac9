//! Five hosts whose kernels switch labels, and links whose directions a kernel delays.
//!
//! ```text
//!  near ── a ── b ── far      interfaces are named after the node at the other end
//!    └──── c ───┘
//! ```
//!
//! By itself a packet goes over `a` and `b`, there and back. Each node has labels of a range of its
//! own, so that a label that was swapped looks different.

use std::net::IpAddr;
use std::process::Command;

use stamp_tests::netns::{self, Families, Family, Host, Program};

use crate::capture::Capture;
use crate::timestamping::Folder;

/// Both ends of each link. The one named first is `.1` of `10.0.K.0/24` and `fd00:0:0:K::/64`.
const LINKS: [[&str; 2]; 5] = [["near", "a"], ["a", "b"], ["b", "far"], ["near", "c"], ["c", "b"]];

const NEAR: [&str; 2] = ["192.0.2.1/32", "2001:db8::1/128"];
const FAR: [&str; 2] = ["192.0.2.2/32", "2001:db8::2/128"];

/// Who sends what is for whom to which neighbour.
const ROUTES: [(&str, [&str; 2], &str); 8] = [
    ("near", FAR, "a"),
    ("a", FAR, "b"),
    ("a", NEAR, "near"),
    ("b", FAR, "far"),
    ("b", NEAR, "a"),
    ("c", FAR, "b"),
    ("c", NEAR, "near"),
    ("far", NEAR, "b"),
];

/// Who puts what in the place of which label, and the neighbour that gets the packet.
const LABELS: [(&str, u32, &[u32], &str); 8] = [
    // The node before the last takes a label off.
    ("a", 16_012, &[], "b"),
    ("b", 17_002, &[], "far"),
    ("b", 17_013, &[], "c"),
    ("c", 18_001, &[], "near"),
    ("c", 18_012, &[], "b"),
    // Two hops on, by the label that the next node has for it.
    ("a", 16_002, &[17_002], "b"),
    // A timestamp label of far's, which a controller gave b a name for.
    ("b", 17_240, &[15_001], "far"),
    ("far", 19_013, &[17_013], "b"),
];

/// Nodes with labels in their kernel.
const SWITCHES: [&str; 3] = ["a", "b", "c"];

/// The node that only writes timestamps: what its kernel would do with labels below its own is its
/// to do.
const FAR_NODE: &str = r#"
listen = [":8620"]
stateful = true
workers = 1
rate-limit = "off"
return-path = ["192.0.2.1/32", "2001:db8::1/128"]
[[timestamp]]
extended = 240
interfaces = ["b"]
[[timestamp]]
label = 15001
interfaces = ["b"]
[[forward]]
label = 19013
action = "swap"
labels = [17013]
interface = "b"
next-hop = "10.0.3.1"
"#;

pub(super) struct Net {
    hosts: Vec<Host>,
    folder: Folder,
}

impl Net {
    pub(super) fn up() -> Self {
        let names = ["near", "a", "b", "c", "far"];
        let hosts = names.map(|name| Host::new(name, Families::Both)).into();
        let net = Self { hosts, folder: Folder::new() };
        NEAR.iter().for_each(|address| net.host("near").add_address("lo", address));
        FAR.iter().for_each(|address| net.host("far").add_address("lo", address));
        (1..).zip(LINKS).for_each(|(number, ends)| net.join(number, ends));
        for (node, prefixes, via) in ROUTES {
            for (family, prefix) in Families::Both.each().iter().zip(prefixes) {
                net.host(node).add_route(prefix, Some(net.on_link(via, node, *family)), via);
            }
        }
        for name in ["a", "b", "c", "far"] {
            let host = net.host(name);
            host.set_sysctl("net.ipv4.ip_forward", "1");
            host.set_sysctl("net.ipv4.conf.all.send_redirects", "0");
            host.set_sysctl("net.ipv6.conf.all.forwarding", "1");
        }
        SWITCHES.iter().for_each(|name| net.switch_labels(name));
        net
    }

    pub(super) fn host(&self, name: &str) -> &Host {
        let found = self.hosts.iter().find(|host| host.name() == name);
        found.unwrap_or_else(|| panic!("no host {name}"))
    }

    fn join(&self, number: u8, [left, right]: [&str; 2]) {
        let ends = [self.host(left), self.host(right)];
        ends[0].join(right, ends[1], left);
        let peers = [(ends[0], right, ends[1], left), (ends[1], left, ends[0], right)];
        for (last, (host, interface, ..)) in (1..).zip(peers) {
            host.add_address(interface, &format!("10.0.{number}.{last}/24"));
            host.add_address(interface, &format!("fd00:0:0:{number}::{last}/64"));
        }
        for (last, (host, interface, peer, peer_interface)) in [2, 1].into_iter().zip(peers) {
            for family in Families::Both.each() {
                let address = link_address(number, last, *family);
                host.set_neighbour(interface, address, peer.mac(peer_interface));
            }
        }
    }

    /// The address of `node` on its link to `neighbour`.
    fn on_link(&self, node: &str, neighbour: &str, family: Family) -> IpAddr {
        let found = (1..).zip(LINKS).find_map(|(number, ends)| match ends {
            [left, right] if [left, right] == [node, neighbour] => Some((number, 1)),
            [left, right] if [left, right] == [neighbour, node] => Some((number, 2)),
            _ => None,
        });
        let (number, last) = found.unwrap_or_else(|| panic!("no link {node}-{neighbour}"));
        link_address(number, last, family)
    }

    /// The kernel of a node switches what arrives on all its links.
    pub(super) fn switch_labels(&self, name: &str) {
        let host = self.host(name);
        let ends = LINKS.iter().filter(|ends| ends.contains(&name));
        let links: Vec<&str> =
            ends.map(|[left, right]| if *left == name { *right } else { *left }).collect();
        host.switch_labels(&links);
        for (node, label, replaced_by, via) in LABELS {
            if node == name {
                // Whatever is below: the next hop's address on the link is all that is taken of it.
                let next_hop = self.on_link(via, node, Family::V4);
                host.add_label_route(label, replaced_by, Some(next_hop), via);
            }
        }
    }

    /// The program at far: a reflector, and a node that stamps.
    pub(super) fn far_node(&self) -> Program {
        let file = self.folder.write("far.toml", FAR_NODE);
        let program = self.host("far").spawn(netns::binary("stamp-reflector").arg(file));
        program.wait_for_error_line(|line| line.contains("msg=\"listening on "));
        self.host("far").wait_for_udp_listener(&program, 8620);
        program
    }

    /// From now on the kernel holds each packet of one direction of a link for so long.
    pub(super) fn delay(&self, way: &str, milliseconds: u32) {
        self.netem(way, "replace", &format!("delay {milliseconds}ms"));
    }

    pub(super) fn delay_no_more(&self, way: &str) {
        self.netem(way, "del", "");
    }

    fn netem(&self, way: &str, action: &str, what: &str) {
        let (from, to) = way.split_once('>').expect("FROM>TO");
        let command = format!("qdisc {action} dev {to} root netem {what}");
        let program = self.host(from).spawn(Command::new("tc").args(command.split_whitespace()));
        program.wait().assert_code(0);
    }

    /// Everything that arrives, by direction of each link.
    pub(super) fn captures(&self) -> Vec<Capture> {
        let both = LINKS.iter().flat_map(|[left, right]| [(left, right), (right, left)]);
        both.map(|(from, to)| Capture::open(format!("{from}>{to}"), self.host(to), from)).collect()
    }
}

fn link_address(number: u8, last: u8, family: Family) -> IpAddr {
    match family {
        Family::V4 => IpAddr::from([10, 0, number, last]),
        Family::V6 => IpAddr::from([0xfd00, 0, 0, u16::from(number), 0, 0, 0, u16::from(last)]),
    }
}
