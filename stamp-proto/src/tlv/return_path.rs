//! Return Path TLV (RFC 9503 §4): which way a reply is to take.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |STAMP TLV Flags|    Type=10    |            Length             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ~                           Sub-TLVs                            ~
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! Sub-TLVs have headers as TLVs do, and types of a registry of their own.

mod request;
mod segments;

use core::net::IpAddr;

use super::destination_node_address::parse_address;
use super::{Tlv, TlvError, TlvFlags, TlvType, Tlvs, TlvsMut};
use crate::error::ParseError;

pub use request::ReturnPathRequest;
pub use segments::{ReturnLabels, ReturnSegments, ReturnSids};

/// Types of the "Return Path Sub-TLV Types" registry.
pub mod sub_type {
    use super::TlvType;

    /// RFC 9503 §4.1.1.
    pub const CONTROL_CODE: TlvType = TlvType(1);
    /// RFC 9503 §4.1.2.
    pub const RETURN_ADDRESS: TlvType = TlvType(2);
    /// RFC 9503 §4.1.3.
    pub const MPLS_LABEL_STACK: TlvType = TlvType(3);
    /// RFC 9503 §4.1.3.
    pub const SRV6_SEGMENT_LIST: TlvType = TlvType(4);
}

/// Why the value of a Return Path TLV is malformed.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum ReturnPathError {
    #[error("a Return Path has at least one sub-TLV")]
    Empty,
    #[error("sub-TLV: {0}")]
    Frame(#[from] TlvError),
    #[error("a Return Path Control Code of {octets} octets; it has 4")]
    ControlCode { octets: usize },
    #[error("Return Address: {0}")]
    Address(ParseError),
    #[error("{octets} octets are no list of whole labels, or of none")]
    Labels { octets: usize },
    #[error("{octets} octets are no list of whole SIDs, or of none")]
    Sids { octets: usize },
}

/// Flags of the Return Path Control Code sub-TLV (RFC 9503 §4.1.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ControlCode(pub u32);

impl ControlCode {
    /// No reply is wanted: a one-way measurement.
    pub const NO_REPLY: Self = Self(0);
    /// A reply is wanted, on the link on which the probe came in.
    pub const SAME_LINK: Self = Self(1);

    /// A reply is wanted; the other flags are unassigned and not looked at.
    #[must_use]
    pub const fn wants_reply(self) -> bool {
        self.0 & Self::SAME_LINK.0 != 0
    }
}

/// What a Return Path TLV asks for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ReturnPath<'a> {
    /// To reply on the same link, or not at all. A Session-Sender sends nothing beside it; what is
    /// there all the same does not count.
    Control(ControlCode),
    /// To reply to another address, over segments, or both.
    Route {
        /// Where the reply ends; without it, where the probe came from.
        address: Option<IpAddr>,
        /// What it passes.
        segments: Option<ReturnSegments<'a>>,
    },
    /// Something that is not known here.
    Unknown,
}

impl<'a> ReturnPath<'a> {
    /// Reads the value of a TLV. Of two sub-TLVs that ask for the same only the first counts.
    ///
    /// Whether labels may follow each other is told by [`ReturnLabels::check`]: a stack that breaks
    /// a rule cannot be imposed, but its sub-TLV is well formed.
    ///
    /// # Errors
    ///
    /// [`ReturnPathError`] for the first sub-TLV that is malformed; the TLV is malformed then.
    pub fn parse(value: &'a [u8]) -> Result<Self, ReturnPathError> {
        if value.is_empty() {
            return Err(ReturnPathError::Empty);
        }
        let mut control = None;
        let mut address = None;
        let mut segments = None;
        for sub in Tlvs::new(value) {
            match Wish::parse(sub?)? {
                Wish::Control(code) => control = control.or(Some(code)),
                Wish::Address(ip) => address = address.or(Some(ip)),
                Wish::Segments(list) => segments = segments.or(Some(list)),
                Wish::Unknown => {}
            }
        }
        Ok(match (control, address, segments) {
            (Some(code), _, _) => Self::Control(code),
            (None, None, None) => Self::Unknown,
            (None, address, segments) => Self::Route { address, segments },
        })
    }
}

/// Writes into the flags of each sub-TLV what a Session-Reflector made of it: none for one that
/// counts, U for one that is unknown or does not count, M for one that is malformed. What is behind
/// a malformed one stays as it was.
///
/// # Errors
///
/// As [`ReturnPath::parse`]; the TLV itself gets the flag M then.
pub fn reflect(value: &mut [u8]) -> Result<(), ReturnPathError> {
    let verdict = ReturnPath::parse(value).map(|path| matches!(path, ReturnPath::Control(_)));
    let by_control = verdict == Ok(true);
    let mut seen = [false; 3];
    for sub in TlvsMut::new(value) {
        let mut sub = match sub {
            Ok(sub) => sub,
            Err(mut malformed) => {
                malformed.set_flags(TlvFlags::MALFORMED);
                break;
            }
        };
        let read = Wish::parse(Tlv { flags: sub.flags(), kind: sub.kind, value: sub.value });
        let place = match read {
            Ok(Wish::Control(_)) => Some(0),
            Ok(Wish::Address(_)) => Some(1),
            Ok(Wish::Segments(_)) => Some(2),
            Ok(Wish::Unknown) => None,
            Err(_) => {
                sub.set_flags(TlvFlags::MALFORMED);
                break;
            }
        };
        let first = place.and_then(|place| seen.get_mut(place)).is_some_and(|seen| {
            let first = !*seen;
            *seen = true;
            first
        });
        let counts = first && (place == Some(0)) == by_control;
        sub.set_flags(if counts { TlvFlags::NONE } else { TlvFlags::UNRECOGNIZED });
    }
    verdict.map(|_| ())
}

/// What one sub-TLV asks for.
enum Wish<'a> {
    Control(ControlCode),
    Address(IpAddr),
    Segments(ReturnSegments<'a>),
    Unknown,
}

impl<'a> Wish<'a> {
    fn parse(sub: Tlv<'a>) -> Result<Self, ReturnPathError> {
        let octets = sub.value.len();
        Ok(match sub.kind {
            sub_type::CONTROL_CODE => {
                let code = <[u8; 4]>::try_from(sub.value)
                    .map_err(|_| ReturnPathError::ControlCode { octets })?;
                Self::Control(ControlCode(u32::from_be_bytes(code)))
            }
            sub_type::RETURN_ADDRESS => {
                Self::Address(parse_address(sub.value).map_err(ReturnPathError::Address)?)
            }
            sub_type::MPLS_LABEL_STACK => ReturnLabels::new(sub.value)
                .map(|labels| Self::Segments(ReturnSegments::Mpls(labels)))
                .ok_or(ReturnPathError::Labels { octets })?,
            sub_type::SRV6_SEGMENT_LIST => ReturnSids::new(sub.value)
                .map(|sids| Self::Segments(ReturnSegments::Srv6(sids)))
                .ok_or(ReturnPathError::Sids { octets })?,
            _ => Self::Unknown,
        })
    }
}

#[cfg(test)]
mod tests;
