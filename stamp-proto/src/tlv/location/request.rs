//! Location TLVs as a Session-Sender writes them.

use super::{ADDRESS_OCTETS, MAC_OCTETS, PORT_OCTETS, sub_type};
use crate::error::ParseError;
use crate::tlv::{TLV_HEADER_OCTETS, Tlv, TlvFlags, TlvType, emit_header};
use crate::writer::Writer;

/// What a Session-Sender wants to know beside the ports.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct LocationRequest {
    /// Who put the probe on the last link.
    pub source_mac: bool,
    /// The address it was sent to.
    pub destination: bool,
    /// The address it came from.
    pub source: bool,
}

impl LocationRequest {
    /// Everything that can be asked for.
    pub const ALL: Self = Self { source_mac: true, destination: true, source: true };

    /// Octets of the whole TLV.
    #[must_use]
    pub fn encoded_octets(&self) -> usize {
        TLV_HEADER_OCTETS.saturating_add(self.value_octets())
    }

    /// Writes the TLV.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when the writer has no room for all of it; nothing is written then.
    pub fn emit_request(&self, writer: &mut Writer<'_>) -> Result<(), ParseError> {
        let (needed, available) = (self.encoded_octets(), writer.available());
        if available < needed {
            return Err(ParseError::Truncated { field: "Location TLV", needed, available });
        }
        emit_header(writer, TlvFlags::REQUEST, TlvType::LOCATION, self.value_octets())?;
        writer.put_zeros::<PORT_OCTETS>("Location ports")?;
        for (kind, octets) in self.questions() {
            Tlv::request(kind, octets).emit(writer)?;
        }
        Ok(())
    }

    fn value_octets(&self) -> usize {
        let subs =
            self.questions().map(|(_, octets)| octets.len().saturating_add(TLV_HEADER_OCTETS));
        subs.fold(PORT_OCTETS, usize::saturating_add)
    }

    /// Types and values of the sub-TLVs.
    fn questions(&self) -> impl Iterator<Item = (TlvType, &'static [u8])> + use<> {
        let all: [(bool, TlvType, &'static [u8]); 3] = [
            (self.source_mac, sub_type::SOURCE_MAC_ADDRESS, &[0; MAC_OCTETS]),
            (self.destination, sub_type::DESTINATION_IP, &[0; ADDRESS_OCTETS]),
            (self.source, sub_type::SOURCE_IP, &[0; ADDRESS_OCTETS]),
        ];
        all.into_iter().filter(|(asked, ..)| *asked).map(|(_, kind, zeros)| (kind, zeros))
    }
}
