//! What probes ask of a reflector.

use core::fmt;

use stamp_document::Setting;
use stamp_proto::ip::{Dscp, Ecn};
use stamp_proto::tlv::class_of_service::ClassOfServiceRequest;

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

#[cfg(test)]
mod tests {
    use super::*;

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
