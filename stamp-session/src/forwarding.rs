//! A node that writes its receive timestamp into test packets and forwards them: no session, no
//! reply, nothing kept from one packet to the next.
//!
//! A sender in enhanced loopback mode puts a timestamp label, or a SID with the behaviour End.TSF,
//! into its segment list. The node that the label or SID belongs to writes T2 into the payload and
//! sends the packet on as its other segments say. Which labels, SIDs and places those are is
//! configured, for nothing was assigned.
//!
//! ```text
//!        frame, interface, stamp                                 next hop
//!  shell ───────────────────────► Forwarder::handle_packet ─────► Forward::emit ──► shell
//!                                        │ DropReason                  handle_sent / handle_unsent
//! ```
//!
//! A shell hands over each packet that came in and gets a [`Verdict`]: a [`Forward`], which writes
//! the packet as it leaves, a reason for which it is dropped, or that it is none of this node's.
//! What became of a [`Forward`] is told with its [`Fate`].

mod config;
mod count;
mod emit;
mod labels;
mod limit;
mod payload;
mod reason;
mod sids;

use stamp_proto::sr::protocol::EtherType;
use stamp_proto::time::Stamp;

use crate::clock::MonotonicTime;

pub use config::{
    Action, AdjacencyId, ForwardingConfig, ForwardingConfigError, LabelRule, Place, SidForm,
    TimestampRule, Trigger,
};
pub use count::{Fate, ForwardingSnapshot, Handling, RuleCounters};
pub use emit::{Forward, NextHop};
pub use reason::{DropReason, UnstampedReason};

use limit::Budget;

/// What is known of a packet besides its octets.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Number of the interface it came in through.
    pub interface: u32,
    /// When it came in: what is written into it.
    pub stamp: Stamp,
    /// The same, on the clock that rates are measured by.
    pub now: MonotonicTime,
    /// Its UDP checksum is finished. A packet from a sender on the same machine may hold the sum of
    /// the pseudo-header alone.
    pub checksum_ready: bool,
    /// Some of it was cut off.
    pub truncated: bool,
}

/// What is done with a packet.
#[derive(Debug)]
#[must_use]
pub enum Verdict<'a> {
    /// It goes on.
    Forward(Forward<'a>),
    /// It ends here and was counted.
    Drop(DropReason),
    /// No label and no SID of this node: somebody else's business.
    NotOurs,
}

/// Decides for each packet; holds counters and nothing else of the packets it saw.
#[derive(Debug)]
pub struct Forwarder {
    config: ForwardingConfig,
    budgets: Box<[Budget]>,
    counters: ForwardingSnapshot,
}

impl Forwarder {
    /// A node with this configuration.
    ///
    /// # Errors
    ///
    /// The first contradiction in it.
    pub fn new(config: ForwardingConfig) -> Result<Self, ForwardingConfigError> {
        config.check()?;
        let budgets = config.timestamps.iter().map(|rule| Budget::new(rule.rate_limit)).collect();
        let counters = ForwardingSnapshot::of_rules(config.timestamps.len());
        Ok(Self { config, budgets, counters })
    }

    /// Decides what happens to one packet that begins with the header `ether_type` names.
    pub fn handle_packet<'a>(
        &'a mut self,
        arrival: &Arrival,
        ether_type: EtherType,
        packet: &'a [u8],
    ) -> Verdict<'a> {
        let Self { config, budgets, counters } = self;
        let decided = match ether_type {
            EtherType::MPLS => labels::decide(config, arrival, packet).map(Some),
            EtherType::IPV6 => sids::decide(config, arrival, packet),
            _ => Ok(None),
        };
        let reason = match decided {
            Ok(None) => return Verdict::NotOurs,
            Ok(Some(forward)) => {
                let budget = forward.fate().rule.and_then(|rule| budgets.get_mut(rule));
                if budget.is_none_or(|budget| budget.take(arrival.now)) {
                    return Verdict::Forward(forward);
                }
                DropReason::RateLimited
            }
            Err(reason) => reason,
        };
        counters.add_dropped(reason, 1);
        Verdict::Drop(reason)
    }

    /// Counts a packet that left.
    pub fn handle_sent(&mut self, fate: Fate) {
        self.counters.add_sent(fate, 1);
    }

    /// Counts a packet that was to leave and did not.
    pub fn handle_unsent(&mut self, reason: DropReason) {
        self.counters.add_dropped(reason, 1);
    }

    /// Goes on with another configuration; counters of a label or SID that stays are kept.
    ///
    /// # Errors
    ///
    /// As [`Self::new`]; then nothing has changed.
    pub fn replace_config(
        &mut self,
        config: ForwardingConfig,
    ) -> Result<(), ForwardingConfigError> {
        let Self { counters, config: old, .. } = std::mem::replace(self, Self::new(config)?);
        self.counters = counters.carried(&old.triggers(), &self.config.triggers());
        Ok(())
    }

    /// What was done so far.
    #[must_use]
    pub fn snapshot(&self) -> ForwardingSnapshot {
        self.counters.clone()
    }
}

#[cfg(test)]
mod tests;
