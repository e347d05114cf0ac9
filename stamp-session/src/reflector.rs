//! The Session-Reflector: which probe is answered, and with what (RFC 8762 §4.3, RFC 8972 §4).
//!
//! The checks, in order; the first that fails is the [`DropReason`]:
//!
//! 1. the source can be answered and is allowed ([`SourcePolicy`], longest prefix), which also says
//!    in which mode its packets are read;
//! 2. there are enough octets, and they are not laid out for the other mode;
//! 3. it is no part of a loop ([`LoopRule`]);
//! 4. its TTL or Hop Limit, where one is demanded;
//! 5. authenticated: the HMAC, by a key this source may use, and T1 if a time window is set;
//! 6. the session is one of the provisioned, if such are demanded;
//! 7. stateful: the session has not seen it before;
//! 8. the rate limit of its source, then that of all sources;
//! 9. stateful: there is room for its session.
//!
//! Up to 7 nothing is remembered but counts. What follows is state, and no forged or replayed packet
//! may touch it: so the rate limit, too, comes after the HMAC, and a stranger cannot use up the
//! allowance of a key holder.
//!
//! An unauthenticated reply never has more octets than its probe, and there is never more than one,
//! unless the operator let the source send probes that are shorter than a reply, or ask for several
//! (RFC 10052 §3): then within the limits of [`PacketControlRules`].

mod access_reports;
mod admission;
mod build;
mod bursts;
mod checks;
mod config;
mod connectivity;
mod drop_reason;
mod event;
mod follow_up;
mod keyed_hash;
mod leaving;
mod loops;
mod one_way;
mod prefix;
mod rate;
mod reply;
mod returns;
mod sessions;
mod snapshot;
mod tlv_policy;
mod way;

use std::sync::Arc;

use stamp_proto::time::{ErrorEstimate, Stamp, TimestampFormat};

pub(crate) use bursts::Bursts;
pub use bursts::PacketControlRules;
pub use config::{
    Admission, AllowRule, LocationFields, MemberLink, ProvisionedSession, ReflectorConfig,
    ReflectorConfigError, ReplyClasses, ReplyDscp, SamePort, SourcePolicy, TlvMode, TlvRules,
};
pub use connectivity::ForwardChange;
pub use drop_reason::DropReason;
pub use event::ReflectorEvent;
pub use leaving::SessionFilter;
pub use loops::LoopRule;
pub use one_way::{OneWayArrival, OneWayView};
pub use prefix::{Prefix, PrefixError};
pub use rate::{RateLimit, RateLimiter, RateLimiterConfig};
pub use reply::{FurtherReply, Reply, ReplyToken, UnsealedReply, Verdict};
pub(crate) use returns::{Ends, ReturnRules};
pub use returns::{ReplyMeans, ReturnPathPolicy};
pub use sessions::session::SessionView;
pub use snapshot::{ProbeCounts, ReflectorSnapshot};
pub use tlv_policy::{TlvAction, TlvActions};
pub use way::{DataPlane, ReplySegments, ReplyWay, ReturnList};

use self::access_reports::AccessReports;
use self::admission::AccessList;
use self::bursts::First;
use self::checks::Refusal;
use self::connectivity::ForwardWatch;
use self::event::Events;
use self::follow_up::FollowUps;
use self::keyed_hash::KeyedHash;
use self::loops::LoopBreaker;
use self::one_way::OneWayTable;
use self::reply::{Answer, EngineKeys, Envelope, Signer, Stamping};
use self::sessions::Sessions;
use crate::clock::{ClockState, MonotonicTime};
use crate::datagram::Received;
use crate::tlv::Wish;
use crate::traffic::TrafficCounters;

/// What the clock of a host that knows only that it is synchronised is worth.
const UNKNOWN_ERROR_NS: u64 = 1_000_000_000;

/// A Session-Reflector for one listener on one worker.
///
/// Calls, in a loop: [`Self::poll_reply`] until it is `None`; [`Self::handle_probe`] for each datagram of a batch, sealing and sending what it
/// answers; [`Self::handle_unsent`] for each reply that could not be sent;
/// [`Self::handle_reply_stamp`] for each that wanted it and left; [`Self::poll_event`] until it is `None`; [`Self::handle_timeout`] when [`Self::next_timeout`] is due.
///
/// ```
/// # use std::sync::Arc;
/// # use stamp_proto::time::{Stamp, WallTime};
/// # use stamp_session::clock::MonotonicTime;
/// # use stamp_session::datagram::{Headers, Received};
/// # use stamp_session::reflector::*;
/// let limiter = Arc::new(RateLimiter::new(RateLimiterConfig::new([1, 2])));
/// let mut reflector = Reflector::new(ReflectorConfig::new([3, 4]), limiter)?;
/// # let (now, out) = (MonotonicTime::ZERO, &mut [0; 1_500]);
/// # let wall_time = || WallTime::from_unix_ns(1_700_000_000_000_050_000);
/// # let stamp = Stamp { time: WallTime::from_unix_ns(1_700_000_000_000_000_000), ..Stamp::default() };
/// # let octets = &[0; 44];
/// let probe = Received {
///     octets,
///     from: "192.0.2.1:49200".parse()?,
///     to: "192.0.2.11:862".parse()?,
///     interface: 2,
///     stamp,
///     hop_limit: None,
///     traffic_class: None,
///     headers: Headers::UNKNOWN,
/// };
/// if let Verdict::Reply(reply) = reflector.handle_probe(now, probe, out) {
///     let reply = reply.seal(wall_time());
///     assert_eq!(reply.octets.len(), 44);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reflector {
    config: ReflectorConfig,
    keys: Option<Arc<EngineKeys>>,
    access: AccessList,
    loops: LoopBreaker,
    returns: ReturnRules,
    limiter: Arc<RateLimiter>,
    hash: KeyedHash,
    sessions: Option<Sessions>,
    watch: Option<ForwardWatch>,
    one_way: OneWayTable,
    access_reports: AccessReports,
    follow_ups: FollowUps,
    bursts: Bursts,
    error_estimate: ErrorEstimate,
    traffic: Option<TrafficCounters>,
    events: Events,
    counts: ReflectorSnapshot,
}

impl Reflector {
    /// A Session-Reflector that has seen nothing yet; `shared` is the same for all workers.
    ///
    /// # Errors
    ///
    /// When the configuration contradicts itself.
    pub fn new(
        config: ReflectorConfig,
        shared: Arc<RateLimiter>,
    ) -> Result<Self, ReflectorConfigError> {
        config.check()?;
        let hash = KeyedHash::new(config.seed);
        let sessions = || Sessions::new(config.session_limit, config.session_expiry, hash);
        Ok(Self {
            keys: engine_keys(&config),
            access: AccessList::new(&config)?,
            loops: LoopBreaker::new(&config),
            returns: ReturnRules::new(&config),
            limiter: shared,
            hash,
            sessions: config.stateful.then(sessions),
            watch: config.watched_losses().map(ForwardWatch::new),
            one_way: OneWayTable::new(hash),
            access_reports: AccessReports::new(hash),
            follow_ups: FollowUps::new(hash),
            bursts: Bursts::default(),
            error_estimate: error_estimate(config.clock, config.format),
            traffic: None,
            events: Events::new(hash),
            counts: ReflectorSnapshot::default(),
            config,
        })
    }

    /// Decides about one datagram; the answer is complete except for T3 and what depends on it.
    ///
    /// `out` must have room for 112 octets and for as many as the probe has; what does not fit is
    /// [`DropReason::TooLarge`].
    #[inline]
    pub fn handle_probe<'b>(
        &mut self,
        now: MonotonicTime,
        probe: Received<'_>,
        out: &'b mut [u8],
    ) -> Verdict<'b> {
        count(&mut self.counts.received);
        match self.answer(now, &probe, out) {
            Ok(Answer::Reply(reply)) => {
                count(&mut self.counts.answered);
                Verdict::Reply(reply)
            }
            Ok(Answer::Observe(arrival)) => {
                self.count_drop(DropReason::NoReply);
                Verdict::Observe(arrival)
            }
            Err(reason) => {
                self.count_drop(reason);
                Verdict::Drop(reason)
            }
        }
    }

    /// What became of probes so far.
    #[must_use]
    pub const fn probes(&self) -> ProbeCounts {
        self.counts.probes()
    }

    /// Counts a datagram that was larger than the buffer it was received into.
    pub fn handle_truncated(&mut self) -> DropReason {
        count(&mut self.counts.received);
        self.count_drop(DropReason::TooLarge);
        DropReason::TooLarge
    }

    /// A reply was not sent: its number in the session is free again (RFC 8762 §4: the counter is
    /// that of transmitted replies).
    ///
    /// Failures of one batch may come in any order. A number behind which others were sent already
    /// stays unused, and is loss on the way back to the Session-Sender.
    pub fn handle_unsent(&mut self, token: ReplyToken) {
        self.count_drop(DropReason::SendError);
        self.give_back(&token);
    }

    /// The same of a further reply to a probe that wanted several: its probe was answered.
    pub fn handle_further_unsent(&mut self, token: ReplyToken) {
        self.counts.further = self.counts.further.saturating_sub(1);
        self.give_back(&token);
    }

    fn give_back(&mut self, token: &ReplyToken) {
        if let Some(sessions) = &mut self.sessions {
            sessions.give_back(token);
        }
    }

    /// A reply left at this time, of which [`Reply::wants_stamp`] says that the next will tell it. One
    /// whose time comes after the next was made is not told of.
    pub fn handle_reply_stamp(&mut self, token: ReplyToken, stamp: Stamp) {
        self.follow_ups.left(&token, stamp);
    }

    /// Forgets sessions that have been silent for too long, and looks which have fallen silent; a few
    /// at a time.
    pub fn handle_timeout(&mut self, now: MonotonicTime) {
        let Some(sessions) = &mut self.sessions else { return };
        sessions.expire(now);
        let (Some(watch), events) = (&mut self.watch, &mut self.events) else { return };
        let limit = watch.packet_loss_count().get();
        watch.look(now, |slot, generation, sequences| {
            // One that moved to another port, or was forgotten, is none any more.
            let Some(session) = sessions.view(slot, generation) else { return };
            let SessionView { source, destination, ssid, .. } = session;
            let (down, at, run) = (true, now, limit);
            let change =
                ForwardChange { source, destination, ssid, down, at, run, limit, sequences };
            events.push(ReflectorEvent::Forward(change));
        });
    }

    /// The wall clock of this host changed its quality.
    pub fn handle_clock(&mut self, clock: ClockState) {
        self.config.clock = clock;
        self.error_estimate = error_estimate(clock, self.config.format);
    }

    /// Counters of real traffic as they are now, for probes that ask (RFC 8972 §4.5); `None` when they
    /// are unknown or nobody's business.
    pub fn handle_counters(&mut self, counters: Option<TrafficCounters>) {
        self.traffic = counters;
    }

    /// Adopts a new configuration, from the next probe on.
    ///
    /// Sessions go on, with their counters, unless their source is not allowed any more, has another
    /// authentication mode, or the Session-Reflector is stateless now. The seed stays the first one.
    ///
    /// # Errors
    ///
    /// When the configuration contradicts itself; nothing has changed then.
    pub fn replace_config(&mut self, config: ReflectorConfig) -> Result<(), ReflectorConfigError> {
        config.check()?;
        let access = AccessList::new(&config)?;
        let (limit, expiry) = (config.session_limit, config.session_expiry);
        self.sessions = match (self.sessions.take(), config.stateful) {
            (_, false) => {
                self.follow_ups.clear();
                None
            }
            (None, true) => Some(Sessions::new(limit, expiry, self.hash)),
            (Some(mut sessions), true) => {
                sessions.reconfigure(limit, expiry, |session| {
                    let policy = access.policy(session.source.ip());
                    policy.is_some_and(|policy| policy.authentication == session.mode)
                        && access.admits(session.source, session.ssid)
                });
                Some(sessions)
            }
        };
        if self.watch.as_ref().map(ForwardWatch::packet_loss_count) != config.watched_losses() {
            self.watch = config.watched_losses().map(ForwardWatch::new);
        }
        // Nobody says that those who asked may still have what they were given.
        self.bursts.clear();
        self.access = access;
        self.loops = LoopBreaker::new(&config);
        self.returns = ReturnRules::new(&config);
        self.keys = engine_keys(&config);
        self.error_estimate = error_estimate(config.clock, config.format);
        self.config = config;
        Ok(())
    }

    /// Member links of LAGs, so that [`Received::interface`](crate::datagram::Received::interface) can
    /// be one of them.
    #[must_use]
    pub fn member_links(&self) -> &[MemberLink] {
        &self.config.member_links
    }

    /// Whether any source is told the headers of its probes, so that
    /// [`Received::headers`](crate::datagram::Received::headers) is worth the trouble.
    #[must_use]
    pub fn tells_headers(&self) -> bool {
        self.config.tells_headers()
    }

    /// The next event, oldest first.
    pub fn poll_event(&mut self) -> Option<ReflectorEvent> {
        self.events.pop()
    }

    /// When [`Self::handle_timeout`] wants to be called, if ever.
    #[must_use]
    pub fn next_timeout(&self) -> Option<MonotonicTime> {
        let expiry = self.sessions.as_ref().and_then(Sessions::next_expiry);
        let look = self.watch.as_ref().and_then(ForwardWatch::next_look);
        [expiry, look, self.bursts.next()].into_iter().flatten().min()
    }

    /// What was done so far.
    #[must_use]
    pub fn snapshot(&self) -> ReflectorSnapshot {
        let sessions = self.sessions.as_ref();
        let counts = sessions.map(Sessions::counts).unwrap_or_default();
        ReflectorSnapshot {
            rebindings: counts.rebindings,
            sender_restarts: counts.restarts,
            sessions_expired: counts.expired,
            sessions_evicted: counts.evicted,
            events_lost: self.events.lost(),
            sessions: sessions.map_or(0, Sessions::count),
            session_limit: sessions.map_or(0, Sessions::limit),
            is_draining: sessions.is_some_and(Sessions::is_draining),
            session_octets: sessions
                .map_or(0, Sessions::octets)
                .saturating_add(self.watch.as_ref().map_or(0, ForwardWatch::octets))
                .saturating_add(self.follow_ups.octets()),
            ..self.counts
        }
    }

    /// The sessions of a stateful Session-Reflector, in no particular order.
    pub fn sessions(&self) -> impl Iterator<Item = SessionView> + '_ {
        self.sessions.iter().flat_map(Sessions::views)
    }

    /// Sessions whose probes want no reply, in no particular order.
    pub fn one_way(&self) -> impl Iterator<Item = OneWayView> + '_ {
        self.one_way.views()
    }

    fn answer<'b>(
        &mut self,
        now: MonotonicTime,
        probe: &Received<'_>,
        out: &'b mut [u8],
    ) -> Result<Answer<'b>, DropReason> {
        let screened = self.screen(probe).map_err(|refusal| self.explain(probe, &refusal))?;
        let octets = screened.mode.base_octets().max(probe.octets.len());
        if out.len() < octets {
            return Err(DropReason::TooLarge);
        }
        let arrival = self.arrival(now, probe, &screened);
        if self.sessions.as_ref().is_some_and(|sessions| sessions.is_replay(&arrival)) {
            return Err(DropReason::Replay);
        }
        self.limit(now, probe, &screened)?;
        let token = self.enter_session(&arrival)?;
        let usual = out.get_mut(..octets).unwrap_or_default();
        let wishes = self.write(probe, &screened, &token, usual);
        let discarded = wishes.discarded();
        if discarded.is_none()
            && let Some(report) = wishes.access_report
            && self.access_reports.is_news(probe.from, screened.packet.ssid, report)
        {
            let (source, ssid) = (probe.from, screened.packet.ssid);
            self.events.push(ReflectorEvent::AccessReport { source, ssid, report });
        }
        if discarded.is_some() || wishes.way == Wish::NoReply {
            // No reply, so no number of one.
            if let Some(sessions) = &mut self.sessions {
                sessions.give_back(&token);
            }
        }
        discarded.map_or(Ok(()), Err)?;
        if wishes.way == Wish::NoReply {
            return Ok(Answer::Observe(self.observe(now, probe, &screened)));
        }
        let octets = wishes.packets.map_or(octets, |packets| bursts::grow(out, octets, &packets));
        let out = out.get_mut(..octets).unwrap_or_default();
        // Without a count of replies none is before another.
        let wants_stamp = wishes.follow_up && self.sessions.is_some();
        if wants_stamp {
            self.follow_ups.made(&token);
        }
        let keys = self.keys.clone();
        let signer = screened.key.zip(keys).map(|(id, keys)| Signer { keys, id });
        let envelope = Envelope::of(probe, self.config.dscp, &wishes);
        if let Some(packets) = &wishes.packets {
            let (mode, signer, tlv_key) = (screened.mode, &signer, wishes.tlv_key);
            let token = &token;
            let first = First { octets: out, mode, signer, envelope, token, tlv_key, packets };
            self.bursts.start(now, probe, &first);
        }
        Ok(Answer::Reply(UnsealedReply {
            octets: out,
            mode: screened.mode,
            stamping: Stamping::from(&self.config),
            signer,
            envelope,
            way: self.way(probe, screened.mode.base_octets(), wishes.resolved_way()),
            token,
            wants_stamp,
        }))
    }

    fn explain(&mut self, probe: &Received<'_>, refusal: &Refusal) -> DropReason {
        match *refusal {
            Refusal::Reason(reason) => reason,
            Refusal::Loop(rule) => {
                self.counts.loops.get_mut(rule.index()).into_iter().for_each(count);
                self.events.loop_broken(probe.from, rule);
                DropReason::Loop
            }
        }
    }

    fn count_drop(&mut self, reason: DropReason) {
        self.counts.dropped.get_mut(reason.index()).into_iter().for_each(count);
    }
}

const fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

fn engine_keys(config: &ReflectorConfig) -> Option<Arc<EngineKeys>> {
    let ring = config.keys.clone()?;
    Some(Arc::new(EngineKeys { ring }))
}

fn error_estimate(clock: ClockState, format: TimestampFormat) -> ErrorEstimate {
    let error_ns = clock.error_bound_ns.unwrap_or(UNKNOWN_ERROR_NS);
    ErrorEstimate::new(error_ns, clock.synchronized, format)
}

#[cfg(test)]
mod tests;
