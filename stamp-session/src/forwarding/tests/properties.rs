//! What holds for any packet.

use proptest::prelude::*;
use stamp_proto::sr::layers::find_udp;
use stamp_proto::sr::protocol::EtherType;

use super::kit::*;
use crate::forwarding::*;

fn packets() -> impl Strategy<Value = (EtherType, Vec<u8>)> {
    let payload = prop::collection::vec(any::<u8>(), 0..200);
    let stacks: &[&[u32]] = &[
        &[15, 240],
        &[15, 241, 16_004, 16_001],
        &[15_001, 16_005],
        &[16_011, 15, 240, 20_000],
        &[16_011, 7, 99_999, 15, 240],
    ];
    let mpls = (prop::sample::select(stacks), any::<bool>(), payload.clone()).prop_map(
        |(labels, is_v6, payload)| {
            let flow = if is_v6 { v6() } else { v4() };
            (EtherType::MPLS, labelled(labels, &flow, &payload))
        },
    );
    let lists: &[&[&str]] = &[
        &["fc00:bb:2:f::", "fc00:bb:1:1::"],
        &["fc00:bb:2:f::", "fc00:bb:3:1::", "2001:db8::1"],
        &["fcbb:bb00:2:f::", "2001:db8::1"],
    ];
    let srv6 = (prop::sample::select(lists), payload.clone())
        .prop_map(|(sids, payload)| (EtherType::IPV6, host(sids, &payload)));
    let tunnels: &[&[&str]] = &[&["fc00:bb:2:f::"], &["fcbb:bb00:2:f:1:d6::"]];
    let tunnelled = (prop::sample::select(tunnels), payload)
        .prop_map(|(sids, payload)| (EtherType::IPV6, tunnel(sids, &payload)));
    prop_oneof![mpls, srv6, tunnelled]
}

proptest! {
    #[test]
    fn a_payload_differs_in_eight_octets_at_most_and_its_checksum_stays_right(
        (ether_type, packet) in packets(),
    ) {
        let left = handle(&mut node(), &arrival(), ether_type, &packet).unwrap();
        let before = find_udp(outermost(ether_type), &packet).unwrap();
        let sent = &packet[before.payload.clone()];
        prop_assert_eq!(left.checksum(), stamp_proto::sr::header::UdpChecksum::Right);
        match left.handling {
            Handling::Stamped => {
                let at = sent.iter().zip(left.payload()).position(|(one, other)| one != other);
                let offset = [16, 32, 20].into_iter().find(|offset| {
                    left.payload().get(*offset..*offset + 8) == Some(&PTP[..])
                        && at.is_none_or(|at| (*offset..*offset + 8).contains(&at))
                });
                left.assert_stamped_at(offset.expect("no place holds the stamp"), sent);
            }
            Handling::Unstamped(reason) => {
                prop_assert_eq!(reason, UnstampedReason::TooShort);
                prop_assert_eq!(left.payload(), sent);
            }
            Handling::Switched => prop_assert!(false, "every one of these asks for a stamp"),
        }
    }

    #[test]
    fn a_flipped_octet_never_breaks_the_node(
        (ether_type, mut packet) in packets(),
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
        cut in any::<prop::sample::Index>(),
        ready in any::<bool>(),
    ) {
        let index = at.index(packet.len());
        packet[index] = value;
        if value.is_multiple_of(3) {
            packet.truncate(cut.index(packet.len()));
        }
        crate::fuzzing::check_forwarding(
            &mut node(),
            &Arrival { checksum_ready: ready, ..arrival() },
            ether_type,
            &packet,
        );
    }
}
