//! Both ends in VRFs: routes, addresses and sockets apart from all others of their hosts.
//!
//! The module has the name of what a kernel may lack; see `tests/guest/run`.

mod service;

use std::process::Command;

use serde_json::Value;
use stamp_tests::netns::{self, Families, Finished, Host, Need, Signal, Trial, trials};

use crate::measure::{PORT, answered, reflector, session};
use crate::timestamping::Folder;

pub(crate) use service::Service;

pub(crate) const VRF: Need = Need {
    name: "a kernel with VRF devices, and `ip`",
    allow: "sudo modprobe vrf, or tests/guest/run vrf::",
    met: || {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ip link add of-the-test type vrf table 10"]);
        Host::new("probe", Families::V4).spawn(&mut shell).wait().code == Some(0)
    },
    beyond_namespaces: false,
};

pub(crate) fn trials() -> Vec<Trial> {
    let here = trials![
        vrfs_with_the_same_addresses_are_told_apart: [VRF, Need::IPV6],
        who_listens_in_no_vrf_is_not_heard_in_one: [VRF, Need::IPV6],
        probes_on_sids_stay_in_their_vrf: [VRF, Need::IPV6],
        a_node_that_stamps_forwards_in_the_vrf_of_the_probe: [VRF, Need::IPV6],
        the_next_hop_of_a_label_is_that_of_the_vrf_of_the_probe: [VRF, Need::IPV6],
    ];
    here.into_iter().chain(service::trials()).collect()
}

/// Two hosts and two links with the same addresses, each in a VRF of its name at both ends.
struct Customers {
    near: Host,
    far: Host,
}

const NAMES: [(&str, u32); 2] = [("red", 10), ("blue", 20)];

impl Customers {
    fn new() -> Self {
        let [near, far] = ["near", "far"].map(|name| Host::new(name, Families::Both));
        for (name, table) in NAMES {
            let link = &format!("{name}0");
            near.join(link, &far, link);
            for (host, other, [own, its]) in [(&near, &far, [1, 2]), (&far, &near, [2, 1])] {
                host.vrf(name, table, &[link]);
                for (own, its) in [
                    (format!("192.0.2.{own}/24"), format!("192.0.2.{its}")),
                    (format!("2001:db8::{own}/64"), format!("2001:db8::{its}")),
                ] {
                    host.add_address(link, &own);
                    let its = its.parse().expect("an address");
                    host.set_neighbour(link, its, other.mac(link));
                }
            }
        }
        Self { near, far }
    }

    fn send(&self, flags: &str) -> Finished {
        let mut command = netns::binary("stamp-sender");
        command.args(["-p", &PORT.to_string(), "-c", "5", "-i", "50ms", "-W", "1s", "--json"]);
        self.near.spawn(command.args(flags.split_whitespace())).wait()
    }
}

/// What `ip` does there.
pub(crate) fn ip(host: &Host, arguments: &str) {
    let mut command = Command::new("ip");
    host.spawn(command.args(arguments.split_whitespace())).wait().assert_code(0);
}

/// What the five probes of [`Customers::send`] and of [`Service::send`] met.
#[track_caller]
pub(crate) fn nothing_is_lost(finished: &Finished) -> Value {
    finished.assert_code(0);
    let session = session(finished);
    answered(&session, 5);
    session
}

const TARGETS: [&str; 2] = ["192.0.2.2", "2001:db8::2"];

fn vrfs_with_the_same_addresses_are_told_apart() {
    let hosts = Customers::new();
    for (name, other) in [("red", "blue"), ("blue", "red")] {
        let _far = reflector(&hosts.far, &["--vrf", name]);
        for target in TARGETS {
            nothing_is_lost(&hosts.send(&format!("{target} --vrf {name}")));
            let silent = hosts.send(&format!("{target} --vrf {other}"));
            assert_eq!(silent.assert_code(1).json()["sessions"][0]["packets"]["received"], 0);
        }
    }
}

fn who_listens_in_no_vrf_is_not_heard_in_one() {
    let hosts = Customers::new();
    let far = reflector(&hosts.far, &[]);
    for target in TARGETS {
        hosts.send(&format!("{target} --vrf red")).assert_code(1);
        // Without its name nothing leads into a VRF.
        hosts.send(target).assert_code(2);
    }
    // Then it hears all of them, and what it sends leaves outside.
    hosts.far.set_sysctl("net.ipv4.udp_l3mdev_accept", "1");
    hosts.send("192.0.2.2 --vrf red").assert_code(1);
    far.signal(Signal::SIGTERM);
    let told = far.wait().stderr;
    assert!(told.contains("  answered                 0  "), "{told}");
    assert!(told.contains("    send_error  "), "{told}");
}

/// The network of a VRF has segments of its own.
fn probes_on_sids_stay_in_their_vrf() {
    let hosts = Customers::new();
    let Customers { near, far } = &hosts;
    for host in [near, far] {
        host.set_sysctl("net.vrf.strict_mode", "1");
        for interface in ["all", "red", "red0"] {
            host.set_sysctl(&format!("net.ipv6.conf.{interface}.seg6_enabled"), "1");
        }
    }
    far.set_sysctl("net.ipv6.conf.all.forwarding", "1");
    ip(near, "-6 route add fc00:bb:2::/48 via 2001:db8::2 dev red0 vrf red");
    ip(far, "-6 route add fc00:bb:2:1::/64 vrf red encap seg6local action End dev red0");
    ip(
        far,
        "-6 route add fc00:bb:2:d46::/64 vrf red encap seg6local action End.DT46 vrftable 10 dev red",
    );
    let loops = [
        ("V4", "--segments fc00:bb:2:1::"),
        // An outer header is none of the VRF unless it is told so.
        ("V3", "--srv6 encap --segments fc00:bb:2:d46:: --via red0,2001:db8::2"),
    ];
    for (id, flags) in loops {
        let flags = format!("2001:db8::2 --vrf red --mode loopback {flags}");
        let session = nothing_is_lost(&hosts.send(&flags));
        assert_eq!(session["path"]["encapsulation"], id, "{session}");
        assert_eq!(session["path"]["source"], "2001:db8::1", "{session}");
    }
    let _far = reflector(far, &["--vrf", "red"]);
    nothing_is_lost(&hosts.send("2001:db8::2 --vrf red --segments fc00:bb:2:1::"));
}

const NODE: &str = r#"
listen = ["127.0.0.1:8620"]
[[timestamp]]
extended = 240
interfaces = ["red0", "blue0"]
[[forward]]
label = 16002
action = "pop"
[[forward]]
label = 16001
action = "pop"
next-hop = "192.0.2.1"
"#;

/// Both send to the same address, and each gets back what is its own.
fn a_node_that_stamps_forwards_in_the_vrf_of_the_probe() {
    all_probes_are_stamped("--segments 16002", "M6");
}

/// Both have a router of that address, and no table outside leads to one.
fn the_next_hop_of_a_label_is_that_of_the_vrf_of_the_probe() {
    all_probes_are_stamped("--segments 16002 --return-segments 16001", "M7");
}

fn all_probes_are_stamped(segments: &str, encapsulation: &str) {
    let hosts = Customers::new();
    let folder = Folder::new();
    let file = folder.write("node.toml", NODE);
    let far = hosts.far.spawn(netns::binary("stamp-reflector").arg(file));
    far.wait_for_error_line(|line| line.contains("msg=\"listening on "));
    for (name, _) in NAMES {
        for target in TARGETS {
            let flags = format!("{target} --vrf {name} --mode enhanced-loopback {segments}");
            let session = nothing_is_lost(&hosts.send(&flags));
            let (stamping, packets) = (&session["stamping"], &session["packets"]);
            assert_eq!(stamping["stamped"], packets["received"], "{stamping}");
            assert_eq!(session["path"]["encapsulation"], encapsulation, "{session}");
        }
    }
}
