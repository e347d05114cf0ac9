//! What probes ask of a reflector.

use core::fmt;

use stamp_document::Setting;
use stamp_proto::ip::{Dscp, Ecn};
use stamp_proto::tlv::class_of_service::ClassOfServiceRequest;
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

#[cfg(test)]
mod tests {
    use super::*;

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
