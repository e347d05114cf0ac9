//! One way of a wire: its rules, what is under way, and the record of what came in.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::frame::{self, Datagram};
use super::impairment::{Checksum, Effect, Plan, Rule, Which};
use super::{Counts, Moment, Record};

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Lane {
    rules: Vec<Rule>,
    counts: Counts,
    records: Vec<Record>,
    cut: Option<Moment>,
    cut_after: Option<u64>,
    /// Held back, each with the number of datagrams it still waits for.
    held: Vec<(u32, Outgoing)>,
    under_way: BinaryHeap<Reverse<Outgoing>>,
    /// Frames put under way so far: those due at once leave in the order they came.
    sequence: u64,
}

/// A frame that goes out at its time. Ordered by that.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Outgoing {
    due_ns: i64,
    sequence: u64,
    /// Which datagram it is, if it is one.
    nth: Option<u64>,
    is_copy: bool,
    pub(super) octets: Vec<u8>,
}

/// What to do with the addresses of a frame; false drops it.
pub(super) type Translate<'a> = &'a mut dyn FnMut(&mut [u8]) -> bool;

impl Lane {
    pub(super) fn add_rule(&mut self, which: Which, effect: Effect) {
        self.rules.push(Rule::new(which, effect));
    }

    pub(super) fn clear_rules(&mut self) {
        self.rules.clear();
    }

    pub(super) fn cut(&mut self) -> Moment {
        self.cut_after = None;
        *self.cut.get_or_insert_with(Moment::now)
    }

    pub(super) fn cut_after(&mut self, nth: u64) {
        self.cut_after = Some(nth);
        self.cut_if_due();
    }

    pub(super) fn mend(&mut self) -> Moment {
        self.cut = None;
        self.cut_after = None;
        Moment::now()
    }

    /// Takes in a frame that arrived at the given time (CLOCK_REALTIME). Returns the position of
    /// the datagram in it, if there is one.
    pub(super) fn enter(
        &mut self,
        mut octets: Vec<u8>,
        arrived_ns: i64,
        translate: Translate<'_>,
    ) -> Option<u64> {
        frame::finish_checksum(&mut octets);
        let nth = self.counts.seen + 1;
        let Some(datagram) = Datagram::of(&octets, nth) else {
            self.counts.other += 1;
            if self.cut.is_none() && translate(&mut octets) {
                self.put_under_way(Outgoing::new(octets, arrived_ns, None));
            }
            return None;
        };
        self.counts.seen = nth;
        self.records.push(record(&datagram, arrived_ns));
        let mut plan = Plan::default();
        for rule in &mut self.rules {
            rule.apply(&datagram, arrived_ns, &mut plan);
        }
        let due_ns = arrived_ns + i64::try_from(plan.delay.as_nanos()).unwrap_or(i64::MAX / 2);
        if plan.drop || self.cut.is_some() {
            self.counts.dropped += 1;
        } else if translate(&mut octets) {
            let translated = Datagram::of(&octets, nth).map(|d| (d.source, d.destination));
            self.record_of(nth).translated = translated;
            self.corrupt(&mut octets, &plan);
            if plan.mark {
                frame::mark(&mut octets);
            }
            self.pass(Outgoing::new(octets, due_ns, Some(nth)), &plan);
        } else {
            self.counts.untranslated += 1;
        }
        self.release_held(nth, due_ns);
        self.cut_if_due();
        Some(nth)
    }

    /// Takes in a frame of the test's own, due at once.
    pub(super) fn inject(&mut self, octets: Vec<u8>) {
        self.put_under_way(Outgoing::new(octets, 0, None));
    }

    /// The next frame whose time has come.
    pub(super) fn take_due(&mut self, now_ns: i64) -> Option<Outgoing> {
        self.next_due_ns().filter(|due_ns| *due_ns <= now_ns)?;
        self.under_way.pop().map(|Reverse(outgoing)| outgoing)
    }

    pub(super) fn has_gone_out(&mut self, outgoing: &Outgoing) {
        let Some(nth) = outgoing.nth else { return };
        self.counts.delivered += 1;
        self.counts.copies += u64::from(outgoing.is_copy);
        self.record_of(nth).delivered += 1;
    }

    pub(super) fn has_overflowed(&mut self, total: u32) {
        self.counts.overflowed = u64::from(total);
    }

    pub(super) fn next_due_ns(&self) -> Option<i64> {
        self.under_way.peek().map(|Reverse(outgoing)| outgoing.due_ns)
    }

    pub(super) const fn cut_moment(&self) -> Option<Moment> {
        self.cut
    }

    pub(super) const fn counts(&self) -> Counts {
        self.counts
    }

    pub(super) fn records(&self) -> &[Record] {
        &self.records
    }

    fn record_of(&mut self, nth: u64) -> &mut Record {
        &mut self.records[nth as usize - 1]
    }

    fn corrupt(&mut self, octets: &mut [u8], plan: &Plan) {
        let mut is_corrupted = false;
        for (octet, mask, checksum) in &plan.corruptions {
            is_corrupted |= frame::corrupt(octets, *octet, *mask);
            if *checksum == Checksum::Mended {
                frame::write_checksum(octets);
            }
        }
        self.counts.corrupted += u64::from(is_corrupted);
    }

    fn pass(&mut self, outgoing: Outgoing, plan: &Plan) {
        let copy = Outgoing { is_copy: true, ..outgoing.clone() };
        let copies = std::iter::repeat_n(copy, plan.copies as usize);
        for outgoing in std::iter::once(outgoing).chain(copies) {
            if plan.behind == 0 {
                self.put_under_way(outgoing);
            } else {
                self.held.push((plan.behind, outgoing));
            }
        }
    }

    /// Those held back that waited for the datagram that has just come in.
    fn release_held(&mut self, nth: u64, due_ns: i64) {
        for (waits_for, mut outgoing) in std::mem::take(&mut self.held) {
            if outgoing.nth == Some(nth) {
                self.held.push((waits_for, outgoing));
            } else if waits_for > 1 {
                self.held.push((waits_for - 1, outgoing));
            } else {
                outgoing.due_ns = outgoing.due_ns.max(due_ns);
                self.put_under_way(outgoing);
            }
        }
    }

    fn put_under_way(&mut self, mut outgoing: Outgoing) {
        self.sequence += 1;
        outgoing.sequence = self.sequence;
        self.under_way.push(Reverse(outgoing));
    }

    fn cut_if_due(&mut self) {
        if self.cut_after.is_some_and(|nth| self.counts.seen >= nth) {
            self.cut();
        }
    }
}

impl Outgoing {
    const fn new(octets: Vec<u8>, due_ns: i64, nth: Option<u64>) -> Self {
        Self { due_ns, sequence: 0, nth, is_copy: false, octets }
    }
}

fn record(datagram: &Datagram<'_>, arrived_wall_ns: i64) -> Record {
    let Datagram { nth, source, destination, hop_limit, traffic_class, payload } = *datagram;
    Record {
        nth,
        arrived_wall_ns,
        source,
        destination,
        hop_limit,
        traffic_class,
        translated: None,
        payload: payload.to_vec(),
        delivered: 0,
    }
}
