//! `[[link]]`.

use core::net::IpAddr;

use stamp_document::document::Section;
use stamp_document::quantity::{LinkDelay, Ratio};

use super::super::words::{GivenLabel, Interface, Loopback, Metric, Name, Srlg};
use super::super::{Direction, Directions, Flaw, Link, LinkKind, NodeId, Sid, Side};
use super::{Reader, per_end};

impl Reader {
    pub(super) fn link(&mut self, section: &Section<'_>) {
        let name = section.get::<Name>("name").map(|name| name.0);
        let forth = direction(section, Direction::default());
        let back = section
            .section("back", |back| direction(back, forth.clone()))
            .unwrap_or_else(|| forth.clone());
        let kind = section.get::<LinkKind>("kind").unwrap_or_default();
        let adjacency = per_end::<GivenLabel>(section, "adjacency");
        let adjacency = adjacency.map(|labels| labels.map(|label| label.0));
        let end_x = per_end::<Sid>(section, "end-x");
        let interfaces = per_end::<Interface>(section, "interfaces");
        let interfaces = interfaces.map(|numbers| numbers.map(|number| number.0));
        let addresses = addresses(section);
        let Some(ends) = self.ends(section) else { return };
        let by_ends = || ends.map(|end| self.name_of(end)).join("-");
        let is_named = name.is_some();
        let name = name.unwrap_or_else(by_ends);
        if self.topology.link_id(&name).is_some() {
            let (key, remedy) = if is_named {
                ("name", "give each link a name of its own")
            } else {
                ("ends", "a link is named after its ends: give this one a name")
            };
            section.problem(key, Flaw::NameTaken { table: "[[link]]", remedy }.into());
        }
        for (side, place) in Side::BOTH.into_iter().zip(section.places("adjacency")) {
            if let Some([first, second]) = adjacency {
                let [near, far] = ends;
                self.claim_label(
                    section,
                    &place,
                    side.choose(near, far),
                    side.choose(first, second),
                );
            }
        }
        for (side, place) in Side::BOTH.into_iter().zip(section.places("end-x")) {
            if let Some([first, second]) = end_x {
                let [near, far] = ends;
                let sid = side.choose(first, second).prefix();
                self.claim_sid(section, &place, side.choose(near, far), sid);
            }
        }
        self.check_interfaces(section, ends, interfaces);
        self.claim_addresses(section, ends, &addresses);
        let directions = Directions([forth, back]);
        self.topology.links.push(Link {
            name,
            ends,
            kind,
            directions,
            adjacency,
            end_x,
            interfaces,
            addresses,
        });
    }

    /// A node has each number once.
    fn check_interfaces(
        &self,
        section: &Section<'_>,
        ends: [NodeId; 2],
        interfaces: Option<[u32; 2]>,
    ) {
        let numbers = interfaces.into_iter().flatten();
        for ((node, interface), place) in
            ends.into_iter().zip(numbers).zip(section.places("interfaces"))
        {
            let is_taken = self
                .topology
                .links_of(node)
                .any(|(link, side)| self.topology[link].interface_of(side) == Some(interface));
            if is_taken {
                let flaw = Flaw::InterfaceTaken { interface, node: self.name_of(node) };
                section.report(&place, flaw.into());
            }
        }
    }

    /// Notes whose addresses these are; one that another has is told.
    fn claim_addresses(
        &mut self,
        section: &Section<'_>,
        ends: [NodeId; 2],
        addresses: &[Vec<IpAddr>; 2],
    ) {
        for ((node, list), place) in ends.iter().zip(addresses).zip(section.places("addresses")) {
            for address in list {
                if let Some(owner) = self.addresses.insert(*address, *node) {
                    let flaw = Flaw::AddressTaken { address: *address, node: self.name_of(owner) };
                    section.report(&place, flaw.into());
                }
            }
        }
    }

    /// Two different nodes.
    fn ends(&self, section: &Section<'_>) -> Option<[NodeId; 2]> {
        if !section.has("ends") {
            section.require::<Name>("ends");
            return None;
        }
        let ends = self.nodes_named(section, "ends")?;
        let [first, second] = ends[..] else {
            section.problem("ends", Flaw::Ends { count: ends.len() }.into());
            return None;
        };
        if first == second {
            section.problem("ends", Flaw::Loop.into());
            return None;
        }
        Some([first, second])
    }
}

/// Addresses of both interfaces.
fn addresses(section: &Section<'_>) -> [Vec<IpAddr>; 2] {
    let Some(lists) = section.lists::<Loopback>("addresses") else { return Default::default() };
    let count = lists.len();
    let Ok(lists) = <[Vec<Loopback>; 2]>::try_from(lists) else {
        section.problem("addresses", Flaw::PerEnd { count }.into());
        return Default::default();
    };
    lists.map(|list| list.into_iter().map(|Loopback(address)| address).collect())
}

/// The keys that may differ between the directions; what is not there is as in `other`.
fn direction(section: &Section<'_>, other: Direction) -> Direction {
    let igp = section.get::<Metric>("igp").map(|metric| metric.0);
    let te = section.get::<Metric>("te").map(|metric| metric.0);
    let groups = section.list::<Srlg>("srlgs");
    Direction {
        igp: igp.unwrap_or(other.igp),
        // What is no metric of its own follows the other metric of the same direction.
        te: te.or(igp.filter(|_| other.te == other.igp)).unwrap_or(other.te),
        delay: section.get::<LinkDelay>("delay").map_or(other.delay, |delay| delay.0),
        jitter: section.get::<LinkDelay>("jitter").map_or(other.jitter, |jitter| jitter.0),
        loss: section.get::<Ratio>("loss").unwrap_or(other.loss),
        reordering: section.get::<Ratio>("reordering").unwrap_or(other.reordering),
        bandwidth: section.get("bandwidth").or(other.bandwidth),
        affinities: section.list::<String>("affinities").unwrap_or(other.affinities),
        srlgs: groups.map_or(other.srlgs, |groups| groups.iter().map(|group| group.0).collect()),
        drained: section.get("drained").unwrap_or(other.drained),
    }
}
