//! Timestamp labels that a controller gave, where the kernel's own MPLS takes them off.
//!
//! The kernel of a build machine seldom has MPLS; `tests/guest/run kernel_mpls::` does.

use std::process::Command;

use stamp_proto::time::TimestampFormat;
use stamp_tests::netns::{Family, Host, Need, Trial, trials};

use super::{Stage, flow, labelled, network, open_probe};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        the_kernel_pops_what_the_program_stamped: [Need::IPV6, Need::BPF, Need::MPLS],
        what_the_kernel_lacks_for_a_label_is_told: [Need::IPV6, Need::BPF, Need::MPLS],
    ]
}

const MPLS: u16 = 0x8847;

const LABELS: &str = r#"
listen = ["127.0.0.1:8620"]
workers = 1
timestamp-shell = "tc"
[[timestamp]]
label = 15001
offset = 20
format = "ntp"
interfaces = ["eth0"]
[[timestamp]]
label = 15002
interfaces = ["eth1"]
"#;

fn ip(host: &Host, arguments: &str) {
    let finished = host.spawn(Command::new("ip").args(arguments.split(' '))).wait();
    finished.assert_code(0);
}

/// `add` gives the labels routes: own ones are taken off, and what is below decides.
fn stage() -> Stage {
    let net = network();
    net.router.set_sysctl("net.mpls.platform_labels", "100000");
    for interface in ["eth0", "eth1", "lo"] {
        net.router.set_sysctl(&format!("net.mpls.conf.{interface}.input"), "1");
    }
    for route in ["15001 dev lo", "15002 dev lo", "16004 via inet 192.0.2.1 dev eth0"] {
        ip(&net.router, &format!("-f mpls route add {route}"));
    }
    Stage::over(net, LABELS)
}

fn the_kernel_pops_what_the_program_stamped() {
    let mut stage = stage();
    let sent = open_probe();
    for family in [Family::V4, Family::V6] {
        let near = stage.net.near.address(family);
        let flow = flow(near, near);
        let returned = stage.round_trip(MPLS, &labelled(&[15_001], &flow, &sent));
        returned.assert_stamped(20, TimestampFormat::Ntp, &sent);
        assert_ne!(returned.seen.ether_type, MPLS);
        let packet = labelled(&[15_001, 16_004, 16_001], &flow, &sent);
        let returned = stage.round_trip(MPLS, &packet);
        returned.assert_stamped(20, TimestampFormat::Ntp, &sent);
        assert_eq!(returned.seen.labels()[0].0, 16_001);
    }
    let near = stage.net.near.address(Family::V4);
    for labels in [&[15_002][..], &[15_001, 15_002]] {
        stage.send(MPLS, &labelled(labels, &flow(near, near), &sent));
    }
    stage.send(MPLS, &labelled(&[15_001], &flow(near, near), &sent[..24]));
    let short = stage.near.wait_for(|seen| !seen.outgoing && seen.is_probe());
    assert_eq!(short.payload(), &sent[..24], "unstamped");
    assert!(stage.unexpected().is_empty(), "no twin and no ICMP");
    let told = stage.stop().stderr;
    for line in [
        "label 15001: 4 with T2, 1 without",
        "unstamped                1  too-short: ",
        "not forwarded            1  interface: ",
        "not forwarded            1  second-timestamp: ",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
}

fn what_the_kernel_lacks_for_a_label_is_told() {
    let net = network();
    let folder = super::Folder::new();
    let file = folder.write("node.toml", LABELS);
    let refused = || {
        let mut command = stamp_tests::netns::binary("stamp-reflector");
        net.router.spawn(command.arg(&file)).wait().assert_code(4).stderr.clone()
    };
    assert!(refused().contains("  sudo sysctl -w net.mpls.conf.eth0.input=1"));
    net.router.set_sysctl("net.mpls.conf.eth0.input", "1");
    let told = refused();
    assert!(told.contains("  sudo ip -f mpls route add 15001 dev lo"), "{told}");
}
