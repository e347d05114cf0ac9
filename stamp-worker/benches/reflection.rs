//! How reflectors of these benches answer.

use std::sync::Arc;

use stamp_proto::auth::{Key, KeyId, KeyRing};
use stamp_proto::packet::AuthenticationMode;
use stamp_session::clock::ClockState;
use stamp_session::reflector::{
    RateLimit, RateLimiter, RateLimiterConfig, ReflectorConfig, SourcePolicy,
};

/// Both ends read the same clock.
pub(crate) const ONE_CLOCK: ClockState =
    ClockState { synchronized: true, error_bound_ns: Some(0), declared: true };
const SEED: [u64; 2] = [7, 9];

pub(crate) fn key() -> Key {
    Key::new(KeyId(1), &[7; 32]).expect("a key of 32 octets")
}

/// Answers anyone, without any limit of rate.
pub(crate) fn config(mode: AuthenticationMode, stateful: bool) -> ReflectorConfig {
    let mut config = ReflectorConfig::new(SEED);
    config.stateful = stateful;
    if mode == AuthenticationMode::Authenticated {
        config.keys = KeyRing::new(vec![key()]).ok().map(Arc::new);
    }
    let policy = SourcePolicy { rate_limit: RateLimit::Off, ..SourcePolicy::unknown(mode) };
    config.unknown_sources = Some(policy);
    config.clock = ONE_CLOCK;
    config
}

pub(crate) fn limiter() -> Arc<RateLimiter> {
    Arc::new(RateLimiter::new(RateLimiterConfig::new(SEED)))
}
