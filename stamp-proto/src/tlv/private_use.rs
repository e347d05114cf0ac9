//! TLVs of the private-use types (RFC 8972 §4): whose they are is told by the value.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |STAMP TLV Flags| Type=252..254 |            Length             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                   Private Enterprise Number                   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ~                             Data                              ~
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! None is understood here; they are echoed as every type that is not.

use super::{TLV_HEADER_OCTETS, TlvFlags, TlvType, emit_header};
use crate::error::ParseError;
use crate::reader::Reader;
use crate::writer::Writer;

const TLV: &str = "private-use TLV";

/// The value of such a TLV.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PrivateUse<'a> {
    /// Whose it is, by the number that IANA gave.
    pub enterprise: u32,
    /// What only they can read.
    pub data: &'a [u8],
}

impl<'a> PrivateUse<'a> {
    /// Reads the value of a TLV.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when it has no room for the enterprise number.
    pub fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(value);
        let enterprise = reader.take_u32(TLV)?;
        Ok(Self { enterprise, data: reader.rest() })
    }

    /// Writes the TLV as a Session-Sender sends it, under one of its types.
    ///
    /// # Errors
    ///
    /// [`ParseError::NotPrivateUse`] when the type is none of theirs, [`ParseError::Truncated`] when
    /// the writer has no room for all of it, [`ParseError::ValueTooLong`] when the Length field cannot
    /// say it; nothing is written then.
    pub fn emit_request(&self, writer: &mut Writer<'_>, kind: TlvType) -> Result<(), ParseError> {
        if !kind.is_private_use() {
            return Err(ParseError::NotPrivateUse { kind });
        }
        let octets = size_of::<u32>().saturating_add(self.data.len());
        let (needed, available) = (octets.saturating_add(TLV_HEADER_OCTETS), writer.available());
        if available < needed {
            return Err(ParseError::Truncated { field: TLV, needed, available });
        }
        emit_header(writer, TlvFlags::REQUEST, kind, octets)?;
        writer.put(TLV, self.enterprise.to_be_bytes())?;
        writer.put_slice(TLV, self.data)
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use proptest::prelude::*;

    use super::*;
    use crate::strategies::octets;
    use crate::tlv::Tlvs;

    const KIND: TlvType = TlvType(252);

    #[test]
    fn the_value_begins_with_the_enterprise_number() {
        let own = PrivateUse { enterprise: 0x0102_0304, data: &[5, 6] };
        let mut written = [0xee; 11];
        let mut writer = Writer::new(&mut written);
        own.emit_request(&mut writer, KIND).unwrap();
        assert_eq!(writer.into_written(), [0x80, 252, 0, 6, 1, 2, 3, 4, 5, 6]);
        assert_eq!(PrivateUse::parse(&written[4..10]), Ok(own));
    }

    #[test]
    fn less_than_an_enterprise_number_is_refused() {
        for available in 0..4 {
            let error = ParseError::Truncated { field: TLV, needed: 4, available };
            assert_eq!(PrivateUse::parse(&[1; 4][..available]), Err(error));
        }
        assert_eq!(PrivateUse::parse(&[0, 0, 0, 7]), Ok(PrivateUse { enterprise: 7, data: &[] }));
    }

    #[test]
    fn only_private_types_are_written_where_they_fit() {
        let own = PrivateUse { enterprise: 7, data: &[] };
        let mut room = [0xee; 8];
        for kind in [0, 8, 240, 251, 255].map(TlvType) {
            let error = ParseError::NotPrivateUse { kind };
            assert_eq!(own.emit_request(&mut Writer::new(&mut room), kind), Err(error));
        }
        let error = ParseError::Truncated { field: TLV, needed: 8, available: 7 };
        assert_eq!(own.emit_request(&mut Writer::new(&mut room[..7]), KIND), Err(error));
        assert_eq!(room, [0xee; 8]);
        let long = vec![0; 65_532];
        let long = PrivateUse { enterprise: 7, data: &long };
        let mut room = vec![0; 70_000];
        let error = ParseError::ValueTooLong { octets: 65_536 };
        assert_eq!(long.emit_request(&mut Writer::new(&mut room), KIND), Err(error));
    }

    proptest! {
        #[test]
        fn every_value_survives_the_wire(
            kind in 252_u8..=254,
            enterprise in any::<u32>(),
            data in octets(40),
        ) {
            let own = PrivateUse { enterprise, data: &data };
            let mut room = [0; 48];
            let mut writer = Writer::new(&mut room);
            own.emit_request(&mut writer, TlvType(kind)).unwrap();
            let tlv = Tlvs::new(writer.into_written()).next().unwrap().unwrap();
            prop_assert_eq!((tlv.flags, tlv.kind), (TlvFlags::REQUEST, TlvType(kind)));
            prop_assert_eq!(PrivateUse::parse(tlv.value), Ok(own));
        }
    }
}
