//! Direct Measurement TLV (RFC 8972 §4.5): counters of the traffic that a session stands for.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |STAMP TLV Flags|    Type=5     |           Length=12           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |             Session-Sender Tx counter (S_TxC)                 |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |            Session-Reflector Rx counter (R_RxC)               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |            Session-Reflector Tx counter (R_TxC)               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! A Session-Sender leaves the last two zero. Counters start again behind 2^32 - 1.

use super::{Tlv, TlvType, exactly, exactly_mut};
use crate::error::ParseError;
use crate::reader::Reader;
use crate::writer::Writer;

/// Octets of the value.
pub const VALUE_OCTETS: usize = 12;

const TLV: &str = "Direct Measurement";

/// Packets of the traffic that is measured, test packets not among them.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct DirectMeasurement {
    /// Transmitted by the Session-Sender when the probe left.
    pub sender_transmitted: u32,
    /// Received by the Session-Reflector when the probe arrived.
    pub reflector_received: u32,
    /// Transmitted by the Session-Reflector when the reply left.
    pub reflector_transmitted: u32,
}

impl DirectMeasurement {
    /// Reads the value of a TLV.
    ///
    /// # Errors
    ///
    /// [`ParseError::ValueLength`] when it has not 12 octets; the TLV is malformed then.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        let value: [u8; VALUE_OCTETS] = exactly(TLV, value)?;
        let mut reader = Reader::new(&value);
        Ok(Self {
            sender_transmitted: reader.take_u32(TLV)?,
            reflector_received: reader.take_u32(TLV)?,
            reflector_transmitted: reader.take_u32(TLV)?,
        })
    }
}

/// Writes the TLV as a Session-Sender sends it.
///
/// # Errors
///
/// [`ParseError::Truncated`] when the writer has no room for 16 octets.
pub fn emit_request(writer: &mut Writer<'_>, transmitted: u32) -> Result<(), ParseError> {
    let mut value = [0; VALUE_OCTETS];
    Writer::new(&mut value).put(TLV, transmitted.to_be_bytes())?;
    Tlv::request(TlvType::DIRECT_MEASUREMENT, &value).emit(writer)
}

/// Turns the value of a request into that of the reply: the counter of the Session-Sender stays.
///
/// # Errors
///
/// As [`DirectMeasurement::parse`]; nothing is written then.
pub fn reflect(value: &mut [u8], received: u32, transmitted: u32) -> Result<(), ParseError> {
    let value: &mut [u8; VALUE_OCTETS] = exactly_mut(TLV, value)?;
    let (_, own) = value.split_at_mut(size_of::<u32>());
    let mut writer = Writer::new(own);
    writer.put(TLV, received.to_be_bytes())?;
    writer.put(TLV, transmitted.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tlv::{TlvFlags, Tlvs};

    const FIRST: [u8; 12] = [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0];

    #[test]
    fn a_request_has_the_counter_of_the_sender_and_zeros() {
        let mut octets = [0xee; 17];
        let mut writer = Writer::new(&mut octets);
        emit_request(&mut writer, 0x0102_0304).unwrap();
        let written = writer.into_written();
        assert_eq!((&written[..4], &written[4..]), (&[0x80, 5, 0, 12][..], &FIRST[..]));
        let refusal = ParseError::Truncated { field: "TLV", needed: 16, available: 15 };
        assert_eq!(emit_request(&mut Writer::new(&mut octets[..15]), 1), Err(refusal));
    }

    #[test]
    fn each_counter_lies_where_the_drawing_says() {
        let counters = |octets: &[u8]| {
            let read = DirectMeasurement::parse(octets).unwrap();
            [read.sender_transmitted, read.reflector_received, read.reflector_transmitted]
        };
        let mut octets = FIRST;
        for place in 0..3 {
            let mut expected = [0; 3];
            expected[place] = 0x0102_0304;
            assert_eq!(counters(&octets), expected);
            octets.rotate_right(4);
        }
    }

    #[test]
    fn an_answer_keeps_the_counter_of_the_sender() {
        let mut value = [1, 2, 3, 4, 9, 9, 9, 9, 9, 9, 9, 9];
        reflect(&mut value, 5, u32::MAX).unwrap();
        assert_eq!(value, [1, 2, 3, 4, 0, 0, 0, 5, 255, 255, 255, 255]);
    }

    #[test]
    fn the_value_has_twelve_octets() {
        for octets in (0..20).filter(|length| *length != 12) {
            let mut value = [7; 20];
            let error = ParseError::ValueLength { tlv: TLV, octets, expected: 12 };
            assert_eq!(DirectMeasurement::parse(&value[..octets]), Err(error));
            assert_eq!(reflect(&mut value[..octets], 1, 1), Err(error));
            assert_eq!(value, [7; 20]);
        }
    }

    proptest! {
        #[test]
        fn every_measurement_survives_the_wire(counters in any::<[u32; 3]>()) {
            let [sender_transmitted, reflector_received, reflector_transmitted] = counters;
            let mut octets = [0; 16];
            emit_request(&mut Writer::new(&mut octets), sender_transmitted).unwrap();
            let tlv = Tlvs::new(&octets).next().unwrap().unwrap();
            prop_assert_eq!(tlv.kind, TlvType::DIRECT_MEASUREMENT);
            prop_assert_eq!(tlv.flags, TlvFlags::REQUEST);
            let mut value = tlv.value.to_vec();
            reflect(&mut value, reflector_received, reflector_transmitted).unwrap();
            let expected =
                DirectMeasurement { sender_transmitted, reflector_received, reflector_transmitted };
            prop_assert_eq!(DirectMeasurement::parse(&value), Ok(expected));
        }
    }
}
