//! Code points of the "STAMP Synchronization Sources" and "STAMP Timestamping Methods" registries.
//!
//! Wrappers, not enums: a peer may name one that was registered later, or one of its own.

use core::fmt;

use crate::time::StampSource;

/// Where an instant comes from; zero in both fields says nothing.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct TimestampOrigin {
    /// What the clock follows.
    pub source: SynchronizationSource,
    /// How the clock was read.
    pub method: TimestampingMethod,
}

/// What the clock of a Session-Reflector follows (RFC 8972 §5.4).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct SynchronizationSource(pub u8);

impl SynchronizationSource {
    /// Reserved: nothing was said.
    pub const NOT_TOLD: Self = Self(0);
    /// Network Time Protocol.
    pub const NTP: Self = Self(1);
    /// Precision Time Protocol.
    pub const PTP: Self = Self(2);
    /// A clock of the transport network.
    pub const SSU_BITS: Self = Self(3);
    /// A satellite or radio system.
    pub const SATELLITE: Self = Self(4);
    /// None.
    pub const LOCAL_FREE_RUNNING: Self = Self(5);

    const NAMES: [(&'static str, u8); 5] = [
        ("NTP", 1),
        ("PTP", 2),
        ("SSU/BITS", 3),
        ("GPS/GLONASS/LORAN-C/BDS/Galileo", 4),
        ("Local free-running", 5),
    ];

    /// The name in the registry, if it has one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Self::NAMES.iter().find(|(_, value)| *value == self.0).map(|&(name, _)| name)
    }

    /// The source of a name in the registry; the case does not matter.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let named = Self::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|&(_, value)| Self(value))
    }
}

impl fmt::Display for SynchronizationSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

/// How a Session-Reflector read its clock (RFC 8972 §5.5).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct TimestampingMethod(pub u8);

impl TimestampingMethod {
    /// Reserved: nothing was said.
    pub const NOT_TOLD: Self = Self(0);
    /// By hardware, at the wire.
    pub const HW_ASSIST: Self = Self(1);
    /// By software where the packet passes.
    pub const SW_LOCAL: Self = Self(2);
    /// By software elsewhere.
    pub const CONTROL_PLANE: Self = Self(3);

    const NAMES: [(&'static str, u8); 3] =
        [("HW Assist", 1), ("SW Local", 2), ("Control Plane", 3)];

    /// The name in the registry, if it has one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Self::NAMES.iter().find(|(_, value)| *value == self.0).map(|&(name, _)| name)
    }

    /// The method of a name in the registry; the case does not matter.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let named = Self::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|&(_, value)| Self(value))
    }
}

/// Kernel and program are one to the registry: software on the node itself.
impl From<StampSource> for TimestampingMethod {
    fn from(source: StampSource) -> Self {
        match source {
            StampSource::Hardware => Self::HW_ASSIST,
            StampSource::Kernel | StampSource::User => Self::SW_LOCAL,
        }
    }
}

impl fmt::Display for TimestampingMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn every_source_has_its_number_and_its_name() {
        let named = [
            (SynchronizationSource::NTP, "NTP"),
            (SynchronizationSource::PTP, "PTP"),
            (SynchronizationSource::SSU_BITS, "SSU/BITS"),
            (SynchronizationSource::SATELLITE, "GPS/GLONASS/LORAN-C/BDS/Galileo"),
            (SynchronizationSource::LOCAL_FREE_RUNNING, "Local free-running"),
        ];
        for (number, (source, name)) in (1_u8..).zip(named) {
            assert_eq!((source.0, source.to_string().as_str()), (number, name));
            assert_eq!(SynchronizationSource::from_name(name), Some(source));
        }
        assert_eq!(SynchronizationSource::from_name("ptp"), Some(SynchronizationSource::PTP));
        assert_eq!(SynchronizationSource::from_name("GPS"), None);
        for unnamed in [SynchronizationSource::NOT_TOLD, SynchronizationSource(6)] {
            assert_eq!(unnamed.name(), None);
            assert_eq!(unnamed.to_string(), unnamed.0.to_string());
        }
    }

    #[test]
    fn every_method_has_its_number_and_its_name() {
        let named = [
            (TimestampingMethod::HW_ASSIST, "HW Assist"),
            (TimestampingMethod::SW_LOCAL, "SW Local"),
            (TimestampingMethod::CONTROL_PLANE, "Control Plane"),
        ];
        for (number, (method, name)) in (1_u8..).zip(named) {
            assert_eq!((method.0, method.to_string().as_str()), (number, name));
            assert_eq!(TimestampingMethod::from_name(name), Some(method));
        }
        assert_eq!(TimestampingMethod::from_name("hw assist"), Some(TimestampingMethod(1)));
        assert_eq!(TimestampingMethod::NOT_TOLD.name(), None);
        assert_eq!(TimestampingMethod(255).to_string(), "255");
    }

    #[test]
    fn what_took_a_timestamp_has_a_method() {
        for (source, method) in [
            (StampSource::User, TimestampingMethod::SW_LOCAL),
            (StampSource::Kernel, TimestampingMethod::SW_LOCAL),
            (StampSource::Hardware, TimestampingMethod::HW_ASSIST),
        ] {
            assert_eq!(TimestampingMethod::from(source), method);
        }
    }
}
