//! What one node does with one packet.

use core::net::Ipv6Addr;

use stamp_proto::sr::mpls::Label;

use super::Stray;
use super::forwarding::{Forwarding, Goal, Meaning};
use super::reading::{Notes, Read};
use super::sid_table::Function;
use super::walk::End;
use crate::path::Hop;
use crate::topology::{self, LinkId, NodeId, TimestampLabel};

/// What leads a packet on, the last one first.
pub(super) type Stack = Vec<Item>;

/// Something that leads a packet on.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Item {
    /// Read by the node it stands on top at.
    Label(Label),
    /// Imposed here: from the next node on it is a label.
    Impose(Goal),
    /// To a goal by the shortest way, whatever labels that takes: inside of a tunnel.
    Toward(Goal),
    /// Over a link, likewise.
    Over(LinkId),
    /// To an address of a node, without labels.
    Address(NodeId),
    /// A SID or a container of them, as it is the destination address.
    Sid(Ipv6Addr),
    /// More that is of no concern here: packets are followed this far.
    Pause,
}

/// What becomes of a packet at a node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    Ends(End),
    /// On over each of these, all equally likely.
    Leaves(Vec<(Hop, Stack)>),
    /// On from here, spread over several ways, each with its weight.
    Splits(Vec<(u32, Stack)>),
    /// Through a tunnel of which nothing is known but its end.
    Vanishes {
        tunnel: usize,
        stack: Stack,
    },
}

impl Forwarding<'_> {
    /// What becomes of a packet, and into `notes` what else there is to know.
    pub(super) fn fate(
        &self,
        node: NodeId,
        mut stack: Stack,
        notes: &mut Notes,
    ) -> Result<Fate, Stray> {
        loop {
            let Some(top) = stack.pop() else { return Ok(Fate::Ends(End::Node(node))) };
            match top {
                Item::Label(label) if label.is_special() => {
                    notes.read(Read::Label(label));
                    self.special(node, label, &mut stack, notes)?;
                }
                Item::Label(label) => {
                    notes.read(Read::Label(label));
                    if let Some(fate) = self.read(node, label, &mut stack, notes)? {
                        return Ok(fate);
                    }
                }
                Item::Impose(goal) | Item::Toward(goal) if self.owns(node, goal) => {}
                Item::Impose(goal) => return self.labelled(node, goal, &stack),
                Item::Toward(goal) => return self.toward(node, goal, (top, &stack)),
                Item::Address(target) if target == node => {}
                Item::Address(target) => {
                    return self.routed(node, target, &stack);
                }
                Item::Over(link) => return self.over(node, link, stack).map(leaves),
                Item::Sid(sid) => {
                    if let Some(fate) = self.at_sid(node, sid, &mut stack, notes)? {
                        return Ok(fate);
                    }
                }
                Item::Pause => return Ok(Fate::Ends(End::Node(node))),
            }
        }
    }

    /// What a label does that is not for special purposes; nothing when it only comes off.
    fn read(
        &self,
        node: NodeId,
        label: Label,
        stack: &mut Stack,
        notes: &mut Notes,
    ) -> Result<Option<Fate>, Stray> {
        let below = stack.iter().rev().map_while(|item| match item {
            Item::Label(label) => Some(*label),
            _ => None,
        });
        let meaning = self.meaning(node, label, below);
        let unknown = || Stray::UnknownLabel { node: self.name(node), label };
        Ok(match meaning.ok_or_else(unknown)? {
            Meaning::Stamp => {
                notes.stamps = true;
                None
            }
            Meaning::Toward(goal) if self.owns(node, goal) => None,
            Meaning::Toward(goal) => Some(self.labelled(node, goal, stack)?),
            Meaning::Over(hop) => Some(leaves((hop, core::mem::take(stack)))),
            Meaning::Through(tunnel) => self.enter(tunnel, stack),
            Meaning::Out(peer) => Some(self.leave(node, peer, stack)?),
            Meaning::Behind(prefix, labels) => {
                stack.truncate(stack.len().saturating_sub(labels));
                Some(Fate::Ends(End::Prefix(prefix)))
            }
        })
    }

    /// Special-purpose labels in front of a test packet: explicit null, an entropy label, a timestamp.
    fn special(
        &self,
        node: NodeId,
        label: Label,
        stack: &mut Stack,
        notes: &mut Notes,
    ) -> Result<(), Stray> {
        match label {
            Label::IPV4_EXPLICIT_NULL | Label::IPV6_EXPLICIT_NULL => Ok(()),
            Label::ENTROPY_INDICATOR => {
                stack.pop().map(|_| ()).ok_or(Stray::NothingBelow { label })
            }
            Label::EXTENSION => {
                let Some(Item::Label(below)) = stack.pop() else {
                    return Err(Stray::NothingBelow { label });
                };
                let own = self.topology[node].timestamp_label;
                let is_own = matches!(own, Some(TimestampLabel::Extended { label })
                    if u32::from(label.value()) == below.value());
                notes.stamps |= is_own;
                let unknown = || Stray::UnknownLabel { node: self.name(node), label: below };
                is_own.then_some(()).ok_or_else(unknown)
            }
            _ => Err(Stray::UnknownLabel { node: self.name(node), label }),
        }
    }

    /// On toward a goal, as each neighbour knows it.
    fn labelled(&self, node: NodeId, goal: Goal, below: &Stack) -> Result<Fate, Stray> {
        let onward = self.onward(node, goal)?;
        let with_label = |(hop, label): (Hop, Option<Label>)| {
            let label = label.map(Item::Label);
            (hop, below.iter().copied().chain(label).collect())
        };
        Ok(Fate::Leaves(onward.into_iter().map(with_label).collect()))
    }

    /// On toward a goal, whose item stays on top.
    fn toward(
        &self,
        node: NodeId,
        goal: Goal,
        (top, below): (Item, &Stack),
    ) -> Result<Fate, Stray> {
        let hops = self.next_hops(node, goal);
        if hops.is_empty() {
            return Err(Stray::Unreachable { node: self.name(node), to: self.goal_name(goal) });
        }
        let whole: Stack = below.iter().copied().chain([top]).collect();
        Ok(Fate::Leaves(hops.into_iter().map(|hop| (hop, whole.clone())).collect()))
    }

    /// On by IP, which not every node forwards.
    fn routed(&self, node: NodeId, target: NodeId, below: &Stack) -> Result<Fate, Stray> {
        if !self.topology[node].ip {
            return Err(Stray::NoRoute { node: self.name(node), to: self.name(target) });
        }
        self.toward(node, Goal::Node(target), (Item::Address(target), below))
    }

    fn over(&self, node: NodeId, link: LinkId, stack: Stack) -> Result<(Hop, Stack), Stray> {
        let known = &self.topology[link];
        let side = known.side_of(node).ok_or_else(|| Stray::ElsewhereThanLink {
            node: self.name(node),
            link: known.name.clone(),
        })?;
        Ok((Hop { link, side }, stack))
    }

    /// On toward the owner of a SID, or what that does; nothing when the next SID is next.
    fn at_sid(
        &self,
        node: NodeId,
        sid: Ipv6Addr,
        stack: &mut Stack,
        notes: &mut Notes,
    ) -> Result<Option<Fate>, Stray> {
        let known = self.sids.get(sid).ok_or(Stray::UnknownSid { sid })?;
        if known.node != node {
            let goal = Goal::Node(known.node);
            if !self.topology[node].ip {
                return Err(Stray::NoRoute { node: self.name(node), to: self.name(known.node) });
            }
            return self.toward(node, goal, (Item::Sid(sid), stack)).map(Some);
        }
        notes.read(Read::Sid(sid));
        let shifted = known.micro.and_then(|micro| micro.block.shift(sid, micro.places));
        stack.extend(shifted.map(Item::Sid));
        let ends = || Some(Fate::Ends(End::Node(node)));
        match (known.function, stack.is_empty()) {
            (Function::End, _) => Ok(None),
            (Function::Stamp, _) => {
                notes.stamps = true;
                Ok(None)
            }
            (Function::Over(hop), false) => Ok(Some(leaves((hop, core::mem::take(stack))))),
            (Function::Over(_), true) => Err(Stray::NothingFollows { node: self.name(node), sid }),
            (Function::Decapsulate | Function::Address, true) => Ok(ends()),
            // The packet inside has a destination of its own.
            (Function::Decapsulate, false) if matches!(stack[..], [Item::Address(_)]) => Ok(None),
            (Function::Decapsulate | Function::Address, false) => {
                Err(Stray::MoreFollows { node: self.name(node), sid })
            }
        }
    }

    /// Puts what a tunnel passes on top; a fate where nobody knows what that is.
    fn enter(&self, tunnel: usize, stack: &mut Stack) -> Option<Fate> {
        let known = &self.topology.tunnels[tunnel];
        if known.via.is_empty() && known.ways.is_empty() {
            let Some(link) = self.only_path(tunnel) else {
                return Some(Fate::Vanishes { tunnel, stack: core::mem::take(stack) });
            };
            stack.push(Item::Over(link));
            return None;
        }
        stack.push(Item::Toward(Goal::Node(known.to)));
        let step = |hop: &topology::Hop| match *hop {
            topology::Hop::Node(node) => Item::Toward(Goal::Node(node)),
            topology::Hop::Link(link) => Item::Over(link),
        };
        let ways = known.routes().map(|(via, weight)| {
            (weight, stack.iter().copied().chain(via.iter().rev().map(step)).collect())
        });
        let mut ways: Vec<(u32, Stack)> = ways.collect();
        if ways.len() > 1 {
            return Some(Fate::Splits(ways));
        }
        (_, *stack) = ways.pop()?;
        None
    }

    fn leave(&self, node: NodeId, peer: usize, stack: &Stack) -> Result<Fate, Stray> {
        let autonomous_system = self.topology.peers[peer].autonomous_system;
        let is_bare = !stack.iter().any(|item| matches!(item, Item::Label(_)));
        let ends = is_bare.then_some(Fate::Ends(End::Peer(peer)));
        ends.ok_or_else(|| Stray::LabelsForPeer { node: self.name(node), autonomous_system })
    }
}

fn leaves(only: (Hop, Stack)) -> Fate {
    Fate::Leaves(vec![only])
}
