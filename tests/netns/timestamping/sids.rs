//! SRv6: V5, V6 and V7 as they reach the node. Each trial runs in every shell; `tc.rs` has those of
//! the program at the ingress.

pub(super) mod in_shell;

use std::net::{IpAddr, Ipv6Addr};

use stamp_proto::reader::Reader;
use stamp_proto::sr::encapsulation::{Encapsulation, SrhExtras, Srv6Path};
use stamp_proto::sr::header::Ipv6Header;
use stamp_proto::sr::segment::{SegmentList, Sid};
use stamp_proto::sr::srh::SrhForm;
use stamp_tests::netns::{Need, Trial, trials};

use super::{Stage, compose, flow};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        the_packet_inside_returns_alone_behind_the_last_segment: [Need::IPV6],
        segments_that_are_left_lead_back: [Need::IPV6],
        a_container_is_shifted_once_it_is_stamped: [Need::IPV6],
        an_authenticated_probe_has_a_sid_of_its_own: [Need::IPV6],
        a_sid_of_another_interface_leads_nowhere: [Need::IPV6],
        an_ipv4_packet_inside_returns_too: [Need::IPV6],
        what_is_no_test_packet_passes_and_what_must_not_pass_is_dropped: [Need::IPV6],
        a_checksum_that_a_sender_left_to_its_card_is_right_in_the_end: [Need::IPV6],
        a_rate_limit_holds: [Need::IPV6],
        what_is_too_big_for_the_next_link_is_dropped: [Need::IPV6],
    ]
}

fn the_packet_inside_returns_alone_behind_the_last_segment() {
    in_shell::the_packet_inside_returns_alone_behind_the_last_segment("packet");
}

fn segments_that_are_left_lead_back() {
    in_shell::segments_that_are_left_lead_back("packet");
}

fn a_container_is_shifted_once_it_is_stamped() {
    in_shell::a_container_is_shifted_once_it_is_stamped("packet");
}

fn an_authenticated_probe_has_a_sid_of_its_own() {
    in_shell::an_authenticated_probe_has_a_sid_of_its_own("packet");
}

fn a_sid_of_another_interface_leads_nowhere() {
    in_shell::a_sid_of_another_interface_leads_nowhere("packet");
}

fn an_ipv4_packet_inside_returns_too() {
    in_shell::an_ipv4_packet_inside_returns_too("packet");
}

fn what_is_no_test_packet_passes_and_what_must_not_pass_is_dropped() {
    in_shell::what_is_no_test_packet_passes_and_what_must_not_pass_is_dropped("packet");
}

fn a_checksum_that_a_sender_left_to_its_card_is_right_in_the_end() {
    in_shell::a_checksum_that_a_sender_left_to_its_card_is_right_in_the_end("packet");
}

fn what_is_too_big_for_the_next_link_is_dropped() {
    in_shell::what_is_too_big_for_the_next_link_is_dropped("packet");
}

fn a_rate_limit_holds() {
    in_shell::a_rate_limit_holds("packet");
}

const IPV6: u16 = 0x86dd;

/// Every kind of SID. `near` is 192.0.2.1 and 2001:db8::1, `far` 198.51.100.2.
const SIDS: &str = r#"
listen = ["127.0.0.1:8620"]
workers = 1
timestamp-shell = "SHELL"
[[timestamp]]
sid = "fc00:bb:2:f::/64"
interfaces = ["eth0"]
[[timestamp]]
sid = "fc00:bb:2:e::/64"
authenticated = true
interfaces = ["eth0"]
[[timestamp]]
sid = "fcbb:bb00:2:f::/64"
next-csid = "32/16"
interfaces = ["eth0"]
[[timestamp]]
sid = "fc00:bb:2:a::/64"
offset = 19
format = "ntp"
ports = [49300]
interfaces = ["eth0"]
[[timestamp]]
sid = "fc00:bb:2:c::/64"
rate-limit = 1
interfaces = ["eth0"]
[[timestamp]]
sid = "fc00:bb:2:1::/64"
interfaces = ["eth1"]
"#;

/// The node with every SID in a shell.
#[track_caller]
pub(super) fn stage(shell: &str) -> Stage {
    Stage::new(&configuration(shell))
}

fn configuration(shell: &str) -> String {
    SIDS.replace("SHELL", shell)
}

fn address(text: &str) -> Ipv6Addr {
    text.parse().expect("an address")
}

pub(super) fn path(sids: &[&str]) -> Srv6Path {
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
