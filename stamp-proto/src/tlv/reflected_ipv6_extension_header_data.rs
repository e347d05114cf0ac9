//! Reflected IPv6 Extension Header Data TLV (draft-ietf-ippm-stamp-ext-hdr, from revision 13 on):
//! an extension header of a probe as it arrived.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |STAMP TLV Flags|     Type      |            Length             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |           Requested: the first eight octets of the            |
//! +               header that is meant, or zero                   +
//! |                                                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ~              Reflected: what follows these eight              ~
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! The Length is that of the header. Of a Segment Routing Header the list of segments comes back.
//! There may be several such TLVs; each gets another header. No type is assigned.

use super::reflected_header::{HeaderMatch, ReceivedHeaders};
use super::{TLV_HEADER_OCTETS, TlvFlags, TlvType, emit_header};
use crate::error::ParseError;
use crate::reader::Reader;
use crate::writer::Writer;

/// An experimental type that other implementations use.
pub const EXPERIMENTAL_TYPE: TlvType = TlvType(246);

/// Octets of the field that says which header is meant.
pub const REQUESTED_OCTETS: usize = 8;

/// The length of an extension header is told in one octet.
const MOST_OCTETS: usize = 2048;

/// The value of the TLV.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ReflectedIpv6ExtensionHeaderData<'a> {
    /// How the header that is meant begins; zero for the next one of this length.
    pub requested: [u8; REQUESTED_OCTETS],
    /// The rest of it; of no meaning where the TLV has the flag C, or is a request.
    pub reflected: &'a [u8],
}

impl<'a> ReflectedIpv6ExtensionHeaderData<'a> {
    /// Reads the value of a TLV.
    ///
    /// # Errors
    ///
    /// [`ParseError::ExtensionHeaderLength`] when no extension header has so many octets; the TLV is
    /// malformed then.
    pub fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        check_octets(value.len())?;
        let mut reader = Reader::new(value);
        let requested = reader.take_array("Requested")?;
        Ok(Self { requested, reflected: reader.rest() })
    }
}

/// Writes the TLV as a Session-Sender sends it, for a header of `octets` octets.
///
/// # Errors
///
/// [`ParseError::ExtensionHeaderLength`] when no extension header has so many,
/// [`ParseError::Truncated`] when the writer has no room for all of it; nothing is written then.
pub fn emit_request(
    writer: &mut Writer<'_>,
    kind: TlvType,
    requested: [u8; REQUESTED_OCTETS],
    octets: usize,
) -> Result<(), ParseError> {
    const FIELD: &str = "Reflected IPv6 Extension Header Data TLV";
    check_octets(octets)?;
    let (needed, available) = (octets.saturating_add(TLV_HEADER_OCTETS), writer.available());
    if available < needed {
        return Err(ParseError::Truncated { field: FIELD, needed, available });
    }
    emit_header(writer, TlvFlags::REQUEST, kind, octets)?;
    writer.put(FIELD, requested)?;
    writer.reserve(FIELD, octets.saturating_sub(REQUESTED_OCTETS)).map(|_| ())
}

/// Turns the value of a request into that of the reply, from the extension headers of the probe.
///
/// # Errors
///
/// As [`ReflectedIpv6ExtensionHeaderData::parse`]; nothing is written then.
pub fn reflect(
    value: &mut [u8],
    headers: &mut ReceivedHeaders<'_>,
) -> Result<HeaderMatch, ParseError> {
    check_octets(value.len())?;
    Ok(headers.tell::<REQUESTED_OCTETS>(value))
}

const fn check_octets(octets: usize) -> Result<(), ParseError> {
    if octets < REQUESTED_OCTETS || octets > MOST_OCTETS || !octets.is_multiple_of(8) {
        return Err(ParseError::ExtensionHeaderLength { octets });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::tlv::Tlvs;

    fn header(octets: usize) -> Vec<u8> {
        (1..=u8::MAX).cycle().take(octets).collect()
    }

    #[test]
    fn a_request_says_which_header_and_how_long() {
        let mut octets = [0xee; 29];
        let mut writer = Writer::new(&mut octets);
        let kind = EXPERIMENTAL_TYPE;
        emit_request(&mut writer, kind, [1, 2, 3, 4, 5, 6, 7, 8], 24).unwrap();
        let written = writer.into_written();
        assert_eq!(written[..12], [0x80, 246, 0, 24, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(written[12..], [0; 16]);
        let read = ReflectedIpv6ExtensionHeaderData::parse(&written[4..]).unwrap();
        assert_eq!(read.requested, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(read.reflected, [0; 16]);
        let field = "Reflected IPv6 Extension Header Data TLV";
        let refusal = ParseError::Truncated { field, needed: 28, available: 27 };
        let mut short = Writer::new(&mut octets[..27]);
        assert_eq!(emit_request(&mut short, kind, [0; 8], 24), Err(refusal));
        assert_eq!(short.position(), 0);
    }

    #[test]
    fn two_requests_get_two_headers_and_a_third_none() {
        let (first, second) = ([&[43, 2][..], &[5; 22]].concat(), vec![9; 24]);
        let headers = [&first[..], &second];
        let mut received = ReceivedHeaders::new(&headers);
        for expected in [&first, &second] {
            let mut value = [0; 24];
            assert_eq!(reflect(&mut value, &mut received), Ok(HeaderMatch::Told));
            let read = ReflectedIpv6ExtensionHeaderData::parse(&value).unwrap();
            assert_eq!((read.requested, read.reflected), ([0; 8], &expected[8..]));
        }
        let mut value = [0; 24];
        assert_eq!(reflect(&mut value, &mut received), Ok(HeaderMatch::None));
        assert_eq!(value, [0; 24]);
    }

    #[test]
    fn a_length_that_no_extension_header_has_is_malformed() {
        let mut value = vec![7; 2056];
        for octets in [0, 7, 9, 12, 2049, 2056] {
            let error = ParseError::ExtensionHeaderLength { octets };
            let value = &mut value[..octets];
            assert_eq!(ReflectedIpv6ExtensionHeaderData::parse(value), Err(error));
            assert_eq!(reflect(value, &mut ReceivedHeaders::new(&[])), Err(error));
            let mut room = vec![0; 3000];
            let mut writer = Writer::new(&mut room);
            let kind = EXPERIMENTAL_TYPE;
            assert_eq!(emit_request(&mut writer, kind, [0; 8], octets), Err(error));
        }
        for octets in [8, 16, 2048] {
            assert!(ReflectedIpv6ExtensionHeaderData::parse(&value[..octets]).is_ok());
        }
    }

    proptest! {
        #[test]
        fn every_header_that_is_asked_for_comes_back(
            kind in any::<u8>(),
            groups in 1_usize..=256,
            named in any::<bool>(),
        ) {
            let header = header(groups * 8);
            let requested = if named { *header.first_chunk().unwrap() } else { [0; 8] };
            let mut octets = vec![0; header.len() + 4];
            let mut writer = Writer::new(&mut octets);
            emit_request(&mut writer, TlvType(kind), requested, header.len()).unwrap();
            let tlv = Tlvs::new(&octets).next().unwrap().unwrap();
            prop_assert_eq!((tlv.flags, tlv.kind), (TlvFlags::REQUEST, TlvType(kind)));
            let mut value = tlv.value.to_vec();
            let headers = [&header[..4], &header];
            let mut received = ReceivedHeaders::new(&headers);
            prop_assert_eq!(reflect(&mut value, &mut received), Ok(HeaderMatch::Told));
            let read = ReflectedIpv6ExtensionHeaderData::parse(&value).unwrap();
            prop_assert_eq!((read.requested, read.reflected), (requested, &header[8..]));
        }
    }
}
