//! Reflected Test Packet Control TLVs as a Session-Sender writes them.

use super::{
    AddressGroup, ControlDialect, Edition, FIELD_OCTETS, Layer2Group, Layer3Group,
    ReflectedPackets, sub_type,
};
use crate::error::ParseError;
use crate::tlv::{TLV_HEADER_OCTETS, Tlv, TlvFlags, TlvType, emit_header};
use crate::writer::Writer;

/// What a Session-Sender asks for.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct ReflectedTestPacketControlRequest {
    /// The replies that are wanted.
    pub packets: ReflectedPackets,
    /// Only of nodes with such an address of a link.
    pub layer_2: Option<Layer2Group>,
    /// Only of nodes with such an IP address.
    pub layer_3: Option<Layer3Group>,
    /// With the IPv6 extension headers of the probe, where the dialect has a type to ask for it.
    pub extension_headers: bool,
}

impl ReflectedTestPacketControlRequest {
    /// Octets of the whole TLV.
    #[must_use]
    pub fn encoded_octets(&self, dialect: ControlDialect) -> usize {
        TLV_HEADER_OCTETS.saturating_add(self.value_octets(dialect))
    }

    /// Writes the TLV.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when the writer has no room for all of it; nothing is written then.
    pub fn emit_request(
        &self,
        dialect: ControlDialect,
        writer: &mut Writer<'_>,
    ) -> Result<(), ParseError> {
        const FIELD: &str = "Reflected Test Packet Control TLV";
        let (needed, available) = (self.encoded_octets(dialect), writer.available());
        if available < needed {
            return Err(ParseError::Truncated { field: FIELD, needed, available });
        }
        let octets = self.value_octets(dialect);
        emit_header(writer, TlvFlags::REQUEST, TlvType::REFLECTED_TEST_PACKET_CONTROL, octets)?;
        writer.put(FIELD, self.packets.octets.to_be_bytes())?;
        writer.put(FIELD, self.packets.count.to_be_bytes())?;
        writer.put(FIELD, self.packets.interval_ns.to_be_bytes())?;
        for group in self.groups() {
            group.emit_request(writer)?;
        }
        if let Some(kind) = self.asked_with(dialect) {
            Tlv::request(kind, &[]).emit(writer)?;
        }
        if self.needs_filling(dialect) {
            Tlv { flags: TlvFlags::NONE, kind: sub_type::RESERVED, value: &[] }.emit(writer)?;
        }
        Ok(())
    }

    fn value_octets(&self, dialect: ControlDialect) -> usize {
        let filling = if self.needs_filling(dialect) { TLV_HEADER_OCTETS } else { 0 };
        FIELD_OCTETS.saturating_add(self.sub_octets(dialect)).saturating_add(filling)
    }

    /// Octets of the sub-TLVs that are wanted.
    fn sub_octets(&self, dialect: ControlDialect) -> usize {
        let asking = self.asked_with(dialect).map_or(0, |_| TLV_HEADER_OCTETS);
        self.groups().map(|group| group.encoded_octets()).fold(asking, usize::saturating_add)
    }

    fn needs_filling(&self, dialect: ControlDialect) -> bool {
        dialect.edition == Edition::Published && self.sub_octets(dialect) == 0
    }

    /// The type of the sub-TLV that asks for extension headers, if that is wanted and possible.
    fn asked_with(&self, dialect: ControlDialect) -> Option<TlvType> {
        dialect.extension_header_control.filter(|_| self.extension_headers)
    }

    fn groups(&self) -> impl Iterator<Item = AddressGroup> + use<> {
        let layer_2 = self.layer_2.map(AddressGroup::Layer2);
        layer_2.into_iter().chain(self.layer_3.map(AddressGroup::Layer3))
    }
}
