//! RFC 9503: where a reply leaves from, where it goes, and which way.

mod links;

use std::net::{IpAddr, SocketAddr};

use stamp_proto::sr::mpls::{Label, LabelStack};
use stamp_proto::sr::segment::{SegmentList, Sid};
use stamp_proto::tlv::destination_node_address::DestinationNodeAddress;
use stamp_proto::tlv::return_path::{ControlCode, ReturnPathRequest};
use stamp_proto::writer::Writer;

use super::kit::*;
use crate::reflector::*;

const SOURCE: &str = "[2001:db8:1::1]:49200";
const OWN: &str = "[2001:db8:2::1]:862";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn prefix(text: &str) -> Prefix {
    let (address, length) = text.split_once('/').unwrap();
    Prefix::new(ip(address), length.parse().unwrap()).unwrap()
}

/// A host with two addresses of each family that can put segments before a reply.
fn able(prefixes: &[&str]) -> ReflectorConfig {
    let mut config = config();
    config.own_addresses =
        ["192.0.2.11", "192.0.2.12", "2001:db8:2::1", "2001:db8:2::2", "127.0.0.1"].map(ip).into();
    config.own_listeners = vec!["192.0.2.11:862".parse().unwrap()];
    config.means = ReplyMeans { most_sids: 3, most_labels: 3 };
    if !prefixes.is_empty() {
        let prefixes = prefixes.iter().map(|text| prefix(text)).collect();
        config.return_path = ReturnPathPolicy::Prefixes(prefixes);
    }
    config
}

fn tlv(request: &ReturnPathRequest<'_>) -> Vec<u8> {
    let mut octets = [0; 200];
    let mut writer = Writer::new(&mut octets);
    request.emit_request(&mut writer).unwrap();
    writer.written().to_vec()
}

fn node(address: &str) -> Vec<u8> {
    let mut octets = [0; 20];
    let mut writer = Writer::new(&mut octets);
    DestinationNodeAddress(ip(address)).emit_request(&mut writer).unwrap();
    writer.written().to_vec()
}

fn control(code: u32) -> Vec<u8> {
    tlv(&ReturnPathRequest::Control(ControlCode(code)))
}

fn sids(list: &[&str], address: Option<&str>) -> Vec<u8> {
    let sids = list.iter().map(|sid| Sid(sid.parse().unwrap())).collect();
    let segments = &SegmentList::new(sids).unwrap();
    tlv(&ReturnPathRequest::Srv6 { segments, address: address.map(ip) })
}

fn labels(list: &[u32], address: Option<&str>) -> Vec<u8> {
    let stack = &stack(list);
    tlv(&ReturnPathRequest::Mpls { stack, address: address.map(ip) })
}

fn stack(list: &[u32]) -> LabelStack {
    LabelStack::from_labels(list.iter().map(|label| Label::new(*label).unwrap())).unwrap()
}

/// What becomes of a reply: flags of its first TLV, addresses, interface and way.
#[derive(Debug, PartialEq)]
struct Fate {
    flags: u8,
    from: Option<IpAddr>,
    to: SocketAddr,
    interface: u32,
    way: Option<(DataPlane, Vec<u8>)>,
    same_link: bool,
}

fn fate(config: ReflectorConfig, probe: &Probe) -> Fate {
    let mut out = [0xEE; 2_000];
    let mut reflector = reflector(config);
    let base = if probe.octets.len() >= 112 && probe.octets[4..8] == [0; 4] { 112 } else { 44 };
    let verdict = reflector.handle_probe(at_ms(0), probe.received(), &mut out);
    let Verdict::Reply(reply) = verdict else { panic!("{verdict:?}") };
    let reply = reply.seal(T3);
    assert_eq!(reply.octets.len(), probe.octets.len());
    Fate {
        flags: reply.octets[base],
        from: reply.from,
        to: reply.to,
        interface: reply.interface,
        same_link: reply.way == ReplyWay::SameLink,
        way: match &reply.way {
            ReplyWay::Segments(segments) => Some((segments.plane(), segments.octets().to_vec())),
            _ => None,
        },
    }
}

fn v4(tlvs: &[u8]) -> Probe {
    Probe::number(0).with(tlvs)
}

fn v6(tlvs: &[u8]) -> Probe {
    v4(tlvs).from(SOURCE).to(OWN)
}

/// The reply goes back the usual way, with the flag U.
fn is_refused(config: ReflectorConfig, probe: &Probe) -> bool {
    fate(config, probe)
        == Fate {
            flags: 0x80,
            from: Some(probe.to.ip()),
            to: probe.from,
            interface: 0,
            way: None,
            same_link: false,
        }
}

#[test]
fn a_reply_leaves_from_the_address_that_the_probe_names() {
    let found = fate(able(&[]), &v4(&node("192.0.2.12")));
    assert_eq!((found.flags, found.from), (0, Some(ip("192.0.2.12"))));
    // The destination was a loopback address, inside of a tunnel.
    let found = fate(able(&[]), &v4(&node("192.0.2.12")).to("127.0.0.5:862"));
    assert_eq!((found.flags, found.from), (0, Some(ip("192.0.2.12"))));
}

#[test]
fn a_node_that_is_not_meant_says_so_and_replies_as_usual() {
    for address in ["192.0.2.99", "2001:db8:2::1", "127.0.0.1", "0.0.0.0"] {
        assert!(is_refused(able(&[]), &v4(&node(address))), "{address}");
    }
}

#[test]
fn a_probe_that_wants_no_reply_gets_none_and_tells_what_it_saw() {
    let mut reflector = reflector(stateful(able(&[])));
    let mut out = [0; 2_000];
    let probe = v4(&control(0));
    let Verdict::Observe(seen) = reflector.handle_probe(at_ms(0), probe.received(), &mut out)
    else {
        panic!("a reply")
    };
    assert_eq!((seen.sequence, seen.ssid.0, seen.from, seen.to), (0, 0x1234, probe.from, probe.to));
    assert_eq!(seen.forward_delay(), Some(T2.since(T1)));
    let counted = reflector.snapshot();
    assert_eq!((counted.drops(DropReason::NoReply), counted.answered), (1, 0));
    let known: Vec<_> = reflector.one_way().map(|view| (view.ssid.0, view.received)).collect();
    assert_eq!(known, [(0x1234, 1)]);
    // Numbers are those of replies that were sent.
    assert_eq!(number(answer(&mut reflector, &Probe::number(1))), Ok(0));
}

#[test]
fn a_reply_on_the_same_link_leaves_there() {
    let found = fate(able(&[]), &v4(&control(1)));
    assert_eq!((found.flags, found.interface, found.same_link), (0, 2, true));
    assert_eq!(found.to, v4(&[]).from);
    let mut nowhere = v4(&control(1));
    nowhere.interface = 0;
    assert!(is_refused(able(&[]), &nowhere), "which link it was is not known");
}

#[test]
fn only_addresses_that_the_operator_named_get_replies_of_others() {
    let asked = |address: &str| v4(&tlv(&ReturnPathRequest::Address(ip(address))));
    let found = fate(able(&["198.51.100.0/24"]), &asked("198.51.100.7"));
    assert_eq!((found.flags, found.to), (0, "198.51.100.7:49200".parse().unwrap()));
    let found = fate(able(&[]), &asked("192.0.2.1"));
    assert_eq!((found.flags, found.to), (0, "192.0.2.1:49200".parse().unwrap()), "the source");
    assert!(is_refused(able(&[]), &asked("198.51.100.7")));
    for address in ["198.51.101.7", "203.0.113.1", "2001:db8::1", "255.255.255.255", "127.0.0.1"] {
        assert!(is_refused(able(&["198.51.100.0/24"]), &asked(address)), "{address}");
    }
    for address in ["224.0.0.5", "0.0.0.0", "255.255.255.255", "127.0.0.1"] {
        assert!(is_refused(able(&["0.0.0.0/0"]), &asked(address)), "{address}");
    }
}

#[test]
fn no_reply_goes_to_the_port_of_a_reflector_elsewhere() {
    let asked = v4(&tlv(&ReturnPathRequest::Address(ip("198.51.100.7")))).from("192.0.2.1:862");
    assert!(is_refused(able(&["0.0.0.0/0"]), &asked));
    assert_eq!(fate(able(&["0.0.0.0/0"]), &v4(&control(1)).from("192.0.2.1:862")).flags, 0);
}

#[test]
fn where_there_are_keys_only_a_signed_wish_leads_elsewhere() {
    let mut config = able(&["198.51.100.0/24"]);
    config.keys = Some(keys(&[(1, &k1())]));
    let wish = tlv(&ReturnPathRequest::Address(ip("198.51.100.7")));
    assert!(is_refused(config.clone(), &v4(&wish)));
    let mut signed = vec![0; wish.len() + 20];
    let mut writer = Writer::new(&mut signed);
    writer.put_slice("TLV", &wish).unwrap();
    stamp_proto::tlv::hmac::append(config.keys.as_ref().unwrap().signing(), 0, &mut writer)
        .unwrap();
    let found = fate(config, &v4(&signed));
    assert_eq!((found.flags, found.to), (0, "198.51.100.7:49200".parse().unwrap()));
}

#[test]
fn a_reply_takes_exactly_the_sids_asked_for() {
    let list = ["fc00:bb:1::", "fc00:bb:2::"];
    let octets: Vec<u8> =
        list.iter().flat_map(|sid| sid.parse::<std::net::Ipv6Addr>().unwrap().octets()).collect();
    let config = || able(&["fc00:bb::/32"]);
    let found = fate(config(), &v6(&sids(&list, None)));
    assert_eq!((found.flags, found.to), (0, SOURCE.parse().unwrap()));
    assert_eq!(found.way, Some((DataPlane::Srv6, octets.clone())));
    // A list that ends at the destination names it once.
    let ending = [list[0], list[1], "2001:db8:1::1"];
    assert_eq!(fate(config(), &v6(&sids(&ending, None))).way, Some((DataPlane::Srv6, octets)));
    let straight = fate(able(&[]), &v6(&sids(&["2001:db8:1::1"], None)));
    assert_eq!((straight.flags, straight.way), (0, None));
}

#[test]
fn sids_that_may_not_or_cannot_be_passed_are_refused() {
    let four = ["fc00:bb:1::", "fc00:bb:2::", "fc00:bb:3::", "fc00:bb:4::"];
    for (probe, why) in [
        (v6(&sids(&four, None)), "more than the host can write"),
        (v6(&sids(&["fc00:bb:1::", "2001:db8:9::1"], None)), "one of somebody else"),
        (v6(&sids(&["ff02::1"], None)), "a group"),
        (v6(&sids(&["fc00:bb:1::"], Some("2001:db8:9::1"))), "an end of somebody else"),
        (v4(&sids(&["fc00:bb:1::"], None)), "before an IPv4 packet"),
    ] {
        assert!(is_refused(able(&["fc00:bb::/32"]), &probe), "{why}");
    }
    assert!(is_refused(able(&[]), &v6(&sids(&four[..1], None))), "only to the source");
    let mut unable = able(&["fc00:bb::/32"]);
    unable.means = ReplyMeans::default();
    assert!(is_refused(unable, &v6(&sids(&four[..1], None))));
}

#[test]
fn a_reply_takes_exactly_the_labels_asked_for() {
    let found = fate(able(&["192.0.2.0/24"]), &v4(&labels(&[16_004, 16_001], None)));
    let stack = hex("03e84 0ff 03e81 1ff");
    assert_eq!((found.flags, found.way), (0, Some((DataPlane::Mpls, stack))));
    let elsewhere = fate(able(&["198.51.100.0/24"]), &v4(&labels(&[16_004], Some("198.51.100.7"))));
    assert_eq!((elsewhere.flags, elsewhere.to), (0, "198.51.100.7:49200".parse().unwrap()));
    for refused in [labels(&[16_001, 16_002, 16_003, 16_004], None), labels(&[16_004], None)] {
        assert!(is_refused(able(&["198.51.100.0/24"]), &v4(&refused)));
    }
    assert!(is_refused(able(&[]), &v4(&labels(&[16_004], None))));
    assert!(is_refused(able(&["192.0.2.0/24"]), &v4(&labels(&[16_004, 2], None))), "for IPv6");
}

#[test]
fn the_first_return_path_counts_even_if_it_is_refused() {
    let elsewhere = tlv(&ReturnPathRequest::Address(ip("198.51.100.7")));
    let found = fate(able(&[]), &v4(&[elsewhere, control(1)].concat()));
    assert!(!found.same_link);
    let both = v4(&[control(1), control(0)].concat());
    assert!(fate(able(&[]), &both).same_link);
}

#[test]
fn a_malformed_return_path_has_no_effect() {
    for value in
        ["80010003 000000", "80020003 000000", "80030000", "80040004 00000000", "80010004 00"]
    {
        let value = hex(value);
        let length = u8::try_from(value.len()).unwrap();
        let found = fate(able(&["::/0"]), &v4(&[&[0x80, 10, 0, length][..], &value].concat()));
        assert_eq!((found.flags, found.interface, found.way), (0x40, 0, None), "{value:02x?}");
    }
}

#[test]
fn nothing_has_an_effect_whose_hmac_fails() {
    let mut config = able(&["0.0.0.0/0"]);
    config.keys = Some(keys(&[(1, &k1())]));
    let forged = [control(0), vec![0x80, 8, 0, 16], vec![0; 16]].concat();
    assert_eq!(fate(config, &v4(&forged)).flags, 0x20, "it was answered, with I");
}

#[test]
fn replies_to_a_prefix_take_its_way_unless_the_probe_says_otherwise() {
    let list = || {
        let sids = vec![Sid("fc00:bb:1::".parse().unwrap())];
        ReturnList::srv6(&SegmentList::new(sids).unwrap())
    };
    let mut config = able(&[]);
    let mut policy = SourcePolicy::configured(OPEN);
    policy.return_segments = Some(list());
    config.allow = vec![AllowRule { prefix: prefix("2001:db8:1::/48"), policy }];
    let way = |probe: &Probe| fate(config.clone(), probe).way.map(|(plane, _)| plane);
    assert_eq!(way(&v6(&node("2001:db8:2::1"))), Some(DataPlane::Srv6));
    assert_eq!(way(&v6(&control(1))), None);
    assert_eq!(way(&v6(&tlv(&ReturnPathRequest::Address(ip("2001:db8:1::1"))))), None);
    assert_eq!(way(&v4(&node("192.0.2.11"))), None, "of another prefix");

    config.means = ReplyMeans::default();
    let refused = ReflectorConfigError::ReturnSegments {
        prefix: prefix("2001:db8:1::/48"),
        segments: 1,
        most: 0,
    };
    assert_eq!(config.check(), Err(refused));
    config.allow[0].prefix = prefix("192.0.2.0/24");
    let refused = ReflectorConfigError::SidsNeedIpv6 { prefix: prefix("192.0.2.0/24") };
    assert_eq!(config.check(), Err(refused));
}

#[test]
fn a_new_policy_holds_from_the_next_probe_on() {
    let mut reflector = reflector(able(&["198.51.100.0/24"]));
    let probe = v4(&tlv(&ReturnPathRequest::Address(ip("198.51.100.7"))));
    assert_eq!(answer(&mut reflector, &probe).map(|reply| reply[44]), Ok(0));
    reflector.replace_config(able(&[])).unwrap();
    assert_eq!(answer(&mut reflector, &probe).map(|reply| reply[44]), Ok(0x80));
}
