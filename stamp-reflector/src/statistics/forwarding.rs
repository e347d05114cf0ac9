//! What the node that writes timestamps and forwards did.

use core::fmt;

use stamp_session::forwarding::{DropReason, UnstampedReason};

use crate::node::NodeStatistics;

impl NodeStatistics {
    /// As log events.
    pub(super) fn log(&self) {
        let counters = &self.counters;
        tracing::info!(
            shell = %self.shell,
            stamped = counters.stamped(),
            unstamped = self.unstamped().map(|(_, count)| count).sum::<u64>(),
            switched = counters.switched,
            dropped = self.dropped().map(|(_, count)| count).sum::<u64>(),
            queue_drops = self.queue_drops,
            "forwarded"
        );
        for (name, rule) in self.names.iter().zip(&counters.rules) {
            let (stamped, unstamped) = (rule.stamped, rule.unstamped);
            tracing::info!(stamped, unstamped, "forwarded for {name}");
        }
        for (reason, count) in self.unstamped() {
            tracing::info!(%reason, count, hint = unstamped_hint(reason), "forwarded without T2");
        }
        for (reason, count) in self.dropped() {
            tracing::info!(%reason, count, hint = drop_hint(reason), "not forwarded");
        }
    }

    fn unstamped(&self) -> impl Iterator<Item = (UnstampedReason, u64)> {
        let counted = |reason| (reason, self.counters.unstamped(reason));
        UnstampedReason::ALL.into_iter().map(counted).filter(|(_, count)| *count > 0)
    }

    fn dropped(&self) -> impl Iterator<Item = (DropReason, u64)> {
        let counted = |reason| (reason, self.counters.dropped(reason));
        DropReason::ALL.into_iter().map(counted).filter(|(_, count)| *count > 0)
    }
}

impl fmt::Display for NodeStatistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stamped, shell) = (self.counters.stamped(), self.shell);
        writeln!(f, "  stamped       {stamped:>12}  forwarded with T2 by shell {shell}")?;
        for (name, rule) in self.names.iter().zip(&self.counters.rules) {
            writeln!(f, "    {name}: {} with T2, {} without", rule.stamped, rule.unstamped)?;
        }
        for (reason, count) in self.unstamped() {
            writeln!(f, "  unstamped     {count:>12}  {reason}: {}", unstamped_hint(reason))?;
        }
        if self.counters.switched > 0 {
            writeln!(f, "  switched      {:>12}  no T2 was asked for", self.counters.switched)?;
        }
        for (reason, count) in self.dropped() {
            writeln!(f, "  not forwarded {count:>12}  {reason}: {}", drop_hint(reason))?;
        }
        if self.queue_drops > 0 {
            let drops = self.queue_drops;
            writeln!(f, "  never seen    {drops:>12}  no room in a ring of this host")?;
        }
        Ok(())
    }
}

/// What stood in the place of a test packet.
const fn unstamped_hint(reason: UnstampedReason) -> &'static str {
    match reason {
        UnstampedReason::Fragment => "a piece of a packet: probes must fit into every link",
        UnstampedReason::NotUdp => "something else than a test packet takes this way",
        UnstampedReason::Unreadable => "no IP packet below the labels, or a broken one",
        UnstampedReason::ForeignPort => "not one of ports",
        UnstampedReason::TooShort => "the payload ends before T2: offset, or authenticated",
    }
}

/// What to do about it.
const fn drop_hint(reason: DropReason) -> &'static str {
    match reason {
        DropReason::Truncated => "longer than a frame may be here",
        DropReason::Malformed => "broken headers",
        DropReason::UnknownLabel => "neither a [[timestamp]] nor a [[forward]]",
        DropReason::UnknownExtendedLabel => "no [[timestamp]] with this extended label",
        DropReason::ReservedLabel => "a special-purpose label that has no business here",
        DropReason::Interface => "on an interface that is not one of its interfaces",
        DropReason::SecondTimestamp => "two timestamp labels of this node in one packet",
        DropReason::HopLimit => "TTL or hop limit ends here: probes begin with 255",
        DropReason::UpperLayer => "this SID was the last segment and no packet was inside",
        DropReason::Destination => "to an address that no router forwards to",
        DropReason::RateLimited => "more than rate-limit",
        DropReason::UnfinishedChecksum => "a checksum was left to a card that never came",
        DropReason::NoRoute => "no route leads on, or only back to this host",
        DropReason::NoNeighbour => "the next hop does not answer on its link",
        DropReason::TooBig => "larger than the MTU of the link it leaves through",
        DropReason::SendError => "the kernel refused to send it",
    }
}
