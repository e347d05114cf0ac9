//! What a session is told before it starts.

use core::fmt;
use core::net::SocketAddr;
use core::ops::Range;
use core::time::Duration;
use std::sync::Arc;

use stamp_proto::auth::KeyRing;
use stamp_proto::ip::{Dscp, Ecn, HopLimit};
use stamp_proto::packet::{AuthenticationMode, Ssid};
use stamp_proto::time::{PtpUtcOffset, TimestampFormat};

use super::direction::ReflectorMode;
use super::fallback::Fallback;
use super::histograms::SessionHistograms;
use super::mode::MeasurementMode;
use super::pending::LARGEST_TABLE;
use super::probe::Layout;
use super::requests::Requests;
use super::schedule::Schedule;
use super::threshold::Thresholds;
use crate::clock::ClockState;
use crate::statistics::Histogram;

/// Intervals and timeouts beyond a day are taken for a mistake.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Replies over continents take a third of this; a timeout below would call them lost.
const SHORTEST_DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long to wait for replies unless told otherwise: three intervals, and a second at least.
#[must_use]
pub fn default_timeout(interval: Duration) -> Duration {
    interval.saturating_mul(3).max(SHORTEST_DEFAULT_TIMEOUT)
}

/// What fills Extra Padding (RFC 8972 §4.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Padding {
    /// Zeros.
    #[default]
    Zero,
    /// Pseudorandom octets, other ones in each probe, so that no link can compress them.
    Random,
}

/// What to do when the Session-Reflector returns no SSID (RFC 8972 §3).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ZeroSsid {
    /// Go on and keep sending it.
    #[default]
    ContinueWithSsid,
    /// Send no more probes.
    Stop,
    /// Go on with base packets that have none (RFC 8762).
    ContinueBase,
}

/// Which summaries have quantiles; histograms are the memory of a session.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum StatisticsScope {
    /// Those of the whole run: a measurement that ends.
    #[default]
    Run,
    /// Those of each window: a daemon, which needs no quantiles since its start.
    Window,
    /// Both.
    Both,
}

impl StatisticsScope {
    pub(super) const fn has_run(self) -> bool {
        matches!(self, Self::Run | Self::Both)
    }

    pub(super) const fn has_window(self) -> bool {
        matches!(self, Self::Window | Self::Both)
    }
}

/// One Session-Sender session.
#[derive(Clone, Debug)]
pub struct SenderConfig {
    /// Where probes go and replies come from; in the loopback modes our own address and port.
    pub target: SocketAddr,
    /// Who turns probes round.
    pub measurement: MeasurementMode,
    /// The session; random and not zero unless the far end dislikes it (RFC 8972 §3).
    pub ssid: Ssid,
    /// Keys of authenticated mode; without them the session is open.
    pub keys: Option<Arc<KeyRing>>,
    /// Keys of an HMAC TLV that protects the other TLVs (RFC 8972 §4.8).
    pub tlv_keys: Option<Arc<KeyRing>>,
    /// What probes ask for beside a reply.
    pub requests: Arc<Requests>,
    /// When probes are sent.
    pub schedule: Schedule,
    /// End after so many slots, used or missed.
    pub count: Option<u64>,
    /// End after this time.
    pub duration: Option<Duration>,
    /// A reply that takes longer is no reply; part of every metric (RFC 7680 §2.8.2).
    pub timeout: Duration,
    /// UDP payload of a probe; what the base packet does not fill is Extra Padding.
    pub payload_octets: usize,
    /// What the padding holds.
    pub padding: Padding,
    /// How T1 is written.
    pub format: TimestampFormat,
    /// How far PTP timestamps are ahead of UTC, at both ends.
    pub ptp_utc_offset: PtpUtcOffset,
    /// Our own clock; [`Sender::handle_clock`](super::Sender::handle_clock) tells of changes.
    pub clock: ClockState,
    /// The far clock as the operator declares it, whatever the replies say.
    pub far_clock: Option<ClockState>,
    /// Whether the Session-Reflector counts its replies.
    pub reflector: ReflectorMode,
    /// Consecutive losses that take the session down.
    pub packet_loss_count: u32,
    /// Limits on delay and loss; sessions of one profile share them.
    pub thresholds: Option<Arc<Thresholds>>,
    /// Where each value is counted in the long run, if anywhere.
    pub histograms: Option<Arc<SessionHistograms>>,
    /// Where it is counted how much later than scheduled probes left, if anywhere: of all sessions
    /// together.
    pub lag: Option<Arc<Histogram>>,
    /// In enhanced loopback: go over to plain loopback while the far node does not stamp, after
    /// [`Self::packet_loss_count`] probes in a row without T2.
    pub timestamp_fallback: bool,
    /// What to do when no SSID comes back.
    pub zero_ssid: ZeroSsid,
    /// Take replies with the forbidden Error Estimate Multiplier zero (RFC 4656 §4.1.2).
    pub accept_zero_multiplier: bool,
    /// TTL or Hop Limit the shell sends with.
    pub hop_limit: HopLimit,
    /// DSCP and ECN the shell sends with.
    pub traffic_class: (Dscp, Ecn),
    /// Which summaries have quantiles.
    pub statistics: StatisticsScope,
    /// Sequence Number of the first probe; zero for a session (RFC 8762 §4.2.1), another one to
    /// find out with a single probe whether the Session-Reflector counts.
    pub first_sequence: u32,
    /// Of the Poisson schedule and the random padding.
    pub seed: u64,
}

impl SenderConfig {
    /// An open session: a base packet a second, until stopped.
    #[must_use]
    pub fn new(target: SocketAddr, ssid: Ssid) -> Self {
        let interval = Duration::from_secs(1);
        Self {
            target,
            measurement: MeasurementMode::default(),
            ssid,
            keys: None,
            tlv_keys: None,
            requests: Arc::default(),
            schedule: Schedule::Fixed { interval },
            count: None,
            duration: None,
            timeout: default_timeout(interval),
            payload_octets: AuthenticationMode::Unauthenticated.base_octets(),
            padding: Padding::default(),
            format: TimestampFormat::default(),
            ptp_utc_offset: PtpUtcOffset::default(),
            clock: ClockState::UNKNOWN,
            far_clock: None,
            reflector: ReflectorMode::default(),
            packet_loss_count: 3,
            thresholds: None,
            histograms: None,
            lag: None,
            timestamp_fallback: false,
            zero_ssid: ZeroSsid::default(),
            accept_zero_multiplier: false,
            hop_limit: HopLimit::MAX,
            traffic_class: (Dscp::DEFAULT, Ecn::NotEct),
            statistics: StatisticsScope::default(),
            first_sequence: 0,
            seed: 0,
        }
    }

    /// Authenticated when there are keys.
    #[must_use]
    pub const fn mode(&self) -> AuthenticationMode {
        match self.keys {
            Some(_) => AuthenticationMode::Authenticated,
            None => AuthenticationMode::Unauthenticated,
        }
    }

    /// Nobody numbers replies that nobody makes.
    pub(super) const fn declared_reflector(&self) -> ReflectorMode {
        match self.measurement.looped() {
            Some(_) => ReflectorMode::Stateless,
            None => self.reflector,
        }
    }

    pub(super) fn fallback(&self) -> Fallback {
        let after = self.timestamp_fallback.then_some(self.packet_loss_count);
        Fallback::new(self.measurement.timestamp_place().is_some(), after)
    }

    /// The smallest payload this configuration can have.
    #[must_use]
    pub fn smallest_payload(&self) -> usize {
        Layout::smallest(self)
    }

    /// The replies to one probe should be over before the next asks again (RFC 10052 §3).
    fn check_packets(&self) -> Result<(), SenderConfigError> {
        let Some(packets) = self.requests.packets else { return Ok(()) };
        let burst = Duration::from_nanos(packets.duration_ns());
        if burst < self.schedule.interval() {
            return Ok(());
        }
        Err(SenderConfigError::Packets { burst })
    }

    /// What a node writes must cover neither what the probe says nor the header of a TLV; at an odd
    /// octet it would not fall on the words of the UDP checksum.
    fn check_timestamp_place(&self) -> Result<(), SenderConfigError> {
        let Some(place) = self.measurement.timestamp_place() else { return Ok(()) };
        let layout = Layout::new(self)?;
        let free = layout.free_octets();
        let range = place.range();
        let fits = |free: &Range<usize>| free.start <= range.start && range.end <= free.end;
        if place.offset.is_multiple_of(2) && free.iter().any(fits) {
            return Ok(());
        }
        let [base, padding] = free;
        Err(SenderConfigError::TimestampPlace { offset: place.offset, base, padding })
    }

    /// Checks everything but the payload, giving the most probes that can be awaited at once.
    pub(super) fn most_outstanding(&self) -> Result<usize, SenderConfigError> {
        let interval = self.schedule.interval();
        if interval.is_zero() || interval > LONGEST {
            return Err(SenderConfigError::Interval { interval });
        }
        if self.timeout.is_zero() || self.timeout > LONGEST {
            return Err(SenderConfigError::Timeout { timeout: self.timeout });
        }
        if self.packet_loss_count == 0 {
            return Err(SenderConfigError::PacketLossCount);
        }
        self.check_packets()?;
        self.check_timestamp_place()?;
        let ratio = self.timeout.as_nanos().div_ceil(interval.as_nanos());
        let spread = match self.schedule {
            Schedule::Fixed { .. } => 1,
            Schedule::Burst { interval, count, every } => {
                let burst = interval.saturating_mul(count.saturating_sub(1));
                if count == 0 || burst >= every || every > LONGEST {
                    return Err(SenderConfigError::Burst { interval, count, every });
                }
                1
            }
            // Ten standard deviations more than the mean.
            Schedule::Poisson { .. } => ratio.isqrt().saturating_mul(10).saturating_add(10),
        };
        // A short run never awaits more than it sends.
        let most_sent = self.count.map_or(u128::MAX, |count| u128::from(count).max(1));
        let needed = ratio.saturating_add(spread).min(most_sent);
        let limit = LARGEST_TABLE.div_euclid(2);
        usize::try_from(needed)
            .ok()
            .filter(|needed| *needed <= limit)
            .ok_or(SenderConfigError::TooManyOutstanding { needed, limit })
    }
}

/// Why a session cannot be.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SenderConfigError {
    #[error(
        "a payload of {octets} octets is not possible: {smallest}, or {padded} and more with \
         Extra Padding (RFC 8972 §4.1), up to {largest}"
    )]
    PayloadSize { octets: usize, smallest: usize, padded: usize, largest: usize },
    #[error("an interval of {interval:?} is not possible: more than zero, up to a day")]
    Interval { interval: Duration },
    #[error(
        "bursts of {count} probes {interval:?} apart, one every {every:?}, are not possible: each ends \
         before the next begins, and that is within a day"
    )]
    Burst { interval: Duration, count: u32, every: Duration },
    #[error("a timeout of {timeout:?} is not possible: more than zero, up to a day")]
    Timeout { timeout: Duration },
    #[error(
        "{needed} probes could be awaited at once, more than {limit}: shorten the timeout or \
         lengthen the interval"
    )]
    TooManyOutstanding { needed: u128, limit: usize },
    #[error(
        "a receive timestamp at octet {offset} is not possible: its 8 octets begin at an even one and \
         lie within {} to {}{}",
        .base.start, .base.end.saturating_sub(1), Within(.padding)
    )]
    TimestampPlace { offset: u16, base: Range<usize>, padding: Range<usize> },
    #[error(
        "replies over {burst:?} would not be over when the next probe asks: lengthen the interval"
    )]
    Packets { burst: Duration },
    #[error("a packet loss count of 0 is not possible: a session goes down after 1 loss or more")]
    PacketLossCount,
}

/// The padding as a further place, where there is any.
struct Within<'r>(&'r Range<usize>);

impl fmt::Display for Within<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, ", or {} to {} (the padding)", self.0.start, self.0.end.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> SenderConfig {
        SenderConfig::new("192.0.2.1:862".parse().unwrap(), Ssid(7))
    }

    #[test]
    fn the_default_timeout_is_three_intervals_and_a_second_at_least() {
        assert_eq!(default_timeout(Duration::from_secs(1)), Duration::from_secs(3));
        assert_eq!(default_timeout(Duration::from_millis(10)), Duration::from_secs(1));
    }

    #[test]
    fn room_is_made_for_what_the_timeout_can_await() {
        let mut config = config();
        assert_eq!(config.most_outstanding(), Ok(4));
        config.timeout = Duration::from_millis(2_500);
        assert_eq!(config.most_outstanding(), Ok(4));
        config.schedule = Schedule::Poisson { mean: Duration::from_millis(25) };
        assert_eq!(config.most_outstanding(), Ok(100 + 110));
        config.count = Some(5);
        assert_eq!(config.most_outstanding(), Ok(5), "a short run awaits no more than it sends");
    }

    #[test]
    fn impossible_times_are_refused_with_their_value() {
        let mut config = config();
        config.schedule = Schedule::Fixed { interval: Duration::ZERO };
        let interval = Duration::ZERO;
        assert_eq!(config.most_outstanding(), Err(SenderConfigError::Interval { interval }));
        config.schedule = Schedule::Fixed { interval: Duration::from_nanos(1) };
        let needed = 3_000_000_001;
        let limit = LARGEST_TABLE / 2;
        assert_eq!(
            config.most_outstanding(),
            Err(SenderConfigError::TooManyOutstanding { needed, limit })
        );
        config.timeout = Duration::from_secs(90_000);
        let timeout = config.timeout;
        assert_eq!(config.most_outstanding(), Err(SenderConfigError::Timeout { timeout }));
    }

    #[test]
    fn a_session_must_be_allowed_to_go_down() {
        let mut config = config();
        config.packet_loss_count = 0;
        assert_eq!(config.most_outstanding(), Err(SenderConfigError::PacketLossCount));
    }
}
