//! The labels that lead over a way, a list for each node that puts one on.
//!
//! What is known of a way is encoded hop by hop. Where something is not shown, the node before it is
//! given the label by which it knows the node behind it, and finds the way itself. A domain whose
//! gateway puts on a header of its own has a list of its own, imposed where the way enters it.

use ipnet::IpNet;
use stamp_proto::sr::mpls::Label;

use super::view::{View, known_parts};
use crate::encoding::{EncodeError, Forwarding, Imposer, Intent};
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
    let mut writer = Writer { topology, forwarding, lists: Vec::new() };
    writer.begin(path.start());
    let mut before: Option<NodeId> = None;
    for part in parts {
        if let Some(before) = before {
            writer.across(before, part.start())?;
        }
        before = Some(part.end(topology));
        writer.part(path.start(), part)?;
    }
    Ok(writer.lists)
}

struct Writer<'t> {
    topology: &'t Topology,
    forwarding: Forwarding<'t>,
    lists: Vec<ImposedLabels>,
}

impl Writer<'_> {
    fn begin(&mut self, at: NodeId) {
        self.lists.push(ImposedLabels { at, segments: Vec::new(), labels: Vec::new() });
    }

    /// A part that is known, cut where a gateway puts on a header of its own.
    fn part(&mut self, start: NodeId, part: Path) -> Result<(), ListError> {
        let cuts = part.hops().iter().position(|hop| self.is_imposed_behind(start, *hop));
        let Some(position) = cuts else { return self.hops(&part) };
        let (before, behind) = part.hops().split_at(position + 1);
        let at = before.last().map_or(part.start(), |hop| hop.to(self.topology));
        let cut = |start, hops: &[Hop]| Path::new(self.topology, start, hops.to_vec());
        if let Some(before) = cut(part.start(), before) {
            self.hops(&before)?;
        }
        self.begin(at);
        cut(at, behind).map_or(Ok(()), |behind| self.part(start, behind))
    }

    /// Whether a hop leads into a domain that is not the source's and imposes.
    fn is_imposed_behind(&self, start: NodeId, hop: Hop) -> bool {
        let domain = |node: NodeId| self.topology[node].domain.as_ref();
        let into = domain(hop.to(self.topology));
        let is_entered = into != domain(hop.from(self.topology)) && into != domain(start);
        let mut domains = self.topology.domains.iter();
        is_entered && domains.any(|one| one.imposes && Some(&one.name) == into)
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
}
