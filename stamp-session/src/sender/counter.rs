//! Where a reply stands in the count of a stateful Session-Reflector (RFC 8762 §4.3).

use stamp_proto::time::WallTime;

use super::serial;

/// Follows the Sequence Numbers of replies as they arrive.
#[derive(Debug, Default)]
pub(super) struct Counter {
    /// The reply to the latest probe answered.
    top: Option<Numbered>,
    highest: u32,
    incarnation: u8,
    /// Most sessions never see one.
    restart: Option<Box<Restart>>,
}

/// The two replies between which the count began anew.
#[derive(Clone, Copy, Debug)]
struct Restart {
    before: Numbered,
    after: Numbered,
}

/// One reply, as far as the count is concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbered {
    pub(super) sequence: u32,
    pub(super) reflector_sequence: u32,
    pub(super) reply_sent: WallTime,
}

/// Where it stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Place {
    /// Restarts before it, modulo 256.
    pub(super) incarnation: u8,
    /// It is the first one that shows a restart.
    pub(super) restarted: bool,
    /// The reply to a later probe arrived before.
    pub(super) probe_overtaken: bool,
    /// A reply with a higher number arrived before.
    pub(super) reply_overtaken: bool,
}

impl Counter {
    /// Restarts so far, modulo 256.
    pub(super) const fn incarnation(&self) -> u8 {
        self.incarnation
    }

    /// Places a reply; no two probes that are `reach` numbers apart can overtake each other.
    pub(super) fn place(&mut self, reply: Numbered, reach: u32) -> Place {
        let Some(top) = self.top else {
            self.top = Some(reply);
            self.highest = reply.reflector_sequence;
            return Place::default();
        };
        if self.restart.as_deref().is_some_and(|restart| restart.precedes(reply, reach)) {
            return Place {
                incarnation: self.incarnation.wrapping_sub(1),
                restarted: false,
                probe_overtaken: serial::is_after(top.sequence, reply.sequence),
                reply_overtaken: true,
            };
        }
        let is_latest = serial::is_after(reply.sequence, top.sequence);
        let restarted = is_latest && Self::fell(top, reply, reach);
        let is_highest = restarted || serial::is_after(reply.reflector_sequence, self.highest);
        if restarted {
            self.incarnation = self.incarnation.wrapping_add(1);
            self.restart = Some(Box::new(Restart { before: top, after: reply }));
        }
        if is_highest {
            self.highest = reply.reflector_sequence;
        }
        if is_latest {
            self.top = Some(reply);
        }
        Place {
            incarnation: self.incarnation,
            restarted,
            probe_overtaken: !is_latest,
            reply_overtaken: !is_highest,
        }
    }

    /// A later probe has a number that is not higher, although it was answered later: a count
    /// begun anew. Answered earlier, it has only overtaken the other on the way out.
    fn fell(top: Numbered, reply: Numbered, reach: u32) -> bool {
        let step = serial::distance(top.reflector_sequence, reply.reflector_sequence);
        let too_far = step.unsigned_abs() > u64::from(reach);
        step <= 0 && (reply.reply_sent > top.reply_sent || too_far)
    }
}

impl Restart {
    /// A straggler that was numbered in the count before: it was answered earlier, and its number
    /// goes better with that count than with the new one.
    ///
    /// Long after a restart, a time that is earlier is a clock that was set.
    fn precedes(&self, reply: Numbered, reach: u32) -> bool {
        let since = serial::distance(self.after.sequence, reply.sequence);
        since < i64::from(reach)
            && reply.reply_sent < self.after.reply_sent
            && reply.strays_from(self.before) < reply.strays_from(self.after)
    }
}

impl Numbered {
    /// How many more numbers than probes lie between this reply and another of one count, or fewer.
    const fn strays_from(self, other: Self) -> u64 {
        let numbers = serial::distance(other.reflector_sequence, self.reflector_sequence);
        let probes = serial::distance(other.sequence, self.sequence);
        numbers.abs_diff(probes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Replies as (probe, number, T3).
    fn places(replies: &[(u32, u32, i64)]) -> Vec<Place> {
        let mut counter = Counter::default();
        let place = |&(sequence, reflector_sequence, at): &(u32, u32, i64)| {
            let reply_sent = WallTime::from_unix_ns(at);
            let numbered = Numbered { sequence, reflector_sequence, reply_sent };
            counter.place(numbered, 100)
        };
        replies.iter().map(place).collect()
    }

    #[test]
    fn gaps_are_no_restart() {
        let places = places(&[(0, 0, 0), (5, 3, 50), (6, 4, 60)]);
        assert!(places.iter().all(|place| *place == Place::default()));
    }

    #[test]
    fn a_count_that_begins_anew_is_a_restart() {
        let places = places(&[(7, 7, 70), (8, 0, 80), (9, 1, 90)]);
        assert!(places[1].restarted && !places[2].restarted);
        assert_eq!((places[0].incarnation, places[2].incarnation), (0, 1));
        assert!(!places[1].reply_overtaken);
    }

    #[test]
    fn a_count_of_one_that_begins_anew_is_a_restart_too() {
        assert!(places(&[(0, 0, 0), (1, 0, 10)])[1].restarted);
    }

    #[test]
    fn probes_that_swapped_on_the_way_out_are_no_restart() {
        // Probe 2 was answered before probe 1; the replies came back the other way round.
        let places = places(&[(0, 0, 0), (1, 2, 21), (2, 1, 20)]);
        assert!(places.iter().all(|place| !place.restarted));
        assert!(places[2].reply_overtaken && !places[2].probe_overtaken);
    }

    #[test]
    fn replies_that_swapped_on_the_way_back_are_both_overtaken() {
        let places = places(&[(0, 0, 0), (2, 2, 20), (1, 1, 10)]);
        assert!(places[2].probe_overtaken && places[2].reply_overtaken);
    }

    #[test]
    fn a_far_clock_that_steps_back_is_no_restart() {
        let places = places(&[(0, 0, 1_000), (1, 1, 10), (2, 2, 20)]);
        assert!(places.iter().all(|place| !place.restarted));
    }

    #[test]
    fn a_fall_by_more_than_can_be_overtaken_is_a_restart_whatever_the_clock() {
        assert!(places(&[(500, 500, 1_000), (501, 0, 10)])[1].restarted);
    }

    #[test]
    fn a_straggler_from_before_the_restart_is_told_by_its_time() {
        let places = places(&[(5, 5, 50), (7, 0, 70), (6, 6, 60), (8, 1, 80)]);
        assert_eq!(places.iter().map(|place| place.incarnation).collect::<Vec<_>>(), [0, 1, 0, 1]);
    }

    #[test]
    fn a_reply_of_the_new_count_that_was_overtaken_is_no_straggler() {
        let places = places(&[(5, 1_005, 50), (9, 2, 90), (8, 1, 80), (6, 1_006, 60), (7, 0, 70)]);
        let incarnations: Vec<u8> = places.iter().map(|place| place.incarnation).collect();
        assert_eq!(incarnations, [0, 1, 1, 0, 1]);
    }

    #[test]
    fn a_far_clock_set_back_long_after_a_restart_makes_no_stragglers() {
        let mut replies = vec![(5, 5, 50), (6, 0, 60)];
        replies.extend((7..200).map(|sequence| (sequence, sequence - 6, i64::from(sequence))));
        let places = places(&replies);
        assert_eq!(places[150].incarnation, 1);
        assert!(!places[150].reply_overtaken);
    }

    #[test]
    fn numbers_go_on_across_their_wrap() {
        let places = places(&[(u32::MAX, u32::MAX, 0), (0, 0, 10), (1, 1, 20)]);
        assert!(places.iter().all(|place| *place == Place::default()));
    }
}
