//! Destination Node Address and Return Path TLVs.

use alloc::vec::Vec;

use crate::sr::mpls::LabelStack;
use crate::sr::segment::SegmentList;
use crate::tlv::destination_node_address::DestinationNodeAddress;
use crate::tlv::return_path::{ReturnPath, ReturnPathRequest, ReturnSegments, reflect};
use crate::tlv::{TLV_HEADER_OCTETS, Tlvs};
use crate::writer::Writer;

const LARGEST: usize = 2048;

/// Octets as the value of either TLV.
pub fn value(octets: &[u8]) {
    let octets = &octets[..octets.len().min(LARGEST)];
    check_address(octets);
    check_answer(octets);
    if let Ok(path) = ReturnPath::parse(octets) {
        check_asked_again(path);
    }
}

fn check_address(octets: &[u8]) {
    let parsed = DestinationNodeAddress::parse(octets);
    assert_eq!(parsed.is_ok(), matches!(octets.len(), 4 | 16));
    let Ok(address) = parsed else { return };
    let mut emitted = [0; 20];
    let mut writer = Writer::new(&mut emitted);
    address.emit_request(&mut writer).expect("there is room");
    assert_eq!(&writer.written()[TLV_HEADER_OCTETS..], octets);
}

/// An answer agrees with the reading and changes flags of sub-TLVs only.
fn check_answer(octets: &[u8]) {
    let mut answer = octets.to_vec();
    assert_eq!(reflect(&mut answer), ReturnPath::parse(octets).map(|_| ()));
    let mut subs = Tlvs::new(octets);
    loop {
        let offset = subs.offset();
        match subs.next() {
            None => break,
            Some(sub) => {
                if let Some(flags) = answer.get_mut(offset) {
                    *flags = octets[offset];
                }
                if sub.is_err() {
                    break;
                }
            }
        }
    }
    assert_eq!(answer, octets);
}

/// What was read, asked for again, is read alike.
fn check_asked_again(path: ReturnPath<'_>) {
    let (stack, list);
    let request = match path {
        ReturnPath::Unknown => return,
        ReturnPath::Control(code) => ReturnPathRequest::Control(code),
        ReturnPath::Route { address, segments: Some(ReturnSegments::Mpls(labels)) } => {
            let parsed = LabelStack::parse(labels.octets());
            assert_eq!(parsed.as_ref().map(LabelStack::depth), labels.check().as_ref().copied());
            let Ok(parsed) = parsed else { return };
            stack = parsed;
            ReturnPathRequest::Mpls { stack: &stack, address }
        }
        ReturnPath::Route { address, segments: Some(ReturnSegments::Srv6(sids)) } => {
            let sids: Vec<_> = sids.travel().collect();
            list = SegmentList::new(sids).expect("there is one at least");
            ReturnPathRequest::Srv6 { segments: &list, address }
        }
        ReturnPath::Route { address: Some(address), segments: None } => {
            ReturnPathRequest::Address(address)
        }
        ReturnPath::Route { address: None, segments: None } => {
            unreachable!("a route has an address or segments")
        }
    };
    let mut emitted = [0; LARGEST + 64];
    let mut writer = Writer::new(&mut emitted);
    request.emit_request(&mut writer).expect("there is room");
    assert_eq!(writer.position(), request.encoded_octets());
    let again = ReturnPath::parse(&writer.written()[TLV_HEADER_OCTETS..]);
    assert_eq!(again, Ok(path));
}
