//! The timestamp-and-forward node: any packet, through a node with every kind of label and SID.

use stamp_proto::ip::HopLimit;
use stamp_proto::sr::layers::{Outermost, find_udp};
use stamp_proto::sr::mpls::{ExtendedLabel, Label};
use stamp_proto::sr::protocol::EtherType;
use stamp_proto::time::{PtpUtcOffset, Stamp, StampSource, TimestampFormat, WallTime};

use crate::clock::MonotonicTime;
use crate::forwarding::{
    Action, AdjacencyId, Arrival, Forwarder, ForwardingConfig, Handling, LabelRule, Place, SidForm,
    TimestampRule, Trigger, Verdict,
};

const INTERFACE: u32 = 1;

/// Octets are circumstances in one octet, then a packet.
pub fn check(octets: &[u8]) {
    let Some((circumstances, packet)) = octets.split_first() else { return };
    let bit = |bit: u8| circumstances & (1 << bit) != 0;
    let arrival = Arrival {
        interface: if bit(0) { INTERFACE + 1 } else { INTERFACE },
        stamp: Stamp {
            time: WallTime::from_unix_ns(1_709_210_096_790_246_912),
            source: StampSource::Kernel,
        },
        now: MonotonicTime::from_ns(1),
        checksum_ready: !bit(1),
        truncated: bit(2),
    };
    let ether_type = if bit(3) { EtherType::IPV6 } else { EtherType::MPLS };
    check_packet(&mut node(), &arrival, ether_type, packet);
}

/// What must hold: one count for each packet, room for it as told, no more of the payload changed
/// than the eight octets of T2, and fewer hops left.
pub(crate) fn check_packet(
    node: &mut Forwarder,
    arrival: &Arrival,
    ether_type: EtherType,
    packet: &[u8],
) {
    let forward = match node.handle_packet(arrival, ether_type, packet) {
        Verdict::Forward(forward) => forward,
        Verdict::Drop(reason) => {
            assert_eq!(node.snapshot().dropped(reason), 1);
            return;
        }
        Verdict::NotOurs => return,
    };
    assert!(!arrival.truncated, "what was cut must not go on");
    let mut out = vec![0xee; forward.octets()];
    assert_eq!(forward.emit(&mut out), Ok(out.len()));
    let short = out.len() - 1;
    assert!(forward.emit(&mut vec![0; short]).is_err());
    let fate = forward.fate();
    let leaving = forward.ether_type();
    let before = find_udp(outermost(ether_type), packet);
    let after = find_udp(outermost(leaving), &out);
    // A stack that ends where it left may hide what was below; a walk that worked works again.
    if let (Ok(before), Ok(after)) = (&before, &after) {
        let (sent, left) = (before.payload(packet), after.payload(&out));
        let changed = sent.iter().zip(left).filter(|(one, other)| one != other).count();
        assert_eq!(sent.len(), left.len());
        let most = if fate.handling == Handling::Stamped { 8 } else { 0 };
        assert!(changed <= most, "{changed} octets changed, {:?}", fate.handling);
    }
    if fate.handling == Handling::Stamped {
        assert!(after.is_ok(), "stamped where no datagram is");
    }
    assert!(hops(leaving, &out) > HopLimit(0), "it leaves to be dropped");
    node.handle_sent(fate);
    let counters = node.snapshot();
    let counted = counters.rules.iter().map(|rule| rule.stamped + rule.unstamped).sum::<u64>();
    assert_eq!(counted + counters.switched, 1);
}

fn hops(ether_type: EtherType, out: &[u8]) -> HopLimit {
    HopLimit(match ether_type {
        EtherType::MPLS => out[3],
        EtherType::IPV4 => out[8],
        _ => out[7],
    })
}

fn outermost(ether_type: EtherType) -> Outermost {
    if ether_type == EtherType::MPLS { Outermost::Mpls } else { Outermost::Ip }
}

fn node() -> Forwarder {
    let label = |value| Label::new(value).expect("20 bits");
    let sid =
        |text: &str, bits| SidForm::new(text.parse().expect("an address"), bits).expect("a prefix");
    let shifting = sid("fcbb:bb00:2:f::", 64).with_next_csid(32, 16).expect("whole SIDs");
    let extended = ExtendedLabel::new(240).expect("an extended label");
    let rule = |trigger, offset| TimestampRule {
        trigger,
        interfaces: vec![INTERFACE],
        place: Place { offset, format: TimestampFormat::Ptp, ptp_utc_offset: PtpUtcOffset::UTC },
        ports: Vec::new(),
        rate_limit: None,
    };
    let timestamps = vec![
        rule(Trigger::Extended(extended), 16),
        rule(Trigger::Label(label(15_001)), 33),
        rule(Trigger::Sid(sid("2001:db8:b:f16::", 64)), 16),
        rule(Trigger::Sid(shifting), 16),
    ];
    let labels = [
        (16_011, Action::PopHere),
        (16_004, Action::Pop(AdjacencyId(0))),
        (16_005, Action::Replace(vec![label(17_005)], AdjacencyId(1))),
        (20_000, Action::Replace(vec![label(16_004), label(16_001)], AdjacencyId(2))),
    ];
    let labels = labels.map(|(value, action)| LabelRule {
        label: label(value),
        interfaces: vec![INTERFACE],
        action,
    });
    let config = ForwardingConfig { timestamps, labels: labels.into() };
    Forwarder::new(config).expect("it does not contradict itself")
}
