//! One direction of a wire: what is under way, and how long it really was.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use stamp_net::packet::OFFLOAD_OCTETS;

use crate::impairment::{Fate, Impairment, Judge};

/// Most packets under way; a delay of 100 ms holds them at 160 000 a second.
const QUEUE: usize = 16_384;

/// How many times in the wire are kept.
const KEPT: usize = 65_536;

/// What passed one direction of a wire. Packets, except for the last two.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Came in, whatever became of them.
    pub seen: u64,
    /// Were lost on purpose.
    pub lost: u64,
    /// Went out.
    pub delivered: u64,
    /// Found the wire's queue full, or the interface behind it down.
    pub dropped: u64,
    /// Frames to a group of hosts: they pass at once and count nowhere else.
    pub group: u64,
    /// Frames that the kernel dropped before the wire could read them. Not zero means that more was
    /// sent than the wire can carry.
    pub overflowed: u64,
}

/// How long a wire held a packet, from the kernel's stamp of its arrival.
///
/// The next kernel's stamp lies between the two ends: a delay that was measured over the wire is at
/// least the first of them, and what it is beyond the second is not the wire's.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Held {
    /// Until the wire set about handing it over.
    pub until_let_go: Duration,
    /// Until that was done, with all that the next kernel did with it in the same call.
    pub until_taken: Duration,
    /// When it arrived, on the monotonic clock: what passed between two wires is told by theirs.
    pub arrived_ns: u64,
}

/// One direction of a wire.
#[derive(Debug)]
pub(crate) struct Lane {
    judge: Judge,
    counts: Counts,
    under_way: BinaryHeap<Reverse<Outgoing>>,
    /// Frames put under way so far: those due at once leave in the order they came.
    sequence: u64,
    /// When the last frame that keeps its place is due.
    last_due_ns: u64,
    held: VecDeque<Held>,
}

/// A frame that goes out at its time. Ordered by that.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Outgoing {
    due_ns: u64,
    sequence: u64,
    arrived_ns: u64,
    is_group: bool,
    pub(crate) octets: Vec<u8>,
}

impl Lane {
    pub(crate) const fn new(impairment: Impairment) -> Self {
        Self {
            judge: Judge::new(impairment),
            counts: Counts { seen: 0, lost: 0, delivered: 0, dropped: 0, group: 0, overflowed: 0 },
            under_way: BinaryHeap::new(),
            sequence: 0,
            last_due_ns: 0,
            held: VecDeque::new(),
        }
    }

    /// From now on, packets meet another fate; those under way arrive as they would have.
    pub(crate) fn impair(&mut self, impairment: Impairment) {
        self.judge = Judge::new(impairment);
    }

    pub(crate) const fn impairment(&self) -> &Impairment {
        self.judge.impairment()
    }

    /// Takes in a frame, behind its description of offloads, that arrived at the given time.
    pub(crate) fn enter(&mut self, octets: &[u8], arrived_ns: u64) {
        let is_group = octets.get(OFFLOAD_OCTETS).is_some_and(|first| first & 1 == 1);
        if is_group {
            self.counts.group += 1;
            self.put_under_way(octets, arrived_ns, (arrived_ns, true));
            return;
        }
        self.counts.seen += 1;
        match self.judge.judge() {
            Fate::Lost => self.counts.lost += 1,
            Fate::Held { .. } if self.under_way.len() >= QUEUE => self.counts.dropped += 1,
            Fate::Held { for_ns, overtakes } => {
                let mut due_ns = arrived_ns.saturating_add(for_ns);
                if !overtakes {
                    due_ns = due_ns.max(self.last_due_ns);
                    self.last_due_ns = due_ns;
                }
                self.put_under_way(octets, arrived_ns, (due_ns, false));
            }
        }
    }

    fn put_under_way(&mut self, octets: &[u8], arrived_ns: u64, (due_ns, is_group): (u64, bool)) {
        self.sequence += 1;
        let (sequence, octets) = (self.sequence, octets.to_vec());
        self.under_way.push(Reverse(Outgoing { due_ns, sequence, arrived_ns, is_group, octets }));
    }

    /// The next frame whose time has come.
    pub(crate) fn take_due(&mut self, now_ns: u64) -> Option<Outgoing> {
        self.next_due_ns().filter(|due_ns| *due_ns <= now_ns)?;
        self.under_way.pop().map(|Reverse(outgoing)| outgoing)
    }

    pub(crate) fn next_due_ns(&self) -> Option<u64> {
        self.under_way.peek().map(|Reverse(outgoing)| outgoing.due_ns)
    }

    /// Notes that a frame went out between two times, or that the interface did not take it.
    pub(crate) fn has_gone_out(
        &mut self,
        outgoing: &Outgoing,
        [let_go_ns, taken_ns]: [u64; 2],
        was_taken: bool,
    ) {
        if outgoing.is_group {
            return;
        }
        if !was_taken {
            self.counts.dropped += 1;
            return;
        }
        self.counts.delivered += 1;
        if self.held.len() == KEPT {
            self.held.pop_front();
        }
        let until = |at_ns: u64| Duration::from_nanos(at_ns.saturating_sub(outgoing.arrived_ns));
        self.held.push_back(Held {
            until_let_go: until(let_go_ns),
            until_taken: until(taken_ns),
            arrived_ns: outgoing.arrived_ns,
        });
    }

    pub(crate) fn has_overflowed(&mut self, total: u32) {
        self.counts.overflowed = self.counts.overflowed.max(total.into());
    }

    pub(crate) const fn counts(&self) -> Counts {
        self.counts
    }

    /// How long each packet was held, in the order they went out; the oldest are forgotten.
    pub(crate) fn held(&self) -> Vec<Held> {
        self.held.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impairment::Loss;

    const UNICAST: u8 = 0x02;
    const GROUP: u8 = 0x33;

    fn frame(first: u8, number: u8) -> Vec<u8> {
        let mut octets = vec![0; OFFLOAD_OCTETS];
        octets.extend([first, number]);
        octets
    }

    fn delayed(delay_ns: u64) -> Impairment {
        Impairment { delay: Duration::from_nanos(delay_ns), ..Impairment::default() }
    }

    /// Numbers of the frames that leave at a time.
    fn leave(lane: &mut Lane, now_ns: u64) -> Vec<u8> {
        let mut left = Vec::new();
        while let Some(outgoing) = lane.take_due(now_ns) {
            left.push(outgoing.octets[OFFLOAD_OCTETS + 1]);
            lane.has_gone_out(&outgoing, [now_ns, now_ns + 7], true);
        }
        left
    }

    #[test]
    fn a_packet_leaves_when_its_time_has_come() {
        let mut lane = Lane::new(delayed(100));
        lane.enter(&frame(UNICAST, 1), 1000);
        assert_eq!(lane.next_due_ns(), Some(1100));
        assert_eq!(leave(&mut lane, 1099), [0; 0]);
        assert_eq!(leave(&mut lane, 1130), [1]);
        let [until_let_go, until_taken] = [130, 137].map(Duration::from_nanos);
        assert_eq!(lane.held(), [Held { until_let_go, until_taken, arrived_ns: 1000 }]);
    }

    #[test]
    fn a_smaller_delay_lets_nobody_overtake() {
        let mut lane = Lane::new(delayed(100));
        lane.enter(&frame(UNICAST, 1), 1000);
        lane.impair(delayed(10));
        lane.enter(&frame(UNICAST, 2), 1001);
        assert_eq!(leave(&mut lane, 1099), [0; 0]);
        assert_eq!(leave(&mut lane, 1100), [1, 2]);
    }

    #[test]
    fn what_goes_to_a_group_is_left_alone() {
        let loss = Loss::Every(1);
        let mut lane = Lane::new(Impairment { loss, ..delayed(100) });
        lane.enter(&frame(GROUP, 1), 1000);
        lane.enter(&frame(UNICAST, 2), 1000);
        assert_eq!(leave(&mut lane, 1000), [1]);
        let counts = Counts { seen: 1, lost: 1, group: 1, ..Counts::default() };
        assert_eq!(lane.counts(), counts);
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut lane = Lane::new(delayed(100));
        for _ in 0..QUEUE + 5 {
            lane.enter(&frame(UNICAST, 1), 1000);
        }
        assert_eq!(lane.counts().dropped, 5);
        assert_eq!(leave(&mut lane, 1100).len(), QUEUE);
    }
}
