//! SR-MPLS: every form over the lab's own label switch.

use stamp_tests::netns::{Need, Trial, trials};

use super::form::Form;
use super::network::{Net, OPEN};
use crate::measure::{answered, session};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        m1_is_measured: [Need::IPV6],
        m4_is_measured: [Need::IPV6],
        m5_is_measured: [Need::IPV6],
        m8_is_measured: [Need::IPV6],
        a_probe_is_back_with_the_senders_own_label_on_it: [Need::IPV6],
        a_probe_whose_last_label_is_taken_off_here_is_back_once: [Need::IPV6],
        probes_that_pass_through_their_sender_are_not_back_yet: [Need::IPV6],
        a_sweep_over_addresses_of_127_8_is_answered_by_the_node_that_is_meant: [Need::IPV6],
    ]
}

const OUT: &[&str] = &["s>a", "a>r"];
const BACK: &[&str] = &["r>b", "b>s"];
const BACK_BY_LABELS: &[&str] = &["r>c", "c>s"];

pub(super) const M1: Form = Form {
    id: "M1",
    flags: "192.0.2.2 --segments 16011,16002 --via s-a,10.0.1.2",
    segments: &["16011", "16002"],
    returns: &[],
    out: OUT,
    back: BACK,
    hops: 1,
};

pub(super) const M1_IPV6: Form =
    Form { flags: "2001:db8::2 --segments 16011,16002 --via s-a,fd00:1ab:0:1::2", ..M1 };

pub(super) const M4: Form = Form {
    id: "M4",
    flags: "192.0.2.2 --mode loopback --segments 16011,16002 --via s-a,10.0.1.2",
    hops: 3,
    ..M1
};

/// The far node finds an explicit null and looks up what is below it.
pub(super) const M4_NULL: Form = Form {
    flags: "192.0.2.2 --mode loopback --segments 16011,16002,0 --via s-a,10.0.1.2",
    segments: &["16011", "16002", "0"],
    hops: 4,
    ..M4
};

pub(super) const M4_NULL_IPV6: Form = Form {
    flags: "2001:db8::2 --mode loopback --segments 16011,16002,2 --via s-a,fd00:1ab:0:1::2",
    segments: &["16011", "16002", "2"],
    hops: 4,
    ..M4
};

/// The last label is the sender's own; c takes it off.
pub(super) const M5: Form = Form {
    id: "M5",
    flags: "192.0.2.2 --mode loopback --segments 16011,16002 --return-segments 16013,16001 \
            --via s-a,10.0.1.2",
    returns: &["16013", "16001"],
    back: BACK_BY_LABELS,
    ..M4
};

pub(super) const M5_IPV6: Form = Form {
    flags: "2001:db8::2 --mode loopback --segments 16011,16002 --return-segments 16013,16001 \
            --via s-a,fd00:1ab:0:1::2",
    ..M5
};

/// One label of r's stands for the way back over c.
const M8: Form = Form {
    id: "M8",
    flags: "192.0.2.2 --mode loopback --segments 16011,16002 --return-binding-sid 15201 \
            --via s-a,10.0.1.2",
    returns: &["15201"],
    ..M5
};

const M8_IPV6: Form = Form {
    flags: "2001:db8::2 --mode loopback --segments 16011,16002 --return-binding-sid 15201 \
            --via s-a,fd00:1ab:0:1::2",
    ..M8
};

/// The last label is still there when the probe is back: below one that leads over a link.
const M5_UNPOPPED: Form = Form {
    flags: "192.0.2.2 --mode loopback --segments 16011,16002 \
            --return-segments 16013,24131,16001 --via s-a,10.0.1.2",
    returns: &["16013", "24131", "16001"],
    // The labels count them, and nobody uncovers what is below.
    hops: 0,
    ..M5
};

const M5_UNPOPPED_IPV6: Form = Form {
    flags: "2001:db8::2 --mode loopback --segments 16011,16002 \
            --return-segments 16013,24131,16001 --via s-a,fd00:1ab:0:1::2",
    ..M5_UNPOPPED
};

/// With its own label on it, and without it where its kernel gets it: that is one packet.
fn a_probe_whose_last_label_is_taken_off_here_is_back_once() {
    let net = Net::with_own_label_to_the_end();
    for form in [M5, M5_IPV6] {
        let finished = net.send(&format!("{} -c 40 -i 5ms -W 2s --json", form.flags));
        finished.assert_code(0);
        answered(&session(&finished), 40);
    }
}

fn m1_is_measured() {
    let mut net = Net::up();
    let _far = net.reflector(OPEN, &[]);
    [M1, M1_IPV6].iter().for_each(|form| form.is_measured(&mut net));
}

fn m4_is_measured() {
    let mut net = Net::up();
    [M4, M4_NULL, M4_NULL_IPV6].iter().for_each(|form| form.is_measured(&mut net));
}

fn m5_is_measured() {
    let mut net = Net::up();
    [M5, M5_IPV6].iter().for_each(|form| form.is_measured(&mut net));
}

fn m8_is_measured() {
    let mut net = Net::up();
    [M8, M8_IPV6].iter().for_each(|form| form.is_measured(&mut net));
}

fn a_probe_is_back_with_the_senders_own_label_on_it() {
    let mut net = Net::with_sender_outside();
    [M5_UNPOPPED, M5_UNPOPPED_IPV6].iter().for_each(|form| form.is_measured(&mut net));
}

/// Over b and back, and only then over a and c: the ring sees each probe twice.
fn probes_that_pass_through_their_sender_are_not_back_yet() {
    let mut net = Net::up();
    for flags in [
        "192.0.2.2 --mode loopback --segments 16012,16001,16011,16002 --return-segments 16013,16001 \
         --via s-b,10.0.3.2",
        "2001:db8::2 --mode loopback --segments 16012,16001,16011,16002 --return-segments 16013,16001 \
         --via s-b,fd00:1ab:0:3::2",
    ] {
        let form = Form {
            flags,
            segments: &["16012", "16001", "16011", "16002"],
            out: &["s>b", "b>s", "s>a", "a>r"],
            hops: 5,
            ..M5
        };
        form.is_measured(&mut net);
    }
}

/// M2: the address says nothing but "the node at the end of the labels", so it may be any of 127/8.
fn a_sweep_over_addresses_of_127_8_is_answered_by_the_node_that_is_meant() {
    let net = Net::up();
    // On Linux such an address may not come in by an interface otherwise.
    for setting in ["all", "a-r"] {
        net.host("r").set_sysctl(&format!("net.ipv4.conf.{setting}.route_localnet"), "1");
    }
    let _reflector = net.reflector(OPEN, &[]);
    let flags =
        "127.0.0.1 -S 192.0.2.1 --segments 16011,16002 --via s-a,10.0.1.2 --entropy-sweep 3";
    let finished = net.send(&format!(
        "{flags} --destination-node-address=192.0.2.2 -p {OPEN} -c 5 -i 5ms --json"
    ));
    finished.assert_code(0);
    let document = finished.json();
    let sessions = document["sessions"].as_array().expect("sessions");
    let told: Vec<_> =
        sessions.iter().map(|session| session["address"].as_str().expect("an address")).collect();
    assert_eq!(told, ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
    for session in sessions {
        let packets = &session["packets"];
        assert_eq!(packets["received"], packets["sent"], "{session}");
        assert_eq!(session["path"]["encapsulation"], "M2", "{session}");
    }
}
