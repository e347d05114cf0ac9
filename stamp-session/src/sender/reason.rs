//! Why a probe never left, and why a reply is not taken.

use crate::statistics::{Counts, Reason};

/// Why no probe left in a slot. Never loss: the network did not see it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UnsentReason {
    /// The shell came a whole interval too late.
    MissedSlot,
    /// More probes are awaited than the session has room for.
    TableFull,
    /// The kernel had no memory, or the shell no buffer (`ENOBUFS`).
    NoBuffer,
    /// The next hop did not answer to its address.
    NoNeighbour,
    /// There is no route (`ENETUNREACH`, `EHOSTUNREACH`).
    NoRoute,
    /// A local firewall or policy forbids it (`EPERM`, `EACCES`).
    Refused,
    /// It does not fit the link or the path (`EMSGSIZE`, Packet Too Big).
    TooBig {
        /// The largest IP packet that does, if it is known.
        mtu: Option<u32>,
    },
    /// The interface is down (`ENETDOWN`).
    NetworkDown,
    /// The source address is not ours any more (`EADDRNOTAVAIL`).
    SourceGone,
    /// The system call failed in another way.
    Failed,
}

impl Reason for UnsentReason {
    const ALL: &'static [Self] = &[
        Self::MissedSlot,
        Self::TableFull,
        Self::NoBuffer,
        Self::NoNeighbour,
        Self::NoRoute,
        Self::Refused,
        Self::TooBig { mtu: None },
        Self::NetworkDown,
        Self::SourceGone,
        Self::Failed,
    ];

    fn index(self) -> usize {
        match self {
            Self::MissedSlot => 0,
            Self::TableFull => 1,
            Self::NoBuffer => 2,
            Self::NoNeighbour => 3,
            Self::NoRoute => 4,
            Self::Refused => 5,
            Self::TooBig { .. } => 6,
            Self::NetworkDown => 7,
            Self::SourceGone => 8,
            Self::Failed => 9,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::MissedSlot => "missed_slot",
            Self::TableFull => "table_full",
            Self::NoBuffer => "no_buffer",
            Self::NoNeighbour => "no_neighbour",
            Self::NoRoute => "no_route",
            Self::Refused => "refused",
            Self::TooBig { .. } => "too_big",
            Self::NetworkDown => "network_down",
            Self::SourceGone => "source_gone",
            Self::Failed => "failed",
        }
    }
}

/// Why a datagram is not a reply to a probe of this session, in the order of the checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RejectReason {
    /// It does not come from the address and port the probes go to.
    Source,
    /// It is shorter than a base packet.
    Short,
    /// It names another session (RFC 8972 §3).
    Ssid,
    /// Its HMAC is made with none of the keys (RFC 8762 §4.4).
    Authentication,
    /// It is a probe of our own that somebody sent back, not a reply.
    OwnProbe,
    /// No probe with this Sequence Number was sent.
    NeverSent,
    /// The probe is so old that nothing is remembered of it.
    Forgotten,
    /// The probe never left this host.
    Unsent,
    /// It does not echo the Timestamp that was sent.
    EchoedTimestamp,
    /// It does not echo the Error Estimate that was sent.
    EchoedErrorEstimate,
    /// The far Error Estimate has the forbidden Multiplier zero (RFC 4656 §4.1.2).
    ErrorEstimate,
    /// A timestamp of the Session-Reflector is missing or no instant.
    Timestamp,
    /// T3 is before T2, both of the far clock.
    ReplySentBeforeReceived,
    /// T4 is before T1, both of our clock, and the clock did not step.
    ReplyReceivedBeforeSent,
    /// T2 is before T1 by more than both clocks claim to be wrong (RFC 9503 §6).
    ReceivedBeforeSent,
    /// It came in on another member link of a LAG, or is of another micro session (RFC 9534 §3).
    Member,
}

impl Reason for RejectReason {
    const ALL: &'static [Self] = &[
        Self::Source,
        Self::Short,
        Self::Ssid,
        Self::Authentication,
        Self::OwnProbe,
        Self::NeverSent,
        Self::Forgotten,
        Self::Unsent,
        Self::EchoedTimestamp,
        Self::EchoedErrorEstimate,
        Self::ErrorEstimate,
        Self::Timestamp,
        Self::ReplySentBeforeReceived,
        Self::ReplyReceivedBeforeSent,
        Self::ReceivedBeforeSent,
        Self::Member,
    ];

    fn index(self) -> usize {
        self as usize
    }

    fn label(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Short => "short",
            Self::Ssid => "ssid",
            Self::Authentication => "authentication",
            Self::OwnProbe => "own_probe",
            Self::NeverSent => "never_sent",
            Self::Forgotten => "forgotten",
            Self::Unsent => "unsent",
            Self::EchoedTimestamp => "echoed_timestamp",
            Self::EchoedErrorEstimate => "echoed_error_estimate",
            Self::ErrorEstimate => "error_estimate",
            Self::Timestamp => "timestamp",
            Self::ReplySentBeforeReceived => "reply_sent_before_received",
            Self::ReplyReceivedBeforeSent => "reply_received_before_sent",
            Self::ReceivedBeforeSent => "received_before_sent",
            Self::Member => "wrong_member",
        }
    }
}

/// Probes that never left, by reason.
pub type UnsentCounts = Counts<UnsentReason, { UnsentReason::ALL.len() }>;

/// Datagrams that were no reply, by reason.
pub type RejectCounts = Counts<RejectReason, { RejectReason::ALL.len() }>;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn assert_complete<R: Reason>() {
        for (place, reason) in R::ALL.iter().enumerate() {
            assert_eq!(reason.index(), place, "{}", reason.label());
        }
        let labels: HashSet<_> = R::ALL.iter().map(|reason| reason.label()).collect();
        assert_eq!(labels.len(), R::ALL.len());
    }

    #[test]
    fn every_reason_has_a_counter_and_a_label_of_its_own() {
        assert_complete::<UnsentReason>();
        assert_complete::<RejectReason>();
    }

    #[test]
    fn an_mtu_does_not_make_another_reason() {
        let mut counts = UnsentCounts::default();
        counts.add(UnsentReason::TooBig { mtu: Some(1_280) }, 1);
        assert_eq!(counts.get(UnsentReason::TooBig { mtu: None }), 1);
    }
}
