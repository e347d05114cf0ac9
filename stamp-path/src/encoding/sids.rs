//! From an intent to SIDs.

use core::net::Ipv6Addr;

use stamp_proto::sr::segment::{SegmentList, Sid};

use super::error::{EncodeError, Lack};
use super::forwarding::Forwarding;
use super::intent::Intent;
use super::labels::{Imposer, Segment};
use super::packet::Item;
use super::search::{Found, Move, Moves, Places, search};
use super::sid_table::Micro;
use super::walk::{Bounds, Trace, Walk};
use crate::path::Hop;
use crate::segments::SidKind;
use crate::topology::NodeId;

/// SIDs that keep packets to an intent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SidList {
    /// What the SIDs mean, in the order of travel.
    pub segments: Vec<Segment>,
    /// The link packets set out over, where the first segment is one of the imposing node itself.
    pub over: Option<Hop>,
    /// One for each segment but the link of [`Self::over`].
    pub sids: Vec<Ipv6Addr>,
    /// The same as they go into addresses: micro-SIDs in containers, others as they are.
    pub containers: Vec<Ipv6Addr>,
    /// What packets can touch. Never more than was meant.
    pub walk: Walk,
    /// They can touch everything that was meant.
    pub covers: bool,
}

/// Which SIDs a list is made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SidKinds {
    /// Of nodes on the way: End or uN.
    pub on_the_way: SidKind,
    /// Of the node at the end.
    pub last: SidKind,
}

impl SidKinds {
    /// Whole SIDs.
    pub const END: Self = Self { on_the_way: SidKind::End, last: SidKind::End };
    /// Micro-SIDs, where nodes have them.
    pub const MICRO: Self = Self { on_the_way: SidKind::Un, last: SidKind::Un };
}

/// What a list costs; the first that differs decides.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
struct Cost {
    /// Addresses in the header.
    containers: usize,
    /// Places taken in the last of them; all, when nothing fits behind what is in it.
    taken: usize,
    segments: usize,
    /// Links that packets spread over, below zero: the more the better.
    spread: i64,
    /// SIDs of links.
    local: usize,
}

#[derive(Clone, Copy, Debug)]
struct Choice {
    segment: Segment,
    item: Item,
    micro: Option<Micro>,
    is_last: bool,
}

struct SidMoves<'f, 't> {
    forwarding: &'f Forwarding<'t>,
    intent: &'f Intent,
    imposer: Imposer,
    kinds: SidKinds,
}

/// Stands for the end of the list, which is more than to be at the last node.
const DELIVERED: usize = usize::MAX;

impl Forwarding<'_> {
    /// The fewest SIDs that keep packets to `intent` and end with one of its last node.
    ///
    /// With micro-SIDs it is the fewest addresses that hold them, as long as one block holds them all.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] when nothing is to be done, when no SIDs do it, or when they are more than a node
    /// on the way works on.
    pub fn encode_sids(
        &self,
        imposer: Imposer,
        intent: &Intent,
        kinds: SidKinds,
    ) -> Result<SidList, EncodeError> {
        let moves = SidMoves { forwarding: self, intent, imposer, kinds };
        if intent.ends().contains(&Intent::START) {
            return Err(EncodeError::Nothing { node: self.name(intent.start()) });
        }
        let chosen = match search(&moves, Cost::default()) {
            Found::List { moves } => moves,
            Found::Stuck { places } => return Err(moves.stuck(&places)),
        };
        let choices: Vec<Choice> = chosen.iter().map(|step| step.segment).collect();
        let over = choices.iter().find_map(|choice| match (choice.item, choice.segment) {
            (Item::Over(_), Segment::Link(hop)) => Some(hop),
            _ => None,
        });
        let micro = choices.iter().filter_map(|choice| match choice.item {
            Item::Sid(sid) => Some((choice.segment, sid, choice.micro)),
            _ => None,
        });
        let micro: Vec<(Segment, Ipv6Addr, Option<Micro>)> = micro.collect();
        let containers = moves.pack(&micro)?;
        let walk = self.walk_sids(intent.start(), over, &containers)?;
        let covers = intent.hops().all(|hop| walk.hops.contains(&hop));
        let segments = choices.iter().map(|choice| choice.segment).collect();
        let sids = micro.iter().map(|(_, sid, _)| *sid).collect();
        Ok(SidList { segments, over, sids, containers, walk, covers })
    }
}

impl SidMoves<'_, '_> {
    fn node(&self, place: usize) -> NodeId {
        self.intent.node(place)
    }

    /// The SID of a node that leads on from it, or ends there.
    fn sid(&self, node: NodeId, is_last: bool) -> Option<Ipv6Addr> {
        let known = &self.forwarding.topology[node];
        let kind = if is_last { self.kinds.last } else { self.kinds.on_the_way };
        let asked = self.forwarding.topology.sid(node, kind).ok();
        // A node that has no micro-SID may have a whole one.
        let whole = || known.sids.end.filter(|_| kind == SidKind::Un).map(|sid| sid.address());
        asked.or_else(whole).filter(|_| known.sr)
    }

    fn choices(&self, place: usize, cost: &Cost) -> Vec<Choice> {
        let table = &self.forwarding.sids;
        let micro = |sid: Ipv6Addr| {
            let known = table.get(sid).and_then(|known| known.micro);
            known.filter(|_| self.kinds.on_the_way == SidKind::Un)
        };
        let choice = |segment: Segment, sid: Ipv6Addr, is_last: bool| Choice {
            segment,
            item: Item::Sid(sid),
            micro: micro(sid),
            is_last,
        };
        let beyond: Vec<usize> =
            self.intent.beyond(&Places::from([place])).into_iter().rev().collect();
        let mut found = Vec::new();
        for other in beyond {
            let node = self.node(other);
            let is_end = self.intent.ends().contains(&other);
            let last = self.sid(node, true).filter(|_| is_end);
            found.extend(last.map(|sid| choice(Segment::Node(node), sid, true)));
            let on = self.sid(node, false).filter(|_| other != place);
            found.extend(on.map(|sid| choice(Segment::Node(node), sid, false)));
            for (hop, _) in self.intent.onward(other) {
                let topology = self.forwarding.topology;
                let own = topology[hop.link].end_x_of(hop.side).filter(|_| topology[node].sr);
                found.extend(own.map(|sid| choice(Segment::Link(*hop), sid.address(), false)));
            }
        }
        if self.imposer == Imposer::Node && cost.segments == 0 {
            found.extend(self.intent.onward(place).iter().map(|(hop, _)| Choice {
                segment: Segment::Link(*hop),
                item: Item::Over(hop.link),
                micro: None,
                is_last: false,
            }));
        }
        found
    }

    /// What the header looks like with one more segment in it.
    fn with(&self, cost: &Cost, choice: Choice) -> Cost {
        let Item::Sid(_) = choice.item else { return *cost };
        let capacity = |micro: Micro| micro.block.capacity();
        let (containers, taken) = match choice.micro {
            None => (cost.containers + 1, usize::MAX),
            Some(micro)
                if cost.taken.saturating_add(micro.places) <= capacity(micro)
                    && cost.containers > 0 =>
            {
                (cost.containers, cost.taken + micro.places)
            }
            Some(micro) => (cost.containers + 1, micro.places),
        };
        Cost { containers, taken, ..*cost }
    }

    /// Micro-SIDs of one block that follow each other, in containers; checks what is left in the header
    /// where each is read.
    fn pack(
        &self,
        list: &[(Segment, Ipv6Addr, Option<Micro>)],
    ) -> Result<Vec<Ipv6Addr>, EncodeError> {
        let same = |one: &(_, _, Option<Micro>), other: &(_, _, Option<Micro>)| {
            one.2.is_some() && one.2.map(|micro| micro.block) == other.2.map(|micro| micro.block)
        };
        let mut containers = Vec::new();
        for run in list.chunk_by(same) {
            let sids = run.iter().map(|(_, sid, _)| Sid(*sid)).collect();
            let whole = run.iter().map(|(_, sid, _)| *sid);
            let block = run.first().and_then(|(_, _, micro)| *micro).map(|micro| micro.block);
            match block.zip(SegmentList::new(sids)) {
                Some((block, sids)) => {
                    let packed = block.compress(&sids)?;
                    containers.extend(packed.containers.segments().iter().map(|sid| sid.0));
                }
                None => containers.extend(whole),
            }
        }
        self.check_left(list, containers.len())?;
        Ok(containers)
    }

    /// No node on the way finds more segments left than it works on. What it finds is at most all but
    /// the first.
    fn check_left(
        &self,
        list: &[(Segment, Ipv6Addr, Option<Micro>)],
        containers: usize,
    ) -> Result<(), EncodeError> {
        let needed = containers.saturating_sub(1);
        let topology = self.forwarding.topology;
        for (segment, _, _) in list {
            let node = match segment {
                Segment::Link(hop) => hop.from(topology),
                Segment::Node(node) => *node,
                Segment::Anycast(_) | Segment::Tunnel(_) | Segment::Peer(_) => continue,
            };
            if let Some(limit) = topology[node].msd.srh.map(usize::from).filter(|it| needed > *it) {
                let node = self.forwarding.name(node);
                return Err(EncodeError::SegmentsLeft { needed, limit, node });
            }
        }
        Ok(())
    }

    /// Why nothing leads on from these places.
    fn stuck(&self, places: &Places) -> EncodeError {
        let place = places.first().copied().unwrap_or(Intent::START);
        let at = self.forwarding.name(self.node(place));
        let Some((hop, next)) = self.intent.onward(place).first().copied() else {
            let sid = self.kinds.last;
            return EncodeError::NoLastSid { node: at, kind: sid };
        };
        let topology = self.forwarding.topology;
        let over = topology[hop.link].name.clone();
        let next = self.node(next);
        let lack = match self.sid(next, false).or_else(|| self.sid(next, true)) {
            None => Lack::Unnamed { next: self.forwarding.name(next) },
            Some(sid) => {
                let mut trace = Trace::new(self.forwarding, self.intent);
                match trace.follow(place, vec![Item::Sid(sid)]) {
                    Err(stray) => Lack::Lost { stray },
                    Ok(_) => Lack::elsewhere(topology, (hop, next), &trace.walk),
                }
            }
        };
        EncodeError::NoSegment { at, over, lack }
    }
}

impl Moves for SidMoves<'_, '_> {
    type Segment = Choice;
    type Cost = Cost;

    fn is_end(&self, places: &Places) -> bool {
        places.contains(&DELIVERED)
    }

    fn from(&self, places: &Places, cost: &Cost) -> Vec<Move<Choice, Cost>> {
        let Some(place) = places.first().copied() else { return Vec::new() };
        let moves = self.choices(place, cost).into_iter().filter_map(|choice| {
            let mut trace = Trace::new(self.forwarding, self.intent);
            let mut stack = vec![choice.item];
            if !choice.is_last {
                stack.insert(0, Item::Pause);
            }
            if !trace.follow(place, stack).ok()? || trace.ends.len() != 1 {
                return None;
            }
            let spread = i64::try_from(trace.walk.hops.len()).unwrap_or(i64::MAX);
            let cost = Cost {
                segments: cost.segments + 1,
                spread: cost.spread - spread,
                local: cost.local + usize::from(matches!(choice.segment, Segment::Link(_))),
                ..self.with(cost, choice)
            };
            if choice.is_last && !trace.ends.is_subset(self.intent.ends()) {
                return None;
            }
            let ends = if choice.is_last { Places::from([DELIVERED]) } else { trace.ends };
            (ends != *places).then_some(Move { segment: choice, ends, cost })
        });
        moves.collect()
    }
}

#[cfg(test)]
mod tests;
