//! What was heard of a session while it ran and what its snapshot does not tell: complaints of the
//! network, delay over time, how often each delay was seen.

use stamp_net::{IcmpKind, SendFailure};
use stamp_proto::time::{TimeDelta, WallTime};
use stamp_session::sender::{Outcome, Sample, SenderEvent};
use stamp_worker::sender::Trouble;

use super::histogram::{Histogram, HistogramRecord};
use super::record::{Directions, TroubleKind, TroubleRecord};
use super::series::{Point, Series};
use crate::happening::Happening;

/// Kinds of complaint that are told apart in one session; a flood of others is not.
const MOST_TROUBLES: usize = 64;

/// What was counted of one session so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Replies in time.
    pub received: u64,
    /// Probes lost.
    pub lost: u64,
    /// Further replies to the same probe.
    pub duplicate: u64,
    /// Replies after the timeout.
    pub late: u64,
    /// Datagrams that were no reply.
    pub rejected: u64,
    /// Whether both clocks were synchronised at the latest reply in time.
    pub clock_synchronized: Option<bool>,
}

impl Tally {
    /// A datagram came in.
    pub const fn outcome(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Sample(sample) => {
                self.received += 1;
                self.clock_synchronized = Some(sample.clock_synchronized);
            }
            Outcome::Late(_) => self.late += 1,
            Outcome::Duplicate { .. } => self.duplicate += 1,
            Outcome::Rejected(_) => self.rejected += 1,
        }
    }
}

/// What was heard of one session so far.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// What was counted.
    pub tally: Tally,
    /// The latest sample in time.
    pub latest: Option<Sample>,
    /// Delay and loss over time.
    pub series: Series,
    histograms: Directions<Histogram>,
    troubles: Vec<TroubleRecord>,
    detailed: bool,
}

impl Heard {
    /// Nothing yet; `detailed` keeps delay over time and its distribution.
    #[must_use]
    pub fn new(detailed: bool) -> Self {
        Self { detailed, ..Self::default() }
    }

    /// Takes note of what happened.
    pub fn note(&mut self, happening: &Happening) {
        match happening {
            Happening::Outcome(outcome) => {
                self.tally.outcome(outcome);
                if let Outcome::Sample(sample) = outcome {
                    self.sample(sample);
                }
            }
            Happening::Event(SenderEvent::Lost { sequence, probe_sent }) => {
                self.lost(*sequence, *probe_sent);
            }
            Happening::Trouble(trouble) => self.trouble(*trouble),
            Happening::Event(_) | Happening::Window(_) => {}
        }
    }

    /// A probe was lost.
    pub fn lost(&mut self, sequence: u32, probe_sent: WallTime) {
        self.tally.lost += 1;
        if self.detailed {
            self.series.lost(sequence, probe_sent);
        }
    }

    /// A probe was answered in time, as far as time and distribution go.
    pub fn point(&mut self, point: Point) {
        self.series.sample(point);
        point.forward.into_iter().for_each(|ns| self.histograms.forward.record(ns));
        point.backward.into_iter().for_each(|ns| self.histograms.backward.record(ns));
        self.histograms.round_trip.record(point.round_trip);
    }

    /// How often each delay was seen.
    #[must_use]
    pub fn histograms(&self) -> Directions<HistogramRecord> {
        Directions {
            forward: self.histograms.forward.record_of(),
            backward: self.histograms.backward.record_of(),
            round_trip: self.histograms.round_trip.record_of(),
        }
    }

    /// What the network and the kernel complained about.
    #[must_use]
    pub fn troubles(&self) -> &[TroubleRecord] {
        &self.troubles
    }

    fn sample(&mut self, sample: &Sample) {
        self.latest = Some(*sample);
        // A sample around a jump of a clock says nothing about the path.
        if self.detailed && !sample.clock_step {
            self.point(Point {
                sequence: sample.sequence,
                probe_sent: sample.probe_sent.time,
                forward: sample.forward_delay.map(TimeDelta::ns),
                backward: sample.backward_delay.map(TimeDelta::ns),
                round_trip: sample.round_trip.ns(),
            });
        }
    }

    fn trouble(&mut self, trouble: Trouble) {
        let new = trouble_record(trouble);
        let same = |known: &&mut TroubleRecord| {
            (known.kind, &known.what, &known.offender, known.mtu_octets)
                == (new.kind, &new.what, &new.offender, new.mtu_octets)
        };
        if let Some(known) = self.troubles.iter_mut().find(same) {
            known.count += 1;
        } else if self.troubles.len() < MOST_TROUBLES {
            self.troubles.push(new);
        }
    }
}

/// A complaint as a record that was heard once.
#[must_use]
pub fn trouble_record(trouble: Trouble) -> TroubleRecord {
    match trouble {
        Trouble::Icmp { kind, offender, sequence, mtu, largest_payload } => TroubleRecord {
            kind: TroubleKind::Icmp,
            what: icmp_label(kind),
            offender: offender.map(|offender| offender.to_string()),
            count: 1,
            first_sequence: sequence,
            mtu_octets: mtu,
            largest_payload_octets: largest_payload.map(|octets| octets as u64),
        },
        Trouble::NotSent { sequence, failure } => {
            let (mtu_octets, largest) = match failure {
                SendFailure::TooBig { mtu, largest_payload } => (mtu, largest_payload),
                _ => (None, None),
            };
            TroubleRecord {
                kind: TroubleKind::NotSent,
                what: failure_label(failure).to_owned(),
                offender: None,
                count: 1,
                first_sequence: Some(sequence),
                mtu_octets,
                largest_payload_octets: largest.map(|octets| octets as u64),
            }
        }
    }
}

fn icmp_label(kind: IcmpKind) -> String {
    match kind {
        IcmpKind::Other { kind, code } => format!("icmp_type_{kind}_code_{code}"),
        named => named.to_string().replace(' ', "_"),
    }
}

/// The same words as the reasons of unsent probes.
const fn failure_label(failure: SendFailure) -> &'static str {
    match failure {
        SendFailure::NoBuffers => "no_buffer",
        SendFailure::NoRoute => "no_route",
        SendFailure::Refused { .. } => "refused",
        SendFailure::TooBig { .. } => "too_big",
        SendFailure::InterfaceDown => "network_down",
        SendFailure::BadSource => "source_gone",
        SendFailure::Other { .. } => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn icmp(kind: IcmpKind, sequence: u32) -> Happening {
        Happening::Trouble(Trouble::Icmp {
            kind,
            offender: Some("192.0.2.5".parse().unwrap()),
            sequence: Some(sequence),
            mtu: None,
            largest_payload: None,
        })
    }

    #[test]
    fn complaints_of_one_kind_are_counted_together() {
        let mut heard = Heard::default();
        heard.note(&icmp(IcmpKind::PortUnreachable, 7));
        heard.note(&icmp(IcmpKind::PortUnreachable, 8));
        heard.note(&icmp(IcmpKind::Other { kind: 3, code: 42 }, 9));
        let seen: Vec<_> = heard
            .troubles()
            .iter()
            .map(|trouble| (trouble.what.as_str(), trouble.count, trouble.first_sequence))
            .collect();
        assert_eq!(seen, [("port_unreachable", 2, Some(7)), ("icmp_type_3_code_42", 1, Some(9))]);
    }

    #[test]
    fn a_flood_of_different_complaints_stays_small() {
        let mut heard = Heard::default();
        for code in 0..=255 {
            heard.note(&icmp(IcmpKind::Other { kind: 3, code }, 0));
        }
        assert_eq!(heard.troubles().len(), MOST_TROUBLES);
    }

    #[test]
    fn a_probe_too_big_keeps_the_size_that_fits() {
        let failure = SendFailure::TooBig { mtu: Some(1_400), largest_payload: Some(1_372) };
        let record = trouble_record(Trouble::NotSent { sequence: 3, failure });
        assert_eq!(record.what, "too_big");
        assert_eq!((record.mtu_octets, record.largest_payload_octets), (Some(1_400), Some(1_372)));
    }

    #[test]
    fn the_words_are_those_of_the_reasons_why_probes_are_unsent() {
        use stamp_session::sender::UnsentReason;
        use stamp_session::statistics::Reason;
        let reasons: Vec<_> = UnsentReason::ALL.iter().map(|reason| reason.label()).collect();
        for failure in [
            SendFailure::NoBuffers,
            SendFailure::NoRoute,
            SendFailure::Refused { errno: 1 },
            SendFailure::TooBig { mtu: None, largest_payload: None },
            SendFailure::InterfaceDown,
            SendFailure::BadSource,
            SendFailure::Other { errno: 1 },
        ] {
            assert!(reasons.contains(&failure_label(failure)), "{failure:?}");
        }
    }
}
