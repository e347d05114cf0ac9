//! What flags of reflected TLVs make of the answers, in every place (RFC 8972 §4).

use stamp_proto::tlv::class_of_service::{self, ClassOfServiceRequest};
use stamp_proto::tlv::hmac::{self, HMAC_TLV_OCTETS};
use stamp_proto::tlv::location::{self, Arrival};
use stamp_proto::tlv::timestamp_information::{self, TimestampInformation};
use stamp_proto::tlv::{TlvFlags, TlvType, TlvsMut};

use super::rig::*;
use crate::sender::*;

/// Questions of one probe.
const ASKED: usize = 5;
/// Place of the Location TLV.
const LOCATION: usize = 2;

fn asking(keyed: bool) -> SenderConfig {
    let mut config = config();
    let class_of_service = Some(ClassOfServiceRequest::default());
    config.requests = Requests {
        destination_node: Some("192.0.2.11".parse().unwrap()),
        return_path: Some(ReturnWish::SameLink),
        location: true,
        timestamp_information: true,
        class_of_service,
        ..Requests::default()
    }
    .into();
    config.tlv_keys = keyed.then(|| keys(b"sixteen octets.."));
    config.payload_octets = config.smallest_payload();
    config
}

/// The TLVs of a probe as a Session-Reflector answers them that does all of it.
fn answered(probe: &[u8]) -> Vec<u8> {
    let mut area = probe[44..].to_vec();
    let arrival = Arrival {
        destination_port: 862,
        source_port: 49_200,
        source_mac: None,
        destination: "192.0.2.11".parse().unwrap(),
        source: "192.0.2.1".parse().unwrap(),
    };
    for mut tlv in TlvsMut::new(&mut area).flatten() {
        tlv.set_flags(TlvFlags::NONE);
        match tlv.kind {
            TlvType::LOCATION => location::reflect(tlv.value, &arrival).unwrap(),
            TlvType::TIMESTAMP_INFORMATION => {
                timestamp_information::reflect(tlv.value, TimestampInformation::default()).unwrap();
            }
            TlvType::CLASS_OF_SERVICE => {
                class_of_service::reflect(tlv.value, Default::default()).unwrap();
            }
            _ => {}
        }
    }
    area
}

/// Where each TLV starts.
fn places(area: &mut [u8]) -> Vec<usize> {
    TlvsMut::new(area).flatten().map(|tlv| tlv.offset).collect()
}

/// Which of the answers count.
fn counted(answers: &Answers) -> [bool; ASKED] {
    [
        answers.destination_node == Granted::Granted,
        answers.return_path == Granted::Granted,
        answers.location.told().is_some(),
        answers.timestamp_information.told().is_some(),
        answers.class_of_service.told().is_some(),
    ]
}

/// What a reply is taken for whose TLVs were changed so.
fn judged(keyed: bool, change: impl FnOnce(&mut Vec<u8>)) -> (TlvOutcome, [bool; ASKED]) {
    let mut rig = Rig::new(asking(keyed));
    let probe = rig.send(0);
    let mut reply = Reply::to(&probe, 0);
    reply.area = answered(&probe);
    change(&mut reply.area);
    let sample = sample(rig.receive(&reply));
    assert_eq!(rig.sender.snapshot().packets.received, 1, "the base packet is good in any case");
    (sample.tlvs, counted(&sample.answers))
}

/// The same, the flags of some TLVs being these.
fn flagged(flags: &[(usize, u8)]) -> (TlvOutcome, [bool; ASKED]) {
    judged(false, |area| {
        let places = places(area);
        flags.iter().for_each(|(place, flags)| area[places[*place]] = *flags);
    })
}

/// All but those from a place on, or all but the one there.
fn but(place: usize, and_behind: bool) -> [bool; ASKED] {
    core::array::from_fn(|at| if and_behind { at < place } else { at != place })
}

#[test]
fn without_flags_every_answer_counts() {
    assert_eq!(flagged(&[]), (TlvOutcome::Supported, [true; ASKED]));
    let reserved: Vec<_> = (0..ASKED).map(|place| (place, 0x0f)).collect();
    assert_eq!(flagged(&reserved), (TlvOutcome::Supported, [true; ASKED]), "reserved flags");
}

/// RFC 8972 §4: a TLV with U is passed over, and no other.
#[test]
fn a_tlv_with_u_is_passed_over() {
    for place in 0..ASKED {
        let expected = (TlvOutcome::Unrecognized, but(place, false));
        assert_eq!(flagged(&[(place, 0x80)]), expected, "{place}");
        assert_eq!(flagged(&[(place, 0x90)]), expected, "{place}: known and ignored");
    }
}

/// RFC 8972 §4: at a TLV with M the Session-Sender stops.
#[test]
fn at_a_tlv_with_m_the_rest_is_left_alone() {
    for place in 0..ASKED {
        for flags in [0x40, 0x50, 0xc0, 0xd0] {
            let expected = (TlvOutcome::Malformed, but(place, true));
            assert_eq!(flagged(&[(place, flags)]), expected, "{place} {flags:#04x}");
        }
    }
}

/// RFC 8972 §4, §4.8: one with I and none of them counts, wherever it stands.
#[test]
fn one_tlv_with_i_spoils_all() {
    for place in 0..ASKED {
        for flags in (0..=u8::MAX).filter(|flags| flags & 0x20 != 0) {
            let expected = (TlvOutcome::IntegrityFailed, [false; ASKED]);
            assert_eq!(flagged(&[(place, flags)]), expected, "{place} {flags:#04x}");
        }
    }
}

/// RFC 10052 §3: with C nothing of what was asked for was had.
#[test]
fn a_tlv_with_c_is_no_answer() {
    for place in 0..ASKED {
        let expected = (TlvOutcome::Nonconformant, but(place, false));
        assert_eq!(flagged(&[(place, 0x10)]), expected, "{place}");
    }
}

/// RFC 8972 §4: I is looked at before M, and M before U, whichever stands first.
#[test]
fn flags_of_several_tlvs_have_their_precedence() {
    let [m, u] = [(1, 0x40), (0, 0x80)];
    let expected = [false, false, false, false, false];
    assert_eq!(flagged(&[u, m]), (TlvOutcome::Malformed, expected));
    assert_eq!(flagged(&[u, m, (4, 0x20)]), (TlvOutcome::IntegrityFailed, [false; ASKED]));
    let behind = flagged(&[(1, 0x40), (3, 0x80)]);
    assert_eq!(behind, (TlvOutcome::Malformed, [true, false, false, false, false]));
}

/// RFC 8972 §4.2.1: what cannot be read inside of an answer is no answer; others are.
#[test]
fn an_answer_with_a_broken_sub_tlv_does_not_count() {
    let broken = judged(false, |area| {
        let first_sub = places(area)[LOCATION] + 4 + 4;
        // One octet shorter: nothing behind it is where it was.
        area[first_sub + 3] -= 1;
    });
    assert_eq!(broken, (TlvOutcome::Supported, but(LOCATION, false)));
}

/// RFC 8972 §6: the Length is checked before a value is used; a TLV that changed its type or its size
/// is none of those that were sent.
#[test]
fn tlvs_that_are_not_those_that_were_sent_do_not_count() {
    let unlike = (TlvOutcome::Unsupported, [false; ASKED]);
    for place in 0..ASKED {
        let change = |header: usize, by: u8| {
            judged(false, |area| {
                let at = places(area)[place] + header;
                area[at] = area[at].wrapping_add(by);
            })
        };
        assert_eq!(change(1, 100), unlike, "{place}: another type");
        assert_eq!(change(3, 1), unlike, "{place}: longer");
        assert_eq!(change(3, 255), unlike, "{place}: shorter");
        assert_eq!(change(2, 0xff), unlike, "{place}: past the end of the reply");
    }
    let cut = judged(false, |area| area.truncate(area.len() - 1));
    assert_eq!(cut, (TlvOutcome::Missing, [false; ASKED]));
    let twice = judged(false, |area| {
        let second = places(area)[1];
        let first = area[..second].to_vec();
        area.splice(..0, first);
    });
    assert_eq!(twice, unlike, "the first one twice");
    let more = judged(false, |area| area.extend([0x40, 200, 0, 0]));
    assert_eq!(more, (TlvOutcome::Supported, [true; ASKED]), "what nobody asked for");
}

/// RFC 8972 §4.8: the HMAC TLV of a reply is made over its own number, and stands where it belongs.
#[test]
fn nothing_counts_that_no_hmac_tlv_vouches_for() {
    let secret = keys(b"sixteen octets..");
    let sign = |area: &mut Vec<u8>, sequence: u32| {
        let at = area.len() - HMAC_TLV_OCTETS;
        hmac::sign(secret.signing(), sequence, area, at).unwrap();
    };
    let good = judged(true, |area| sign(area, 0));
    assert_eq!(good, (TlvOutcome::Supported, [true; ASKED]));
    let unverified = (TlvOutcome::Unverified, [false; ASKED]);
    assert_eq!(judged(true, |area| sign(area, 1)), unverified, "the number of another reply");
    for place in 0..ASKED {
        let changed = judged(true, |area| {
            sign(area, 0);
            let at = places(area)[place];
            area[at] = 0x10;
        });
        assert_eq!(changed, unverified, "{place}: a flag set on the way");
    }
    let refused = judged(true, |area| {
        let places = places(area);
        places.iter().for_each(|at| area[*at] = 0x20);
    });
    assert_eq!(refused, (TlvOutcome::IntegrityFailed, [false; ASKED]), "said by the far end");
    let behind = judged(true, |area| {
        sign(area, 0);
        area.extend([0, 200, 0, 0]);
    });
    assert_eq!(behind, unverified, "another TLV behind it");
    let without = judged(true, |area| area.truncate(area.len() - HMAC_TLV_OCTETS));
    assert_eq!(without, (TlvOutcome::Missing, [false; ASKED]));
    let misplaced = judged(true, |area| {
        sign(area, 0);
        let hmac = area.split_off(area.len() - HMAC_TLV_OCTETS);
        area.splice(..0, hmac);
    });
    assert_eq!(misplaced, (TlvOutcome::Unsupported, [false; ASKED]), "in front of the others");
}
