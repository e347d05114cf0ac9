//! Each form on each of its wires: it can be read to its end, and its checksum is right.

use stamp_tests::netns::{Need, Trial, trials};

use super::form::Form;
use super::network::{Net, OPEN};
use super::{labels, segments};
use crate::capture::Capture;
use crate::measure::session;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        srv6_packets_are_right_on_every_wire: [Need::IPV6],
        labelled_packets_are_right_on_every_wire: [Need::IPV6],
    ]
}

fn srv6_packets_are_right_on_every_wire() {
    are_right(&[
        segments::V1,
        segments::V1_REDUCED,
        segments::V2,
        segments::V3,
        segments::V3_REDUCED,
        segments::V4,
        segments::V4_BACK,
        segments::V4_AROUND,
        segments::V7,
        segments::V7_AROUND,
        segments::V7_BACK,
    ]);
}

fn labelled_packets_are_right_on_every_wire() {
    are_right(&[
        labels::M1,
        labels::M1_IPV6,
        labels::M4,
        labels::M4_NULL,
        labels::M4_NULL_IPV6,
        labels::M5,
        labels::M5_IPV6,
    ]);
}

fn are_right(forms: &[Form]) {
    let net = Net::up();
    let _far = net.reflector(OPEN, &[]);
    let arrivals = net.arrivals().into_iter();
    let open = |(way, node, interface): (String, String, String)| {
        Capture::open(way, &net.host(&node), &interface)
    };
    let mut captures: Vec<Capture> = arrivals.map(open).collect();
    for form in forms {
        let finished = net.send(&format!("{} -p {OPEN} -c 5 -i 5ms --json", form.flags));
        finished.assert_code(0);
        let session = session(&finished);
        let port = session["path"]["source_port"].as_u64().expect("a port");
        let sent = session["packets"]["sent"].as_u64().expect("a count");
        let sent = usize::try_from(sent).expect("few");
        for capture in &mut captures {
            let seen = capture.stacks(port).len();
            let crosses = form.out.contains(&capture.way()) || form.back.contains(&capture.way());
            let expected = if crosses { sent } else { 0 };
            assert_eq!(seen, expected, "{} on {}", form.flags, capture.way());
        }
    }
}
