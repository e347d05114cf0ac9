//! Sessions as others discover them, and what was discovered of others.

use std::time::SystemTime;

use serde_json::{Map, Value, json};
use stamp_metrics::http::Page;
use stamp_metrics::sender::Discovery;
use stamp_proto::time::WallTime;

use crate::daemon::board::Board;
use crate::daemon::config::{SessionSpec, is_for_labels};
use crate::daemon::discovery::{Provider, State, States};
use crate::output::instant::Instant;

/// The sessions that run, as target groups: whoever reads them can measure the same.
pub(super) fn groups(board: &Board) -> Page {
    let posted = board.read();
    let running = posted.sessions.values().filter(|entry| entry.waits.is_none());
    let groups: Vec<Value> = running.map(|entry| group(&entry.spec)).collect();
    Page::whole("application/json", format!("{}\n", Value::from(groups)))
}

fn group(spec: &SessionSpec) -> Value {
    let mut labels = Map::new();
    let mut put = |key: &str, value: &str| {
        labels.insert(key.replace('-', "_"), value.into());
    };
    // What the operator calls it besides comes first: a key of the session hides a label of its name.
    spec.labels.iter().for_each(|(name, value)| put(name, value));
    let of_others = spec.settings.iter().filter(|(key, _)| is_for_labels(key));
    of_others.for_each(|(key, value)| put(key, value));
    put("name", &spec.name);
    if let Some(profile) = &spec.profile {
        put("profile", profile);
    }
    json!({ "targets": [spec.target], "labels": labels })
}

/// How each source fares.
pub(super) fn sources(states: &States) -> Vec<Discovery> {
    let source = |(provider, state): (&Provider, &State)| Discovery {
        source: provider.label(),
        succeeded: state.succeeded,
        failures: state.failures,
        accepted: state.targets.saturating_sub(state.refused.len()),
        refused: state.refused.len(),
    };
    states.iter().map(source).collect()
}

/// The same for people and programs, with every reason.
pub(super) fn discovery(board: &Board) -> Page {
    let posted = board.read();
    let source = |(provider, state): (&Provider, &State)| {
        let refused: Vec<Value> = state
            .refused
            .iter()
            .map(|(target, reason)| json!({ "target": target, "reason": reason }))
            .collect();
        json!({
            "source": provider.label(),
            "last_success": state.succeeded.map(instant),
            "failures": state.failures,
            "trouble": state.trouble,
            "targets": state.targets,
            "refused": refused,
        })
    };
    let sources: Vec<Value> = posted.discovery.iter().map(source).collect();
    Page::whole("application/json", format!("{}\n", json!({ "sources": sources })))
}

fn instant(time: SystemTime) -> Value {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let ns = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
    Instant::from(WallTime::from_unix_ns(ns)).to_string().into()
}
