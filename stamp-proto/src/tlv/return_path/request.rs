//! Return Path TLVs as a Session-Sender writes them: what may not stand together cannot be said.

use core::net::IpAddr;

use super::{ControlCode, sub_type};
use crate::error::ParseError;
use crate::sr::mpls::LabelStack;
use crate::sr::segment::SegmentList;
use crate::sr::srh::SEGMENT_OCTETS;
use crate::tlv::destination_node_address::with_octets;
use crate::tlv::{TLV_HEADER_OCTETS, Tlv, TlvFlags, TlvType, emit_header};
use crate::writer::Writer;

/// What a Session-Sender can ask for in one probe; it sends one Return Path TLV at most.
#[derive(Clone, Copy, Debug)]
pub enum ReturnPathRequest<'a> {
    /// No reply, or one on the same link; stands alone.
    Control(ControlCode),
    /// A reply to this address.
    Address(IpAddr),
    /// A reply with these labels in front of it.
    Mpls {
        /// Imposed by the Session-Reflector as it is.
        stack: &'a LabelStack,
        /// Where the reply ends; without it, where the probe came from.
        address: Option<IpAddr>,
    },
    /// A reply over these segments.
    Srv6 {
        /// The segments.
        segments: &'a SegmentList,
        /// Where the reply ends; without it, where the probe came from.
        address: Option<IpAddr>,
    },
}

impl ReturnPathRequest<'_> {
    /// Octets of the whole TLV.
    #[must_use]
    pub fn encoded_octets(&self) -> usize {
        TLV_HEADER_OCTETS.saturating_add(self.value_octets())
    }

    /// Writes the TLV.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when the writer has no room for all of it,
    /// [`ParseError::ValueTooLong`] when the Length field cannot say it; nothing is written then.
    pub fn emit_request(&self, writer: &mut Writer<'_>) -> Result<(), ParseError> {
        let (needed, available) = (self.encoded_octets(), writer.available());
        if available < needed {
            return Err(ParseError::Truncated { field: "Return Path TLV", needed, available });
        }
        emit_header(writer, TlvFlags::REQUEST, TlvType::RETURN_PATH, self.value_octets())?;
        if let Some(address) = self.address() {
            with_octets(address, |value| {
                Tlv::request(sub_type::RETURN_ADDRESS, value).emit(writer)
            })?;
        }
        match self {
            Self::Control(code) => {
                Tlv::request(sub_type::CONTROL_CODE, &code.0.to_be_bytes()).emit(writer)
            }
            Self::Address(_) => Ok(()),
            Self::Mpls { stack, .. } => {
                let octets = stack.encoded_octets();
                emit_header(writer, TlvFlags::REQUEST, sub_type::MPLS_LABEL_STACK, octets)?;
                stack.emit(writer)
            }
            Self::Srv6 { segments, .. } => {
                let octets = segments.len().saturating_mul(SEGMENT_OCTETS);
                emit_header(writer, TlvFlags::REQUEST, sub_type::SRV6_SEGMENT_LIST, octets)?;
                let mut sids = segments.segments().iter();
                sids.try_for_each(|sid| writer.put("SRv6 Segment List", sid.0.octets()))
            }
        }
    }

    const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Control(_) => None,
            Self::Address(address) => Some(*address),
            Self::Mpls { address, .. } | Self::Srv6 { address, .. } => *address,
        }
    }

    fn value_octets(&self) -> usize {
        let address = match self.address() {
            None => 0,
            Some(IpAddr::V4(_)) => TLV_HEADER_OCTETS.saturating_add(4),
            Some(IpAddr::V6(_)) => TLV_HEADER_OCTETS.saturating_add(16),
        };
        let other = match self {
            Self::Control(_) => Some(4),
            Self::Address(_) => None,
            Self::Mpls { stack, .. } => Some(stack.encoded_octets()),
            Self::Srv6 { segments, .. } => Some(segments.len().saturating_mul(SEGMENT_OCTETS)),
        };
        let other = other.map_or(0, |octets| octets.saturating_add(TLV_HEADER_OCTETS));
        address.saturating_add(other)
    }
}
