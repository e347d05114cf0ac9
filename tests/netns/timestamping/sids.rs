//! SRv6: V5, V6 and V7 as they reach the node.

use std::net::{IpAddr, Ipv6Addr};

use stamp_proto::packet::AuthenticationMode;
use stamp_proto::reader::Reader;
use stamp_proto::sr::encapsulation::{Encapsulation, SrhExtras, Srv6Path};
use stamp_proto::sr::header::Ipv6Header;
use stamp_proto::sr::segment::{SegmentList, Sid};
use stamp_proto::sr::srh::SrhForm;
use stamp_proto::time::TimestampFormat;
use stamp_tests::netns::{Need, Trial, trials};

use super::{EVERYTHING, Stage, compose, flow, open_probe, probe};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        the_packet_inside_returns_alone_behind_the_last_segment: [Need::IPV6],
        segments_that_are_left_lead_back: [Need::IPV6],
        a_container_is_shifted_once_it_is_stamped: [Need::IPV6],
        an_authenticated_probe_has_a_sid_of_its_own: [Need::IPV6],
        a_sid_of_another_interface_leads_nowhere: [Need::IPV6],
    ]
}

const IPV6: u16 = 0x86dd;

fn address(text: &str) -> Ipv6Addr {
    text.parse().expect("an address")
}

fn path(sids: &[&str]) -> Srv6Path {
    let sids = sids.iter().map(|text| Sid(address(text))).collect();
    SegmentList::new(sids).expect("not empty").into()
}

pub(super) fn tunnel(stage: &Stage, sids: &[&str], payload: &[u8]) -> Vec<u8> {
    let near = stage.net.near.ipv6();
    let (form, extras) = (SrhForm::Reduced, SrhExtras::default());
    let wish = Encapsulation::Srv6Tunnel { source: near, path: &path(sids), form, extras };
    compose(wish, &flow(near.into(), near.into()), payload)
}

pub(super) fn host(stage: &Stage, sids: &[&str], payload: &[u8]) -> Vec<u8> {
    let near = IpAddr::from(stage.net.near.ipv6());
    let last = IpAddr::from(address(sids.last().expect("not empty")));
    let (form, extras) = (SrhForm::Full, SrhExtras::default());
    let wish = Encapsulation::HostSrh { path: &path(sids), form, extras };
    compose(wish, &flow(near, last), payload)
}

fn header(octets: &[u8]) -> Ipv6Header {
    Ipv6Header::parse(&mut Reader::new(octets)).expect("IPv6")
}

fn the_packet_inside_returns_alone_behind_the_last_segment() {
    let mut stage = Stage::new(EVERYTHING);
    let sent = open_probe();
    let packet = tunnel(&stage, &["fc00:bb:2:f::"], &sent);
    let returned = stage.round_trip(IPV6, &packet);
    returned.assert_stamped(16, TimestampFormat::Ptp, &sent);
    let near = stage.net.near.ipv6();
    let inner = header(&returned.seen.octets);
    assert_eq!((inner.source, inner.destination, inner.hop_limit.0), (near, near, 254));
    assert!(stage.unexpected().is_empty(), "no twin and no ICMP");
    assert!(stage.stop().stderr.contains("SID fc00:bb:2:f::/64: 1 with T2, 0 without"));
}

fn segments_that_are_left_lead_back() {
    let mut stage = Stage::new(EVERYTHING);
    let sent = open_probe();
    let packet = host(&stage, &["fc00:bb:2:f::", "fc00:bb:1:1::"], &sent);
    let returned = stage.round_trip(IPV6, &packet);
    returned.assert_stamped(16, TimestampFormat::Ptp, &sent);
    let outer = header(&returned.seen.octets);
    assert_eq!((outer.destination, outer.hop_limit.0), (address("fc00:bb:1:1::"), 254));
    assert_eq!(returned.seen.octets[43], 0, "Segments Left");
    assert!(stage.unexpected().is_empty(), "no twin and no ICMP");
}

fn a_container_is_shifted_once_it_is_stamped() {
    let mut stage = Stage::new(EVERYTHING);
    let sent = open_probe();
    let packet = tunnel(&stage, &["fcbb:bb00:2:f:1:d6::"], &sent);
    let returned = stage.round_trip(IPV6, &packet);
    returned.assert_stamped(16, TimestampFormat::Ptp, &sent);
    assert_eq!(header(&returned.seen.octets).destination, address("fcbb:bb00:1:d6::"));
    // The last of its container is an End.TSF SID like any other.
    let packet = tunnel(&stage, &["fcbb:bb00:2:f::"], &sent);
    let returned = stage.round_trip(IPV6, &packet);
    returned.assert_stamped(16, TimestampFormat::Ptp, &sent);
    assert_eq!(header(&returned.seen.octets).destination, stage.net.near.ipv6());
    assert!(stage.unexpected().is_empty(), "no twin and no ICMP");
}

fn an_authenticated_probe_has_a_sid_of_its_own() {
    let mut stage = Stage::new(EVERYTHING);
    let sent = probe(AuthenticationMode::Authenticated);
    let packet = host(&stage, &["fc00:bb:2:e::", "fc00:bb:1:1::"], &sent);
    stage.round_trip(IPV6, &packet).assert_stamped(32, TimestampFormat::Ptp, &sent);
    assert!(stage.unexpected().is_empty());
}

fn a_sid_of_another_interface_leads_nowhere() {
    let mut stage = Stage::new(EVERYTHING);
    let elsewhere = host(&stage, &["fc00:bb:2:1::", "fc00:bb:1:1::"], &open_probe());
    stage.send(IPV6, &elsewhere);
    // A good one behind it tells that the first was seen.
    let good = host(&stage, &["fc00:bb:2:f::", "fc00:bb:1:1::"], &open_probe());
    stage.send(IPV6, &good);
    stage.near.wait_for(|seen| !seen.outgoing && seen.is_probe());
    let unexpected = stage.unexpected();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    let told = stage.stop().stderr;
    assert!(told.contains("  not forwarded            1  interface: "), "{told}");
}
