//! The worker of a node that writes timestamps and forwards.
//!
//! What is done to a packet is decided by one core; how packets reach it and leave is a shell's
//! business. `packet` reads and sends frames and can do everything; `tc` has the kernel do it, where
//! that can. One at the earliest hook of a driver (`xdp`) would stand beside them.

mod packet;
mod shell;
mod tc;

use std::net::IpAddr;

use stamp_proto::sr::mpls::Label;
use stamp_session::forwarding::{
    Forwarder, ForwardingConfig, ForwardingSnapshot, Place, SidForm, TimestampRule, Trigger,
};

use crate::error::WorkerError;
use crate::roll_call::RollCall;
use packet::PacketAsker;
use shell::Running;

pub use shell::{Shell, ShellWish};
pub use tc::TcRefusal;

/// What a node is to do, with interfaces by name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ForwarderSetup {
    /// Timestamp labels and SIDs.
    pub timestamps: Vec<TimestampSetup>,
    /// Other labels.
    pub labels: Vec<LabelSetup>,
    /// Take T2 from the network card where it offers it.
    pub hardware_stamps: bool,
    /// How packets reach it and leave.
    pub shell: ShellWish,
}

/// A timestamp label or SID.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TimestampSetup {
    /// What a packet carries.
    pub trigger: Trigger,
    /// Interfaces it is accepted on.
    pub interfaces: Vec<String>,
    /// Where and how T2 is written.
    pub place: Place,
    /// UDP ports of test packets; none for all.
    pub ports: Vec<u16>,
    /// Packets per second; none for no limit.
    pub rate_limit: Option<u32>,
}

/// Another label.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LabelSetup {
    /// The label.
    pub label: Label,
    /// Interfaces it is accepted on.
    pub interfaces: Vec<String>,
    /// Labels that take its place, top first; none to take it off.
    pub replaced_by: Vec<Label>,
    /// Who gets the packet; none when it is acted on here.
    pub next_hop: Option<NextHopSetup>,
}

/// A next hop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NextHopSetup {
    /// Interface that leads there; none to ask the routing table.
    pub interface: Option<String>,
    /// Its address.
    pub address: IpAddr,
}

/// Why a node cannot run as it was set up.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Debug, thiserror::Error)]
pub enum ForwarderRefusal {
    #[error(
        "the kernel forwards labelled packets of interface {interface:?} by itself ({setting} is \
         not 0): a second, unstamped packet would leave"
    )]
    KernelForwardsLabels { interface: String, setting: String, remedy: String },
    #[error("packets to {sid} would be answered by the kernel as well: {source}")]
    KernelActsOnSid { sid: String, source: stamp_net::NetError, remedy: String },
    #[error("label {label} is to be replaced, but no next hop gets the packet")]
    NoNextHop { label: Label },
    #[error("shell tc cannot do it: {0}")]
    Tc(TcRefusal),
}

impl ForwarderRefusal {
    /// The line that an operator can run to mend it, if one does.
    #[must_use]
    pub fn remedy(&self) -> Option<&str> {
        match self {
            Self::KernelForwardsLabels { remedy, .. } | Self::KernelActsOnSid { remedy, .. } => {
                Some(remedy)
            }
            Self::Tc(refusal) => refusal.remedy(),
            Self::NoNextHop { .. } => None,
        }
    }
}

/// A running node.
///
/// Dropping it ends it and takes away what it told the kernel.
#[derive(Debug)]
pub struct ForwarderWorker {
    setup: ForwarderSetup,
    running: Running,
}

impl ForwarderWorker {
    /// Starts a node.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Forwarder`] when the kernel would act on the same packets, or the shell that
    /// was asked for cannot do what is configured; the capability that is missing, the interface
    /// that does not exist, or another refusal of the system.
    pub fn start(setup: ForwarderSetup) -> Result<Self, WorkerError> {
        judge(&setup)?;
        let running = Running::start(&setup)?;
        Ok(Self { setup, running })
    }

    /// Goes on with another set-up; what stays keeps its counters, and loses no packet unless it
    /// takes another shell.
    ///
    /// # Errors
    ///
    /// As [`Self::start`]; then nothing has changed.
    pub fn reconfigure(&mut self, setup: ForwarderSetup) -> Result<(), WorkerError> {
        judge(&setup)?;
        self.running.reconfigure(&self.setup, &setup)?;
        self.setup = setup;
        Ok(())
    }

    /// What it was set up to do.
    #[must_use]
    pub const fn setup(&self) -> &ForwarderSetup {
        &self.setup
    }

    /// The shell in use.
    #[must_use]
    pub const fn shell(&self) -> Shell {
        self.running.shell()
    }

    /// Why a faster shell was not taken, where it was free to choose.
    #[must_use]
    pub const fn passed_over(&self) -> Option<&WorkerError> {
        self.running.passed_over()
    }

    /// What was done so far; nothing when its thread has ended.
    #[must_use]
    pub fn snapshot(&self) -> ForwardingSnapshot {
        self.running.snapshot()
    }

    /// The same, and [`Self::queue_drops`]; `None` when its thread does not answer for two seconds.
    #[must_use]
    pub fn counted(&self) -> Option<(ForwardingSnapshot, u64)> {
        self.running.counted()
    }

    /// Asks its thread from another one.
    #[must_use]
    pub fn asker(&self) -> ForwarderAsker {
        ForwarderAsker(self.running.asker())
    }

    /// Frames that found no room in a ring: the worker did not keep up.
    #[must_use]
    pub fn queue_drops(&self) -> u64 {
        self.running.queue_drops()
    }

    /// Stops it and returns its counters.
    #[must_use]
    pub fn stop(self) -> ForwardingSnapshot {
        self.running.stop()
    }
}

/// Asks the packet thread of a node, if its shell has one.
#[derive(Clone, Debug, Default)]
pub struct ForwarderAsker(Option<PacketAsker>);

impl ForwarderAsker {
    /// Asks whether it is there.
    #[must_use]
    pub fn call_roll(&self) -> RollCall {
        let mut roll = RollCall::default();
        self.0.iter().for_each(|asker| asker.call(&mut roll));
        roll
    }
}

/// Contradictions, whatever the shell.
fn judge(setup: &ForwarderSetup) -> Result<(), WorkerError> {
    let triggers = setup.triggers();
    let rules = triggers.iter().zip(&setup.timestamps).map(|(trigger, entry)| TimestampRule {
        trigger: *trigger,
        interfaces: Vec::new(),
        place: entry.place,
        ports: Vec::new(),
        rate_limit: None,
    });
    let config = ForwardingConfig { timestamps: rules.collect(), labels: Vec::new() };
    Forwarder::new(config)?;
    Ok(())
}

impl ForwarderSetup {
    /// Every interface that anything is accepted on, once.
    #[must_use]
    pub fn interfaces(&self) -> Vec<String> {
        let stamped = self.timestamps.iter().flat_map(|entry| &entry.interfaces);
        let labels = self.labels.iter().flat_map(|entry| &entry.interfaces);
        let mut names: Vec<String> = stamped.chain(labels).cloned().collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn triggers(&self) -> Vec<Trigger> {
        self.timestamps.iter().map(|entry| entry.trigger).collect()
    }

    fn sids(&self) -> impl Iterator<Item = &SidForm> {
        self.timestamps.iter().filter_map(|entry| match &entry.trigger {
            Trigger::Sid(sid) => Some(sid),
            Trigger::Extended(_) | Trigger::Label(_) => None,
        })
    }
}
