//! What a session measured, as far as it says something of the network.

use std::time::Duration;

use stamp_path::locate::{Delay, Loss, Readings};

use crate::output::record::{DelayRecord, SessionRecord};

/// Losses by direction, where a stateful reflector tells them; what this host dropped itself is left out.
pub(super) fn loss(session: &SessionRecord) -> Readings<Loss> {
    let lost = &session.packets.lost;
    let decided = session.loss.decided.saturating_sub(lost.local);
    let (Some(forward), Some(backward)) = (lost.forward, lost.backward) else {
        let lost = lost.round_trip.saturating_sub(lost.local);
        return Readings { round_trip: Some(Loss { decided, lost }), ..Readings::default() };
    };
    let arrived = decided.saturating_sub(forward);
    Readings {
        forward: Some(Loss { decided, lost: forward }),
        backward: Some(Loss { decided: arrived, lost: backward }),
        round_trip: None,
    }
}

/// Delays by direction, where both clocks can be trusted.
pub(super) fn delay(session: &SessionRecord, usual: Option<&SessionRecord>) -> Readings<Delay> {
    let of = |read: fn(&SessionRecord) -> &DelayRecord| {
        let now = read(session);
        let value = nanoseconds(now.p50.or(now.mean))?;
        let spread = nanoseconds(now.stddev).unwrap_or_default();
        let usual = usual.map(read).and_then(|it| nanoseconds(it.p50.or(it.mean)));
        Some(Delay { value, spread, usual })
    };
    let one_way = session.clock.one_way.synchronized && session.clock.suspicions.is_empty();
    let each = [of(|it| &it.delay_ns.forward), of(|it| &it.delay_ns.backward)];
    match each {
        [Some(forward), Some(backward)] if one_way => {
            Readings { forward: Some(forward), backward: Some(backward), round_trip: None }
        }
        _ => Readings { round_trip: of(|it| &it.delay_ns.round_trip), ..Readings::default() },
    }
}

/// What is below zero is a wrong clock and no delay.
fn nanoseconds(value: Option<i64>) -> Option<Duration> {
    value.and_then(|ns| u64::try_from(ns).ok()).map(Duration::from_nanos)
}
