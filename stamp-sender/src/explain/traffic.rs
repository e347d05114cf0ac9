//! What counters of real traffic say (RFC 8972 §4.5).

use super::{Finding, Way, answers};
use crate::output::record::{SessionRecord, ToldRecord, TrafficLossRecord};

/// What passes within the age of a counter, and what is on the way, is no loss: one packet of so many
/// is told in numbers only.
const ONE_OF: u64 = 1_000;
/// So are so few, whatever they are of.
const FEW: u64 = 10;

/// Something about real traffic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TrafficFinding {
    /// It was lost one way.
    Lost {
        /// Which.
        way: Way,
        /// How much of it.
        lost: u64,
        /// Of how much.
        sent: u64,
    },
    /// More of it arrived than was sent.
    Differs {
        /// Which way.
        way: Way,
        /// What arrived.
        received: u64,
        /// What was sent.
        sent: u64,
    },
    /// A counter began anew.
    Restart {
        /// How often.
        count: u64,
    },
}

impl TrafficFinding {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Lost { .. } => "traffic_lost",
            Self::Differs { .. } => "traffic_differs",
            Self::Restart { .. } => "traffic_counter_restart",
        }
    }
}

pub(super) fn explain(session: &SessionRecord, findings: &mut Vec<Finding>) {
    let Some(traffic) = &session.answers.direct_measurement else { return };
    let replies = ToldRecord { told: traffic.told, refused: traffic.refused, changes: 0 };
    answers::refused("Direct Measurement", "direct-measurement = \"eth0\"", replies, findings);
    let ways = [(Way::Forward, traffic.forward), (Way::Backward, traffic.backward)];
    for (way, loss) in ways.into_iter().filter_map(|(way, loss)| Some((way, loss?))) {
        let TrafficLossRecord { sent, received, lost } = loss;
        let worth_a_word = lost.unsigned_abs() > FEW.max(sent / ONE_OF);
        let finding = match u64::try_from(lost) {
            Ok(lost) => TrafficFinding::Lost { way, lost, sent },
            Err(_) => TrafficFinding::Differs { way, received, sent },
        };
        findings.extend(worth_a_word.then_some(Finding::Traffic(finding)));
    }
    if traffic.restarts > 0 {
        let count = traffic.restarts;
        findings.push(Finding::Traffic(TrafficFinding::Restart { count }));
    }
}
