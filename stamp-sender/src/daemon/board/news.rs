//! What a branch told since its latest window, which knows nothing of it.

use stamp_session::sender::{MeasuredDirection, SenderEvent, SessionState, ThresholdState};

/// What may be exceeded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    Delay(MeasuredDirection),
    Loss(MeasuredDirection),
}

/// The latest word on each.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct News {
    state: Option<SessionState>,
    /// Limits, and whether they are exceeded.
    crossed: Vec<(Limit, bool)>,
}

impl News {
    pub(super) fn take(&mut self, event: &SenderEvent) {
        let (limit, to) = match event {
            SenderEvent::State(change) => return self.state = Some(change.to),
            SenderEvent::Delay(change) => (Limit::Delay(change.direction), change.to),
            SenderEvent::Loss(change) => (Limit::Loss(change.direction), change.to),
            _ => return,
        };
        self.crossed.retain(|(known, _)| *known != limit);
        self.crossed.push((limit, to == ThresholdState::Exceeded));
    }

    /// The state that it came into.
    pub const fn state(&self) -> Option<SessionState> {
        self.state
    }

    /// Whether a limit is exceeded, if that has changed.
    pub fn is_exceeded(&self, limit: Limit) -> Option<bool> {
        let crossed = self.crossed.iter().find(|(known, _)| *known == limit);
        crossed.map(|(_, is_exceeded)| *is_exceeded)
    }
}
