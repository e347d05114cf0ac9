//! Who turns a probe round, and what can be measured then.
//!
//! Loopback and enhanced loopback follow draft-gandhi-spring-enhanced-srpm: the probe itself is
//! forwarded back to its Session-Sender, in the second case past a node that writes its receive
//! timestamp into it. No session, and no reply, is made at the far end.

use core::net::SocketAddr;
use core::ops::Range;

use stamp_proto::packet::AuthenticationMode;
use stamp_proto::time::TimestampFormat;

/// The four modes of a session.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MeasurementMode {
    /// A Session-Reflector answers on a way that is not the one measured: the forward delay alone
    /// is the path's.
    OneWay,
    /// A Session-Reflector answers (RFC 8762).
    #[default]
    TwoWay,
    /// The far end forwards the probe back: only the round trip is measured.
    Loopback(Looped),
    /// The far end writes T2 into the probe and forwards it back.
    EnhancedLoopback(Looped, TimestampPlace),
}

impl MeasurementMode {
    /// Its name in every output.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::OneWay => "one-way",
            Self::TwoWay => "two-way",
            Self::Loopback(_) => "loopback",
            Self::EnhancedLoopback(..) => "enhanced-loopback",
        }
    }

    /// How probes that come back as they were sent are recognised; nothing where replies come.
    #[must_use]
    pub const fn looped(self) -> Option<Looped> {
        match self {
            Self::OneWay | Self::TwoWay => None,
            Self::Loopback(looped) | Self::EnhancedLoopback(looped, _) => Some(looped),
        }
    }

    /// Where the far end writes T2.
    #[must_use]
    pub const fn timestamp_place(self) -> Option<TimestampPlace> {
        match self {
            Self::EnhancedLoopback(_, place) => Some(place),
            _ => None,
        }
    }
}

/// A probe that is forwarded back: its own addresses are all it can be known by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Looped {
    /// Address and port it is sent from, and so comes from.
    pub source: SocketAddr,
}

/// Where a timestamp-and-forward node writes its receive timestamp.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TimestampPlace {
    /// First of its eight octets, counted from the start of the UDP payload.
    pub offset: u16,
    /// How they are written.
    pub format: TimestampFormat,
}

impl TimestampPlace {
    /// The first octet behind the fields of a probe in both modes, and PTPv2, as the draft has it:
    /// where a reply would have T2.
    #[must_use]
    pub const fn of(mode: AuthenticationMode) -> Self {
        let offset = match mode {
            AuthenticationMode::Unauthenticated => 16,
            AuthenticationMode::Authenticated => 32,
        };
        Self { offset, format: TimestampFormat::Ptp }
    }

    /// The octets it covers.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        let start = usize::from(self.offset);
        start..start.saturating_add(TIMESTAMP_OCTETS)
    }
}

/// A timestamp field.
pub(super) const TIMESTAMP_OCTETS: usize = 8;
