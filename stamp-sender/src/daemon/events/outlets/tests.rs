//! Ten thousand sessions that go down at once, and everybody who is told.

use std::fs;

use serde_json::Value;
use stamp_proto::time::WallTime;
use stamp_session::clock::{MonotonicTime, Now};
use stamp_session::sender::{SenderEvent, StateChange};
use stamp_session::snapshot::SessionState;

use super::super::Events;
use super::webhook::tests::{config, server};
use super::*;
use crate::output::heard::Tally;

const SESSIONS: usize = 10_000;

#[test]
fn a_link_that_takes_ten_thousand_sessions_down_is_told_whole_to_everybody() {
    let path = std::env::temp_dir().join(format!("stamp-down-{}", std::process::id()));
    let mut events = Events::open(Some(&path)).unwrap();
    events.expect(SESSIONS);
    let (url, heard) = server(&["200 OK"; 10]);
    // A batch ends with the thousandth event, and none before.
    let webhook = Webhook { every: Duration::from_secs(600), ..config(&url) };
    let notify = Notify { webhooks: vec![webhook], hooks: Vec::new() };
    events.prepare_to_notify(&notify).unwrap();
    events.notify(&notify);
    let shown = events.shown();
    let listener = shown.feed.listen(Wanted::default(), None);

    let at = Now { monotonic: MonotonicTime::from_ns(1), wall: WallTime::default() };
    let (from, to) = (SessionState::Up, SessionState::Down);
    let down = SenderEvent::State(StateChange { from, to, at, run: 3, first: 7, last: 9 });
    let names: Vec<String> = (0..SESSIONS).map(|number| format!("session-{number}")).collect();
    for name in &names {
        events.session((name, None), &down, &Tally::default(), at.wall);
    }

    assert_eq!(listened(listener), names);
    // The end waits for the file and for the webhook.
    drop(events);
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(written.lines().map(session).collect::<Vec<_>>(), names);
    fs::remove_file(&path).unwrap();
    let posted = heard.join().unwrap();
    let posted = posted.iter().flat_map(|(_, body)| body["events"].as_array().unwrap());
    let posted: Vec<String> = posted.map(|event| session(&event.to_string())).collect();
    assert_eq!(posted, names);
    for sink in shown.sinks() {
        assert_eq!((sink.dropped, sink.failures), (0, 0), "{}", sink.name);
    }
}

/// The session of an event that says DOWN.
fn session(line: &str) -> String {
    let event: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&event["type"], &event["to"]), (&"state".into(), &"down".into()));
    event["session"].as_str().unwrap().to_owned()
}

/// The sessions that a listener hears of, in that order; the first silence ends it.
fn listened(mut listener: stamp_metrics::feed::Listener) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut sessions = Vec::new();
    while sessions.len() < SESSIONS {
        let (next, text) = runtime.block_on(listener.next());
        assert_ne!(text, ":\n\n", "something is missing behind {} of them", sessions.len());
        sessions.extend(text.lines().filter_map(|line| line.strip_prefix("data: ")).map(session));
        listener = next;
    }
    sessions
}
