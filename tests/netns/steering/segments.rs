//! SRv6: every form over this kernel's own SIDs.

use stamp_tests::netns::{Need, Trial, trials};

use super::form::Form;
use super::network::{Net, OPEN};
use crate::measure::session;

pub(super) fn trials() -> Vec<Trial> {
    trials![
        v1_is_measured: [Need::IPV6],
        v2_is_measured: [Need::IPV6],
        v3_is_measured: [Need::IPV6],
        v4_is_measured: [Need::IPV6],
        v7_is_measured: [Need::IPV6],
        v8_is_measured: [Need::IPV6],
        a_far_node_that_does_not_stamp_is_told_and_the_round_trip_measured: [Need::IPV6],
    ]
}

/// Over a, and by itself back over b.
const OUT: &[&str] = &["s>a", "a>r"];
const BACK: &[&str] = &["r>b", "b>s"];
/// Back over c, where segments say so.
const BACK_BY_SEGMENTS: &[&str] = &["r>c", "c>s"];

const A: &str = "fc00:bb:11:1::";
const R: &str = "fc00:bb:2:1::";
/// Takes the outer header off at r.
const R_DT6: &str = "fcbb:bb00:2:d6::";
const C: &str = "fc00:bb:13:1::";
const S_DT6: &str = "fc00:bb:1:d6::";

const PLAIN: Form =
    Form { id: "", flags: "", segments: &[], returns: &[], out: OUT, back: BACK, hops: 0 };

pub(super) const V1: Form = Form {
    id: "V1",
    flags: "2001:db8::2 --segments fc00:bb:11:1::,fcbb:bb00:2:d6:: --srv6 encap",
    segments: &[A, R_DT6],
    ..PLAIN
};

pub(super) const V1_REDUCED: Form =
    Form { flags: "2001:db8::2 --segments fc00:bb:11:1::,fcbb:bb00:2:d6:: --srv6 reduced", ..V1 };

pub(super) const V2: Form = Form {
    id: "V2",
    flags: "2001:db8::2 --segments fc00:bb:11:1::",
    segments: &[A],
    hops: 1,
    ..PLAIN
};

pub(super) const V3: Form = Form {
    id: "V3",
    flags: "2001:db8::2 --mode loopback --segments fc00:bb:11:1::,fcbb:bb00:2:d6:: --srv6 encap",
    segments: &[A, R_DT6],
    hops: 2,
    ..PLAIN
};

pub(super) const V3_REDUCED: Form = Form {
    flags: "2001:db8::2 --mode loopback --segments fc00:bb:11:1::,fcbb:bb00:2:d6:: --srv6 reduced",
    ..V3
};

pub(super) const V4: Form = Form {
    id: "V4",
    flags: "2001:db8::2 --mode loopback --segments fc00:bb:11:1::,fc00:bb:2:1::",
    segments: &[A, R],
    hops: 3,
    ..PLAIN
};

const V8: Form = Form {
    id: "V8",
    flags: "2001:db8::2 --mode loopback --segments fc00:bb:11:1::,fc00:bb:2:1:: \
            --return-binding-sid fc00:bb:2:b6::",
    segments: &[A, R],
    returns: &["fc00:bb:2:b6::"],
    back: BACK_BY_SEGMENTS,
    // On the way back the header around it counts them.
    hops: 1,
    ..PLAIN
};

pub(super) const V4_BACK: Form = Form {
    id: "V4",
    flags: "2001:db8::2 --mode loopback --segments fc00:bb:11:1::,fc00:bb:2:1:: \
            --return-segments fc00:bb:13:1::",
    segments: &[A, R],
    returns: &[C],
    back: BACK_BY_SEGMENTS,
    hops: 3,
    ..PLAIN
};

/// Around the probe all the way: this host takes it off itself.
pub(super) const V4_AROUND: Form = Form {
    id: "V4",
    flags: "2001:db8::2 --mode loopback --segments fc00:bb:11:1::,fc00:bb:2:1:: \
            --return-segments fc00:bb:13:1::,fc00:bb:1:d6:: --srv6 reduced",
    segments: &[A, R],
    returns: &[C, S_DT6],
    back: BACK_BY_SEGMENTS,
    ..PLAIN
};

pub(super) const V7: Form = Form {
    id: "V7",
    flags: "2001:db8::2 --segments fcbb:bb00:11:: --srv6 usid",
    segments: &["fcbb:bb00:11::"],
    hops: 1,
    ..PLAIN
};

pub(super) const V7_AROUND: Form = Form {
    id: "V7",
    flags: "2001:db8::2 --mode loopback --segments fcbb:bb00:11::,fcbb:bb00:2:d6:: --srv6 usid",
    segments: &["fcbb:bb00:11::", R_DT6],
    hops: 2,
    ..PLAIN
};

pub(super) const V7_BACK: Form = Form {
    id: "V7",
    flags: "2001:db8::2 --mode loopback --segments fcbb:bb00:11::,fcbb:bb00:2:: \
            --return-segments fcbb:bb00:13:: --srv6 usid",
    segments: &["fcbb:bb00:11::", "fcbb:bb00:2::"],
    returns: &["fcbb:bb00:13::"],
    back: BACK_BY_SEGMENTS,
    hops: 3,
    ..PLAIN
};

fn v1_is_measured() {
    two_way(&[V1, V1_REDUCED]);
}

fn v2_is_measured() {
    two_way(&[V2]);
}

fn v3_is_measured() {
    looped(&[V3, V3_REDUCED]);
}

fn v4_is_measured() {
    looped(&[V4, V4_BACK, V4_AROUND]);
}

/// r wraps the packet into its own way back over c; s takes the header off again.
fn v8_is_measured() {
    let mut net = Net::up();
    let way = [C, S_DT6].map(|sid| sid.parse().expect("an address"));
    net.host("r").add_binding_sid("fc00:bb:2:b6::/64", &way, "c-r");
    V8.is_measured(&mut net);
}

fn v7_is_measured() {
    looped(&[V7_AROUND, V7_BACK]);
    two_way(&[V7]);
}

fn two_way(forms: &[Form]) {
    let mut net = Net::up();
    let _far = net.reflector(OPEN, &[]);
    forms.iter().for_each(|form| form.is_measured(&mut net));
}

fn looped(forms: &[Form]) {
    let mut net = Net::up();
    forms.iter().for_each(|form| form.is_measured(&mut net));
}

fn a_far_node_that_does_not_stamp_is_told_and_the_round_trip_measured() {
    let flags = "2001:db8::2 --mode enhanced-loopback --segments fc00:bb:11:1::,fc00:bb:2:1:: \
                 --return-segments fc00:bb:13:1::";
    let around = "2001:db8::2 --mode enhanced-loopback --segments fc00:bb:11:1::,fcbb:bb00:2:d6:: \
                  --srv6 encap";
    let mut net = Net::up();
    for form in [Form { id: "V6", flags, ..V4_BACK }, Form { id: "V5", flags: around, ..V3 }] {
        form.is_measured(&mut net);
        let finished = net.send(&format!("{} -c 10 -i 5ms --json", form.flags));
        finished.assert_code(0);
        let session = session(&finished);
        let (stamping, packets) = (&session["stamping"], &session["packets"]);
        assert_eq!(stamping["last"], "missing", "{stamping}");
        assert_eq!(stamping["missing"], packets["received"], "{stamping}");
        assert_eq!(stamping["stamped"], 0, "{stamping}");
    }
}
