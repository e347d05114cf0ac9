//! Every guide page typed into real machines: namespaces, links and the two programs.
//!
//! A page `docs/guide/NAME.md` is played by the trial of its name; the conformance test fails when
//! a page has none.

mod stage;

use std::process::ExitCode;

use stamp_tests::conformance::{assert_none, guide, tree};
use stamp_tests::netns::{self, Families, Need, Trial};
use stamp_tests::trials;
use stamp_tests::wire::{Effect, Way, Which};

use stage::Machines;

fn main() -> ExitCode {
    netns::harness(&[trials, vrf::trials])
}

fn trials() -> Vec<Trial> {
    trials![
        clocks,
        branches: [Need::IPV6],
        bulk: [Need::IPV6],
        discovery,
        upgrading,
        dscp,
        edge_clients: [Need::IPV6],
        first_measurement,
        ipv6_only: [Need::IPV6],
        isolation: [Need::IPV6],
        lab: [Need::IPV6],
        lag,
        loss,
        metrics,
        mtu,
        mtu_segments: [Need::IPV6],
        nat,
        notifications,
        paths,
        policies: [Need::IPV6],
        segments: [Need::IPV6],
        selection,
        service,
        srh: [Need::IPV6],
        test_tlvs,
        timestamping,
        which_link: [Need::IPV6],
        without_root,
        writers,
    ]
}

fn clocks() {
    play("clocks", Machines::two_hosts(Families::V4));
}

fn branches() {
    play("branches", Machines::with_examples());
}

fn bulk() {
    play("bulk", Machines::with_examples());
}

fn edge_clients() {
    play("edge-clients", Machines::with_topology());
}

fn isolation() {
    play("isolation", Machines::with_examples());
}

fn selection() {
    play("selection", Machines::with_topology());
}

fn service() {
    play("service", Machines::two_hosts(Families::V4));
}

fn upgrading() {
    play("upgrading", Machines::two_hosts(Families::V4));
}

fn discovery() {
    play("discovery", Machines::two_hosts(Families::V4));
}

fn dscp() {
    play("dscp", Machines::two_hosts(Families::V4));
}

fn first_measurement() {
    play("first-measurement", Machines::two_hosts(Families::V4));
}

fn ipv6_only() {
    play("ipv6-only", Machines::two_hosts(Families::V6));
}

fn lab() {
    play("lab", Machines::with_topology());
}

fn lag() {
    play("lag", Machines::two_links());
}

fn loss() {
    let machines = Machines::wired();
    machines.wire().impair(
        Way::Forward,
        Which::only(|datagram| datagram.nth % 10 == 3),
        Effect::Drop,
    );
    machines.wire().impair(
        Way::Backward,
        Which::only(|datagram| datagram.nth % 25 == 7),
        Effect::Drop,
    );
    play("loss", machines);
}

fn metrics() {
    play("metrics", Machines::two_hosts(Families::V4));
}

fn mtu() {
    play("mtu", Machines::small_mtu(1400));
}

fn mtu_segments() {
    play("mtu-segments", Machines::with_topology());
}

fn paths() {
    play("paths", Machines::with_topology());
}

fn policies() {
    play("policies", Machines::with_topology());
}

fn segments() {
    play("segments", Machines::with_topology());
}

fn srh() {
    play("srh", Machines::with_topology());
}

fn nat() {
    let machines = Machines::wired();
    machines.wire().translate([192, 0, 2, 77].into(), 40_000);
    machines.wire().rebind_after(10, 41_000);
    play("nat", machines);
}

fn notifications() {
    play("notifications", Machines::two_hosts(Families::V4));
}

/// Trials that need VRF devices have a module of that name; see `tests/guest/run`.
mod vrf {
    use stamp_tests::netns::Host;

    use super::{Families, Machines, Need, Trial, play, stage};

    const VRF: Need = Need {
        name: "a kernel with VRF devices, and `ip`",
        allow: "sudo modprobe vrf, or tests/guest/run vrf::",
        met: || stage::adds_link(&Host::new("probe", Families::V4), "type vrf table 10"),
        beyond_namespaces: false,
    };

    pub(super) fn trials() -> Vec<Trial> {
        stamp_tests::trials![page: [VRF]]
    }

    fn page() {
        play("vrf", Machines::with_vrf("blue", 10));
    }
}

fn test_tlvs() {
    play("test-tlvs", Machines::two_hosts(Families::V4));
}

fn timestamping() {
    play("timestamping", Machines::two_hosts(Families::V4));
}

fn which_link() {
    play("which-link", Machines::with_topology());
}

fn without_root() {
    play("without-root", Machines::one());
}

fn writers() {
    play("writers", Machines::one());
}

/// Types `docs/guide/NAME.md` into `machines`.
fn play(name: &str, mut machines: Machines) {
    let path = format!("docs/guide/{name}.md");
    let files = tree::files(&tree::root());
    let file = files.iter().find(|file| file.path == path);
    let page = guide::parse(file.unwrap_or_else(|| panic!("{path} is missing")));
    let page = page.unwrap_or_else(|findings| panic!("{findings:?}"));
    assert_none(guide::play(&page, &mut machines));
}
