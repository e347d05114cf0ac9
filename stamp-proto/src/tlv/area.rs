//! Walking over the TLVs of a packet, to read them or to answer them in place.

use super::{TLV_HEADER_OCTETS, Tlv, TlvFlags, TlvType};
use crate::error::ParseError;
use crate::reader::Reader;

/// Why no TLV can be cut out of the rest of an area.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum TlvError {
    #[error("{available} octets at offset {offset} of the TLV area are no TLV header")]
    Header { offset: usize, available: usize },
    #[error("TLV {kind} at offset {offset} states {stated} octets, {available} left")]
    Value { offset: usize, kind: TlvType, stated: u16, available: usize },
}

impl TlvError {
    /// The type of the malformed TLV, if the area reaches so far that it can be told.
    #[must_use]
    pub const fn kind(&self) -> Option<TlvType> {
        match self {
            Self::Header { .. } => None,
            Self::Value { kind, .. } => Some(*kind),
        }
    }
}

/// The TLVs of an area, first to last; ends behind the first that is malformed.
///
/// One pass, whatever the area says. How many TLVs are too many is for the caller to decide.
#[derive(Clone, Copy, Debug)]
pub struct Tlvs<'a> {
    reader: Reader<'a>,
    octets: usize,
}

impl<'a> Tlvs<'a> {
    /// Walks over all octets behind a base packet, or over the value of a TLV with sub-TLVs.
    #[must_use]
    pub const fn new(area: &'a [u8]) -> Self {
        Self { reader: Reader::new(area), octets: area.len() }
    }

    /// Where in the area the next header starts.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.octets.saturating_sub(self.reader.available())
    }

    fn take(&mut self) -> Result<Tlv<'a>, TlvError> {
        let (offset, available) = (self.offset(), self.reader.available());
        let [flags, kind, upper, lower] = self
            .reader
            .take_array("TLV header")
            .map_err(|_| TlvError::Header { offset, available })?;
        let (kind, stated) = (TlvType(kind), u16::from_be_bytes([upper, lower]));
        let available = self.reader.available();
        let value = self
            .reader
            .take_slice("TLV value", usize::from(stated))
            .map_err(|_: ParseError| TlvError::Value { offset, kind, stated, available })?;
        Ok(Tlv { flags: TlvFlags(flags), kind, value })
    }
}

impl<'a> Iterator for Tlvs<'a> {
    type Item = Result<Tlv<'a>, TlvError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.available() == 0 {
            return None;
        }
        let taken = self.take();
        if taken.is_err() {
            *self = Self { reader: Reader::new(&[]), octets: self.octets };
        }
        Some(taken)
    }
}

/// Whether a walk over `area` would find more than `most`, a malformed one at the end included.
// Where the compiler knows `most` it unrolls this for minutes, and gains nothing.
#[inline(never)]
#[must_use]
pub fn are_more_than(most: usize, area: &[u8]) -> bool {
    let mut left = area;
    for _ in 0..most {
        let Some(([_, _, upper, lower], behind)) = left.split_first_chunk() else { return false };
        let value = usize::from(u16::from_be_bytes([*upper, *lower]));
        let Some(behind) = behind.get(value..) else { return false };
        left = behind;
    }
    !left.is_empty()
}

/// One TLV of an area that is being answered in place.
#[derive(Debug)]
pub struct TlvMut<'b> {
    /// What the value means.
    pub kind: TlvType,
    /// Where in the area its header starts.
    pub offset: usize,
    /// Its octets.
    pub value: &'b mut [u8],
    flags: &'b mut u8,
    kind_octet: &'b mut u8,
}

impl TlvMut<'_> {
    /// Overwrites the type, for a sub-TLV that is answered by one of another type.
    pub const fn set_kind(&mut self, kind: TlvType) {
        self.kind = kind;
        *self.kind_octet = kind.0;
    }

    /// The flags as they are now.
    #[must_use]
    pub const fn flags(&self) -> TlvFlags {
        TlvFlags(*self.flags)
    }

    /// Overwrites the flags.
    pub const fn set_flags(&mut self, flags: TlvFlags) {
        *self.flags = flags.0;
    }
}

/// The rest of an area that is being answered in place and holds no whole TLV.
#[derive(Debug)]
pub struct MalformedTlv<'b> {
    /// What is wrong with it.
    pub error: TlvError,
    flags: &'b mut u8,
}

impl MalformedTlv<'_> {
    /// The type, if there are enough octets to tell.
    #[must_use]
    pub const fn kind(&self) -> Option<TlvType> {
        self.error.kind()
    }

    /// The flags as they are now.
    #[must_use]
    pub const fn flags(&self) -> TlvFlags {
        TlvFlags(*self.flags)
    }

    /// Overwrites the flags; there is at least this one octet.
    pub const fn set_flags(&mut self, flags: TlvFlags) {
        *self.flags = flags.0;
    }
}

/// As [`Tlvs`], over an area whose flags and values can be changed.
#[derive(Debug)]
pub struct TlvsMut<'b> {
    left: &'b mut [u8],
    offset: usize,
}

impl<'b> TlvsMut<'b> {
    /// Walks over all octets behind a base packet, or over the value of a TLV with sub-TLVs.
    #[must_use]
    pub const fn new(area: &'b mut [u8]) -> Self {
        Self { left: area, offset: 0 }
    }

    /// Where in the area the next header starts.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }
}

impl<'b> Iterator for TlvsMut<'b> {
    type Item = Result<TlvMut<'b>, MalformedTlv<'b>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let left = core::mem::take(&mut self.left);
        let (offset, available) = (self.offset, left.len());
        let (flags, behind) = left.split_first_mut()?;
        let Some(([kind_octet, upper, lower], behind)) = behind.split_first_chunk_mut() else {
            return Some(Err(MalformedTlv {
                error: TlvError::Header { offset, available },
                flags,
            }));
        };
        let (kind, stated) = (TlvType(*kind_octet), u16::from_be_bytes([*upper, *lower]));
        let available = behind.len();
        let Some((value, left)) = behind.split_at_mut_checked(usize::from(stated)) else {
            let error = TlvError::Value { offset, kind, stated, available };
            return Some(Err(MalformedTlv { error, flags }));
        };
        self.left = left;
        self.offset = offset.saturating_add(TLV_HEADER_OCTETS).saturating_add(usize::from(stated));
        Some(Ok(TlvMut { kind, offset, value, flags, kind_octet }))
    }
}
