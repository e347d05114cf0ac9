//! Events that are told to servers.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};
use stamp_tests::netns::{self, Families, Signal, Trial, trials};

use super::receiver::Receiver;
use super::{Daemon, TWO, of_type, reflector};
use crate::http::{scrape, value, wait_for};

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        a_webhook_is_told_everything_once_and_in_order,
        a_reload_leads_what_waits_to_another_server,
        what_a_server_never_took_is_counted_and_said_to_be_missing,
        thousands_that_go_down_at_once_are_all_told_in_groups,
    ]
}

const WEB: u16 = 9862;
const PORT: u16 = 8080;

/// Two sessions, and a webhook at `port` of the far host with `more` keys.
fn with_webhook(port: u16, more: &str) -> String {
    format!(
        "{TWO}\n[[webhook]]\nname = \"noc\"\nurl = \"http://FAR:{port}/stamp\"\n\
         types = [\"state\"]\nbatch = {{ every = \"10ms\" }}\n{more}\n"
    )
}

/// Which session became what.
fn changes<'e>(events: impl IntoIterator<Item = &'e Value>) -> Vec<(&'e str, &'e str)> {
    let word = |event: &'e Value, key| event[key].as_str().unwrap_or_default();
    events.into_iter().map(|event| (word(event, "session"), word(event, "to"))).collect()
}

fn a_webhook_is_told_everything_once_and_in_order() {
    let net = netns::two_hosts(Families::V4);
    let receiver = Receiver::start(&net.far, PORT);
    let far = reflector(&net.far);
    let daemon =
        Daemon::start(&net.near, &net.far, &with_webhook(PORT, "sessions = [\"a\", \"b\"]"));
    let up = receiver.events(2);
    far.signal(Signal::SIGTERM);
    let down = receiver.events(2);
    let at = (&net.near, WEB);
    let text = wait_for(at, "stamp_events_delivered_total{sink=\"noc\"}", |it| it >= 4.0);
    for series in
        ["stamp_events_dropped_total", "stamp_event_failures_total", "stamp_event_queue_length"]
    {
        assert_eq!(value(&text, &format!("{series}{{sink=\"noc\"}}")), Some(0.0), "{series}");
    }
    let (_, events) = daemon.stop();
    let told: Vec<Value> = up.into_iter().chain(down).collect();
    let written: Vec<Value> = of_type(&events, "state").cloned().collect();
    assert_eq!(told, written, "the file has the same, in the same order");
    assert_eq!(receiver.rest(), [Value::Null; 0], "nothing twice, and of no other type");
}

fn a_reload_leads_what_waits_to_another_server() {
    let net = netns::two_hosts(Families::V4);
    let receiver = Receiver::start(&net.far, PORT);
    let _far = reflector(&net.far);
    // Nobody listens there.
    let text = with_webhook(PORT + 1, "");
    let mut daemon = Daemon::start(&net.near, &net.far, &text);
    daemon.told("level=warn msg=\"events are not taken\" webhook=noc");
    daemon.told("msg=\"session is up\" session=a");
    daemon.told("msg=\"session is up\" session=b");
    daemon.change(":8081/", ":8080/");
    let mut told = receiver.events(2);
    told.sort_by_key(|event| event["session"].to_string());
    assert_eq!(changes(&told), [("a", "up"), ("b", "up")]);
    daemon.told("level=info msg=\"events are taken again\" webhook=noc");
    let text = scrape((&net.near, WEB));
    assert_eq!(value(&text, "stamp_events_dropped_total{sink=\"noc\"}"), Some(0.0));
    assert!(value(&text, "stamp_event_failures_total{sink=\"noc\"}") >= Some(1.0), "{text}");
    daemon.stop();
}

fn what_a_server_never_took_is_counted_and_said_to_be_missing() {
    let net = netns::two_hosts(Families::V4);
    let far = reflector(&net.far);
    let daemon = Daemon::start(&net.near, &net.far, &with_webhook(PORT, "retry = \"10ms\""));
    let at = (&net.near, WEB);
    daemon.told("level=error msg=\"events are given up\" webhook=noc");
    wait_for(at, "stamp_events_dropped_total{sink=\"noc\"}", |dropped| dropped == 2.0);
    let receiver = Receiver::start(&net.far, PORT);
    far.signal(Signal::SIGTERM);
    let told = receiver.events(3);
    let (missing, down) = told.split_first().expect("three events");
    assert_eq!((&missing["type"], &missing["count"]), (&json!("dropped"), &json!(2)));
    assert_eq!(missing["sink"], "noc");
    assert!(changes(down).iter().all(|(_, to)| *to == "down"), "{down:?}");
    daemon.stop();
}

fn thousands_that_go_down_at_once_are_all_told_in_groups() {
    const MANY: usize = 2_000;
    let net = netns::two_hosts(Families::V4);
    let receiver = Receiver::start(&net.far, PORT);
    let far = reflector(&net.far);
    let mut text = "events = { file = \"events.ndjson\" }\n\
                    [defaults]\ninterval = \"2s\"\ntimeout = \"1s\"\n\
                    [[webhook]]\nname = \"noc\"\nurl = \"http://FAR:8080/\"\ntypes = [\"state\"]\n"
        .to_owned();
    for number in 0..MANY {
        write!(text, "[[session]]\nname = \"s{number}\"\ntarget = \"FAR\"\n").expect("memory");
    }
    let daemon = Daemon::start(&net.near, &net.far, &text);
    let names = |events: &[Value], to: &str| -> Vec<String> {
        let changes = changes(events);
        assert!(changes.iter().all(|(_, became)| *became == to), "{changes:?}");
        changes.iter().map(|(session, _)| (*session).to_owned()).collect()
    };
    let up = names(&receiver.events(MANY), "up");
    far.signal(Signal::SIGTERM);
    let mut requests = 0;
    let mut down = Vec::new();
    while down.len() < MANY {
        let Value::Array(events) = receiver.next()["events"].take() else { panic!("no events") };
        down.extend(names(&events, "down"));
        requests += 1;
    }
    let all = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>().len();
    assert_eq!((up.len(), all(&up), down.len(), all(&down)), (MANY, MANY, MANY, MANY));
    assert!(requests <= MANY / 20, "{requests} requests");
    let text = scrape((&net.near, WEB));
    for sink in ["noc", "file"] {
        let dropped = value(&text, &format!("stamp_events_dropped_total{{sink=\"{sink}\"}}"));
        assert_eq!(dropped, Some(0.0), "{sink}");
    }
    let (_, events) = daemon.stop();
    let states: Vec<Value> = of_type(&events, "state").cloned().collect();
    let (first, last) = states.split_at(MANY);
    assert_eq!((all(&names(first, "up")), all(&names(last, "down"))), (MANY, MANY));
    assert_eq!(receiver.rest(), [Value::Null; 0], "nothing twice");
}
