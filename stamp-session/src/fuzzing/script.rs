//! How octets become a configuration and packets.

use std::net::SocketAddr;
use std::sync::Arc;

use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_proto::ip::HopLimit;
use stamp_proto::packet::AuthenticationMode;
use stamp_proto::reader::Reader;
use stamp_proto::time::{Timestamp, TimestampFormat, WallTime};
use stamp_proto::writer::patch_array;

use crate::reflector::{
    PacketControlRules, RateLimit, RateLimiter, RateLimiterConfig, Reflector, ReflectorConfig,
    SamePort, SourcePolicy, TlvMode,
};

const START: WallTime = WallTime::from_unix_ns(1_709_210_096_789_012_345);

/// One octet: how the Session-Reflector is configured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting(u8);

impl Setting {
    pub(super) const fn is_stateful(self) -> bool {
        self.0 & 0x01 != 0
    }

    pub(super) const fn mode(self) -> AuthenticationMode {
        if self.0 & 0x02 == 0 {
            AuthenticationMode::Unauthenticated
        } else {
            AuthenticationMode::Authenticated
        }
    }

    /// The operator named every source.
    pub(super) const fn is_named(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// Sources may ask for several replies.
    pub(super) const fn is_generous(self) -> bool {
        self.is_named() && self.0 >> 3 & 3 == 3
    }

    pub(super) fn reflector(self) -> Reflector {
        let mut config = ReflectorConfig::new([1, 2]);
        config.stateful = self.is_stateful();
        config.session_limit = 8;
        config.keys = Some(Arc::new(keys()));
        config.tlv_mode =
            [TlvMode::Auto, TlvMode::On, TlvMode::Off, TlvMode::Auto][usize::from(self.0 >> 3 & 3)];
        config.same_port = if self.0 & 0x20 == 0 { SamePort::ZeroOnly } else { SamePort::Allow };
        config.format =
            if self.0 & 0x40 == 0 { TimestampFormat::Ntp } else { TimestampFormat::Ptp };
        let mut policy = match self.is_named() {
            true => SourcePolicy::configured(self.mode()),
            false => SourcePolicy::unknown(self.mode()),
        };
        policy.tlvs.packet_control = self.is_generous().then_some(PacketControlRules::MODEST);
        let small = RateLimit::per_second(20).expect("not zero");
        let limited = self.0 & 0x80 != 0;
        let rate_limit = if limited { small } else { RateLimit::Off };
        config.unknown_sources = Some(SourcePolicy { rate_limit, ..policy });
        let limiter = RateLimiterConfig { slots: 16, ..RateLimiterConfig::new([3, 4]) };
        let limiter = Arc::new(RateLimiter::new(limiter));
        Reflector::new(config, limiter).expect("the configuration is consistent")
    }
}

/// One packet, and what happens around it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) octets: Vec<u8>,
    pub(super) from: SocketAddr,
    pub(super) hop_limit: Option<HopLimit>,
    /// Since the start.
    pub(super) now_ns: u64,
    /// The latest reply is handed in instead of `octets`.
    pub(super) is_reply: bool,
    /// The reply to it cannot be sent.
    pub(super) is_unsent: bool,
}

impl Step {
    pub(super) fn wall(&self) -> WallTime {
        let ns = i64::try_from(self.now_ns).expect("a script is short");
        WallTime::from_unix_ns(START.unix_ns() + ns)
    }
}

pub(super) fn keys() -> KeyRing {
    let key = Key::new(KeyId(1), b"the key of the fuzz target").expect("it is not empty");
    KeyRing::new(vec![key]).expect("one key makes a ring")
}

/// A configuration, then for each packet: what happens, how much later, its length, its octets.
pub(super) fn read(octets: &[u8]) -> Option<(Setting, Vec<Step>)> {
    let mut reader = Reader::new(octets);
    let setting = Setting(reader.take_u8("setting").ok()?);
    let mut steps = Vec::new();
    let mut now_ns = 0;
    while let Ok([what, later, length]) = reader.take_array("step") {
        let length = usize::from(length).min(reader.available());
        let octets = reader.take_slice("packet", length).ok()?.to_vec();
        now_ns += u64::from(later) * u64::from(later) * 1_000_000;
        let sources: [([u8; 4], u16); 4] = [
            ([192, 0, 2, 1], 49_200),
            ([192, 0, 2, 1], 50_000),
            ([198, 51, 100, 2], 862),
            ([203, 0, 113, 3], 5_000),
        ];
        let mut step = Step {
            octets,
            from: SocketAddr::from(sources[usize::from(what & 3)]),
            hop_limit: (what & 0x20 == 0).then_some(HopLimit(later)),
            now_ns,
            is_reply: what & 0x10 != 0,
            is_unsent: what & 0x40 != 0,
        };
        if what & 0x08 != 0 {
            let now = Timestamp::from_wall(step.wall(), TimestampFormat::Ntp).octets();
            let offset = setting.mode().timestamp_offset();
            // Too short a packet stays as it is.
            let _ = patch_array(&mut step.octets, offset, "timestamp", now);
        }
        if what & 0x04 != 0 {
            let _ = keys().signing().sign(&mut step.octets);
        }
        if what & 0x80 != 0 {
            steps.push(step.clone());
        }
        steps.push(step);
    }
    Some((setting, steps))
}
