//! Why a probe gets no reply.

use core::fmt;

/// The one reason why a probe was not answered; also the value of a metric label.
///
/// A dropped probe is counted under exactly one of them, in the order in which the checks are made:
/// what is wrong with a probe that fails two checks is the first.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DropReason {
    /// Too short to hold a Sequence Number, a Timestamp and an Error Estimate (RFC 8762 §4.2).
    Malformed,
    /// Laid out for the other authentication mode, which is configuration and never guessed.
    Mode,
    /// Shorter than the reply would be, from a source that is not configured for that.
    ShortProbe,
    /// Nobody allowed this source, or no reply can be sent to it.
    Denied,
    /// Provisioned sessions are demanded and the probe belongs to none (RFC 8972 §3).
    NoSession,
    /// This source sends more than it may.
    RateLimited,
    /// All sources together send more than the host should answer.
    Overload,
    /// The probe came from further away than configured (RFC 5082 §3).
    Ttl,
    /// The HMAC of the base packet is not that of a key this source may use (RFC 8762 §4.4).
    Hmac,
    /// The stateful session has seen this probe before.
    Replay,
    /// Answering would answer a reply: two Session-Reflectors would never stop.
    Loop,
    /// The session table is full, or the share of this source is.
    Capacity,
    /// Larger than the buffer it had to fit.
    TooLarge,
    /// The reply was made and could not be sent.
    SendError,
    /// The probe asked for no reply: a one-way measurement (RFC 9503 §4.1.1).
    NoReply,
    /// It came in on another member link of a LAG than it names (RFC 9534 §3).
    WrongMember,
    /// It is for nodes with other addresses (RFC 10052 §3).
    NotAddressed,
    /// It would begin a session, and none begins while the reflector is drained.
    Draining,
}

impl DropReason {
    /// Every reason, in the order of [`Self::index`].
    pub const ALL: [Self; 18] = [
        Self::Malformed,
        Self::Mode,
        Self::ShortProbe,
        Self::Denied,
        Self::NoSession,
        Self::RateLimited,
        Self::Overload,
        Self::Ttl,
        Self::Hmac,
        Self::Replay,
        Self::Loop,
        Self::Capacity,
        Self::TooLarge,
        Self::SendError,
        Self::NoReply,
        Self::WrongMember,
        Self::NotAddressed,
        Self::Draining,
    ];

    /// How many reasons there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The value of the metric label; never changes.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Mode => "mode",
            Self::ShortProbe => "short_probe",
            Self::Denied => "denied",
            Self::NoSession => "no_session",
            Self::RateLimited => "rate_limited",
            Self::Overload => "overload",
            Self::Ttl => "ttl",
            Self::Hmac => "hmac",
            Self::Replay => "replay",
            Self::Loop => "loop",
            Self::Capacity => "capacity",
            Self::TooLarge => "too_large",
            Self::SendError => "send_error",
            Self::NoReply => "no_reply",
            Self::WrongMember => "wrong_member",
            Self::NotAddressed => "not_addressed",
            Self::Draining => "draining",
        }
    }

    /// Its place in an array of counters.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_reason_has_its_own_place_and_label() {
        let labels: HashSet<_> = DropReason::ALL.iter().map(|reason| reason.label()).collect();
        assert_eq!(labels.len(), DropReason::COUNT);
        for (place, reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(reason.index(), place);
        }
    }

    #[test]
    fn labels_are_fit_for_a_metric() {
        for reason in DropReason::ALL {
            assert!(
                reason.label().bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'_'),
                "{reason}"
            );
        }
    }
}
