//! Probes on their way out, and what the kernel says of them.

use core::time::Duration;

use stamp_proto::packet::SenderPacket;
use stamp_proto::time::{Stamp, TimeDelta};

use super::Sender;
use super::event::SenderEvent;
use super::fallback::Asks;
use super::pending::{Fate, Probe};
use super::probe::Telling;
use super::reason::UnsentReason;
use crate::clock::{MonotonicTime, Now};

/// A transmit stamp farther than this from what we wrote is of another clock.
const STAMP_APART: TimeDelta = TimeDelta::from_ns(1_000_000_000);

/// A probe to be sent now.
#[must_use = "a probe that is not sent counts as lost; tell `handle_unsent`"]
#[derive(Debug)]
pub struct Transmit<'b> {
    /// UDP payload.
    pub octets: &'b [u8],
    /// Its Sequence Number.
    pub sequence: u32,
    /// When it should have been sent.
    pub intended: MonotonicTime,
    /// How much later that is now.
    pub lateness: Duration,
    /// To be handed back after the system call.
    pub token: SendToken,
}

/// One probe on its way to the kernel; neither copied nor used twice.
#[must_use = "hand it to `handle_sent` or `handle_unsent`"]
#[derive(Debug, Eq, PartialEq)]
pub struct SendToken {
    sequence: u32,
}

impl SendToken {
    /// Sequence Number of the probe.
    #[must_use]
    pub const fn sequence(&self) -> u32 {
        self.sequence
    }
}

impl Sender {
    /// The probe that is due, written to the front of `out`; to be called until `None`.
    ///
    /// `out` needs [`payload_octets`](Self::payload_octets). T1 is `now`, so read the clocks for
    /// each call. A slot that is late by an interval or more is skipped and counted. Whether its
    /// headers ask for a timestamp, [`asks_for_timestamp`](Self::asks_for_timestamp) tells before.
    pub fn poll_transmit<'b>(&mut self, now: Now, out: &'b mut [u8]) -> Option<Transmit<'b>> {
        // As the shell was told, whatever is lost in between.
        let asks = self.fallback.next();
        self.observe_clock(now);
        let intended = self.take_slot(now)?;
        let packet = self.packet(now);
        let transmitted =
            self.near_traffic().map_or(0, |traffic| traffic.transmitted(packet.sequence));
        let reports = self.reports_access(now.monotonic);
        let told = Telling { transmitted, reports, far_member: self.far_member().id() };
        let Ok(octets) = self.layout.emit(&self.config, (packet, told), out) else {
            self.count_unsent(UnsentReason::NoBuffer);
            return None;
        };
        let sequence = self.pending.next_sequence();
        // Deadlines must be in the order of sending.
        self.sent_last_at = self.sent_last_at.max(now.monotonic);
        self.pending.push(Probe {
            sequence,
            error_estimate: self.error_estimate,
            asks,
            written: now.wall,
            sent_at: self.sent_last_at,
            fate: self.fate_of_new(Stamp { time: now.wall, ..Stamp::default() }),
        });
        self.fallback.sent(sequence, asks, now);
        if reports {
            self.access_reported(sequence, now.monotonic);
        }
        let lateness = now.monotonic.since(intended);
        self.tallies().for_each(|tally| tally.slot_used(lateness));
        if let Some(lag) = &self.config.lag {
            lag.record(TimeDelta::from_ns(i64::try_from(lateness.as_nanos()).unwrap_or(i64::MAX)));
        }
        Some(Transmit { octets, sequence, intended, lateness, token: SendToken { sequence } })
    }

    /// The system call took the probe; `at` is the kernel's stamp, if it is there already.
    pub fn handle_sent(&mut self, token: SendToken, at: Option<Stamp>) {
        if let Some(stamp) = at {
            self.handle_transmit_stamp(token.sequence, stamp);
        }
    }

    /// A better T1 for a probe that is awaited. A stamp of another clock is not used.
    pub fn handle_transmit_stamp(&mut self, sequence: u32, stamp: Stamp) {
        let Some(probe) = self.pending.get_mut(sequence) else {
            return;
        };
        if let Fate::Outstanding { probe_sent } | Fate::Unawaited { probe_sent } = &mut probe.fate {
            if stamp.time.since(probe.written).abs() <= STAMP_APART {
                *probe_sent = stamp;
            } else {
                self.stamps_apart = self.stamps_apart.saturating_add(1);
            }
        }
    }

    /// The system call refused the probe: it is not awaited and never loss.
    ///
    /// Its Sequence Number is used again if no other probe was written since, so report the
    /// failures of one batch last to first.
    pub fn handle_unsent(&mut self, token: SendToken, reason: UnsentReason) {
        if self.pending.take_back(token.sequence) {
            self.fallback.unsent(token.sequence);
            self.access_unreported(token.sequence);
            self.take_back_sent();
            self.count_unsent(reason);
        } else {
            self.withdraw(token.sequence, reason);
        }
        self.conclude(None);
    }

    /// The kernel took a probe and told later that it never left.
    ///
    /// One that is awaited counts as unsent; one that is lost already stays lost and counts as
    /// dropped by our own host.
    pub fn handle_unsent_late(&mut self, sequence: u32, reason: UnsentReason) {
        if self.withdraw(sequence, reason) {
            self.events.push(SenderEvent::Unsent { sequence, reason });
        }
        self.conclude(None);
    }

    fn fate_of_new(&self, probe_sent: Stamp) -> Fate {
        if self.config.requests.wants_no_reply() && !self.is_reported() {
            Fate::Unawaited { probe_sent }
        } else {
            Fate::Outstanding { probe_sent }
        }
    }

    fn packet(&self, now: Now) -> SenderPacket {
        let offset = self.config.ptp_utc_offset;
        SenderPacket {
            sequence: self.pending.next_sequence(),
            timestamp: offset.timestamp(now.wall, self.config.format),
            error_estimate: self.error_estimate,
            ssid: self.ssid,
        }
    }

    /// The slot that is due, after counting those that were missed.
    fn take_slot(&mut self, now: Now) -> Option<MonotonicTime> {
        let due = self.timetable.take(now.monotonic);
        if due.missed > 0 {
            for tally in self.tallies() {
                tally.unsent.add(UnsentReason::MissedSlot, due.missed);
            }
            let count = due.missed;
            self.events.push(SenderEvent::MissedSlots { count });
        }
        if self.pending.is_full() {
            // As wide as the timeout, so the oldest is long overdue.
            self.expire(now.monotonic, now);
        }
        if due.slot.is_some() && self.pending.is_full() {
            self.count_unsent(UnsentReason::TableFull);
            return None;
        }
        if due.slot.is_none() {
            self.conclude(Some(now));
        }
        due.slot
    }

    /// A probe that is awaited is not any more; true when it was.
    fn withdraw(&mut self, sequence: u32, reason: UnsentReason) -> bool {
        let Some(probe) = self.pending.get_mut(sequence) else {
            return false;
        };
        match probe.fate {
            Fate::Outstanding { .. } | Fate::Unawaited { .. } => {
                probe.fate = Fate::Unsent;
                self.fallback.unsent(sequence);
                self.access_unreported(sequence);
                self.take_back_sent();
                self.count_unsent(reason);
                true
            }
            Fate::Lost { .. } if probe.asks != Asks::Trial => {
                probe.fate = Fate::Unsent;
                self.count_local_drop(1);
                if let Some(watch) = &mut self.watch {
                    watch.forget(sequence);
                }
                false
            }
            _ => false,
        }
    }

    pub(super) fn take_back_sent(&mut self) {
        for tally in self.tallies() {
            tally.sent = tally.sent.saturating_sub(1);
        }
    }

    fn count_unsent(&mut self, reason: UnsentReason) {
        for tally in self.tallies() {
            tally.unsent.add(reason, 1);
        }
    }
}
