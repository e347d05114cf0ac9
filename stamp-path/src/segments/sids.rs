//! SIDs: the same wherever they are read.

use core::fmt;
use core::net::Ipv6Addr;

use super::{SegmentError, Step};
use crate::topology::{NodeId, Topology};

/// What a node is to do at its SID.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SidKind {
    /// End: on to the next segment.
    End,
    /// uN: the same, compressed.
    Un,
    /// End.DT6: take the outer header off.
    EndDt6,
    /// End.TSF: write a timestamp.
    EndTsf,
}

impl fmt::Display for SidKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::End => "End",
            Self::Un => "uN",
            Self::EndDt6 => "End.DT6",
            Self::EndTsf => "End.TSF",
        })
    }
}

/// A list of segments while it is turned into SIDs.
#[derive(Debug)]
pub struct SidWalk<'t> {
    topology: &'t Topology,
    /// Where the list is, if that is known: links have two directions.
    at: Option<NodeId>,
}

impl<'t> SidWalk<'t> {
    /// A list that begins at this node, if at one.
    #[must_use]
    pub const fn new(topology: &'t Topology, at: Option<NodeId>) -> Self {
        Self { topology, at }
    }

    /// The SID of the next segment, of this kind at a node.
    ///
    /// # Errors
    ///
    /// [`SegmentError`] when the node or link has none.
    pub fn step(&mut self, step: Step, kind: SidKind) -> Result<Ipv6Addr, SegmentError> {
        match step {
            Step::Node(node) => {
                let sid = self.topology.sid(node, kind)?;
                self.at = Some(node);
                Ok(sid)
            }
            Step::Link(link) => {
                let known = &self.topology[link];
                let from = self.at.unwrap_or_else(|| known.at(crate::topology::Side::First));
                let beyond = self.topology.beyond(link, from)?;
                let sid = known.side_of(from).and_then(|side| known.end_x_of(side));
                let sid = sid.ok_or_else(|| SegmentError::NoEndX { link: known.name.clone() })?;
                self.at = Some(beyond);
                Ok(sid.address())
            }
            Step::Label(label) => Err(SegmentError::Astray { behind: label }),
        }
    }

    /// A SID that was written as one.
    pub fn pass(&mut self, sid: Ipv6Addr) {
        let is_of = |node: &NodeId| {
            [SidKind::End, SidKind::Un, SidKind::EndDt6, SidKind::EndTsf]
                .into_iter()
                .any(|kind| self.topology.sid(*node, kind) == Ok(sid))
        };
        self.at = self.topology.ids().find(is_of);
    }

    /// Where the list is by now, if that is known.
    #[must_use]
    pub const fn at(&self) -> Option<NodeId> {
        self.at
    }
}

impl Topology {
    /// The SID of a node that stands for this.
    ///
    /// # Errors
    ///
    /// [`SegmentError::NoSid`].
    pub fn sid(&self, node: NodeId, kind: SidKind) -> Result<Ipv6Addr, SegmentError> {
        let node = &self[node];
        let sid = match kind {
            SidKind::End => node.sids.end.map(|sid| sid.address()),
            SidKind::Un => node.sids.un.map(|un| un.prefix().network()),
            SidKind::EndDt6 => node.sids.dt6.map(|sid| sid.address()),
            SidKind::EndTsf => node.sids.tsf.map(|sid| sid.address()),
        };
        sid.ok_or_else(|| SegmentError::NoSid { node: node.name.clone(), kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segments::find;

    const TEXT: &str = r#"
        [[node]]
        name = "a"
        sids = { end = "fc00:bb:1:1::/64", un = "fcbb:bb00:1::/48" }
        [[node]]
        name = "b"
        sids = { end = "fc00:bb:2:1::/64", dt6 = "fc00:bb:2:d6::/64", tsf = "fc00:bb:2:f::/64" }
        [[link]]
        ends = ["a", "b"]
        end-x = ["fc00:bb:1:a2::/64", "fc00:bb:2:a1::/64"]
        [[link]]
        name = "bare"
        ends = ["a", "b"]
    "#;

    fn sid(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    #[test]
    fn nodes_have_a_sid_for_each_purpose_and_links_one_for_each_direction() {
        let topology = Topology::read("t.toml", TEXT).unwrap();
        let step = |walk: &mut SidWalk<'_>, word, kind| {
            walk.step(find(&topology, word).unwrap(), kind).map_err(|error| error.to_string())
        };
        let mut walk = SidWalk::new(&topology, None);
        assert_eq!(step(&mut walk, "a", SidKind::Un), Ok(sid("fcbb:bb00:1::")));
        assert_eq!(step(&mut walk, "a-b", SidKind::End), Ok(sid("fc00:bb:1:a2::")));
        assert_eq!(step(&mut walk, "a-b", SidKind::End), Ok(sid("fc00:bb:2:a1::")), "back");
        assert_eq!(step(&mut walk, "b", SidKind::EndTsf), Ok(sid("fc00:bb:2:f::")));
        assert_eq!(step(&mut walk, "bare", SidKind::End), Err("link bare has no End.X SID".into()));
        assert_eq!(step(&mut walk, "a", SidKind::EndDt6), Err("node a has no End.DT6 SID".into()));
        walk.pass(sid("fc00:bb:2:d6::"));
        assert_eq!(walk.at(), topology.node_id("b"));
        walk.pass(sid("2001:db8::"));
        assert_eq!(walk.at(), None);
    }
}
