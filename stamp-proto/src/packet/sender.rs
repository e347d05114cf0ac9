//! The probe: Session-Sender test packet.

use super::{AuthenticationMode, Ssid};
use crate::error::ParseError;
use crate::reader::Reader;
use crate::time::{ErrorEstimate, Timestamp};
use crate::writer::Writer;

const MBZ: &str = "octets that must be zero";

/// Session-Sender test packet (RFC 8762 §4.2, its SSID by RFC 8972 §3).
///
/// Unauthenticated, 44 octets:
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                        Sequence Number                        |  0
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                          Timestamp                            |  4
/// |                                                               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |         Error Estimate        |             SSID              |  12
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~                         MBZ (28 octets)                       ~  16
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
///
/// Authenticated, 112 octets:
///
/// ```text
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                        Sequence Number                        |  0
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~                         MBZ (12 octets)                       ~  4
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                          Timestamp                            |  16
/// |                                                               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |         Error Estimate        |             SSID              |  24
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~                         MBZ (68 octets)                       ~  28
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~                        HMAC (16 octets)                       ~  96
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SenderPacket {
    /// 0 in the first packet of a session, then one more in each, modulo 2^32.
    pub sequence: u32,
    /// When the probe left (T1).
    pub timestamp: Timestamp,
    /// Quality of the clock behind T1; its Z bit says how T1 is read.
    pub error_estimate: ErrorEstimate,
    /// The session, when the Session-Sender named it.
    pub ssid: Ssid,
}

impl SenderPacket {
    /// Reads a probe; what is MBZ is not looked at, neither is the HMAC.
    ///
    /// Unauthenticated, 14 octets are enough, as TWAMP Light may send no more (RFC 8762 §4.6); an
    /// SSID that is not there is [`Ssid::NONE`].
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when a field, or in authenticated mode the HMAC, is not there.
    #[inline]
    pub fn parse(mode: AuthenticationMode, octets: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(octets);
        let sequence = reader.take_u32("sequence number")?;
        if mode == AuthenticationMode::Authenticated {
            reader.skip::<12>(MBZ)?;
        }
        let timestamp = reader.take_array("timestamp")?;
        let error_estimate = ErrorEstimate::from_bits(reader.take_u16("error estimate")?);
        let ssid = match mode {
            AuthenticationMode::Unauthenticated => reader.take_u16("SSID").map_or(Ssid::NONE, Ssid),
            AuthenticationMode::Authenticated => {
                let ssid = reader.take_u16("SSID")?;
                reader.skip::<68>(MBZ)?;
                reader.skip::<16>("HMAC")?;
                Ssid(ssid)
            }
        };
        Ok(Self {
            sequence,
            timestamp: Timestamp::from_octets(timestamp, error_estimate.format()),
            error_estimate,
            ssid,
        })
    }

    /// Writes the whole base packet into the front of `octets`: MBZ zero, HMAC zero.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when `octets` is too short, [`ParseError::FormatMismatch`] when T1
    /// has not the format that the Error Estimate announces.
    #[inline]
    pub fn emit(&self, mode: AuthenticationMode, octets: &mut [u8]) -> Result<(), ParseError> {
        if self.timestamp.format() != self.error_estimate.format() {
            return Err(ParseError::FormatMismatch);
        }
        let mut writer = Writer::new(octets);
        writer.put("sequence number", self.sequence.to_be_bytes())?;
        if mode == AuthenticationMode::Authenticated {
            writer.put_zeros::<12>(MBZ)?;
        }
        writer.put("timestamp", self.timestamp.octets())?;
        writer.put("error estimate", self.error_estimate.bits().to_be_bytes())?;
        writer.put("SSID", self.ssid.0.to_be_bytes())?;
        match mode {
            AuthenticationMode::Unauthenticated => writer.put_zeros::<28>(MBZ),
            AuthenticationMode::Authenticated => {
                writer.put_zeros::<68>(MBZ)?;
                writer.put_zeros::<16>("HMAC")
            }
        }
    }
}
