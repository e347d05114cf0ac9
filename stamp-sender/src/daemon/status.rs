//! Where the sessions stand, in the log, for whoever sends SIGUSR1.

use stamp_session::snapshot::{DelaySummary, SessionSnapshot};
use stamp_session::te::TeState;

use super::Daemon;
use crate::output::duration::delay;

impl Daemon {
    pub(super) fn tell_status(&self) {
        for member in self.fleet.members() {
            let name = &member.spec.name;
            match (member.running(), member.waiting()) {
                (Some(running), _) => {
                    let paths = running.infos.iter().zip(&running.windows);
                    for ((info, window), announced) in paths.zip(&running.announced) {
                        tell_window(&info.name, window.as_deref(), announced.state());
                    }
                }
                (None, Some(waiting)) => {
                    tracing::info!(session = name, reason = waiting.reason, "waits");
                }
                (None, None) => tracing::info!(session = name, "is being opened"),
            }
        }
    }
}

/// One line for the latest window of a session that runs.
fn tell_window(session: &str, window: Option<&SessionSnapshot>, announced: Option<TeState>) {
    let Some(window) = window else {
        tracing::info!(session, "runs; no window is complete yet");
        return;
    };
    let median = |summary: &DelaySummary| summary.p50.map(|p50| delay(p50.ns()));
    let packets = &window.packets;
    tracing::info!(
        session,
        state = window.state.label(),
        sent = packets.sent,
        received = packets.received,
        lost = packets.lost.round_trip,
        forward = median(&window.delay.forward),
        backward = median(&window.delay.backward),
        round_trip = median(&window.delay.round_trip),
        clock_synchronized = window.clock.synchronized,
        announced = announced.and_then(|state| state.min).map(|min| delay(min.delay().ns())),
        "runs"
    );
}
