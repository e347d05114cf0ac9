//! How much one source, and all of them together, may ask for.
//!
//! What is counted per source is one fixed table of atomics for all workers of a host: no lock, no
//! memory that a flood of forged sources could make grow, and no table of W workers that would
//! allow W times the rate.

use core::num::NonZeroU32;
use core::sync::atomic::{AtomicU64, Ordering};
use std::net::IpAddr;

use super::keyed_hash::KeyedHash;
use super::prefix::leading_bits;
use crate::clock::MonotonicTime;

/// One probe in this many is answered although its source is over its limit.
///
/// Whoever forges a victim's address uses up its allowance. The leak keeps a sixteenth of the
/// victim's own probes alive, at the price of a sixteenth of the forged ones.
const LEAK: u64 = 16;
/// Places in the table that one source may take: it is looked for in all of them.
const WAYS: usize = 4;
/// Time is kept in units of 2^7 = 128 ns.
const TICK_SHIFT: u32 = 7;
const TICKS_PER_SECOND: u64 = 1_000_000_000 >> TICK_SHIFT;
/// Bits of a table word that hold time; they wrap after 39 hours, see [`Bucket::debt`].
const TIME_BITS: u32 = 40;
const TIME_MASK: u64 = (1 << TIME_BITS) - 1;
const REPORTED: u64 = 1 << TIME_BITS;
const TAG_SHIFT: u32 = TIME_BITS + 1;

/// How many probes are answered.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RateLimit {
    /// At most `rate` probes a second in the long run, and `burst` at once.
    PerSecond {
        /// Probes a second.
        rate: NonZeroU32,
        /// Probes at once after a pause.
        burst: NonZeroU32,
    },
    /// All of them.
    Off,
}

impl RateLimit {
    /// 2 000 a second with a burst of 4 000: probing every millisecond works out of the box.
    pub const DEFAULT: Self = Self::PerSecond {
        rate: NonZeroU32::new(2_000).unwrap(),
        burst: NonZeroU32::new(4_000).unwrap(),
    };

    /// `rate` a second with a burst of two seconds; `None` for zero, which would answer nobody.
    #[must_use]
    pub const fn per_second(rate: u32) -> Option<Self> {
        match (NonZeroU32::new(rate), NonZeroU32::new(rate.saturating_mul(2))) {
            (Some(rate), Some(burst)) => Some(Self::PerSecond { rate, burst }),
            _ => None,
        }
    }

    const fn pace(self) -> Option<Pace> {
        match self {
            Self::PerSecond { rate, burst } => {
                let ticks = TICKS_PER_SECOND.checked_div(rate.get() as u64);
                let step = match ticks {
                    None | Some(0) => 1,
                    Some(ticks) => ticks,
                };
                let burst = step.saturating_mul(burst.get() as u64);
                // A burst longer than the time bits can tell from the past is cut.
                let burst = if burst > TIME_MASK / 4 { TIME_MASK / 4 } else { burst };
                Some(Pace { step, burst })
            }
            Self::Off => None,
        }
    }
}

/// A limit in ticks.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Between two probes in the long run.
    step: u64,
    /// How far a source may be ahead of its pace.
    burst: u64,
}

/// How a [`RateLimiter`] is made.
#[derive(Clone, Copy, Debug)]
pub struct RateLimiterConfig {
    /// Sources remembered at once, of 8 octets each; rounded up to a power of two.
    pub slots: usize,
    /// Random; who knows it could choose addresses that share one place in the table.
    pub seed: [u64; 2],
    /// For all sources together, those without a limit of their own included.
    pub total: RateLimit,
    /// IPv4 addresses equal in so many bits are one source.
    pub ipv4_prefix_length: u8,
    /// IPv6 addresses equal in so many bits are one source.
    pub ipv6_prefix_length: u8,
}

impl RateLimiterConfig {
    /// 65 536 sources of /32 or /64, no limit for all together.
    #[must_use]
    pub const fn new(seed: [u64; 2]) -> Self {
        Self {
            slots: 65_536,
            seed,
            total: RateLimit::Off,
            ipv4_prefix_length: 32,
            ipv6_prefix_length: 64,
        }
    }
}

/// A probe that wants to be answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) source: IpAddr,
    /// Its HMAC was verified. Key holders have an allowance of their own: what strangers forge in
    /// the name of one, at another listener perhaps, must not use it up.
    pub(super) authenticated: bool,
    /// How many probes it counts as.
    pub(super) cost: u32,
}

/// What the limiter says about one probe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Allowance {
    Granted,
    /// Over the limit, answered nevertheless: see [`LEAK`]. The flag: nobody was told yet.
    Leaked(bool),
    /// Over the limit. The flag: nobody was told yet that this source is.
    Refused(bool),
}

/// Token buckets per source, shared by all workers.
///
/// Each bucket is one word: a tag of the source, whether somebody was told, and the time at which
/// the bucket is full again (the virtual scheduling form of a token bucket). When four sources
/// already share the four places where a new one could go, it takes that of the least busy one,
/// which thereby starts with a full bucket: a stranger's flood can only ever give back allowance.
#[derive(Debug)]
pub struct RateLimiter {
    slots: Box<[AtomicU64]>,
    hash: KeyedHash,
    draws: AtomicU64,
    total: AtomicU64,
    total_full: AtomicU64,
    ipv4_prefix_length: u8,
    ipv6_prefix_length: u8,
}

impl RateLimiter {
    /// A limiter in which no source has sent anything yet.
    #[must_use]
    pub fn new(config: RateLimiterConfig) -> Self {
        let count = config.slots.clamp(WAYS, 1 << 28).next_power_of_two();
        Self {
            slots: (0..count).map(|_| AtomicU64::new(0)).collect(),
            hash: KeyedHash::new(config.seed),
            draws: AtomicU64::new(0),
            total: AtomicU64::new(pack_limit(config.total)),
            total_full: AtomicU64::new(0),
            ipv4_prefix_length: config.ipv4_prefix_length,
            ipv6_prefix_length: config.ipv6_prefix_length,
        }
    }

    /// Changes the limit for all sources together; takes effect with the next probe.
    pub fn set_total(&self, limit: RateLimit) {
        self.total.store(pack_limit(limit), Ordering::Relaxed);
    }

    /// The limit for all sources together.
    #[must_use]
    pub fn total(&self) -> RateLimit {
        unpack_limit(self.total.load(Ordering::Relaxed))
    }

    /// Takes what is claimed from the allowance of its source.
    pub(super) fn take(&self, now: MonotonicTime, claim: Claim, limit: RateLimit) -> Allowance {
        let Some(pace) = limit.pace() else {
            return Allowance::Granted;
        };
        let Claim { source, authenticated, cost } = claim;
        let bits = leading_bits(source, self.ipv4_prefix_length, self.ipv6_prefix_length);
        let hash = self.hash.of_address(bits, authenticated);
        let now = ticks(now);
        let cost = pace.step.saturating_mul(u64::from(cost));
        let tag = (hash >> TAG_SHIFT) | 1;
        loop {
            let Some((slot, seen)) = self.find(hash, tag, now, pace) else {
                return Allowance::Granted;
            };
            let bucket = if seen.tag() == tag { seen } else { Bucket::new(tag) };
            let debt = bucket.debt(now, pace).saturating_add(cost);
            let next = if debt <= pace.burst {
                bucket.filling(now.wrapping_add(debt))
            } else {
                bucket.reported()
            };
            // A new source over its limit at once (a burst smaller than the cost) is not entered.
            let unchanged = next == seen || (debt > pace.burst && seen.tag() != tag);
            if !unchanged
                && slot
                    .compare_exchange_weak(seen.0, next.0, Ordering::Relaxed, Ordering::Relaxed)
                    .is_err()
            {
                continue;
            }
            if debt <= pace.burst {
                return Allowance::Granted;
            }
            let untold = !unchanged;
            return if self.leaks() {
                Allowance::Leaked(untold)
            } else {
                Allowance::Refused(untold)
            };
        }
    }

    /// Takes one probe from the allowance of all sources together.
    pub(super) fn take_total(&self, now: MonotonicTime) -> bool {
        let Some(pace) = self.total().pace() else {
            return true;
        };
        let now = ticks(now);
        self.total_full
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full| {
                let debt = Bucket(full).debt(now, pace).saturating_add(pace.step);
                (debt <= pace.burst).then(|| now.wrapping_add(debt) & TIME_MASK)
            })
            .is_ok()
    }

    /// Where the source is, or would go.
    fn find(&self, hash: u64, tag: u64, now: u64, pace: Pace) -> Option<(&AtomicU64, Bucket)> {
        let sets = self.slots.len() / WAYS;
        let set = usize::try_from(hash & (sets as u64).wrapping_sub(1)).unwrap_or_default();
        let start = set.saturating_mul(WAYS);
        let ways = self.slots.get(start..start.saturating_add(WAYS))?;
        let mut idlest: Option<(&AtomicU64, Bucket, u64)> = None;
        for slot in ways {
            let bucket = Bucket(slot.load(Ordering::Relaxed));
            if bucket.tag() == tag {
                return Some((slot, bucket));
            }
            let debt = bucket.debt(now, pace);
            if idlest.is_none_or(|(_, _, least)| debt < least) {
                idlest = Some((slot, bucket, debt));
            }
        }
        idlest.map(|(slot, bucket, _)| (slot, bucket))
    }

    fn leaks(&self) -> bool {
        let draw = self.draws.fetch_add(1, Ordering::Relaxed);
        self.hash.of(&draw.to_be_bytes()).is_multiple_of(LEAK)
    }
}

/// One word of the table: tag, told or not, and when the bucket is full again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Bucket(u64);

impl Bucket {
    const fn new(tag: u64) -> Self {
        Self(tag << TAG_SHIFT)
    }

    const fn tag(self) -> u64 {
        self.0 >> TAG_SHIFT
    }

    /// Ticks until the bucket is full again.
    ///
    /// Time is modulo 39 hours: what lies further ahead than any burst allows was long ago.
    const fn debt(self, now: u64, pace: Pace) -> u64 {
        let ahead = self.0.wrapping_sub(now) & TIME_MASK;
        if ahead <= pace.burst { ahead } else { 0 }
    }

    const fn filling(self, full: u64) -> Self {
        Self((self.0 & !TIME_MASK) | (full & TIME_MASK))
    }

    const fn reported(self) -> Self {
        Self(self.0 | REPORTED)
    }
}

const fn ticks(now: MonotonicTime) -> u64 {
    (now.ns() >> TICK_SHIFT) & TIME_MASK
}

const fn pack_limit(limit: RateLimit) -> u64 {
    match limit {
        RateLimit::PerSecond { rate, burst } => ((rate.get() as u64) << 32) | burst.get() as u64,
        RateLimit::Off => 0,
    }
}

fn unpack_limit(packed: u64) -> RateLimit {
    let half = |bits: u64| u32::try_from(bits & 0xFFFF_FFFF).ok().and_then(NonZeroU32::new);
    match (half(packed >> 32), half(packed)) {
        (Some(rate), Some(burst)) => RateLimit::PerSecond { rate, burst },
        _ => RateLimit::Off,
    }
}

#[cfg(test)]
mod tests;
