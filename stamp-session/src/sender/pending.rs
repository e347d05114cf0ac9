//! What is remembered of each probe until its fate is known, and some time after.

use stamp_proto::time::{ErrorEstimate, Stamp, TimeDelta, WallTime};

use super::fallback::Asks;
use super::serial;
use super::timing::Timing;
use crate::clock::MonotonicTime;

/// Most probes a session remembers; 100 000 a second for five seconds.
pub(super) const LARGEST_TABLE: usize = 1 << 20;

const SMALLEST_TABLE: usize = 16;

/// A probe that was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probe {
    pub(super) sequence: u32,
    /// As sent, to be found again in the reply.
    pub(super) error_estimate: ErrorEstimate,
    /// What its segments ask the far node for.
    pub(super) asks: Asks,
    /// T1 as sent, to be found again in the reply.
    pub(super) written: WallTime,
    pub(super) sent_at: MonotonicTime,
    pub(super) fate: Fate,
}

/// What became of a probe.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// This place of the table holds no probe.
    Empty,
    /// A reply is awaited.
    Outstanding {
        /// T1, corrected as soon as the kernel tells better.
        probe_sent: Stamp,
    },
    /// None is: the probe asked for no reply. One that comes all the same is taken.
    Unawaited {
        /// T1, corrected as soon as the kernel tells better.
        probe_sent: Stamp,
    },
    /// A reply came in time.
    Answered(Answer),
    /// No reply came in time.
    Lost { probe_sent: Stamp },
    /// It is lost, and a reply came after that was counted.
    Late,
    /// It never left this host.
    Unsent,
}

/// What is kept of a reply: for the variation to its neighbours, and for the direction of losses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) forward_delay: TimeDelta,
    pub(super) round_trip: TimeDelta,
    pub(super) reflector_sequence: u32,
    /// Replies to copies of the probe.
    pub(super) extra: u8,
    /// The highest Sequence Number among them, in steps from that of this reply.
    pub(super) extra_reach: u8,
    /// Restarts of the Session-Reflector before this reply, modulo 256.
    pub(super) incarnation: u8,
    /// Which of the values may be compared with those of another probe.
    pub(super) usable: Usable,
}

/// What a reply to a probe was numbered.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnswerNumber {
    pub(super) reflector_sequence: u32,
    pub(super) incarnation: u8,
}

impl Answer {
    /// Whether the forward delay was measured is kept in what is usable: a probe is small.
    pub(super) fn new(timing: &Timing, usable: Usable, number: AnswerNumber) -> Self {
        let AnswerNumber { reflector_sequence, incarnation } = number;
        let usable = match (usable, timing.forward_delay) {
            (Usable::All, None) => Usable::RoundTripOnly,
            (Usable::ForwardOnly, None) => Usable::Nothing,
            (usable, _) => usable,
        };
        Self {
            forward_delay: timing.forward_delay.unwrap_or_default(),
            round_trip: timing.round_trip,
            reflector_sequence,
            extra: 0,
            extra_reach: 0,
            incarnation,
            usable,
        }
    }

    /// Comparable with that of another probe.
    pub(super) fn forward_delay(&self) -> Option<TimeDelta> {
        matches!(self.usable, Usable::All | Usable::ForwardOnly).then_some(self.forward_delay)
    }

    /// What the round trip has beside the forward delay.
    pub(super) fn backward_delay(&self) -> Option<TimeDelta> {
        (self.usable == Usable::All).then(|| self.round_trip.saturating_sub(self.forward_delay))
    }

    /// The highest Sequence Number among this reply and replies to copies of the probe.
    pub(super) const fn highest_reflector_sequence(&self) -> u32 {
        self.reflector_sequence.wrapping_add(self.extra_reach as u32)
    }

    /// Takes a reply to a copy of the probe, unless it is itself a copy of a known one.
    pub(super) fn add_extra(&mut self, reflector_sequence: u32) -> bool {
        let steps = serial::distance(self.reflector_sequence, reflector_sequence);
        if steps == 0 || steps == i64::from(self.extra_reach) {
            return false;
        }
        self.extra = self.extra.saturating_add(1);
        let reach = u8::try_from(steps).unwrap_or(self.extra_reach);
        self.extra_reach = self.extra_reach.max(reach);
        true
    }
}

/// What a clock step leaves of a sample.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Usable {
    All,
    /// All there is: nobody measured one-way delays.
    RoundTripOnly,
    /// The far clock stepped: both one-way values are off, their sum is not.
    RoundTrip,
    /// The reply took another way than was asked for: only the probe was on the path.
    ForwardOnly,
    /// Our own clock stepped in between, or the probe ended at another node.
    Nothing,
}

/// A ring of probes, found by Sequence Number.
#[derive(Debug)]
pub(super) struct Pending {
    probes: Box<[Probe]>,
    mask: u32,
    /// The oldest probe whose fate has not been counted.
    oldest: u32,
    next: u32,
    /// Probes ever written, so that a Sequence Number can be told from one never sent.
    used: u64,
}

impl Pending {
    /// Room for `most_outstanding` probes that are awaited and as many that are decided.
    pub(super) fn new(most_outstanding: usize, first_sequence: u32) -> Self {
        let size = most_outstanding
            .saturating_mul(2)
            .clamp(SMALLEST_TABLE, LARGEST_TABLE)
            .next_power_of_two();
        let empty = Probe {
            sequence: 0,
            error_estimate: ErrorEstimate::from_bits(0),
            asks: Asks::Nothing,
            written: WallTime::default(),
            sent_at: MonotonicTime::ZERO,
            fate: Fate::Empty,
        };
        Self {
            probes: vec![empty; size].into_boxed_slice(),
            mask: u32::try_from(size.saturating_sub(1)).unwrap_or(u32::MAX),
            oldest: first_sequence,
            next: first_sequence,
            used: 0,
        }
    }

    pub(super) const fn next_sequence(&self) -> u32 {
        self.next
    }

    /// Probes whose fate has not been counted yet.
    pub(super) const fn undecided(&self) -> u32 {
        self.next.wrapping_sub(self.oldest)
    }

    /// Octets on the heap.
    pub(super) fn heap_octets(&self) -> usize {
        self.probes.len().saturating_mul(size_of::<Probe>())
    }

    /// How many probes are remembered.
    pub(super) const fn reach(&self) -> u32 {
        self.mask.saturating_add(1)
    }

    /// Another probe would overwrite one that is awaited.
    pub(super) const fn is_full(&self) -> bool {
        self.undecided() > self.mask
    }

    /// Remembers the probe with the Sequence Number [`Self::next_sequence`].
    pub(super) fn push(&mut self, probe: Probe) {
        let index = self.index(probe.sequence);
        if let Some(place) = self.probes.get_mut(index) {
            *place = probe;
            self.next = self.next.wrapping_add(1);
            self.used = self.used.saturating_add(1);
        }
    }

    /// Takes back the latest probe, which never left: the next one gets its Sequence Number.
    ///
    /// False when another one was written since.
    pub(super) fn take_back(&mut self, sequence: u32) -> bool {
        let is_last = self.undecided() > 0 && sequence == self.next.wrapping_sub(1);
        if is_last {
            self.next = sequence;
            self.used = self.used.saturating_sub(1);
            if let Some(probe) = self.get_mut(sequence) {
                probe.fate = Fate::Empty;
            }
        }
        is_last
    }

    /// A probe with this Sequence Number was written at some time.
    pub(super) fn was_used(&self, sequence: u32) -> bool {
        let back = u64::from(self.next.wrapping_sub(sequence));
        // Zero steps back is the next probe, or the one a whole wrap ago.
        let back = if back == 0 { 1 << 32 } else { back };
        back <= self.used.min(1 << 31)
    }

    pub(super) fn get(&self, sequence: u32) -> Option<&Probe> {
        let probe = self.probes.get(self.index(sequence))?;
        let found = probe.sequence == sequence && !matches!(probe.fate, Fate::Empty);
        found.then_some(probe)
    }

    pub(super) fn get_mut(&mut self, sequence: u32) -> Option<&mut Probe> {
        let index = self.index(sequence);
        let probe = self.probes.get_mut(index)?;
        let found = probe.sequence == sequence && !matches!(probe.fate, Fate::Empty);
        found.then_some(probe)
    }

    /// The answer to a probe that came in time.
    pub(super) fn answer(&self, sequence: u32) -> Option<(&Probe, Answer)> {
        let probe = self.get(sequence)?;
        match probe.fate {
            Fate::Answered(answer) => Some((probe, answer)),
            _ => None,
        }
    }

    /// The oldest probe that is not counted; it is awaited.
    pub(super) fn oldest(&self) -> Option<&Probe> {
        if self.undecided() == 0 {
            return None;
        }
        self.get(self.oldest)
    }

    /// Counts off the oldest probe, giving what became of it.
    ///
    /// A probe that is awaited is lost when it was sent at or before `lost_until`; otherwise there
    /// is nothing to count off yet.
    pub(super) fn settle(&mut self, lost_until: Option<MonotonicTime>) -> Option<Probe> {
        if self.undecided() == 0 {
            return None;
        }
        let probe = self.get_mut(self.oldest)?;
        if let Fate::Outstanding { probe_sent } = probe.fate {
            if lost_until.is_none_or(|until| probe.sent_at > until) {
                return None;
            }
            probe.fate = Fate::Lost { probe_sent };
        }
        let settled = *probe;
        self.oldest = self.oldest.wrapping_add(1);
        Some(settled)
    }

    /// Whatever is awaited is not any more, and is not lost.
    pub(super) fn await_none(&mut self) {
        for step in 0..self.undecided() {
            if let Some(probe) = self.get_mut(self.oldest.wrapping_add(step))
                && let Fate::Outstanding { probe_sent } = probe.fate
            {
                probe.fate = Fate::Unawaited { probe_sent };
            }
        }
    }

    /// The fate of this probe has been counted.
    pub(super) fn is_settled(&self, sequence: u32) -> bool {
        serial::is_after(self.oldest, sequence)
    }

    const fn index(&self, sequence: u32) -> usize {
        (sequence & self.mask) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(sequence: u32) -> Probe {
        Probe {
            sequence,
            error_estimate: ErrorEstimate::from_bits(1),
            asks: Asks::Nothing,
            written: WallTime::default(),
            sent_at: MonotonicTime::from_ns(sequence.into()),
            fate: Fate::Outstanding { probe_sent: Stamp::default() },
        }
    }

    fn filled(first: u32, count: u32) -> Pending {
        let mut pending = Pending::new(8, first);
        for step in 0..count {
            pending.push(probe(first.wrapping_add(step)));
        }
        pending
    }

    #[test]
    fn a_probe_is_small() {
        assert_eq!(size_of::<Probe>(), 48);
    }

    #[test]
    fn probes_are_found_across_the_wrap_of_the_sequence() {
        let pending = filled(u32::MAX - 1, 4);
        for sequence in [u32::MAX - 1, u32::MAX, 0, 1] {
            assert_eq!(pending.get(sequence).map(|probe| probe.sequence), Some(sequence));
            assert!(pending.was_used(sequence));
        }
        assert!(!pending.was_used(2));
        assert!(!pending.was_used(u32::MAX - 2));
    }

    #[test]
    fn what_was_never_sent_is_told_from_what_is_forgotten() {
        let mut pending = filled(0, 0);
        for sequence in 0..40 {
            pending.push(probe(sequence));
            while pending.settle(Some(MonotonicTime::from_ns(sequence.into()))).is_some() {}
        }
        assert!(pending.get(3).is_none() && pending.was_used(3));
        assert!(pending.get(39).is_some());
        assert!(pending.get(40).is_none() && !pending.was_used(40));
    }

    #[test]
    fn a_full_table_says_so() {
        let mut pending = filled(0, 16);
        assert!(pending.is_full());
        assert!(pending.settle(Some(MonotonicTime::ZERO)).is_some());
        assert!(!pending.is_full());
    }

    #[test]
    fn probes_are_counted_off_in_order_and_lost_by_their_age() {
        let mut pending = filled(0, 3);
        assert!(pending.settle(None).is_none());
        let until = Some(MonotonicTime::from_ns(1));
        assert_eq!(pending.settle(until).map(|probe| probe.sequence), Some(0));
        assert_eq!(pending.settle(until).map(|probe| probe.sequence), Some(1));
        assert!(pending.settle(until).is_none());
        assert!(pending.is_settled(1) && !pending.is_settled(2));
        assert_eq!(pending.oldest().map(|probe| probe.sequence), Some(2));
    }

    #[test]
    fn only_the_latest_probe_can_be_taken_back() {
        let mut pending = filled(5, 3);
        assert!(!pending.take_back(6));
        assert!(pending.take_back(7));
        assert_eq!(pending.next_sequence(), 7);
        assert!(pending.get(7).is_none() && !pending.was_used(7));
        assert_eq!(pending.undecided(), 2);
    }
}
