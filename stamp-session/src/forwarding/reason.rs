//! Why a packet is not forwarded, and why one is forwarded without a timestamp.

use core::fmt;

/// The one reason why a packet ended here; also the value of a metric label.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DropReason {
    /// It was longer than what a shell can hold.
    Truncated,
    /// A header that has to be acted on cannot be read.
    Malformed,
    /// A label that nobody configured here.
    UnknownLabel,
    /// The Extension Label with an extended label that nobody configured here; a node that does not
    /// know one drops the packet (RFC 7274 §3).
    UnknownExtendedLabel,
    /// A special-purpose label that has no business here, or a value that must not follow the
    /// Extension Label (RFC 9017 §3).
    ReservedLabel,
    /// A label or SID of this node, through an interface that it is not accepted on.
    Interface,
    /// A second timestamp label of this node: there is one T2.
    SecondTimestamp,
    /// The TTL or hop limit ends here.
    HopLimit,
    /// The SID is the last segment and no packet is inside (RFC 8986 §4.1.1).
    UpperLayer,
    /// No router sends a packet to this address.
    Destination,
    /// More packets than this label or SID may have.
    RateLimited,
    /// Its checksum is unfinished, and where it is was not found.
    UnfinishedChecksum,
    /// No route leads on, or only back to this host.
    NoRoute,
    /// The next hop's address on its link is not known.
    NoNeighbour,
    /// Larger than the link it has to leave through takes.
    TooBig,
    /// The kernel did not send it.
    SendError,
}

impl DropReason {
    /// Every reason, in the order of [`Self::index`].
    pub const ALL: [Self; 16] = [
        Self::Truncated,
        Self::Malformed,
        Self::UnknownLabel,
        Self::UnknownExtendedLabel,
        Self::ReservedLabel,
        Self::Interface,
        Self::SecondTimestamp,
        Self::HopLimit,
        Self::UpperLayer,
        Self::Destination,
        Self::RateLimited,
        Self::UnfinishedChecksum,
        Self::NoRoute,
        Self::NoNeighbour,
        Self::TooBig,
        Self::SendError,
    ];

    /// How many reasons there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Its place in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::UnknownLabel => "unknown-label",
            Self::UnknownExtendedLabel => "unknown-extended-label",
            Self::ReservedLabel => "reserved-label",
            Self::Interface => "interface",
            Self::SecondTimestamp => "second-timestamp",
            Self::HopLimit => "hop-limit",
            Self::UpperLayer => "upper-layer",
            Self::Destination => "destination",
            Self::RateLimited => "rate-limited",
            Self::UnfinishedChecksum => "unfinished-checksum",
            Self::NoRoute => "no-route",
            Self::NoNeighbour => "no-neighbour",
            Self::TooBig => "too-big",
            Self::SendError => "send-error",
        })
    }
}

/// Why a packet went on as it came: the path stays testable, but nothing is written into what is no
/// test packet.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum UnstampedReason {
    /// A piece of a packet; the place may be in another.
    Fragment,
    /// Something else than UDP.
    NotUdp,
    /// No IP packet, or one whose headers cannot be read.
    Unreadable,
    /// To a port that is none of those configured.
    ForeignPort,
    /// The payload ends before the timestamp would.
    TooShort,
}

impl UnstampedReason {
    /// Every reason, in the order of [`Self::index`].
    pub const ALL: [Self; 5] =
        [Self::Fragment, Self::NotUdp, Self::Unreadable, Self::ForeignPort, Self::TooShort];

    /// How many reasons there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Its place in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for UnstampedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fragment => "fragment",
            Self::NotUdp => "not-udp",
            Self::Unreadable => "unreadable",
            Self::ForeignPort => "foreign-port",
            Self::TooShort => "too-short",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_place_and_word() {
        for (index, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), index);
        }
        for (index, reason) in UnstampedReason::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), index);
        }
        let words = DropReason::ALL.iter().map(ToString::to_string);
        let words = words.chain(UnstampedReason::ALL.iter().map(ToString::to_string));
        let words: std::collections::BTreeSet<_> = words.collect();
        assert_eq!(words.len(), DropReason::COUNT + UnstampedReason::COUNT);
    }
}
