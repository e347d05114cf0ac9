//! What replies answer to the requests of their probes.

use stamp_proto::ip::{Dscp, Ecn};
use stamp_proto::time::TimestampFormat;
use stamp_proto::tlv::access_report::AccessReport;
use stamp_proto::tlv::class_of_service::{ClassOfService, ReverseDscp, ReverseEcn};
use stamp_proto::tlv::follow_up_telemetry::FollowUpTelemetry;
use stamp_proto::tlv::location::Location;
use stamp_proto::tlv::micro_session_id::MicroSessionId;
use stamp_proto::tlv::reflected_fixed_header_data::ReflectedFields;
use stamp_proto::tlv::reflected_test_packet_control::ReflectedPackets;
use stamp_proto::tlv::timestamp_information::TimestampInformation;

use super::access_report::AccessReportStatus;
use super::config::SenderConfig;
use super::follow_up::{FollowUpReport, FollowUpTally, FollowUps};
use super::headers::SeenSegments;
use super::malformed::{Conformity, ConformityCounts};
use super::pace::PaceReport;
use super::traffic::{TrafficReading, TrafficSeries};
use crate::snapshot::RequestCounts;

/// Whether a Session-Reflector did what one TLV asked for.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Granted {
    /// The probe did not ask.
    #[default]
    NotAsked,
    /// It says that it did.
    Granted,
    /// It says that it did not, or nothing that can be believed.
    Refused,
}

/// What a Session-Reflector told when one TLV asked for it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Told<T> {
    /// The probe did not ask.
    #[default]
    NotAsked,
    /// It told nothing, or nothing that can be believed.
    Refused,
    /// This.
    Told(T),
}

/// What one reply answers.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Answers {
    /// Whether the node that was named answered; with [`Granted::Refused`] the sample is of another
    /// path.
    pub destination_node: Granted,
    /// Whether the reply took the way that was asked for; with [`Granted::Refused`] the sample is good
    /// for the forward direction only.
    pub return_path: Granted,
    /// What the probe looked like when it arrived.
    pub location: Told<Location>,
    /// What the far timestamps are worth.
    pub timestamp_information: Told<TimestampInformation>,
    /// DSCP and ECN there and back.
    pub class_of_service: Told<ClassOfService>,
    /// When an earlier reply left; `None` in it when the far end says that it does not know.
    pub follow_up: Told<Option<FollowUpTelemetry>>,
    /// How the timestamps of the reply are read, those in its TLVs included.
    pub reply_format: TimestampFormat,
    /// Counters of real traffic.
    pub direct_measurement: Told<TrafficReading>,
    /// The report of an access network, which its echo acknowledges.
    pub access_report: Told<AccessReport>,
    /// What became of TLVs that were wrong on purpose.
    pub conformity: Option<Conformity>,
    /// The replies that this probe gets.
    pub packets: Told<ReflectedPackets>,
    /// The member links at both ends.
    pub micro_session: Told<MicroSessionId>,
    /// The IP header that the probe arrived with.
    pub fixed_header: Told<ReflectedFields>,
    /// The Segment Routing Header that it arrived with.
    pub segments: Told<SeenSegments>,
}

impl<T> Told<T> {
    /// What is in an answer that can be used; one that cannot be read tells nothing.
    pub(crate) fn of(granted: Granted, read: impl FnOnce() -> Option<T>) -> Self {
        match granted {
            Granted::NotAsked => Self::NotAsked,
            Granted::Refused => Self::Refused,
            Granted::Granted => read().map_or(Self::Refused, Self::Told),
        }
    }

    /// What was told, if anything was.
    pub fn told(self) -> Option<T> {
        match self {
            Self::Told(told) => Some(told),
            Self::NotAsked | Self::Refused => None,
        }
    }
}

/// Answers to one kind of request over a period.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AnswerSeries<T> {
    /// The latest.
    pub latest: Option<T>,
    /// How many told something.
    pub told: u64,
    /// How many did not.
    pub refused: u64,
    /// How often one was another than that before.
    pub changes: u64,
}

/// Replies of which each probe wants several (RFC 10052 §3).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PacketSeries {
    /// Probes whose wish was granted.
    pub told: u64,
    /// Probes that get one reply as any other.
    pub refused: u64,
    /// Replies to those that were granted theirs.
    pub expected: u64,
    /// Replies of them that came.
    pub received: u64,
}

impl PacketSeries {
    fn add(&mut self, answer: Told<ReflectedPackets>) {
        match answer {
            Told::NotAsked => {}
            Told::Refused => self.refused = self.refused.saturating_add(1),
            Told::Told(packets) => {
                self.told = self.told.saturating_add(1);
                self.expected = self.expected.saturating_add(packets.count.into());
                self.received = self.received.saturating_add(1);
            }
        }
    }

    /// One more reply to a probe that has one; `false` when none is missing.
    fn further(&mut self) -> bool {
        let is_missing = self.received < self.expected;
        self.received = self.received.saturating_add(is_missing.into());
        is_missing
    }
}

/// Answers to all kinds of requests over a period.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct AnswerCounts {
    /// Replies that did not do as asked.
    pub requests: RequestCounts,
    /// The DSCP of the probes.
    pub sent_dscp: Dscp,
    /// Where probes came from and went to, as the far end saw it.
    pub location: AnswerSeries<Location>,
    /// What the far timestamps are worth.
    pub timestamp_information: AnswerSeries<TimestampInformation>,
    /// DSCP and ECN there and back.
    pub class_of_service: AnswerSeries<ClassOfService>,
    /// Loss of real traffic.
    pub direct_measurement: TrafficSeries,
    /// Replies of which each probe wants several.
    pub packets: PacketSeries,
    /// The member links at both ends.
    pub micro_session: AnswerSeries<MicroSessionId>,
    /// The IP header that probes arrive with.
    pub fixed_header: AnswerSeries<ReflectedFields>,
    /// The Segment Routing Header that they arrive with.
    pub segments: AnswerSeries<SeenSegments>,
    /// Probes that arrived with another DSCP than they were sent with.
    pub remarked_forward: u64,
    /// Probes that arrived with Congestion Experienced.
    pub congestion_forward: u64,
    /// Replies that were not given the DSCP that was asked for.
    pub dscp_refused: u64,
    /// Replies that were not given the ECN that was asked for.
    pub ecn_refused: u64,
    /// When replies really left.
    pub follow_up: FollowUpReport,
    /// How far the report of an access network is, whatever the period.
    pub access_report: AccessReportStatus,
    /// What became of TLVs that were wrong on purpose.
    pub conformity: ConformityCounts,
    /// The pace of probes that use ECT, whatever the period.
    pub pace: PaceReport,
}

/// What is counted of answers, and what they correct.
#[derive(Debug)]
pub(super) struct AnswerTally {
    counts: AnswerCounts,
    /// Only where it is asked when replies left.
    pub(super) follow_up: Option<FollowUpTally>,
    /// What waits to be corrected.
    pub(super) follow_ups: FollowUps,
}

impl AnswerTally {
    pub(super) fn new(config: &SenderConfig, precise: bool) -> Self {
        let asks = config.requests.follow_up;
        Self {
            counts: AnswerCounts::of(config.traffic_class.0),
            follow_up: asks.then(|| FollowUpTally::new(precise)),
            follow_ups: FollowUps::default(),
        }
    }

    /// Empties it for the next period.
    pub(super) fn restart(&mut self) {
        self.counts = self.counts.restarted();
        if let Some(follow_up) = &mut self.follow_up {
            follow_up.restart();
        }
        self.follow_ups = FollowUps::default();
    }

    /// Adds those of one more reply.
    pub(super) fn add(&mut self, sequence: u32, answers: &Answers) {
        self.counts.add(sequence, answers);
    }

    /// One more reply to a probe that wanted several; `false` when it is a copy nobody wanted.
    pub(super) fn further(&mut self) -> bool {
        self.counts.packets.further()
    }

    pub(super) fn report(&self, lost: u64) -> AnswerCounts {
        let mut counts = self.counts;
        if let Some(follow_up) = &self.follow_up {
            follow_up.report(lost, &mut counts.follow_up);
        }
        counts
    }

    /// Octets that it takes.
    pub(super) fn octets(&self) -> usize {
        let heap = self.follow_up.as_ref().map_or(0, FollowUpTally::heap_octets);
        heap.saturating_add(self.follow_ups.heap_octets()).saturating_add(size_of::<Self>())
    }
}

impl<T> Default for AnswerSeries<T> {
    fn default() -> Self {
        Self { latest: None, told: 0, refused: 0, changes: 0 }
    }
}

impl<T: Copy + PartialEq> AnswerSeries<T> {
    pub(super) fn add(&mut self, answer: Told<T>) {
        match answer {
            Told::NotAsked => {}
            Told::Refused => self.refused = self.refused.saturating_add(1),
            Told::Told(told) => {
                let changed = self.latest.is_some_and(|latest| latest != told);
                self.changes = self.changes.saturating_add(changed.into());
                self.told = self.told.saturating_add(1);
                self.latest = Some(told);
            }
        }
    }
}

impl AnswerCounts {
    fn of(sent_dscp: Dscp) -> Self {
        Self { sent_dscp, ..Self::default() }
    }

    /// Empty ones for the next period.
    fn restarted(&self) -> Self {
        let direct_measurement = self.direct_measurement.restarted();
        Self { direct_measurement, ..Self::of(self.sent_dscp) }
    }

    fn add(&mut self, sequence: u32, answers: &Answers) {
        let refused = |granted| u64::from(granted == Granted::Refused);
        let requests = &mut self.requests;
        requests.wrong_reflector =
            requests.wrong_reflector.saturating_add(refused(answers.destination_node));
        requests.return_path_refused =
            requests.return_path_refused.saturating_add(refused(answers.return_path));
        self.location.add(answers.location);
        self.timestamp_information.add(answers.timestamp_information);
        self.class_of_service.add(answers.class_of_service);
        self.follow_up.add(answers.follow_up);
        self.conformity.add(answers.conformity);
        self.direct_measurement.add(sequence, answers.direct_measurement);
        self.packets.add(answers.packets);
        self.micro_session.add(answers.micro_session);
        self.fixed_header.add(answers.fixed_header);
        self.segments.add(answers.segments);
        let Some(ClassOfService { wanted, answer }) = answers.class_of_service.told() else {
            return;
        };
        let count = |counter: &mut u64, holds: bool| {
            *counter = counter.saturating_add(holds.into());
        };
        count(&mut self.remarked_forward, answer.dscp != self.sent_dscp);
        count(&mut self.congestion_forward, answer.ecn == Ecn::Ce);
        count(&mut self.dscp_refused, answer.reverse_dscp == ReverseDscp::Refused);
        // Of a Session-Reflector that knows nothing of it, Not-ECT is all there is to have.
        let ecn = wanted.ecn != Ecn::NotEct && answer.reverse_ecn != ReverseEcn::AsAsked;
        count(&mut self.ecn_refused, ecn);
    }
}

impl Answers {
    /// The DSCP that a reply is to have, to a probe sent with `dscp`: a Session-Reflector that
    /// refuses to give another gives that which arrived.
    pub(super) fn reply_dscp(&self, dscp: Dscp) -> Dscp {
        match self.class_of_service.told() {
            Some(ClassOfService { wanted, answer }) => match answer.reverse_dscp {
                ReverseDscp::AsAsked => wanted.dscp,
                ReverseDscp::Refused => answer.dscp,
            },
            None => dscp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_from_one_answer_to_the_next() {
        let mut series = AnswerSeries::default();
        for answer in [Told::Told(1), Told::Told(1), Told::Refused, Told::Told(2), Told::NotAsked] {
            series.add(answer);
        }
        let expected = AnswerSeries { latest: Some(2), told: 3, refused: 1, changes: 1 };
        assert_eq!(series, expected);
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_none() {
        assert_eq!(Told::of(Granted::Granted, || None::<u8>), Told::Refused);
        assert_eq!(Told::of(Granted::Granted, || Some(3)), Told::Told(3));
        assert_eq!(Told::of(Granted::NotAsked, || Some(3)), Told::NotAsked);
    }
}
