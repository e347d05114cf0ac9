//! What probes ask of a reflector.

use core::fmt;
use core::time::Duration;

use stamp_document::Setting;
use stamp_document::quantity::Interval;
use stamp_proto::ip::{Dscp, Ecn};
use stamp_proto::tlv::TlvType;
use stamp_proto::tlv::access_report::{AccessId, AccessReport, ReturnCode};
use stamp_proto::tlv::class_of_service::ClassOfServiceRequest;
use stamp_proto::tlv::reflected_test_packet_control::ReflectedPackets;
use stamp_session::experimental::ExperimentalTypes;
use stamp_session::traffic::TrafficSource;

/// The DSCP that replies are to have, and the ECN codepoint: `AF41`, `AF41,ect0`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct WantedClass(pub ClassOfServiceRequest);

/// ECN codepoints by name.
const CODEPOINTS: [(&str, Ecn); 4] =
    [("not-ect", Ecn::NotEct), ("ect0", Ecn::Ect0), ("ect1", Ecn::Ect1), ("ce", Ecn::Ce)];

impl Setting for WantedClass {
    const EXPECTED: &'static str = "a DSCP by name or number, and behind a comma not-ect, ect0, ect1 \
                                    or ce, such as AF41 or AF41,ect0";
    fn read(text: &str) -> Option<Self> {
        let (dscp, ecn) = text.split_once(',').map_or((text, "not-ect"), |parts| parts);
        let (_, ecn) = CODEPOINTS.into_iter().find(|(name, _)| *name == ecn)?;
        Some(Self(ClassOfServiceRequest { dscp: Dscp::read(dscp)?, ecn }))
    }
}

impl fmt::Display for WantedClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ClassOfServiceRequest { dscp, ecn } = self.0;
        let name = CODEPOINTS.into_iter().find(|(_, one)| *one == ecn).map_or("", |(name, _)| name);
        match ecn {
            Ecn::NotEct => fmt::Display::fmt(&dscp, f),
            _ => write!(f, "{dscp},{name}"),
        }
    }
}

/// Where counters of real traffic are: `eth0`, or `cmd:` and a command that prints them.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CounterSource(pub TrafficSource);

impl Setting for CounterSource {
    const EXPECTED: &'static str = "the name of an interface, or cmd: and a shell command that prints packets sent and received";
    fn read(text: &str) -> Option<Self> {
        let source = match text.split_once(':') {
            Some(("cmd", command)) if !command.trim().is_empty() => {
                TrafficSource::Command(command.to_owned())
            }
            Some(_) => return None,
            // No name of an interface has a colon, a slash or a space.
            None if text.is_empty() || text.contains(['/', ' ']) => return None,
            None => TrafficSource::Interface(text.to_owned()),
        };
        Some(Self(source))
    }
}

impl fmt::Display for CounterSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            TrafficSource::Interface(name) => f.write_str(name),
            TrafficSource::Command(command) => write!(f, "cmd:{command}"),
        }
    }
}

/// What is reported of an access network: `3gpp,available`, `non-3gpp,17`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ReportedAccess(pub AccessReport);

/// Access networks by name.
const NETWORKS: [(&str, AccessId); 2] =
    [("3gpp", AccessId::ThreeGpp), ("non-3gpp", AccessId::NonThreeGpp)];

/// Return codes by name.
const CODES: [(&str, ReturnCode); 2] =
    [("available", ReturnCode::AVAILABLE), ("unavailable", ReturnCode::UNAVAILABLE)];

impl Setting for ReportedAccess {
    const EXPECTED: &'static str = "3gpp or non-3gpp, and behind a comma available, unavailable or a \
                                    return code from 1 to 254, such as 3gpp,unavailable";
    fn read(text: &str) -> Option<Self> {
        let (network, code) = text.split_once(',')?;
        let (_, access) = NETWORKS.into_iter().find(|(name, _)| *name == network)?;
        let named = CODES.into_iter().find(|(name, _)| *name == code).map(|(_, code)| code);
        let numbered = || code.parse().ok().filter(|code| (1..=254).contains(code)).map(ReturnCode);
        Some(Self(AccessReport { access, code: named.or_else(numbered)? }))
    }
}

impl fmt::Display for ReportedAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AccessReport { access, code } = self.0;
        let network = NETWORKS.into_iter().find(|(_, one)| *one == access);
        write!(f, "{},", network.map_or("", |(name, _)| name))?;
        match CODES.into_iter().find(|(_, one)| *one == code) {
            Some((name, _)) => f.write_str(name),
            None => fmt::Display::fmt(&code.0, f),
        }
    }
}

/// Types of the TLVs that ask for headers: `247,246`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct HeaderTypes(pub ExperimentalTypes);

impl Setting for HeaderTypes {
    const EXPECTED: &'static str =
        "two different numbers of 240 to 251: for the IP header, and for extension headers";
    fn read(text: &str) -> Option<Self> {
        let (fixed, extension) = text.split_once(',')?;
        let kind = |text: &str| text.parse().ok().map(TlvType);
        ExperimentalTypes::new(kind(fixed)?, kind(extension)?).map(Self)
    }
}

impl fmt::Display for HeaderTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.0.fixed_header.0, self.0.extension_header.0)
    }
}

/// The replies that each probe is to have: `3,200,1ms`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct WantedPackets(pub ReflectedPackets);

impl Setting for WantedPackets {
    const EXPECTED: &'static str = "how many replies, of how many octets each, and the time between \
                                    two of them up to 4s, such as 3,200,1ms";
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let count = parts.next()?.parse().ok()?;
        let octets = parts.next()?.parse().ok()?;
        let interval = Interval::read(parts.next()?)?;
        let interval_ns = u32::try_from(interval.0.as_nanos()).ok()?;
        parts.next().is_none().then_some(Self(ReflectedPackets { octets, count, interval_ns }))
    }
}

impl fmt::Display for WantedPackets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReflectedPackets { octets, count, interval_ns } = self.0;
        let interval = Interval(Duration::from_nanos(interval_ns.into()));
        write!(f, "{count},{octets},{interval}")
    }
}

/// What more than one reply may be: `10,1400,125000`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct AllowedPackets {
    /// Replies to one probe.
    pub packets: u16,
    /// Octets of each.
    pub octets: u16,
    /// Octets a second while they are sent.
    pub octets_per_second: u64,
}

impl Setting for AllowedPackets {
    const EXPECTED: &'static str = "the most replies to one probe, the most octets of each, and the most \
                                    octets a second, such as 10,1400,125000";
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let packets = parts.next()?.parse().ok()?;
        let octets = parts.next()?.parse().ok()?;
        let octets_per_second = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self { packets, octets, octets_per_second })
    }
}

impl fmt::Display for AllowedPackets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.packets, self.octets, self.octets_per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_and_printed_alike() {
        for text in ["3gpp,available", "non-3gpp,unavailable", "3gpp,3", "non-3gpp,254"] {
            let report = ReportedAccess::read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(report.to_string(), text);
        }
        assert_eq!(ReportedAccess::read("3gpp,2").unwrap().to_string(), "3gpp,unavailable");
        for text in ["", "3gpp", "3gpp,", "wifi,available", "3gpp,0", "3gpp,255", "1,1"] {
            assert_eq!(ReportedAccess::read(text), None, "{text}");
        }
    }

    #[test]
    fn several_replies_are_a_count_a_size_and_a_time() {
        let wanted = WantedPackets::read("3,200,1ms").map(|wanted| wanted.0);
        let expected = ReflectedPackets { octets: 200, count: 3, interval_ns: 1_000_000 };
        assert_eq!(wanted, Some(expected));
        assert_eq!(WantedPackets(expected).to_string(), "3,200,1ms");
        for text in ["", "3", "3,200", "3,200,1ms,4", "3,70000,1ms", "3,200,5s", "x,200,1ms"] {
            assert_eq!(WantedPackets::read(text), None, "{text}");
        }
        let allowed = AllowedPackets::read("10,1400,125000");
        assert_eq!(allowed.map(|allowed| allowed.to_string()).as_deref(), Some("10,1400,125000"));
        assert_eq!(AllowedPackets::read("10,1400"), None);
    }

    #[test]
    fn header_types_are_those_of_experiments() {
        for text in ["247,246", "240,251"] {
            assert_eq!(
                HeaderTypes::read(text).map(|types| types.to_string()).as_deref(),
                Some(text)
            );
        }
        for text in ["", "247", "247,", "247,247", "239,240", "251,252", "247,246,245"] {
            assert_eq!(HeaderTypes::read(text), None, "{text}");
        }
    }

    #[test]
    fn counters_are_those_of_an_interface_or_of_a_command() {
        for text in ["eth0", "bond0.100", "cmd:cat /run/counters", "cmd:a:b"] {
            let source = CounterSource::read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(source.to_string(), text);
        }
        for text in ["", "cmd:", "cmd: ", "eth0:1", "cmx:echo", "eth 0", "a/b"] {
            assert_eq!(CounterSource::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_class_is_read_and_printed_alike() {
        for text in ["AF41", "AF41,ect0", "EF,ect1", "CS0,ce", "7"] {
            let class = WantedClass::read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(class.to_string(), text);
        }
        let plain = WantedClass::read("AF41,not-ect").unwrap();
        assert_eq!(plain.to_string(), "AF41");
        for text in ["", "AF41,", ",ect0", "AF41,ect2", "64", "AF41,ect0,"] {
            assert_eq!(WantedClass::read(text), None, "{text}");
        }
    }
}
