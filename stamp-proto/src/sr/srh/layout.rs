//! Headers as an SR source writes them (RFC 8754 §4.1).

use super::tlv::SrhTlv;
use super::{
    LARGEST_SRH_OCTETS, ROUTING_TYPE, SEGMENT_OCTETS, SRH_FIXED_OCTETS, SrhError, SrhFlags,
};
use crate::auth::Key;
use crate::error::ParseError;
use crate::sr::protocol::Protocol;
use crate::sr::segment::SegmentList;
use crate::writer::Writer;

/// Whether the first segment, which is the destination address anyway, is in the list too.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum SrhForm {
    /// It is.
    #[default]
    Full,
    /// It is left out (RFC 8754 §4.1.1). A single segment needs no header at all then; where flags,
    /// a tag or TLVs need one, the list keeps its only segment.
    Reduced,
}

/// What a Segment Routing Header is to say.
#[derive(Clone, Copy, Debug)]
pub struct SrhLayout<'a> {
    /// What follows it.
    pub next_header: Protocol,
    /// The segments, the first to visit included.
    pub segments: &'a SegmentList,
    /// Which of them are in the list.
    pub form: SrhForm,
    /// Flags.
    pub flags: SrhFlags,
    /// Tag.
    pub tag: u16,
    /// TLVs; padding is put in where they need it.
    pub tlvs: &'a [SrhTlv<'a>],
    /// Whose HMAC TLV is to follow them, to be signed by [`sign`](super::sign).
    pub key: Option<&'a Key>,
}

impl<'a> SrhLayout<'a> {
    /// A header that says nothing but which segments to visit.
    #[must_use]
    pub const fn new(next_header: Protocol, segments: &'a SegmentList, form: SrhForm) -> Self {
        Self { next_header, segments, form, flags: SrhFlags::NONE, tag: 0, tlvs: &[], key: None }
    }

    /// The packet can go without it: the destination address says all.
    #[must_use]
    pub fn is_needless(&self) -> bool {
        self.form == SrhForm::Reduced
            && self.segments.len() == 1
            && self.flags == SrhFlags::NONE
            && self.tag == 0
            && self.tlvs.is_empty()
            && self.key.is_none()
    }

    /// Octets it takes.
    ///
    /// # Errors
    ///
    /// [`SrhError::TooLong`] when its length octet cannot say it.
    pub fn encoded_octets(&self) -> Result<usize, SrhError> {
        let list = self.entries().saturating_mul(SEGMENT_OCTETS);
        let mut octets = SRH_FIXED_OCTETS.saturating_add(list);
        for tlv in self.tlvs_in_order() {
            octets = octets.saturating_add(padding_before(&tlv, octets));
            octets = octets.saturating_add(tlv.encoded_octets());
        }
        octets = octets.next_multiple_of(8);
        if octets > LARGEST_SRH_OCTETS { Err(SrhError::TooLong { octets }) } else { Ok(octets) }
    }

    /// Writes it, its HMAC still blank.
    ///
    /// # Errors
    ///
    /// [`SrhError::TooLong`], [`SrhError::Octets`] when the writer has no room for it; then nothing
    /// is written.
    pub fn emit(&self, writer: &mut Writer<'_>) -> Result<(), SrhError> {
        const FIELD: &str = "Segment Routing Header";
        let (needed, available) = (self.encoded_octets()?, writer.available());
        if available < needed {
            return Err(ParseError::Truncated { field: FIELD, needed, available }.into());
        }
        let too_long = |_| SrhError::TooLong { octets: needed };
        let units = needed.saturating_sub(SRH_FIXED_OCTETS) >> 3;
        let header_length = u8::try_from(units).map_err(too_long)?;
        let left = u8::try_from(self.segments.len().saturating_sub(1)).map_err(too_long)?;
        let last_entry = u8::try_from(self.entries().saturating_sub(1)).map_err(too_long)?;
        let start = writer.position();
        writer.put(FIELD, [self.next_header.0, header_length, ROUTING_TYPE, left])?;
        writer.put(FIELD, [last_entry, self.flags.0])?;
        writer.put(FIELD, self.tag.to_be_bytes())?;
        for segment in self.segments.segments().iter().rev().take(self.entries()) {
            writer.put(FIELD, segment.0.octets())?;
        }
        for tlv in self.tlvs_in_order() {
            let written = writer.position().saturating_sub(start);
            if let Some(padding) = SrhTlv::padding(padding_before(&tlv, written)) {
                padding.emit(writer)?;
            }
            tlv.emit(writer)?;
        }
        let written = writer.position().saturating_sub(start);
        if let Some(padding) = SrhTlv::padding(needed.saturating_sub(written)) {
            padding.emit(writer)?;
        }
        Ok(())
    }

    /// How many elements the list has: all of the segments, or all but the first.
    #[must_use]
    pub fn entries(&self) -> usize {
        match self.form {
            SrhForm::Full => self.segments.len(),
            SrhForm::Reduced => self.segments.len().saturating_sub(1).max(1),
        }
    }

    /// The first segment is the destination address only.
    fn is_reduced(&self) -> bool {
        self.entries() < self.segments.len()
    }

    fn tlvs_in_order(&self) -> impl Iterator<Item = SrhTlv<'a>> {
        let hmac = self.key.map(|key| SrhTlv::unsigned(self.is_reduced(), key.id().0));
        self.tlvs.iter().copied().chain(hmac)
    }
}

/// Octets between `written` and where the TLV belongs.
const fn padding_before(tlv: &SrhTlv<'_>, written: usize) -> usize {
    if tlv.is_aligned() { written.next_multiple_of(8).saturating_sub(written) } else { 0 }
}
