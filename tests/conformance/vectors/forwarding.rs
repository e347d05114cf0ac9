//! What the timestamp-and-forward node makes of a probe: groups D and E once more, by the node.

use std::net::IpAddr;

use stamp_proto::sr::mpls::ExtendedLabel;
use stamp_proto::sr::protocol::EtherType;
use stamp_proto::time::{PtpUtcOffset, Stamp, StampSource};
use stamp_session::clock::MonotonicTime;
use stamp_session::forwarding::{
    Arrival, Forwarder, ForwardingConfig, NextHop, Place, SidForm, TimestampRule, Trigger, Verdict,
};

use super::{PROBE_RECEIVED, PTP, Vectors};

/// R1 of the vectors: labels 240 and 241, and the SID 2001:db8:b:f16::.
fn node() -> Forwarder {
    let extended = |value| Trigger::Extended(ExtendedLabel::new(value).expect("it is one"));
    let sid = SidForm::new("2001:db8:b:f16::".parse().expect("an address"), 64);
    let rule = |trigger, offset| TimestampRule {
        trigger,
        interfaces: vec![1],
        place: Place { offset, format: PTP, ptp_utc_offset: PtpUtcOffset::UTC },
        ports: Vec::new(),
        rate_limit: None,
    };
    let timestamps = vec![
        rule(extended(240), Place::UNAUTHENTICATED),
        rule(extended(241), Place::AUTHENTICATED),
        rule(Trigger::Sid(sid.expect("a prefix")), Place::UNAUTHENTICATED),
    ];
    let config = ForwardingConfig { timestamps, labels: Vec::new() };
    Forwarder::new(config).expect("it does not contradict itself")
}

fn leaves(ether_type: EtherType, packet: &[u8]) -> (Vec<u8>, NextHop) {
    let arrival = Arrival {
        interface: 1,
        stamp: Stamp { time: PROBE_RECEIVED, source: StampSource::Kernel },
        now: MonotonicTime::from_ns(0),
        checksum_ready: true,
        truncated: false,
    };
    let mut node = node();
    let Verdict::Forward(forward) = node.handle_packet(&arrival, ether_type, packet) else {
        panic!("it does not go on")
    };
    let mut out = vec![0; forward.octets()];
    forward.emit(&mut out).expect("there is room");
    (out, forward.next_hop())
}

#[test]
fn a_labelled_probe_leaves_as_its_vector() {
    let vectors = Vectors::load();
    let (left, next_hop) = leaves(EtherType::MPLS, vectors.octets("D6"));
    assert_eq!(left, vectors.octets("D7"));
    assert_eq!(next_hop, NextHop::Destination(IpAddr::from([192, 0, 2, 1])));
    let (left, _) = leaves(EtherType::MPLS, &vectors.octets("D8")[8..]);
    assert_eq!(&left[28..], vectors.octets("D9"));
}

#[test]
fn a_tunnelled_probe_leaves_as_its_vector() {
    let vectors = Vectors::load();
    let mut arrives = vectors.octets("E4").to_vec();
    // As node 5 leaves it.
    arrives[7] -= 1;
    arrives[43] -= 1;
    arrives[24..40]
        .copy_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 0xb, 0xf, 0x16, 0, 0, 0, 0, 0, 0, 0, 0]);
    let (left, _) = leaves(EtherType::IPV6, &arrives);
    assert_eq!(left, vectors.octets("E5"));
}

#[test]
fn a_probe_of_a_host_leaves_on_its_way_to_its_vector() {
    let vectors = Vectors::load();
    let mut arrives = vectors.octets("E6").to_vec();
    arrives[7] -= 1;
    arrives[43] -= 1;
    let second = arrives[80..96].to_vec();
    arrives[24..40].copy_from_slice(&second);
    let (mut left, _) = leaves(EtherType::IPV6, &arrives);
    // What node 5 does on the way back.
    left[7] -= 1;
    left[43] -= 1;
    let last = left[48..64].to_vec();
    left[24..40].copy_from_slice(&last);
    assert_eq!(left, vectors.octets("E7"));
}
