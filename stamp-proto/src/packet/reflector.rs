//! The reply: Session-Reflector test packet.

use super::{AuthenticationMode, Ssid};
use crate::error::ParseError;
use crate::ip::HopLimit;
use crate::reader::{Reader, peek_array};
use crate::time::{ErrorEstimate, Timestamp};
use crate::writer::{Writer, patch_array};

const MBZ: &str = "octets that must be zero";

/// Session-Reflector test packet (RFC 8762 §4.3, its SSID by RFC 8972 §3).
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
/// |                       Receive Timestamp                       |  16
/// |                                                               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                Session-Sender Sequence Number                 |  24
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                   Session-Sender Timestamp                    |  28
/// |                                                               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// | Session-Sender Error Estimate |              MBZ              |  36
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// | Ses-Sender TTL|                      MBZ                      |  40
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
/// |                         MBZ (4 octets)                        |  28
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                       Receive Timestamp                       |  32
/// |                                                               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~                         MBZ (8 octets)                        ~  40
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                Session-Sender Sequence Number                 |  48
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~                         MBZ (12 octets)                       ~  52
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                   Session-Sender Timestamp                    |  64
/// |                                                               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// | Session-Sender Error Estimate |                               |  72
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+        MBZ (6 octets)         +
/// |                                                               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// | Ses-Sender TTL|                                               |  80
/// +-+-+-+-+-+-+-+-+        MBZ (15 octets)                        +
/// ~                                                               ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ~                        HMAC (16 octets)                       ~  96
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ReflectorPacket {
    /// Copied from the probe when stateless, a counter of replies when stateful.
    pub sequence: u32,
    /// When the reply left (T3).
    pub timestamp: Timestamp,
    /// Quality of the clock behind T2 and T3; its Z bit says how both are read.
    pub error_estimate: ErrorEstimate,
    /// The session, copied from the probe.
    pub ssid: Ssid,
    /// When the probe arrived (T2).
    pub receive_timestamp: Timestamp,
    /// Sequence Number of the probe.
    pub sender_sequence: u32,
    /// Timestamp of the probe (T1), bit for bit.
    pub sender_timestamp: Timestamp,
    /// Error Estimate of the probe; its Z bit says how T1 is read.
    pub sender_error_estimate: ErrorEstimate,
    /// TTL or Hop Limit of the probe as it arrived.
    pub sender_ttl: HopLimit,
}

impl ReflectorPacket {
    /// Reads a reply; what is MBZ is not looked at, neither is the HMAC.
    ///
    /// Unauthenticated, 41 octets are enough, as TWAMP Light sends no more (RFC 8762 §4.6).
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when a field, or in authenticated mode the HMAC, is not there.
    #[inline]
    pub fn parse(mode: AuthenticationMode, octets: &[u8]) -> Result<Self, ParseError> {
        let authenticated = mode == AuthenticationMode::Authenticated;
        let mut reader = Reader::new(octets);
        let sequence = reader.take_u32("sequence number")?;
        if authenticated {
            reader.skip::<12>(MBZ)?;
        }
        let timestamp = reader.take_array("timestamp")?;
        let error_estimate = ErrorEstimate::from_bits(reader.take_u16("error estimate")?);
        let ssid = Ssid(reader.take_u16("SSID")?);
        if authenticated {
            reader.skip::<4>(MBZ)?;
        }
        let receive_timestamp = reader.take_array("receive timestamp")?;
        if authenticated {
            reader.skip::<8>(MBZ)?;
        }
        let sender_sequence = reader.take_u32("session-sender sequence number")?;
        if authenticated {
            reader.skip::<12>(MBZ)?;
        }
        let sender_timestamp = reader.take_array("session-sender timestamp")?;
        let sender_error_estimate =
            ErrorEstimate::from_bits(reader.take_u16("session-sender error estimate")?);
        reader.skip::<2>(MBZ)?;
        if authenticated {
            reader.skip::<4>(MBZ)?;
        }
        let sender_ttl = HopLimit(reader.take_u8("session-sender TTL")?);
        if authenticated {
            reader.skip::<15>(MBZ)?;
            reader.skip::<16>("HMAC")?;
        }
        Ok(Self {
            sequence,
            timestamp: Timestamp::from_octets(timestamp, error_estimate.format()),
            error_estimate,
            ssid,
            receive_timestamp: Timestamp::from_octets(receive_timestamp, error_estimate.format()),
            sender_sequence,
            sender_timestamp: Timestamp::from_octets(
                sender_timestamp,
                sender_error_estimate.format(),
            ),
            sender_error_estimate,
            sender_ttl,
        })
    }

    /// Writes the whole base packet into the front of `octets`: MBZ zero, HMAC zero.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when `octets` is too short, [`ParseError::FormatMismatch`] when a
    /// timestamp has not the format that its Error Estimate announces.
    #[inline]
    pub fn emit(&self, mode: AuthenticationMode, octets: &mut [u8]) -> Result<(), ParseError> {
        self.check_formats()?;
        let authenticated = mode == AuthenticationMode::Authenticated;
        let mut writer = Writer::new(octets);
        writer.put("sequence number", self.sequence.to_be_bytes())?;
        if authenticated {
            writer.put_zeros::<12>(MBZ)?;
        }
        writer.put("timestamp", self.timestamp.octets())?;
        writer.put("error estimate", self.error_estimate.bits().to_be_bytes())?;
        writer.put("SSID", self.ssid.0.to_be_bytes())?;
        if authenticated {
            writer.put_zeros::<4>(MBZ)?;
        }
        writer.put("receive timestamp", self.receive_timestamp.octets())?;
        if authenticated {
            writer.put_zeros::<8>(MBZ)?;
        }
        writer.put("session-sender sequence number", self.sender_sequence.to_be_bytes())?;
        if authenticated {
            writer.put_zeros::<12>(MBZ)?;
        }
        writer.put("session-sender timestamp", self.sender_timestamp.octets())?;
        let sender_error_estimate = self.sender_error_estimate.bits().to_be_bytes();
        writer.put("session-sender error estimate", sender_error_estimate)?;
        writer.put_zeros::<2>(MBZ)?;
        if authenticated {
            writer.put_zeros::<4>(MBZ)?;
        }
        writer.put("session-sender TTL", [self.sender_ttl.0])?;
        writer.put_zeros::<3>(MBZ)?;
        if authenticated {
            writer.put_zeros::<12>(MBZ)?;
            writer.put_zeros::<16>("HMAC")?;
        }
        Ok(())
    }

    /// Overwrites T3 in a reply that was emitted before; the HMAC is not renewed.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when there is no such field, [`ParseError::FormatMismatch`] when
    /// the Error Estimate in `octets` announces another format.
    #[inline]
    pub fn write_reply_sent(
        mode: AuthenticationMode,
        octets: &mut [u8],
        reply_sent: Timestamp,
    ) -> Result<(), ParseError> {
        let estimate = peek_array(octets, mode.error_estimate_offset(), "error estimate")?;
        if ErrorEstimate::from_bits(u16::from_be_bytes(estimate)).format() != reply_sent.format() {
            return Err(ParseError::FormatMismatch);
        }
        patch_array(octets, mode.timestamp_offset(), "timestamp", reply_sent.octets())
    }

    fn check_formats(&self) -> Result<(), ParseError> {
        let own = self.error_estimate.format();
        let consistent = self.timestamp.format() == own
            && self.receive_timestamp.format() == own
            && self.sender_timestamp.format() == self.sender_error_estimate.format();
        if consistent { Ok(()) } else { Err(ParseError::FormatMismatch) }
    }
}
