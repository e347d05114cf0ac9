//! Segment Routing Headers.

use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv6Addr;

use crate::auth::{Key, KeyId, KeyRing};
use crate::reader::Reader;
use crate::sr::segment::{SegmentList, Sid};
use crate::sr::srh::{
    LARGEST_SRH_OCTETS, Srh, SrhForm, SrhIntegrity, SrhLayout, SrhTlv, sign, verify,
};
use crate::writer::Writer;

/// Octets as a header; what was read is written again, and signed.
pub fn header(octets: &[u8]) {
    let Ok(srh) = Srh::parse(&mut Reader::new(octets)) else { return };
    let length = srh.encoded_octets();
    let mut emitted = [0; LARGEST_SRH_OCTETS];
    let mut writer = Writer::new(&mut emitted);
    srh.emit(&mut writer).expect("what was parsed can be emitted");
    // Octets 6 and 7 and all others are fields: nothing is lost.
    assert_eq!(writer.written(), &octets[..length]);
    assert_eq!(srh.list().len(), usize::from(srh.last_entry) + 1);
    assert_eq!(srh.list().next(), Some(srh.last_segment()));
    assert_eq!(srh.current().is_none(), srh.segments_left > srh.last_entry);
    check_tlvs(&srh, &octets[..length]);
    check_hmac(&octets[..length], &srh);
    check_rebuilt(&srh);
}

/// Each TLV is written as it stood at its offset.
fn check_tlvs(srh: &Srh<'_>, octets: &[u8]) {
    let mut tlvs = srh.tlvs();
    loop {
        let offset = tlvs.offset();
        match tlvs.next() {
            None => return assert_eq!(offset, octets.len()),
            Some(Err(_)) => return assert!(tlvs.next().is_none() && offset < octets.len()),
            Some(Ok(tlv)) => {
                let mut emitted = [0; 257];
                let mut writer = Writer::new(&mut emitted);
                tlv.emit(&mut writer).expect("what was parsed can be emitted");
                assert_eq!(writer.written(), &octets[offset..tlvs.offset()]);
            }
        }
    }
}

/// A header that can be signed verifies then, and nothing else of it has changed.
fn check_hmac(octets: &[u8], srh: &Srh<'_>) {
    let first = srh.tlvs().find_map(|tlv| match tlv {
        Ok(tlv @ SrhTlv::Hmac { key_id, .. }) => Some((key_id, tlv.skips_destination())),
        _ => None,
    });
    let (key_id, skips_destination) = first.unwrap_or_default();
    let key = Key::new(KeyId(key_id), b"a secret of some length").expect("a secret");
    let ring = KeyRing::new(vec![key.clone()]).expect("one key makes a ring");
    let source = Ipv6Addr::from_bits(1);
    let current = srh.current().unwrap_or(Sid(source)).0;
    let mut signed = octets.to_vec();
    if sign(&mut signed, source, &key).is_err() {
        let verdict = verify(srh, source, current, &ring);
        assert!(!matches!(verdict, SrhIntegrity::Verified(_)));
        return;
    }
    let changed = octets.iter().zip(&signed).filter(|(old, new)| old != new).count();
    assert!(changed <= 32);
    let again = Srh::parse(&mut Reader::new(&signed)).expect("it was one before");
    let comparable = srh.current().is_some() || skips_destination;
    let verdict = verify(&again, source, current, &ring);
    assert_eq!(verdict == SrhIntegrity::Verified(key.id()), comparable);
}

/// The list, written anew by a source, is the same list.
fn check_rebuilt(srh: &Srh<'_>) {
    let travel: Vec<Sid> = srh.travel().collect();
    let Some(segments) = SegmentList::new(travel.clone()) else { return };
    for form in [SrhForm::Full, SrhForm::Reduced] {
        let layout = SrhLayout::new(srh.next_header, &segments, form);
        let length = layout.encoded_octets().expect("it was in a header");
        let mut emitted = [0; LARGEST_SRH_OCTETS];
        layout.emit(&mut Writer::new(&mut emitted)).expect("there is room");
        let again = Srh::parse(&mut Reader::new(&emitted[..length])).expect("a header");
        let skipped = usize::from(form == SrhForm::Reduced && travel.len() > 1);
        assert!(again.travel().eq(travel[skipped..].iter().copied()));
        assert_eq!(usize::from(again.segments_left), travel.len() - 1);
    }
}
