//! Class of Service TLV (RFC 8972 §4.4): which DSCP and ECN a probe arrived with, and which the
//! reply is to have.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |STAMP TLV Flags|    Type=4     |           Length=4            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   DSCP1   |   DSCP2   |ECN| RP|EC1|RPE|       Reserved        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! EC1 and RPE are of draft-ietf-ippm-stamp-cos-ecn, which calls ECN and RP EC2 and RPD. To RFC 8972
//! they are reserved: a Session-Reflector without the draft leaves RPE zero.

use super::{Tlv, TlvType, exactly, exactly_mut};
use crate::error::ParseError;
use crate::ip::{Dscp, Ecn, join_traffic_class, split_traffic_class};
use crate::writer::Writer;

const TLV: &str = "Class of Service";

/// What a Session-Sender wants the reply to have.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct ClassOfServiceRequest {
    /// DSCP1.
    pub dscp: Dscp,
    /// EC1; Not-ECT asks for nothing that RFC 8972 has not.
    pub ecn: Ecn,
}

impl ClassOfServiceRequest {
    /// Reads the value of a request.
    ///
    /// # Errors
    ///
    /// [`ParseError::ValueLength`] when it has not 4 octets; the TLV is malformed then.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        ClassOfService::parse(value).map(|class| class.wanted)
    }

    /// Writes the TLV.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when the writer has no room for 8 octets.
    pub fn emit_request(&self, writer: &mut Writer<'_>) -> Result<(), ParseError> {
        let value = ClassOfService { wanted: *self, ..ClassOfService::default() }.octets();
        Tlv::request(TlvType::CLASS_OF_SERVICE, &value).emit(writer)
    }
}

/// Which DSCP the reply has: RP, or RPD.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum ReverseDscp {
    /// The one that was asked for.
    #[default]
    AsAsked,
    /// The one the probe arrived with: a policy refused the other.
    Refused,
}

/// Which ECN the reply has: RPE.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum ReverseEcn {
    /// Nothing was said of it: the draft is not known.
    #[default]
    NotTold,
    /// Not-ECT, because the one asked for could not be had.
    Refused,
    /// The one that was asked for.
    AsAsked,
}

/// What a reply says.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct ClassOfService {
    /// What was asked for.
    pub wanted: ClassOfServiceRequest,
    /// What a Session-Reflector saw and did.
    pub answer: ClassOfServiceAnswer,
}

/// What a Session-Reflector saw and did.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct ClassOfServiceAnswer {
    /// DSCP2: the one the probe arrived with.
    pub dscp: Dscp,
    /// ECN: the one the probe arrived with.
    pub ecn: Ecn,
    /// Whether the reply has the DSCP that was asked for.
    pub reverse_dscp: ReverseDscp,
    /// Whether it has the ECN that was asked for.
    pub reverse_ecn: ReverseEcn,
}

impl ClassOfService {
    /// Reads the value of a reply; what is reserved is ignored.
    ///
    /// Of RP only zero promises what was asked for, so the rest reads as refused; of RPE only 0b10 and
    /// 0b11 tell anything.
    ///
    /// # Errors
    ///
    /// [`ParseError::ValueLength`] when it has not 4 octets; the TLV is malformed then.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        let [first, second, third, _] = exactly(TLV, value)?;
        let (wanted_dscp, _) = split_traffic_class(first);
        // DSCP2 crosses the octets: its upper two bits end the first, its lower four begin the second.
        let (dscp, _) = split_traffic_class((first << 6) | (second >> 2));
        Ok(Self {
            wanted: ClassOfServiceRequest { dscp: wanted_dscp, ecn: Ecn::from_bits(third >> 6) },
            answer: ClassOfServiceAnswer {
                dscp,
                ecn: Ecn::from_bits(second >> 2),
                reverse_dscp: match second & 0b11 {
                    0 => ReverseDscp::AsAsked,
                    _ => ReverseDscp::Refused,
                },
                reverse_ecn: match (third >> 4) & 0b11 {
                    0b10 => ReverseEcn::Refused,
                    0b11 => ReverseEcn::AsAsked,
                    _ => ReverseEcn::NotTold,
                },
            },
        })
    }

    const fn octets(self) -> [u8; 4] {
        let Self { wanted, answer } = self;
        let reverse_dscp = match answer.reverse_dscp {
            ReverseDscp::AsAsked => 0,
            ReverseDscp::Refused => 1,
        };
        let reverse_ecn = match answer.reverse_ecn {
            ReverseEcn::NotTold => 0b00,
            ReverseEcn::Refused => 0b10,
            ReverseEcn::AsAsked => 0b11,
        };
        let first = join_traffic_class(wanted.dscp, Ecn::NotEct) | (answer.dscp.value() >> 4);
        let second = (answer.dscp.value() << 4) | (answer.ecn.bits() << 2) | reverse_dscp;
        [first, second, (wanted.ecn.bits() << 6) | (reverse_ecn << 4), 0]
    }
}

/// Turns the value of a request into that of the reply: what was asked for is kept, the answer put
/// beside it. Without a word on ECN the reply is one of RFC 8972, with nothing in what is reserved.
///
/// # Errors
///
/// [`ParseError::ValueLength`] when it has not 4 octets; nothing is written then.
pub fn reflect(value: &mut [u8], answer: ClassOfServiceAnswer) -> Result<(), ParseError> {
    let mut wanted = ClassOfServiceRequest::parse(value)?;
    if answer.reverse_ecn == ReverseEcn::NotTold {
        wanted.ecn = Ecn::NotEct;
    }
    *exactly_mut(TLV, value)? = ClassOfService { wanted, answer }.octets();
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dscp(value: u8) -> Dscp {
        Dscp::new(value).unwrap()
    }

    /// The value that answers a request of zeros.
    fn answered(answer: ClassOfServiceAnswer) -> [u8; 4] {
        let mut value = [0; 4];
        reflect(&mut value, answer).unwrap();
        value
    }

    #[test]
    fn a_request_has_what_is_wanted_and_zeros() {
        let mut octets = [0xee; 9];
        for (dscp, ecn, value) in [
            (dscp(63), Ecn::NotEct, [0xfc, 0, 0, 0]),
            (dscp(0), Ecn::Ce, [0, 0, 0xc0, 0]),
            (dscp(46), Ecn::Ect0, [0xb8, 0, 0x80, 0]),
        ] {
            let request = ClassOfServiceRequest { dscp, ecn };
            let mut writer = Writer::new(&mut octets);
            request.emit_request(&mut writer).unwrap();
            let written = writer.into_written();
            assert_eq!((&written[..4], &written[4..]), (&[0x80, 4, 0, 4][..], &value[..]));
            assert_eq!(ClassOfServiceRequest::parse(&value), Ok(request));
        }
        let request = ClassOfServiceRequest::default();
        let refusal = ParseError::Truncated { field: "TLV", needed: 8, available: 7 };
        assert_eq!(request.emit_request(&mut Writer::new(&mut octets[..7])), Err(refusal));
    }

    #[test]
    fn each_field_of_an_answer_lies_where_the_drawing_says() {
        let none = ClassOfServiceAnswer::default();
        for (answer, value) in [
            (ClassOfServiceAnswer { dscp: dscp(0b11_0000), ..none }, [0x03, 0, 0, 0]),
            (ClassOfServiceAnswer { dscp: dscp(0b00_1111), ..none }, [0, 0xf0, 0, 0]),
            (ClassOfServiceAnswer { ecn: Ecn::Ce, ..none }, [0, 0x0c, 0, 0]),
            (ClassOfServiceAnswer { reverse_dscp: ReverseDscp::Refused, ..none }, [0, 1, 0, 0]),
            (ClassOfServiceAnswer { reverse_ecn: ReverseEcn::Refused, ..none }, [0, 0, 0x20, 0]),
            (ClassOfServiceAnswer { reverse_ecn: ReverseEcn::AsAsked, ..none }, [0, 0, 0x30, 0]),
        ] {
            assert_eq!(answered(answer), value);
            assert_eq!(ClassOfService::parse(&value).map(|read| read.answer), Ok(answer));
        }
    }

    #[test]
    fn what_was_asked_for_comes_back_and_nothing_else_of_the_request() {
        let mut value = [0xb8 | 0x03, 0xff, 0xbf, 0xff];
        let reverse_ecn = ReverseEcn::AsAsked;
        reflect(&mut value, ClassOfServiceAnswer { reverse_ecn, ..Default::default() }).unwrap();
        assert_eq!(value, [0xb8, 0, 0xb0, 0]);
    }

    #[test]
    fn without_a_word_on_ecn_what_rfc_8972_reserves_is_zero() {
        let mut value = [0xb8, 0, 0x80, 0];
        let answer = ClassOfServiceAnswer { dscp: dscp(20), ecn: Ecn::Ect1, ..Default::default() };
        reflect(&mut value, answer).unwrap();
        assert_eq!(value, [0xb9, 0x44, 0, 0]);
    }

    #[test]
    fn what_has_no_meaning_is_not_taken_for_a_promise() {
        let read = |value: [u8; 4]| ClassOfService::parse(&value).unwrap().answer;
        for rp in 1..=3 {
            assert_eq!(read([0, rp, 0, 0]).reverse_dscp, ReverseDscp::Refused);
        }
        assert_eq!(read([0, 0, 0x10, 0]).reverse_ecn, ReverseEcn::NotTold);
        assert_eq!(read([0, 0, 0x0f, 0xff]), ClassOfServiceAnswer::default(), "reserved");
    }

    #[test]
    fn the_value_has_four_octets() {
        for octets in (0..9).filter(|length| *length != 4) {
            let mut value = [7; 8];
            let error = ParseError::ValueLength { tlv: TLV, octets, expected: 4 };
            assert_eq!(ClassOfService::parse(&value[..octets]), Err(error));
            assert_eq!(ClassOfServiceRequest::parse(&value[..octets]), Err(error));
            let answer = ClassOfServiceAnswer::default();
            assert_eq!(reflect(&mut value[..octets], answer), Err(error));
            assert_eq!(value, [7; 8]);
        }
    }

    proptest! {
        #[test]
        fn every_answer_is_read_as_it_was_given(asked in any::<[u8; 4]>(), told in any::<[u8; 4]>()) {
            let wanted = ClassOfServiceRequest::parse(&asked).unwrap();
            let answer = ClassOfService::parse(&told).unwrap().answer;
            let mut value = asked;
            reflect(&mut value, answer).unwrap();
            let read = ClassOfService::parse(&value).unwrap();
            prop_assert_eq!(read.answer, answer);
            prop_assert_eq!(read.wanted.dscp, wanted.dscp);
            let kept = answer.reverse_ecn != ReverseEcn::NotTold;
            prop_assert_eq!(read.wanted.ecn, if kept { wanted.ecn } else { Ecn::NotEct });
            prop_assert_eq!(value[3], 0);
        }
    }
}
