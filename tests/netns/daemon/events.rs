//! Events of the daemon, as those meet them who act upon them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use serde_json::Value;
use stamp_tests::netns::{self, Families, Signal, Trial, trials};

use super::{Daemon, TWO, reflector};
use crate::http::{ask, connect, scrape, value};

pub(crate) fn trials() -> Vec<Trial> {
    trials![listeners_hear_of_it_at_once_and_go_on_where_they_were,]
}

/// Where the daemon tells them.
const PORT: u16 = 9862;

/// A client of server-sent events.
struct Listener(BufReader<TcpStream>);

impl Listener {
    fn new(at: (&netns::Host, u16), head: &str) -> Self {
        let mut stream = connect(at);
        let request =
            format!("GET /api/v1/events?type=state HTTP/1.1\r\nHost: stamp\r\n{head}\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut listener = Self(BufReader::new(stream));
        while !listener.line().starts_with("retry: ") {}
        listener
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).expect("it tells") > 0, "it has closed");
        line
    }

    /// The identifier of the next session that goes down, and its event. One that came up as this client
    /// began to listen may be told before.
    fn next_down(&mut self) -> (String, Value) {
        loop {
            let (id, event) = self.next();
            if event["to"] == "down" {
                return (id, event);
            }
        }
    }

    /// The identifier of the next event, and its text.
    fn next(&mut self) -> (String, Value) {
        let mut id = String::new();
        loop {
            let line = self.line();
            if let Some(text) = line.strip_prefix("id: ") {
                id = text.trim().to_owned();
            }
            if let Some(text) = line.strip_prefix("data: ") {
                return (id, serde_json::from_str(text).expect("a JSON object"));
            }
        }
    }
}

fn listeners_hear_of_it_at_once_and_go_on_where_they_were() {
    let net = netns::two_hosts(Families::V4);
    let far = reflector(&net.far);
    let daemon = Daemon::start(&net.near, &net.far, TWO);
    daemon.told("msg=\"session is up\" session=a");
    daemon.told("msg=\"session is up\" session=b");
    let at = (&net.near, PORT);
    let mut listener = Listener::new(at, "");
    far.signal(Signal::SIGTERM);
    far.wait().assert_code(0);
    let (id, first) = listener.next_down();
    drop(listener);
    let mut back = Listener::new(at, &format!("Last-Event-ID: {id}\r\n"));
    let (_, second) = back.next();
    assert_eq!(second["to"], "down", "it goes on right behind the first: {second}");
    let mut sessions = [&first, &second].map(|event| event["session"].as_str());
    sessions.sort_unstable();
    assert_eq!(sessions, [Some("a"), Some("b")], "each once: {first} {second}");
    let json = "Accept: application/json\r\n";
    let (status, text) = ask(at, "GET", "/api/v1/events?type=state&session=a", json);
    let document: Value = serde_json::from_str(&text).expect("a JSON document");
    let states: Vec<_> = document["events"].as_array().expect("events").iter().collect();
    assert_eq!((status, states.len(), &states[1]["to"]), (200, 2, &"down".into()), "{text}");
    for sink in ["file", "sse"] {
        let series = format!("stamp_events_dropped_total{{sink=\"{sink}\"}}");
        assert_eq!(value(&scrape(at), &series), Some(0.0));
    }
    daemon.stop();
}
