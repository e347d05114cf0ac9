//! Session-Sender: when to probe, and what the replies mean (RFC 8762 §4.2).

mod access_report;
mod answers;
mod clock;
mod config;
mod counter;
mod direction;
mod event;
mod fallback;
mod follow_up;
mod headers;
mod histograms;
mod learned;
mod malformed;
mod micro_session;
mod mode;
mod pace;
mod pending;
mod probe;
mod random;
mod reason;
mod reply;
mod report;
mod reported;
mod requests;
mod sample;
mod schedule;
mod serial;
mod settle;
mod stamping;
mod state;
mod tally;
mod threshold;
mod timing;
mod tlvs;
mod traffic;
mod transmit;
mod validate;

use core::time::Duration;
use std::sync::Arc;

use stamp_proto::packet::Ssid;
use stamp_proto::time::ErrorEstimate;

pub use access_report::{AccessReportState, AccessReportStatus, AccessReporting};
pub use answers::{AnswerCounts, AnswerSeries, Answers, Granted, PacketSeries, Told};
pub use config::{
    Padding, SenderConfig, SenderConfigError, StatisticsScope, ZeroSsid, default_timeout,
};
pub use direction::{Reflector, ReflectorMode};
pub use event::{End, SenderEvent};
pub use fallback::{FallbackChange, FallbackReason, FallbackReport};
pub use follow_up::FollowUpReport;
pub use headers::{HeaderQuestion, SeenSegments, SentRoutingHeader};
pub use histograms::SessionHistograms;
pub use learned::{COMPANION_FIRST_INTERVAL, COMPANION_INTERVAL, LEARNED_FOR};
pub use malformed::{Conformity, ConformityCounts, Malformation};
pub use micro_session::MicroSession;
pub use mode::{Looped, MeasurementMode, TimestampPlace};
pub use pace::{Marked, PaceChange, PaceReport};
pub use reason::{RejectCounts, RejectReason, UnsentCounts, UnsentReason};
pub use reported::ReportedArrival;
pub use requests::{Requests, ReturnWish};
pub use sample::{Outcome, Sample, Variation};
pub use schedule::Schedule;
pub use stamping::Stamping;
pub use state::{Liveness, SessionState, StateChange, StateReport};
pub use threshold::{
    ByDirection, Combine, DelayChange, DelayCriterion, DelayThreshold, DelayThresholdReport,
    LossChange, LossThreshold, LossThresholdReport, MeasuredDirection, ThresholdError,
    ThresholdReport, ThresholdState, Thresholds, Transitions,
};
pub use tlvs::TlvOutcome;
pub use traffic::{TrafficLoss, TrafficReading, TrafficSeries};
pub use transmit::{SendToken, Transmit};

use crate::clock::{ClockState, MonotonicTime, Now};
use crate::traffic::TrafficCounters;
use access_report::AccessReporter;
use clock::{FarClock, NearClock};
use counter::Counter;
use direction::{Direction, Directional};
use event::Events;
use fallback::{Asks, Fallback};
use learned::Learned;
use micro_session::FarMember;
use pace::Pace;
use pending::Pending;
use probe::Layout;

use reply::FarEnd;
use reported::Reported;
use schedule::Timetable;
use state::Connectivity;
use tally::Tally;
use threshold::Watch;
use traffic::NearTraffic;

/// What a clock whose error nobody knows is taken to be wrong by.
const UNKNOWN_ERROR_NS: u64 = 1_000_000_000;

/// One Session-Sender session, without socket, clock or thread.
///
/// A shell calls in this order whenever it wakes up, with both clocks read anew, and where probes tell
/// counters of real traffic with [`handle_counters`](Self::handle_counters) before 2 and 4:
///
/// 1. [`handle_transmit_stamp`](Self::handle_transmit_stamp) and
///    [`handle_unsent_late`](Self::handle_unsent_late) for what the error queue holds;
/// 2. [`handle_reply`](Self::handle_reply) for every datagram that waits: a reply counts as in time
///    by its own stamp, but only when it is handed in before the next step;
/// 3. [`handle_timeout`](Self::handle_timeout);
/// 4. [`poll_transmit`](Self::poll_transmit) until `None`; after the system call either
///    [`handle_sent`](Self::handle_sent) or [`handle_unsent`](Self::handle_unsent);
/// 5. [`poll_event`](Self::poll_event) until `None`;
/// 6. sleep until [`next_timeout`](Self::next_timeout) or the next datagram.
#[derive(Debug)]
pub struct Sender {
    config: SenderConfig,
    layout: Layout,
    /// SSID of the next probe.
    ssid: Ssid,
    error_estimate: ErrorEstimate,
    timetable: Timetable,
    pending: Pending,
    sent_last_at: MonotonicTime,
    connectivity: Connectivity,
    counter: Counter,
    direction: Direction,
    restarts: u32,
    /// Losses of each direction that windows have told of.
    told: Directional,
    near_clock: NearClock,
    far_clock: FarClock,
    far_end: FarEnd,
    /// What few sessions have.
    seldom: Option<Box<Seldom>>,
    fallback: Fallback,
    /// Only where there are thresholds.
    watch: Option<Box<Watch>>,
    stamps_apart: u32,
    run: Tally,
    window: Tally,
    events: Events,
    finished: bool,
}

impl Sender {
    /// A session whose first probe is due at `start`.
    ///
    /// # Errors
    ///
    /// [`SenderConfigError`] names what is impossible.
    pub fn new(config: SenderConfig, start: MonotonicTime) -> Result<Self, SenderConfigError> {
        let most_outstanding = config.most_outstanding()?;
        let limits = (config.count, config.duration);
        let layout = Layout::new(&config)?;
        Ok(Self {
            seldom: Seldom::of(&config, &layout),
            layout,
            ssid: config.ssid,
            error_estimate: estimate(config.clock, &config),
            timetable: Timetable::new(config.schedule, start, limits, config.seed),
            pending: Pending::new(most_outstanding, config.first_sequence),
            sent_last_at: start,
            connectivity: Connectivity::new(config.packet_loss_count),
            counter: Counter::default(),
            direction: Direction::new(config.declared_reflector(), config.first_sequence),
            restarts: 0,
            told: Directional::default(),
            near_clock: NearClock::default(),
            far_clock: FarClock::default(),
            far_end: FarEnd::new(&config),
            fallback: config.fallback(),
            watch: config.thresholds.as_deref().and_then(Watch::new),
            stamps_apart: 0,
            run: Tally::new(&config, start, config.statistics.has_run()),
            window: Tally::new(&config, start, config.statistics.has_window()),
            events: Events::default(),
            finished: false,
            config,
        })
    }

    /// Moves the first probe to `start`. For a shell that prepares sessions before it can send: what
    /// its preparation took must not count as missed slots. Without effect once a slot was used.
    pub fn begin(&mut self, start: MonotonicTime) {
        if self.run.sent > 0 || self.run.unsent.total() > 0 {
            return;
        }
        self.timetable.begin(start);
        self.sent_last_at = start;
        self.run.begin(&self.config, start);
        self.window.begin(&self.config, start);
    }

    /// A queue of our own dropped `count` datagrams: so many of the lost were no path loss.
    pub fn handle_local_drop(&mut self, count: u64) {
        self.count_local_drop(count);
        if let Some(watch) = &mut self.watch {
            watch.local_drop(count, self.pending.next_sequence());
        }
    }

    fn count_local_drop(&mut self, count: u64) {
        for tally in self.tallies() {
            tally.local_drops = tally.local_drops.saturating_add(count);
        }
    }

    /// Probes past their deadline are lost.
    pub fn handle_timeout(&mut self, now: Now) {
        self.observe_clock(now);
        self.give_up_access_report(now.monotonic);
        self.expire(now.monotonic, now);
        self.conclude(Some(now));
    }

    /// Our own clock is now as good as this.
    pub fn handle_clock(&mut self, state: ClockState) {
        self.config.clock = state;
        self.error_estimate = estimate(state, &self.config);
    }

    /// Watches by these limits from now on. Those that stay keep what they have seen, others begin anew:
    /// of one that was exceeded and is gone, no event says that it was cleared.
    pub fn handle_thresholds(&mut self, thresholds: Option<Arc<Thresholds>>) {
        let old = self.watch.take();
        self.watch = thresholds.as_deref().and_then(Watch::new);
        if let Some((watch, old)) = self.watch.as_mut().zip(old) {
            watch.take_over(*old);
        }
        self.config.thresholds = thresholds;
    }

    /// Counts values there from now on.
    pub fn handle_histograms(&mut self, histograms: Option<Arc<SessionHistograms>>) {
        self.config.histograms = histograms;
    }

    /// Counters of real traffic as they are now, for probes that tell them and for their replies; `None`
    /// when they are unknown.
    pub fn handle_counters(&mut self, counters: Option<TrafficCounters>) {
        if let Some(traffic) = self.near_traffic() {
            traffic.set(counters);
        }
    }

    /// Sends no more probes; those on the way are still awaited.
    pub fn stop(&mut self) {
        self.timetable.stop();
        self.conclude(None);
    }

    /// Waits no longer: what is still on the way is lost.
    pub fn give_up(&mut self, now: Now) {
        self.timetable.stop();
        self.count_off(Some(MonotonicTime::from_ns(u64::MAX)), now);
        self.conclude(Some(now));
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<SenderEvent> {
        self.events.pop()
    }

    /// When [`handle_timeout`](Self::handle_timeout) and [`poll_transmit`](Self::poll_transmit)
    /// want to be called; `None` when the session is finished.
    #[must_use]
    pub fn next_timeout(&self) -> Option<MonotonicTime> {
        let deadline = self.pending.oldest();
        let deadline = deadline.map(|probe| probe.sent_at.saturating_add(self.config.timeout));
        let slot = self.timetable.next_slot();
        match (slot, deadline) {
            (Some(slot), Some(deadline)) => Some(slot.min(deadline)),
            (slot, deadline) => slot.or(deadline),
        }
    }

    /// No probe is due any more and none is awaited.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.finished
    }

    /// Every probe has been sent; what is left to do is to wait.
    #[must_use]
    pub fn is_done_sending(&self) -> bool {
        self.timetable.next_slot().is_none()
    }

    /// Probes whose fate is not decided yet: beside duplicates, no more replies can come.
    #[must_use]
    pub const fn undecided(&self) -> u32 {
        self.pending.undecided()
    }

    /// Longest round trip of the run; `None` before the first reply.
    #[must_use]
    pub fn longest_round_trip(&self) -> Option<Duration> {
        let ns = self.run.round_trip.max()?.ns();
        Some(Duration::from_nanos(u64::try_from(ns).unwrap_or(0)))
    }

    /// Octets of every probe.
    #[must_use]
    pub fn payload_octets(&self) -> usize {
        self.layout.payload_octets()
    }

    /// Whether the next probe asks the far node for its receive timestamp: its shell puts what asks
    /// for it into the headers, or leaves it out.
    #[must_use]
    pub fn asks_for_timestamp(&self) -> bool {
        self.fallback.next() != Asks::Nothing
    }

    /// Connectivity now.
    #[must_use]
    pub const fn state(&self) -> SessionState {
        self.connectivity.state()
    }

    /// What the session was told, with the clock as it is now.
    #[must_use]
    pub const fn config(&self) -> &SenderConfig {
        &self.config
    }

    fn observe_clock(&mut self, now: Now) {
        if let Some(watch) = &mut self.watch {
            watch.visited(now);
        }
        self.forget_far_clock(now);
        if let Some(by) = self.near_clock.observe(now) {
            self.clock_stepped();
            let (end, at) = (End::Near, now);
            self.events.push(SenderEvent::ClockStep { end, by, at });
        }
    }

    /// Samples before say nothing of those to come.
    fn clock_stepped(&mut self) {
        self.far_clock.forget();
        if let Some(watch) = &mut self.watch {
            watch.clock_stepped();
        }
    }

    fn restarted(&mut self, sequence: u32, reflector_sequence: u32) {
        self.restarts = self.restarts.saturating_add(1);
        self.events.push(SenderEvent::ReflectorRestart { sequence, reflector_sequence });
    }

    fn state_changed(&mut self, change: Option<StateChange>) {
        if let Some(change) = change {
            self.events.push(SenderEvent::State(change));
        }
    }

    /// Counts off what needs no clock, and says once that all is done.
    fn conclude(&mut self, now: Option<Now>) {
        // Without a deadline nothing is lost here; only thresholds look at the instant.
        let latest = self.watch.as_ref().map(|watch| watch.latest());
        self.count_off(None, now.or(latest).unwrap_or_default());
        let done = self.timetable.next_slot().is_none() && self.pending.undecided() == 0;
        if done && !self.finished {
            self.finished = true;
            self.events.push(SenderEvent::Finished);
        }
    }

    fn tallies(&mut self) -> impl Iterator<Item = &mut Tally> {
        [&mut self.run, &mut self.window].into_iter()
    }
}

/// Parts of a session that few have: the others need no room for them.
#[derive(Debug, Default)]
struct Seldom {
    /// Where an access network is reported.
    access_report: Option<AccessReporter>,
    /// Where ECT is used.
    pace: Option<Pace>,
    /// On a member link of a LAG.
    far_member: FarMember,
    /// Where probes tell of real traffic.
    near_traffic: Option<NearTraffic>,
    /// Where a companion session told.
    far_clock: Option<Learned>,
    /// Where arrivals are told.
    reported: Option<Reported>,
}

impl Seldom {
    fn of(config: &SenderConfig, layout: &Layout) -> Option<Box<Self>> {
        let reporting = config.requests.access_report;
        let access_report = reporting.map(|wish| AccessReporter::new(wish, layout));
        let pace = Pace::of(config);
        let micro_session = config.requests.micro_session;
        let far_member = FarMember::new(micro_session);
        let near_traffic = config.requests.direct_measurement.then(NearTraffic::default);
        let any = access_report.is_some()
            || pace.is_some()
            || micro_session.is_some()
            || near_traffic.is_some();
        let (far_clock, reported) = (None, None);
        let seldom = Self { access_report, pace, far_member, near_traffic, far_clock, reported };
        any.then(|| Box::new(seldom))
    }

    /// Octets that it takes.
    fn octets(&self) -> usize {
        let report = self.access_report.as_ref().map_or(0, AccessReporter::heap_octets);
        size_of::<Self>().saturating_add(report)
    }
}

/// What our clock claims in every probe.
fn estimate(clock: ClockState, config: &SenderConfig) -> ErrorEstimate {
    let error_ns = clock.error_bound_ns.unwrap_or(UNKNOWN_ERROR_NS);
    ErrorEstimate::new(error_ns, clock.synchronized, config.format)
}

#[cfg(test)]
mod tests;
