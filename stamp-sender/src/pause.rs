//! How long to wait before another try.

use std::time::Duration;

/// First and longest pause.
pub const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The pause after so many attempts in vain: twice the one before, and by chance down to half of it, so
/// that many who were turned away do not come back together.
pub fn pause((first, longest): (Duration, Duration), attempts: u32, chance: u64) -> Duration {
    let whole = first.saturating_mul(1 << attempts.saturating_sub(1).min(6)).min(longest);
    let half = whole / 2;
    let nanoseconds = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX);
    half + Duration::from_nanos(chance % nanoseconds.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(attempts: u32, chance: u64) -> Duration {
        super::pause(PAUSES, attempts, chance)
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_vary_by_half() {
        assert_eq!(pause(1, 0), Duration::from_millis(500));
        assert_eq!(pause(1, 500_000_000), Duration::from_secs(1));
        assert_eq!(pause(3, 2_000_000_000), Duration::from_secs(4));
        for attempts in [7, 8, u32::MAX] {
            let (shortest, longest) = (pause(attempts, 0), pause(attempts, 30_000_000_000));
            assert_eq!((shortest.as_secs(), longest.as_secs()), (30, 60), "{attempts}");
        }
    }
}
