//! Who is answered, and how.

use core::net::IpAddr;
use std::collections::HashMap;
use std::net::SocketAddr;

use stamp_proto::auth::KeyId;
use stamp_proto::packet::Ssid;

use super::config::{
    Admission, ProvisionedSession, ReflectorConfig, ReflectorConfigError, SourcePolicy,
};
use super::keyed_hash::KeyedHash;
use super::prefix::PrefixTable;

/// The access list and the list of sessions, made for looking up.
#[derive(Debug)]
pub(super) struct AccessList {
    rules: PrefixTable<SourcePolicy>,
    unknown: Option<SourcePolicy>,
    provisioned: Option<Provisioned>,
}

impl AccessList {
    pub(super) fn new(config: &ReflectorConfig) -> Result<Self, ReflectorConfigError> {
        let rules = config.allow.iter().map(|rule| (rule.prefix, rule.policy.clone()));
        let rules = PrefixTable::new(rules)
            .map_err(|prefix| ReflectorConfigError::PrefixTwice { prefix })?;
        let provisioned = match &config.admission {
            Admission::Promiscuous => None,
            Admission::Provisioned(sessions) => {
                Some(Provisioned::new(sessions, KeyedHash::new(config.seed)))
            }
        };
        Ok(Self { rules, unknown: config.unknown_sources.clone(), provisioned })
    }

    /// What a source gets; `None`: nothing.
    pub(super) fn policy(&self, source: IpAddr) -> Option<&SourcePolicy> {
        self.rules.longest(source).or(self.unknown.as_ref())
    }

    /// The session is one of those that are answered.
    pub(super) fn admits(&self, source: SocketAddr, ssid: Ssid) -> bool {
        self.provisioned.as_ref().is_none_or(|sessions| sessions.hold(source, ssid))
    }
}

/// A reply to this address can be sent, and says who asked: no group, no broadcast, no wildcard.
pub(super) fn can_be_answered(source: SocketAddr) -> bool {
    let unicast = match source.ip().to_canonical() {
        IpAddr::V4(address) => {
            !(address.is_unspecified() || address.is_multicast() || address.is_broadcast())
        }
        IpAddr::V6(address) => !(address.is_unspecified() || address.is_multicast()),
    };
    unicast && source.port() != 0
}

impl SourcePolicy {
    pub(super) fn allows_key(&self, id: KeyId) -> bool {
        self.key_ids.as_ref().is_none_or(|allowed| allowed.contains(&id))
    }
}

/// Provisioned sessions by address, those of any address apart.
#[derive(Debug)]
struct Provisioned {
    by_address: HashMap<IpAddr, Vec<ProvisionedSession>, KeyedHash>,
    anywhere: Vec<ProvisionedSession>,
}

impl Provisioned {
    fn new(sessions: &[ProvisionedSession], hash: KeyedHash) -> Self {
        let mut by_address: HashMap<_, Vec<_>, _> = HashMap::with_hasher(hash);
        let mut anywhere = Vec::new();
        for session in sessions {
            match session.address {
                Some(address) => {
                    by_address.entry(address.to_canonical()).or_default().push(*session);
                }
                None => anywhere.push(*session),
            }
        }
        Self { by_address, anywhere }
    }

    fn hold(&self, source: SocketAddr, ssid: Ssid) -> bool {
        let here = self.by_address.get(&source.ip().to_canonical());
        here.into_iter().flatten().chain(&self.anywhere).any(|session| {
            session.port.is_none_or(|port| port == source.port())
                && session.ssid.is_none_or(|wanted| wanted == ssid)
        })
    }
}

#[cfg(test)]
mod tests {
    use stamp_proto::packet::AuthenticationMode;

    use super::super::config::AllowRule;
    use super::super::prefix::Prefix;
    use super::*;

    const OPEN: AuthenticationMode = AuthenticationMode::Unauthenticated;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_longest_rule_counts_and_strangers_get_theirs() {
        let mut config = ReflectorConfig::new([1, 2]);
        let rule = |prefix: &str, length, policy| AllowRule {
            prefix: Prefix::new(address(prefix), length).unwrap(),
            policy,
        };
        config.allow = vec![
            rule("192.0.2.0", 24, SourcePolicy::configured(OPEN)),
            rule("192.0.2.128", 25, SourcePolicy::unknown(OPEN)),
        ];
        let list = AccessList::new(&config).unwrap();
        let copies = |source| list.policy(address(source)).map(|policy| policy.copy_padding);
        assert_eq!(copies("192.0.2.1"), Some(true));
        assert_eq!(copies("192.0.2.129"), Some(false));
        assert_eq!(copies("198.51.100.1"), Some(false));
        config.unknown_sources = None;
        let list = AccessList::new(&config).unwrap();
        assert!(list.policy(address("198.51.100.1")).is_none());
        assert!(list.policy(address("192.0.2.1")).is_some());
    }

    #[test]
    fn a_prefix_twice_is_refused() {
        let mut config = ReflectorConfig::new([1, 2]);
        let prefix = Prefix::host(address("192.0.2.1"));
        config.allow = vec![AllowRule { prefix, policy: SourcePolicy::configured(OPEN) }; 2];
        let error = AccessList::new(&config).unwrap_err();
        assert_eq!(error, ReflectorConfigError::PrefixTwice { prefix });
    }

    #[test]
    fn each_element_of_a_provisioned_session_may_be_any() {
        let sessions = [
            ProvisionedSession {
                address: Some(address("192.0.2.1")),
                port: Some(49_200),
                ssid: Some(Ssid(7)),
            },
            ProvisionedSession { address: Some(address("192.0.2.2")), port: None, ssid: None },
            ProvisionedSession { address: None, port: None, ssid: Some(Ssid(9)) },
        ];
        let provisioned = Provisioned::new(&sessions, KeyedHash::new([1, 2]));
        let holds = |source: &str, ssid| provisioned.hold(source.parse().unwrap(), Ssid(ssid));
        assert!(holds("192.0.2.1:49200", 7));
        assert!(holds("[::ffff:192.0.2.1]:49200", 7));
        assert!(!holds("192.0.2.1:49201", 7));
        assert!(!holds("192.0.2.1:49200", 8));
        assert!(holds("192.0.2.2:1", 0));
        assert!(holds("198.51.100.1:1", 9));
        assert!(!holds("198.51.100.1:1", 7));
    }

    #[test]
    fn groups_and_wildcards_cannot_be_answered() {
        for source in [
            "224.0.0.1:5000",
            "255.255.255.255:5000",
            "0.0.0.0:5000",
            "[ff02::1]:5000",
            "[::]:5000",
            "192.0.2.1:0",
        ] {
            assert!(!can_be_answered(source.parse().unwrap()), "{source}");
        }
        for source in ["192.0.2.1:5000", "127.0.0.1:5000", "[fe80::1%2]:5000"] {
            assert!(can_be_answered(source.parse().unwrap()), "{source}");
        }
    }
}
