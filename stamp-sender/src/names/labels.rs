//! Names over SR-MPLS.

use stamp_config::steering::{
    Segment, SegmentWords, Segments, TimestampLabel, TimestampLabelValue,
};
use stamp_path::NodeId;
use stamp_path::segments::{LabelWalk, Origin, Start, Step};
use stamp_path::topology::TimestampLabel as NodeLabel;
use stamp_proto::sr::mpls::Label;
use stamp_proto::time::TimestampFormat;

use super::{Found, Lists, Resolver, refused};
use crate::command_line::{ModeName, SteeringFlags};
use crate::exit::Failure;

impl Resolver<'_> {
    /// Both lists as labels: each as its reader knows it.
    pub(super) fn labels(&self, lists: &Lists, flags: &mut SteeringFlags) -> Result<(), Failure> {
        let Some(forward) = &lists.forward else {
            return match &lists.back {
                Some(back) => self.way_of_replies((back, lists.back_flag), self.far, flags),
                None => Ok(()),
            };
        };
        if self.here.is_none() && !self.names_any(lists) {
            // Numbers alone need no place to begin at.
            flags.segments = forward.plain();
            flags.return_segments = lists.back.as_ref().and_then(SegmentWords::plain);
            return Ok(());
        }
        let mut walk = LabelWalk::new(self.topology, self.here()?);
        let labels = self.walk(forward, &mut walk, "--segments", flags)?;
        if labels.is_empty() {
            let problem = "a neighbour wants no label: name a segment behind it, or its label";
            return Err(Failure::Usage { flag: "--segments", problem: problem.to_owned() });
        }
        flags.segments = Some(Segments::Labels(labels));
        self.set_out(walk.start(), flags)?;
        if let Some(node) = walk.at() {
            self.ask(node, flags);
        }
        match &lists.back {
            // The node where the list there ends reads on.
            Some(back) if flags.mode.is_looped() => {
                let labels = self.walk(back, &mut walk, lists.back_flag, flags)?;
                flags.return_segments = Some(Segments::Labels(labels));
                Ok(())
            }
            Some(back) => {
                self.way_of_replies((back, lists.back_flag), walk.at().or(self.far), flags)
            }
            None => Ok(()),
        }
    }

    fn names_any(&self, lists: &Lists) -> bool {
        let mut words =
            [&lists.forward, &lists.back].into_iter().flatten().flat_map(|list| &list.0);
        words.any(|word| !matches!(self.find(word, "--segments"), Ok(Found::Written(_))))
    }

    /// Labels that a reflector puts before its reply.
    fn way_of_replies(
        &self,
        (words, flag): (&SegmentWords, &'static str),
        reflector: Option<NodeId>,
        flags: &mut SteeringFlags,
    ) -> Result<(), Failure> {
        if let Some(labels) = words.plain() {
            flags.return_segments = Some(labels);
            return Ok(());
        }
        let Some(reflector) = reflector else {
            let problem = "HOST is no node of the topology, so nobody knows where replies set out";
            return Err(Failure::Usage { flag, problem: problem.to_owned() });
        };
        let mut walk = LabelWalk::new(self.topology, Origin::Node(reflector));
        let labels = self.walk(words, &mut walk, flag, flags)?;
        flags.return_segments = Some(Segments::Labels(labels));
        Ok(())
    }

    fn walk(
        &self,
        words: &SegmentWords,
        walk: &mut LabelWalk<'_>,
        flag: &'static str,
        flags: &mut SteeringFlags,
    ) -> Result<Vec<Label>, Failure> {
        let mut labels = Vec::new();
        for word in &words.0 {
            let (step, name) = match self.find(word, flag)? {
                Found::Named(step, name) => (step, Some(name)),
                Found::Written(Segment::Label(label)) => (Step::Label(label), None),
                Found::Written(Segment::Sid(sid)) => {
                    let problem = format!("{sid} is a SID among labels");
                    return Err(Failure::Usage { flag, problem });
                }
            };
            if let Some(label) = walk.step(step).map_err(|error| refused(flag, &error))? {
                flags.named.labels.extend(name.map(|name| (label.to_string(), name)));
                labels.push(label);
            }
        }
        Ok(labels)
    }

    /// Frames leave towards the first node, for which the first label was made.
    fn set_out(&self, start: Option<Start>, flags: &mut SteeringFlags) -> Result<(), Failure> {
        match start {
            Some(Start::Toward(node)) => {
                flags.named.first = self.topology[node].loopbacks.clone();
                flags.named.toward = Some(self.topology[node].name.clone());
            }
            Some(Start::Over(link)) if flags.via.is_none() => {
                let link = &self.topology[link].name;
                let problem =
                    format!("the list begins with link {link} of this host: name its interface");
                return Err(Failure::Usage { flag: "--via", problem });
            }
            Some(Start::Over(link)) => {
                flags.named.toward = Some(self.topology[link].name.clone());
            }
            None => {}
        }
        Ok(())
    }

    /// The label by which the last node of the way there is asked for its timestamp.
    fn ask(&self, node: NodeId, flags: &mut SteeringFlags) {
        if flags.mode != ModeName::EnhancedLoopback || flags.timestamp_label.is_some() {
            return;
        }
        flags.timestamp_label = self.topology[node].timestamp_label.map(asks_for_stamps);
    }
}

/// How the label of a node is written into probes.
pub fn asks_for_stamps(label: NodeLabel) -> TimestampLabel {
    match label {
        NodeLabel::Extended { label } => TimestampLabel {
            label: TimestampLabelValue::Extended(label),
            offset: None,
            format: TimestampFormat::Ptp,
        },
        NodeLabel::Assigned { label, offset_octets, format } => TimestampLabel {
            label: TimestampLabelValue::Assigned(label),
            offset: offset_octets,
            format: format.unwrap_or(TimestampFormat::Ptp),
        },
    }
}
