use std::net::Ipv4Addr;
use std::string::ToString;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::auth::{KeyId, KeyRing};
use crate::sr::csid::{NextCsid, ReplaceCsid};
use crate::sr::header::UdpChecksum;
use crate::sr::layers::{Layer, Layers, Outermost, find_udp};
use crate::sr::mpls::{EntropyLabel, ExtendedLabel};
use crate::sr::protocol::{EtherType, Protocol};
use crate::sr::srh::{SrhIntegrity, verify};

const S4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const V4: AddressPair = AddressPair::V4 { source: S4, destination: S4 };
const FULL: SrhForm = SrhForm::Full;
const REDUCED: SrhForm = SrhForm::Reduced;

fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn to(destination: &str) -> Flow {
    let (source, destination) = (address("2001:db8:0:1::1"), address(destination));
    Flow::new(AddressPair::V6 { source, destination }, 49_200, 49_300)
}

fn path(texts: &[&str]) -> Srv6Path {
    let segments = texts.iter().map(|text| Sid(address(text))).collect();
    SegmentList::new(segments).unwrap().into()
}

fn host(path: &Srv6Path, form: SrhForm) -> Encapsulation<'_> {
    Encapsulation::HostSrh { path, form, extras: SrhExtras::default() }
}

fn tunnel(path: &Srv6Path, form: SrhForm) -> Encapsulation<'_> {
    let source = address("2001:db8:0:1::1");
    Encapsulation::Srv6Tunnel { source, path, form, extras: SrhExtras::default() }
}

fn stack(labels: &[u32]) -> LabelStack {
    LabelStack::from_labels(labels.iter().map(|value| Label::new(*value).unwrap())).unwrap()
}

fn compose(wish: Encapsulation<'_>, flow: &Flow) -> Result<Template, EncapsulationError> {
    wish.compose(flow, Limits::default())
}

fn packet(template: &Template, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0xee; template.header_octets() + payload.len()];
    template.emit(payload, &mut out).unwrap().to_vec()
}

fn outermost(template: &Template) -> Outermost {
    match template.ether_type() {
        EtherType::MPLS => Outermost::Mpls,
        _ => Outermost::Ip,
    }
}

/// The packet is read again without an error, ends in this payload, and every checksum is right.
fn assert_sound(template: &Template, payload: &[u8]) {
    let octets = packet(template, payload);
    assert_eq!(octets.len(), template.header_octets() + payload.len());
    let mut found = None;
    for layer in Layers::new(outermost(template), &octets) {
        match layer.unwrap().1 {
            Layer::Ipv4 { checksum_right, .. } => assert!(checksum_right),
            Layer::Udp { datagram, .. } => {
                assert_eq!(datagram.checksum(template.addresses()), UdpChecksum::Right);
                found = Some(datagram.payload.to_vec());
            }
            _ => {}
        }
    }
    assert_eq!(found.as_deref(), Some(payload));
}

#[test]
fn every_form_knows_what_it_costs() {
    let three = path(&["fc00:1::", "fc00:2::", "fc00:3::"]);
    let one = path(&["fc00:3::"]);
    let labels = stack(&[16_005, 16_011]);
    let tsl: Vec<Label> = labels
        .entries()
        .iter()
        .map(|entry| entry.label)
        .chain(ExtendedLabel::FIRST_EXPERIMENTAL.composite())
        .collect();
    let tsl = LabelStack::from_labels(tsl).unwrap();
    let swept = tsl.with_entropy(1, EntropyLabel::new(100_000).unwrap()).unwrap();
    let flow = to("fc00:3::");
    for (wish, overhead) in [
        (Encapsulation::Plain, 0),
        (Encapsulation::Mpls(&labels), 8),
        (Encapsulation::Mpls(&tsl), 16),
        (Encapsulation::Mpls(&swept), 24),
        (host(&three, FULL), 8 + 16 * 3),
        (host(&three, REDUCED), 8 + 16 * 2),
        (host(&one, FULL), 8 + 16),
        (host(&one, REDUCED), 0),
        (tunnel(&three, FULL), 48 + 16 * 3),
        (tunnel(&three, REDUCED), 48 + 16 * 2),
        (tunnel(&one, REDUCED), 40),
    ] {
        let template = compose(wish, &flow).unwrap();
        assert_eq!(template.overhead(), overhead, "{wish:?}");
        assert_eq!(template.header_octets(), overhead + 48);
        assert_sound(&template, &[0xa5; 44]);
        assert_sound(&template, &[]);
    }
}

#[test]
fn the_payload_that_fits_is_what_the_headers_leave() {
    let three = path(&["fc00:1::", "fc00:2::", "fc00:3::"]);
    let template = compose(tunnel(&three, FULL), &to("fc00:9::")).unwrap();
    assert_eq!(template.largest_payload(1500), Some(1356));
    assert_eq!(template.largest_payload(144), Some(0));
    assert_eq!(template.largest_payload(143), None);
    assert_eq!(template.largest_payload(1_000_000), Some(65_535 - 104));
}

#[test]
fn a_payload_that_no_length_field_states_is_refused() {
    let labels = stack(&[16]);
    let v4 = Flow::new(V4, 1, 2);
    let three = path(&["fc00:1::", "fc00:2::", "fc00:3::"]);
    for (wish, flow, largest) in [
        (Encapsulation::Plain, v4, 65_535 - 28),
        (Encapsulation::Mpls(&labels), v4, 65_535 - 28),
        (Encapsulation::Plain, to("fc00:9::"), 65_535 - 8),
        (host(&three, FULL), to("fc00:3::"), 65_535 - 64),
        (tunnel(&three, FULL), v4, 65_535 - 56 - 28),
    ] {
        let template = compose(wish, &flow).unwrap();
        assert_sound(&template, &vec![0x5a; largest]);
        let octets = largest + 1;
        let refusal = EncapsulationError::PayloadTooLong { octets, largest };
        let mut out = vec![0; 70_000];
        assert_eq!(template.emit(&vec![0; octets], &mut out), Err(refusal), "{wish:?}");
    }
}

#[test]
fn a_template_needs_room_for_its_headers() {
    let template = compose(Encapsulation::Plain, &to("fc00:9::")).unwrap();
    let field = "headers";
    let refusal = ParseError::Truncated { field, needed: 48, available: 47 };
    assert_eq!(template.emit(&[], &mut [0; 47]), Err(refusal.into()));
    assert_eq!(template.fill(&mut [0; 47]), Err(refusal.into()));
    assert!(template.emit(&[0; 2], &mut [0; 49]).is_err());
    assert!(template.fill(&mut [0; 48]).is_ok());
}

#[test]
fn what_a_node_cannot_impose_is_refused() {
    let labels = stack(&[16, 17, 18]);
    let limits = |count| Limits { labels: Some(count), segments: Some(count) };
    let refusal = StackError::TooDeep { labels: 3, limit: 2 };
    let wish = Encapsulation::Mpls(&labels);
    assert_eq!(wish.compose(&to("fc00::3"), limits(2)).err(), Some(refusal.into()));
    assert!(wish.compose(&to("fc00::3"), limits(3)).is_ok());

    let three = path(&["fc00:1::", "fc00:2::", "fc00:3::"]);
    let flow = to("fc00:3::");
    let refusal = |segments, limit| Some(EncapsulationError::TooManySegments { segments, limit });
    assert_eq!(host(&three, FULL).compose(&flow, limits(2)).err(), refusal(3, 2));
    assert_eq!(tunnel(&three, REDUCED).compose(&flow, limits(1)).err(), refusal(2, 1));
    assert!(host(&three, REDUCED).compose(&flow, limits(2)).is_ok());
    // Without a header there is no limit to it.
    assert!(tunnel(&path(&["fc00:1::"]), REDUCED).compose(&flow, limits(0)).is_ok());

    let many = SegmentList::new(vec![Sid(address("fc00::1")); 128]).unwrap().into();
    let refusal = EncapsulationError::Srh(SrhError::TooLong { octets: 2056 });
    assert_eq!(compose(tunnel(&many, FULL), &flow).err(), Some(refusal));
    assert_sound(&compose(tunnel(&many, REDUCED), &flow).unwrap(), &[1; 44]);
}

#[test]
fn addresses_that_cannot_be_are_refused() {
    let one = path(&["fc00:3::"]);
    let v4 = Flow::new(V4, 1, 2);
    let refusal = EncapsulationError::NotIpv6 { source_address: IpAddr::V4(S4) };
    assert_eq!(compose(host(&one, FULL), &v4).err(), Some(refusal));
    let (stated, reached) = (address("fc00:4::"), address("fc00:3::"));
    let refusal = EncapsulationError::Destination { stated, reached };
    assert_eq!(compose(host(&one, FULL), &to("fc00:4::")).err(), Some(refusal));
    for destination in [IpAddr::from([127, 0, 0, 9]), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        let source = match destination {
            IpAddr::V4(_) => IpAddr::V4(S4),
            IpAddr::V6(_) => IpAddr::V6(address("fc00::1")),
        };
        let pair = AddressPair::new(source, destination).unwrap();
        let flow = Flow::new(pair, 1, 2);
        let refusal = EncapsulationError::LoopbackDestination { destination };
        assert_eq!(compose(Encapsulation::Plain, &flow).err(), Some(refusal));
        // Inside of a tunnel they name its end.
        assert!(compose(Encapsulation::Mpls(&stack(&[16])), &flow).is_ok());
        assert!(compose(tunnel(&one, FULL), &flow).is_ok());
    }
    let bare = path(&["fc00:3::", "::1"]);
    let destination = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let refusal = EncapsulationError::LoopbackDestination { destination };
    assert_eq!(compose(host(&bare, FULL), &to("::1")).err(), Some(refusal));
}

#[test]
fn an_explicit_null_announces_what_follows() {
    for (label, good, bad) in
        [(0, Flow::new(V4, 1, 2), to("fc00::1")), (2, to("fc00::1"), Flow::new(V4, 1, 2))]
    {
        let labels = stack(&[16, label]);
        assert_sound(&compose(Encapsulation::Mpls(&labels), &good).unwrap(), &[3; 44]);
        let label = Label::new(label).unwrap();
        let refusal = EncapsulationError::ExplicitNull { label };
        assert_eq!(compose(Encapsulation::Mpls(&labels), &bad).err(), Some(refusal));
    }
}

#[test]
fn the_outermost_header_decides_where_it_goes_first() {
    let labels = stack(&[16_005, 16_011]);
    let two = path(&["fc00:1::", "fc00:3::"]);
    let flow = to("fc00:3::");
    let v6 = |text| FirstHop::Address(IpAddr::V6(address(text)));
    for (wish, ether_type, first_hop) in [
        (Encapsulation::Plain, EtherType::IPV6, v6("fc00:3::")),
        (
            Encapsulation::Mpls(&labels),
            EtherType::MPLS,
            FirstHop::Label(Label::new(16_005).unwrap()),
        ),
        (host(&two, FULL), EtherType::IPV6, v6("fc00:1::")),
        (tunnel(&two, REDUCED), EtherType::IPV6, v6("fc00:1::")),
    ] {
        let template = compose(wish, &flow).unwrap();
        assert_eq!((template.ether_type(), template.first_hop()), (ether_type, first_hop));
    }
}

#[test]
fn compressed_segments_are_summed_for_the_last_of_them() {
    let block = NextCsid::new(address("fcbb:bb00::"), 32, 16).unwrap();
    let sids: Vec<Sid> =
        (1..=8).map(|node| Sid(Ipv6Addr::new(0xfcbb, 0xbb00, node, 0, 0, 0, 0, 0))).collect();
    let list = SegmentList::new(sids).unwrap();
    let carried = Srv6Path::from(block.compress(&list).unwrap());
    assert_eq!((carried.entries().len(), carried.ultimate()), (2, address("fcbb:bb00:8::")));
    for form in [FULL, REDUCED] {
        assert_sound(&compose(host(&carried, form), &to("fcbb:bb00:8::")).unwrap(), &[9; 44]);
        assert_sound(&compose(tunnel(&carried, form), &to("fc00::9")).unwrap(), &[9; 44]);
    }
    // The sender's own address is in no block.
    let back = carried.then(address("2001:db8:0:1::1")).unwrap();
    let template = compose(host(&back, REDUCED), &to("2001:db8:0:1::1")).unwrap();
    assert_eq!(template.overhead(), 8 + 32);
    assert_sound(&template, &[9; 44]);

    let block = ReplaceCsid::new(address("2001:db8::"), 48, 32).unwrap();
    let sids: Vec<Sid> =
        (1..=7).map(|n| Sid(Ipv6Addr::new(0x2001, 0xdb8, 0, n, n, 0, 0, 0))).collect();
    let packed = |count: usize| {
        let list = SegmentList::new(sids[..count].to_vec()).unwrap();
        Srv6Path::from(block.compress(&list).unwrap())
    };
    let own = address("2001:db8:0:1::1");
    let refusal = EncapsulationError::NoContinuation { address: own };
    assert_eq!(packed(5).then(own), Err(refusal));
    assert_eq!(packed(6).then(own).map(|path| path.ultimate()), Ok(own));
    let packed = packed(7);
    let template = compose(host(&packed, REDUCED), &to("2001:db8:0:7:7::2")).unwrap();
    assert_eq!(template.overhead(), 40);
    assert_sound(&template, &[9; 44]);
}

#[test]
fn a_header_says_what_it_is_told_and_is_signed() {
    let key = Key::new(KeyId(5), b"0123456789abcdef").unwrap();
    let ring = KeyRing::new(vec![key.clone()]).unwrap();
    let two = path(&["fc00:1::", "fc00:3::"]);
    let extras = SrhExtras { flags: SrhFlags::OAM, tag: 0x0102, key: Some(&key) };
    let wish = Encapsulation::HostSrh { path: &two, form: REDUCED, extras };
    let template = compose(wish, &to("fc00:3::")).unwrap();
    assert_eq!(template.overhead(), 8 + 16 + 40);
    assert_sound(&template, &[4; 44]);
    let octets = packet(&template, &[4; 44]);
    let srh = Layers::new(Outermost::Ip, &octets)
        .find_map(|layer| match layer {
            Ok((40, Layer::Srh(srh))) => Some(srh),
            _ => None,
        })
        .unwrap();
    assert_eq!((srh.flags.is_oam(), srh.tag, srh.next_header), (true, 0x0102, Protocol::UDP));
    let source = address("2001:db8:0:1::1");
    let verified = verify(&srh, source, address("fc00:1::"), &ring);
    assert_eq!(verified, SrhIntegrity::Verified(KeyId(5)));
}

#[test]
fn every_header_carries_what_the_flow_says() {
    let two = path(&["fc00:1::", "fc00:3::"]);
    let flow = Flow {
        dscp: Dscp::new(46).unwrap(),
        ecn: Ecn::Ect0,
        hop_limit: HopLimit(64),
        flow_label: FlowLabel::new(0x1_2345).unwrap(),
        ..to("fc00:9::")
    };
    let template = compose(tunnel(&two, FULL), &flow).unwrap();
    let octets = packet(&template, &[4; 44]);
    let headers: Vec<_> = Layers::new(Outermost::Ip, &octets)
        .filter_map(|layer| match layer.unwrap().1 {
            Layer::Ipv6(header) => Some(header),
            _ => None,
        })
        .collect();
    assert_eq!(headers.len(), 2);
    for header in headers {
        assert_eq!((header.dscp, header.ecn), (flow.dscp, flow.ecn));
        assert_eq!((header.hop_limit, header.flow_label), (flow.hop_limit, flow.flow_label));
    }
    let flow = Flow { addresses: V4, identification: 0x1234, ..flow };
    let octets = packet(&compose(tunnel(&two, FULL), &flow).unwrap(), &[4; 44]);
    let place = find_udp(Outermost::Ip, &octets).unwrap();
    assert_eq!((place.header.source_port, place.header.destination_port), (49_200, 49_300));
    let Some(Ok((_, Layer::Ipv4 { header, .. }))) = Layers::new(Outermost::Ip, &octets).nth(2)
    else {
        panic!("no inner IPv4 header")
    };
    assert_eq!((header.identification, header.dont_fragment), (0x1234, true));
    assert_eq!((header.ttl, header.dscp), (flow.hop_limit, flow.dscp));
}

#[test]
fn messages_say_what_cannot_be() {
    let (stated, reached) = (address("fc00:4::"), address("fc00:3::"));
    for (error, message) in [
        (
            EncapsulationError::Destination { stated, reached },
            "the packet is for fc00:4::, but its segments end at fc00:3::",
        ),
        (
            EncapsulationError::TooManySegments { segments: 9, limit: 8 },
            "9 segments are more than the 8 that a Segment Routing Header may hold here",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
}

proptest! {
    #[test]
    fn every_packet_is_read_as_it_was_asked_for(
        values in prop::collection::vec(any::<u128>(), 1..6),
        form in prop_oneof![Just(FULL), Just(REDUCED)],
        inner in any::<bool>(),
        payload in crate::strategies::octets(200),
    ) {
        let segments: Vec<Sid> =
            values.iter().map(|bits| Sid(Ipv6Addr::from_bits(bits | 1 << 127))).collect();
        let last = segments[segments.len() - 1].0;
        let path = Srv6Path::from(SegmentList::new(segments).unwrap());
        let wish = if inner { tunnel(&path, form) } else { host(&path, form) };
        let template = compose(wish, &to(&last.to_string())).unwrap();
        assert_sound(&template, &payload);
    }

    #[test]
    fn every_stack_is_put_in_front_of_either_version(
        values in prop::collection::vec(16_u32..0x10_0000, 1..20),
        v6 in any::<bool>(),
        payload in crate::strategies::octets(200),
    ) {
        let labels = stack(&values);
        let flow = if v6 { to("fc00::1") } else { Flow::new(V4, 7, 9) };
        assert_sound(&compose(Encapsulation::Mpls(&labels), &flow).unwrap(), &payload);
    }
}
