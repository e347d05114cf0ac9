//! SRv6.

use std::net::IpAddr;

use stamp_proto::reader::Reader;
use stamp_proto::sr::header::Ipv6Header;
use stamp_proto::sr::protocol::EtherType;

use super::kit::*;
use crate::forwarding::*;

const PROBE: [u8; 44] = [0x11; 44];

fn header(octets: &[u8]) -> Ipv6Header {
    Ipv6Header::parse(&mut Reader::new(octets)).unwrap()
}

fn to(text: &str) -> NextHop {
    NextHop::Destination(IpAddr::V6(address(text)))
}

#[test]
fn segments_that_are_left_lead_on_as_at_any_endpoint() {
    let sent = host(&["fc00:bb:2:f::", "fc00:bb:1:1::"], &PROBE);
    let left = ipv6(&sent).unwrap();
    left.assert_stamped_at(16, &PROBE);
    assert_eq!(left.next_hop, to("fc00:bb:1:1::"));
    let after = header(&left.octets);
    assert_eq!((after.destination, after.hop_limit.0), (address("fc00:bb:1:1::"), 254));
    assert_eq!((sent[43], left.octets[43]), (1, 0));
    assert_eq!(left.octets.len(), sent.len());
}

#[test]
fn behind_the_last_segment_the_packet_inside_goes_on_alone() {
    for sent in [tunnel(&["fc00:bb:2:f::"], &PROBE), {
        let mut sent = tunnel(&["fc00:bb:1:1::", "fc00:bb:2:f::"], &PROBE);
        // As the node of the first segment leaves it.
        sent[24..40].copy_from_slice(&address("fc00:bb:2:f::").octets());
        sent[43] = 0;
        sent
    }] {
        let left = ipv6(&sent).unwrap();
        left.assert_stamped_at(16, &PROBE);
        assert_eq!(left.next_hop, to("2001:db8::1"));
        assert_eq!(header(&left.octets).hop_limit.0, 254);
        assert_eq!(left.octets.len(), 40 + 8 + 44);
    }
}

#[test]
fn a_container_is_shifted_by_the_whole_sid_and_its_list_is_left_alone() {
    let sent = tunnel(&["fcbb:bb00:2:f:1:d6::"], &PROBE);
    let left = ipv6(&sent).unwrap();
    left.assert_stamped_at(16, &PROBE);
    assert_eq!(left.next_hop, to("fcbb:bb00:1:d6::"));
    assert_eq!(header(&left.octets).hop_limit.0, 254);
    assert_eq!(left.octets.len(), sent.len());
    // Nothing behind it: as without the flavour.
    let left = ipv6(&tunnel(&["fcbb:bb00:2:f::"], &PROBE)).unwrap();
    assert_eq!(left.next_hop, to("2001:db8::1"));
}

#[test]
fn behind_a_container_without_a_list_a_checksum_stays_right_for_the_last_address() {
    let mut sent = host(&["fcbb:bb00:1::"], &PROBE);
    sent[24..40].copy_from_slice(&address("fcbb:bb00:2:f:1::").octets());
    let left = ipv6(&sent).unwrap();
    left.assert_stamped_at(16, &PROBE);
    assert_eq!(left.next_hop, to("fcbb:bb00:1::"));
}

#[test]
fn the_most_specific_sid_decides() {
    let mut config = config();
    config.timestamps.push(rule(Trigger::Sid(sid("fc00:bb:2::", 48)), 30));
    let mut node = Forwarder::new(config).unwrap();
    for (to, offset) in [("fc00:bb:2:f::", 16), ("fc00:bb:2:e::", 30)] {
        let sent = host(&[to, "2001:db8::1"], &PROBE);
        let left = handle(&mut node, &arrival(), EtherType::IPV6, &sent).unwrap();
        left.assert_stamped_at(offset, &PROBE);
    }
}

#[test]
fn what_is_to_no_sid_of_ours_is_not_ours() {
    assert_eq!(ipv6(&host(&["fc00:bb:3:f::", "2001:db8::1"], &PROBE)).unwrap_err(), None);
    assert_eq!(ipv6(&[]).unwrap_err(), None);
    let arp = handle(&mut node(), &arrival(), EtherType(0x0806), &[0; 28]);
    assert_eq!(arp.unwrap_err(), None);
}

#[test]
fn each_reason_to_drop_is_counted_under_its_own_name() {
    let sent = host(&["fc00:bb:2:f::", "fc00:bb:1:1::"], &PROBE);
    let mut last_hop = sent.clone();
    last_hop[7] = 1;
    let mut broken = sent.clone();
    broken[43] = 9;
    let mut ended = sent.clone();
    ended[43] = 0;
    let mut other_routing = sent.clone();
    other_routing[42] = 2;
    let mut inner_last = tunnel(&["fc00:bb:2:f::"], &PROBE);
    inner_last[40 + 24 + 7] = 1;
    for (packet, reason) in [
        (last_hop, DropReason::HopLimit),
        (inner_last, DropReason::HopLimit),
        (broken, DropReason::Malformed),
        (ended, DropReason::UpperLayer),
        (other_routing, DropReason::UpperLayer),
        (host(&["fc00:bb:2:f::"], &PROBE), DropReason::UpperLayer),
        (host(&["fc00:bb:2:f::", "ff02::1"], &PROBE), DropReason::Destination),
    ] {
        let mut node = node();
        let left = handle(&mut node, &arrival(), EtherType::IPV6, &packet);
        assert_eq!(left.unwrap_err(), Some(reason));
        assert_eq!(node.snapshot().dropped(reason), 1);
    }
    let elsewhere = Arrival { interface: 8, ..arrival() };
    let left = handle(&mut node(), &elsewhere, EtherType::IPV6, &sent);
    assert_eq!(left.unwrap_err(), Some(DropReason::Interface));
}

#[test]
fn what_is_no_test_packet_goes_on_unstamped() {
    let sent = host(&["fc00:bb:2:f::", "fc00:bb:1:1::"], &PROBE[..20]);
    let left = ipv6(&sent).unwrap();
    assert_eq!(left.handling, Handling::Unstamped(UnstampedReason::TooShort));
    assert_eq!(left.payload(), &PROBE[..20]);
    assert_eq!(left.next_hop, to("fc00:bb:1:1::"));
}

#[test]
fn a_sid_has_a_form() {
    use ForwardingConfigError as Error;
    let (text, bits) = (address("fcbb:bb00:2:f::"), 64);
    assert_eq!(SidForm::new(text, 0), Err(Error::SidBits { sid: text, bits: 0 }));
    assert_eq!(SidForm::new(text, 129), Err(Error::SidBits { sid: text, bits: 129 }));
    assert_eq!(SidForm::new(text, 48), Err(Error::SidTail { sid: text, bits: 48 }));
    let form = SidForm::new(text, bits).unwrap();
    assert!(form.holds(address("fcbb:bb00:2:f:1::")) && !form.holds(address("fcbb:bb00:2:e::")));
    for (block, csid_bits) in [(64, 16), (32, 0), (32, 24), (48, 32), (65, 16)] {
        let refused = Err(Error::CsidWidth { sid: text, bits, csid_bits });
        assert_eq!(form.with_next_csid(block, csid_bits), refused);
    }
    let container = form.with_next_csid(32, 16).unwrap();
    assert_eq!((form.shift_bits(), container.shift_bits()), (None, Some((32, 32))));
    assert!(form.with_next_csid(32, 32).is_ok());
}
