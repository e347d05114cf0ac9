//! Reflected Test Packet Control TLVs.

use crate::tlv::reflected_test_packet_control::{
    AddressGroup, ControlDialect, Edition, ReflectedTestPacketControl,
    ReflectedTestPacketControlRequest, reflect,
};
use crate::tlv::sub_tlv::SubTlvError;
use crate::tlv::{TLV_HEADER_OCTETS, TlvType, Tlvs};
use crate::writer::Writer;

const LARGEST: usize = 2048;

/// Octets as the value of the TLV, in every dialect.
pub fn value(octets: &[u8]) {
    let octets = &octets[..octets.len().min(LARGEST)];
    for edition in [Edition::Published, Edition::Drafts] {
        for extension_header_control in [None, Some(TlvType(240))] {
            let dialect = ControlDialect { edition, extension_header_control };
            check_answer(octets, dialect);
            if let Ok(control) = ReflectedTestPacketControl::parse(octets, dialect) {
                check_asked_again(&control, dialect);
            }
        }
    }
}

/// An answer agrees with the reading and changes flags of sub-TLVs only.
fn check_answer(octets: &[u8], dialect: ControlDialect) {
    let read = ReflectedTestPacketControl::parse(octets, dialect);
    let error: Option<SubTlvError> = read.as_ref().err().copied();
    for granted in [false, true] {
        let mut answer = octets.to_vec();
        assert_eq!(reflect(&mut answer, dialect, granted).err(), error);
        if let Ok(read) = &read {
            let told = ReflectedTestPacketControl::parse(&answer, dialect).expect("as before");
            assert_eq!(told.packets, read.packets);
            assert!(told.address_groups().eq(read.address_groups()));
            assert_eq!(told.asks_for_extension_headers(), read.asks_for_extension_headers());
            let asked = read.asks_for_extension_headers();
            assert_eq!(told.grants_extension_headers(), asked && granted);
        }
        let mut subs = Tlvs::new(octets.get(8..).unwrap_or_default());
        loop {
            let offset = subs.offset() + 8;
            let Some(sub) = subs.next() else { break };
            answer[offset] = octets[offset];
            if sub.is_err() {
                break;
            }
        }
        assert_eq!(answer, octets);
    }
}

/// What was read, asked for again, is read alike.
fn check_asked_again(control: &ReflectedTestPacketControl<'_>, dialect: ControlDialect) {
    let mut request = ReflectedTestPacketControlRequest {
        packets: control.packets,
        layer_2: None,
        layer_3: None,
        extension_headers: control.asks_for_extension_headers(),
    };
    for group in control.address_groups() {
        match group {
            AddressGroup::Layer2(group) => {
                assert_eq!(group.mask().len(), group.group().len());
                request.layer_2 = Some(group);
            }
            AddressGroup::Layer3(group) => {
                assert!(group.contains(group.prefix()));
                request.layer_3 = Some(group);
            }
        }
    }
    let mut emitted = [0; 128];
    let mut writer = Writer::new(&mut emitted);
    request.emit_request(dialect, &mut writer).expect("there is room");
    assert_eq!(writer.position(), request.encoded_octets(dialect));
    let value = &writer.written()[TLV_HEADER_OCTETS..];
    let again = ReflectedTestPacketControl::parse(value, dialect).expect("it was written here");
    assert_eq!(again.packets, control.packets);
    assert_eq!(again.asks_for_extension_headers(), request.extension_headers);
    let groups = request.layer_2.map(AddressGroup::Layer2).into_iter();
    let groups = groups.chain(request.layer_3.map(AddressGroup::Layer3));
    assert!(again.address_groups().eq(groups));
}
