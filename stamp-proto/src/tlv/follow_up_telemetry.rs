//! Follow-Up Telemetry TLV (RFC 8972 §4.7): when the previous reply really left.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |STAMP TLV Flags|    Type=7     |           Length=16           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                        Sequence Number                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                                                               |
//! +                      Follow-Up Timestamp                      +
//! |                                                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Timestamp M  |                   Reserved                    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! A Session-Sender leaves all of it zero, and so does a Session-Reflector that has nothing to say.

use super::timestamp_information::TimestampingMethod;
use super::{Tlv, TlvType, exactly};
use crate::error::ParseError;
use crate::reader::Reader;
use crate::time::{Timestamp, TimestampFormat};
use crate::writer::Writer;

/// Octets of the value.
pub const VALUE_OCTETS: usize = 16;

const TLV: &str = "Follow-Up Telemetry";

/// Sequence Number and Follow-Up Timestamp.
const ZEROED_OCTETS: usize = 12;

/// What a Session-Reflector says of an earlier reply of the session.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FollowUpTelemetry {
    /// Sequence Number of that reply.
    pub sequence: u32,
    /// When it left, in the format of the reply that tells it.
    pub timestamp: Timestamp,
    /// How that was found out.
    pub method: TimestampingMethod,
}

impl FollowUpTelemetry {
    /// Reads the value of a reply, the timestamp by the Z bit of that reply; what is reserved is
    /// ignored. `None` when there is no timestamp: nothing was told.
    ///
    /// # Errors
    ///
    /// [`ParseError::ValueLength`] when it has not 16 octets; the TLV is malformed then.
    pub fn parse(value: &[u8], format: TimestampFormat) -> Result<Option<Self>, ParseError> {
        let value: [u8; VALUE_OCTETS] = exactly(TLV, value)?;
        let mut reader = Reader::new(&value);
        let sequence = reader.take_u32(TLV)?;
        let timestamp = Timestamp::from_octets(reader.take_array(TLV)?, format);
        let method = TimestampingMethod(reader.take_u8(TLV)?);
        Ok((!timestamp.is_zero()).then_some(Self { sequence, timestamp, method }))
    }
}

/// Writes the TLV as a Session-Sender sends it.
///
/// # Errors
///
/// [`ParseError::Truncated`] when the writer has no room for 20 octets.
pub fn emit_request(writer: &mut Writer<'_>) -> Result<(), ParseError> {
    Tlv::request(TlvType::FOLLOW_UP_TELEMETRY, &[0; VALUE_OCTETS]).emit(writer)
}

/// Turns the value of a request into that of the reply; `None` is for a stateless
/// Session-Reflector, and for one that has no earlier reply or does not know when it left.
///
/// # Errors
///
/// [`ParseError::ValueLength`] when it has not 16 octets: the TLV is malformed then, and what there
/// is of Sequence Number and Follow-Up Timestamp zero all the same.
pub fn reflect(value: &mut [u8], told: Option<FollowUpTelemetry>) -> Result<(), ParseError> {
    if value.len() != VALUE_OCTETS {
        value.iter_mut().take(ZEROED_OCTETS).for_each(|octet| *octet = 0);
        return exactly::<VALUE_OCTETS>(TLV, value).map(|_| ());
    }
    let mut writer = Writer::new(value);
    let Some(told) = told else {
        return writer.put_zeros::<VALUE_OCTETS>(TLV);
    };
    writer.put(TLV, told.sequence.to_be_bytes())?;
    writer.put(TLV, told.timestamp.octets())?;
    writer.put(TLV, [told.method.0, 0, 0, 0])
}

#[cfg(test)]
mod tests {
    use std::vec;

    use proptest::prelude::*;

    use super::*;
    use crate::strategies::formats;

    const NTP: TimestampFormat = TimestampFormat::Ntp;

    fn told(sequence: u32, octets: [u8; 8], method: u8) -> FollowUpTelemetry {
        let timestamp = Timestamp::from_octets(octets, NTP);
        FollowUpTelemetry { sequence, timestamp, method: TimestampingMethod(method) }
    }

    #[test]
    fn a_request_is_zeros() {
        let mut octets = [0xee; 21];
        let mut writer = Writer::new(&mut octets);
        emit_request(&mut writer).unwrap();
        let written = writer.into_written();
        assert_eq!((&written[..4], &written[4..]), (&[0x80, 7, 0, 16][..], &[0; 16][..]));
        let refusal = ParseError::Truncated { field: "TLV", needed: 20, available: 19 };
        assert_eq!(emit_request(&mut Writer::new(&mut octets[..19])), Err(refusal));
    }

    #[test]
    fn each_field_lies_where_the_drawing_says() {
        let last = [0, 0, 0, 0, 0, 0, 0, 1];
        for (telemetry, octets) in [
            (told(0, last, 0), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
            (told(0x0102_0304, last, 0), [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
            (
                told(0, [1, 2, 3, 4, 5, 6, 7, 8], 0),
                [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0],
            ),
            (told(0, last, 9), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9, 0, 0, 0]),
        ] {
            assert_eq!(FollowUpTelemetry::parse(&octets, NTP), Ok(Some(telemetry)));
            let mut value = [0xff; 16];
            reflect(&mut value, Some(telemetry)).unwrap();
            assert_eq!(value, octets);
        }
    }

    #[test]
    fn who_has_nothing_to_say_answers_zeros() {
        let mut value = [7; 16];
        reflect(&mut value, None).unwrap();
        assert_eq!(value, [0; 16]);
        assert_eq!(FollowUpTelemetry::parse(&value, NTP), Ok(None));
        value[3] = 6;
        value[12] = 1;
        assert_eq!(FollowUpTelemetry::parse(&value, NTP), Ok(None), "without a timestamp");
    }

    #[test]
    fn what_is_reserved_is_ignored() {
        let mut value = [1; 16];
        let read = FollowUpTelemetry::parse(&value, NTP);
        value[13..].copy_from_slice(&[9, 8, 7]);
        assert_eq!(FollowUpTelemetry::parse(&value, NTP), read);
    }

    #[test]
    fn a_wrong_length_is_malformed_and_number_and_time_are_zero() {
        for octets in (0..24).filter(|length| *length != 16) {
            let mut value = vec![7; octets];
            let error = ParseError::ValueLength { tlv: TLV, octets, expected: 16 };
            assert_eq!(FollowUpTelemetry::parse(&value, NTP), Err(error));
            assert_eq!(reflect(&mut value, Some(told(1, [1; 8], 1))), Err(error));
            let (zeroed, kept) = value.split_at(octets.min(12));
            assert!(zeroed.iter().all(|octet| *octet == 0));
            assert!(kept.iter().all(|octet| *octet == 7));
        }
    }

    proptest! {
        #[test]
        fn what_is_told_is_read(
            format in formats(),
            sequence in any::<u32>(),
            octets in any::<[u8; 8]>(),
            method in any::<u8>(),
        ) {
            let timestamp = Timestamp::from_octets(octets, format);
            let method = TimestampingMethod(method);
            let telemetry = FollowUpTelemetry { sequence, timestamp, method };
            let mut value = [0; 16];
            reflect(&mut value, Some(telemetry)).unwrap();
            let expected = (!timestamp.is_zero()).then_some(telemetry);
            prop_assert_eq!(FollowUpTelemetry::parse(&value, format), Ok(expected));
        }
    }
}
