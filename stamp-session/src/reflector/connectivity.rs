//! Whether the probes of a session still arrive: the forward path, by the rule of N losses.
//!
//! A Session-Sender knows N probes in a row as lost when no reply came; who broke down, the way
//! there or the way back, it cannot tell. A stateful Session-Reflector sees the way there alone: by N
//! Sequence Numbers missing in a row, and by silence that lasts longer than N probes take. It knows
//! no schedule, so it learns it; where gaps are of all lengths, as in a Poisson schedule, silence
//! says nothing and only missing numbers do.

use core::cmp::Reverse;
use core::net::SocketAddr;
use core::num::NonZeroU32;
use core::time::Duration;
use std::collections::BinaryHeap;

use stamp_proto::packet::Ssid;

use crate::clock::MonotonicTime;

/// Probes are late by so much at least before they are missed.
const LEAST_GRACE: Duration = Duration::from_millis(10);
/// Gaps that are seen before silence says anything.
const LEARNING: u8 = 3;
/// Sessions looked at by one call, so that packets need not wait for a crowd that left together.
const LOOKED_AT_ONCE: usize = 64;

/// The forward path of a session broke down, or is there again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ForwardChange {
    /// Where the session comes from.
    pub source: SocketAddr,
    /// Where it is sent to.
    pub destination: SocketAddr,
    /// Its identifier.
    pub ssid: Ssid,
    /// N probes in a row did not arrive; else one arrived again.
    pub down: bool,
    /// When it was noticed.
    pub at: MonotonicTime,
    /// Probes missing in a row that led here, or that ended here.
    pub run: u32,
    /// N.
    pub limit: u32,
    /// First and last probe of the cause: those missing, or the one that arrived.
    pub sequences: (u32, u32),
}

/// What is known of a session by its place in the table.
#[derive(Clone, Copy, Debug)]
struct Path {
    generation: u32,
    /// Highest Sequence Number that arrived.
    highest: u32,
    last: MonotonicTime,
    /// Between two probes in microseconds, and how far that is from its mean; both smoothed.
    interval: u32,
    deviation: u32,
    gaps: u8,
    down: bool,
    /// An entry of the queue stands for it.
    queued: bool,
}

/// One probe, by what its session is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighting {
    /// Place of the session in the table, and which of those that had it.
    pub(super) slot: u32,
    pub(super) generation: u32,
    pub(super) sequence: u32,
    pub(super) now: MonotonicTime,
    /// The Session-Sender began again.
    pub(super) restarted: bool,
}

/// What a sighting says about its session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Told {
    Nothing,
    /// So many were missing, and it is back.
    Back {
        /// It had not been told yet.
        was_up: bool,
        run: u32,
    },
}

/// Watches all sessions of a table.
#[derive(Debug)]
pub(super) struct ForwardWatch {
    packet_loss_count: NonZeroU32,
    /// By slot.
    paths: Vec<Path>,
    /// When a session is to be looked at; it may have sent again since it was entered.
    due: BinaryHeap<Reverse<(MonotonicTime, u32)>>,
}

impl ForwardWatch {
    pub(super) const fn new(packet_loss_count: NonZeroU32) -> Self {
        Self { packet_loss_count, paths: Vec::new(), due: BinaryHeap::new() }
    }

    pub(super) const fn packet_loss_count(&self) -> NonZeroU32 {
        self.packet_loss_count
    }

    /// A probe arrived that is no replay.
    pub(super) fn arrived(&mut self, seen: Sighting) -> Told {
        let Sighting { slot: place, generation, sequence, now, restarted } = seen;
        let fresh = Path {
            generation,
            highest: sequence,
            last: now,
            interval: 0,
            deviation: 0,
            gaps: 0,
            down: false,
            queued: false,
        };
        let slot = usize::try_from(place).unwrap_or(usize::MAX);
        if slot >= self.paths.len() {
            self.paths.resize(slot.saturating_add(1), Path { generation: u32::MAX, ..fresh });
        }
        let limit = self.packet_loss_count.get();
        let Some(path) = self.paths.get_mut(slot) else { return Told::Nothing };
        if path.generation != generation || restarted {
            let told = Told::Back { was_up: false, run: 0 };
            let told = if restarted && path.down { told } else { Told::Nothing };
            *path = Path { queued: path.queued, ..fresh };
            return told;
        }
        let ahead = sequence.wrapping_sub(path.highest);
        if ahead == 0 || ahead > u32::MAX / 2 {
            // Overtaken on its way; the path is there all the same.
            path.last = now;
            return if core::mem::take(&mut path.down) {
                Told::Back { was_up: false, run: 0 }
            } else {
                Told::Nothing
            };
        }
        let run = ahead.saturating_sub(1);
        path.learn(now, ahead);
        (path.highest, path.last) = (sequence, now);
        let was_down = core::mem::take(&mut path.down);
        if !path.queued
            && let Some(patience) = path.patience(limit)
        {
            path.queued = true;
            self.due.push(Reverse((now.saturating_add(patience), place)));
        }
        match was_down || run >= limit {
            true => Told::Back { was_up: !was_down, run },
            false => Told::Nothing,
        }
    }

    /// When [`Self::look`] wants to be called.
    pub(super) fn next_look(&self) -> Option<MonotonicTime> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    /// Looks at the sessions that are due and hands each that has fallen silent to `down`: slot,
    /// generation, and the probes that are missing.
    pub(super) fn look(&mut self, now: MonotonicTime, mut down: impl FnMut(u32, u32, (u32, u32))) {
        let limit = self.packet_loss_count.get();
        for _ in 0..LOOKED_AT_ONCE {
            let Some(Reverse((at, slot))) = self.due.peek().copied().filter(|due| due.0.0 <= now)
            else {
                return;
            };
            self.due.pop();
            let index = usize::try_from(slot).unwrap_or(usize::MAX);
            let Some(path) = self.paths.get_mut(index) else { continue };
            path.queued = false;
            let Some(patience) = path.patience(limit) else { continue };
            let deadline = path.last.saturating_add(patience);
            if deadline > at {
                path.queued = true;
                self.due.push(Reverse((deadline, slot)));
            } else if !core::mem::replace(&mut path.down, true) {
                let missing = (path.highest.wrapping_add(1), path.highest.wrapping_add(limit));
                down(slot, path.generation, missing);
            }
        }
    }

    /// Octets that it takes, as allocated.
    pub(super) fn octets(&self) -> usize {
        let paths = self.paths.capacity().saturating_mul(size_of::<Path>());
        let due = self.due.capacity().saturating_mul(size_of::<(MonotonicTime, u32)>());
        paths.saturating_add(due)
    }
}

impl Path {
    /// A gap of `ahead` probes; the mean and the distance from it are smoothed as TCP
    /// does with round trips.
    fn learn(&mut self, now: MonotonicTime, ahead: u32) {
        let elapsed = now.since(self.last).as_micros();
        let sample = elapsed.checked_div(u128::from(ahead)).unwrap_or(0);
        let sample = u32::try_from(sample).unwrap_or(u32::MAX).max(1);
        if self.gaps == 0 {
            self.interval = sample;
        } else {
            let away = self.interval.abs_diff(sample);
            self.deviation = blend(self.deviation, away, 4);
            self.interval = blend(self.interval, sample, 8).max(1);
        }
        self.gaps = self.gaps.saturating_add(1);
    }

    /// How long silence says nothing; `None` where it never does.
    fn patience(&self, packet_loss_count: u32) -> Option<Duration> {
        let is_even = self.deviation <= self.interval / 4;
        if self.gaps < LEARNING || !is_even {
            return None;
        }
        let interval = Duration::from_micros(self.interval.into());
        let grace = interval.max(LEAST_GRACE);
        Some(interval.saturating_mul(packet_loss_count).saturating_add(grace))
    }
}

fn blend(smoothed: u32, sample: u32, parts: u32) -> u32 {
    let part = |value: u32| value.checked_div(parts).unwrap_or(0);
    smoothed.saturating_sub(part(smoothed)).saturating_add(part(sample))
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: NonZeroU32 = NonZeroU32::new(3).unwrap();

    fn at(us: u64) -> MonotonicTime {
        MonotonicTime::from_ns(us * 1_000)
    }

    fn sighting(slot: u32, sequence: u32, us: u64) -> Sighting {
        Sighting { slot, generation: 1, sequence, now: at(us), restarted: false }
    }

    /// Probes `from..to` of one every 10 ms.
    fn run(watch: &mut ForwardWatch, from: u32, to: u32) {
        for sequence in from..to {
            let told = watch.arrived(sighting(0, sequence, u64::from(sequence) * 10_000));
            assert_eq!(told, Told::Nothing, "{sequence}");
        }
    }

    fn looked(watch: &mut ForwardWatch, us: u64) -> Vec<(u32, u32, (u32, u32))> {
        let mut down = Vec::new();
        watch.look(at(us), |slot, generation, missing| down.push((slot, generation, missing)));
        down
    }

    #[test]
    fn silence_of_n_intervals_and_one_is_down_once() {
        let mut watch = ForwardWatch::new(N);
        run(&mut watch, 0, 21);
        assert_eq!(looked(&mut watch, 239_999), []);
        let due = watch.next_look().expect("it is watched");
        assert_eq!(due, at(240_000), "21, 22 and 23 are missing, and 24 is due");
        assert_eq!(looked(&mut watch, 240_000), [(0, 1, (21, 23))]);
        assert_eq!(looked(&mut watch, 900_000), [], "told once");
        let back = watch.arrived(sighting(0, 31, 310_000));
        assert_eq!(back, Told::Back { was_up: false, run: 10 });
        run(&mut watch, 32, 60);
        assert_eq!(looked(&mut watch, 690_000), [(0, 1, (60, 62))], "and watched again");
    }

    #[test]
    fn numbers_missing_in_a_row_tell_as_well() {
        let mut watch = ForwardWatch::new(N);
        run(&mut watch, 0, 6);
        assert_eq!(watch.arrived(sighting(0, 8, 80_000)), Told::Nothing, "two");
        let told = watch.arrived(sighting(0, 12, 82_000));
        assert_eq!(told, Told::Back { was_up: true, run: 3 });
    }

    #[test]
    fn of_uneven_gaps_silence_says_nothing() {
        let mut watch = ForwardWatch::new(N);
        let mut us = 0;
        for sequence in 0..200_u32 {
            us += if sequence % 7 < 4 { 1_000 } else { 25_000 };
            assert_eq!(watch.arrived(sighting(0, sequence, us)), Told::Nothing);
            assert_eq!(looked(&mut watch, us), []);
        }
        assert_eq!(looked(&mut watch, us + 10_000_000), []);
    }

    #[test]
    fn few_probes_are_no_schedule() {
        let mut watch = ForwardWatch::new(N);
        run(&mut watch, 0, 3);
        assert_eq!(watch.next_look(), None);
        assert_eq!(looked(&mut watch, 10_000_000), []);
    }

    #[test]
    fn a_place_that_is_taken_anew_starts_anew() {
        let mut watch = ForwardWatch::new(N);
        run(&mut watch, 0, 10);
        let other = Sighting { generation: 2, ..sighting(0, 700, 95_000) };
        assert_eq!(watch.arrived(other), Told::Nothing);
        assert_eq!(looked(&mut watch, 10_000_000), [], "one probe is no schedule");
    }

    #[test]
    fn a_sender_that_begins_again_is_up() {
        let mut watch = ForwardWatch::new(N);
        run(&mut watch, 100, 120);
        assert_eq!(looked(&mut watch, 2_000_000).len(), 1);
        let again = Sighting { restarted: true, ..sighting(0, 0, 2_100_000) };
        assert_eq!(watch.arrived(again), Told::Back { was_up: false, run: 0 });
    }

    #[test]
    fn the_numbers_of_a_session_may_wrap() {
        let mut watch = ForwardWatch::new(N);
        for step in 0..10_u32 {
            let sequence = u32::MAX.wrapping_add(step).wrapping_sub(5);
            let told = watch.arrived(sighting(0, sequence, u64::from(step) * 10_000));
            assert_eq!(told, Told::Nothing);
        }
        assert_eq!(looked(&mut watch, 200_000), [(0, 1, (4, 6))]);
    }

    #[test]
    fn only_so_many_are_looked_at_at_once() {
        let mut watch = ForwardWatch::new(N);
        for sequence in 0..5 {
            for slot in 0..200 {
                let _ = watch.arrived(sighting(slot, sequence, u64::from(sequence) * 10_000));
            }
        }
        // Each is looked at twice: it has sent since it was entered.
        let counts: Vec<usize> = (0..7).map(|_| looked(&mut watch, 1_000_000).len()).collect();
        assert_eq!(counts.iter().sum::<usize>(), 200, "{counts:?}");
        assert!(counts.iter().all(|count| *count <= LOOKED_AT_ONCE), "{counts:?}");
    }
}
