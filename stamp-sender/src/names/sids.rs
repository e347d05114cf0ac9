//! Names over SRv6.

use stamp_config::steering::{Segment, SegmentWords, Segments};
use stamp_path::NodeId;
use stamp_path::segments::{Origin, SidKind, SidWalk, Step};
use stamp_proto::sr::segment::Sid;

use super::{Found, Lists, Resolver, refused};
use crate::command_line::{ModeName, Srv6Name, SteeringFlags};
use crate::exit::Failure;

/// What the last of a list is for.
#[derive(Clone, Copy)]
struct Last {
    /// What its node is to do.
    kind: SidKind,
    /// This node is left out there: its own address follows, and its End SID would not lead to it.
    left_out: Option<NodeId>,
}

impl Resolver<'_> {
    /// Both lists as SIDs: each of the kind that its place asks for.
    pub(super) fn sids(&self, lists: &Lists, flags: &mut SteeringFlags) -> Result<(), Failure> {
        let begin = match self.here {
            Some(Origin::Node(node) | Origin::Behind(node) | Origin::At(node)) => Some(node),
            None => None,
        };
        let mut walk = SidWalk::new(self.topology, begin);
        let looped = flags.mode.is_looped();
        let way_on = match flags.srv6 {
            Some(Srv6Name::Usid) => SidKind::Un,
            _ => SidKind::End,
        };
        let tunnel = matches!(flags.srv6, Some(Srv6Name::Encap | Srv6Name::Reduced));
        let returns = looped && (lists.back.is_some() || flags.return_binding_sid.is_some());
        if let Some(forward) = &lists.forward {
            let takes_off = tunnel && !returns;
            let last = Last {
                kind: if takes_off { SidKind::EndDt6 } else { way_on },
                left_out: self.far.filter(|_| !looped && !tunnel),
            };
            let sids = self.sid_list(forward, &mut walk, (way_on, last), "--segments")?;
            flags.segments = Some(Segments::Sids(sids));
            self.ask_by_sid(forward, flags)?;
        }
        if let Some(back) = &lists.back {
            let takes_off = tunnel && looped;
            let last = Last {
                kind: if takes_off { SidKind::EndDt6 } else { way_on },
                left_out: self.own_node().filter(|_| !takes_off),
            };
            let sids = self.sid_list(back, &mut walk, (way_on, last), lists.back_flag)?;
            flags.return_segments = Some(Segments::Sids(sids)).filter(|sids| !sids.is_empty());
        }
        Ok(())
    }

    fn sid_list(
        &self,
        words: &SegmentWords,
        walk: &mut SidWalk<'_>,
        (way_on, last): (SidKind, Last),
        flag: &'static str,
    ) -> Result<Vec<Sid>, Failure> {
        let mut sids = Vec::new();
        for (position, word) in words.0.iter().enumerate() {
            let is_last = position + 1 == words.0.len();
            match self.find(word, flag)? {
                Found::Named(Step::Node(node), _) if is_last && last.left_out == Some(node) => {}
                Found::Named(step, _) => {
                    let kind = if is_last { last.kind } else { way_on };
                    let sid = walk.step(step, kind).map_err(|error| refused(flag, &error))?;
                    sids.push(Sid(sid));
                }
                Found::Written(Segment::Sid(sid)) => {
                    walk.pass(sid.0);
                    sids.push(sid);
                }
                Found::Written(Segment::Label(label)) => {
                    let problem = format!("{label} is a label among SIDs");
                    return Err(Failure::Usage { flag, problem });
                }
            }
        }
        Ok(sids)
    }

    /// The SID at which the last node of the way there writes its timestamp.
    fn ask_by_sid(&self, words: &SegmentWords, flags: &mut SteeringFlags) -> Result<(), Failure> {
        if flags.mode != ModeName::EnhancedLoopback || flags.end_tsf.is_some() {
            return Ok(());
        }
        let Some(last) = words.0.last() else { return Ok(()) };
        if let Found::Named(Step::Node(node), _) = self.find(last, "--segments")? {
            let sid = self.topology.sid(node, SidKind::EndTsf);
            flags.end_tsf = Some(sid.map_err(|error| refused("--segments", &error))?);
        }
        Ok(())
    }
}
