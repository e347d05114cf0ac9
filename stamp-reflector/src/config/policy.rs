//! Who is answered and how: unknown sources, `[[allow]]` and `[[session]]`.

use stamp_config::asking::AllowedPackets;
use stamp_config::document::{Problem, Section};
use stamp_config::quantity;
use stamp_proto::auth::KeyId;
use stamp_proto::ip::HopLimit;
use stamp_proto::packet::AuthenticationMode;
use stamp_session::reflector::{
    Admission, AllowRule, PacketControlRules, Prefix, ProvisionedSession, RateLimit,
    ReflectorConfig, SourcePolicy, TlvActions, TlvRules,
};

use super::keys::{self, allow, session};
use super::reading::Reading;
use super::returns;
use super::words::{AdmissionWord, LocationWord, ReplyClassWord, TlvPolicyWord, UnknownSources};

const ALLOW: &str = "allow";
const SESSION: &str = "session";

/// Reads what decides who is answered into `engine`, whose keys are there already.
pub(super) fn read(
    reading: &Reading<'_>,
    root: &Section<'_>,
    mode: AuthenticationMode,
    engine: &mut ReflectorConfig,
) {
    let limit = reading.value(root, &keys::RATE_LIMIT);
    let ttl_floor = reading.value(root, &keys::TTL_FLOOR);
    let mut unknown = SourcePolicy::unknown(mode);
    unknown.rate_limit = limit.and_then(rate_limit).unwrap_or(unknown.rate_limit);
    unknown.hop_limit_floor = ttl_floor;
    let location = reading.list(root, &keys::LOCATION, |_| None, LocationWord::to_string);
    let classes = reading.list(root, &keys::REPLY_CLASSES, |_| None, ReplyClassWord::to_string);
    let actions = read_actions(reading, root);
    unknown.tlvs = TlvRules {
        actions: actions.clone(),
        location: location.map_or(unknown.tlvs.location, |list| LocationWord::fields(&list)),
        classes: classes.map_or(unknown.tlvs.classes, |list| ReplyClassWord::classes(&list)),
        traffic: unknown.tlvs.traffic,
        headers: reading.value(root, &keys::headers::REFLECT_HEADERS).unwrap_or_default(),
        packet_control: reading.value(root, &keys::packets::PACKET_CONTROL).map(packet_control),
    };

    let rules = Rules { reading, mode, ttl_floor, actions, engine };
    let allow = rules.read(root);
    let denied = match reading.value(root, &keys::UNKNOWN_SOURCES) {
        Some(UnknownSources::Deny) if allow.is_empty() => {
            let problem = Problem::Needs { other: "an [[allow]] in the file" };
            reading.problem(root, &keys::UNKNOWN_SOURCES.definition, problem);
            true
        }
        Some(word) => word == UnknownSources::Deny,
        None => !allow.is_empty(),
    };
    engine.allow = allow;
    engine.unknown_sources = (!denied).then_some(unknown);
    engine.admission = read_admission(reading, root);
    engine.return_path = returns::policy(reading, root);
}

/// What the reading of `[[allow]]` needs from the rest.
struct Rules<'r> {
    reading: &'r Reading<'r>,
    mode: AuthenticationMode,
    ttl_floor: Option<HopLimit>,
    actions: TlvActions,
    engine: &'r ReflectorConfig,
}

impl Rules<'_> {
    fn read(&self, root: &Section<'_>) -> Vec<AllowRule> {
        let mut rules: Vec<AllowRule> = Vec::new();
        let mut index = 0;
        root.sections(ALLOW, |section| {
            let rule = self.read_rule(index, section);
            index += 1;
            let Some(rule) = rule else { return };
            if rules.iter().any(|earlier| earlier.prefix == rule.prefix) {
                let reason = "this prefix stands in an earlier [[allow]]".to_owned();
                section.problem(allow::PREFIX.definition.key, Problem::Unusable { reason });
            }
            rules.push(rule);
        });
        rules
    }

    fn read_rule(&self, index: usize, section: &Section<'_>) -> Option<AllowRule> {
        let table = (ALLOW, index);
        let net = self.reading.required_item(table, section, &allow::PREFIX);
        let limit = self.reading.item(table, section, &allow::RATE_LIMIT);
        let mode = self.read_mode(index, section);
        let mut policy = SourcePolicy::configured(mode);
        policy.rate_limit = limit.and_then(rate_limit).unwrap_or(policy.rate_limit);
        policy.key_ids = self.read_key_ids(index, section);
        if let Some(short_probes) = self.reading.item(table, section, &allow::SHORT_PROBES) {
            policy.short_probes = short_probes;
        }
        if let Some(copy_padding) = self.reading.item(table, section, &allow::COPY_PADDING) {
            policy.copy_padding = copy_padding;
        }
        policy.hop_limit_floor =
            self.reading.item(table, section, &allow::TTL_FLOOR).or(self.ttl_floor);
        if let Some(cap) = self.reading.item(table, section, &allow::SESSION_CAP) {
            policy.session_limit = Some(cap.0);
        }
        self.read_tlvs(index, section, &mut policy.tlvs);
        let return_segments = self.reading.items(table, section, &allow::RETURN_SEGMENTS);
        policy.return_segments =
            return_segments.and_then(|list| returns::list(section, &list, net));
        let net = net?;
        let prefix = Prefix::new(net.addr(), net.prefix_len()).ok()?;
        Some(AllowRule { prefix, policy })
    }

    fn read_tlvs(&self, index: usize, section: &Section<'_>, rules: &mut TlvRules) {
        let table = (ALLOW, index);
        rules.actions = self.actions.clone();
        if let Some(list) = self.reading.items(table, section, &keys::tlvs::OF_PREFIX)
            && let Err(twice) = TlvPolicyWord::apply(&list, &mut rules.actions)
        {
            section.problem(keys::tlvs::OF_PREFIX.definition.key, named_twice(&twice));
        }
        if let Some(fields) = self.reading.items(table, section, &allow::LOCATION) {
            rules.location = LocationWord::fields(&fields);
        }
        if let Some(classes) = self.reading.items(table, section, &allow::REPLY_CLASSES) {
            rules.classes = ReplyClassWord::classes(&classes);
        }
        if let Some(told) = self.reading.item(table, section, &keys::traffic::TOLD) {
            rules.traffic = told;
        }
        if let Some(told) = self.reading.item(table, section, &keys::headers::TOLD) {
            rules.headers = told;
        }
        rules.packet_control =
            self.reading.item(table, section, &keys::packets::ALLOWED).map(packet_control);
    }

    fn read_mode(&self, index: usize, section: &Section<'_>) -> AuthenticationMode {
        match self.reading.item((ALLOW, index), section, &allow::AUTH) {
            None => self.mode,
            Some(false) => AuthenticationMode::Unauthenticated,
            Some(true) => {
                if self.engine.keys.is_none() {
                    let problem = Problem::Needs { other: keys::AUTH_KEY_FILE.definition.key };
                    section.problem(allow::AUTH.definition.key, problem);
                }
                AuthenticationMode::Authenticated
            }
        }
    }

    fn read_key_ids(&self, index: usize, section: &Section<'_>) -> Option<Vec<KeyId>> {
        let key = &allow::KEY_IDS;
        let numbers = self.reading.items((ALLOW, index), section, key)?;
        let ids: Vec<KeyId> = numbers.into_iter().map(KeyId::from).collect();
        match &self.engine.keys {
            None => {
                let problem = Problem::Needs { other: keys::AUTH_KEY_FILE.definition.key };
                section.problem(key.definition.key, problem);
            }
            Some(ring) => {
                for id in ids.iter().filter(|id| ring.get(**id).is_none()) {
                    let reason = format!("the key file has no key {id}");
                    section.problem(key.definition.key, Problem::Unusable { reason });
                }
            }
        }
        Some(ids)
    }
}

/// Which TLVs are acted upon, whoever sends them.
fn read_actions(reading: &Reading<'_>, root: &Section<'_>) -> TlvActions {
    let key = &keys::tlvs::TLV_POLICY;
    let print = |word: &TlvPolicyWord| toml::Value::from(word.to_string()).to_string();
    let list = reading.list(root, key, |_| None, print).unwrap_or_default();
    let mut actions = TlvActions::ALLOWED;
    if let Err(twice) = TlvPolicyWord::apply(&list, &mut actions) {
        reading.problem(root, &key.definition, named_twice(&twice));
    }
    actions
}

fn named_twice(name: &str) -> Problem {
    Problem::Unusable { reason: format!("{name} stands there twice") }
}

fn read_admission(reading: &Reading<'_>, root: &Section<'_>) -> Admission {
    let mut index = 0;
    let sessions = root.sections(SESSION, |section| {
        let table = (SESSION, index);
        index += 1;
        ProvisionedSession {
            address: reading.item(table, section, &session::ADDRESS),
            port: reading.item(table, section, &session::PORT).map(|port| port.0),
            ssid: reading.item(table, section, &session::SSID),
        }
    });
    let definition = &keys::ADMISSION.definition;
    match (reading.value(root, &keys::ADMISSION), sessions.is_empty()) {
        (Some(AdmissionWord::Provisioned), true) => {
            let problem = Problem::Needs { other: "at least one [[session]]" };
            reading.problem(root, definition, problem);
        }
        (Some(AdmissionWord::Promiscuous), false) => {
            reading.problem(root, definition, Problem::Conflict { with: "[[session]]" });
        }
        _ => {}
    }
    if sessions.is_empty() { Admission::Promiscuous } else { Admission::Provisioned(sessions) }
}

/// The engine's form: there is no volume that count and size do not limit already.
fn packet_control(allowed: AllowedPackets) -> PacketControlRules {
    let AllowedPackets { packets, octets, octets_per_second } = allowed;
    PacketControlRules {
        most_packets: packets,
        most_octets: octets,
        most_volume_octets: u64::from(packets) * u64::from(octets),
        most_octets_per_second: octets_per_second,
    }
}

/// The engine's form of a limit; the range of the word leaves no zero.
pub(super) fn rate_limit(word: quantity::RateLimit) -> Option<RateLimit> {
    match word {
        quantity::RateLimit::Off => Some(RateLimit::Off),
        quantity::RateLimit::PerSecond(rate) => RateLimit::per_second(rate),
    }
}
