//! What can be known of a network from one of its domains.
//!
//! A domain that shows everything is seen as it is, and so is everybody's own. Of one that shows
//! feasibility only its abstract links are seen, each a summary between two of its borders. One that
//! shows reachability says that it can be crossed and what is behind its gateways, and nothing of how:
//! such a way is a *stretch*, a link of which nothing is known.
//!
//! What is not known never counts as good: a stretch is used where nothing that is known leads on, and
//! it keeps to no bound and avoids nothing.

use core::time::Duration;

use ipnet::IpNet;
use stamp_document::quantity::Ratio;

use super::{Absence, Answer, Constraint, Network, Request};
use crate::path::{Hop, Path};
use crate::topology::{
    Direction, Directions, Gateway, Link, LinkId, LinkKind, NodeId, Topology, Visibility,
};

/// A network as it is seen by whoever sends.
#[derive(Clone, Debug)]
pub struct View {
    topology: Topology,
    /// Links that are not seen.
    hidden: Vec<LinkId>,
    /// Where stretches begin among the links of `topology`: those across other domains, then those
    /// inside of the target's.
    across: usize,
    inside: usize,
}

/// No sum of delays that are known is as long.
const UNKNOWN_DELAY: Duration = Duration::from_secs(86_400);

impl View {
    /// What is seen on the way from a node to another; none where nothing is hidden.
    #[must_use]
    pub fn of(topology: &Topology, from: NodeId, to: NodeId) -> Option<Self> {
        let eye = Eye { topology, from, to };
        let hidden: Vec<LinkId> =
            topology.link_ids().filter(|link| !eye.sees_link(*link)).collect();
        if hidden.is_empty() && !eye.is_hidden_inside(to) {
            return None;
        }
        let mut seen = topology.clone();
        let across = seen.links.len();
        let joined = eye.joined(&hidden);
        let (last, others): (Vec<_>, Vec<_>) =
            joined.into_iter().partition(|ends| ends.contains(&to));
        seen.links.extend(others.into_iter().map(|ends| stretch(topology, ends)));
        let inside = seen.links.len();
        seen.links.extend(last.into_iter().map(|ends| stretch(topology, ends)));
        Some(Self { topology: seen, hidden, across, inside })
    }

    /// The network with stretches for links; nodes, and links that were there, are the same.
    #[must_use]
    pub const fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Whether nothing is known of a link.
    #[must_use]
    pub fn is_stretch(&self, link: LinkId) -> bool {
        link.position() >= self.across
    }

    /// Whether what a way costs is not known.
    #[must_use]
    pub fn is_unknown(&self, path: &Path) -> bool {
        path.hops().iter().any(|hop| self.is_stretch(hop.link))
    }

    /// The same request over nothing but what is known.
    #[must_use]
    pub fn over_known(&self, request: &Request) -> Request {
        let mut request = request.clone();
        request.over.push(LinkKind::Abstract);
        request.closed.extend(&self.hidden);
        request.closed.extend(self.topology.link_ids().skip(self.across));
        request
    }

    /// The best ways, up to `most` of them.
    ///
    /// # Errors
    ///
    /// [`Absence`] where there is none.
    pub fn ranked(&self, request: &Request, most: usize) -> Result<Vec<Answer>, Absence> {
        self.search(request, |network, request| network.ranked(request, most))
    }

    /// Answers over what is known; if there are none, over what is only known to be there: first
    /// inside of the target's domain, then across others.
    ///
    /// # Errors
    ///
    /// [`Absence`] where there is none.
    pub fn search(
        &self,
        request: &Request,
        find: impl Fn(&Network<'_>, &Request) -> Result<Vec<Answer>, Absence>,
    ) -> Result<Vec<Answer>, Absence> {
        let network = Network::new(&self.topology);
        let known = self.over_known(request);
        let opened = |first: usize| {
            let is_opened = |link: &LinkId| link.position() >= first;
            let mut request = known.clone();
            request.closed.retain(|link| !is_opened(link));
            request
        };
        let or_unknown = |absence: Absence| {
            let request = opened(self.across);
            if request.constraints.iter().all(|one| *one == Constraint::AvoidDrained) {
                let inside = find(&network, &opened(self.inside));
                return inside.or_else(|_| find(&network, &request));
            }
            let bare = Request { constraints: Vec::new(), ..request };
            let is_cut_off = matches!(absence, Absence::Unconnected | Absence::OtherKinds(_));
            let is_led = is_cut_off && network.best(&bare).is_ok();
            Err(if is_led { Absence::Unproven } else { absence })
        };
        let told = |answer: Answer| {
            let optimal = answer.optimal && !self.is_unknown(&answer.path);
            Answer { optimal, ..answer }
        };
        find(&network, &known)
            .or_else(or_unknown)
            .map(|answers| answers.into_iter().map(told).collect())
    }
}

/// Who looks, and where to.
struct Eye<'t> {
    topology: &'t Topology,
    from: NodeId,
    to: NodeId,
}

impl Eye<'_> {
    /// How much of the domain of a node is seen.
    fn shows(&self, node: NodeId) -> Visibility {
        let domain = &self.topology[node].domain;
        if *domain == self.topology[self.from].domain {
            return Visibility::Full;
        }
        let listed = self.topology.domains.iter().find(|one| Some(&one.name) == domain.as_ref());
        listed.map_or(Visibility::Full, |domain| domain.shows)
    }

    fn is_hidden_inside(&self, node: NodeId) -> bool {
        self.shows(node) != Visibility::Full
    }

    fn are_together(&self, [one, other]: [NodeId; 2]) -> bool {
        self.topology[one].domain == self.topology[other].domain
    }

    fn sees_link(&self, id: LinkId) -> bool {
        let link = &self.topology[id];
        if !self.are_together(link.ends) {
            return link.ends.iter().all(|end| self.sees_node(*end));
        }
        match self.shows(link.ends[0]) {
            Visibility::Full => true,
            Visibility::Feasibility => link.kind == LinkKind::Abstract,
            Visibility::Reachability => false,
        }
    }

    /// Nodes that show everything, ways into a domain, borders between which a summary is shown, and the
    /// target.
    fn sees_node(&self, node: NodeId) -> bool {
        let is_summed_up = || {
            let mut links = self.topology.links_of(node).map(|(link, _)| &self.topology[link]);
            links.any(|link| link.kind == LinkKind::Abstract && self.are_together(link.ends))
        };
        node == self.to
            || self.gateways(node).next().is_some()
            || match self.shows(node) {
                Visibility::Full => true,
                Visibility::Feasibility => is_summed_up(),
                Visibility::Reachability => false,
            }
    }

    /// Ways into its own domain that a node is.
    fn gateways(&self, node: NodeId) -> impl Iterator<Item = &Gateway> {
        let gateways = self.topology.gateways.iter();
        gateways.filter(move |gateway| {
            let is_own = self.topology[node].domain.as_ref() == Some(&gateway.domain);
            is_own && gateway.nodes.contains(&node)
        })
    }

    /// Nodes that are seen and joined by what is not: each pair once.
    fn joined(&self, hidden: &[LinkId]) -> Vec<[NodeId; 2]> {
        let mut pairs: Vec<[NodeId; 2]> = Vec::new();
        for node in self.topology.ids().filter(|node| self.sees_node(*node)) {
            // Where summaries are shown, they are all there is to cross by.
            let into_summed_up = node == self.to;
            let beyond = self.beyond(node, hidden, into_summed_up);
            for other in beyond.into_iter().chain(self.behind(node)) {
                let pair = if node < other { [node, other] } else { [other, node] };
                if node != other && !pairs.contains(&pair) {
                    pairs.push(pair);
                }
            }
        }
        pairs
    }

    /// Nodes that are seen, and that a node can reach over what is not.
    fn beyond(&self, node: NodeId, hidden: &[LinkId], into_summed_up: bool) -> Vec<NodeId> {
        let mut found = vec![node];
        let mut next = 0;
        while let Some(at) = found.get(next).copied() {
            next += 1;
            if at != node && self.sees_node(at) {
                continue;
            }
            for (link, side) in self.topology.links_of(at) {
                let far = self.topology[link].at(side.opposite());
                let ends = [at, far];
                let is_summed_up = self.are_together(ends)
                    && self.shows(at) == Visibility::Feasibility
                    && !into_summed_up;
                if hidden.contains(&link) && !is_summed_up && !found.contains(&far) {
                    found.push(far);
                }
            }
        }
        found.into_iter().skip(1).filter(|at| self.sees_node(*at)).collect()
    }

    /// The target, where a node is a way to it and nothing of the way is seen.
    fn behind(&self, node: NodeId) -> Option<NodeId> {
        let addresses = &self.topology[self.to].loopbacks;
        let leads = |gateway: &Gateway| {
            let holds = |prefix: &IpNet| addresses.iter().any(|address| prefix.contains(address));
            let is_own = self.topology[self.to].domain.as_ref() == Some(&gateway.domain);
            is_own && gateway.prefixes.iter().any(|one| holds(&one.prefix))
        };
        let is_way = self.gateways(node).any(leads) && self.is_hidden_inside(self.to);
        is_way.then_some(self.to)
    }
}

/// A link of which nothing is known.
fn stretch(topology: &Topology, ends: [NodeId; 2]) -> Link {
    let direction = Direction {
        igp: u32::MAX,
        te: u32::MAX,
        delay: UNKNOWN_DELAY,
        loss: Ratio::from_billionths(1_000_000_000).unwrap_or_default(),
        ..Direction::default()
    };
    let [first, second] = ends.map(|end| &topology[end].name);
    Link {
        name: format!("{first}~{second}"),
        ends,
        kind: LinkKind::Abstract,
        directions: Directions([direction.clone(), direction]),
        adjacency: None,
        end_x: None,
        interfaces: None,
        addresses: [Vec::new(), Vec::new()],
    }
}

/// A way cut where something is not known: what is known before, between and behind.
#[must_use]
pub fn known_parts(view: &View, path: &Path) -> Vec<Path> {
    let topology = view.topology();
    let mut parts = vec![(path.start(), Vec::new())];
    for hop in path.hops() {
        if view.is_stretch(hop.link) {
            parts.push((hop.to(topology), Vec::new()));
        } else if let Some((_, hops)) = parts.last_mut() {
            hops.push(*hop);
        }
    }
    let part = |(start, hops): (NodeId, Vec<Hop>)| Path::new(topology, start, hops);
    parts.into_iter().filter_map(part).collect()
}
