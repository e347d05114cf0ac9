//! Access Report TLV (RFC 8972 §4.6): tells the far end which access networks are there.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |STAMP TLV Flags|    Type=6     |           Length=4            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  ID   | Resv  |  Return Code  |           Reserved            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! A Session-Reflector echoes it, which acknowledges the report.

use core::fmt;

use super::{Tlv, TlvType, exactly, exactly_mut};
use crate::error::ParseError;
use crate::writer::Writer;

const TLV: &str = "Access Report";

/// The access network that a report is about; every other ID is invalid.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AccessId {
    /// Of 3GPP.
    ThreeGpp,
    /// Any other.
    NonThreeGpp,
}

impl AccessId {
    /// Its value in the four bits.
    #[must_use]
    pub const fn value(self) -> u8 {
        match self {
            Self::ThreeGpp => 1,
            Self::NonThreeGpp => 2,
        }
    }

    const fn from_value(value: u8) -> Option<Self> {
        match value {
            1 => Some(Self::ThreeGpp),
            2 => Some(Self::NonThreeGpp),
            _ => None,
        }
    }
}

impl fmt::Display for AccessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ThreeGpp => "3GPP",
            Self::NonThreeGpp => "Non-3GPP",
        })
    }
}

/// What is said of the access network: the "STAMP Return Codes" registry (RFC 8972 §5.6).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ReturnCode(pub u8);

impl ReturnCode {
    /// It can be used.
    pub const AVAILABLE: Self = Self(1);
    /// It cannot.
    pub const UNAVAILABLE: Self = Self(2);

    /// The name in the registry, if it has one.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::AVAILABLE => "Network available",
            Self::UNAVAILABLE => "Network unavailable",
            _ => return None,
        })
    }
}

impl fmt::Display for ReturnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

/// The value of the TLV, the same in both directions.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct AccessReport {
    /// The access network.
    pub access: AccessId,
    /// What is said of it.
    pub code: ReturnCode,
}

impl AccessReport {
    /// Reads the value of a TLV; what is reserved is ignored.
    ///
    /// # Errors
    ///
    /// [`ParseError::ValueLength`] when it has not 4 octets, so that the TLV is malformed;
    /// [`ParseError::AccessId`] when it is about no access network, so that it is to be discarded.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        let [first, code, _, _] = exactly(TLV, value)?;
        let id = first >> 4;
        let access = AccessId::from_value(id).ok_or(ParseError::AccessId { value: id })?;
        Ok(Self { access, code: ReturnCode(code) })
    }

    const fn octets(self) -> [u8; 4] {
        [self.access.value() << 4, self.code.0, 0, 0]
    }

    /// Writes the TLV as a Session-Sender sends it.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when the writer has no room for 8 octets.
    pub fn emit_request(&self, writer: &mut Writer<'_>) -> Result<(), ParseError> {
        Tlv::request(TlvType::ACCESS_REPORT, &self.octets()).emit(writer)
    }
}

/// Turns the value of a report into its echo, and hands out what was reported.
///
/// # Errors
///
/// As [`AccessReport::parse`]; nothing is written then.
pub fn reflect(value: &mut [u8]) -> Result<AccessReport, ParseError> {
    let report = AccessReport::parse(value)?;
    *exactly_mut(TLV, value)? = report.octets();
    Ok(report)
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use proptest::prelude::*;

    use super::*;
    use crate::tlv::{TlvFlags, Tlvs};

    #[test]
    fn each_field_lies_where_the_drawing_says() {
        for (access, code, octets) in [
            (AccessId::ThreeGpp, ReturnCode(0), [0x10, 0, 0, 0]),
            (AccessId::NonThreeGpp, ReturnCode(0), [0x20, 0, 0, 0]),
            (AccessId::ThreeGpp, ReturnCode::UNAVAILABLE, [0x10, 2, 0, 0]),
            (AccessId::ThreeGpp, ReturnCode(255), [0x10, 255, 0, 0]),
        ] {
            let report = AccessReport { access, code };
            assert_eq!(AccessReport::parse(&octets), Ok(report));
            let mut written = [0xee; 8];
            report.emit_request(&mut Writer::new(&mut written)).unwrap();
            assert_eq!((&written[..4], &written[4..]), (&[0x80, 6, 0, 4][..], &octets[..]));
        }
    }

    #[test]
    fn what_is_reserved_is_ignored_and_comes_back_as_zeros() {
        let mut value = [0x1f, 1, 0xff, 0xff];
        let report = AccessReport { access: AccessId::ThreeGpp, code: ReturnCode::AVAILABLE };
        assert_eq!(AccessReport::parse(&value), Ok(report));
        assert_eq!(reflect(&mut value), Ok(report));
        assert_eq!(value, [0x10, 1, 0, 0]);
    }

    #[test]
    fn another_access_network_is_refused() {
        for id in [0].into_iter().chain(3..16) {
            let mut value = [id << 4 | 1, 1, 0, 7];
            assert_eq!(reflect(&mut value), Err(ParseError::AccessId { value: id }));
            assert_eq!(value, [id << 4 | 1, 1, 0, 7], "copied as it is");
        }
    }

    #[test]
    fn the_value_has_four_octets() {
        for octets in (0..9).filter(|length| *length != 4) {
            let mut value = [0x17; 8];
            let error = ParseError::ValueLength { tlv: TLV, octets, expected: 4 };
            assert_eq!(AccessReport::parse(&value[..octets]), Err(error));
            assert_eq!(reflect(&mut value[..octets]), Err(error));
            assert_eq!(value, [0x17; 8]);
        }
        let report = AccessReport { access: AccessId::ThreeGpp, code: ReturnCode::AVAILABLE };
        let refusal = ParseError::Truncated { field: "TLV", needed: 8, available: 7 };
        assert_eq!(report.emit_request(&mut Writer::new(&mut [0; 7])), Err(refusal));
    }

    #[test]
    fn networks_and_codes_have_their_names() {
        assert_eq!(AccessId::ThreeGpp.to_string(), "3GPP");
        assert_eq!(AccessId::NonThreeGpp.to_string(), "Non-3GPP");
        assert_eq!(ReturnCode(1).to_string(), "Network available");
        assert_eq!(ReturnCode(2).to_string(), "Network unavailable");
        assert_eq!(ReturnCode(3).to_string(), "3");
    }

    proptest! {
        #[test]
        fn every_report_survives_the_wire(is_3gpp in any::<bool>(), code in any::<u8>()) {
            let access = if is_3gpp { AccessId::ThreeGpp } else { AccessId::NonThreeGpp };
            let report = AccessReport { access, code: ReturnCode(code) };
            let mut octets = [0; 8];
            report.emit_request(&mut Writer::new(&mut octets)).unwrap();
            let tlv = Tlvs::new(&octets).next().unwrap().unwrap();
            prop_assert_eq!((tlv.flags, tlv.kind), (TlvFlags::REQUEST, TlvType::ACCESS_REPORT));
            let mut value = tlv.value.to_vec();
            prop_assert_eq!(reflect(&mut value), Ok(report));
            prop_assert_eq!(value, tlv.value);
        }
    }
}
