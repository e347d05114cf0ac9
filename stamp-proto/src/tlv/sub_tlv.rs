//! Sub-TLVs of Location and Reflected Test Packet Control, which share one registry.
//!
//! Their headers are those of TLVs. Return Path has a registry of its own.

use super::{TlvError, TlvFlags, TlvType, TlvsMut};
use crate::error::ParseError;

/// Types of the "STAMP Sub-TLV Types" registry (RFC 8972 §5.3).
pub mod sub_type {
    use super::TlvType;

    /// Never a sub-TLV. With no value it fills a Reflected Test Packet Control TLV.
    pub const RESERVED: TlvType = TlvType(0);
    /// Asks for the source MAC address.
    pub const SOURCE_MAC_ADDRESS: TlvType = TlvType(1);
    /// Answers with one of 48 bits.
    pub const SOURCE_EUI_48: TlvType = TlvType(2);
    /// Answers with one of 64 bits, or none.
    pub const SOURCE_EUI_64: TlvType = TlvType(3);
    /// Asks for the destination address.
    pub const DESTINATION_IP: TlvType = TlvType(4);
    /// Answers with an IPv4 address.
    pub const DESTINATION_IPV4: TlvType = TlvType(5);
    /// Answers with an IPv6 address.
    pub const DESTINATION_IPV6: TlvType = TlvType(6);
    /// Asks for the source address.
    pub const SOURCE_IP: TlvType = TlvType(7);
    /// Answers with an IPv4 address.
    pub const SOURCE_IPV4: TlvType = TlvType(8);
    /// Answers with an IPv6 address.
    pub const SOURCE_IPV6: TlvType = TlvType(9);
    /// RFC 10052 §3.
    pub const LAYER_2_ADDRESS_GROUP: TlvType = TlvType(10);
    /// RFC 10052 §3.
    pub const LAYER_3_ADDRESS_GROUP: TlvType = TlvType(11);
}

/// Why a value with sub-TLVs is malformed.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum SubTlvError {
    #[error(transparent)]
    Value(#[from] ParseError),
    #[error("sub-TLV: {0}")]
    Frame(#[from] TlvError),
}

/// Judges the sub-TLVs of an area; the first that is malformed gets the flag M, and nothing else
/// changes.
pub(super) fn check(
    area: &mut [u8],
    judge: impl Fn(TlvType, &[u8]) -> Result<(), ParseError>,
) -> Result<(), SubTlvError> {
    for sub in TlvsMut::new(area) {
        match sub {
            Ok(mut sub) => {
                if let Err(error) = judge(sub.kind, sub.value) {
                    sub.set_flags(TlvFlags::MALFORMED);
                    return Err(error.into());
                }
            }
            Err(mut malformed) => {
                malformed.set_flags(TlvFlags::MALFORMED);
                return Err(malformed.error.into());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn every_type_has_the_number_of_the_registry() {
        let types = [
            sub_type::RESERVED,
            sub_type::SOURCE_MAC_ADDRESS,
            sub_type::SOURCE_EUI_48,
            sub_type::SOURCE_EUI_64,
            sub_type::DESTINATION_IP,
            sub_type::DESTINATION_IPV4,
            sub_type::DESTINATION_IPV6,
            sub_type::SOURCE_IP,
            sub_type::SOURCE_IPV4,
            sub_type::SOURCE_IPV6,
            sub_type::LAYER_2_ADDRESS_GROUP,
            sub_type::LAYER_3_ADDRESS_GROUP,
        ];
        for (number, kind) in (0_u8..).zip(types) {
            assert_eq!(kind.0, number);
        }
    }

    #[test]
    fn only_the_first_malformed_one_is_marked() {
        let tlv = "a sub-TLV";
        let judge = |kind: TlvType, value: &[u8]| match kind {
            TlvType(9) => Err(ParseError::ValueLength { tlv, octets: value.len(), expected: 1 }),
            _ => Ok(()),
        };
        let mut area = [0x80, 1, 0, 0, 0x80, 9, 0, 2, 5, 5, 0x80, 9, 0, 0];
        let error = SubTlvError::Value(ParseError::ValueLength { tlv, octets: 2, expected: 1 });
        assert_eq!(check(&mut area, judge), Err(error));
        assert_eq!(area, [0x80, 1, 0, 0, 0x40, 9, 0, 2, 5, 5, 0x80, 9, 0, 0]);
        let mut area = [0x80, 1, 0, 0, 0x80, 9, 0];
        let error = SubTlvError::Frame(TlvError::Header { offset: 4, available: 3 });
        assert_eq!(check(&mut area, judge), Err(error));
        assert_eq!(area, [0x80, 1, 0, 0, 0x40, 9, 0]);
        assert_eq!(check(&mut area[..4], judge), Ok(()));
        assert_eq!(
            error.to_string(),
            "sub-TLV: 3 octets at offset 4 of the TLV area are no TLV header"
        );
    }
}
