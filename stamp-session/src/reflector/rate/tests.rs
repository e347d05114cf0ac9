use core::time::Duration;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;

const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn limiter() -> RateLimiter {
    RateLimiter::new(RateLimiterConfig::new([7, 11]))
}

fn claim(source: IpAddr, cost: u32) -> Claim {
    Claim { source, authenticated: false, cost }
}

fn at(after: Duration) -> MonotonicTime {
    MonotonicTime::from_ns(987_654_321).saturating_add(after)
}

fn limit(rate: u32, burst: u32) -> RateLimit {
    RateLimit::PerSecond {
        rate: NonZeroU32::new(rate).unwrap(),
        burst: NonZeroU32::new(burst).unwrap(),
    }
}

fn granted(
    limiter: &RateLimiter,
    source: IpAddr,
    limit: RateLimit,
    times: Vec<MonotonicTime>,
) -> usize {
    times
        .into_iter()
        .filter(|now| limiter.take(*now, claim(source, 1), limit) == Allowance::Granted)
        .count()
}

#[test]
fn a_burst_is_granted_and_not_one_probe_more() {
    let now = vec![at(Duration::ZERO); 5_000];
    assert_eq!(granted(&limiter(), SOURCE, RateLimit::DEFAULT, now), 4_000);
}

#[test]
fn in_the_long_run_the_rate_is_granted() {
    // Ten seconds at 4 000 a second.
    let times = (0..40_000).map(|probe| at(Duration::from_micros(250) * probe)).collect();
    let granted = granted(&limiter(), SOURCE, RateLimit::DEFAULT, times);
    assert!((23_990..=24_010).contains(&granted), "{granted}: not 4 000 + 10 s x 2 000");
}

#[test]
fn probing_at_the_limit_is_never_limited() {
    let times = (0..100_000).map(|probe| at(Duration::from_micros(500) * probe)).collect();
    assert_eq!(granted(&limiter(), SOURCE, RateLimit::DEFAULT, times), 100_000);
}

#[test]
fn every_probe_is_granted_when_the_limit_is_off() {
    let now = vec![at(Duration::ZERO); 100_000];
    assert_eq!(granted(&limiter(), SOURCE, RateLimit::Off, now), 100_000);
}

#[test]
fn one_in_sixteen_leaks() {
    let limiter = limiter();
    let now = at(Duration::ZERO);
    let mut leaked = 0;
    for _ in 0..164_000 {
        leaked += usize::from(matches!(
            limiter.take(now, claim(SOURCE, 1), RateLimit::DEFAULT),
            Allowance::Leaked(_)
        ));
    }
    assert!((9_000..=11_000).contains(&leaked), "{leaked} of 160 000");
}

#[test]
fn a_source_over_its_limit_is_told_once() {
    let limiter = limiter();
    let told = |now| {
        let allowance = limiter.take(now, claim(SOURCE, 1), RateLimit::DEFAULT);
        usize::from(matches!(allowance, Allowance::Leaked(true) | Allowance::Refused(true)))
    };
    let first: usize = (0..50_000).map(|_| told(at(Duration::ZERO))).sum();
    assert_eq!(first, 1);
    let later: usize = (0..50_000).map(|_| told(at(Duration::from_secs(600)))).sum();
    assert_eq!(later, 0, "it was told ten minutes ago");
}

#[test]
fn the_addresses_of_an_ipv6_64_are_one_source() {
    let limiter = limiter();
    let now = at(Duration::ZERO);
    let granted = (0..5_000_u128)
        .map(|host| Ipv6Addr::from_bits(0x2001_0db8_0000_0001 << 64 | host).into())
        .filter(|source| {
            limiter.take(now, claim(*source, 1), RateLimit::DEFAULT) == Allowance::Granted
        })
        .count();
    assert_eq!(granted, 4_000);
    let neighbour = Ipv6Addr::from_bits(0x2001_0db8_0000_0002 << 64).into();
    assert_eq!(limiter.take(now, claim(neighbour, 1), RateLimit::DEFAULT), Allowance::Granted);
}

#[test]
fn a_mapped_address_is_the_ipv4_source() {
    let limiter = limiter();
    let mapped = IpAddr::V6(Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped());
    let now = vec![at(Duration::ZERO); 4_000];
    assert_eq!(granted(&limiter, SOURCE, RateLimit::DEFAULT, now), 4_000);
    assert_ne!(
        limiter.take(at(Duration::ZERO), claim(mapped, 1), RateLimit::DEFAULT),
        Allowance::Granted
    );
}

#[test]
fn what_is_forged_in_the_name_of_a_key_holder_is_not_its_own() {
    let limiter = limiter();
    let now = at(Duration::ZERO);
    for _ in 0..10_000 {
        let _ = limiter.take(now, claim(SOURCE, 1), RateLimit::DEFAULT);
    }
    let verified = Claim { authenticated: true, ..claim(SOURCE, 1) };
    let granted = (0..10_000)
        .filter(|_| limiter.take(now, verified, RateLimit::DEFAULT) == Allowance::Granted);
    assert_eq!(granted.count(), 4_000);
}

#[test]
fn a_probe_may_cost_more_than_one() {
    let now = at(Duration::ZERO);
    let limiter = limiter();
    let granted = (0..100)
        .filter(|_| limiter.take(now, claim(SOURCE, 4), limit(10, 10)) == Allowance::Granted);
    assert_eq!(granted.count(), 2);
    assert!(
        !matches!(limiter.take(now, claim(SOURCE, 4), limit(10, 3)), Allowance::Granted),
        "more at once than the burst holds"
    );
}

#[test]
fn a_million_forged_sources_lock_nobody_out() {
    let limiter = limiter();
    let octets = limiter.slots.len() * size_of::<AtomicU64>();
    let mut refused = 0;
    for forged in 0..1_000_000_u32 {
        // A million sources in a second, and the victim every millisecond.
        let now = at(Duration::from_micros(u64::from(forged)));
        let forged = IpAddr::V4(Ipv4Addr::from_bits(0x0B00_0000 + forged));
        let _ = limiter.take(now, claim(forged, 1), RateLimit::DEFAULT);
        if now.ns() % 1_000_000 < 1_000 {
            refused += usize::from(
                limiter.take(now, claim(SOURCE, 1), RateLimit::DEFAULT) != Allowance::Granted,
            );
        }
    }
    assert_eq!(refused, 0);
    assert_eq!(octets, 512 * 1024);
}

#[test]
fn a_busy_source_stays_limited_while_others_come_and_go() {
    let limiter = limiter();
    let mut granted = 0;
    for probe in 0..400_000_u32 {
        let now = at(Duration::from_micros(u64::from(probe) * 10));
        let other = IpAddr::V4(Ipv4Addr::from_bits(0x0B00_0000 + probe % 60_000));
        let _ = limiter.take(now, claim(other, 1), RateLimit::DEFAULT);
        granted += usize::from(
            limiter.take(now, claim(SOURCE, 1), RateLimit::DEFAULT) == Allowance::Granted,
        );
    }
    // 4 s at 100 000 a second: 4 000 + 4 x 2 000.
    assert!((11_990..=12_010).contains(&granted), "{granted}");
}

#[test]
fn what_was_long_ago_is_forgotten_when_time_wraps() {
    let limiter = limiter();
    assert_eq!(
        granted(&limiter, SOURCE, RateLimit::DEFAULT, vec![at(Duration::ZERO); 4_000]),
        4_000
    );
    let wrap = Duration::from_nanos((TIME_MASK + 1) << TICK_SHIFT);
    for part in [4, 2, 1] {
        let later = at(wrap / part + Duration::from_secs(3));
        let allowance = limiter.take(later, claim(SOURCE, 1), RateLimit::DEFAULT);
        assert_eq!(allowance, Allowance::Granted, "after 1/{part} of the wrap");
    }
}

#[test]
fn workers_share_one_allowance() {
    let limiter = limiter();
    let granted: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let now = vec![at(Duration::ZERO); 3_000];
                    granted(&limiter, SOURCE, RateLimit::DEFAULT, now)
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(granted, 4_000);
}

#[test]
fn all_sources_together_have_a_limit_that_can_be_changed() {
    let limiter = limiter();
    let granted = |limiter: &RateLimiter, after: u64| {
        let now = at(Duration::from_secs(after));
        (0..1_000).filter(|_| limiter.take_total(now)).count()
    };
    assert_eq!(granted(&limiter, 0), 1_000);
    limiter.set_total(limit(100, 300));
    assert_eq!(limiter.total(), limit(100, 300));
    assert_eq!(granted(&limiter, 0), 300);
    assert_eq!(granted(&limiter, 1), 100);
    limiter.set_total(RateLimit::Off);
    assert_eq!(granted(&limiter, 1), 1_000);
}

#[test]
fn a_limit_of_nothing_is_no_limit_that_can_be_written() {
    assert_eq!(RateLimit::per_second(0), None);
    assert_eq!(RateLimit::per_second(2_000), Some(RateLimit::DEFAULT));
}

#[test]
fn the_fastest_limit_is_still_a_limit() {
    let now = vec![at(Duration::ZERO); 20];
    assert_eq!(granted(&limiter(), SOURCE, limit(u32::MAX, 10), now), 10);
}
