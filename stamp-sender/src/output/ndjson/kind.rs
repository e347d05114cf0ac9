//! What a line of the stream is about, without reading it.

use stamp_proto::time::WallTime;

use super::Entry;
use crate::output::instant::Instant;

impl Entry {
    /// So many events never reached `sink`.
    pub fn dropped(sink: &str, count: u64, now: WallTime) -> Self {
        Self::Dropped { time: Instant(now), session: None, sink: sink.to_owned(), count }
    }

    /// The same, of a session that belongs to `policy`.
    #[must_use]
    pub fn of_policy(mut self, policy: Option<&str>) -> Self {
        match &mut self {
            Self::State(event)
            | Self::Delay(event)
            | Self::Loss(event)
            | Self::Fallback(event)
            | Self::Pace(event)
            | Self::AccessReport(event)
            | Self::Clock(event)
            | Self::ReflectorRestart(event) => event.policy = policy.map(str::to_owned),
            _ => {}
        }
        self
    }

    /// Its `type`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::Sample(_) => "sample",
            Self::Late(_) => "late",
            Self::Lost { .. } => "lost",
            Self::LossDirection { .. } => "loss_direction",
            Self::Duplicate { .. } => "duplicate",
            Self::Rejected { .. } => "rejected",
            Self::Unsent { .. } => "unsent",
            Self::Icmp { .. } => "icmp",
            Self::ReflectorMode { .. } => "reflector_mode",
            Self::ZeroSsid { .. } => "zero_ssid",
            Self::State(_) => "state",
            Self::Delay(_) => "delay",
            Self::Loss(_) => "loss",
            Self::Fallback(_) => "fallback",
            Self::Pace(_) => "pace",
            Self::AccessReport(_) => "access_report",
            Self::Clock(_) => "clock",
            Self::ReflectorRestart(_) => "reflector_restart",
            Self::Te(_) => "te",
            Self::Policy(_) => "policy",
            Self::Path(_) => "path",
            Self::Config { .. } => "config",
            Self::Dropped { .. } => "dropped",
            Self::Interval { .. } => "interval",
            Self::End { .. } => "end",
        }
    }

    /// The session that it is about; none where it is about more than one.
    pub fn session(&self) -> Option<&str> {
        match self {
            Self::Start { .. } => None,
            Self::Sample(sample) | Self::Late(sample) => Some(&sample.session),
            Self::Lost { session, .. }
            | Self::LossDirection { session, .. }
            | Self::Duplicate { session, .. }
            | Self::Rejected { session, .. }
            | Self::Unsent { session, .. }
            | Self::Icmp { session, .. }
            | Self::ReflectorMode { session, .. }
            | Self::ZeroSsid { session, .. }
            | Self::Interval { session, .. }
            | Self::End { session, .. } => Some(session),
            Self::State(event)
            | Self::Delay(event)
            | Self::Loss(event)
            | Self::Fallback(event)
            | Self::Pace(event)
            | Self::AccessReport(event)
            | Self::Clock(event)
            | Self::ReflectorRestart(event) => Some(&event.session),
            Self::Te(announcement) => Some(&announcement.event.session),
            Self::Policy(change) => change.session.as_deref(),
            Self::Path(moved) => moved.session.as_deref(),
            Self::Config { session, .. } | Self::Dropped { session, .. } => session.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::entry::Event;
    use super::*;
    use crate::output::schema::tests::assert_valid_line;

    #[test]
    fn kind_and_session_are_those_that_are_written() {
        let event = || Event { session: "a".to_owned(), ..Event::default() };
        let lost = Entry::Lost {
            session: "a".to_owned(),
            sequence: 1,
            time: Instant::default(),
            direction: None,
        };
        for entry in [
            lost,
            Entry::State(event()),
            Entry::Delay(event()),
            Entry::ReflectorRestart(event()),
            Entry::dropped("file", 3, WallTime::default()),
        ] {
            let written = serde_json::to_value(&entry).unwrap();
            assert_eq!(written["type"], entry.kind());
            assert_eq!(written["session"], entry.session().map_or(Value::Null, Value::from));
        }
    }

    #[test]
    fn the_policy_of_a_session_stands_in_its_events() {
        let written = serde_json::to_value(Entry::State(Event::default()).of_policy(Some("lon")));
        assert_eq!(written.unwrap()["policy"], "lon");
    }

    #[test]
    fn what_is_missing_is_told_in_a_line_of_its_own() {
        let entry = Entry::dropped("file", 3, WallTime::default());
        assert_valid_line(&serde_json::to_value(&entry).unwrap());
    }
}
