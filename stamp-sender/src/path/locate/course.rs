//! Which ways the packets of a session can take, by what its document says of it.

use std::net::{IpAddr, Ipv6Addr};

use stamp_path::Topology;
use stamp_path::encoding::{Departure, End, Forwarding, Route};
use stamp_path::locate::Course;
use stamp_path::path::Hop;
use stamp_path::shortest::ShortestPaths;
use stamp_path::topology::{Label, NodeId};

use crate::output::record::SessionRecord;

/// Where a session begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Begin {
    /// At a node.
    At(NodeId),
    /// At a host behind a node, which reads the first label itself.
    Behind(NodeId),
}

/// Segments of one data plane.
enum List {
    Labels(Vec<Label>),
    Sids(Vec<Ipv6Addr>),
}

/// A topology, and where sessions begin that do not say it.
pub(super) struct Courses<'t> {
    topology: &'t Topology,
    forwarding: Forwarding<'t>,
    begin: Option<Begin>,
}

impl<'t> Courses<'t> {
    pub(super) fn new(topology: &'t Topology, begin: Option<Begin>) -> Self {
        Self { topology, forwarding: Forwarding::new(topology), begin }
    }

    /// The ways of a session; why nobody knows them where that is so.
    pub(super) fn of(&self, session: &SessionRecord) -> Result<Course, String> {
        let begin = self.begin(session)?;
        let path = &session.path;
        let (there, back) = (list(&path.segments)?, list(&path.return_segments)?);
        let (Begin::At(home) | Begin::Behind(home)) = begin;
        if matches!(session.mode.as_str(), "loopback" | "enhanced-loopback") {
            let whole = there.and(back)?;
            return self.routes(session, begin, &whole, Some(home)).map(Course::Loop);
        }
        let far = self.far(session);
        if far.is_none() && there.is_empty() {
            return Err(format!("no node of the topology has the address {}", session.address));
        }
        let there = self.routes(session, begin, &there, far)?;
        let far = far.or_else(|| only_end(&there));
        let Some(far) = far.filter(|_| session.mode != "one-way") else {
            return Ok(Course::Apart { there, back: Vec::new() });
        };
        match session.requests.return_path.as_deref() {
            Some("same-link") => self.by_same_link(there, home).map(Course::Loop),
            asked => {
                let to = asked.and_then(|word| word.parse().ok()).map(|it| self.node_of(it));
                let back = match to.unwrap_or(Some(home)) {
                    Some(home) => self.list_routes((far, None), &back, Some(home))?,
                    None => Vec::new(),
                };
                Ok(Course::Apart { there, back })
            }
        }
    }

    fn begin(&self, session: &SessionRecord) -> Result<Begin, String> {
        let source = session.path.source.parse().ok().and_then(|source| self.node_of(source));
        source.map(Begin::At).or(self.begin).ok_or_else(|| {
            format!(
                "no node of the topology has its source address {}: --from NODE",
                session.path.source
            )
        })
    }

    /// The node whose address this is, on whatever interface.
    fn node_of(&self, address: IpAddr) -> Option<NodeId> {
        let own = self.topology.ids().find(|id| self.topology[*id].loopbacks.contains(&address));
        own.or_else(|| {
            self.topology.links.iter().find_map(|link| {
                let at = link.addresses.iter().position(|own| own.contains(&address))?;
                link.ends.get(at).copied()
            })
        })
    }

    fn far(&self, session: &SessionRecord) -> Option<NodeId> {
        let by_address = session.address.parse().ok().and_then(|address| self.node_of(address));
        let name =
            session.target.rsplit_once(':').map_or(session.target.as_str(), |(name, _)| name);
        by_address.or_else(|| self.topology.node_id(name))
    }

    fn routes(
        &self,
        session: &SessionRecord,
        begin: Begin,
        list: &List,
        to: Option<NodeId>,
    ) -> Result<Vec<Route>, String> {
        let node = match begin {
            Begin::At(node) => node,
            Begin::Behind(node) => {
                let List::Labels(labels) = list else {
                    return self.list_routes((node, None), list, to);
                };
                let departure = Departure { over: None, labels: labels.clone() };
                let routes = self.forwarding.routes(node, &departure, to);
                return routes.map_err(|error| error.to_string());
            }
        };
        let toward = session.path.toward.as_deref().filter(|_| !list.is_empty());
        self.list_routes((node, toward), list, to)
    }

    /// The ways of a list imposed at a node; `toward` says what it begins with, where that is known.
    fn list_routes(
        &self,
        (at, toward): (NodeId, Option<&str>),
        list: &List,
        to: Option<NodeId>,
    ) -> Result<Vec<Route>, String> {
        let labels = match list {
            List::Sids(sids) => {
                let routes = self.forwarding.routes_of_sids((at, None), sids, to);
                return routes.map_err(|error| error.to_string());
            }
            List::Labels(labels) => labels,
        };
        let departures = match toward {
            Some(word) => self.departures(at, word, labels)?,
            None => self.forwarding.departures(at, labels),
        };
        if departures.is_empty() {
            let (name, first) = (&self.topology[at].name, labels.first());
            let first = first.map(ToString::to_string).unwrap_or_default();
            return Err(format!("no neighbour of {name} reads the label {first}"));
        }
        let share = 1.0 / departures.len() as f64;
        let mut routes = Vec::new();
        for departure in &departures {
            let taken =
                self.forwarding.routes(at, departure, to).map_err(|error| error.to_string())?;
            routes.extend(taken.into_iter().map(|it| Route { chance: it.chance * share, ..it }));
        }
        Ok(routes)
    }

    /// As to the node, or over the link, of that name.
    fn departures(
        &self,
        at: NodeId,
        word: &str,
        labels: &[Label],
    ) -> Result<Vec<Departure>, String> {
        let departure = |hop| Departure { over: Some(hop), labels: labels.to_vec() };
        let by_address = || self.node_of(word.parse().ok()?);
        if let Some(target) = self.topology.node_id(word).or_else(by_address) {
            let hops = ShortestPaths::toward(self.topology, target).next_hops(self.topology, at);
            return Ok(hops
                .into_iter()
                .map(|(link, side)| departure(Hop { link, side }))
                .collect());
        }
        let link = self.topology.link_id(word);
        let side = link.and_then(|link| self.topology[link].side_of(at));
        match link.zip(side) {
            Some((link, side)) => Ok(vec![departure(Hop { link, side })]),
            None => Err(format!("the topology has no {word} at {}", self.topology[at].name)),
        }
    }

    /// Replies leave by the link that the probe came in by, and go home from there.
    fn by_same_link(&self, there: Vec<Route>, home: NodeId) -> Result<Vec<Route>, String> {
        let mut loops = Vec::new();
        for route in there {
            let (Some(last), Some(far)) = (route.hops.last(), route.nodes.last().copied()) else {
                continue;
            };
            let departure = Departure { over: Some(last.reversed()), labels: Vec::new() };
            let back = self.forwarding.routes(far, &departure, Some(home));
            for back in back.map_err(|error| error.to_string())? {
                let mut whole = route.clone();
                whole.stamped = Some(route.nodes.len() - 1);
                whole.chance *= back.chance;
                whole.nodes.extend(back.nodes.into_iter().skip(1));
                whole.hops.extend(back.hops);
                whole.hidden.extend(back.hidden);
                whole.end = back.end;
                loops.push(whole);
            }
        }
        Ok(loops)
    }
}

/// The node where all ways end.
fn only_end(routes: &[Route]) -> Option<NodeId> {
    let (first, rest) = routes.split_first()?;
    let End::Node(node) = first.end else { return None };
    rest.iter().all(|route| route.end == first.end).then_some(node)
}

impl List {
    const fn is_empty(&self) -> bool {
        match self {
            Self::Labels(labels) => labels.is_empty(),
            Self::Sids(sids) => sids.is_empty(),
        }
    }

    fn and(self, other: Self) -> Result<Self, String> {
        match (self, other) {
            (one, other) if other.is_empty() => Ok(one),
            (one, other) if one.is_empty() => Ok(other),
            (Self::Labels(one), Self::Labels(other)) => Ok(Self::Labels([one, other].concat())),
            (Self::Sids(one), Self::Sids(other)) => Ok(Self::Sids([one, other].concat())),
            _ => Err("it has labels and SIDs".to_owned()),
        }
    }
}

/// Segments as documents have them.
fn list(words: &[String]) -> Result<List, String> {
    let unknown = |word: &str| format!("{word} is no label and no SID");
    if words.iter().any(|word| word.parse::<Ipv6Addr>().is_ok()) {
        let sids = words.iter().map(|word| word.parse().map_err(|_| unknown(word)));
        return sids.collect::<Result<_, _>>().map(List::Sids);
    }
    let mut labels = Vec::new();
    for word in words {
        let number = match word.strip_prefix("extended:") {
            Some(number) => {
                labels.push(Label::EXTENSION);
                number
            }
            None => word,
        };
        let label = number.parse().ok().and_then(Label::new);
        labels.push(label.ok_or_else(|| unknown(word))?);
    }
    Ok(List::Labels(labels))
}
