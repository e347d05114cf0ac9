//! A VRF as a service of a network of labels: each side has a label that leads into its VRF.

use stamp_tests::netns::{Need, Trial, trials};

use super::MPLS;
use crate::measure::reflector;
use crate::vrf::{Service, VRF, ip, nothing_is_lost};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        probes_enter_the_vrf_below_a_label: [MPLS, VRF, Need::IPV6],
        replies_leave_the_vrf_below_the_labels_that_were_asked_for: [MPLS, VRF, Need::IPV6],
        a_loop_comes_back_below_a_label_of_the_network: [MPLS, VRF, Need::IPV6],
    ]
}

const TARGETS: [&str; 2] = ["192.0.2.2", "2001:db8::2"];

/// Labels 1020 and 2020 lead into the VRFs of near and far. Routes of the VRFs put them before what
/// they send, at far only if `way_back_is_labelled`.
fn service(way_back_is_labelled: bool) -> Service {
    let net = Service::new();
    for (host, [own, its], labelled) in
        [(&net.near, [1, 2], true), (&net.far, [2, 1], way_back_is_labelled)]
    {
        host.switch_labels(&["core"]);
        host.add_label_route(own * 1000 + 20, &[], None, "blue");
        let label = if labelled { format!("encap mpls {its}020") } else { String::new() };
        for route in [
            format!("192.0.2.{its}/32 vrf blue {label} via 10.0.0.{its} dev core"),
            format!("2001:db8::{its}/128 vrf blue {label} via fd00::{its} dev core"),
        ] {
            ip(host, &format!("route add {route}"));
        }
    }
    net
}

fn probes_enter_the_vrf_below_a_label() {
    let net = service(true);
    let _far = reflector(&net.far, &["--vrf", "blue"]);
    for target in TARGETS {
        nothing_is_lost(&net.send(target));
        let session = nothing_is_lost(&net.send(&format!("{target} --segments 2020")));
        assert_eq!(session["path"]["encapsulation"], "M1", "{session}");
    }
}

fn replies_leave_the_vrf_below_the_labels_that_were_asked_for() {
    let net = service(false);
    let flags = ["--vrf", "blue", "--return-path", "192.0.2.1/32,2001:db8::1/128"];
    let _far = reflector(&net.far, &flags);
    for target in TARGETS {
        // Without a label it arrives outside of the VRF.
        net.send(&format!("{target} --segments 2020")).assert_code(1);
        let led = format!("{target} --segments 2020 --return-segments 1020");
        let session = nothing_is_lost(&net.send(&led));
        assert_eq!(session["path"]["encapsulation"], "M3", "{session}");
        assert_eq!(session["requests"]["return_path_not_honoured"], 0, "{session}");
    }
}

fn a_loop_comes_back_below_a_label_of_the_network() {
    let net = service(true);
    for target in TARGETS {
        let flags = format!("{target} --mode loopback --segments 2020");
        let session = nothing_is_lost(&net.send(&flags));
        assert_eq!(session["path"]["encapsulation"], "M4", "{session}");
    }
}
