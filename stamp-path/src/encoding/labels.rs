//! From an intent to labels.

use ipnet::IpNet;
use stamp_proto::sr::mpls::Label;

use super::error::{EncodeError, Lack};
use super::forwarding::{Forwarding, Goal};
use super::intent::Intent;
use super::packet::Item;
use super::search::{Found, Move, Moves, Places, search};
use super::walk::{Bounds, Departure, Trace, Walk};
use crate::path::Hop;
use crate::topology::{NodeId, Topology};

/// Who puts a list on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Imposer {
    /// The first node: it chooses a next hop, which reads the first label.
    Node,
    /// Something before it, such as a host behind it or a list that ends at it: the first node reads
    /// the first label.
    Before,
}

/// One segment of a list.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Segment {
    /// To a node, by the shortest way.
    Node(NodeId),
    /// To the nearest of the nodes that share a prefix.
    Anycast(IpNet),
    /// Over a link.
    Link(Hop),
    /// Through a tunnel, by its place in the topology.
    Tunnel(usize),
    /// Out to a peer, by its place in the topology.
    Peer(usize),
}

impl Segment {
    /// What a user calls it in a list.
    #[must_use]
    pub fn word(self, topology: &Topology) -> String {
        match self {
            Self::Node(node) => topology[node].name.clone(),
            Self::Anycast(prefix) => prefix.to_string(),
            Self::Link(hop) => topology[hop.link].name.clone(),
            Self::Tunnel(place) => topology.tunnels[place].label.to_string(),
            Self::Peer(place) => topology.peers[place].label.to_string(),
        }
    }
}

/// Labels that keep packets to an intent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LabelList {
    /// What the labels mean, in the order of travel.
    pub segments: Vec<Segment>,
    /// How packets set out: one way, or one for each next hop of the imposing node that is equally
    /// good. Their labels may differ, for each next hop reads its own.
    pub departures: Vec<Departure>,
    /// What packets can touch. Never more than was meant.
    pub walk: Walk,
    /// They can touch everything that was meant.
    pub covers: bool,
}

impl LabelList {
    /// The labels, where they are the same for each next hop.
    #[must_use]
    pub fn labels(&self) -> Option<&[Label]> {
        let (first, rest) = self.departures.split_first()?;
        rest.iter().all(|other| other.labels == first.labels).then_some(&first.labels)
    }

    /// The most labels of any departure.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.departures.iter().map(|one| one.labels.len()).max().unwrap_or(0)
    }
}

/// What a list costs; the first that differs decides.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
struct Cost {
    labels: usize,
    segments: usize,
    /// Links that packets spread over, below zero: the more the better.
    spread: i64,
    /// Labels that one node alone knows.
    local: usize,
}

/// A segment, what stands for it on the packet, and where it leads to in the topology.
#[derive(Clone, Copy, Debug)]
struct Choice {
    segment: Segment,
    item: Item,
}

struct LabelMoves<'f, 't> {
    forwarding: &'f Forwarding<'t>,
    intent: &'f Intent,
    imposer: Imposer,
}

impl Forwarding<'_> {
    /// The fewest labels that keep packets to `intent` and bring them to its end; `below` is the number
    /// of labels that will stand under them.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] when nothing is to be done, when no labels do it, or when they are more than the
    /// imposing node can put on.
    pub fn encode_labels(
        &self,
        imposer: Imposer,
        intent: &Intent,
        below: usize,
    ) -> Result<LabelList, EncodeError> {
        let moves = LabelMoves { forwarding: self, intent, imposer };
        let mut chosen = match search(&moves, Cost::default()) {
            Found::List { moves } => moves,
            Found::Stuck { places } => return Err(moves.stuck(&places)),
        };
        chosen.extend(moves.to_peer(chosen.last())?);
        let Some((first, rest)) = chosen.split_first() else {
            return Err(EncodeError::Nothing { node: self.name(intent.start()) });
        };
        moves.check_depth(&chosen, below)?;
        let label = |step: &Move<Choice, Cost>| match step.segment.item {
            Item::Label(label) => Some(label),
            _ => None,
        };
        let rest: Vec<Label> = rest.iter().filter_map(label).collect();
        let departures = moves.depart(first.segment, &rest)?;
        let mut walk = Walk::default();
        for departure in &departures {
            walk = walk.and(self.walk(intent.start(), departure, None)?);
        }
        let segments = chosen.iter().map(|step| step.segment.segment).collect();
        let covers = intent.hops().all(|hop| walk.hops.contains(&hop));
        Ok(LabelList { segments, departures, walk, covers })
    }
}

impl LabelMoves<'_, '_> {
    fn node(&self, place: usize) -> NodeId {
        self.intent.node(place)
    }

    /// Whether nobody has read a label yet.
    fn imposes(&self, cost: &Cost) -> bool {
        self.imposer == Imposer::Node && cost.segments == 0
    }

    /// What can be said at a place, far ends first.
    fn choices(&self, places: &Places, imposes: bool) -> Vec<Choice> {
        let Some(first) = places.first().copied() else { return Vec::new() };
        let reader = self.node(first);
        let nodes: Vec<NodeId> =
            self.intent.beyond(places).into_iter().rev().map(|place| self.node(place)).collect();
        let goals = nodes.iter().map(|node| Goal::Node(*node));
        let goals = goals.chain(self.forwarding.groups_of(&nodes));
        let toward = goals.filter_map(|goal| {
            let label = || self.forwarding.known_as(reader, goal).map(Item::Label);
            let item = if imposes { self.impose(goal) } else { label() };
            Some(Choice { segment: self.forwarding.segment(goal), item: item? })
        });
        let over = self.intent.onward(first).iter().filter_map(|(hop, _)| {
            let topology = self.forwarding.topology;
            let own = topology[hop.link].adjacency_of(hop.side).filter(|_| topology[reader].sr);
            let label = || own.map(Item::Label);
            let item = if imposes { Some(Item::Over(hop.link)) } else { label() };
            Some(Choice { segment: Segment::Link(*hop), item: item? })
        });
        let through = self.forwarding.tunnels_at(reader).filter(|_| !imposes);
        let through = through.map(|(label, place)| Choice {
            segment: Segment::Tunnel(place),
            item: Item::Label(label),
        });
        toward.chain(over).chain(through).collect()
    }

    /// A Prefix-SID as the first segment; none where the goal has none and needs one.
    fn impose(&self, goal: Goal) -> Option<Item> {
        let item = Item::Impose(goal);
        (self.forwarding.index(goal).is_some() || self.is_labelled(item)).then_some(item)
    }

    /// Where packets end that read this at each of the places; none where one goes elsewhere.
    fn follow(&self, places: &Places, choice: Choice) -> Option<Trace<'_, Intent>> {
        let mut trace = Trace::new(self.forwarding, self.intent);
        for place in places {
            if !trace.follow(*place, vec![choice.item]).ok()? {
                return None;
            }
        }
        Some(trace)
    }

    /// How packets set out whose first segment this is.
    fn depart(&self, first: Choice, rest: &[Label]) -> Result<Vec<Departure>, EncodeError> {
        let begin = self.intent.start();
        let departure = |over: Option<Hop>, label: Option<Label>| Departure {
            over,
            labels: label.into_iter().chain(rest.iter().copied()).collect(),
        };
        Ok(match (first.item, first.segment) {
            (Item::Impose(goal), _) => {
                let onward = self.forwarding.onward(begin, goal)?;
                onward.into_iter().map(|(hop, label)| departure(Some(hop), label)).collect()
            }
            (Item::Label(label), _) => vec![departure(None, Some(label))],
            (_, Segment::Link(hop)) => vec![departure(Some(hop), None)],
            _ => vec![departure(None, None)],
        })
    }

    /// The last segment, where a peer is the end: its border node reads it.
    fn to_peer(
        &self,
        last: Option<&Move<Choice, Cost>>,
    ) -> Result<Option<Move<Choice, Cost>>, EncodeError> {
        let Some(place) = self.intent.peer() else { return Ok(None) };
        let (peer, start) = (&self.forwarding.topology.peers[place], self.intent.start());
        let begin = Places::from([Intent::START]);
        let ends = last.map_or(&begin, |last| &last.ends);
        let mut cost = last.map(|last| last.cost).unwrap_or_default();
        if last.is_none() && self.imposer == Imposer::Node {
            return Err(EncodeError::Nothing { node: self.forwarding.name(start) });
        }
        if let Some(other) = ends.iter().map(|end| self.node(*end)).find(|node| *node != peer.at) {
            let [at, node] = [peer.at, other].map(|node| self.forwarding.name(node));
            return Err(EncodeError::PeerElsewhere { label: peer.label, at, node });
        }
        cost.labels += 1;
        let segment = Choice { segment: Segment::Peer(place), item: Item::Label(peer.label) };
        Ok(Some(Move { segment, ends: ends.clone(), cost }))
    }

    /// Whether a segment takes a label.
    fn is_labelled(&self, item: Item) -> bool {
        match item {
            Item::Label(_) => true,
            Item::Impose(goal) => {
                let onward = self.forwarding.onward(self.intent.start(), goal);
                onward.is_ok_and(|ways| ways.iter().any(|(_, label)| label.is_some()))
            }
            Item::Toward(_) | Item::Over(_) | Item::Address(_) | Item::Sid(_) | Item::Pause => {
                false
            }
        }
    }

    fn check_depth(&self, chosen: &[Move<Choice, Cost>], below: usize) -> Result<(), EncodeError> {
        let start = self.intent.start();
        let limit =
            self.forwarding.topology[start].msd.impose.filter(|_| self.imposer == Imposer::Node);
        let needed = chosen.last().map_or(0, |last| last.cost.labels) + below;
        let Some(limit) = limit.map(usize::from).filter(|limit| needed > *limit) else {
            return Ok(());
        };
        // One label is for what is bound: the node that reads it is where the others end.
        let binding_at = limit.checked_sub(below + 1).and_then(|kept| {
            let last = chosen.iter().rev().find(|step| step.cost.labels <= kept);
            let end = last.and_then(|step| step.ends.first()).map(|place| self.node(*place));
            end.or_else(|| self.first_reader(chosen.first()?.segment))
        });
        let binding_at = binding_at.map(|node| self.forwarding.name(node));
        Err(EncodeError::TooDeep { needed, limit, node: self.forwarding.name(start), binding_at })
    }

    /// The neighbour that reads the first label.
    fn first_reader(&self, first: Choice) -> Option<NodeId> {
        let departures = self.depart(first, &[]).ok()?;
        departures.first()?.over.map(|hop| hop.to(self.forwarding.topology))
    }

    /// Why nothing leads on from these places.
    fn stuck(&self, places: &Places) -> EncodeError {
        let Some(place) = places.first().copied() else {
            return EncodeError::NoLink { at: self.forwarding.name(self.intent.start()) };
        };
        let reader = self.node(place);
        let at = self.forwarding.name(reader);
        let Some((hop, next)) = self.intent.onward(place).first().copied() else {
            return EncodeError::NoLink { at };
        };
        let topology = self.forwarding.topology;
        let over = topology[hop.link].name.clone();
        let next = self.node(next);
        let Some(label) = self.forwarding.known_as(reader, Goal::Node(next)) else {
            let lack = Lack::Unnamed { next: self.forwarding.name(next) };
            return EncodeError::NoSegment { at, over, lack };
        };
        let mut trace = Trace::new(self.forwarding, self.intent);
        let lack = match trace.follow(place, vec![Item::Label(label)]) {
            Err(stray) => Lack::Lost { stray },
            Ok(_) => Lack::elsewhere(topology, (hop, next), &trace.walk),
        };
        EncodeError::NoSegment { at, over, lack }
    }
}

impl Moves for LabelMoves<'_, '_> {
    type Segment = Choice;
    type Cost = Cost;

    fn is_end(&self, places: &Places) -> bool {
        places.is_subset(self.intent.ends())
    }

    fn from(&self, places: &Places, cost: &Cost) -> Vec<Move<Choice, Cost>> {
        let imposes = self.imposes(cost);
        let moves = self.choices(places, imposes).into_iter().filter_map(|choice| {
            let trace = self.follow(places, choice)?;
            let spread = i64::try_from(trace.walk.hops.len()).unwrap_or(i64::MAX);
            let cost = Cost {
                labels: cost.labels + usize::from(self.is_labelled(choice.item)),
                segments: cost.segments + 1,
                spread: cost.spread - spread,
                local: cost.local + usize::from(!matches!(choice.segment, Segment::Node(_))),
            };
            (trace.ends != *places).then_some(Move { segment: choice, ends: trace.ends, cost })
        });
        moves.collect()
    }
}

#[cfg(test)]
mod tests;
