//! Words for which TLVs are acted upon.

use core::fmt;

use stamp_config::Setting;
use stamp_proto::tlv::{
    TlvType, reflected_fixed_header_data, reflected_ipv6_extension_header_data,
};
use stamp_session::reflector::{TlvAction, TlvActions};

/// The word for every type.
const ALL: &str = "all";

const ACTIONS: [(&str, TlvAction); 3] =
    [("allow", TlvAction::Allow), ("refuse", TlvAction::Refuse), ("ignore", TlvAction::Ignore)];

/// What becomes of the TLVs of one type, or of all that nobody names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TlvPolicyWord {
    kind: Option<TlvType>,
    action: TlvAction,
}

impl TlvPolicyWord {
    /// Says what a list says; the types that it names go before what it says of all.
    ///
    /// # Errors
    ///
    /// The name of a type that it names twice.
    pub(crate) fn apply(list: &[Self], actions: &mut TlvActions) -> Result<(), String> {
        for (place, word) in list.iter().enumerate() {
            if list.iter().take(place).any(|earlier| earlier.kind == word.kind) {
                return Err(word.kind.map_or_else(|| ALL.to_owned(), name));
            }
        }
        for word in list.iter().filter(|word| word.kind.is_none()) {
            TlvActions::types().for_each(|kind| actions.set(kind, word.action));
        }
        for word in list {
            word.kind.into_iter().for_each(|kind| actions.set(kind, word.action));
        }
        Ok(())
    }
}

impl Setting for TlvPolicyWord {
    const EXPECTED: &'static str = "TLV=allow, TLV=refuse or TLV=ignore, the TLV being \
        destination-node-address, return-path, micro-session-id, location, timestamp-information, \
        class-of-service, follow-up-telemetry, direct-measurement, access-report, \
        reflected-test-packet-control, reflected-fixed-header-data, \
        reflected-ipv6-extension-header-data, or all for others";
    fn read(text: &str) -> Option<Self> {
        let (kind, action) = text.split_once('=')?;
        let (_, action) = ACTIONS.into_iter().find(|(word, _)| *word == action)?;
        let kind = match kind {
            ALL => None,
            _ => Some(TlvActions::types().find(|one| name(*one) == kind)?),
        };
        Some(Self { kind, action })
    }
}

impl fmt::Display for TlvPolicyWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.map_or_else(|| ALL.to_owned(), name);
        let word = ACTIONS.into_iter().find(|(_, action)| *action == self.action);
        write!(f, "{kind}={}", word.map_or("", |(word, _)| word))
    }
}

/// The name in the registry or in the draft, as it stands in a file.
fn name(kind: TlvType) -> String {
    match kind {
        reflected_fixed_header_data::EXPERIMENTAL_TYPE => "Reflected Fixed Header Data".to_owned(),
        reflected_ipv6_extension_header_data::EXPERIMENTAL_TYPE => {
            "Reflected IPv6 Extension Header Data".to_owned()
        }
        _ => kind.to_string(),
    }
    .to_ascii_lowercase()
    .replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> TlvPolicyWord {
        TlvPolicyWord::read(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn every_type_that_is_acted_upon_has_a_word_that_is_offered() {
        let offered: Vec<&str> =
            TlvPolicyWord::EXPECTED.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        for kind in TlvActions::types() {
            assert!(offered.contains(&&name(kind)[..]), "{kind}");
            for word in ["allow", "refuse", "ignore"] {
                let text = format!("{}={word}", name(kind));
                assert_eq!(read(&text).to_string(), text);
            }
        }
        for text in ["", "location", "location=", "location=Refuse", "hmac=refuse", "2=refuse"] {
            assert_eq!(TlvPolicyWord::read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_named_goes_before_what_is_said_of_all() {
        let mut actions = TlvActions::ALLOWED;
        let list = [read("location=allow"), read("all=refuse"), read("return-path=ignore")];
        assert_eq!(TlvPolicyWord::apply(&list, &mut actions), Ok(()));
        assert_eq!(actions.of(TlvType::LOCATION), TlvAction::Allow);
        assert_eq!(actions.of(TlvType::RETURN_PATH), TlvAction::Ignore);
        assert_eq!(actions.of(TlvType::CLASS_OF_SERVICE), TlvAction::Refuse);
        assert_eq!(actions.of(TlvType::HMAC), TlvAction::Allow, "no wish");
        let twice = [read("location=allow"), read("location=refuse")];
        assert_eq!(TlvPolicyWord::apply(&twice, &mut actions), Err("location".to_owned()));
    }
}
