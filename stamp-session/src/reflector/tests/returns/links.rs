//! Replies that keep to a link: link-local addresses and members of a LAG; and what cannot be asked for
//! together (RFC 9503 §4).

use stamp_proto::tlv::micro_session_id::MemberLinkId;

use super::*;

const LINK_LOCAL: &str = "[fe80::1]:49200";

/// A Return Path TLV with these sub-TLVs, whatever they say together.
fn path(subs: &[(u8, &[u8])]) -> Vec<u8> {
    let value: Vec<u8> = subs
        .iter()
        .flat_map(|(kind, value)| [&[0x80, *kind, 0, value.len() as u8][..], value].concat())
        .collect();
    [&[0x80, 10, 0, value.len() as u8][..], &value].concat()
}

/// Interface 2 is member 4 of a LAG.
fn bonded(prefixes: &[&str]) -> ReflectorConfig {
    let id = MemberLinkId::new(4).unwrap();
    ReflectorConfig { member_links: vec![MemberLink { interface: 2, id }], ..able(prefixes) }
}

fn micro(sender: u8, reflector: u8) -> Vec<u8> {
    vec![0x80, 11, 0, 4, 0, sender, 0, reflector]
}

#[test]
fn a_reply_to_a_link_local_address_leaves_on_the_link_of_its_probe() {
    let found = fate(able(&[]), &v6(&[]).from(LINK_LOCAL).with(&node("2001:db8:2::2")));
    assert_eq!((found.flags, found.interface), (0, 2));
    assert_eq!(found.to, LINK_LOCAL.parse().unwrap());
    assert_eq!((found.same_link, found.way), (false, None), "the address says it already");
}

#[test]
fn a_link_local_return_address_is_one_of_that_link_where_it_is_allowed() {
    let asked = v6(&tlv(&ReturnPathRequest::Address(ip("fe80::9"))));
    let found = fate(able(&["fe80::/10"]), &asked);
    assert_eq!((found.flags, found.interface), (0, 2));
    assert_eq!(found.to, "[fe80::9]:49200".parse().unwrap());
    assert!(is_refused(able(&["2001:db8::/32"]), &asked));
    let own = v6(&tlv(&ReturnPathRequest::Address(ip("fe80::1")))).from(LINK_LOCAL);
    let found = fate(able(&[]), &own);
    assert_eq!((found.flags, found.interface, found.to), (0, 2, own.from), "the source");
}

#[test]
fn no_segment_is_link_local() {
    assert!(is_refused(able(&["::/0"]), &v6(&sids(&["fe80::9"], None))));
}

#[test]
fn a_reply_on_a_lag_leaves_by_the_member_of_its_probe() {
    let found = fate(bonded(&[]), &v4(&micro(7, 0)));
    assert_eq!((found.flags, found.interface, found.same_link), (0, 2, true));
    let both = [control(1), micro(7, 4)].concat();
    let found = fate(bonded(&[]), &v4(&both));
    assert_eq!((found.flags, found.interface, found.same_link), (0, 2, true));
    // The segments are a way of their own.
    let both = [sids(&["2001:db8:5::1"], None), micro(7, 4)].concat();
    let found = fate(bonded(&["2001:db8::/32"]), &v6(&both));
    assert!(found.way.is_some() && !found.same_link);
}

#[test]
fn a_probe_for_another_member_is_discarded_and_counted() {
    let mut reflector = reflector(stateful(bonded(&[])));
    let mut out = [0; 2_000];
    for (sequence, ways) in [(0, vec![]), (1, control(0))] {
        let probe = Probe::number(sequence).with(&[ways, micro(7, 5)].concat());
        let verdict = reflector.handle_probe(at_ms(0), probe.received(), &mut out);
        assert!(matches!(verdict, Verdict::Drop(DropReason::WrongMember)), "{verdict:?}");
    }
    let counted = reflector.snapshot();
    assert_eq!((counted.drops(DropReason::WrongMember), counted.answered), (2, 0));
    assert_eq!(counted.drops(DropReason::NoReply), 0);
    // Numbers are those of replies that were sent.
    let probe = Probe::number(2).with(&micro(7, 4));
    assert_eq!(number(answer(&mut reflector, &probe)), Ok(0));
}

#[test]
fn where_there_is_no_member_a_micro_session_is_unknown_and_answered() {
    let mut elsewhere = v4(&micro(7, 5));
    elsewhere.interface = 3;
    assert!(is_refused(bonded(&[]), &elsewhere));
    assert!(is_refused(able(&[]), &v4(&micro(7, 5))));
}

#[test]
fn a_control_code_wins_over_what_stands_beside_it() {
    let address: &[u8] = &[198, 51, 100, 7];
    for subs in [[(1, &[0, 0, 0, 1][..]), (2, address)], [(2, address), (1, &[0, 0, 0, 1])]] {
        let found = fate(able(&["198.51.100.0/24"]), &v4(&path(&subs)));
        assert_eq!((found.flags, found.same_link, found.to), (0, true, v4(&[]).from));
    }
    let mut reflector = reflector(able(&["198.51.100.0/24"]));
    let silent = v4(&path(&[(1, &[0; 4]), (2, address)]));
    let mut out = [0; 2_000];
    let verdict = reflector.handle_probe(at_ms(0), silent.received(), &mut out);
    assert!(matches!(verdict, Verdict::Observe(_)), "{verdict:?}");
}

#[test]
fn of_two_segment_lists_the_first_is_the_way() {
    let (first, second) = (ip_octets("2001:db8:5::1"), ip_octets("2001:db8:5::2"));
    let both = path(&[(4, &first), (4, &second)]);
    let found = fate(able(&["2001:db8::/32"]), &v6(&both));
    assert_eq!((found.flags, found.way), (0, Some((DataPlane::Srv6, first.to_vec()))));
}

#[test]
fn a_family_that_the_reply_has_not_is_refused() {
    let v6_path = path(&[(2, &ip_octets("2001:db8::9"))]);
    assert!(is_refused(able(&["::/0", "0.0.0.0/0"]), &v4(&v6_path)));
    assert!(is_refused(able(&["::/0", "0.0.0.0/0"]), &v6(&path(&[(2, &[198, 51, 100, 7])]))));
    assert!(is_refused(able(&["::/0", "0.0.0.0/0"]), &v4(&sids(&["2001:db8:5::1"], None))));
}

#[test]
fn of_two_nodes_that_are_named_the_first_of_ours_replies() {
    let both = [node("192.0.2.12"), node("192.0.2.11")].concat();
    let found = fate(able(&[]), &v4(&both));
    assert_eq!((found.flags, found.from), (0, Some(ip("192.0.2.12"))));
    let second = [node("192.0.2.99"), node("192.0.2.12")].concat();
    let found = fate(able(&[]), &v4(&second));
    assert_eq!((found.flags, found.from), (0x80, Some(ip("192.0.2.12"))));
}

#[test]
fn the_node_that_does_not_reply_says_so_though_it_is_ours_as_well() {
    let both = [node("192.0.2.12"), node("192.0.2.11"), node("192.0.2.12")].concat();
    let mut reflector = reflector(able(&[]));
    let mut out = [0; 200];
    let probe = v4(&both);
    let verdict = reflector.handle_probe(at_ms(0), probe.received(), &mut out);
    let Verdict::Reply(reply) = verdict else { panic!("{verdict:?}") };
    let area = reply.seal(T3).octets[44..].to_vec();
    assert_eq!([area[0], area[8], area[16]], [0, 0x80, 0]);
}

fn ip_octets(text: &str) -> [u8; 16] {
    let IpAddr::V6(address) = ip(text) else { panic!("{text}") };
    address.octets()
}
