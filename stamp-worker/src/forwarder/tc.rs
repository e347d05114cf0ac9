//! The shell that puts a program at the ingress of interfaces: the kernel itself stamps and
//! forwards, and nothing of a packet is copied.
//!
//! It can do SIDs, and labels that the kernel's own MPLS takes off. [`Refusal`](refusal::TcRefusal)
//! names what it cannot. Nothing is put into the routing tables: the program takes a packet to its
//! next segment, and asks the kernel for the route of that. What it hangs on an interface goes with
//! this process, however that ends, on Linux 6.6 and later.

mod offset;
mod refusal;
mod rules;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stamp_net::tc::{DropReason as Dropped, Handling as Handled, Stamper, TcCounts};
use stamp_session::forwarding::{
    DropReason, Fate, ForwardingSnapshot, Handling, Trigger, UnstampedReason,
};

use super::ForwarderSetup;
use crate::error::WorkerError;
use offset::OffsetKeeper;

pub use refusal::TcRefusal;

/// A program with its rules in the kernel that hangs nowhere yet.
#[derive(Debug)]
pub(super) struct Prepared {
    stamper: Stamper,
    triggers: Vec<Trigger>,
    interfaces: Vec<String>,
}

impl Prepared {
    /// Sees to everything that can be refused.
    pub(super) fn new(setup: &ForwarderSetup) -> Result<Self, WorkerError> {
        refusal::refuse(setup)?;
        Ok(Self {
            stamper: Stamper::load(&rules::of(setup)?)?,
            triggers: setup.triggers(),
            interfaces: setup.interfaces(),
        })
    }
}

/// A program that packets pass; dropping it takes it away.
#[derive(Debug)]
pub(super) struct TcShell {
    // Before what it holds a share of, so that the last share goes on this thread.
    _keeper: OffsetKeeper,
    stamper: Arc<Mutex<Stamper>>,
    triggers: Vec<Trigger>,
}

impl TcShell {
    pub(super) fn start(prepared: Prepared) -> Result<Self, WorkerError> {
        let Prepared { mut stamper, triggers, interfaces } = prepared;
        stamper.attach(&names(&interfaces))?;
        let stamper = Arc::new(Mutex::new(stamper));
        Ok(Self { _keeper: OffsetKeeper::start(&stamper)?, stamper, triggers })
    }

    /// Goes on with other rules, and tells what the program of before counted.
    pub(super) fn reconfigure(
        &mut self,
        prepared: Prepared,
    ) -> Result<ForwardingSnapshot, WorkerError> {
        let Prepared { stamper: mut new, triggers, interfaces } = prepared;
        let mut stamper = lock(&self.stamper);
        new.succeed(&mut stamper, &names(&interfaces))?;
        let counted = snapshot(&stamper, &self.triggers);
        *stamper = new;
        self.triggers = triggers;
        Ok(counted)
    }

    /// Takes the program away, then tells what it counted.
    pub(super) fn stop(self) -> ForwardingSnapshot {
        let mut stamper = lock(&self.stamper);
        stamper.detach();
        snapshot(&stamper, &self.triggers)
    }

    pub(super) fn snapshot(&self) -> ForwardingSnapshot {
        snapshot(&lock(&self.stamper), &self.triggers)
    }
}

fn names(interfaces: &[String]) -> Vec<&str> {
    interfaces.iter().map(String::as_str).collect()
}

/// Whoever panicked with it left it as it was: each change of it is one system call.
fn lock(stamper: &Mutex<Stamper>) -> MutexGuard<'_, Stamper> {
    stamper.lock().unwrap_or_else(PoisonError::into_inner)
}

fn snapshot(stamper: &Stamper, triggers: &[Trigger]) -> ForwardingSnapshot {
    // Maps of our own can be read unless a sandbox forbids it; then nothing is told.
    let counts = stamper.counts().unwrap_or_default();
    told(&counts, triggers.len())
}

/// What the program counted, in the words of the core.
fn told(counts: &TcCounts, rules: usize) -> ForwardingSnapshot {
    let mut snapshot = ForwardingSnapshot::of_rules(rules);
    for reason in Dropped::ALL {
        snapshot.add_dropped(drop_reason(reason), counts.dropped(reason));
    }
    for rule in 0..rules {
        for handled in Handled::ALL {
            let fate = Fate { rule: Some(rule), handling: handling(handled) };
            snapshot.add_sent(fate, counts.handled(rule, handled));
        }
    }
    snapshot
}

const fn drop_reason(reason: Dropped) -> DropReason {
    match reason {
        Dropped::Malformed => DropReason::Malformed,
        Dropped::Interface => DropReason::Interface,
        Dropped::SecondTimestamp => DropReason::SecondTimestamp,
        Dropped::HopLimit => DropReason::HopLimit,
        Dropped::UpperLayer => DropReason::UpperLayer,
        Dropped::Destination => DropReason::Destination,
        Dropped::RateLimited => DropReason::RateLimited,
        Dropped::NoRoute => DropReason::NoRoute,
        Dropped::TooBig => DropReason::TooBig,
        Dropped::SendError => DropReason::SendError,
    }
}

const fn handling(handled: Handled) -> Handling {
    match handled {
        Handled::Stamped => Handling::Stamped,
        Handled::Fragment => Handling::Unstamped(UnstampedReason::Fragment),
        Handled::NotUdp => Handling::Unstamped(UnstampedReason::NotUdp),
        Handled::Unreadable => Handling::Unstamped(UnstampedReason::Unreadable),
        Handled::ForeignPort => Handling::Unstamped(UnstampedReason::ForeignPort),
        Handled::TooShort => Handling::Unstamped(UnstampedReason::TooShort),
    }
}
