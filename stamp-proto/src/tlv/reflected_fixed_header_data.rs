//! Reflected Fixed Header Data TLV (draft-ietf-ippm-stamp-ext-hdr): an IP header of a probe as it
//! arrived.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |STAMP TLV Flags|     Type      |       Length=20 or 40         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   Requested: the first four octets of the header, or zero     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ~              Reflected: what follows these four               ~
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! There may be several such TLVs, before any Reflected IPv6 Extension Header Data; each gets
//! another header. No type is assigned.

use core::net::IpAddr;

use super::reflected_header::{HeaderMatch, ReceivedHeaders};
use super::{TLV_HEADER_OCTETS, TlvFlags, TlvType, emit_header};
use crate::error::ParseError;
use crate::ip::HopLimit;
use crate::reader::Reader;
use crate::writer::Writer;

/// An experimental type that other implementations use.
pub const EXPERIMENTAL_TYPE: TlvType = TlvType(247);

/// Octets of the field that says which header is meant.
pub const REQUESTED_OCTETS: usize = 4;

/// The header that is meant; its length tells it from the other.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum FixedHeader {
    /// IPv4, without options.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl FixedHeader {
    /// Octets it has.
    #[must_use]
    pub const fn octets(self) -> usize {
        match self {
            Self::Ipv4 => 20,
            Self::Ipv6 => 40,
        }
    }

    const fn from_octets(octets: usize) -> Result<Self, ParseError> {
        match octets {
            20 => Ok(Self::Ipv4),
            40 => Ok(Self::Ipv6),
            _ => Err(ParseError::FixedHeaderLength { octets }),
        }
    }
}

/// The value of the TLV.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ReflectedFixedHeaderData<'a> {
    /// Which header it is.
    pub header: FixedHeader,
    /// How the header that is meant begins; zero for the next one of this length.
    pub requested: [u8; REQUESTED_OCTETS],
    /// The rest of it; of no meaning where the TLV has the flag C, or is a request.
    pub reflected: &'a [u8],
}

/// What of a header tells where a packet came from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ReflectedFields {
    /// TTL or Hop Limit.
    pub hop_limit: HopLimit,
    /// Address it came from.
    pub source: IpAddr,
    /// Address it was sent to.
    pub destination: IpAddr,
}

impl<'a> ReflectedFixedHeaderData<'a> {
    /// Reads the value of a TLV.
    ///
    /// # Errors
    ///
    /// [`ParseError::FixedHeaderLength`] when it has neither 20 nor 40 octets; the TLV is malformed
    /// then.
    pub fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let header = FixedHeader::from_octets(value.len())?;
        let mut reader = Reader::new(value);
        let requested = reader.take_array("Requested")?;
        Ok(Self { header, requested, reflected: reader.rest() })
    }

    /// Reads the header that came back.
    ///
    /// # Errors
    ///
    /// None for a value that [`Self::parse`] took.
    pub fn fields(&self) -> Result<ReflectedFields, ParseError> {
        const FIELD: &str = "reflected header";
        let mut reader = Reader::new(self.reflected);
        match self.header {
            FixedHeader::Ipv4 => {
                reader.skip::<4>(FIELD)?;
                let hop_limit = HopLimit(reader.take_u8(FIELD)?);
                reader.skip::<3>(FIELD)?;
                let source = IpAddr::from(reader.take_array::<4>(FIELD)?);
                let destination = IpAddr::from(reader.take_array::<4>(FIELD)?);
                Ok(ReflectedFields { hop_limit, source, destination })
            }
            FixedHeader::Ipv6 => {
                reader.skip::<3>(FIELD)?;
                let hop_limit = HopLimit(reader.take_u8(FIELD)?);
                let source = IpAddr::from(reader.take_array::<16>(FIELD)?);
                let destination = IpAddr::from(reader.take_array::<16>(FIELD)?);
                Ok(ReflectedFields { hop_limit, source, destination })
            }
        }
    }
}

/// Writes the TLV as a Session-Sender sends it.
///
/// # Errors
///
/// [`ParseError::Truncated`] when the writer has no room for all of it; nothing is written then.
pub fn emit_request(
    writer: &mut Writer<'_>,
    kind: TlvType,
    requested: [u8; REQUESTED_OCTETS],
    header: FixedHeader,
) -> Result<(), ParseError> {
    const FIELD: &str = "Reflected Fixed Header Data TLV";
    let octets = header.octets();
    let (needed, available) = (octets.saturating_add(TLV_HEADER_OCTETS), writer.available());
    if available < needed {
        return Err(ParseError::Truncated { field: FIELD, needed, available });
    }
    emit_header(writer, TlvFlags::REQUEST, kind, octets)?;
    writer.put(FIELD, requested)?;
    writer.reserve(FIELD, octets.saturating_sub(REQUESTED_OCTETS)).map(|_| ())
}

/// Turns the value of a request into that of the reply, from the IP headers of the probe, each
/// without options.
///
/// # Errors
///
/// As [`ReflectedFixedHeaderData::parse`]; nothing is written then.
pub fn reflect(
    value: &mut [u8],
    headers: &mut ReceivedHeaders<'_>,
) -> Result<HeaderMatch, ParseError> {
    FixedHeader::from_octets(value.len())?;
    Ok(headers.tell::<REQUESTED_OCTETS>(value))
}

#[cfg(test)]
mod tests {
    use std::vec;

    use proptest::prelude::*;

    use super::*;
    use crate::tlv::Tlvs;

    const IPV4: [u8; 20] =
        [0x45, 0, 0, 72, 0x12, 0x34, 0x40, 0, 255, 17, 0xe5, 0x63, 192, 0, 2, 1, 192, 0, 2, 11];

    #[test]
    fn a_request_says_which_header() {
        let mut octets = [0xee; 44];
        for (header, length) in [(FixedHeader::Ipv4, 20), (FixedHeader::Ipv6, 40)] {
            let mut writer = Writer::new(&mut octets);
            emit_request(&mut writer, EXPERIMENTAL_TYPE, [0x45, 0, 0, 72], header).unwrap();
            let written = writer.into_written();
            assert_eq!(written[..8], [0x80, 247, 0, length, 0x45, 0, 0, 72]);
            assert!(written[8..].iter().all(|octet| *octet == 0));
            assert_eq!(written.len(), 4 + usize::from(length));
        }
        let refusal = ParseError::Truncated {
            field: "Reflected Fixed Header Data TLV",
            needed: 24,
            available: 23,
        };
        let mut short = Writer::new(&mut octets[..23]);
        let answer = emit_request(&mut short, EXPERIMENTAL_TYPE, [0; 4], FixedHeader::Ipv4);
        assert_eq!(answer, Err(refusal));
        assert_eq!(short.position(), 0);
    }

    #[test]
    fn the_header_that_came_back_is_read() {
        let mut value = [0; 20];
        let headers = [&IPV4[..]];
        let mut received = ReceivedHeaders::new(&headers);
        assert_eq!(reflect(&mut value, &mut received), Ok(HeaderMatch::Told));
        assert_eq!((&value[..4], &value[4..]), (&[0; 4][..], &IPV4[4..]));
        let fields = ReflectedFixedHeaderData::parse(&value).unwrap().fields();
        assert_eq!(
            fields,
            Ok(ReflectedFields {
                hop_limit: HopLimit(255),
                source: IpAddr::from([192, 0, 2, 1]),
                destination: IpAddr::from([192, 0, 2, 11]),
            })
        );
        let mut ipv6 = [0; 40];
        ipv6[7] = 64;
        ipv6[23] = 1;
        ipv6[39] = 2;
        let fields = ReflectedFixedHeaderData::parse(&ipv6).unwrap().fields().unwrap();
        assert_eq!(fields.hop_limit, HopLimit(64));
        assert_eq!(
            (fields.source, fields.destination),
            ("::1".parse().unwrap(), "::2".parse().unwrap())
        );
    }

    #[test]
    fn a_header_of_the_other_version_does_not_match() {
        let mut value = [0; 40];
        let headers = [&IPV4[..]];
        let mut received = ReceivedHeaders::new(&headers);
        assert_eq!(reflect(&mut value, &mut received), Ok(HeaderMatch::None));
        assert_eq!(value, [0; 40]);
    }

    #[test]
    fn a_length_that_no_fixed_header_has_is_malformed() {
        for octets in (0..48).filter(|octets| ![20, 40].contains(octets)) {
            let mut value = vec![7; octets];
            let error = ParseError::FixedHeaderLength { octets };
            assert_eq!(ReflectedFixedHeaderData::parse(&value), Err(error));
            assert_eq!(reflect(&mut value, &mut ReceivedHeaders::new(&[])), Err(error));
        }
    }

    proptest! {
        #[test]
        fn every_header_that_is_asked_for_comes_back(
            kind in any::<u8>(),
            octets in any::<[u8; 40]>(),
            v6 in any::<bool>(),
            named in any::<bool>(),
        ) {
            let which = if v6 { FixedHeader::Ipv6 } else { FixedHeader::Ipv4 };
            let header = &octets[..which.octets()];
            let requested = if named { *header.first_chunk().unwrap() } else { [0; 4] };
            let mut written = [0; 44];
            let mut writer = Writer::new(&mut written);
            emit_request(&mut writer, TlvType(kind), requested, which).unwrap();
            let tlv = Tlvs::new(writer.into_written()).next().unwrap().unwrap();
            prop_assert_eq!((tlv.flags, tlv.kind), (TlvFlags::REQUEST, TlvType(kind)));
            let mut value = tlv.value.to_vec();
            let headers = [header];
            let mut received = ReceivedHeaders::new(&headers);
            prop_assert_eq!(reflect(&mut value, &mut received), Ok(HeaderMatch::Told));
            let read = ReflectedFixedHeaderData::parse(&value).unwrap();
            prop_assert_eq!((read.header, read.requested), (which, requested));
            prop_assert_eq!(read.reflected, &header[4..]);
            prop_assert!(read.fields().is_ok());
        }
    }
}
