//! What happens next.

use std::collections::BTreeMap;

/// Events in the order of their time; of one instant, in the order they were entered.
#[derive(Debug)]
pub struct Agenda<T> {
    events: BTreeMap<(u64, u64), T>,
    entered: u64,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self { events: BTreeMap::new(), entered: 0 }
    }
}

impl<T> Agenda<T> {
    /// `event` happens at `at_ns`.
    pub fn enter(&mut self, at_ns: u64, event: T) {
        self.events.insert((at_ns, self.entered), event);
        self.entered += 1;
    }

    /// When the next event happens.
    #[must_use]
    pub fn next_at(&self) -> Option<u64> {
        self.events.first_key_value().map(|((at_ns, _), _)| *at_ns)
    }

    /// The next event that happens at or before `until_ns`, with its time.
    pub fn take(&mut self, until_ns: u64) -> Option<(u64, T)> {
        let next = self.events.first_entry()?;
        let &(at_ns, _) = next.key();
        (at_ns <= until_ns).then(|| (at_ns, next.remove()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_then_as_entered() {
        let mut agenda = Agenda::default();
        for (at, event) in [(5, 'c'), (3, 'a'), (5, 'd'), (3, 'b')] {
            agenda.enter(at, event);
        }
        assert_eq!(agenda.next_at(), Some(3));
        assert_eq!(agenda.take(2), None);
        let taken: String = std::iter::from_fn(|| agenda.take(5)).map(|(_, event)| event).collect();
        assert_eq!(taken, "abcd");
    }
}
