//! Plain numbers for whoever observes a Session-Reflector.

use super::drop_reason::DropReason;
use super::loops::LoopRule;
use crate::tlv::TlvCounts;

/// What a Session-Reflector has done so far, and what it holds now.
///
/// Every probe received is answered or dropped, once. Take it when the replies of a batch have been
/// sent or given back: then no count ever falls.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReflectorSnapshot {
    /// Datagrams handed in.
    pub received: u64,
    /// Replies handed out.
    pub answered: u64,
    /// Probes without reply, and replies that could not be sent; see [`Self::drops`].
    pub dropped: [u64; DropReason::COUNT],
    /// Of those dropped for [`DropReason::Loop`], by [`LoopRule::index`].
    pub loops: [u64; LoopRule::COUNT],
    /// Replies whose Session-Sender TTL is 255 because the platform did not tell.
    pub synthetic_hop_limit: u64,
    /// Probes answered although the Multiplier of their Error Estimate is zero (RFC 4656 §4.1.2).
    pub zero_multiplier: u64,
    /// Probes answered that were shorter than the reply.
    pub short_answered: u64,
    /// Probes answered although their source was over its limit, so that whoever forges an address
    /// cannot silence it.
    pub leaked: u64,
    /// Further replies to probes that wanted several; not among those answered.
    pub further: u64,
    /// TLVs answered.
    pub tlv: TlvCounts,
    /// Sessions that went on from another port.
    pub rebindings: u64,
    /// Sessions whose Session-Sender began again.
    pub sender_restarts: u64,
    /// Sessions forgotten because they were silent.
    pub sessions_expired: u64,
    /// Sessions that had sent one probe and made room for a new one.
    pub sessions_evicted: u64,
    /// Probes of one-way sessions for which there was no room.
    pub one_way_untracked: u64,
    /// Events nobody asked for in time.
    pub events_lost: u64,
    /// Sessions held.
    pub sessions: usize,
    /// Sessions that can be held; 0 when stateless.
    pub session_limit: usize,
    /// No session begins at present.
    pub is_draining: bool,
    /// Memory the sessions take, in octets.
    pub session_octets: usize,
}

/// What became of probes; each is answered or dropped, once.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ProbeCounts {
    /// [`ReflectorSnapshot::received`].
    pub received: u64,
    /// [`ReflectorSnapshot::answered`].
    pub answered: u64,
    /// [`ReflectorSnapshot::dropped`].
    pub dropped: [u64; DropReason::COUNT],
}

impl ProbeCounts {
    /// Replies that were sent.
    #[must_use]
    pub fn reflected(&self) -> u64 {
        self.answered.saturating_sub(self.drops(DropReason::SendError))
    }

    /// Probes dropped for one reason.
    #[must_use]
    pub fn drops(&self, reason: DropReason) -> u64 {
        self.dropped.get(reason.index()).copied().unwrap_or(0)
    }

    /// Both added up.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            received: self.received.saturating_add(other.received),
            answered: self.answered.saturating_add(other.answered),
            dropped: each(&self.dropped, &other.dropped, u64::saturating_add),
        }
    }

    /// What has come since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            received: self.received.saturating_sub(before.received),
            answered: self.answered.saturating_sub(before.answered),
            dropped: each(&self.dropped, &before.dropped, u64::saturating_sub),
        }
    }
}

impl ReflectorSnapshot {
    /// What became of probes.
    #[must_use]
    pub const fn probes(&self) -> ProbeCounts {
        ProbeCounts { received: self.received, answered: self.answered, dropped: self.dropped }
    }

    /// Replies that were sent.
    #[must_use]
    pub fn reflected(&self) -> u64 {
        self.probes().reflected()
    }

    /// Probes dropped for one reason.
    #[must_use]
    pub fn drops(&self, reason: DropReason) -> u64 {
        self.probes().drops(reason)
    }

    /// Probes dropped for any reason, replies that could not be sent included.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Probes dropped by one of the rules against loops.
    #[must_use]
    pub fn loops_broken(&self, rule: LoopRule) -> u64 {
        self.loops.get(rule.index()).copied().unwrap_or(0)
    }

    /// The counts of two engines added up: workers that share a port are one reflector.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let sum = u64::saturating_add;
        Self {
            received: sum(self.received, other.received),
            answered: sum(self.answered, other.answered),
            dropped: each(&self.dropped, &other.dropped, sum),
            loops: each(&self.loops, &other.loops, sum),
            synthetic_hop_limit: sum(self.synthetic_hop_limit, other.synthetic_hop_limit),
            zero_multiplier: sum(self.zero_multiplier, other.zero_multiplier),
            short_answered: sum(self.short_answered, other.short_answered),
            leaked: sum(self.leaked, other.leaked),
            further: self.further.saturating_add(other.further),
            tlv: {
                let mut tlv = self.tlv;
                tlv.add(other.tlv);
                tlv
            },
            rebindings: sum(self.rebindings, other.rebindings),
            sender_restarts: sum(self.sender_restarts, other.sender_restarts),
            sessions_expired: sum(self.sessions_expired, other.sessions_expired),
            sessions_evicted: sum(self.sessions_evicted, other.sessions_evicted),
            one_way_untracked: sum(self.one_way_untracked, other.one_way_untracked),
            events_lost: sum(self.events_lost, other.events_lost),
            sessions: self.sessions.saturating_add(other.sessions),
            session_limit: self.session_limit.saturating_add(other.session_limit),
            is_draining: self.is_draining || other.is_draining,
            session_octets: self.session_octets.saturating_add(other.session_octets),
        }
    }
}

fn each<const N: usize>(one: &[u64; N], other: &[u64; N], join: fn(u64, u64) -> u64) -> [u64; N] {
    let mut joined = *one;
    for (joined, other) in joined.iter_mut().zip(other) {
        *joined = join(*joined, *other);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_add_up() {
        let mut one = ReflectorSnapshot { received: 3, sessions: 1, ..Default::default() };
        one.dropped[DropReason::Loop.index()] = 2;
        one.tlv.unrecognized = 4;
        let sum = one.plus(&one);
        assert_eq!((sum.received, sum.sessions, sum.drops(DropReason::Loop)), (6, 2, 4));
        assert_eq!(sum.tlv.unrecognized, 8);
        assert_eq!(sum.probes(), one.probes().plus(&one.probes()));
        assert_eq!(sum.probes().since(&one.probes()), one.probes());
        assert_eq!(one.plus(&ReflectorSnapshot::default()), one);
    }
}
