//! From names to sockets, and everything that is seen to before a packet is touched.

use stamp_net::route::Blackhole;
use stamp_net::sysctl::Sysctl;
use stamp_net::{EtherType, FrameFilter, FrameOptions, FrameSocket, NetError, interface};
use stamp_session::clock::MonotonicTime;
use stamp_session::forwarding::{
    Action, AdjacencyId, Forwarder, ForwardingConfig, LabelRule, TimestampRule, Trigger,
};

use super::vrfs::Vrfs;
use super::ways::Ways;
use crate::error::WorkerError;
use crate::forwarder::{ForwarderRefusal, ForwarderSetup, LabelSetup, NextHopSetup};

/// What the thread needs to act on a set-up.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) config: ForwardingConfig,
    /// Next hops, in the order of [`AdjacencyId`].
    pub(super) next_hops: Vec<NextHopSetup>,
    /// What is let in on each interface.
    pub(super) filters: Vec<(u32, FrameFilter)>,
    /// The VRFs that packets are in.
    pub(super) vrfs: Vrfs,
    /// Rings of interfaces that had none.
    pub(super) rings: Vec<FrameSocket>,
    /// Routes of SIDs that had none.
    pub(super) blackholes: Vec<Blackhole>,
}

impl Prepared {
    /// Opens a ring on each interface whose number is not in `open` yet, and takes from the kernel what it should not act on.
    pub(super) fn new(
        setup: &ForwarderSetup,
        open: &[u32],
        blackholes: &[Blackhole],
    ) -> Result<Self, WorkerError> {
        let (config, next_hops) = config(setup)?;
        // Judged here, so that a mistake changes nothing.
        Forwarder::new(config.clone())?;
        let mut this = Self {
            config,
            next_hops,
            filters: Vec::new(),
            vrfs: Vrfs::look()?,
            rings: Vec::new(),
            blackholes: Vec::new(),
        };
        for name in setup.interfaces() {
            let filter = filter(setup, &name);
            if setup.reads_labels(&name) {
                refuse_label_forwarding(&name)?;
            }
            let number = interface::index_of(&name)?;
            // One that was deleted and made anew has another number, and its old ring is dead.
            if !open.contains(&number) {
                let mut options = FrameOptions::new(&name, filter.clone());
                options.hardware_stamps = setup.hardware_stamps;
                this.rings.push(FrameSocket::open(&options)?);
            }
            this.filters.push((number, filter));
        }
        for sid in setup.sids() {
            let (prefix, bits) = (sid.prefix(), sid.bits());
            if blackholes.iter().all(|blackhole| blackhole.prefix() != (prefix, bits)) {
                let blackhole = Blackhole::ensure(prefix, bits).map_err(|source| {
                    let remedy = match source {
                        NetError::NotBlackholed { .. } => {
                            format!("sudo ip -6 route del {prefix}/{bits}")
                        }
                        _ => Blackhole::mending_line(prefix, bits),
                    };
                    let sid = format!("{prefix}/{bits}");
                    ForwarderRefusal::KernelActsOnSid { sid, source, remedy }
                })?;
                this.blackholes.push(blackhole);
            }
        }
        Ok(this)
    }

    /// Ways to all next hops.
    pub(super) fn ways(&mut self, now: MonotonicTime) -> Ways {
        Ways::new(std::mem::take(&mut self.next_hops), &self.config.labels, &self.vrfs, now)
    }

    /// Numbers of all interfaces that have a ring then.
    pub(super) fn interfaces(&self) -> Vec<u32> {
        self.filters.iter().map(|(interface, _)| *interface).collect()
    }
}

impl ForwarderSetup {
    fn reads_labels(&self, interface: &String) -> bool {
        let is_label = |trigger| !matches!(trigger, Trigger::Sid(_));
        self.labels.iter().any(|entry| entry.interfaces.contains(interface))
            || self
                .timestamps
                .iter()
                .any(|entry| is_label(entry.trigger) && entry.interfaces.contains(interface))
    }
}

/// The kernel's own label forwarding on an interface would forward the same packets.
fn refuse_label_forwarding(interface: &str) -> Result<(), WorkerError> {
    let setting = Sysctl::mpls_interface(interface, "input");
    // A setting that cannot be read is not there, as in most kernels.
    if setting.read().ok().flatten().unwrap_or(0) == 0 {
        return Ok(());
    }
    let (interface, remedy) = (interface.to_owned(), setting.mending_line(0));
    let setting = setting.to_string();
    Err(ForwarderRefusal::KernelForwardsLabels { interface, setting, remedy }.into())
}

fn filter(setup: &ForwarderSetup, interface: &String) -> FrameFilter {
    let mut filter = FrameFilter::nothing();
    if setup.reads_labels(interface) {
        filter = filter.and_type(EtherType::MPLS);
    }
    // On every interface: where a SID is not accepted, the packet is counted.
    setup.sids().fold(filter, |filter, sid| filter.and_destinations(sid.prefix(), sid.bits()))
}

fn config(setup: &ForwarderSetup) -> Result<(ForwardingConfig, Vec<NextHopSetup>), WorkerError> {
    let numbers = |names: &[String]| -> Result<Vec<u32>, NetError> {
        names.iter().map(|name| interface::index_of(name)).collect()
    };
    let mut config = ForwardingConfig::default();
    for entry in &setup.timestamps {
        config.timestamps.push(TimestampRule {
            trigger: entry.trigger,
            interfaces: numbers(&entry.interfaces)?,
            place: entry.place,
            ports: entry.ports.clone(),
            rate_limit: entry.rate_limit,
        });
    }
    let mut next_hops = Vec::new();
    for entry in &setup.labels {
        let action = action(entry, &mut next_hops)?;
        let interfaces = numbers(&entry.interfaces)?;
        config.labels.push(LabelRule { label: entry.label, interfaces, action });
    }
    Ok((config, next_hops))
}

fn action(
    entry: &LabelSetup,
    next_hops: &mut Vec<NextHopSetup>,
) -> Result<Action, ForwarderRefusal> {
    let Some(next_hop) = &entry.next_hop else {
        return match entry.replaced_by.is_empty() {
            true => Ok(Action::PopHere),
            false => Err(ForwarderRefusal::NoNextHop { label: entry.label }),
        };
    };
    let adjacency = AdjacencyId(next_hops.len());
    next_hops.push(next_hop.clone());
    Ok(match entry.replaced_by.is_empty() {
        true => Action::Pop(adjacency),
        false => Action::Replace(entry.replaced_by.clone(), adjacency),
    })
}
