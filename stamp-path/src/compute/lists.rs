//! The labels or SIDs that lead over a way, a list for each node that puts one on.
//!
//! What is known of a way is encoded hop by hop. Where something is not shown, the node before it is
//! given the label by which it knows the node behind it, and finds the way itself. A domain whose
//! gateway puts on a header of its own has a list of its own, imposed where the way enters it.

use core::net::Ipv6Addr;

use ipnet::IpNet;
use stamp_proto::sr::mpls::Label;

use super::view::{View, known_parts};
use crate::encoding::{Departure, EncodeError, Forwarding, Imposer, Intent, Reading, SidKinds};
use crate::path::{Hop, Path};
use crate::topology::{Binding, NodeId, Topology};

/// A list, and who puts it on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImposedLabels {
    /// The node.
    pub at: NodeId,
    /// What the labels mean, in the words of the topology.
    pub segments: Vec<String>,
    /// Top first.
    pub labels: Vec<Label>,
    /// Who reads them, in the order of travel; nobody where that is not shown.
    pub readings: Vec<Reading>,
}

/// A list of SIDs, and who puts it on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImposedSids {
    /// The node.
    pub at: NodeId,
    /// What the SIDs mean, in the words of the topology.
    pub segments: Vec<String>,
    /// The first to visit first.
    pub sids: Vec<Ipv6Addr>,
    /// Who reads them, in the order of travel.
    pub readings: Vec<Reading>,
}

/// Why a way has no labels.
#[expect(missing_docs, reason = "each message says it")]
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ListError {
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("{from} shows no label by which it knows {to}")]
    NoLabelAcross { from: String, to: String },
    #[error("the next hops of {at} want different labels")]
    ManyLabels { at: String },
}

/// The labels for a way over a topology, or over what is seen of one.
///
/// # Errors
///
/// [`ListError`] where a part of it cannot be told in labels.
pub fn label_lists(
    topology: &Topology,
    view: Option<&View>,
    path: &Path,
) -> Result<Vec<ImposedLabels>, ListError> {
    let topology = view.map_or(topology, View::topology);
    let forwarding = Forwarding::new(topology);
    let parts = view.map_or_else(|| vec![path.clone()], |view| known_parts(view, path));
    let mut writer = Writer { topology, forwarding, lists: Vec::new(), starts: Vec::new() };
    writer.begin(path.start());
    let mut before: Option<NodeId> = None;
    for part in parts {
        if let Some(before) = before {
            writer.across(before, part.start())?;
        }
        before = Some(part.end(topology));
        for (number, (at, part)) in imposed_parts(topology, path.start(), part).enumerate() {
            if number > 0 {
                writer.begin(at);
            }
            part.map_or(Ok(()), |part| writer.hops(&part))?;
        }
    }
    Ok(writer.finish())
}

/// The SIDs for a way, all of which is shown.
///
/// # Errors
///
/// [`EncodeError`] where a part of it cannot be told in SIDs.
pub fn sid_lists(topology: &Topology, path: &Path) -> Result<Vec<ImposedSids>, EncodeError> {
    let forwarding = Forwarding::new(topology);
    let mut lists = Vec::new();
    for (at, part) in imposed_parts(topology, path.start(), path.clone()) {
        // A way that ends at a gateway needs nothing more there.
        let Some(part) = part.filter(|part| !part.hops().is_empty()) else { continue };
        let intent = Intent::path(topology, &part);
        let list = forwarding.encode_sids(Imposer::Node, &intent, SidKinds::END)?;
        let readings = forwarding.sid_readings(at, list.over, &list.containers);
        lists.push(ImposedSids {
            at,
            segments: list.segments.iter().map(|one| one.word(topology)).collect(),
            sids: list.containers,
            readings: readings.unwrap_or_default(),
        });
    }
    Ok(lists)
}

/// A part that is known, cut where a gateway puts on a header of its own: who imposes, and for what.
fn imposed_parts(
    topology: &Topology,
    start: NodeId,
    part: Path,
) -> impl Iterator<Item = (NodeId, Option<Path>)> {
    let domain = |node: NodeId| topology[node].domain.as_ref();
    // Into a domain that is not the source's and imposes.
    let is_imposed_behind = |hop: &Hop| {
        let into = domain(hop.to(topology));
        let is_entered = into != domain(hop.from(topology)) && into != domain(start);
        is_entered && topology.domains.iter().any(|one| one.imposes && Some(&one.name) == into)
    };
    let mut at = part.start();
    let mut parts = Vec::new();
    for hops in part.hops().split_inclusive(is_imposed_behind) {
        parts.push((at, Path::new(topology, at, hops.to_vec())));
        at = hops.last().map_or(at, |hop| hop.to(topology));
    }
    if part.hops().last().is_none_or(is_imposed_behind) {
        parts.push((at, None));
    }
    parts.into_iter()
}

struct Writer<'t> {
    topology: &'t Topology,
    forwarding: Forwarding<'t>,
    lists: Vec<ImposedLabels>,
    /// For each list the links that packets set out over.
    starts: Vec<Vec<Option<Hop>>>,
}

impl Writer<'_> {
    fn begin(&mut self, at: NodeId) {
        let (segments, labels, readings) = Default::default();
        self.lists.push(ImposedLabels { at, segments, labels, readings });
        self.starts.push(Vec::new());
    }

    /// The lists, with who reads them.
    fn finish(mut self) -> Vec<ImposedLabels> {
        for (list, starts) in self.lists.iter_mut().zip(&self.starts) {
            for over in starts {
                let departure = Departure { over: *over, labels: list.labels.clone() };
                // What is not shown cannot be followed.
                let read = self.forwarding.label_readings(list.at, &departure).unwrap_or_default();
                let new = read.into_iter().filter(|one| !list.readings.contains(one));
                let new: Vec<Reading> = new.collect();
                list.readings.extend(new);
            }
        }
        self.lists
    }

    /// Hops that are all known.
    fn hops(&mut self, path: &Path) -> Result<(), ListError> {
        let Some(list) = self.lists.last_mut().filter(|_| !path.hops().is_empty()) else {
            return Ok(());
        };
        let is_first = list.labels.is_empty() && list.at == path.start();
        let imposer = if is_first { Imposer::Node } else { Imposer::Before };
        let intent = Intent::path(self.topology, path);
        let encoded = self.forwarding.encode_labels(imposer, &intent, list.labels.len())?;
        let labels = encoded.labels().ok_or_else(|| ListError::ManyLabels {
            at: self.topology[path.start()].name.clone(),
        })?;
        if let Some(starts) = self.starts.last_mut().filter(|_| list.labels.is_empty()) {
            starts.extend(encoded.departures.iter().map(|one| one.over));
        }
        list.labels.extend(labels);
        list.segments.extend(encoded.segments.iter().map(|one| one.word(self.topology)));
        Ok(())
    }

    /// From a node to one behind what is not shown.
    fn across(&mut self, from: NodeId, to: NodeId) -> Result<(), ListError> {
        let labels = self.known_as(from, to).ok_or_else(|| ListError::NoLabelAcross {
            from: self.topology[from].name.clone(),
            to: self.topology[to].name.clone(),
        })?;
        if let Some(list) = self.lists.last_mut() {
            list.labels.extend(labels);
            list.segments.push(self.topology[to].name.clone());
        }
        Ok(())
    }

    /// The labels by which a node knows another: what it announced as a gateway, what others learned
    /// from it, or an index of its own domain.
    fn known_as(&self, from: NodeId, to: NodeId) -> Option<Vec<Label>> {
        let (reader, target) = (&self.topology[from], &self.topology[to]);
        let holds = |prefix: &IpNet| target.loopbacks.iter().any(|one| prefix.contains(one));
        let gateways = self.topology.gateways.iter().filter(|one| one.nodes.contains(&from));
        let mut announced = gateways.flat_map(|one| &one.prefixes);
        if let Some(prefix) = announced.find(|one| holds(&one.prefix)) {
            return match &prefix.binding {
                Binding::Index(index) => reader.label_of(*index).map(|label| vec![label]),
                Binding::Labels(labels) => Some(labels.clone()),
                Binding::Ip => Some(Vec::new()),
            };
        }
        if let Some(learned) = reader.learned.iter().find(|one| holds(&one.prefix)) {
            return Some(vec![learned.label]);
        }
        let index = target.index.filter(|_| reader.domain == target.domain)?;
        reader.label_of(index).map(|label| vec![label])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::{Constraint, Network, Request};
    use crate::topology::LinkKind;

    const INTERDOMAIN: &str = include_str!("../../../examples/topologies/interdomain.toml");

    /// The example, with domains that show less or impose.
    fn changed(changes: &[(&str, &str)]) -> Topology {
        let mut text = INTERDOMAIN.to_owned();
        for (domain, shows) in changes {
            let before = format!("name = \"{domain}\"\nshows = \"full\"");
            assert!(text.contains(&before), "{domain}");
            text = text.replace(&before, &format!("name = \"{domain}\"\nshows = {shows}"));
        }
        Topology::read("interdomain.toml", &text).unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// The labels of each list on the best way from Host1a to Host3b.
    fn lists(topology: &Topology, constraint: Option<Constraint>) -> Vec<(String, Vec<u32>)> {
        let [from, to] = ["Host1a", "Host3b"].map(|name| topology.node_id(name).unwrap());
        let mut request = Request::new(from, to);
        request.over.push(LinkKind::Lsp);
        request.constraints.extend(constraint);
        let view = View::of(topology, from, to);
        let path = match &view {
            Some(view) => view.ranked(&request, 1).unwrap().remove(0).path,
            None => Network::new(topology).best(&request).unwrap().path,
        };
        let lists = label_lists(topology, view.as_ref(), &path).unwrap();
        let numbers = |labels: &[Label]| labels.iter().map(|label| label.value()).collect();
        lists.iter().map(|one| (topology[one.at].name.clone(), numbers(&one.labels))).collect()
    }

    /// The stacks of the example's table: imposed by Host1a, which has no label for its own first link.
    #[test]
    fn stacks_are_those_of_the_example() {
        let alone = |labels: &[u32]| vec![("Host1a".to_owned(), labels.to_vec())];
        let full = changed(&[]);
        assert_eq!(lists(&full, None), alone(&[103, 201, 202, 302, 304, 305]), "a");
        let hidden = ("dom3", "\"reachability\"");
        assert_eq!(lists(&changed(&[hidden]), None), alone(&[103, 201, 202, 302, 305]), "b");
        let [as1, as2, as3] = ["as1", "as2", "as3"].map(|name| (name, "\"reachability\""));
        let blind = changed(&[as1, as2, as3, hidden]);
        assert_eq!(lists(&blind, None), alone(&[103, 302, 305]), "c");
        let two = Some(Constraint::AvoidAutonomousSystem(1));
        let expected = alone(&[102, 206, 207, 209, 210, 301, 303, 305]);
        assert_eq!(lists(&full, two), expected, "d");
    }

    #[test]
    fn a_gateway_that_imposes_has_a_list_of_its_own() {
        let topology = changed(&[("dom3", "\"full\"\nimposes = true")]);
        let expected = [("Host1a", vec![103, 201, 202, 302]), ("GW3b", vec![305])];
        assert_eq!(lists(&topology, None), expected.map(|(at, labels)| (at.to_owned(), labels)));
    }

    /// The same over SRv6: the source leads to the gateway, and this one to the end.
    #[test]
    fn a_gateway_that_imposes_has_sids_of_its_own() {
        let node = |number: u32, domain: &str| {
            format!(
                "[[node]]\nname = \"{number}\"\ndomain = \"{domain}\"\n\
                 loopbacks = [\"2001:db8::{number}\"]\n\
                 sids = {{ end = \"fc00:bb:{number}:1::/64\" }}\n"
            )
        };
        let mut text: String = (1..=2).map(|number| node(number, "near")).collect();
        text.extend((3..=4).map(|number| node(number, "far")));
        text.extend((1..=3).map(|one| format!("[[link]]\nends = [\"{one}\", \"{}\"]\n", one + 1)));
        let told = |more: &str| {
            let topology = Topology::read("net.toml", &(text.clone() + more)).unwrap();
            let [from, to] = ["1", "4"].map(|name| topology.node_id(name).unwrap());
            let path = Network::new(&topology).best(&Request::new(from, to)).unwrap().path;
            let list = |one: &ImposedSids| {
                let readers = one.readings.iter().map(|one| topology[one.node].name.as_str());
                let sids: Vec<String> = one.sids.iter().map(ToString::to_string).collect();
                let at = &topology[one.at].name;
                format!("{at} {} {}", sids.join(","), readers.collect::<Vec<_>>().join(","))
            };
            sid_lists(&topology, &path).unwrap().iter().map(list).collect::<Vec<_>>()
        };
        assert_eq!(told(""), ["1 fc00:bb:4:1:: 4"]);
        let imposes = "[[domain]]\nname = \"far\"\nimposes = true\n";
        assert_eq!(told(imposes), ["1 fc00:bb:3:1:: 3", "3 fc00:bb:4:1:: 4"]);
    }
}
