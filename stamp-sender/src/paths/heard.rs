//! What sessions have told of their lists.

use stamp_path::selection::{ClockTrust, ListState, Measured};
use stamp_session::sender::SessionState;

/// What the session of a list has told, over each of its equal paths.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Heard(Vec<Known>);

/// What is known of one of the equal paths of a list, whoever tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Connectivity now.
    pub state: SessionState,
    /// The latest window, where one is complete.
    pub window: Option<Measured>,
}

impl Heard {
    /// This is known of all of them.
    pub(super) const fn of(branches: Vec<Known>) -> Self {
        Self(branches)
    }

    fn branch(&mut self, branch: usize) -> &mut Known {
        if self.0.len() <= branch {
            self.0.resize_with(branch + 1, Known::default);
        }
        &mut self.0[branch]
    }

    /// One of its paths came up or went down.
    pub(super) fn state(&mut self, branch: usize, to: SessionState) {
        self.branch(branch).state = to;
    }

    /// A window of one of its paths is complete.
    pub(super) fn window(&mut self, branch: usize, known: Known) {
        *self.branch(branch) = known;
    }

    /// All of them together: packets may take any, so the worst counts. It is down when all are.
    pub(super) fn measured(&self) -> Option<Measured> {
        let mut states = self.0.iter().map(|branch| branch.state);
        if !self.0.is_empty() && states.all(|state| state == SessionState::Down) {
            let latest = self.0.iter().find_map(|branch| branch.window.clone()).unwrap_or_default();
            return Some(Measured { state: ListState::Down, ..latest });
        }
        // Before there is a window of each, nobody knows the worst.
        let windows = self.0.iter().map(|branch| branch.window.as_ref());
        let windows: Vec<&Measured> = windows.collect::<Option<_>>()?;
        let (first, rest) = windows.split_first()?;
        let is_up = self.0.iter().any(|branch| branch.state == SessionState::Up);
        let state = if is_up { ListState::Up } else { ListState::Init };
        let together = rest.iter().fold((*first).clone(), |one, other| worse(one, other));
        Some(Measured { state, ..together })
    }
}

/// What can be relied upon where packets take either.
fn worse(one: Measured, other: &Measured) -> Measured {
    let values = one.values.iter().filter_map(|(measure, value)| {
        let other = other.values.get(measure)?;
        Some((*measure, (*value).max(*other)))
    });
    let error = one.clock.error.zip(other.clock.error).map(|(one, other)| one.max(other));
    Measured {
        state: one.state,
        at: one.at.min(other.at),
        samples: one.samples.min(other.samples),
        integrity: one.integrity.min(other.integrity),
        clock: ClockTrust {
            synchronized: one.clock.synchronized && other.clock.synchronized,
            error,
        },
        values: values.collect(),
    }
}

#[cfg(test)]
mod tests {
    use stamp_path::class::{Direction, Measure, Quantile};

    use super::*;
    use crate::paths::window::tests::{heard, number, quick, slow_and_lossy};

    #[test]
    fn of_several_ways_the_worst_counts_and_all_have_to_be_down() {
        use SessionState::{Down, Up};
        let mut both = Heard::default();
        assert_eq!(both.measured(), None);
        both.state(0, Up);
        assert_eq!(both.measured(), None, "nothing was measured yet");
        both.window(0, Known { state: Up, window: Some(heard(quick)) });
        both.window(1, Known { state: Down, window: Some(heard(slow_and_lossy)) });
        let measured = both.measured().unwrap();
        assert_eq!(measured.state, ListState::Up);
        assert!(
            number(&measured, Measure::Delay(Direction::Forward, Quantile::P99)) >= 89_000,
            "{measured:?}"
        );
        assert!(number(&measured, Measure::Loss(Direction::RoundTrip)) >= 700_000_000);
        both.state(0, Down);
        assert_eq!(both.measured().unwrap().state, ListState::Down);
    }
}
