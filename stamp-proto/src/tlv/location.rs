//! Location TLV (RFC 8972 §4.2): which ports and addresses a probe arrived with.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |STAMP TLV Flags|    Type=2     |            Length             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |       Destination Port        |          Source Port          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ~                           Sub-TLVs                            ~
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! A Session-Sender asks by sub-TLVs of a general type and leaves every value zero. Each is answered
//! in its place and at its size by one of the type that fits. Where reply and probe differ, a NAT is
//! on the way.

mod mac;
mod request;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::sub_tlv::{self, SubTlvError, sub_type};
use super::{TlvFlags, TlvMut, TlvType, Tlvs, TlvsMut, exactly};
use crate::error::ParseError;
use crate::reader::{Reader, peek_array};
use crate::writer::patch_array;

pub use mac::SourceMac;
pub use request::LocationRequest;

/// Octets of the ports; sub-TLVs may follow.
pub const PORT_OCTETS: usize = 4;

const MAC_OCTETS: usize = 8;
const ADDRESS_OCTETS: usize = 16;
const TLV: &str = "Location";

/// What a Session-Reflector tells of a probe. A port that is not told is zero, an address
/// unspecified.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Arrival {
    /// UDP port it was sent to.
    pub destination_port: u16,
    /// UDP port it came from.
    pub source_port: u16,
    /// Who put it on the last link; `None` where links have no such addresses.
    pub source_mac: Option<SourceMac>,
    /// Address it was sent to.
    pub destination: IpAddr,
    /// Address it came from.
    pub source: IpAddr,
}

/// What a reply tells; `None` for what was not asked for, not known or not told.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Location {
    /// UDP port the probe was sent to, as the Session-Reflector saw it.
    pub destination_port: Option<u16>,
    /// UDP port it came from.
    pub source_port: Option<u16>,
    /// Who put it on the last link.
    pub source_mac: Option<SourceMac>,
    /// Address it was sent to.
    pub destination: Option<IpAddr>,
    /// Address it came from.
    pub source: Option<IpAddr>,
}

impl Location {
    /// Reads the value of a reply. Of two sub-TLVs that tell the same the first counts.
    ///
    /// What the Session-Reflector did not know (flag U) is passed over, and what is behind one it
    /// could not read (flag M) is not looked at.
    ///
    /// # Errors
    ///
    /// [`SubTlvError`] when there is no room for the ports or a sub-TLV is malformed.
    pub fn parse(value: &[u8]) -> Result<Self, SubTlvError> {
        let mut reader = Reader::new(value);
        let told = |port| (port != 0).then_some(port);
        let destination_port = told(reader.take_u16(TLV)?);
        let source_port = told(reader.take_u16(TLV)?);
        let mut location = Self { destination_port, source_port, ..Self::default() };
        for sub in Tlvs::new(reader.rest()) {
            let sub = sub?;
            if sub.flags.is_malformed() {
                break;
            }
            if !sub.flags.is_unrecognized() {
                check_length(sub.kind, sub.value)?;
                location.take(sub.kind, sub.value)?;
            }
        }
        Ok(location)
    }

    fn take(&mut self, kind: TlvType, value: &[u8]) -> Result<(), ParseError> {
        match kind {
            sub_type::SOURCE_EUI_48 => {
                let mac = SourceMac::Eui48(peek_array(value, 0, TLV)?);
                self.source_mac = self.source_mac.or(mac.if_told());
            }
            sub_type::SOURCE_EUI_64 => {
                let mac = SourceMac::Eui64(peek_array(value, 0, TLV)?);
                self.source_mac = self.source_mac.or(mac.if_told());
            }
            sub_type::DESTINATION_IPV4 => self.destination = self.destination.or(ipv4(value)?),
            sub_type::DESTINATION_IPV6 => self.destination = self.destination.or(ipv6(value)?),
            sub_type::SOURCE_IPV4 => self.source = self.source.or(ipv4(value)?),
            sub_type::SOURCE_IPV6 => self.source = self.source.or(ipv6(value)?),
            // A question that nobody answered, or something else.
            _ => {}
        }
        Ok(())
    }
}

/// Turns the value of a request into that of the reply, at its size.
///
/// A sub-TLV that asks for nothing known here gets U.
///
/// # Errors
///
/// [`SubTlvError`] when there is no room for the ports or a sub-TLV is malformed; the TLV is
/// malformed then. That sub-TLV gets M, and nothing else is written.
pub fn reflect(value: &mut [u8], arrival: &Arrival) -> Result<(), SubTlvError> {
    let available = value.len();
    let Some((ports, subs)) = value.split_first_chunk_mut::<PORT_OCTETS>() else {
        return Err(ParseError::Truncated { field: TLV, needed: PORT_OCTETS, available }.into());
    };
    sub_tlv::check(subs, check_length)?;
    let [a, b] = arrival.destination_port.to_be_bytes();
    let [c, d] = arrival.source_port.to_be_bytes();
    *ports = [a, b, c, d];
    for mut sub in TlvsMut::new(subs).flatten() {
        let answered = answer(&mut sub, arrival)?;
        sub.set_flags(if answered { TlvFlags::NONE } else { TlvFlags::UNRECOGNIZED });
    }
    Ok(())
}

/// Puts the answer in the place of the question, if it is one.
fn answer(sub: &mut TlvMut<'_>, arrival: &Arrival) -> Result<bool, ParseError> {
    match sub.kind {
        sub_type::SOURCE_MAC_ADDRESS => {
            let mac = arrival.source_mac.unwrap_or(SourceMac::NONE);
            sub.set_kind(match mac {
                SourceMac::Eui48(_) => sub_type::SOURCE_EUI_48,
                SourceMac::Eui64(_) => sub_type::SOURCE_EUI_64,
            });
            patch_array(sub.value, 0, TLV, mac.padded())?;
        }
        sub_type::DESTINATION_IP => {
            sub.set_kind(match arrival.destination {
                IpAddr::V4(_) => sub_type::DESTINATION_IPV4,
                IpAddr::V6(_) => sub_type::DESTINATION_IPV6,
            });
            patch_array(sub.value, 0, TLV, padded(arrival.destination))?;
        }
        sub_type::SOURCE_IP => {
            sub.set_kind(match arrival.source {
                IpAddr::V4(_) => sub_type::SOURCE_IPV4,
                IpAddr::V6(_) => sub_type::SOURCE_IPV6,
            });
            patch_array(sub.value, 0, TLV, padded(arrival.source))?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Every sub-TLV that is known has a fixed Length.
fn check_length(kind: TlvType, value: &[u8]) -> Result<(), ParseError> {
    match kind {
        sub_type::SOURCE_MAC_ADDRESS | sub_type::SOURCE_EUI_48 | sub_type::SOURCE_EUI_64 => {
            exactly::<MAC_OCTETS>("a MAC address of Location", value).map(|_| ())
        }
        sub_type::DESTINATION_IP
        | sub_type::DESTINATION_IPV4
        | sub_type::DESTINATION_IPV6
        | sub_type::SOURCE_IP
        | sub_type::SOURCE_IPV4
        | sub_type::SOURCE_IPV6 => {
            exactly::<ADDRESS_OCTETS>("an IP address of Location", value).map(|_| ())
        }
        _ => Ok(()),
    }
}

/// An address of either family in the room for the longer one.
fn padded(address: IpAddr) -> [u8; ADDRESS_OCTETS] {
    match address {
        IpAddr::V4(address) => {
            let mut octets = [0; ADDRESS_OCTETS];
            if let Some(place) = octets.first_chunk_mut() {
                *place = address.octets();
            }
            octets
        }
        IpAddr::V6(address) => address.octets(),
    }
}

/// The address, unless it is none; what is behind it is not looked at.
fn ipv4(value: &[u8]) -> Result<Option<IpAddr>, ParseError> {
    let address = Ipv4Addr::from(peek_array::<4>(value, 0, TLV)?);
    Ok((!address.is_unspecified()).then_some(IpAddr::V4(address)))
}

fn ipv6(value: &[u8]) -> Result<Option<IpAddr>, ParseError> {
    let address = Ipv6Addr::from(peek_array::<ADDRESS_OCTETS>(value, 0, TLV)?);
    Ok((!address.is_unspecified()).then_some(IpAddr::V6(address)))
}

#[cfg(test)]
mod tests;
