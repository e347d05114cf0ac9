//! Never answering a reply.
//!
//! A reply has the size of a probe and no bit says that it is one. Two Session-Reflectors that take
//! each other's replies for probes answer each other until somebody stops them, and one datagram
//! with a forged source is enough to start them. An HMAC does not help: both may share the key, and
//! replies are validly signed. So each rule here is applied in both modes, and before it.
//!
//! | rule | what it sees | needs |
//! |---|---|---|
//! | [`LoopRule::OwnListener`] | the source is a listener of this host | our addresses |
//! | [`LoopRule::ReadsAsReply`] | T2 and T3 of a reply, a second apart at most | nothing |
//! | [`LoopRule::EchoedStamp`] | our own T3, come back a moment later | our clock |
//! | [`LoopRule::ReflectorPort`] | a source port of Session-Reflectors, octets set that a probe leaves zero | the ports |
//! | [`LoopRule::LowPort`] | the source port of another service (echo, chargen) | nothing |
//!
//! None of them remembers anything, so none can be turned against a third party: what a stranger
//! forges in somebody's name is dropped, and nothing else is. A block of a source that was seen to
//! loop would be such a weapon; as every single packet of a loop gives itself away, none is needed.

use core::net::SocketAddr;

use stamp_proto::packet::{AuthenticationMode, ReflectorPacket, sender_mbz_is_zero};
use stamp_proto::reader::{peek_array, peek_up_to};
use stamp_proto::time::{PtpUtcOffset, TimeDelta, Timestamp, TimestampFormat};

use super::config::{ReflectorConfig, SamePort};
use super::prefix::address_bits;
use crate::datagram::Received;

/// The port of Session-Reflectors (RFC 8545 §5).
const STAMP_PORT: u16 = 862;
/// Ports below are those of other services.
const FIRST_USER_PORT: u16 = 1_024;
/// Longest distance of T2 and T3 in what is taken for a reply.
const LONGEST_RESIDENCE: TimeDelta = TimeDelta::from_ns(1_000_000_000);
/// Longest time after which our own timestamp comes back in a loop.
const LONGEST_RETURN: TimeDelta = TimeDelta::from_ns(10_000_000_000);

/// What gave a packet away as part of a loop.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LoopRule {
    /// Its source is one of our own listeners.
    OwnListener,
    /// It reads as a reply.
    ReadsAsReply,
    /// It echoes a timestamp that we wrote a moment ago.
    EchoedStamp,
    /// It comes from a port of Session-Reflectors and does not look like a probe.
    ReflectorPort,
    /// It comes from a port of another service.
    LowPort,
}

impl LoopRule {
    /// Every rule, in the order of [`Self::index`].
    pub const ALL: [Self; 5] = [
        Self::OwnListener,
        Self::ReadsAsReply,
        Self::EchoedStamp,
        Self::ReflectorPort,
        Self::LowPort,
    ];

    /// How many rules there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The value of a metric label; never changes.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::OwnListener => "own_listener",
            Self::ReadsAsReply => "reads_as_reply",
            Self::EchoedStamp => "echoed_stamp",
            Self::ReflectorPort => "reflector_port",
            Self::LowPort => "low_port",
        }
    }

    /// Its place in an array of counters.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The rules, with what they need to know.
#[derive(Debug)]
pub(super) struct LoopBreaker {
    own: Vec<(u128, u16)>,
    ports: Vec<u16>,
    same_port: SamePort,
    format: TimestampFormat,
    ptp_utc_offset: PtpUtcOffset,
}

impl LoopBreaker {
    pub(super) fn new(config: &ReflectorConfig) -> Self {
        let mut own: Vec<_> = config.own_listeners.iter().map(endpoint).collect();
        own.sort_unstable();
        own.dedup();
        let mut ports: Vec<_> = config.own_listeners.iter().map(SocketAddr::port).collect();
        ports.extend_from_slice(&config.reflector_ports);
        ports.push(STAMP_PORT);
        ports.sort_unstable();
        ports.dedup();
        Self {
            own,
            ports,
            same_port: config.same_port,
            format: config.format,
            ptp_utc_offset: config.ptp_utc_offset,
        }
    }

    /// The rule by which `probe` is part of a loop, if any.
    pub(super) fn broken_by(
        &self,
        mode: AuthenticationMode,
        probe: &Received<'_>,
    ) -> Option<LoopRule> {
        if probe.from == probe.to || self.own.binary_search(&endpoint(&probe.from)).is_ok() {
            return Some(LoopRule::OwnListener);
        }
        let like_a_probe = sender_mbz_is_zero(mode, probe.octets);
        if !like_a_probe && reads_as_reply(mode, probe.octets) {
            return Some(LoopRule::ReadsAsReply);
        }
        if !like_a_probe && self.echoes_our_stamp(mode, probe) {
            return Some(LoopRule::EchoedStamp);
        }
        // The own port of a listener on a wildcard of which the shell did not tell the addresses.
        let port = probe.from.port();
        if port == probe.to.port() || self.ports.binary_search(&port).is_ok() {
            let suspicious = match self.same_port {
                SamePort::Strict => true,
                SamePort::ZeroOnly => !like_a_probe,
                SamePort::Allow => false,
            };
            return suspicious.then_some(LoopRule::ReflectorPort);
        }
        (port < FIRST_USER_PORT).then_some(LoopRule::LowPort)
    }

    /// A Session-Reflector may listen there: one of ours, or any other by its port.
    pub(super) fn is_reflector(&self, end: SocketAddr) -> bool {
        self.own.binary_search(&endpoint(&end)).is_ok()
            || self.ports.binary_search(&end.port()).is_ok()
            || end.port() < FIRST_USER_PORT
    }

    /// The Session-Sender Timestamp of a reply to one of our replies is our own T3.
    ///
    /// This finds what [`reads_as_reply`] does not: a far end whose T2 is wrong or missing. The
    /// field of a probe is zero or padding, which has one chance in 10^8 to be so close to now.
    fn echoes_our_stamp(&self, mode: AuthenticationMode, probe: &Received<'_>) -> bool {
        let offset = mode.sender_timestamp_offset();
        let Ok(octets) = peek_array(probe.octets, offset, "session-sender timestamp") else {
            return false;
        };
        let echoed = Timestamp::from_octets(octets, self.format);
        let now = self.ptp_utc_offset.timestamp(probe.stamp.time, self.format);
        !echoed.is_zero() && now.since(echoed).is_ok_and(|age| age.abs() <= LONGEST_RETURN)
    }
}

/// The octets hold a reply.
///
/// Beside [`stamp_proto::packet::reads_as_reply`], which wants an echoed T1, this finds the reply to
/// a forged probe whose T1 was zero: its Session-Sender TTL is never zero.
fn reads_as_reply(mode: AuthenticationMode, octets: &[u8]) -> bool {
    stamp_proto::packet::reads_as_reply(mode, octets)
        || ReflectorPacket::parse(mode, octets).is_ok_and(|reply| {
            let residence = reply.timestamp.since(reply.receive_timestamp);
            reply.sender_ttl.0 != 0
                && residence.is_ok_and(|residence| residence.abs() <= LONGEST_RESIDENCE)
        })
}

/// The octets, received as unauthenticated, are laid out as an authenticated probe or reply.
///
/// Their first fields are then zero where an unauthenticated packet has T1, its Error Estimate and
/// its SSID, and not zero where the authenticated one has them.
pub(super) fn is_of_the_authenticated_mode(octets: &[u8]) -> bool {
    const MODE: AuthenticationMode = AuthenticationMode::Authenticated;
    let zero = |octets: &[u8]| octets.iter().all(|octet| *octet == 0);
    octets.len() >= MODE.base_octets()
        && zero(peek_up_to(octets, 4..MODE.timestamp_offset()))
        && !zero(peek_up_to(octets, MODE.timestamp_offset()..MODE.ssid_offset()))
}

fn endpoint(address: &SocketAddr) -> (u128, u16) {
    (address_bits(address.ip()), address.port())
}
