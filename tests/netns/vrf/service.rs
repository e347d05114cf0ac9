//! A VRF as a service of a Segment Routing network: its packets cross the network in tunnels that
//! end in the VRF of the other side.
//!
//! ```text
//!  near blue ┐                 ┌ blue far
//!            └ core ───── core ┘
//! ```

use std::fs;

use stamp_tests::netns::{self, Families, Finished, Host, Need, Trial, trials};

use super::{VRF, ip, nothing_is_lost};
use crate::measure::{PORT, reflector};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        probes_enter_the_vrf_behind_a_sid: [VRF, Need::IPV6],
        a_loop_comes_back_in_a_tunnel_of_the_network: [VRF, Need::IPV6],
    ]
}

/// Two hosts with a link that is in no VRF, and a VRF at each that has addresses and no link.
pub(crate) struct Service {
    pub(crate) near: Host,
    pub(crate) far: Host,
}

impl Service {
    pub(crate) fn new() -> Self {
        let [near, far] = ["near", "far"].map(|name| Host::new(name, Families::Both));
        near.join("core", &far, "core");
        for (host, other, [own, its]) in [(&near, &far, [1, 2]), (&far, &near, [2, 1])] {
            host.add_address("core", &format!("10.0.0.{own}/24"));
            host.add_address("core", &format!("fd00::{own}/64"));
            for its in [format!("10.0.0.{its}"), format!("fd00::{its}")] {
                host.set_neighbour("core", its.parse().expect("an address"), other.mac("core"));
            }
            host.vrf("blue", 20, &[]);
            host.add_address("blue", &format!("192.0.2.{own}/32"));
            host.add_address("blue", &format!("2001:db8::{own}/128"));
            // Nothing leaves the VRF that has no route in it.
            ip(host, "route add vrf blue unreachable default metric 4278198272");
            ip(host, "-6 route add vrf blue unreachable default metric 4278198272");
            host.set_sysctl("net.ipv4.ip_forward", "1");
            host.set_sysctl("net.ipv6.conf.all.forwarding", "1");
        }
        Self { near, far }
    }

    /// SIDs that end in the VRFs, and routes of the VRFs into them.
    fn over_sids(self) -> Self {
        for (host, [own, its]) in [(&self.near, [1, 2]), (&self.far, [2, 1])] {
            host.set_sysctl("net.vrf.strict_mode", "1");
            for route in [
                format!("fc00:bb:{its}::/48 via fd00::{its} dev core"),
                // What is forwarded in the VRF finds the way of its tunnel there alone.
                format!("fc00:bb:{its}::/48 vrf blue via fd00::{its} dev core"),
                format!(
                    "fc00:bb:{own}:d46::/64 encap seg6local action End.DT46 vrftable 20 dev blue"
                ),
                format!(
                    "2001:db8::{its}/128 vrf blue encap seg6 mode encap segs fc00:bb:{its}:d46:: \
                     dev core"
                ),
            ] {
                ip(host, &format!("-6 route add {route}"));
            }
        }
        self
    }

    pub(crate) fn send(&self, flags: &str) -> Finished {
        let mut command = netns::binary("stamp-sender");
        command.args(["-p", &PORT.to_string(), "--vrf", "blue", "--json"]);
        command.args(["-c", "5", "-i", "50ms", "-W", "1s"]);
        // A route of IPv6 cannot name a source address that its interface has not.
        let source = if flags.contains("2001:db8::2") { "2001:db8::1" } else { "192.0.2.1" };
        self.near.spawn(command.args(["-S", source]).args(flags.split_whitespace())).wait()
    }

    /// Packets that the core link has brought to a host.
    fn arrived(host: &Host) -> u64 {
        let table = host.run(|| fs::read_to_string("/proc/thread-self/net/dev")).expect("a table");
        let line = table.lines().find_map(|line| line.trim().strip_prefix("core:"));
        let packets = line.and_then(|line| line.split_whitespace().nth(1));
        packets.and_then(|packets| packets.parse().ok()).expect("a count")
    }
}

fn probes_enter_the_vrf_behind_a_sid() {
    let net = Service::new().over_sids();
    let _far = reflector(&net.far, &["--vrf", "blue"]);
    let before = Service::arrived(&net.far);
    let mut sent = 0;
    for flags in ["", "--segments fc00:bb:2:d46:: --srv6 encap"] {
        let session = nothing_is_lost(&net.send(&format!("2001:db8::2 {flags}")));
        assert_eq!(session["path"]["source"], "2001:db8::1", "{session}");
        sent += session["packets"]["sent"].as_u64().expect("a count");
    }
    assert!(Service::arrived(&net.far) >= before + sent, "the core is the only way");
}

/// The sender sees the tunnel of the way back; that it ends in the VRF is known to the kernel alone.
fn a_loop_comes_back_in_a_tunnel_of_the_network() {
    let net = Service::new().over_sids();
    let session = nothing_is_lost(
        &net.send("2001:db8::2 --mode loopback --segments fc00:bb:2:d46:: --srv6 encap"),
    );
    assert_eq!(session["path"]["encapsulation"], "V3", "{session}");
}
