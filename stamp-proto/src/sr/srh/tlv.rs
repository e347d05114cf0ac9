//! TLVs behind the Segment List (RFC 8754 §2.1).

use super::SrhError;
use crate::error::ParseError;
use crate::reader::Reader;
use crate::writer::Writer;

/// Octets of type and length.
const TLV_HEADER_OCTETS: usize = 2;

/// Octets of an HMAC TLV in front of its digest: type, length, D and reserved bits, Key ID.
const HMAC_FIXED_OCTETS: usize = 8;

const D_BIT: u16 = 0x8000;

/// One TLV of a Segment Routing Header.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SrhTlv<'a> {
    /// One octet of padding, without a length (RFC 8754 §2.1.1.1).
    Pad1,
    /// Padding of two octets and as many more as these (RFC 8754 §2.1.1.2).
    PadN(&'a [u8]),
    /// Shows that the list is the one the source wrote (RFC 8754 §2.1.2).
    Hmac {
        /// The D bit and 15 reserved ones.
        reserved: u16,
        /// Which key and algorithm.
        key_id: u32,
        /// The digest.
        digest: &'a [u8],
    },
    /// Something else; passed over by its length.
    Other {
        /// Its type; the uppermost bit tells that it may change on the way.
        kind: u8,
        /// Its octets.
        value: &'a [u8],
    },
}

impl<'a> SrhTlv<'a> {
    /// Type of [`Self::Pad1`].
    pub const PAD1: u8 = 0;
    /// Type of [`Self::PadN`].
    pub const PAD_N: u8 = 4;
    /// Type of [`Self::Hmac`].
    pub const HMAC: u8 = 5;

    /// The D bit of an HMAC TLV is set: the destination address is not compared with the list,
    /// which is a reduced one.
    #[must_use]
    pub const fn skips_destination(&self) -> bool {
        matches!(self, Self::Hmac { reserved, .. } if *reserved & D_BIT != 0)
    }

    /// An HMAC TLV that is still to be signed.
    #[must_use]
    pub(super) const fn unsigned(skip_destination: bool, key_id: u32) -> Self {
        let reserved = if skip_destination { D_BIT } else { 0 };
        Self::Hmac { reserved, key_id, digest: &[0; 32] }
    }

    /// Octets it takes.
    #[must_use]
    pub const fn encoded_octets(&self) -> usize {
        match self {
            Self::Pad1 => 1,
            Self::PadN(value) | Self::Other { value, .. } => {
                value.len().saturating_add(TLV_HEADER_OCTETS)
            }
            Self::Hmac { digest, .. } => digest.len().saturating_add(HMAC_FIXED_OCTETS),
        }
    }

    /// Its place is at a multiple of 8 octets.
    pub(super) const fn is_aligned(&self) -> bool {
        matches!(self, Self::Hmac { .. })
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when the writer has no room, [`ParseError::ValueTooLong`] when its
    /// length octet cannot say it.
    pub fn emit(&self, writer: &mut Writer<'_>) -> Result<(), ParseError> {
        const FIELD: &str = "SRH TLV";
        let (needed, available) = (self.encoded_octets(), writer.available());
        if available < needed {
            return Err(ParseError::Truncated { field: FIELD, needed, available });
        }
        let octets = needed.saturating_sub(TLV_HEADER_OCTETS);
        let length = u8::try_from(octets).map_err(|_| ParseError::ValueTooLong { octets })?;
        match self {
            Self::Pad1 => writer.put(FIELD, [Self::PAD1]),
            Self::PadN(value) => {
                writer.put(FIELD, [Self::PAD_N, length])?;
                writer.put_slice(FIELD, value)
            }
            Self::Hmac { reserved, key_id, digest } => {
                writer.put(FIELD, [Self::HMAC, length])?;
                writer.put(FIELD, reserved.to_be_bytes())?;
                writer.put(FIELD, key_id.to_be_bytes())?;
                writer.put_slice(FIELD, digest)
            }
            Self::Other { kind, value } => {
                writer.put(FIELD, [*kind, length])?;
                writer.put_slice(FIELD, value)
            }
        }
    }

    /// Padding of so many octets, 1 to 7, sent as zeros; none for none.
    pub(super) fn padding(octets: usize) -> Option<SrhTlv<'static>> {
        const ZEROS: &[u8] = &[0; 5];
        match octets {
            0 => None,
            1 => Some(SrhTlv::Pad1),
            more => {
                let value = more.saturating_sub(TLV_HEADER_OCTETS);
                Some(SrhTlv::PadN(ZEROS.get(..value).unwrap_or(ZEROS)))
            }
        }
    }

    fn take(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        let kind = reader.take_u8("SRH TLV type")?;
        if kind == Self::PAD1 {
            return Ok(Self::Pad1);
        }
        let length = reader.take_u8("SRH TLV length")?;
        let value = reader.take_slice("SRH TLV", usize::from(length))?;
        Ok(match kind {
            Self::PAD_N => Self::PadN(value),
            Self::HMAC => Self::hmac(value).unwrap_or(Self::Other { kind, value }),
            kind => Self::Other { kind, value },
        })
    }

    /// An HMAC TLV, if there is room for its fields.
    fn hmac(value: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let reserved = reader.take_u16("D and reserved bits").ok()?;
        let key_id = reader.take_u32("Key ID").ok()?;
        Some(Self::Hmac { reserved, key_id, digest: reader.rest() })
    }
}

/// The TLVs of a header, first to last; ends behind the first that runs past the end.
#[derive(Clone, Copy, Debug)]
pub struct SrhTlvs<'a> {
    reader: Reader<'a>,
    end: usize,
}

impl<'a> SrhTlvs<'a> {
    /// TLVs that begin `offset` octets into their header.
    pub(super) const fn new(octets: &'a [u8], offset: usize) -> Self {
        Self { reader: Reader::new(octets), end: offset.saturating_add(octets.len()) }
    }

    /// Where in the header the next TLV starts.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.end.saturating_sub(self.reader.available())
    }
}

impl<'a> Iterator for SrhTlvs<'a> {
    type Item = Result<SrhTlv<'a>, SrhError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.available() == 0 {
            return None;
        }
        let offset = self.offset();
        let taken = SrhTlv::take(&mut self.reader);
        if taken.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(taken.map_err(|_| SrhError::TlvPastEnd { offset }))
    }
}
