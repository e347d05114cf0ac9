//! `stamp-sender select` over what a daemon tells: whoever asks it, follows it and drains something there.

use serde_json::{Value, json};
use stamp_tests::netns::{self, Host, Need, Program, Signal, Trial, trials};

use super::network::{Net, OPEN, TOPOLOGY};
use super::policies::{Followed, three};
use super::prometheus::Prometheus;
use super::service::{DELAYS, LOSSES, Pace, SLOW, Service, WEB, told_for_the};
use crate::http::{BEARER, ask};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        whoever_asks_what_was_selected_is_told_its_own_part: [Need::IPV6],
        what_is_drained_where_paths_are_selected_moves_before_the_work: [Need::IPV6],
    ]
}

/// Where decisions are told.
const OWN: u16 = 9865;
const BRANCH: &str = "Authorization: Bearer the token of a branch\r\n";

/// It asks seldom: what is ordered does not wait for that.
const SELECT: &str = "
[select]
prometheus = \"http://127.0.0.1:9090\"
interval = \"INTERVAL\"
control-token-file = \"token\"

[[client]]
name = \"branch\"
token-file = \"branch\"
to = [\"198.51.100.128/25\"]
classes = [\"gaming\"]
";

/// A daemon that measures, Prometheus beside it, and whoever selects.
struct Stage {
    net: Net,
    host: Host,
    _far: Program,
    service: Service,
    _prometheus: Prometheus,
    selector: Program,
}

impl Stage {
    /// The most preferred path is measured, and selected.
    fn set(pace: Pace, interval: &str) -> Self {
        let net = Net::up();
        let far = net.reflector(OPEN, &["--clock", "synchronized,error=1us"]);
        let service = Service::start(&net, TOPOLOGY, &three(pace));
        service.moved("to=past-b", 1);
        let host = net.host("s");
        let prometheus = Prometheus::start(&host, WEB);
        service.write("branch", "the token of a branch");
        let own = three(pace).replace("events.ndjson", "selected.ndjson");
        let select = SELECT.replace("INTERVAL", interval);
        service.write("select.toml", &format!("{own}{select}"));
        let file = service.file("select.toml");
        let selector = host.spawn(netns::binary("stamp-sender").arg("select").arg(file));
        let stage = Self { net, host, _far: far, service, _prometheus: prometheus, selector };
        stage.moved("to=past-b", 1);
        // The log has it first.
        stage.selector.wait_until("it is ready", || stage.ask("/-/ready", "").0 == 200);
        stage
    }

    /// Waits until traffic has moved so where paths are selected, for the so-manieth time.
    #[track_caller]
    fn moved(&self, words: &str, times: usize) {
        let is_it = |line: &str| line.contains("msg=\"traffic moves\"") && line.contains(words);
        told_for_the(times, &self.selector, is_it);
    }

    /// Status and text of an answer of whoever selects.
    #[track_caller]
    fn ask(&self, path: &str, shown: &str) -> (u16, String) {
        ask((&self.host, OWN), "GET", path, shown)
    }

    #[track_caller]
    fn paths(&self, query: &str, shown: &str) -> Vec<Value> {
        let (status, text) = self.ask(&format!("/api/v1/paths{query}"), shown);
        assert_eq!(status, 200, "{text}");
        let table: Value = serde_json::from_str(&text).expect("a JSON document");
        table["paths"].as_array().expect("paths").clone()
    }

    #[track_caller]
    fn end(self) {
        self.selector.signal(Signal::SIGTERM);
        self.selector.wait().assert_code(0);
        self.service.end();
    }
}

fn whoever_asks_what_was_selected_is_told_its_own_part() {
    let mut stage = Stage::set(DELAYS, "500ms");
    let mut all = Followed::at((&stage.host, OWN), "");
    let table = all.next("table");
    assert_eq!(table["paths"][0]["active"], "past-b", "{table}");
    for (query, count) in [
        ("to=198.51.100.7&class=gaming", 1),
        ("to=192.0.2.2", 1),
        ("to=203.0.113.1", 0),
        ("class=bulk", 0),
    ] {
        assert_eq!(stage.paths(&format!("?{query}"), "").len(), count, "{query}");
    }
    let own = &stage.paths("", BRANCH)[0];
    assert_eq!((&own["headend"], &own["active"]), (&Value::Null, &Value::Null), "{own}");
    assert_eq!(own["traffic"]["prefixes"], json!(["198.51.100.128/25"]), "{own}");
    assert_eq!(own["lists"][0]["segments"], json!(["b"]), "where frames leave to: {own}");
    assert_eq!(stage.paths("?to=198.51.100.129", BRANCH).len(), 1);
    assert_eq!(stage.ask("/api/v1/paths?to=198.51.100.7", BRANCH).0, 403, "another's");
    let stranger = BRANCH.replace("branch", "stranger");
    assert_eq!(stage.ask("/api/v1/paths", &stranger).0, 401);
    let mut part = Followed::at((&stage.host, OWN), BRANCH);
    let table = part.next("table");
    assert_eq!(table["paths"][0]["lists"][0]["segments"], json!(["b"]), "{table}");
    stage.net.delay("s>b", SLOW);
    let path = changed(&mut all, "b");
    assert_eq!((&path["active"], &path["reason"]), (&"past-c".into(), &"violation".into()));
    let path = changed(&mut part, "b");
    assert_eq!(path["lists"][0]["segments"], json!(["c"]), "{path}");
    stage.end();
}

/// The first change that leaves this neighbour.
fn changed(followed: &mut Followed, neighbour: &str) -> Value {
    loop {
        let path = followed.next("path");
        if path["lists"][0]["segments"][0] != neighbour {
            return path;
        }
    }
}

fn what_is_drained_where_paths_are_selected_moves_before_the_work() {
    let stage = Stage::set(LOSSES, "1h");
    let drain = |method: &str, query: &str, shown: &str| {
        let shown = format!("{shown}Content-Length: 0\r\n");
        ask((&stage.host, OWN), method, &format!("/api/v1/drain?{query}"), &shown)
    };
    assert_eq!(drain("PUT", "link=b-r", "").0, 401);
    assert_eq!(drain("PUT", "link=b-r", BRANCH).0, 401, "a client changes nothing");
    let (status, text) = drain("PUT", "link=nowhere", BEARER);
    assert_eq!((status, text.trim()), (400, "there is no link nowhere in the topology"));
    assert_eq!(drain("PUT", "link=b-r", BEARER).0, 200);
    stage.moved("from=past-b to=past-c reason=drained", 1);
    // A reload leaves it drained, and asks again as well.
    stage.selector.signal(Signal::SIGHUP);
    stage.selector.wait_for_error_line(|line| line.contains("msg=\"configuration reloaded\""));
    assert_eq!(drain("PUT", "node=c", BEARER).0, 200);
    stage.moved("from=past-c to=past-a reason=drained", 1);
    for query in ["node=c", "link=b-r"] {
        assert_eq!(drain("DELETE", query, BEARER).0, 200, "{query}");
    }
    stage.moved("to=past-b reason=preference", 1);
    stage.end();
}
