//! What is refused before a packet leaves, and what is shown instead of sent.

use stamp_tests::netns::{Finished, Need, Trial, trials};

use super::form::Form;
use super::network::{Net, sender};
use super::{labels, segments};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        frames_without_the_right_to_them_are_refused_by_its_name: [Need::IPV6],
        a_header_of_the_kernel_needs_no_right: [Need::IPV6],
        a_size_that_does_not_fit_is_refused_before_anything_is_sent: [Need::IPV6],
        a_shown_packet_bears_its_identifier: [Need::IPV6],
    ]
}

/// A form of each kind, and what it puts in front of a UDP payload.
const KINDS: [(Form, usize); 5] = [
    // IPv6, SRH, IPv6, UDP.
    (segments::V1, 40 + 8 + 2 * 16 + 40 + 8),
    (segments::V3_REDUCED, 40 + 8 + 16 + 40 + 8),
    // IPv6, SRH that ends at this host, UDP.
    (segments::V4_BACK, 40 + 8 + 4 * 16 + 8),
    // Labels, IPv4, UDP.
    (labels::M4, 2 * 4 + 20 + 8),
    (labels::M5_IPV6, 4 * 4 + 40 + 8),
];

/// Nothing has left s, whatever was asked for.
#[track_caller]
fn is_silent(net: &Net) {
    let left = ["s>a", "s>b", "s>c"].map(|way| net.counts(way).seen);
    assert_eq!(left, [0; 3]);
}

fn frames_without_the_right_to_them_are_refused_by_its_name() {
    let net = Net::up();
    for form in [segments::V1, segments::V3, segments::V7_AROUND, labels::M1, labels::M5] {
        let flags = format!("{} -c 2 -i 5ms -W 100ms", form.flags);
        let refused = net.host("s").spawn_without_rights(&mut sender(&flags)).wait();
        refused.assert_code(4);
        assert!(refused.stderr.contains("CAP_NET_RAW"), "{refused}");
    }
    is_silent(&net);
}

fn a_header_of_the_kernel_needs_no_right() {
    let net = Net::up();
    for form in [segments::V4, segments::V4_BACK, segments::V7_BACK] {
        let flags = format!("{} -c 3 -i 5ms", form.flags);
        let finished = net.host("s").spawn_without_rights(&mut sender(&flags)).wait();
        finished.assert_code(0);
        assert!(!finished.stderr.contains("CAP_NET_RAW"), "{finished}");
    }
}

fn a_size_that_does_not_fit_is_refused_before_anything_is_sent() {
    let net = Net::up();
    for (form, front) in KINDS {
        let send = |size: usize| -> Finished {
            net.send(&format!("{} -s {size} -c 1 -i 5ms -W 100ms -p 9", form.flags))
        };
        let refused = send(1500 - front + 1);
        refused.assert_code(3);
        let words = format!("an MTU of 1500 leaves {}", 1500 - front);
        assert!(refused.stderr.contains("--size"), "{refused}");
        assert!(refused.stderr.contains(&words), "{words}: {refused}");
    }
    is_silent(&net);
    // One octet less, and it comes back.
    for (form, front) in KINDS.into_iter().filter(|(form, _)| form.is_looped()) {
        let size = 1500 - front;
        net.send(&format!("{} -s {size} -c 1 -i 5ms", form.flags)).assert_code(0);
    }
}

fn a_shown_packet_bears_its_identifier() {
    let net = Net::up();
    let enhanced = |flags: &str| flags.replace("loopback", "enhanced-loopback");
    let mut shown: Vec<(&str, String)> = [
        segments::V1,
        segments::V2,
        segments::V3,
        segments::V4,
        segments::V7,
        segments::V7_AROUND,
        segments::V7_BACK,
        labels::M1,
        labels::M4,
        labels::M5,
    ]
    .map(|form| (form.id, form.flags.to_owned()))
    .into();
    for (id, form) in [
        ("V5", segments::V3),
        ("V6", segments::V4_BACK),
        ("M6", labels::M4),
        ("M7", labels::M5_IPV6),
    ] {
        shown.push((id, enhanced(form.flags)));
    }
    for (id, flags) in shown {
        // Neither rights nor a network are needed to look.
        let flags = format!("{flags} --show-packet");
        let finished = net.host("s").spawn_without_rights(&mut sender(&flags)).wait();
        finished.assert_code(0);
        let first = finished.stdout.lines().next().unwrap_or_default();
        assert!(first.contains(&format!(" {id}: ")), "{id}: {finished}");
        assert!(finished.stdout.contains("STAMP   probe, 44 octets"), "{finished}");
    }
    is_silent(&net);
}
