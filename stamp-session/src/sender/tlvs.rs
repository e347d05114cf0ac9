//! What became of the TLVs of a probe (RFC 8972 §4).
//!
//! Nothing here refuses a reply: its base packet is good whatever happened behind it.

use stamp_proto::auth::KeyRing;
use stamp_proto::time::TimestampFormat;
use stamp_proto::tlv::hmac::{self, HMAC_TLV_OCTETS, TlvIntegrity};
use stamp_proto::tlv::{TLV_HEADER_OCTETS, Tlv, TlvFlags, TlvType, Tlvs};

use super::answers::{Answers, Granted};
use super::config::SenderConfig;
use super::probe::Layout;
use super::validate::Numbers;
use crate::tlv;

/// What a reply shows of the TLVs that were sent.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum TlvOutcome {
    /// The probe had none.
    #[default]
    NotAsked,
    /// All of them were understood.
    Supported,
    /// They came back as they were, or as padding: the far end knows no TLVs.
    Unsupported,
    /// The reply has no room for what was sent.
    Missing,
    /// The far end could not verify our HMAC TLV (flag I).
    IntegrityFailed,
    /// The HMAC TLV of the reply is made with none of our keys.
    Unverified,
    /// The far end could not read one of them (flag M).
    Malformed,
    /// The far end knows TLVs, but not one of ours (flag U).
    Unrecognized,
    /// The far end understood one of them and did not do it as asked (flag C).
    Nonconformant,
}

impl TlvOutcome {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotAsked => "not_asked",
            Self::Supported => "supported",
            Self::Unsupported => "unsupported",
            Self::Missing => "missing",
            Self::IntegrityFailed => "integrity_failed",
            Self::Unverified => "unverified",
            Self::Malformed => "malformed",
            Self::Unrecognized => "unrecognized",
            Self::Nonconformant => "nonconformant",
        }
    }
}

/// What a reply answers to the TLVs that were sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TlvAnswer {
    pub(super) outcome: TlvOutcome,
    pub(super) answers: Answers,
}

impl Layout {
    /// Looks at `area`, what a reply has behind its base packet, all of it and by request.
    pub(super) fn answer(
        &self,
        config: &SenderConfig,
        numbers: Numbers,
        area: &[u8],
        reply_format: TimestampFormat,
    ) -> TlvAnswer {
        let outcome = self.outcome(config.tlv_keys.as_deref(), numbers, area);
        let mut answers = Answers { reply_format, ..Answers::default() };
        // The outcome says whether they are those that were sent, in their order.
        for (place, (kind, _)) in self.requests.iter().enumerate() {
            let before = self.requests.iter().take(place);
            let nth = before.filter(|(other, _)| other == kind).count();
            let kind = (*kind, u8::try_from(nth).unwrap_or(u8::MAX));
            let answer = match self.granted(place, outcome, area) {
                Some(value) => (Granted::Granted, value),
                None => (Granted::Refused, &[][..]),
            };
            tlv::take(&config.requests, kind, answer, &mut answers);
        }
        TlvAnswer { outcome, answers }
    }

    /// The value of what was granted. What is behind a malformed TLV was not looked at, and of what
    /// nobody verified nothing counts.
    fn granted<'a>(&self, place: usize, outcome: TlvOutcome, area: &'a [u8]) -> Option<&'a [u8]> {
        let believed = !matches!(
            outcome,
            TlvOutcome::Missing
                | TlvOutcome::Unsupported
                | TlvOutcome::IntegrityFailed
                | TlvOutcome::Unverified
        );
        let mut looked_at = self.tlvs(area).take_while(|tlv| !tlv.flags.is_malformed());
        looked_at
            .nth(place)
            .filter(|tlv| believed && !tlv.flags.is_unrecognized() && !tlv.flags.is_nonconformant())
            .map(|tlv| tlv.value)
    }

    /// Looks at `area`, what a reply has behind its base packet.
    pub(super) fn outcome(
        &self,
        keys: Option<&KeyRing>,
        numbers: Numbers,
        area: &[u8],
    ) -> TlvOutcome {
        if self.area_octets() == 0 {
            return TlvOutcome::NotAsked;
        }
        if area.len() < self.area_octets() {
            return TlvOutcome::Missing;
        }
        if !self.is_ours(area) || self.is_untouched(keys, numbers.sequence, area) {
            return TlvOutcome::Unsupported;
        }
        if self.tlvs(area).any(|tlv| tlv.flags.is_integrity_failed()) {
            return TlvOutcome::IntegrityFailed;
        }
        if let Some(keys) = keys
            && !matches!(
                hmac::verify(keys, numbers.reflector_sequence, area),
                TlvIntegrity::Verified(_)
            )
        {
            return TlvOutcome::Unverified;
        }
        self.flagged(area)
    }

    /// The headers are those that were sent, flags aside: no padding that was shifted about.
    fn is_ours(&self, area: &[u8]) -> bool {
        let mut sent = self.sent();
        let mut found = 0_usize;
        for tlv in self.tlvs(area) {
            let Some((kind, octets)) = sent.next() else {
                return true;
            };
            if (tlv.kind, tlv.encoded_octets()) != (kind, octets) {
                return false;
            }
            found = found.saturating_add(1);
        }
        found > 0 && sent.next().is_none()
    }

    /// Every bit is as it was sent, the request flag included.
    fn is_untouched(&self, keys: Option<&KeyRing>, sequence: u32, area: &[u8]) -> bool {
        let is_request = |tlv: Tlv<'_>| tlv.flags == TlvFlags::REQUEST;
        if !self.tlvs(area).all(is_request) {
            return false;
        }
        let [padding_at, padding_end] = [TLV_HEADER_OCTETS, self.padding_octets()]
            .map(|octets| octets.saturating_add(self.request_octets()));
        let padding = area.get(padding_at..padding_end);
        if !padding.is_none_or(|padding| self.is_padding_of(sequence, padding)) {
            return false;
        }
        let sent = area.get(..self.area_octets()).unwrap_or_default();
        keys.is_none_or(|keys| {
            matches!(hmac::verify(keys, sequence, sent), TlvIntegrity::Verified(_))
        })
    }

    fn flagged(&self, area: &[u8]) -> TlvOutcome {
        let mut outcome = TlvOutcome::Supported;
        for tlv in self.tlvs(area) {
            if tlv.flags.is_malformed() {
                return TlvOutcome::Malformed;
            }
            if tlv.flags.is_unrecognized() {
                outcome = TlvOutcome::Unrecognized;
            } else if tlv.flags.is_nonconformant() && outcome == TlvOutcome::Supported {
                outcome = TlvOutcome::Nonconformant;
            }
        }
        outcome
    }

    /// As many TLVs of a reply as the probe had.
    fn tlvs<'a>(&self, area: &'a [u8]) -> impl Iterator<Item = Tlv<'a>> {
        Tlvs::new(area).map_while(Result::ok).take(self.sent().count())
    }

    /// Type and size of every TLV of the probe, headers included.
    fn sent(&self) -> impl Iterator<Item = (TlvType, usize)> + '_ {
        let padding =
            (self.padding_octets() > 0).then_some((TlvType::EXTRA_PADDING, self.padding_octets()));
        let hmac = (self.hmac_octets() > 0).then_some((TlvType::HMAC, HMAC_TLV_OCTETS));
        let requests = self.requests.iter().map(|(kind, octets)| (*kind, usize::from(*octets)));
        requests.chain(padding).chain(hmac)
    }
}

#[cfg(test)]
mod tests;
