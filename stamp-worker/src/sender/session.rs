//! One session: its engine, its port, and the stamps the kernel still owes it.

use std::time::Duration;

use stamp_net::{ErrorBatch, IcmpError, IcmpKind, Poller, Ready, SendFailure, SocketEvent};
use stamp_session::clock::MonotonicTime;
use stamp_session::sender::{Outcome, Sender, UnsentReason};

use super::port::{COUNT, Departure, Left, News, PortBuffers, SocketTable};
use super::stamps::PendingStamps;
use super::{Port, SenderObserver, SessionSetup, Trouble, Tuning};
use crate::clock::{monotonic, now};
use crate::error::WorkerError;
use crate::traffic::TrafficWatch;

/// Batches taken from one socket before the others get their turn.
const TURNS: usize = 4;
/// Probes sent in a row before replies, other sessions and commands get their turn.
const BURST: usize = 16;
/// To read the clock again after a probe was sent is worth it when something is due within this time, which is longer
/// than to send takes.
const SOON: Duration = Duration::from_micros(500);
/// How long stragglers are waited for after a stop while no round trip is known yet.
const PATIENCE: Duration = Duration::from_secs(1);

/// Buffers that all sessions of a worker share.
pub(super) struct Buffers {
    port: PortBuffers,
    errors: ErrorBatch,
}

impl Buffers {
    pub(super) fn new() -> Self {
        Self { port: PortBuffers::new(), errors: ErrorBatch::new(COUNT) }
    }
}

/// A session, its number for the observer, and its port.
pub(super) struct Session {
    number: usize,
    engine: Sender,
    port: Port,
    stamps: PendingStamps,
    queue_drops: u32,
    linger_round_trips: Option<u32>,
    traffic: Option<TrafficWatch>,
    /// How long stragglers are waited for when no reply ever came.
    patience: Duration,
    /// When the wait for stragglers ends, once nothing is left to send.
    linger_until: Option<MonotonicTime>,
    window: Option<Window>,
}

/// The window that is being filled.
struct Window {
    period: Duration,
    end: MonotonicTime,
}

impl Session {
    pub(super) fn new(
        number: usize,
        setup: SessionSetup,
        start: MonotonicTime,
    ) -> Result<Self, WorkerError> {
        let queue_drops = setup.port.queue_drops().unwrap_or(0);
        let stamps = PendingStamps::new(setup.config.schedule.interval());
        Ok(Self {
            number,
            patience: setup.config.timeout,
            engine: Sender::new(setup.config, start)?,
            port: setup.port,
            stamps,
            queue_drops,
            linger_round_trips: setup.linger_round_trips,
            traffic: setup.traffic,
            linger_until: None,
            window: setup.window.map(|period| Window { period, end: start }),
        })
    }

    /// Its first probe is due at `first`, and its first window ends at `window`.
    pub(super) fn begin(&mut self, first: MonotonicTime, window: MonotonicTime) {
        self.engine.begin(first);
        if let Some(filled) = &mut self.window {
            filled.end = window;
        }
    }

    /// Goes on with other limits, and windows of another length.
    pub(super) fn tune(&mut self, tuning: &Tuning) {
        self.engine.handle_thresholds(tuning.thresholds.clone());
        self.engine.handle_histograms(tuning.histograms.clone());
        if self.window_period() != tuning.window {
            let begin = monotonic();
            self.window =
                tuning.window.map(|period| Window { period, end: begin.saturating_add(period) });
        }
    }

    /// How long its windows are.
    pub(super) fn window_period(&self) -> Option<Duration> {
        self.window.as_ref().map(|window| window.period)
    }

    pub(super) const fn engine(&self) -> &Sender {
        &self.engine
    }

    pub(super) const fn engine_mut(&mut self) -> &mut Sender {
        &mut self.engine
    }

    pub(super) const fn port(&self) -> &Port {
        &self.port
    }

    pub(super) const fn port_mut(&mut self) -> &mut Port {
        &mut self.port
    }

    /// When this session wants [`Self::attend`]; `None` when it has ended.
    pub(super) fn next_timeout(&self) -> Option<MonotonicTime> {
        let mut next = self.engine.next_timeout()?;
        if let Some(until) = self.linger_until {
            next = next.min(until);
        }
        if let Some(window) = &self.window {
            next = next.min(window.end);
        }
        Some(next)
    }

    /// Stops sending; stragglers get three round trips, or a moment when none is known.
    pub(super) fn stop_sending(&mut self) {
        self.engine.stop();
        self.linger_round_trips.get_or_insert(3);
        self.patience = self.patience.min(PATIENCE);
    }

    /// Sends what is due at `time`, before anything else can delay it, then judges what is overdue.
    pub(super) fn attend(
        &mut self,
        mut time: MonotonicTime,
        buffers: &mut Buffers,
        observer: &mut dyn SenderObserver,
    ) {
        self.send_due(&mut time, buffers, observer);
        // Usually there already, which saves waking up for it.
        if !self.take_shared_stamps(buffers) && self.port.transmit_stamps() {
            self.take_errors(self.stamps.awaited, &mut buffers.errors, observer);
        }
        if self.engine.is_done_sending() || self.is_overdue(time) {
            // A reply that waits in the queue came in time, and all that came by this instant wait there.
            let now = now();
            self.take_in(buffers, observer);
            self.engine.handle_timeout(now);
        }
        self.linger();
        self.tell_events(observer);
        self.close_window(time, observer);
    }

    /// Tells of the window when its end has come, and begins the next; one that nobody came to
    /// attend is left out.
    fn close_window(&mut self, now: MonotonicTime, observer: &mut dyn SenderObserver) {
        let Some(window) = self.window.as_mut().filter(|window| now >= window.end) else { return };
        while window.end <= now {
            window.end = window.end.saturating_add(window.period);
        }
        observer.window(self.number, self.engine.take_window());
    }

    /// Since `time`, something may have become due.
    fn is_due_soon(&self, time: MonotonicTime) -> bool {
        let within = |due: MonotonicTime| due > time && due.since(time) < SOON;
        self.engine.next_timeout().is_some_and(within)
    }

    fn is_overdue(&self, now: MonotonicTime) -> bool {
        self.engine.next_timeout().is_none_or(|due| due <= now)
    }

    /// Passes on what happened beside replies.
    pub(super) fn tell_events(&mut self, observer: &mut dyn SenderObserver) {
        while let Some(event) = self.engine.poll_event() {
            observer.event(self.number, event);
        }
    }

    /// Reads what a wait found on the socket.
    pub(super) fn take_ready(
        &mut self,
        ready: Ready,
        buffers: &mut Buffers,
        observer: &mut dyn SenderObserver,
    ) {
        if !ready.readable {
            self.take_errors(COUNT, &mut buffers.errors, observer);
        } else if ready.error || self.stamps.awaited > 0 {
            self.take_in(buffers, observer);
        } else {
            self.take_shared_stamps(buffers);
            // No stamp is on its way that a reply should wait for.
            self.take_expected(&mut buffers.port, observer);
        }
    }

    /// Routes or neighbours have changed.
    pub(super) fn follow(&mut self, news: &mut News, poller: &Poller, table: &mut SocketTable) {
        self.port.follow(news, poller, table);
    }

    /// A router complains about the packet around a probe.
    pub(super) fn take_tunnel_error(
        &mut self,
        event: &SocketEvent<'_>,
        observer: &mut dyn SenderObserver,
    ) {
        if let SocketEvent::Icmp(error) = event {
            let largest_payload = error.mtu.and_then(|mtu| self.port.largest_payload(mtu));
            let error = IcmpError { largest_payload, ..*error };
            self.take_error(&SocketEvent::Icmp(error), observer);
        }
    }

    /// Reads stamps, errors and replies from the socket.
    fn take_in(&mut self, buffers: &mut Buffers, observer: &mut dyn SenderObserver) {
        for _ in 0..TURNS {
            // Stamps first: a reply is measured from the corrected T1.
            self.take_shared_stamps(buffers);
            self.take_errors(COUNT, &mut buffers.errors, observer);
            if self.take_replies(COUNT, &mut buffers.port, observer) < COUNT {
                break;
            }
        }
    }

    /// Takes as many replies as probes wait for one; all that is there when it is something else.
    fn take_expected(&mut self, buffers: &mut PortBuffers, observer: &mut dyn SenderObserver) {
        let undecided = self.engine.undecided();
        let expected = usize::try_from(undecided).unwrap_or(COUNT).min(COUNT);
        let taken = expected.checked_sub(1).map(|_| self.take_replies(expected, buffers, observer));
        if taken.is_none_or(|taken| taken == expected && self.engine.undecided() == undecided) {
            self.take_replies(COUNT, buffers, observer);
        }
    }

    fn take_replies(
        &mut self,
        most: usize,
        buffers: &mut PortBuffers,
        observer: &mut dyn SenderObserver,
    ) -> usize {
        let Self { port, engine, number, traffic, .. } = self;
        // The whole batch is here by its first; when each of it came, its stamp says.
        let mut taken_at = None;
        let taken = port.receive(most, buffers, |reply| {
            if let Some(traffic) = traffic {
                engine.handle_counters(traffic.counters());
            }
            let outcome: Outcome = engine.handle_reply(*taken_at.get_or_insert_with(now), reply);
            observer.outcome(*number, &outcome);
        });
        if let Some(total) = taken.queue_drops {
            // What others may have lost as well: no more of it is ours than we wait for.
            let is_shared = self.port.shares_ring();
            let most = if is_shared { self.engine.undecided() } else { u32::MAX };
            self.note_queue_drops(total, most);
        }
        taken.count
    }

    /// Counts what is new, up to `most` of it.
    fn note_queue_drops(&mut self, total: u32, most: u32) {
        let new = total.wrapping_sub(self.queue_drops).min(most);
        self.queue_drops = total;
        if new > 0 {
            self.engine.handle_local_drop(u64::from(new));
        }
    }

    /// Takes its stamps from a socket that it has together with others; whether it has one.
    pub(super) fn take_shared_stamps(&mut self, buffers: &mut Buffers) -> bool {
        let Self { port, engine, .. } = self;
        port.shared_stamps(&mut buffers.errors, |sequence, stamp| {
            engine.handle_transmit_stamp(sequence, stamp);
        })
    }

    /// Takes up to `most` entries of its error queue; all of them when it is [`COUNT`] or more.
    fn take_errors(
        &mut self,
        most: usize,
        errors: &mut ErrorBatch,
        observer: &mut dyn SenderObserver,
    ) {
        errors.expect(most);
        loop {
            let taken = self.port.errors(errors).unwrap_or(0);
            for event in errors.iter().take(taken) {
                self.take_error(&event, observer);
            }
            if taken < COUNT {
                break;
            }
        }
    }

    fn take_error(&mut self, event: &SocketEvent<'_>, observer: &mut dyn SenderObserver) {
        match event {
            SocketEvent::TransmitStamp { id, stamp } => {
                if let Some(sequence) = self.stamps.take(*id) {
                    self.engine.handle_transmit_stamp(sequence, *stamp);
                }
            }
            SocketEvent::Icmp(error) => {
                handle_icmp(&mut self.engine, error);
                observer.trouble(self.number, trouble(error));
            }
            // The same refusal that send() reported.
            SocketEvent::TooBig { .. } | SocketEvent::Unknown { .. } => {}
        }
    }

    fn send_due(
        &mut self,
        time: &mut MonotonicTime,
        buffers: &mut Buffers,
        observer: &mut dyn SenderObserver,
    ) {
        // Where sending takes longer than the interval, the next probe is always due.
        for _ in 0..BURST {
            if self.is_due_soon(*time) {
                *time = monotonic();
            }
            // Both clocks are read for a probe only, not to see that there is none.
            if !self.is_overdue(*time) {
                return;
            }
            if let Some(traffic) = &self.traffic {
                self.engine.handle_counters(traffic.counters());
            }
            let departure = self.port.depart(&mut self.engine, &mut buffers.port);
            let Some(Departure { at, token, outcome }) = departure else { return };
            *time = at;
            match outcome {
                Left::Sent(transmit_id) => {
                    if let Some(id) = transmit_id {
                        self.stamps.insert(id, token.sequence());
                    }
                    self.engine.handle_sent(token, None);
                }
                Left::Failed(failure) => {
                    let sequence = token.sequence();
                    self.engine.handle_unsent(token, unsent_reason(failure));
                    observer.trouble(self.number, Trouble::NotSent { sequence, failure });
                }
                Left::NotTried => self.engine.handle_unsent(token, UnsentReason::Failed),
                Left::NoNeighbour => self.engine.handle_unsent(token, UnsentReason::NoNeighbour),
            }
        }
    }

    /// Ends the wait for stragglers when it has lasted the wanted number of round trips.
    fn linger(&mut self) {
        let Some(times) = self.linger_round_trips.filter(|_| self.engine.is_done_sending()) else {
            return;
        };
        let now = now();
        if let Some(until) = self.linger_until {
            if now.monotonic >= until {
                self.engine.give_up(now);
            }
            return;
        }
        let longest = self.engine.longest_round_trip();
        let wait = longest.map_or(self.patience, |longest| longest.saturating_mul(times));
        let wait = wait.min(self.engine.config().timeout);
        self.linger_until = Some(now.monotonic.saturating_add(wait.max(Duration::from_millis(1))));
    }

    /// Notes what the receive queue dropped after the last packet that could tell.
    pub(super) fn finish(&mut self) {
        if let Some(total) = self.port.queue_drops() {
            self.note_queue_drops(total, u32::MAX);
        }
    }
}

/// A probe that our own stack or the path's MTU kept from travelling is not lost.
fn handle_icmp(engine: &mut Sender, error: &IcmpError<'_>) {
    let Some(sequence) = quoted_sequence(error.payload) else { return };
    if error.is_no_neighbour() {
        engine.handle_unsent_late(sequence, UnsentReason::NoNeighbour);
    } else if error.kind == IcmpKind::PacketTooBig {
        engine.handle_unsent_late(sequence, UnsentReason::TooBig { mtu: error.mtu });
    }
}

fn trouble(error: &IcmpError<'_>) -> Trouble {
    Trouble::Icmp {
        kind: error.kind,
        offender: error.offender,
        sequence: quoted_sequence(error.payload),
        mtu: error.mtu,
        largest_payload: error.largest_payload,
    }
}

/// Sequence Number of a quoted probe: its first four octets in both modes (RFC 8762 §4.2).
fn quoted_sequence(payload: &[u8]) -> Option<u32> {
    payload.first_chunk().map(|octets| u32::from_be_bytes(*octets))
}

const fn unsent_reason(failure: SendFailure) -> UnsentReason {
    match failure {
        SendFailure::NoBuffers => UnsentReason::NoBuffer,
        SendFailure::NoRoute => UnsentReason::NoRoute,
        SendFailure::Refused { .. } => UnsentReason::Refused,
        SendFailure::TooBig { mtu, .. } => UnsentReason::TooBig { mtu },
        SendFailure::InterfaceDown => UnsentReason::NetworkDown,
        SendFailure::BadSource => UnsentReason::SourceGone,
        SendFailure::Other { .. } => UnsentReason::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_too_short_for_a_sequence_number_has_none() {
        assert_eq!(quoted_sequence(&[0, 0, 1]), None);
        assert_eq!(quoted_sequence(&[0, 0, 1, 2, 9]), Some(258));
    }
}
