//! `[[peer]]`, `[[tunnel]]`, `[[gateway]]`, `[[domain]]`.

use ipnet::IpNet;
use stamp_document::document::{Problem, Section};
use stamp_document::quantity::LinkDelay;

use super::super::words::{AcceptsIp, AutonomousSystem, GivenLabel, Name, PrefixIndex, Weight};
use super::super::{Binding, Domain, Flaw, Gateway, GatewayPrefix, Hop, Peer, Tunnel, TunnelWay};
use super::Reader;

impl Reader {
    pub(super) fn domain(&mut self, section: &Section<'_>) {
        let name = section.require::<Name>("name").unwrap_or_default().0;
        let shows = section.get("shows").unwrap_or_default();
        let imposes = section.get("imposes").unwrap_or(false);
        if self.topology.domains.iter().any(|domain| domain.name == name) {
            let remedy = "a domain has one table";
            section.problem("name", Flaw::NameTaken { table: "[[domain]]", remedy }.into());
        }
        self.topology.domains.push(Domain { name, shows, imposes });
    }

    pub(super) fn peer(&mut self, section: &Section<'_>) {
        let at = self.node_named(section, "at");
        let autonomous_system = section.require::<AutonomousSystem>("as");
        let label = section.require::<GivenLabel>("label").map(|label| label.0);
        if let (Some(at), Some(AutonomousSystem(autonomous_system)), Some(label)) =
            (at, autonomous_system, label)
        {
            self.claim_label(section, &section.place("label"), at, label);
            self.topology.peers.push(Peer { at, autonomous_system, label });
        }
    }

    pub(super) fn tunnel(&mut self, section: &Section<'_>) {
        let (from, to) = (self.node_named(section, "from"), self.node_named(section, "to"));
        let via = self.hops(section);
        let ways = section.sections("ways", |way| TunnelWay {
            via: self.hops(way),
            weight: way.get::<Weight>("weight").map_or(1, |weight| weight.0),
        });
        if section.has("via") && section.has("ways") {
            section.problem("ways", Flaw::OneOf { choices: "via and ways" }.into());
        }
        let label = section.require::<GivenLabel>("label").map(|label| label.0);
        let bandwidth = section.get("bandwidth");
        let delay = section.get::<LinkDelay>("delay").map(|delay| delay.0);
        if let (Some(from), Some(to), Some(label)) = (from, to, label) {
            if from == to {
                section.problem("to", Flaw::TunnelToItself.into());
            }
            self.claim_label(section, &section.place("label"), from, label);
            self.topology.tunnels.push(Tunnel { from, to, via, ways, label, bandwidth, delay });
        }
    }

    fn hops(&self, section: &Section<'_>) -> Vec<Hop> {
        let names = section.list::<Name>("via").unwrap_or_default();
        let places = section.places("via");
        let hops = names.iter().zip(&places).map(|(Name(name), place)| {
            let node = self.topology.node_id(name).map(Hop::Node);
            let hop = node.or_else(|| self.topology.link_id(name).map(Hop::Link));
            if hop.is_none() {
                section.report(place, Flaw::UnknownHop.into());
            }
            hop
        });
        hops.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    pub(super) fn gateway(&mut self, section: &Section<'_>) {
        let domain = section.require::<Name>("domain").map(|name| name.0);
        let is_known = |name: &String| {
            let in_use = self.topology.nodes.iter().any(|node| node.domain.as_ref() == Some(name));
            in_use || self.topology.domains.iter().any(|domain| domain.name == *name)
        };
        if domain.as_ref().is_some_and(|name| !is_known(name)) {
            section.problem("domain", Flaw::UnknownDomain.into());
        }
        let nodes = self.nodes_named(section, "nodes");
        if nodes.as_ref().is_some_and(Vec::is_empty) {
            section.problem("nodes", Flaw::Empty.into());
        } else if !section.has("nodes") {
            section.problem("nodes", Problem::Missing { expected: "a list of nodes" });
        }
        let prefixes = section.sections("prefixes", gateway_prefix).into_iter().flatten().collect();
        if let (Some(domain), Some(nodes)) = (domain, nodes) {
            self.topology.gateways.push(Gateway { domain, nodes, prefixes });
        }
    }
}

fn gateway_prefix(section: &Section<'_>) -> Option<GatewayPrefix> {
    let prefix = section.require::<IpNet>("prefix");
    let index = section.get::<PrefixIndex>("index").map(|index| Binding::Index(index.0));
    let labels = section.list::<GivenLabel>("labels");
    let labels = labels.map(|labels| Binding::Labels(labels.iter().map(|label| label.0).collect()));
    let ip = section.get::<AcceptsIp>("accepts").map(|AcceptsIp| Binding::Ip);
    let given: Vec<&'static str> =
        ["index", "labels", "accepts"].into_iter().filter(|key| section.has(key)).collect();
    if given.len() != 1 {
        let flaw = Flaw::OneOf { choices: "index, labels and accepts" };
        section.problem(given.get(1).copied().unwrap_or("index"), flaw.into());
        return None;
    }
    if labels == Some(Binding::Labels(Vec::new())) {
        section.problem("labels", Flaw::Empty.into());
    }
    Some(GatewayPrefix { prefix: prefix?, binding: index.or(labels).or(ip)? })
}
