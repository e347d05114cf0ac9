//! What becomes of a session as text.

use std::collections::BTreeSet;

use prometheus::Registry;
use stamp_proto::packet::Ssid;
use stamp_proto::time::TimeDelta;
use stamp_session::clock::MonotonicTime;
use stamp_session::sender::{
    ByDirection, DelayThreshold, LossThreshold, Sender as Engine, SenderConfig, Thresholds,
};

use stamp_session::snapshot::{DelayReport, DelaySummary, IpdvReport, PdvReport, VariationSummary};

use stamp_session::te::{TeDelay, TeLoss, TeMode, TeReason};

use super::*;
use crate::catalogue;
use crate::process::Process;
use crate::program::{Reloads, Sink};

fn snapshot(thresholds: Option<Thresholds>) -> SessionSnapshot {
    let target = "192.0.2.1:862".parse().unwrap();
    let config =
        SenderConfig { thresholds: thresholds.map(Arc::new), ..SenderConfig::new(target, Ssid(1)) };
    Engine::new(config, MonotonicTime::ZERO).unwrap().snapshot()
}

fn session(name: &str, snapshot: Option<SessionSnapshot>) -> Session {
    let standing = snapshot.as_ref().map(SessionStanding::from);
    let counters = standing.as_ref().map(SessionCounters::of).unwrap_or_default();
    Session {
        identity: Arc::new(Identity {
            name: name.to_owned(),
            target: "host \"b\"".to_owned(),
            labels: BTreeMap::from([("site".to_owned(), "ams".to_owned())]),
            ..Identity::default()
        }),
        counters,
        window: snapshot.map(Arc::new).map(Window::ended),
        now: standing.map(Now::from),
        histograms: None,
        announced: None,
        broken: None,
    }
}

fn text(sessions: Vec<Session>) -> String {
    let program = Program {
        name: "stamp-sender",
        version: "1",
        config: Some(Reloads::started()),
        layers: vec![("landlock", true)],
        sinks: vec![Sink { name: "file".to_owned(), dropped: 1, queued: 2, ..Sink::default() }],
        process: Process::read(),
        ..Program::default()
    };
    let has_histograms = sessions.iter().any(|session| session.histograms.is_some());
    let source = Discovery {
        source: "targets/*.json".to_owned(),
        succeeded: Some(SystemTime::UNIX_EPOCH),
        ..Discovery::default()
    };
    let sender = Sender {
        program,
        running: 1,
        waiting: 0,
        has_histograms,
        lag: lag(),
        shard: Some((2, 8)),
        discovery: vec![source],
        policies: Vec::new(),
        sessions,
    };
    sender.shared().exposition().map(|piece| String::from_utf8(piece).unwrap()).collect()
}

fn lag() -> Arc<Histogram> {
    Arc::new(Histogram::new(Buckets::rising([1_000, 1_000_000])))
}

fn default<T: Default>() -> T {
    T::default()
}

fn every_threshold() -> Thresholds {
    let delay = DelayThreshold::absolute(TimeDelta::from_ns(20_000_000), 3).unwrap();
    let loss = LossThreshold::new(3, 100).unwrap();
    let all = |delay| ByDirection { forward: delay, backward: delay, round_trip: delay };
    let loss = ByDirection { forward: Some(loss), backward: Some(loss), round_trip: Some(loss) };
    Thresholds { delay: all(Some(delay)), loss }
}

fn series(text: &str) -> Vec<&str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').expect("a value").0).collect()
}

#[test]
fn counters_stand_at_zero_before_anything_has_happened() {
    let text = text(vec![session("a", Some(snapshot(None)))]);
    for line in [
        "stamp_session_packets_sent_total{session=\"a\"} 0\n",
        "stamp_session_packets_lost_total{session=\"a\",direction=\"round_trip\"} 0\n",
        "stamp_session_packets_rejected_total{session=\"a\",reason=\"authentication\"} 0\n",
        "stamp_session_packets_unsent_total{session=\"a\",reason=\"no_route\"} 0\n",
        "stamp_session_local_drops_total{session=\"a\",reason=\"receive_queue\"} 0\n",
        "stamp_session_up{session=\"a\"} 0\n",
        "stamp_session_direction_down{session=\"a\",direction=\"forward\"} 0\n",
        "stamp_session_state_transitions_total{session=\"a\",to=\"down\"} 0\n",
        "stamp_session_packet_loss_count_limit{session=\"a\"} 3\n",
        "stamp_session_running{session=\"a\"} 1\n",
        "stamp_events_dropped_total{sink=\"file\"} 1\n",
        "stamp_config_last_reload_successful 1\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[test]
fn what_is_unknown_is_absent() {
    let text = text(vec![session("a", Some(snapshot(None)))]);
    let series = series(&text).join("\n");
    let series =
        series.replace("stamp_session_direction_down{session=\"a\",direction=\"forward\"}", "");
    for absent in ["forward", "side=\"far\"", "threshold", "window_delay", "window_loss"] {
        assert!(!series.contains(absent), "{absent} in {text}");
    }
}

#[test]
fn a_session_that_waits_has_its_counters_and_no_more() {
    let text = text(vec![session("a", None)]);
    assert!(text.contains("stamp_session_running{session=\"a\"} 0\n"), "{text}");
    assert!(text.contains("stamp_session_packets_sent_total{session=\"a\"} 0\n"), "{text}");
    let series = series(&text);
    assert!(!series.iter().any(|line| line.contains("clock")), "{text}");
}

#[test]
fn what_is_configured_is_escaped_and_empty_labels_are_left_out() {
    let text = text(vec![session("a", None)]);
    let line = "stamp_session_info{session=\"a\",target=\"host \\\"b\\\"\",site=\"ams\"} 1\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn limits_and_their_states_are_told_each_way() {
    let text = text(vec![session("a", Some(snapshot(Some(every_threshold()))))]);
    for line in [
        "stamp_session_delay_limit_seconds{session=\"a\",direction=\"forward\"} 0.02\n",
        "stamp_session_loss_limit_ratio{session=\"a\",direction=\"round_trip\"} 0.03\n",
        "stamp_session_threshold_exceeded{session=\"a\",direction=\"backward\",threshold=\"loss\"} 0\n",
        "stamp_session_threshold_transitions_total{session=\"a\",direction=\"forward\",\
         threshold=\"delay\",to=\"exceeded\"} 0\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[test]
fn a_session_that_is_down_says_which_way_is_broken() {
    let mut session = session("a", Some(snapshot(None)));
    session.broken = Some(MeasuredDirection::Backward);
    let text = text(vec![session]);
    for (way, value) in [("forward", 0), ("backward", 1)] {
        let line =
            format!("stamp_session_direction_down{{session=\"a\",direction=\"{way}\"}} {value}\n");
        assert!(text.contains(&line), "{line}{text}");
    }
}

#[test]
fn histograms_and_announcements_are_told_as_they_are_counted() {
    let mut session = session("a", Some(snapshot(None)));
    let histograms = SessionHistograms::new(&Buckets::rising([1_000_000, 20_000_000]));
    for ns in [500_000, 20_000_000, 70_000_000] {
        histograms.delay.forward.record(TimeDelta::from_ns(ns));
    }
    session.histograms = Some(Arc::new(histograms));
    let mut counts = TeCounts::default();
    counts.add(TeReason::First, 1);
    let state = TeState { min: Some(TeDelay::from_micros(1_500)), ..default() };
    session.announced = Some(Announced { state, counts });
    let text = text(vec![session]);
    for line in [
        "stamp_session_delay_seconds_bucket{session=\"a\",direction=\"forward\",le=\"0.001\"} 1\n",
        "stamp_session_delay_seconds_bucket{session=\"a\",direction=\"forward\",le=\"0.02\"} 2\n",
        "stamp_session_delay_seconds_bucket{session=\"a\",direction=\"forward\",le=\"+Inf\"} 3\n",
        "stamp_session_delay_seconds_sum{session=\"a\",direction=\"forward\"} 0.0905\n",
        "stamp_session_delay_seconds_count{session=\"a\",direction=\"backward\"} 0\n",
        "stamp_exposition_histograms 1\n",
        "stamp_sender_schedule_lag_seconds_count 0\n",
        "stamp_te_delay_min_seconds{session=\"a\"} 0.0015\n",
        "stamp_te_anomalous{session=\"a\"} 0\n",
        "stamp_te_advertisements_total{session=\"a\",reason=\"first\"} 1\n",
        "stamp_te_advertisements_total{session=\"a\",reason=\"anomaly\"} 0\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    assert!(!text.contains("stamp_te_loss_ratio{"), "nothing is announced of it: {text}");
}

#[test]
fn many_sessions_are_many_pieces_that_make_one_text() {
    let snapshot = snapshot(Some(every_threshold()));
    let sessions: Vec<_> =
        (0..1_000).map(|number| session(&format!("s{number}"), Some(snapshot.clone()))).collect();
    let text = text(sessions);
    let described: Vec<_> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
    let unique: BTreeSet<_> = described.iter().collect();
    assert_eq!(unique.len(), described.len(), "each is described once");
    let series = series(&text);
    let unique: BTreeSet<_> = series.iter().collect();
    assert_eq!(unique.len(), series.len(), "no sample comes twice");
    let sent = series.iter().filter(|it| it.starts_with("stamp_session_packets_sent_total"));
    assert_eq!(sent.count(), 1_000);
}

#[test]
fn no_session_has_more_series_than_the_limit_counts_with() {
    let mut whole = session("a", Some(snapshot(Some(every_threshold()))));
    whole.counters.lost = [Some(1); 3];
    let window = Arc::make_mut(&mut whole.window.as_mut().unwrap().measured);
    let some = Some(TimeDelta::from_ns(1));
    let delay = DelaySummary {
        min: some,
        mean: some,
        max: some,
        p50: some,
        p95: some,
        p99: some,
        p99_9: some,
        ..DelaySummary::default()
    };
    window.delay =
        DelayReport { forward: delay, backward: delay, round_trip: delay, residence: delay };
    window.pdv =
        PdvReport { forward: delay.into(), backward: delay.into(), round_trip: delay.into() };
    let change = VariationSummary { mean_magnitude: some, ..VariationSummary::default() };
    window.ipdv = IpdvReport { forward: change, backward: change, round_trip: change };
    window.clock.error_bound_ns = Some(1);
    window.lateness = delay;
    window.packets.received = 1;
    window.packets.lost.forward = Some(0);
    window.packets.lost.backward = Some(0);
    let known = ClockState { error_bound_ns: Some(1), ..ClockState::UNKNOWN };
    let window = whole.window.take().unwrap();
    whole.window = Some(window.due(Duration::from_secs(1), Duration::from_secs(1)));
    let now = whole.now.as_mut().unwrap();
    (now.near, now.far) = (known, Some((known, true)));
    let delay = Some(TeDelay::from_micros(1));
    let loss = Some(TeLoss::from_steps(1));
    let state = TeState { min: delay, avg: delay, max: delay, variation: delay, loss, ..default() };
    let state =
        TeState { min_max_mode: Some(TeMode::OneWay), loss_mode: Some(TeMode::Derived), ..state };
    whole.announced = Some(Announced { state, counts: default() });
    let buckets = Buckets::rising([1_000, 2_000]);
    let of_histograms = series_of_histograms(&buckets);
    whole.histograms = Some(Arc::new(SessionHistograms::new(&buckets)));
    let text = text(vec![whole]);
    let count = series(&text).iter().filter(|line| line.contains("session=\"a\"")).count();
    assert_eq!(count, SERIES_OF_A_SESSION + of_histograms);
    let promised = catalogue::OF_PROGRAMS
        .iter()
        .chain(catalogue::OF_SENDERS)
        .chain(catalogue::OF_SESSIONS)
        .chain(catalogue::OF_ANNOUNCEMENTS)
        .map(|metric| format!("# TYPE {} {}\n", metric.name, metric.kind.label()));
    for line in promised {
        assert!(text.contains(&line), "{line}");
    }
}

#[test]
fn a_registry_of_others_takes_it() {
    let sessions = vec![session("a", Some(snapshot(None)))];
    let program = Program::default();
    let (has_histograms, lag) = (false, lag());
    let sender = Sender {
        program,
        running: 1,
        waiting: 0,
        has_histograms,
        lag,
        shard: None,
        discovery: Vec::new(),
        policies: Vec::new(),
        sessions,
    };
    let registry = Registry::new();
    registry.register(Box::new(sender.shared().exposition())).unwrap();
    let names: Vec<_> = registry.gather().iter().map(|family| family.name().to_owned()).collect();
    assert!(names.iter().any(|name| name == catalogue::SENT.name), "{names:?}");
}
