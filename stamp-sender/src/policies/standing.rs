//! What one session says of its segment list.

use std::time::Duration;

use stamp_proto::time::TimeDelta;
use stamp_session::clock::MonotonicTime;
use stamp_session::policy::{LossShare, Member, PathState, PathSummary};
use stamp_session::sender::SessionState;
use stamp_session::snapshot::SessionSnapshot;
use stamp_session::te::TeWindow;

/// What is known of it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Standing {
    pub(super) state: SessionState,
    pub(super) delay: Option<TimeDelta>,
    pub(super) loss: Option<LossShare>,
}

impl Standing {
    /// Of a window, as it is announced for path computation: forward where clocks allow it, else half of
    /// the round trip.
    pub fn of_window(measured: &SessionSnapshot) -> Self {
        let never = MonotonicTime::default();
        let window = TeWindow::of(measured, never, never, Duration::from_secs(1));
        let delay = window.delay.map(|delay| delay.avg);
        Self { state: measured.state, delay, loss: window.loss }
    }

    /// The same where others have told it; loss from 0 to 1.
    pub fn new(state: SessionState, delay: Option<TimeDelta>, loss: Option<f64>) -> Self {
        Self { state, delay, loss: loss.and_then(share) }
    }

    /// As a part of something that has others.
    pub(super) const fn member(&self, weight: u32) -> Member {
        Member { weight, state: self.state, delay: self.delay, loss: self.loss }
    }
}

/// A list that is measured over several equal paths, as one.
pub(super) fn of(summary: &PathSummary) -> Standing {
    let state = match summary.state {
        PathState::Init => SessionState::Init,
        PathState::Up | PathState::Degraded => SessionState::Up,
        PathState::Down => SessionState::Down,
    };
    let loss = summary.weighted_loss.and_then(share);
    Standing { state, delay: summary.weighted_delay, loss }
}

/// A ratio from 0 to 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a ratio from 0 to 1"
)]
fn share(ratio: f64) -> Option<LossShare> {
    const WHOLE: u64 = 1_000_000_000;
    LossShare::new((ratio * WHOLE as f64).round() as u64, WHOLE)
}
