//! Where probes were lost, and how the losses are spread.

use super::{Finding, Target, Way};
use crate::output::record::{Character, ReflectorMode, SessionRecord, State};

/// Losses one way of which this share or more are "nearly all".
const NEARLY_ALL: f64 = 0.9;

pub(super) fn explain(session: &SessionRecord, findings: &mut Vec<Finding>) {
    let packets = &session.packets;
    if !session.answered {
        // Nothing came back at all: that is no loss but silence.
        return;
    }
    if session.state == State::Down {
        findings.push(Finding::Down { target: Target::of(session) });
    }
    let lost = packets.lost.round_trip.saturating_sub(packets.lost.local);
    if lost > 0 {
        direction(session, lost, findings);
        spread(session, findings);
    }
    if packets.late > 0 {
        let timeout_ns = session.config.timeout_ns;
        findings.push(Finding::Late { count: packets.late, timeout_ns });
    }
}

fn direction(session: &SessionRecord, lost: u64, findings: &mut Vec<Finding>) {
    let (Some(forward), Some(backward)) =
        (session.packets.lost.forward, session.packets.lost.backward)
    else {
        if session.reflector.mode == ReflectorMode::Stateless {
            findings.push(Finding::LossDirectionUnknown { count: lost });
        }
        return;
    };
    let known = (forward + backward) as f64;
    if known == 0.0 {
        return;
    }
    let one_way =
        |way, count, other| Finding::LossOneWay { way, count, other, target: Target::of(session) };
    findings.push(if forward as f64 >= NEARLY_ALL * known {
        one_way(Way::Forward, forward, backward)
    } else if backward as f64 >= NEARLY_ALL * known {
        one_way(Way::Backward, backward, forward)
    } else {
        Finding::LossBothWays { forward, backward }
    });
}

fn spread(session: &SessionRecord, findings: &mut Vec<Finding>) {
    let loss = &session.loss;
    if let Some(per_second) = loss.plateau_per_second.filter(|_| loss.policed) {
        let sent_per_second = session.probes_per_second();
        findings.push(Finding::Policed { per_second, sent_per_second });
        return;
    }
    let longest_run = session.packets.lost.longest_run;
    match (loss.character, loss.ratio.round_trip) {
        (Some(Character::Bursty), _) => findings.push(Finding::LossBursts {
            bursts: loss.bursts,
            longest_run,
            longest_ns: longest_run.saturating_mul(session.config.interval_ns),
        }),
        (Some(Character::Even), Some(ratio)) => findings.push(Finding::LossEven { ratio }),
        _ => {}
    }
}
