//! Timestamp Information TLV (RFC 8972 §4.3): what the timestamps of a reply are worth.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |STAMP TLV Flags|    Type=3     |            Length             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Sync Src In  | Timestamp In  | Sync Src Out  | Timestamp Out |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ~                      Sub-TLVs (optional)                      ~
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! A Session-Sender leaves the four fields zero. No sub-TLV is defined.

mod origin;

use super::{Tlv, TlvFlags, TlvType, TlvsMut};
use crate::error::ParseError;
use crate::reader::Reader;
use crate::writer::{Writer, patch_array};

pub use origin::{SynchronizationSource, TimestampOrigin, TimestampingMethod};

/// Octets of the four fields; sub-TLVs may follow.
pub const FIELD_OCTETS: usize = 4;

/// What a Session-Reflector says of its two timestamps.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct TimestampInformation {
    /// Of T2, when the probe came in.
    pub probe_received: TimestampOrigin,
    /// Of T3, when the reply went out.
    pub reply_sent: TimestampOrigin,
}

impl TimestampInformation {
    /// Reads the value of a TLV; sub-TLVs are passed over.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when it has less than 4 octets; the TLV is malformed then.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(value);
        let [source_in, method_in, source_out, method_out] =
            reader.take_array("Timestamp Information")?;
        Ok(Self {
            probe_received: TimestampOrigin {
                source: SynchronizationSource(source_in),
                method: TimestampingMethod(method_in),
            },
            reply_sent: TimestampOrigin {
                source: SynchronizationSource(source_out),
                method: TimestampingMethod(method_out),
            },
        })
    }

    const fn octets(self) -> [u8; FIELD_OCTETS] {
        let (received, sent) = (self.probe_received, self.reply_sent);
        [received.source.0, received.method.0, sent.source.0, sent.method.0]
    }
}

/// Writes the TLV as a Session-Sender sends it.
///
/// # Errors
///
/// [`ParseError::Truncated`] when the writer has no room for 8 octets.
pub fn emit_request(writer: &mut Writer<'_>) -> Result<(), ParseError> {
    Tlv::request(TlvType::TIMESTAMP_INFORMATION, &[0; FIELD_OCTETS]).emit(writer)
}

/// Turns the value of a request into that of the reply; each sub-TLV is one that nobody knows.
///
/// # Errors
///
/// As [`TimestampInformation::parse`]; nothing is written then.
pub fn reflect(value: &mut [u8], information: TimestampInformation) -> Result<(), ParseError> {
    patch_array(value, 0, "Timestamp Information", information.octets())?;
    for sub in TlvsMut::new(value.get_mut(FIELD_OCTETS..).unwrap_or_default()) {
        match sub {
            Ok(mut sub) => sub.set_flags(TlvFlags::UNRECOGNIZED),
            Err(mut malformed) => malformed.set_flags(TlvFlags::MALFORMED),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::strategies::octets;
    use crate::tlv::Tlvs;

    #[test]
    fn a_request_is_zeros() {
        let mut octets = [0xee; 9];
        let mut writer = Writer::new(&mut octets);
        emit_request(&mut writer).unwrap();
        assert_eq!(writer.into_written(), [0x80, 3, 0, 4, 0, 0, 0, 0]);
        let refusal = ParseError::Truncated { field: "TLV", needed: 8, available: 7 };
        assert_eq!(emit_request(&mut Writer::new(&mut octets[..7])), Err(refusal));
    }

    #[test]
    fn each_field_lies_where_the_drawing_says() {
        let origin = |source, method| TimestampOrigin {
            source: SynchronizationSource(source),
            method: TimestampingMethod(method),
        };
        for (octets, probe_received, reply_sent) in [
            ([9, 0, 0, 0], origin(9, 0), origin(0, 0)),
            ([0, 9, 0, 0], origin(0, 9), origin(0, 0)),
            ([0, 0, 9, 0], origin(0, 0), origin(9, 0)),
            ([0, 0, 0, 9], origin(0, 0), origin(0, 9)),
        ] {
            let information = TimestampInformation { probe_received, reply_sent };
            assert_eq!(TimestampInformation::parse(&octets), Ok(information));
            let mut value = [0xff; 4];
            reflect(&mut value, information).unwrap();
            assert_eq!(value, octets, "whatever the request had there");
        }
    }

    #[test]
    fn less_than_four_octets_are_malformed() {
        for available in 0..4 {
            let mut value = [7; 4];
            let error =
                ParseError::Truncated { field: "Timestamp Information", needed: 4, available };
            assert_eq!(TimestampInformation::parse(&value[..available]), Err(error));
            let answer = reflect(&mut value[..available], TimestampInformation::default());
            assert_eq!(answer, Err(error));
            assert_eq!(value, [7; 4]);
        }
    }

    #[test]
    fn sub_tlvs_are_unknown_or_malformed() {
        let mut value = [0, 0, 0, 0, 0x80, 1, 0, 1, 7, 0x00, 2, 0, 0, 0x80, 3, 0, 2, 1];
        reflect(&mut value, TimestampInformation::default()).unwrap();
        assert_eq!(value, [0, 0, 0, 0, 0x80, 1, 0, 1, 7, 0x80, 2, 0, 0, 0x40, 3, 0, 2, 1]);
    }

    proptest! {
        #[test]
        fn what_is_reflected_is_read(fields in any::<[u8; 4]>(), subs in octets(20)) {
            let information = TimestampInformation::parse(&fields).unwrap();
            let mut value = [&[0; 4][..], &subs].concat();
            reflect(&mut value, information).unwrap();
            prop_assert_eq!(&value[..4], &fields);
            prop_assert_eq!(TimestampInformation::parse(&value), Ok(information));
            let kinds = |area| Tlvs::new(area).map_while(Result::ok).map(|sub| sub.kind);
            prop_assert!(kinds(&value[4..]).eq(kinds(&subs)));
        }
    }
}
