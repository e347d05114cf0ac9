//! TLV areas.

use crate::tlv::hmac::{HmacTlvPlace, locate};
use crate::tlv::private_use::PrivateUse;
use crate::tlv::{
    TLV_HEADER_OCTETS, Tlv, TlvFlags, TlvType, Tlvs, TlvsMut, are_more_than, extra_padding,
    looks_like_tlvs,
};
use crate::writer::Writer;

const LARGEST: usize = 4096;

/// What one walk over an area found.
#[derive(Debug, Eq, PartialEq)]
struct Walk {
    /// Octets of all whole TLVs together.
    whole: usize,
    /// How many TLVs there are, malformed ones too.
    count: usize,
    malformed: bool,
}

/// An area of TLVs, read, written and answered in place.
pub fn check(area: &[u8]) {
    let area = &area[..area.len().min(LARGEST)];
    let read = check_reading(area);
    let answered = check_answering(area);
    assert_eq!(read, answered);
    assert!(read.whole <= area.len());
    assert_eq!(read.malformed, read.whole < area.len());
    // One pass: there cannot be more TLVs than headers fit.
    assert!(read.count <= area.len().div_ceil(TLV_HEADER_OCTETS));
    for most in 0..=read.count.saturating_add(1) {
        assert_eq!(are_more_than(most, area), read.count > most);
    }
    assert_eq!(looks_like_tlvs(area), area.first().is_some_and(|flags| *flags >= 0x80));
    check_hmac_place(area);
    Tlvs::new(area).flatten().for_each(|tlv| check_value(&tlv));
}

/// A value of a layout that has no check of its own is written again as it was read.
fn check_value(tlv: &Tlv<'_>) {
    let mut emitted = [0xee; LARGEST];
    let mut writer = Writer::new(&mut emitted);
    if tlv.kind.is_private_use() {
        let read = PrivateUse::parse(tlv.value);
        assert_eq!(read.is_ok(), tlv.value.len() >= 4);
        let Ok(own) = read else { return };
        own.emit_request(&mut writer, tlv.kind).expect("there is room");
    } else {
        let padding = extra_padding::reserve(&mut writer, tlv.encoded_octets());
        padding.expect("there is room").copy_from_slice(tlv.value);
    }
    let again = Tlvs::new(writer.written()).next().expect("a TLV").expect("a whole TLV");
    assert_eq!((again.flags, again.value), (TlvFlags::REQUEST, tlv.value));
}

/// What was read is emitted as it stood there.
fn check_reading(area: &[u8]) -> Walk {
    let mut emitted = [0; LARGEST];
    let mut writer = Writer::new(&mut emitted);
    let mut tlvs = Tlvs::new(area);
    let mut walk = Walk { whole: 0, count: 0, malformed: false };
    while let Some(tlv) = tlvs.next() {
        walk.count = walk.count.saturating_add(1);
        match tlv {
            Ok(tlv) => {
                tlv.emit(&mut writer).expect("what was parsed can be emitted");
                assert_eq!(writer.position(), tlvs.offset());
            }
            Err(_) => walk.malformed = true,
        }
    }
    walk.whole = writer.position();
    assert_eq!(writer.written(), &area[..walk.whole]);
    walk
}

/// Setting a flag changes the first octet of each TLV and nothing else.
fn check_answering(area: &[u8]) -> Walk {
    let mut answer = [0; LARGEST];
    let answer = &mut answer[..area.len()];
    answer.copy_from_slice(area);
    let mut expected = [0; LARGEST];
    let expected = &mut expected[..area.len()];
    expected.copy_from_slice(area);

    let mut walk = Walk { whole: 0, count: 0, malformed: false };
    for tlv in TlvsMut::new(answer) {
        walk.count = walk.count.saturating_add(1);
        expected[walk.whole] |= TlvFlags::INTEGRITY.0;
        match tlv {
            Ok(mut tlv) => {
                assert_eq!(tlv.offset, walk.whole);
                assert_eq!(tlv.kind.0, area[walk.whole.saturating_add(1)]);
                tlv.set_flags(tlv.flags().with(TlvFlags::INTEGRITY));
                walk.whole = walk.whole.saturating_add(TLV_HEADER_OCTETS);
                walk.whole = walk.whole.saturating_add(tlv.value.len());
            }
            Err(mut malformed) => {
                walk.malformed = true;
                malformed.set_flags(malformed.flags().with(TlvFlags::INTEGRITY));
            }
        }
    }
    assert_eq!(answer, expected);
    walk
}

/// An HMAC TLV is found where the walk meets the first one, with only padding behind it.
fn check_hmac_place(area: &[u8]) {
    let mut tlvs = Tlvs::new(area);
    let mut first = None;
    let mut others_behind = false;
    loop {
        let offset = tlvs.offset();
        let (kind, octets) = match tlvs.next() {
            None => break,
            Some(Ok(tlv)) => (Some(tlv.kind), tlv.value.len()),
            Some(Err(error)) => (error.kind(), usize::MAX),
        };
        if first.is_some() {
            others_behind |= kind.is_some_and(|kind| kind != TlvType::EXTRA_PADDING);
        } else if kind == Some(TlvType::HMAC) {
            first = Some((offset, octets));
        }
    }
    let expected = match first {
        None => HmacTlvPlace::Absent,
        Some((offset, 16)) if !others_behind => HmacTlvPlace::At(offset),
        Some(_) => HmacTlvPlace::Misplaced,
    };
    assert_eq!(locate(area), expected);
}
