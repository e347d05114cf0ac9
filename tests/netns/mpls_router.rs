//! `stamp-sender` on label stacks through kernels that switch labels themselves, with delays that a
//! kernel makes: nothing between both ends is ours.
//!
//! The module has the name of what a kernel may lack; see `tests/guest/run`.

mod form;
mod network;
mod service;
mod writer;

use std::path::Path;
use std::process::Command;

use stamp_tests::netns::{Families, Family, Host, Need, Trial, trials};

use crate::measure::session;
use form::{BACK, BACK_BY_LABELS, Form, OUT};
use network::Net;

/// This kernel's label switch, and its delays.
const MPLS: Need = Need {
    name: "a kernel with mpls_router and sch_netem, and `tc`",
    allow: "sudo modprobe -a mpls_router sch_netem, or tests/guest/run mpls_router::",
    met: || {
        let host = Host::new("probe", Families::V4);
        let has_labels = || Path::new("/proc/sys/net/mpls/platform_labels").exists();
        let mut shell = Command::new("sh");
        shell.args(["-c", "tc qdisc add dev lo root netem delay 1ms"]);
        host.run(has_labels) && host.spawn(&mut shell).wait().code == Some(0)
    },
    beyond_namespaces: false,
};

pub(crate) fn trials() -> Vec<Trial> {
    let here = trials![
        m1_sees_a_delay_in_its_own_direction_only: [MPLS, Need::IPV6],
        m3_replies_take_the_labels_that_were_asked_for: [MPLS, Need::IPV6],
        m4_comes_back_as_any_packet_would: [MPLS, Need::IPV6],
        m5_comes_back_by_its_labels: [MPLS, Need::IPV6],
        m6_splits_the_loop_at_the_far_node: [MPLS, Need::IPV6],
        m7_splits_the_loop_and_comes_back_by_its_labels: [MPLS, Need::IPV6],
        a_label_of_a_controller_leads_to_the_node_that_stamps: [MPLS, Need::IPV6],
        a_kernel_that_knows_the_label_and_does_not_stamp_is_told: [MPLS, Need::IPV6],
        a_kernel_that_does_not_know_the_label_is_silence_explained: [MPLS, Need::IPV6],
    ];
    here.into_iter().chain(service::trials()).chain(writer::trials()).collect()
}

const M1: Form = Form { id: "M1", flags: "--segments 16002", out: OUT, back: BACK, hops: 2 };

const M3: Form = Form {
    id: "M3",
    flags: "--segments 16002 --return-segments 17013,18001",
    back: BACK_BY_LABELS,
    ..M1
};

/// Of the labels, only the last one's hops are counted on below it: by this kernel, and by ours none.
const M4: Form = Form {
    id: "M4",
    flags: "--mode loopback --segments 16012,17002",
    out: &[("near>a", &[16_012, 17_002]), ("a>b", &[17_002]), ("b>far", &[])],
    back: BACK,
    hops: 4,
};

const M5: Form = Form {
    id: "M5",
    flags: "--mode loopback --segments 16012,17002 --return-segments 19013,18001",
    out: &[
        ("near>a", &[16_012, 17_002, 19_013, 18_001]),
        ("a>b", &[17_002, 19_013, 18_001]),
        ("b>far", &[19_013, 18_001]),
    ],
    back: BACK_BY_LABELS,
    hops: 1,
};

const M6: Form = Form {
    id: "M6",
    flags: "--mode enhanced-loopback --segments 16012,17002",
    out: &[
        ("near>a", &[16_012, 17_002, 15, 240]),
        ("a>b", &[17_002, 15, 240]),
        ("b>far", &[15, 240]),
    ],
    back: BACK,
    hops: 3,
};

const M7: Form = Form {
    id: "M7",
    flags: "--mode enhanced-loopback --segments 16012,17002 --return-segments 19013,18001",
    out: &[
        ("near>a", &[16_012, 17_002, 15, 240, 19_013, 18_001]),
        ("a>b", &[17_002, 15, 240, 19_013, 18_001]),
        ("b>far", &[15, 240, 19_013, 18_001]),
    ],
    ..M5
};

/// The timestamp label is the last segment as well: `b` switches it to far.
const M6_CONTROLLER: Form = Form {
    id: "M6",
    flags: "--mode enhanced-loopback --segments 16012 --timestamp-label 17240",
    out: &[("near>a", &[16_012, 17_240]), ("a>b", &[17_240]), ("b>far", &[15_001])],
    ..M6
};

/// The label stands alone below the last segment.
const M7_CONTROLLER: Form = Form {
    id: "M7",
    flags: "--mode enhanced-loopback --segments 16012,17002 --timestamp-label 15001 \
            --return-segments 19013,18001",
    out: &[
        ("near>a", &[16_012, 17_002, 15_001, 19_013, 18_001]),
        ("a>b", &[17_002, 15_001, 19_013, 18_001]),
        ("b>far", &[15_001, 19_013, 18_001]),
    ],
    ..M5
};

fn m1_sees_a_delay_in_its_own_direction_only() {
    let net = Net::up();
    let _far = net.far_node();
    M1.is_measured(&net);
}

fn m3_replies_take_the_labels_that_were_asked_for() {
    let net = Net::up();
    let _far = net.far_node();
    M3.is_measured(&net);
}

fn m4_comes_back_as_any_packet_would() {
    M4.is_measured(&Net::up());
}

fn m5_comes_back_by_its_labels() {
    let net = Net::up();
    net.switch_labels("far");
    M5.is_measured(&net);
}

fn m6_splits_the_loop_at_the_far_node() {
    let net = Net::up();
    let _far = net.far_node();
    M6.is_measured(&net);
}

fn m7_splits_the_loop_and_comes_back_by_its_labels() {
    let net = Net::up();
    let _far = net.far_node();
    M7.is_measured(&net);
}

fn a_label_of_a_controller_leads_to_the_node_that_stamps() {
    let net = Net::up();
    let _far = net.far_node();
    M6_CONTROLLER.is_measured(&net);
    M7_CONTROLLER.is_measured(&net);
}

fn a_kernel_that_knows_the_label_and_does_not_stamp_is_told() {
    let net = Net::up();
    net.switch_labels("far");
    net.host("far").switch_labels(&["lo"]);
    net.host("far").add_label_route(15_001, &[], None, "lo");
    let finished = net.send(M7_CONTROLLER.flags, Family::V4);
    finished.assert_code(0);
    let session = session(&finished);
    let (stamping, packets) = (&session["stamping"], &session["packets"]);
    assert_eq!(stamping["last"], "missing", "{stamping}");
    assert_eq!(stamping["missing"], packets["received"], "{stamping}");
    assert_eq!(packets["lost"]["round_trip"], 0, "{packets}");
    assert_eq!(session["delay_ns"]["forward"]["count"], 0, "no delay is made up");
}

/// Linux has no extended labels: what comes with one to the top ends there.
fn a_kernel_that_does_not_know_the_label_is_silence_explained() {
    let net = Net::up();
    net.switch_labels("far");
    let finished = net.send(M7.flags, Family::V6);
    finished.assert_code(1);
    let session = session(&finished);
    let packets = &session["packets"];
    assert_eq!(packets["lost"]["round_trip"], packets["sent"], "{packets}");
    let findings = session["findings"].as_array().expect("findings");
    let causes = findings.iter().filter(|finding| finding["kind"] == "silent_cause");
    let told: Vec<String> = causes.map(|finding| finding["text"].to_string()).collect();
    assert!(told.iter().any(|text| text.contains("does not know")), "{told:?}");
}
