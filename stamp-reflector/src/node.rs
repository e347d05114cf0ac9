//! The part of the reflector that answers nothing: it writes timestamps and forwards.

use stamp_net::route::Blackhole;
use stamp_session::forwarding::ForwardingSnapshot;
use stamp_worker::forwarder::{
    ForwarderAsker, ForwarderSetup, ForwarderWorker, Shell, TimestampSetup,
};

use crate::config::Config;
use crate::failure::Failure;
use crate::hardware;
use crate::own_labels;

/// The node, if there is anything for it to do.
#[derive(Debug, Default)]
pub(crate) struct Node {
    worker: Option<ForwarderWorker>,
}

/// What there is to tell about it.
#[derive(Clone, Debug)]
pub(crate) struct NodeStatistics {
    /// Labels and SIDs by name, in the order of the counters.
    pub(crate) names: Vec<String>,
    /// The counters.
    pub(crate) counters: ForwardingSnapshot,
    /// Frames that found no room in a ring.
    pub(crate) queue_drops: u64,
    /// The shell in use.
    pub(crate) shell: Shell,
}

impl Node {
    /// Starts it, if the configuration has something for it to do.
    ///
    /// # Errors
    ///
    /// The right that is missing, or what the kernel would do with the same packets.
    pub(crate) fn start(config: &Config) -> Result<Self, Failure> {
        remove_left_behind();
        let mut node = Self::default();
        node.reload(config)?;
        Ok(node)
    }

    /// Goes on with another configuration.
    ///
    /// # Errors
    ///
    /// As [`Self::start`]; then nothing has changed.
    pub(crate) fn reload(&mut self, config: &Config) -> Result<(), Failure> {
        let setup = setup(config)?;
        let idle = setup.interfaces().is_empty();
        match &mut self.worker {
            Some(_) if idle => self.worker = None,
            // Also where nothing has changed here: an interface may have been made anew.
            Some(worker) => worker.reconfigure(setup).map_err(Failure::Forwarding)?,
            None if idle => {}
            None => {
                self.worker = Some(ForwarderWorker::start(setup).map_err(Failure::Forwarding)?);
            }
        }
        Ok(())
    }

    /// Makes the cards of its interfaces stamp what arrives.
    pub(crate) fn prepare_cards(&self) {
        if let Some(worker) = &self.worker {
            let names = worker.setup().interfaces();
            hardware::prepare(&names.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }

    /// Tells the log what timestamps are written for, and how.
    pub(crate) fn note(&self) {
        let Some(worker) = &self.worker else { return };
        for name in self.names() {
            tracing::info!("writing timestamps for {name}");
        }
        let shell = worker.shell();
        match worker.passed_over() {
            Some(reason) => {
                tracing::info!(%shell, "timestamps are written by packet sockets: {reason}")
            }
            None if shell == Shell::Tc => {
                tracing::info!(%shell, "timestamps are written by the kernel, at the ingress");
            }
            None => tracing::info!(%shell, "timestamps are written by packet sockets"),
        }
    }

    /// Labels and SIDs by name, for the log.
    fn names(&self) -> Vec<String> {
        let worker = self.worker.iter();
        let entries = worker.flat_map(|worker| worker.setup().timestamps.iter());
        entries.map(|entry| entry.trigger.to_string()).collect()
    }

    /// Asks its packet thread, if it has one.
    pub(crate) fn asker(&self) -> ForwarderAsker {
        self.worker.as_ref().map(ForwarderWorker::asker).unwrap_or_default()
    }

    /// What it did so far; none where it has nothing to do, and none while its thread hangs.
    pub(crate) fn lately(&self) -> Option<NodeStatistics> {
        let worker = self.worker.as_ref()?;
        let (counters, queue_drops) = worker.counted()?;
        Some(NodeStatistics { names: self.names(), counters, queue_drops, shell: worker.shell() })
    }

    /// What it did so far; none where it has nothing to do.
    pub(crate) fn statistics(&self) -> Option<NodeStatistics> {
        self.worker.as_ref().map(|worker| NodeStatistics {
            names: self.names(),
            counters: worker.snapshot(),
            queue_drops: worker.queue_drops(),
            shell: worker.shell(),
        })
    }
}

/// Routes of a run before this one that was killed: packets to their SIDs end in them, whoever these
/// SIDs belong to now.
fn remove_left_behind() {
    match Blackhole::remove_left_behind() {
        Ok(left) => left.iter().for_each(|(prefix, bits)| {
            tracing::warn!("removed the blackhole route {prefix}/{bits}: a run before left it");
        }),
        Err(error) => tracing::debug!("routes of runs before this one are not known: {error}"),
    }
}

fn setup(config: &Config) -> Result<ForwarderSetup, Failure> {
    let forwarding = &config.forwarding;
    let triggers = own_labels::take(forwarding)?;
    let timestamps = forwarding.timestamps.iter().zip(triggers);
    let timestamps = timestamps.map(|(entry, trigger)| TimestampSetup {
        trigger,
        interfaces: entry.interfaces.clone(),
        place: entry.place,
        ports: entry.ports.clone(),
        rate_limit: entry.rate_limit,
    });
    Ok(ForwarderSetup {
        timestamps: timestamps.collect(),
        labels: forwarding.labels.clone(),
        hardware_stamps: config.hardware_stamps,
        shell: forwarding.shell,
    })
}
