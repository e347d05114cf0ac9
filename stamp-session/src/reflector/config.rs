//! What an operator decides about a Session-Reflector.

use core::net::{IpAddr, SocketAddr};
use core::num::NonZeroU32;
use core::time::Duration;
use std::sync::Arc;

use stamp_proto::auth::{KeyId, KeyRing};
use stamp_proto::ip::{Dscp, HopLimit};
use stamp_proto::packet::{AuthenticationMode, Ssid};
use stamp_proto::time::{PtpUtcOffset, TimestampFormat};
use stamp_proto::tlv::micro_session_id::MemberLinkId;
use stamp_proto::tlv::timestamp_information::SynchronizationSource;

use super::bursts::PacketControlRules;
use super::prefix::Prefix;
use super::rate::RateLimit;
use super::returns::{ReplyMeans, ReturnPathPolicy};
use super::tlv_policy::TlvActions;
use super::way::{DataPlane, ReturnList};
use crate::clock::ClockState;
use crate::experimental::ExperimentalTypes;

/// The most sessions one table can be asked to hold.
const MOST_SESSIONS: usize = 1 << 20;

/// How one Session-Reflector answers; one per listener.
///
/// The defaults of [`Self::new`] answer everyone, unauthenticated and stateless, with the limits that
/// a host on an open network needs.
#[derive(Clone, Debug)]
pub struct ReflectorConfig {
    /// Number the replies of each session by a counter of their own (RFC 8762 §4).
    pub stateful: bool,
    /// What a source gets that no rule of [`Self::allow`] names; `None`: nothing.
    pub unknown_sources: Option<SourcePolicy>,
    /// What named sources get; the longest prefix counts.
    pub allow: Vec<AllowRule>,
    /// Whether the sessions themselves must be known.
    pub admission: Admission,
    /// For base packets where a policy says authenticated, and for HMAC TLVs in both modes.
    pub keys: Option<Arc<KeyRing>>,
    /// Sessions a stateful Session-Reflector keeps at once.
    pub session_limit: usize,
    /// How long a session is kept that sends nothing.
    pub session_expiry: Duration,
    /// Probes missing in a row that mean the way there is down; `None`: that is not watched. Without
    /// [`Self::stateful`] it never is.
    pub packet_loss_count: Option<NonZeroU32>,
    /// What a probe from a port of a Session-Reflector must look like.
    pub same_port: SamePort,
    /// Ports from which replies of other Session-Reflectors may come, beside 862 and our own.
    pub reflector_ports: Vec<u16>,
    /// Every address and port at which this host reflects; for a wildcard all its addresses.
    pub own_listeners: Vec<SocketAddr>,
    /// Every address of this host, for probes that name the node they are meant for.
    pub own_addresses: Vec<IpAddr>,
    /// Where replies may go when a probe asks for it.
    pub return_path: ReturnPathPolicy,
    /// Link-layer addresses of this host, for probes that name a group of them.
    pub own_links: Vec<[u8; 6]>,
    /// Octets a second of all replies together of which a probe wants several.
    pub packet_control_total: u64,
    /// What this host can put before a reply.
    pub means: ReplyMeans,
    /// Member links of the LAGs of this host.
    pub member_links: Vec<MemberLink>,
    /// Quality of the clock behind T2 and T3.
    pub clock: ClockState,
    /// How T2 and T3 are written.
    pub format: TimestampFormat,
    /// What sets the clock, where that is known.
    pub synchronization_source: Option<SynchronizationSource>,
    /// Time scale of PTP timestamps.
    pub ptp_utc_offset: PtpUtcOffset,
    /// Whether octets behind the base packet are TLVs.
    pub tlv_mode: TlvMode,
    /// Types of TLVs that both ends have to agree on.
    pub types: ExperimentalTypes,
    /// DSCP of the replies.
    pub dscp: ReplyDscp,
    /// Authenticated probes whose T1 is further than this from T2 are replays. Both clocks must be
    /// better than that.
    pub time_window: Option<Duration>,
    /// Random; who knows it could choose addresses that share one place in a table.
    pub seed: [u64; 2],
}

impl ReflectorConfig {
    /// Losses in a row that are told, if any are.
    pub(super) fn watched_losses(&self) -> Option<NonZeroU32> {
        self.packet_loss_count.filter(|_| self.stateful)
    }

    /// Answers everyone, unauthenticated and stateless.
    #[must_use]
    pub const fn new(seed: [u64; 2]) -> Self {
        Self {
            stateful: false,
            unknown_sources: Some(SourcePolicy::unknown(AuthenticationMode::Unauthenticated)),
            allow: Vec::new(),
            admission: Admission::Promiscuous,
            keys: None,
            session_limit: 65_536,
            session_expiry: Duration::from_secs(900),
            packet_loss_count: None,
            same_port: SamePort::ZeroOnly,
            reflector_ports: Vec::new(),
            own_listeners: Vec::new(),
            own_addresses: Vec::new(),
            return_path: ReturnPathPolicy::SourceOnly,
            own_links: Vec::new(),
            packet_control_total: 1_250_000,
            means: ReplyMeans { most_sids: 0, most_labels: 0 },
            member_links: Vec::new(),
            clock: ClockState::UNKNOWN,
            format: TimestampFormat::Ntp,
            synchronization_source: None,
            ptp_utc_offset: PtpUtcOffset::UTC,
            tlv_mode: TlvMode::Auto,
            types: ExperimentalTypes::USUAL,
            dscp: ReplyDscp::Copy,
            time_window: None,
            seed,
        }
    }

    /// What the link is called on which a probe came in; nothing where it is no member of a LAG.
    pub(crate) fn member(&self, interface: u32) -> Option<MemberLinkId> {
        let found = self.member_links.iter().find(|link| link.interface == interface);
        found.filter(|_| interface != 0).map(|link| link.id)
    }

    /// Whether any source is told the headers of its probes.
    #[must_use]
    pub fn tells_headers(&self) -> bool {
        let mut policies = self.allow.iter().map(|rule| &rule.policy).chain(&self.unknown_sources);
        policies.any(|policy| policy.tlvs.headers)
    }

    pub(super) fn check(&self) -> Result<(), ReflectorConfigError> {
        let policies = self.allow.iter().map(|rule| &rule.policy).chain(&self.unknown_sources);
        for policy in policies {
            let authenticated = policy.authentication == AuthenticationMode::Authenticated;
            if authenticated && self.keys.is_none() {
                return Err(ReflectorConfigError::KeysMissing);
            }
            for id in policy.key_ids.iter().flatten() {
                if self.keys.as_ref().is_none_or(|keys| keys.get(*id).is_none()) {
                    return Err(ReflectorConfigError::KeyUnknown { id: *id });
                }
            }
        }
        for rule in &self.allow {
            rule.check_return_segments(self.means)?;
        }
        if !(1..=MOST_SESSIONS).contains(&self.session_limit) {
            let (value, max) = (self.session_limit, MOST_SESSIONS);
            return Err(ReflectorConfigError::SessionLimit { value, max });
        }
        Ok(())
    }
}

/// What the sources of one prefix get.
#[derive(Clone, Debug)]
pub struct AllowRule {
    /// The sources.
    pub prefix: Prefix,
    /// What they get.
    pub policy: SourcePolicy,
}

impl AllowRule {
    /// A list that could not be followed is refused now, and not reply by reply.
    fn check_return_segments(&self, means: ReplyMeans) -> Result<(), ReflectorConfigError> {
        let Some(list) = &self.policy.return_segments else { return Ok(()) };
        let prefix = self.prefix;
        let (segments, most) = match list.plane() {
            DataPlane::Srv6 if prefix.address().is_ipv4() => {
                return Err(ReflectorConfigError::SidsNeedIpv6 { prefix });
            }
            DataPlane::Srv6 => (list.len(), means.most_sids),
            DataPlane::Mpls => (list.len(), means.most_labels),
        };
        if segments > most {
            return Err(ReflectorConfigError::ReturnSegments { prefix, segments, most });
        }
        Ok(())
    }
}

/// How probes of a source are answered.
#[derive(Clone, Debug)]
pub struct SourcePolicy {
    /// The mode of its sessions; never guessed from a packet (RFC 8762 §4).
    pub authentication: AuthenticationMode,
    /// The keys it may use; `None`: all of the ring.
    pub key_ids: Option<Vec<KeyId>>,
    /// How much of it is answered.
    pub rate_limit: RateLimit,
    /// Answer TWAMP Light probes of 14 to 43 octets (RFC 8762 §4.6) although the reply, always the
    /// whole base packet, has more octets than was received.
    pub short_probes: bool,
    /// Copy octets behind the base packet that are no TLVs (RFC 8762 §4.6) instead of answering
    /// with as many zeros.
    pub copy_padding: bool,
    /// Least TTL or Hop Limit a probe may arrive with (RFC 5082 §3).
    pub hop_limit_floor: Option<HopLimit>,
    /// Sessions of one source (IPv4 /32, IPv6 /64); `None`: a quarter of the table.
    pub session_limit: Option<usize>,
    /// The way of its replies, where the probe asks for none.
    pub return_segments: Option<ReturnList>,
    /// What it is told and given when its TLVs ask for it.
    pub tlvs: TlvRules,
}

/// What a source is told and given when its TLVs ask for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlvRules {
    /// Whether they are acted upon, by their type.
    pub actions: TlvActions,
    /// What of a probe's arrival is told (RFC 8972 §4.2).
    pub location: LocationFields,
    /// The DSCPs that replies are given (RFC 8972 §4.4).
    pub classes: ReplyClasses,
    /// Whether counters of real traffic are told (RFC 8972 §4.5), where there are any.
    pub traffic: bool,
    /// Whether the headers of a probe are told (draft-ietf-ippm-stamp-ext-hdr).
    pub headers: bool,
    /// What more than one reply may be (RFC 10052 §3); `None`: there is one.
    pub packet_control: Option<PacketControlRules>,
}

/// What of a probe's arrival is told. Inside of a NAT it is nobody's business outside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LocationFields {
    /// UDP ports.
    pub ports: bool,
    /// The address it was sent to.
    pub destination: bool,
    /// The address it came from.
    pub source: bool,
}

/// DSCPs that a source may ask for; that of its probe it always may.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ReplyClasses {
    /// Any.
    All,
    /// These.
    Only(Vec<Dscp>),
}

impl TlvRules {
    /// Nothing.
    pub const NONE: Self = Self {
        actions: TlvActions::ALLOWED,
        location: LocationFields::NONE,
        classes: ReplyClasses::Only(Vec::new()),
        traffic: false,
        headers: false,
        packet_control: None,
    };

    /// Everything.
    pub const ALL: Self = Self {
        actions: TlvActions::ALLOWED,
        location: LocationFields::ALL,
        classes: ReplyClasses::All,
        traffic: true,
        headers: true,
        packet_control: None,
    };
}

impl LocationFields {
    /// Nothing; the TLV is as good as unknown.
    pub const NONE: Self = Self { ports: false, destination: false, source: false };

    /// Everything.
    pub const ALL: Self = Self { ports: true, destination: true, source: true };

    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }
}

impl ReplyClasses {
    pub(crate) fn allows(&self, dscp: Dscp) -> bool {
        match self {
            Self::All => true,
            Self::Only(list) => list.contains(&dscp),
        }
    }

    /// Whoever may have any other class may have replies marked, too.
    pub(crate) fn allow_ecn(&self) -> bool {
        match self {
            Self::All => true,
            Self::Only(list) => !list.is_empty(),
        }
    }
}

impl SourcePolicy {
    /// What a stranger gets: never more octets than it sent, no octet of its own choice that is not
    /// in a TLV, 2 000 probes a second, a quarter of the session table.
    #[must_use]
    pub const fn unknown(authentication: AuthenticationMode) -> Self {
        Self {
            authentication,
            key_ids: None,
            rate_limit: RateLimit::DEFAULT,
            short_probes: false,
            copy_padding: false,
            hop_limit_floor: None,
            session_limit: None,
            return_segments: None,
            tlvs: TlvRules::NONE,
        }
    }

    /// What a source gets that the operator named: everything RFC 8762 offers.
    #[must_use]
    pub const fn configured(authentication: AuthenticationMode) -> Self {
        Self {
            authentication,
            key_ids: None,
            rate_limit: RateLimit::Off,
            short_probes: true,
            copy_padding: true,
            hop_limit_floor: None,
            session_limit: Some(MOST_SESSIONS),
            return_segments: None,
            tlvs: TlvRules::ALL,
        }
    }
}

/// A member link of a LAG (RFC 9534 §2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct MemberLink {
    /// Index of its interface.
    pub interface: u32,
    /// What it is called in probes and replies.
    pub id: MemberLinkId,
}

/// Which sessions are answered, apart from which sources.
#[derive(Clone, Debug)]
pub enum Admission {
    /// Whatever an allowed source sends; what RFC 9503 §4 assumes.
    Promiscuous,
    /// Sessions of this list only, as RFC 8972 §3 has it.
    Provisioned(Vec<ProvisionedSession>),
}

/// A session that an operator announced; `None` stands for any.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ProvisionedSession {
    /// Address of the Session-Sender.
    pub address: Option<IpAddr>,
    /// Source port of the probes.
    pub port: Option<u16>,
    /// STAMP Session Identifier.
    pub ssid: Option<Ssid>,
}

/// What happens to a probe whose source port is one of a Session-Reflector.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SamePort {
    /// Dropped.
    Strict,
    /// Dropped unless the octets a Session-Sender must leave zero are zero.
    ZeroOnly,
    /// Treated like any other.
    Allow,
}

/// Whether octets behind the base packet are TLVs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TlvMode {
    /// They are when the first of them has the flag that every Session-Sender sets.
    Auto,
    /// They are.
    On,
    /// They are padding.
    Off,
}

/// DSCP of the replies.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ReplyDscp {
    /// That of the probe.
    Copy,
    /// Always this one.
    Fixed(Dscp),
}

/// Why a configuration is refused.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReflectorConfigError {
    #[error("authenticated sources need keys")]
    KeysMissing,
    #[error("there is no key {id}")]
    KeyUnknown { id: KeyId },
    #[error("two rules for {prefix}")]
    PrefixTwice { prefix: Prefix },
    #[error("return segments for {prefix}: SIDs lead to IPv6 addresses only")]
    SidsNeedIpv6 { prefix: Prefix },
    #[error(
        "{segments} return segments for {prefix}; this host can put {most} before a reply (labels need \
         CAP_NET_RAW)"
    )]
    ReturnSegments { prefix: Prefix, segments: usize, most: usize },
    #[error("{value} sessions at most; must be 1 to {max}")]
    SessionLimit { value: usize, max: usize },
}
