//! Who reads what of a list.

use core::net::Ipv6Addr;

use stamp_proto::sr::mpls::Label;

use super::forwarding::Forwarding;
use super::packet::{Item, Stack};
use super::stray::Stray;
use super::walk::{Departure, Everywhere, Trace};
use crate::path::Hop;
use crate::topology::NodeId;

/// A label or SID that a node acts on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reading {
    /// The node.
    pub node: NodeId,
    /// What is on top of the packet there. Nodes know the same segment by labels of their own.
    pub what: Read,
}

/// What is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Read {
    /// A label.
    Label(Label),
    /// A SID, or a container of them as it is when it is read.
    Sid(Ipv6Addr),
}

/// What became known at a node besides where the packet goes.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// The node writes its timestamp into the packet.
    pub(super) stamps: bool,
    /// What it reads, where somebody wants to know.
    pub(super) reads: Option<Vec<Read>>,
}

impl Notes {
    pub(super) fn read(&mut self, what: Read) {
        if let Some(reads) = &mut self.reads {
            reads.push(what);
        }
    }
}

impl Forwarding<'_> {
    /// Who reads which label of a packet from `at`, in the order of travel; of ways that are equally
    /// good one after the other.
    ///
    /// # Errors
    ///
    /// [`Stray`] when it is dropped or goes in a circle on any of the ways.
    pub fn label_readings(&self, at: NodeId, departure: &Departure) -> Result<Vec<Reading>, Stray> {
        let stack = departure.labels.iter().rev().map(|label| Item::Label(*label)).collect();
        self.readings(at, departure.over, stack)
    }

    /// The same of SIDs.
    ///
    /// # Errors
    ///
    /// [`Stray`] when it is dropped or goes in a circle on any of the ways.
    pub fn sid_readings(
        &self,
        at: NodeId,
        over: Option<Hop>,
        sids: &[Ipv6Addr],
    ) -> Result<Vec<Reading>, Stray> {
        let stack = sids.iter().rev().map(|sid| Item::Sid(*sid)).collect();
        self.readings(at, over, stack)
    }

    fn readings(&self, at: NodeId, over: Option<Hop>, stack: Stack) -> Result<Vec<Reading>, Stray> {
        let mut trace = Trace::new(self, &Everywhere);
        trace.readings = Some(Vec::new());
        trace.follow(over.map_or(at, |hop| hop.to(self.topology)), stack)?;
        Ok(trace.readings.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::examples::{id, read};
    use crate::topology::Topology;

    const FABRIC: &str = include_str!("../../../examples/topologies/clos-srgb.toml");

    fn told(topology: &Topology, readings: &[Reading]) -> Vec<String> {
        let word = |reading: &Reading| {
            let what = match reading.what {
                Read::Label(label) => label.value().to_string(),
                Read::Sid(sid) => sid.to_string(),
            };
            format!("{} {what}", topology[reading.node].name)
        };
        readings.iter().map(word).collect()
    }

    /// The published example: every node of the fabric knows node 11 by a label of its own, and two
    /// of the tiers choose.
    #[test]
    fn each_node_reads_the_label_of_its_own_block() {
        let topology = read(FABRIC);
        let labels = vec![Label::new(1_011).unwrap()];
        let departure = Departure { over: None, labels };
        let forwarding = Forwarding::new(&topology);
        let readings = forwarding.label_readings(id(&topology, "1"), &departure).unwrap();
        assert_eq!(
            told(&topology, &readings),
            [
                "1 1011", "3 3011", "5 5011", "9 9011", "6 6011", "4 4011", "7 7011", "10 10011",
                "8 8011"
            ]
        );
    }

    #[test]
    fn a_sid_is_read_by_the_node_that_has_it() {
        let topology = read(include_str!("../../../examples/topologies/clos.toml"));
        let sids = ["fc00:bb:5:1::", "fc00:bb:11:d6::"].map(|sid| sid.parse().unwrap());
        let forwarding = Forwarding::new(&topology);
        let readings = forwarding.sid_readings(id(&topology, "1"), None, &sids).unwrap();
        assert_eq!(told(&topology, &readings), ["5 fc00:bb:5:1::", "11 fc00:bb:11:d6::"]);
    }
}
