//! The ways that packets with a list can take, one by one, and how likely each is.

use core::net::Ipv6Addr;

use super::Stray;
use super::forwarding::{Forwarding, Meaning};
use super::packet::{Fate, Item, Stack};
use super::reading::Notes;
use super::walk::{Departure, End, MOST_HOPS};
use crate::path::Hop;
use crate::topology::{Label, NodeId};

/// One way that the packets of a flow can take: all of them take the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// How likely it is among all, from 0 to 1: nodes that choose among equal links choose each as
    /// often, by a hash that nobody outside of them knows.
    pub chance: f64,
    /// Nodes in the order of travel.
    pub nodes: Vec<NodeId>,
    /// Links in the order of travel.
    pub hops: Vec<Hop>,
    /// Tunnels on it of which the topology does not tell what they pass, by their place in it.
    pub hidden: Vec<usize>,
    /// How many of its nodes come before the first that writes a timestamp.
    pub stamped: Option<usize>,
    /// Where it ends.
    pub end: End,
}

/// Why the ways of a list are not told.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RouteError {
    #[error(transparent)]
    Stray(#[from] Stray),
    #[error("packets can take more than {} ways", Forwarding::MOST_ROUTES)]
    TooMany,
}

impl Forwarding<'_> {
    /// More ways than these are not told apart.
    pub const MOST_ROUTES: usize = 4096;

    /// Every way of a packet that sets out from `at`, until its labels have ended, and from there by IP
    /// to `destination`, where one is given that is not reached yet.
    ///
    /// # Errors
    ///
    /// [`RouteError`] when it is dropped or goes in a circle on any of the ways, or when they are too
    /// many.
    pub fn routes(
        &self,
        at: NodeId,
        departure: &Departure,
        destination: Option<NodeId>,
    ) -> Result<Vec<Route>, RouteError> {
        let labels = departure.labels.iter().rev().map(|label| Item::Label(*label));
        let stack = destination.map(Item::Address).into_iter().chain(labels).collect();
        self.all_routes(at, departure.over, stack)
    }

    /// The same for a packet whose destination addresses, one after the other, are `sids`, and from where
    /// these have ended that of `destination`, where one is given.
    ///
    /// # Errors
    ///
    /// As those of [`Self::routes`].
    pub fn routes_of_sids(
        &self,
        (at, over): (NodeId, Option<Hop>),
        sids: &[Ipv6Addr],
        destination: Option<NodeId>,
    ) -> Result<Vec<Route>, RouteError> {
        let sids = sids.iter().rev().map(|sid| Item::Sid(*sid));
        let stack = destination.map(Item::Address).into_iter().chain(sids).collect();
        self.all_routes(at, over, stack)
    }

    /// How packets with these labels set out from a node which was not told by which link: as to where the
    /// first label leads, over each equally good link.
    #[must_use]
    pub fn departures(&self, at: NodeId, labels: &[Label]) -> Vec<Departure> {
        let Some((first, below)) = labels.split_first().filter(|(first, _)| !first.is_special())
        else {
            return vec![Departure { over: None, labels: labels.to_vec() }];
        };
        let leads = |hop: &&Hop| {
            let next = hop.to(self.topology);
            match self.meaning(next, *first, below.iter().copied()) {
                Some(Meaning::Toward(goal)) => self.next_hops(at, goal).contains(*hop),
                Some(_) => true,
                None => false,
            }
        };
        let hops = self.arcs.from(at).iter().filter(leads);
        hops.map(|hop| Departure { over: Some(*hop), labels: labels.to_vec() }).collect()
    }

    fn all_routes(
        &self,
        at: NodeId,
        over: Option<Hop>,
        stack: Stack,
    ) -> Result<Vec<Route>, RouteError> {
        let begin = Route {
            chance: 1.0,
            nodes: vec![at],
            hops: Vec::new(),
            hidden: Vec::new(),
            stamped: None,
            end: End::Node(at),
        };
        let begin = match over {
            Some(hop) if hop.from(self.topology) != at => {
                let link = self.topology[hop.link].name.clone();
                return Err(Stray::ElsewhereThanLink { node: self.name(at), link }.into());
            }
            Some(hop) => self.passed(&begin, hop, 1.0),
            None => begin,
        };
        let (mut open, mut whole) = (vec![(begin, stack)], Vec::new());
        while let Some((route, stack)) = open.pop() {
            if open.len() + whole.len() >= Self::MOST_ROUTES {
                return Err(RouteError::TooMany);
            }
            self.step(route, stack, (&mut open, &mut whole))?;
        }
        whole.reverse();
        Ok(whole)
    }

    /// Follows one way to the next place where there is something to choose.
    fn step(
        &self,
        mut route: Route,
        stack: Stack,
        (open, whole): (&mut Vec<(Route, Stack)>, &mut Vec<Route>),
    ) -> Result<(), RouteError> {
        let Some(node) = route.nodes.last().copied() else { return Ok(()) };
        if route.hops.len() > MOST_HOPS {
            return Err(Stray::TooFar { node: self.name(node) }.into());
        }
        let mut notes = Notes::default();
        let fate = self.fate(node, stack, &mut notes)?;
        if notes.stamps && route.stamped.is_none() {
            route.stamped = Some(route.nodes.len() - 1);
        }
        match fate {
            Fate::Ends(end) => whole.push(Route { end, ..route }),
            Fate::Splits(ways) => {
                let all: f64 = ways.iter().map(|(weight, _)| f64::from(*weight)).sum();
                for (weight, stack) in ways {
                    let chance = route.chance * f64::from(weight) / all;
                    open.push((Route { chance, ..route.clone() }, stack));
                }
            }
            Fate::Vanishes { tunnel, stack } => {
                route.hidden.push(tunnel);
                route.nodes.push(self.topology.tunnels[tunnel].to);
                open.push((route, stack));
            }
            Fate::Leaves(ways) => {
                let chance = 1.0 / ways.len() as f64;
                let on = |(hop, stack)| (self.passed(&route, hop, chance), stack);
                open.extend(ways.into_iter().map(on));
            }
        }
        Ok(())
    }

    fn passed(&self, route: &Route, hop: Hop, chance: f64) -> Route {
        let mut route = route.clone();
        route.chance *= chance;
        route.hops.push(hop);
        route.nodes.push(hop.to(self.topology));
        route
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::*;
    use super::*;
    use crate::topology::Topology;

    fn routes(topology: &Topology, at: &str, list: &[u32], to: Option<&str>) -> Vec<String> {
        let departure = Departure { over: None, labels: labels(list) };
        let to = to.map(|name| id(topology, name));
        let routes = Forwarding::new(topology).routes(id(topology, at), &departure, to);
        let words = |route: Route| {
            let nodes: Vec<&str> =
                route.nodes.iter().map(|node| topology[*node].name.as_str()).collect();
            assert_eq!(route.hops.len() + route.hidden.len() + 1, nodes.len());
            format!("{} {}", route.chance, nodes.join(" "))
        };
        routes.unwrap_or_else(|error| panic!("{error}")).into_iter().map(words).collect()
    }

    #[test]
    fn each_way_has_its_chance() {
        let topology = read(CLOS);
        let expected =
            ["0.25 1 3 5 9 11", "0.25 1 3 6 9 11", "0.25 1 4 7 10 11", "0.25 1 4 8 10 11"];
        assert_eq!(routes(&topology, "1", &[16_011], None), expected);
        assert_eq!(routes(&topology, "1", &[], Some("11")), expected, "by IP");
        assert_eq!(routes(&topology, "1", &[16_005, 16_011], None), ["1 1 3 5 9 11"]);
        assert_eq!(
            routes(&topology, "1", &[16_009, 16_001], None),
            [
                "0.25 1 3 5 9 5 3 1",
                "0.25 1 3 5 9 6 3 1",
                "0.25 1 3 6 9 5 3 1",
                "0.25 1 3 6 9 6 3 1"
            ]
        );
    }

    #[test]
    fn together_they_touch_what_the_walk_does() {
        for (text, list) in [
            (CLOS, &[16_011, 16_001][..]),
            (CLOS, &[16_020]),
            (INCREMENTAL, &[16_011]),
            (SRGB, &[1_005, 5_011, 15, 240, 11_006, 6_001]),
        ] {
            let topology = read(text);
            let walk = walked(&topology, "1", list);
            let departure = Departure { over: None, labels: labels(list) };
            let routes = Forwarding::new(&topology).routes(id(&topology, "1"), &departure, None);
            let routes = routes.unwrap();
            let hops = routes.iter().flat_map(|route| route.hops.iter().copied()).collect();
            let nodes = routes.iter().flat_map(|route| route.nodes.iter().copied()).collect();
            let ends = routes.iter().map(|route| route.end).collect();
            assert_eq!((walk.hops, walk.nodes, walk.ends), (hops, nodes, ends));
            let all: f64 = routes.iter().map(|route| route.chance).sum();
            assert!((all - 1.0).abs() < 1e-9, "{all}");
            let stamps = routes.iter().filter_map(|route| Some(route.nodes[route.stamped?]));
            assert_eq!(walk.stamps, stamps.collect());
        }
    }

    #[test]
    fn sids_lead_on_to_an_address() {
        let topology = read(CLOS);
        let forwarding = Forwarding::new(&topology);
        let [one, nine, eleven] = ["1", "9", "11"].map(|name| id(&topology, name));
        let at_nine = topology[nine].sids;
        for sid in [at_nine.end.unwrap(), at_nine.dt6.unwrap()] {
            let routes = forwarding.routes_of_sids((one, None), &[sid.address()], Some(eleven));
            let routes = routes.unwrap();
            let ways = routes.iter().map(|it| (it.chance, it.hops.len(), it.end));
            assert_eq!(ways.collect::<Vec<_>>(), [(0.5, 4, End::Node(eleven)); 2]);
        }
        let address = topology[eleven].ipv6().unwrap();
        let routes = forwarding.routes_of_sids((one, None), &[address], None).unwrap();
        assert_eq!(routes.len(), 4);
    }

    #[test]
    fn packets_set_out_to_where_their_first_label_leads() {
        let topology = read(CLOS);
        let forwarding = Forwarding::new(&topology);
        let set_out = |list: &[u32]| {
            let departures = forwarding.departures(id(&topology, "1"), &labels(list));
            let next =
                |one: &Departure| one.over.map(|hop| topology[hop.to(&topology)].name.clone());
            departures.iter().map(|one| next(one).unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(set_out(&[16_011]), ["3", "4"]);
        assert_eq!(set_out(&[16_005, 16_011]), ["3"]);
        assert_eq!(set_out(&[124_407, 16_011]), ["4"], "an adjacency of node 4");
        assert_eq!(set_out(&[]), [""]);
        assert!(set_out(&[17_000]).is_empty());
    }

    #[test]
    fn a_tunnel_spreads_by_weight_and_may_hide_what_it_passes() {
        let topology = read(
            r#"
            node = [{ name = "a" }, { name = "b" }, { name = "c" }, { name = "d" }]
            link = [
                { ends = ["a", "b"] }, { ends = ["b", "d"] },
                { ends = ["a", "c"] }, { ends = ["c", "d"] },
            ]
            [[tunnel]]
            from = "a"
            to = "d"
            label = 500
            ways = [{ via = ["b"], weight = 3 }, { via = ["c"], weight = 1 }]
            [[tunnel]]
            from = "a"
            to = "c"
            label = 501
            "#,
        );
        assert_eq!(routes(&topology, "a", &[500], None), ["0.75 a b d", "0.25 a c d"]);
        assert_eq!(routes(&topology, "a", &[501], None), ["1 a c"]);
    }

    #[test]
    fn what_strays_or_branches_too_often_is_told() {
        let topology = read(CLOS);
        let departure = Departure { over: None, labels: labels(&[17_000]) };
        let strays = Forwarding::new(&topology).routes(id(&topology, "1"), &departure, None);
        assert_eq!(strays.unwrap_err().to_string(), "label 17000 means nothing at 1");
        // Each list there and back makes sixteen ways of one.
        let list = [16_011, 16_001, 16_011, 16_001, 16_011, 16_001, 16_011];
        let departure = Departure { over: None, labels: labels(&list) };
        let many = Forwarding::new(&topology).routes(id(&topology, "1"), &departure, None);
        assert_eq!(many.unwrap_err(), RouteError::TooMany);
    }
}
