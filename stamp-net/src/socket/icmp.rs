//! What ICMP errors say, in words that are the same for IPv4 and IPv6.

use std::fmt;

/// What an ICMP error says, in words that are the same for IPv4 and IPv6.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum IcmpKind {
    /// No route to the destination.
    NetworkUnreachable,
    /// Nobody answers for the address.
    HostUnreachable,
    /// The host does not speak UDP.
    ProtocolUnreachable,
    /// No program listens on the port.
    PortUnreachable,
    /// A link on the path has a smaller MTU.
    PacketTooBig,
    /// A source route could not be followed.
    SourceRouteFailed,
    /// A filter forbids it.
    AdministrativelyProhibited,
    /// TTL or Hop Limit reached zero.
    TimeExceeded,
    /// A router could not read the packet.
    ParameterProblem,
    /// Anything else.
    Other {
        /// ICMP type.
        kind: u8,
        /// ICMP code.
        code: u8,
    },
}

impl IcmpKind {
    /// RFC 792, RFC 1122 and RFC 1812 give the codes.
    pub(super) const fn from_icmpv4(kind: u8, code: u8) -> Self {
        match (kind, code) {
            (3, 0 | 6 | 8 | 11) => Self::NetworkUnreachable,
            (3, 1 | 7 | 12) => Self::HostUnreachable,
            (3, 2) => Self::ProtocolUnreachable,
            (3, 3) => Self::PortUnreachable,
            (3, 4) => Self::PacketTooBig,
            (3, 5) => Self::SourceRouteFailed,
            (3, 9 | 10 | 13 | 14 | 15) => Self::AdministrativelyProhibited,
            (11, _) => Self::TimeExceeded,
            (12, _) => Self::ParameterProblem,
            _ => Self::Other { kind, code },
        }
    }

    /// RFC 4443 and RFC 8883 give the codes.
    pub(super) const fn from_icmpv6(kind: u8, code: u8) -> Self {
        match (kind, code) {
            (1, 0) => Self::NetworkUnreachable,
            (1, 2 | 3) => Self::HostUnreachable,
            (1, 4) => Self::PortUnreachable,
            (1, 1 | 5 | 6) => Self::AdministrativelyProhibited,
            (1, 7) => Self::SourceRouteFailed,
            (2, _) => Self::PacketTooBig,
            (3, _) => Self::TimeExceeded,
            (4, 1) => Self::ProtocolUnreachable,
            (4, _) => Self::ParameterProblem,
            _ => Self::Other { kind, code },
        }
    }
}

impl fmt::Display for IcmpKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NetworkUnreachable => "network unreachable",
            Self::HostUnreachable => "host unreachable",
            Self::ProtocolUnreachable => "protocol unreachable",
            Self::PortUnreachable => "port unreachable",
            Self::PacketTooBig => "packet too big",
            Self::SourceRouteFailed => "source route failed",
            Self::AdministrativelyProhibited => "administratively prohibited",
            Self::TimeExceeded => "time exceeded",
            Self::ParameterProblem => "parameter problem",
            Self::Other { kind, code } => return write!(f, "ICMP type {kind} code {code}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_speak_of_the_same_errors() {
        for (v4, v6, kind) in [
            ((3, 0), (1, 0), IcmpKind::NetworkUnreachable),
            ((3, 1), (1, 3), IcmpKind::HostUnreachable),
            ((3, 2), (4, 1), IcmpKind::ProtocolUnreachable),
            ((3, 3), (1, 4), IcmpKind::PortUnreachable),
            ((3, 4), (2, 0), IcmpKind::PacketTooBig),
            ((3, 5), (1, 7), IcmpKind::SourceRouteFailed),
            ((3, 13), (1, 1), IcmpKind::AdministrativelyProhibited),
            ((11, 0), (3, 0), IcmpKind::TimeExceeded),
            ((12, 0), (4, 0), IcmpKind::ParameterProblem),
            ((9, 2), (9, 2), IcmpKind::Other { kind: 9, code: 2 }),
        ] {
            assert_eq!(IcmpKind::from_icmpv4(v4.0, v4.1), kind);
            assert_eq!(IcmpKind::from_icmpv6(v6.0, v6.1), kind);
        }
    }

    #[test]
    fn an_unknown_message_is_shown_by_its_numbers() {
        assert_eq!(IcmpKind::Other { kind: 9, code: 2 }.to_string(), "ICMP type 9 code 2");
        assert_eq!(IcmpKind::PortUnreachable.to_string(), "port unreachable");
    }
}
