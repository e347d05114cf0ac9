//! TLVs that are wrong on purpose, and what a Session-Reflector has to answer to each.
//!
//! A kind is a row of `KINDS`: the TLVs of its probe as octets, and the answers that the clause it is
//! about allows. Nothing of a reply but its TLVs is looked at here.

mod kinds;

use stamp_proto::auth::KeyRing;
use stamp_proto::error::ParseError;
use stamp_proto::tlv::hmac::{self, HMAC_TLV_OCTETS};
use stamp_proto::tlv::{TlvFlags, TlvType};
use stamp_proto::writer::Writer;

use kinds::KINDS;

/// One way to be wrong.
#[derive(Clone, Copy, Debug)]
pub struct Malformation(&'static Kind);

/// What is sent, what it is about and what may come back.
#[derive(Debug)]
struct Kind {
    name: &'static str,
    clause: &'static str,
    about: &'static str,
    expected: &'static str,
    sent: &'static [Piece],
    accepted: &'static [&'static [Part]],
    /// An HMAC TLV can stand behind it, does, or must not.
    integrity: HmacTlv,
}

/// One TLV of a probe, or what looks like one.
#[derive(Clone, Copy, Debug)]
enum Piece {
    /// These octets.
    Octets(&'static [u8]),
    /// An HMAC TLV over all that is before it.
    Hmac,
    /// The same with a digest that does not verify.
    WrongHmac,
}

/// Where the HMAC TLV of a session with keys is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum HmacTlv {
    /// Behind all else.
    Last,
    /// It is what the kind is about.
    Subject,
    /// Nothing can be reached behind it.
    Unreachable,
}

/// A TLV as it may come back.
#[derive(Clone, Copy, Debug)]
struct Part {
    flags: TlvFlags,
    /// Flags that matter.
    mask: TlvFlags,
    value: Value,
}

/// What a value must be.
#[derive(Clone, Copy, Debug)]
enum Value {
    Any,
    /// Copied.
    Same,
    Zero,
    /// The flags of the sub-TLV that starts there have U.
    UnknownSubTlv(usize),
}

/// What a reply to wrong TLVs is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Conformity {
    /// As the clause wants it.
    Conformant,
    /// All TLVs came back as they were: the far end knows none.
    Unsupported,
    /// The reply has no room for what was sent.
    Missing,
    /// A TLV is not as any answer that the clause allows.
    Differs {
        /// Its place among the TLVs, from 0.
        place: u8,
        /// Its flags.
        flags: TlvFlags,
    },
}

/// How replies to wrong TLVs were.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ConformityCounts {
    /// As the clause wants it.
    pub conformant: u64,
    /// Another way.
    pub deviating: u64,
    /// The last that was.
    pub deviation: Option<Conformity>,
}

impl ConformityCounts {
    pub(super) fn add(&mut self, conformity: Option<Conformity>) {
        match conformity {
            None => {}
            Some(Conformity::Conformant) => self.conformant = self.conformant.saturating_add(1),
            Some(deviation) => {
                self.deviating = self.deviating.saturating_add(1);
                self.deviation = Some(deviation);
            }
        }
    }
}

impl PartialEq for Malformation {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Malformation {}

impl Malformation {
    /// Every kind, in the order of the clauses.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(Self)
    }

    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|one| one.name() == name)
    }

    /// Its name on the command line and in every output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// The clause that says what has to come back.
    #[must_use]
    pub const fn clause(self) -> &'static str {
        self.0.clause
    }

    /// What is wrong.
    #[must_use]
    pub const fn about(self) -> &'static str {
        self.0.about
    }

    /// What has to come back.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        self.0.expected
    }

    /// Whether it can be sent in a session with keys for its TLVs, or in one without.
    #[must_use]
    pub fn fits(self, keyed: bool) -> bool {
        match self.0.integrity {
            HmacTlv::Last => true,
            HmacTlv::Subject => keyed,
            HmacTlv::Unreachable => !keyed,
        }
    }

    /// The type of the TLV at a place; none where an octet for it is missing.
    #[must_use]
    pub fn kind_at(self, place: u8) -> Option<TlvType> {
        match self.0.sent.get(usize::from(place)) {
            Some(Piece::Octets(octets)) => octets.get(1).copied().map(TlvType),
            Some(Piece::Hmac | Piece::WrongHmac) | None => Some(TlvType::HMAC),
        }
    }

    /// Octets of its TLVs.
    pub(super) fn octets(self, keyed: bool) -> usize {
        let sent = self.0.sent.iter().map(Piece::octets).fold(0, usize::saturating_add);
        sent.saturating_add(if self.has_last(keyed) { HMAC_TLV_OCTETS } else { 0 })
    }

    /// Writes its TLVs.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] when the writer has no room for them.
    pub(super) fn emit(
        self,
        keys: Option<&KeyRing>,
        sequence: u32,
        area: &mut Writer<'_>,
    ) -> Result<(), ParseError> {
        let last = self.has_last(keys.is_some()).then_some(&Piece::Hmac);
        for piece in self.0.sent.iter().chain(last) {
            match (piece, keys) {
                (Piece::Octets(octets), _) => area.put_slice("TLV", octets)?,
                (Piece::Hmac, Some(keys)) => hmac::append(keys.signing(), sequence, area)?,
                // Right for another probe.
                (Piece::WrongHmac, Some(keys)) => hmac::append(keys.signing(), !sequence, area)?,
                (Piece::Hmac | Piece::WrongHmac, None) => {}
            }
        }
        Ok(())
    }

    /// What a reply is, that has `area` behind its base packet, where the probe had `sent`.
    pub(super) fn judge(self, sent: &[u8], area: &[u8]) -> Conformity {
        let Some(area) = area.get(..sent.len()) else { return Conformity::Missing };
        if area == sent {
            return Conformity::Unsupported;
        }
        let mut deviation = None;
        for accepted in self.0.accepted {
            match self.differs(accepted, sent, area) {
                None => return Conformity::Conformant,
                // The first is what one that knows all types answers.
                found => deviation = deviation.or(found),
            }
        }
        deviation.unwrap_or(Conformity::Missing)
    }

    /// The first TLV that is not as `accepted`.
    fn differs(self, accepted: &[Part], sent: &[u8], area: &[u8]) -> Option<Conformity> {
        let (mut sent, mut area) = (sent, area);
        for (place, (piece, part)) in self.0.sent.iter().zip(accepted).enumerate() {
            let (was, sent_behind) = sent.split_at_checked(piece.octets()).unwrap_or_default();
            let (is, area_behind) = area.split_at_checked(piece.octets()).unwrap_or_default();
            (sent, area) = (sent_behind, area_behind);
            if !part.is_met(was, is) {
                let place = u8::try_from(place).unwrap_or(u8::MAX);
                let flags = TlvFlags(is.first().copied().unwrap_or_default());
                return Some(Conformity::Differs { place, flags });
            }
        }
        // The HMAC TLV behind them, where there is one.
        let failed = area.first().is_some_and(|flags| TlvFlags(*flags).is_integrity_failed());
        let (place, flags) =
            (u8::try_from(self.0.sent.len()).unwrap_or(u8::MAX), TlvFlags::INTEGRITY);
        failed.then_some(Conformity::Differs { place, flags })
    }

    fn has_last(self, keyed: bool) -> bool {
        keyed && self.0.integrity == HmacTlv::Last
    }
}

impl Piece {
    const fn octets(&self) -> usize {
        match self {
            Self::Octets(octets) => octets.len(),
            Self::Hmac | Self::WrongHmac => HMAC_TLV_OCTETS,
        }
    }
}

impl Part {
    const fn new(flags: u8, mask: u8, value: Value) -> Self {
        Self { flags: TlvFlags(flags), mask: TlvFlags(mask), value }
    }

    /// Whether `is` is what may become of `was`.
    fn is_met(&self, was: &[u8], is: &[u8]) -> bool {
        let ([_, was @ ..], [flags, is @ ..]) = (was, is) else { return false };
        // Type and Length are never touched.
        let header = was.len().min(3);
        if was.get(..header) != is.get(..header) || flags & self.mask.0 != self.flags.0 {
            return false;
        }
        let value = is.get(3..).unwrap_or_default();
        match self.value {
            Value::Any => true,
            Value::Same => was == is,
            Value::Zero => value.iter().all(|octet| *octet == 0),
            Value::UnknownSubTlv(at) => {
                value.get(at).is_some_and(|flags| TlvFlags(*flags).is_unrecognized())
            }
        }
    }
}

#[cfg(test)]
mod tests;
