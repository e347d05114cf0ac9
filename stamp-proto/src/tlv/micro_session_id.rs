//! Micro-session ID TLV (RFC 9534 §3): which member links of a LAG a probe and its reply pass.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |STAMP TLV Flags|    Type=11    |           Length=4            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   Sender Micro-session ID     |  Reflector Micro-session ID   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! Each end names its own links; what the other end calls them is learned from its replies.

use core::fmt;
use core::num::NonZeroU16;

use super::{Tlv, TlvType, exactly, exactly_mut};
use crate::error::ParseError;
use crate::writer::Writer;

const TLV: &str = "Micro-session ID";

/// What one end calls a member link, within the session.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MemberLinkId(pub NonZeroU16);

impl MemberLinkId {
    /// The identifier `value`, unless it is zero: that is no link.
    #[must_use]
    pub const fn new(value: u16) -> Option<Self> {
        match NonZeroU16::new(value) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    const fn octets(of: Option<Self>) -> [u8; 2] {
        match of {
            Some(Self(value)) => value.get().to_be_bytes(),
            None => [0; 2],
        }
    }
}

impl fmt::Display for MemberLinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The value of the TLV; `None` where it is zero.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct MicroSessionId {
    /// The link of the Session-Sender.
    pub sender: Option<MemberLinkId>,
    /// The link of the Session-Reflector; a Session-Sender may not know it yet.
    pub reflector: Option<MemberLinkId>,
}

impl MicroSessionId {
    /// Reads the value of a TLV.
    ///
    /// # Errors
    ///
    /// [`ParseError::ValueLength`] when it has not 4 octets; the TLV is malformed then.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        let [a, b, c, d] = exactly(TLV, value)?;
        let link = |upper, lower| MemberLinkId::new(u16::from_be_bytes([upper, lower]));
        Ok(Self { sender: link(a, b), reflector: link(c, d) })
    }

    const fn octets(self) -> [u8; 4] {
        let [a, b] = MemberLinkId::octets(self.sender);
        let [c, d] = MemberLinkId::octets(self.reflector);
        [a, b, c, d]
    }

    /// Writes the TLV as a Session-Sender sends it.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when the writer has no room for 8 octets.
    pub fn emit_request(&self, writer: &mut Writer<'_>) -> Result<(), ParseError> {
        Tlv::request(TlvType::MICRO_SESSION_ID, &self.octets()).emit(writer)
    }

    /// A probe with this value may have come in on `arrival`, a link of the Session-Reflector: it
    /// names no other. One that may not is discarded.
    #[must_use]
    pub fn allows_arrival(&self, arrival: MemberLinkId) -> bool {
        self.reflector.is_none_or(|named| named == arrival)
    }

    /// A reply with this value is one to `sent`, come back on the link `arrival` of the
    /// Session-Sender. One that is not is discarded.
    #[must_use]
    pub fn answers(&self, sent: &Self, arrival: MemberLinkId) -> bool {
        self.sender == Some(arrival)
            && self.sender == sent.sender
            && self.reflector.is_some_and(|link| sent.allows_arrival(link))
    }
}

/// Turns the value of a request into that of the reply: the link of the Session-Sender stays.
///
/// # Errors
///
/// As [`MicroSessionId::parse`]; nothing is written then.
pub fn reflect(value: &mut [u8], link: MemberLinkId) -> Result<(), ParseError> {
    let MicroSessionId { sender, .. } = MicroSessionId::parse(value)?;
    *exactly_mut(TLV, value)? = MicroSessionId { sender, reflector: Some(link) }.octets();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use proptest::prelude::*;

    use super::*;
    use crate::tlv::{TlvFlags, Tlvs};

    fn id(sender: u16, reflector: u16) -> MicroSessionId {
        let (sender, reflector) = (MemberLinkId::new(sender), MemberLinkId::new(reflector));
        MicroSessionId { sender, reflector }
    }

    fn link(value: u16) -> MemberLinkId {
        MemberLinkId::new(value).unwrap()
    }

    #[test]
    fn each_field_lies_where_the_drawing_says() {
        for (id, octets) in
            [(id(0, 0), [0, 0, 0, 0]), (id(0x0102, 0), [1, 2, 0, 0]), (id(0, 0x0304), [0, 0, 3, 4])]
        {
            assert_eq!(MicroSessionId::parse(&octets), Ok(id));
            let mut written = [0xee; 8];
            id.emit_request(&mut Writer::new(&mut written)).unwrap();
            assert_eq!((&written[..4], &written[4..]), (&[0x80, 11, 0, 4][..], &octets[..]));
        }
    }

    #[test]
    fn an_answer_names_the_link_of_the_reflector() {
        for mut value in [[0, 17, 0, 0], [0, 17, 0, 34], [0, 17, 9, 9]] {
            reflect(&mut value, link(34)).unwrap();
            assert_eq!(value, [0, 17, 0, 34]);
        }
    }

    #[test]
    fn a_probe_for_another_link_may_not_have_come_in_here() {
        assert!(id(17, 34).allows_arrival(link(34)));
        assert!(!id(17, 34).allows_arrival(link(35)));
        assert!(id(17, 0).allows_arrival(link(35)), "nothing is verified");
    }

    #[test]
    fn a_reply_of_other_links_is_none() {
        assert!(id(17, 34).answers(&id(17, 34), link(17)));
        assert!(id(17, 34).answers(&id(17, 0), link(17)), "to be learned");
        assert!(!id(17, 34).answers(&id(17, 34), link(18)), "came in elsewhere");
        assert!(!id(18, 34).answers(&id(17, 34), link(18)), "of another micro session");
        assert!(!id(17, 35).answers(&id(17, 34), link(17)), "from another link");
        assert!(!id(17, 0).answers(&id(17, 0), link(17)), "from no link");
    }

    #[test]
    fn the_value_has_four_octets() {
        for octets in (0..9).filter(|length| *length != 4) {
            let mut value = [7; 8];
            let error = ParseError::ValueLength { tlv: TLV, octets, expected: 4 };
            assert_eq!(MicroSessionId::parse(&value[..octets]), Err(error));
            assert_eq!(reflect(&mut value[..octets], link(1)), Err(error));
            assert_eq!(value, [7; 8]);
        }
        let refusal = ParseError::Truncated { field: "TLV", needed: 8, available: 7 };
        assert_eq!(id(1, 0).emit_request(&mut Writer::new(&mut [0; 7])), Err(refusal));
    }

    #[test]
    fn a_link_is_shown_by_its_number() {
        assert_eq!(link(34).to_string(), "34");
        assert_eq!(MemberLinkId::new(0), None);
    }

    proptest! {
        #[test]
        fn every_id_survives_the_wire(sender in any::<u16>(), known in any::<u16>(), own in 1_u16..) {
            let mut octets = [0; 8];
            id(sender, known).emit_request(&mut Writer::new(&mut octets)).unwrap();
            let tlv = Tlvs::new(&octets).next().unwrap().unwrap();
            prop_assert_eq!((tlv.flags, tlv.kind), (TlvFlags::REQUEST, TlvType::MICRO_SESSION_ID));
            prop_assert_eq!(MicroSessionId::parse(tlv.value), Ok(id(sender, known)));
            let mut value = tlv.value.to_vec();
            reflect(&mut value, link(own)).unwrap();
            prop_assert_eq!(MicroSessionId::parse(&value), Ok(id(sender, own)));
        }
    }
}
