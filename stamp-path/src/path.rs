//! A way through the network, and what it adds up to.

use core::time::Duration;

use stamp_document::quantity::{Bandwidth, Ratio};

use crate::topology::{Direction, LinkId, NodeId, Side, Topology};

/// A link, in the direction of packets sent by the node at `side`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Hop {
    /// The link.
    pub link: LinkId,
    /// The side that sends.
    pub side: Side,
}

impl Hop {
    /// The node that sends.
    #[must_use]
    pub fn from(self, topology: &Topology) -> NodeId {
        topology[self.link].at(self.side)
    }

    /// The node that receives.
    #[must_use]
    pub fn to(self, topology: &Topology) -> NodeId {
        topology[self.link].at(self.side.opposite())
    }

    /// What holds for its packets.
    #[must_use]
    pub fn direction(self, topology: &Topology) -> &Direction {
        topology[self.link].from(self.side)
    }

    /// The same link, the other way.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { link: self.link, side: self.side.opposite() }
    }
}

/// A node, and the links that packets take from it one after the other.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Path {
    start: NodeId,
    hops: Vec<Hop>,
}

impl Path {
    /// From `start` over `hops`; none where a hop does not begin where the one before it ended.
    #[must_use]
    pub fn new(topology: &Topology, start: NodeId, hops: Vec<Hop>) -> Option<Self> {
        let mut at = start;
        for hop in &hops {
            if hop.from(topology) != at {
                return None;
            }
            at = hop.to(topology);
        }
        Some(Self { start, hops })
    }

    /// Where it begins.
    #[must_use]
    pub const fn start(&self) -> NodeId {
        self.start
    }

    /// Where it ends.
    #[must_use]
    pub fn end(&self, topology: &Topology) -> NodeId {
        self.hops.last().map_or(self.start, |hop| hop.to(topology))
    }

    /// Its links, in the order of travel.
    #[must_use]
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// Its nodes, in the order of travel, with both ends.
    pub fn nodes<'t>(&'t self, topology: &'t Topology) -> impl Iterator<Item = NodeId> + 't {
        core::iter::once(self.start).chain(self.hops.iter().map(|hop| hop.to(topology)))
    }

    /// The same links, the other way and in the other order.
    #[must_use]
    pub fn reversed(&self, topology: &Topology) -> Self {
        let hops = self.hops.iter().rev().map(|hop| hop.reversed()).collect();
        Self { start: self.end(topology), hops }
    }

    /// Delays add up.
    #[must_use]
    pub fn delay(&self, topology: &Topology) -> Duration {
        self.directions(topology).map(|direction| direction.delay).sum()
    }

    /// Losses compose: what arrives is the product of what each link lets through.
    #[must_use]
    pub fn loss(&self, topology: &Topology) -> f64 {
        let share = |loss: Ratio| f64::from(loss.billionths()) / 1e9;
        1.0 - self.directions(topology).map(|one| 1.0 - share(one.loss)).product::<f64>()
    }

    /// The narrowest link's capacity; none where no link's is known.
    #[must_use]
    pub fn bandwidth(&self, topology: &Topology) -> Option<Bandwidth> {
        self.directions(topology).filter_map(|direction| direction.bandwidth).min()
    }

    fn directions<'t>(&'t self, topology: &'t Topology) -> impl Iterator<Item = &'t Direction> {
        self.hops.iter().map(|hop| hop.direction(topology))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Topology {
        let nodes = ["a", "b", "c", "d", "e"].map(|name| format!("[[node]]\nname = \"{name}\"\n"));
        let links = [
            ("a", "b", "delay = \"1ms\"\nloss = \"0.01%\"\nbandwidth = \"10G\""),
            ("b", "c", "delay = \"2ms\"\nloss = \"0.2%\"\nback = { delay = \"5ms\" }"),
            ("d", "c", "delay = \"3ms\"\nbandwidth = \"1G\""),
            ("d", "e", "delay = \"4ms\"\nloss = \"0.05%\""),
        ]
        .map(|(from, to, more)| format!("[[link]]\nends = [\"{from}\", \"{to}\"]\n{more}\n"));
        Topology::read("t.toml", &(nodes.concat() + &links.concat())).unwrap()
    }

    fn whole(topology: &Topology) -> Path {
        let hops = ["a-b", "b-c", "d-c", "d-e"].map(|name| Hop {
            link: topology.link_id(name).unwrap(),
            side: if name == "d-c" { Side::Second } else { Side::First },
        });
        Path::new(topology, topology.node_id("a").unwrap(), hops.to_vec()).unwrap()
    }

    #[test]
    fn a_path_adds_up() {
        let topology = line();
        let path = whole(&topology);
        let names: Vec<&str> =
            path.nodes(&topology).map(|node| topology[node].name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "d", "e"]);
        assert_eq!(path.delay(&topology), Duration::from_millis(10));
        let loss = path.loss(&topology);
        assert!((loss - 0.002_598_75).abs() < 1e-9, "0.01 %, 0.2 %, 0, 0.05 %: {loss}");
        assert_eq!(path.bandwidth(&topology), topology.links[2].directions.0[1].bandwidth);
    }

    #[test]
    fn the_way_back_has_values_of_its_own() {
        let topology = line();
        let path = whole(&topology);
        let back = path.reversed(&topology);
        assert_eq!((back.start(), back.end(&topology)), (path.end(&topology), path.start()));
        assert_eq!(back.delay(&topology), Duration::from_millis(13));
        assert_eq!(back.reversed(&topology), path);
    }

    #[test]
    fn hops_follow_one_another() {
        let topology = line();
        let hop = Hop { link: topology.link_id("b-c").unwrap(), side: Side::First };
        assert_eq!(Path::new(&topology, topology.node_id("a").unwrap(), vec![hop]), None);
        let none = Path::new(&topology, topology.node_id("a").unwrap(), vec![]).unwrap();
        assert_eq!((none.end(&topology), none.loss(&topology)), (none.start(), 0.0));
    }
}
