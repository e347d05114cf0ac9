//! What a wire does to which datagrams.

use std::fmt;
use std::time::Duration;

use super::frame::Datagram;

/// Which datagrams of one way a rule is about. Positions count from 1.
pub struct Which(Box<dyn FnMut(&Datagram<'_>) -> bool + Send>);

impl Which {
    /// Every datagram.
    #[must_use]
    pub fn all() -> Self {
        Self::only(|_| true)
    }

    /// The datagrams at these positions.
    #[must_use]
    pub fn nth(positions: impl Into<Vec<u64>>) -> Self {
        let positions = positions.into();
        Self::only(move |datagram| positions.contains(&datagram.nth))
    }

    /// The datagrams from this position on.
    #[must_use]
    pub fn from(position: u64) -> Self {
        Self::only(move |datagram| datagram.nth >= position)
    }

    /// The datagrams the closure says yes to. It is asked once about each, in order, and may
    /// remember what it saw.
    #[must_use]
    pub fn only(is_meant: impl FnMut(&Datagram<'_>) -> bool + Send + 'static) -> Self {
        Self(Box::new(is_meant))
    }

    pub(super) fn is_meant(&mut self, datagram: &Datagram<'_>) -> bool {
        (self.0)(datagram)
    }
}

impl fmt::Debug for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Which")
    }
}

/// What happens to a datagram.
#[derive(Clone, Copy, Debug)]
pub enum Effect {
    /// It is lost.
    Drop,
    /// It goes out this long after the kernel received it, or up to 0.1 ms later. Several delays
    /// add up.
    Delay(Duration),
    /// It goes out this many times more, one right behind the other.
    Copies(u32),
    /// It goes out right behind the datagram that comes in this many positions later.
    Behind(u32),
    /// Some bits of an octet of its payload are turned. It is left alone if it is shorter.
    Corrupt {
        /// Position in the UDP payload, from 0.
        octet: usize,
        /// The bits to turn.
        mask: u8,
        /// What becomes of the UDP checksum.
        checksum: Checksum,
    },
    /// It meets congestion: one with ECT goes on with CE, any other as it is.
    Mark,
    /// What exceeds the rate is lost. A token bucket, on the times of arrival.
    Police {
        /// Datagrams per second.
        per_second: u32,
        /// Datagrams that may come at once.
        burst: u32,
    },
}

/// The UDP checksum of a corrupted datagram.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Checksum {
    /// Left as it was: the receiving kernel drops the datagram.
    Stale,
    /// Made to fit: the application receives the corrupted payload.
    Mended,
}

/// A rule and what it has to remember.
#[derive(Debug)]
pub(super) struct Rule {
    which: Which,
    effect: Effect,
    bucket: Option<Bucket>,
}

/// What the rules want done with one datagram.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) drop: bool,
    pub(super) delay: Duration,
    pub(super) copies: u32,
    pub(super) behind: u32,
    pub(super) mark: bool,
    pub(super) corruptions: Vec<(usize, u8, Checksum)>,
}

impl Rule {
    pub(super) fn new(which: Which, effect: Effect) -> Self {
        let bucket = match effect {
            Effect::Police { burst, .. } => Some(Bucket::full(burst)),
            _ => None,
        };
        Self { which, effect, bucket }
    }

    pub(super) fn apply(&mut self, datagram: &Datagram<'_>, arrived_ns: i64, plan: &mut Plan) {
        if !self.which.is_meant(datagram) {
            return;
        }
        match self.effect {
            Effect::Drop => plan.drop = true,
            Effect::Delay(delay) => plan.delay += delay,
            Effect::Copies(copies) => plan.copies += copies,
            Effect::Behind(count) => plan.behind = plan.behind.max(count),
            Effect::Corrupt { octet, mask, checksum } => {
                plan.corruptions.push((octet, mask, checksum));
            }
            Effect::Mark => plan.mark = true,
            Effect::Police { per_second, burst } => {
                let bucket = self.bucket.as_mut();
                plan.drop |= !bucket.is_some_and(|b| b.take(arrived_ns, per_second, burst));
            }
        }
    }
}

/// A token bucket in billionths of a token, so that a nanosecond adds a whole number of them.
#[derive(Debug)]
struct Bucket {
    billionths: u64,
    at_ns: Option<i64>,
}

/// What a token is, in the units of [`Bucket`].
const TOKEN: u64 = 1_000_000_000;

impl Bucket {
    fn full(burst: u32) -> Self {
        Self { billionths: u64::from(burst) * TOKEN, at_ns: None }
    }

    fn take(&mut self, now_ns: i64, per_second: u32, burst: u32) -> bool {
        let elapsed_ns = self.at_ns.map_or(0, |at_ns| (now_ns - at_ns).max(0)).cast_unsigned();
        let earned = elapsed_ns.saturating_mul(u64::from(per_second));
        let held = self.billionths.saturating_add(earned).min(u64::from(burst) * TOKEN);
        let left = held.checked_sub(TOKEN);
        self.billionths = left.unwrap_or(held);
        self.at_ns = Some(now_ns);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_fills_with_time_up_to_its_burst() {
        let mut bucket = Bucket::full(2);
        let mut take = |now_ms: i64| bucket.take(now_ms * 1_000_000, 100, 2);
        assert_eq!([0, 0, 0].map(&mut take), [true, true, false], "the burst, and no more");
        assert_eq!([9, 10, 10].map(&mut take), [false, true, false], "one token in 10 ms");
        assert_eq!([1000, 1000, 1000].map(&mut take), [true, true, false], "never more than two");
    }

    #[test]
    fn a_clock_that_steps_back_adds_no_token() {
        let mut bucket = Bucket { billionths: 0, at_ns: Some(5_000_000_000) };
        assert!(!bucket.take(0, 100, 2));
    }
}
