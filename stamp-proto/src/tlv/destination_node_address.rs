//! Destination Node Address TLV (RFC 9503 §3): which node a probe is meant for.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |STAMP TLV Flags|    Type=9     |        Length=4 or 16         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ~                            Address                            ~
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! Needed where the destination of the IP header says nothing: 127/8, ::1, an anycast address, a
//! SID. The probe has to carry an SSID then.

use core::net::IpAddr;

use super::{Tlv, TlvType};
use crate::error::ParseError;
use crate::writer::Writer;

/// The value of the TLV.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct DestinationNodeAddress(pub IpAddr);

impl DestinationNodeAddress {
    /// Reads the value of a TLV; its length tells the family.
    ///
    /// # Errors
    ///
    /// [`ParseError::AddressLength`] when it is neither 4 nor 16; the TLV is malformed then.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        parse_address(value).map(Self)
    }

    /// Writes the TLV as a Session-Sender sends it.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when the writer has no room for 8 or 20 octets.
    pub fn emit_request(&self, writer: &mut Writer<'_>) -> Result<(), ParseError> {
        with_octets(self.0, |value| {
            Tlv::request(TlvType::DESTINATION_NODE_ADDRESS, value).emit(writer)
        })
    }
}

/// An address of either family, told by its length.
pub(super) fn parse_address(value: &[u8]) -> Result<IpAddr, ParseError> {
    if let Ok(octets) = <[u8; 4]>::try_from(value) {
        return Ok(IpAddr::from(octets));
    }
    let refused = ParseError::AddressLength { octets: value.len() };
    <[u8; 16]>::try_from(value).map(IpAddr::from).map_err(|_| refused)
}

/// Hands out the octets of an address of either family.
pub(super) fn with_octets<T>(address: IpAddr, then: impl FnOnce(&[u8]) -> T) -> T {
    match address {
        IpAddr::V4(address) => then(&address.octets()),
        IpAddr::V6(address) => then(&address.octets()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tlv::{TlvFlags, Tlvs};

    #[test]
    fn the_value_is_the_address_and_nothing_else() {
        let mut octets = [0xee; 9];
        let mut writer = Writer::new(&mut octets);
        let address = DestinationNodeAddress(IpAddr::from([192, 0, 2, 11]));
        address.emit_request(&mut writer).unwrap();
        assert_eq!(writer.into_written(), [0x80, 9, 0, 4, 192, 0, 2, 11]);
    }

    #[test]
    fn an_address_has_4_or_16_octets() {
        for octets in (0..20).filter(|length| ![4, 16].contains(length)) {
            let refusal = Err(ParseError::AddressLength { octets });
            assert_eq!(DestinationNodeAddress::parse(&[1; 20][..octets]), refusal);
        }
    }

    #[test]
    fn the_tlv_needs_its_room() {
        let mut octets = [0; 19];
        let address = DestinationNodeAddress(IpAddr::from([0; 16]));
        let refusal = ParseError::Truncated { field: "TLV", needed: 20, available: 19 };
        assert_eq!(address.emit_request(&mut Writer::new(&mut octets)), Err(refusal));
    }

    proptest! {
        #[test]
        fn every_address_survives_the_wire(v6 in any::<bool>(), bits in any::<[u8; 16]>()) {
            let [first, second, third, fourth, ..] = bits;
            let v4 = IpAddr::from([first, second, third, fourth]);
            let address = DestinationNodeAddress(if v6 { IpAddr::from(bits) } else { v4 });
            let mut octets = [0; 20];
            let mut writer = Writer::new(&mut octets);
            address.emit_request(&mut writer).unwrap();
            let tlv = Tlvs::new(writer.into_written()).next().unwrap().unwrap();
            prop_assert_eq!(tlv.kind, TlvType::DESTINATION_NODE_ADDRESS);
            prop_assert_eq!(tlv.flags, TlvFlags::REQUEST);
            prop_assert_eq!(DestinationNodeAddress::parse(tlv.value), Ok(address));
        }
    }
}
