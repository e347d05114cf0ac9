//! Where probes were lost, and how the losses are spread.

use super::{Finding, REFLECTOR_LIMIT, Target, Way};
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
        let policed = policed(session);
        let is_policed = policed.is_some();
        findings.extend(policed);
        direction(session, lost, findings);
        if !is_policed {
            spread(session, findings);
        }
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

/// What comes through is a flat rate, whatever is sent.
fn policed(session: &SessionRecord) -> Option<Finding> {
    let sent_per_second = session.probes_per_second();
    let is_a_limit =
        |rate: &u64| session.loss.policed || is_reflector_limit(*rate, sent_per_second);
    let per_second = session.loss.plateau_per_second.filter(is_a_limit)?;
    Some(Finding::Policed { per_second, sent_per_second })
}

fn spread(session: &SessionRecord, findings: &mut Vec<Finding>) {
    let loss = &session.loss;
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

/// What comes through is about what a reflector of ours allows by default, and more is sent. It
/// lets a random few pass above its limit, which hides how flat the rate is.
fn is_reflector_limit(per_second: u64, sent_per_second: f64) -> bool {
    per_second.abs_diff(REFLECTOR_LIMIT) <= REFLECTOR_LIMIT / 5
        && sent_per_second > REFLECTOR_LIMIT as f64 * 1.2
}
