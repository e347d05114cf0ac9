//! Words for what probes are told and given when their TLVs ask for it.

use core::fmt;

use stamp_config::Setting;
use stamp_proto::ip::Dscp;
use stamp_proto::tlv::timestamp_information::SynchronizationSource;
use stamp_session::reflector::{LocationFields, ReplyClasses};

choice!(
    /// What of its arrival a probe is told.
    LocationWord, "ports, source, destination or all",
    {
        /// UDP ports.
        Ports = "ports",
        /// The address it came from.
        Source = "source",
        /// The address it was sent to.
        Destination = "destination",
        /// All of it.
        All = "all",
    }
);
choice!(
    /// What sets the clock.
    ClockSourceWord, "ntp, ptp, ssu-bits, gnss or local",
    {
        /// Network Time Protocol.
        Ntp = "ntp",
        /// Precision Time Protocol.
        Ptp = "ptp",
        /// A clock of the transport network.
        SsuBits = "ssu-bits",
        /// A satellite or radio system.
        Gnss = "gnss",
        /// Nothing.
        Local = "local",
    }
);

impl LocationWord {
    /// All that a list names.
    pub(crate) fn fields(list: &[Self]) -> LocationFields {
        let names = |word| list.contains(&word) || list.contains(&Self::All);
        LocationFields {
            ports: names(Self::Ports),
            source: names(Self::Source),
            destination: names(Self::Destination),
        }
    }
}

impl From<ClockSourceWord> for SynchronizationSource {
    fn from(word: ClockSourceWord) -> Self {
        match word {
            ClockSourceWord::Ntp => Self::NTP,
            ClockSourceWord::Ptp => Self::PTP,
            ClockSourceWord::SsuBits => Self::SSU_BITS,
            ClockSourceWord::Gnss => Self::SATELLITE,
            ClockSourceWord::Local => Self::LOCAL_FREE_RUNNING,
        }
    }
}

/// A DSCP that replies are given, or any of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ReplyClassWord {
    /// All there are.
    Any,
    /// This one.
    One(Dscp),
}

impl Setting for ReplyClassWord {
    const EXPECTED: &'static str =
        "any, or DSCPs by name (CS0-CS7, AF11-AF43, EF, VA, LE), 0 to 63 or 0x00 to 0x3f";
    fn read(text: &str) -> Option<Self> {
        match text {
            "any" => Some(Self::Any),
            _ => Dscp::read(text).map(Self::One),
        }
    }
}

impl fmt::Display for ReplyClassWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::One(dscp) => fmt::Display::fmt(dscp, f),
        }
    }
}

impl ReplyClassWord {
    /// All that a list names.
    pub(crate) fn classes(list: &[Self]) -> ReplyClasses {
        let named = list.iter().map(|word| match word {
            Self::Any => None,
            Self::One(dscp) => Some(*dscp),
        });
        named.collect::<Option<Vec<_>>>().map_or(ReplyClasses::All, ReplyClasses::Only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_fields_is_what_it_names() {
        assert_eq!(LocationWord::fields(&[]), LocationFields::NONE);
        assert_eq!(LocationWord::fields(&[LocationWord::All]), LocationFields::ALL);
        let some = LocationWord::fields(&[LocationWord::Ports, LocationWord::Source]);
        assert_eq!(some, LocationFields { destination: false, ..LocationFields::ALL });
    }

    #[test]
    fn any_class_is_any_whatever_else_is_named() {
        let read = |text: &str| ReplyClassWord::read(text).unwrap();
        assert_eq!(ReplyClassWord::classes(&[read("EF"), read("any")]), ReplyClasses::All);
        let one = ReplyClassWord::classes(&[read("AF41")]);
        assert_eq!(one, ReplyClasses::Only(vec![Dscp::new(34).unwrap()]));
        assert_eq!(ReplyClassWord::classes(&[]), ReplyClasses::Only(vec![]));
        assert_eq!(ReplyClassWord::read("AF9"), None);
        assert_eq!(read("any").to_string(), "any");
    }
}
