//! Policies of `stamp-sender run`: each list is measured, and the best candidate path carries traffic.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use stamp_tests::netns::{self, Need, Trial, trials};

use super::network::{Net, OPEN, TOPOLOGY};
use super::service::{DELAYS, LOSSES, Pace, QUICK, SLOW, Service, WEB, head};
use crate::folder::Folder;
use crate::http::{At, BEARER, ask, connect, scrape, value, wait_for};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        the_best_path_carries_and_is_left_when_it_is_too_slow_or_drained: [Need::IPV6],
        a_table_is_followed_and_asked_for_by_prefix: [Need::IPV6],
        lists_are_measured_in_a_loop_with_the_way_back_of_the_topology: [Need::IPV6],
        a_path_that_was_computed_moves_with_the_topology: [Need::IPV6],
        a_link_that_is_slower_than_the_file_says_is_left: [Need::IPV6],
    ]
}

const CLASS: &str = "
[class.gaming]
require = { forward-p99 = \"500ms\" }
traffic = { prefixes = [\"198.51.100.0/24\"], dscp = [\"AF41\"] }
hold = \"1s\"
changes-per-hour = 100
";

const THREE: &str = "
[[policy]]
name = \"gaming-to-r\"
from = \"s\"
color = 100
endpoint = \"r\"
class = \"gaming\"
[[policy.candidate]]
name = \"past-b\"
preference = 200
segments = [\"b\", \"r\"]
[[policy.candidate]]
name = \"past-c\"
segments = [\"c\", \"r\"]
[[policy.candidate]]
name = \"past-a\"
preference = 50
segments = [\"a\", \"r\"]
";

/// A file with these policies and a class.
fn file(pace: Pace, policies: &str) -> String {
    format!("{}{CLASS}{policies}", head(pace))
}

/// A file of three ways to r, of which that past b is the best.
pub(super) fn three(pace: Pace) -> String {
    file(pace, THREE)
}

/// The table of paths, as somebody hears it who follows it.
pub(super) struct Followed(Lines<BufReader<TcpStream>>);

impl Followed {
    /// By somebody who shows what these lines of a head say.
    pub(super) fn at(at: At<'_>, shown: &str) -> Self {
        let mut stream = connect(at);
        let request = format!(
            "GET /api/v1/paths HTTP/1.1\r\nHost: stamp\r\nAccept: text/event-stream\r\n{shown}\r\n"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        Self(BufReader::new(stream).lines())
    }

    /// The next event of this kind.
    pub(super) fn next(&mut self, kind: &str) -> Value {
        let head = format!("event: {kind}");
        let mut lines = self.0.by_ref().map(|line| line.expect("it tells"));
        lines.find(|line| *line == head).expect("the event");
        let data = lines.next().expect("data");
        serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("a JSON object")
    }
}

fn json(net: &Net, path: &str) -> Value {
    let (status, text) = ask((&net.host("s"), WEB), "GET", path, "");
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).expect("a JSON document")
}

fn the_best_path_carries_and_is_left_when_it_is_too_slow_or_drained() {
    let mut net = Net::up();
    let _far = net.reflector(OPEN, &["--clock", "synchronized,error=1us"]);
    let service = Service::start(&net, TOPOLOGY, &three(DELAYS));
    // Whichever is measured first may carry for a moment.
    let back = "from=past-c to=past-b reason=preference";
    let before = usize::from(service.moved("to=past-b", 1).contains(back));
    net.delay("s>b", SLOW);
    service
        .moved("from=past-b to=past-c reason=violation standing=good because=\"forward-p99 is ", 1);
    let table = json(&net, "/api/v1/paths");
    let path = &table["paths"][0];
    assert_eq!(
        (&path["policy"], &path["headend"]),
        (&"gaming-to-r".into(), &"s".into()),
        "{table}"
    );
    assert_eq!((&path["active"], &path["preference"]), (&"past-c".into(), &100.into()), "{table}");
    assert_eq!(
        (&path["reason"], &path["standing"]),
        (&"violation".into(), &"good".into()),
        "{table}"
    );
    let list = &path["lists"][0];
    assert_eq!(list["labels"], serde_json::json!([16002]), "{table}");
    assert_eq!(list["segments"], serde_json::json!(["c", "r"]), "{table}");
    assert_eq!((&list["sids"], &list["name"]), (&Value::Null, &"gaming-to-r/past-c/0".into()));
    let policy = &json(&net, "/api/v1/policies")["policies"][0];
    assert_eq!((&policy["color"], &policy["class"]), (&100.into(), &"gaming".into()), "{policy}");
    let eligibility: Vec<&Value> = policy["candidates"]
        .as_array()
        .expect("candidates")
        .iter()
        .map(|it| &it["eligibility"])
        .collect();
    assert_eq!(eligibility, ["violates", "eligible", "eligible"], "{policy}");
    let host = net.host("s");
    let metrics = scrape((&host, WEB));
    for (series, expected) in [
        ("stamp_policy_active{policy=\"gaming-to-r\",candidate=\"past-c\"}", 1.0),
        ("stamp_policy_candidate_eligible{policy=\"gaming-to-r\",candidate=\"past-b\"}", 0.0),
        ("stamp_policy_moves_total{policy=\"gaming-to-r\",reason=\"violation\"}", 1.0),
        ("stamp_policy_standing{policy=\"gaming-to-r\",standing=\"good\"}", 1.0),
    ] {
        assert_eq!(value(&metrics, series), Some(expected), "{series} in {metrics}");
    }
    net.delay("s>b", QUICK);
    service.moved(back, before + 1);
    let drain = |method: &str, query: &str, head: &str| {
        ask(
            (&host, WEB),
            method,
            &format!("/api/v1/drain?{query}"),
            &format!("{head}Content-Length: 0\r\n"),
        )
    };
    assert_eq!(drain("PUT", "link=b-r", "").0, 401);
    let (status, text) = drain("PUT", "link=nowhere", BEARER);
    assert_eq!((status, text.trim()), (400, "there is no link nowhere in the topology"));
    assert_eq!(drain("PUT", "link=b-r", BEARER).0, 200);
    service.moved("from=past-b to=past-c reason=drained", 1);
    // What is left of the file goes on as it was, drained or not.
    let fewer = THREE.split("[[policy.candidate]]\nname = \"past-a\"").next().expect("a part");
    service.reload(&file(DELAYS, fewer));
    service.told("msg=\"configuration reloaded\" added=0 changed=0 tuned=0 removed=1 kept=2");
    assert_eq!(json(&net, "/api/v1/paths")["paths"][0]["active"], "past-c");
    assert_eq!(drain("DELETE", "link=b-r", BEARER).0, 200);
    service.moved(back, before + 2);
    let reasons: Vec<String> = service
        .stop("path")
        .iter()
        .skip_while(|event| event["to"] != "past-b")
        .skip(1)
        .map(|event| event["reason"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(reasons, ["violation", "preference", "drained", "preference"], "and no other");
}

fn a_table_is_followed_and_asked_for_by_prefix() {
    let mut net = Net::up();
    let _far = net.reflector(OPEN, &["--clock", "synchronized,error=1us"]);
    let service = Service::start(&net, TOPOLOGY, &three(DELAYS));
    service.moved("to=past-b", 1);
    let host = net.host("s");
    let mut table = Followed::at((&host, WEB), "");
    let mut next = |kind: &str| table.next(kind);
    let table = next("table");
    assert_eq!(table["paths"][0]["active"], "past-b", "{table}");
    net.delay("s>b", SLOW);
    let moved = loop {
        let path = next("path");
        if path["active"] != "past-b" {
            break path;
        }
    };
    assert_eq!(
        (&moved["active"], &moved["reason"]),
        (&"past-c".into(), &"violation".into()),
        "{moved}"
    );
    assert!(moved["sequence"].as_u64() > table["sequence"].as_u64(), "{moved}");
    for (query, count) in [
        ("to=198.51.100.7", 1),
        ("to=192.0.2.2", 1),
        ("to=198.51.100.0/25&class=gaming", 1),
        ("to=203.0.113.1", 0),
        ("class=bulk", 0),
    ] {
        let paths = &json(&net, &format!("/api/v1/paths?{query}"))["paths"];
        assert_eq!(paths.as_array().map(Vec::len), Some(count), "{query}: {paths}");
    }
    assert_eq!(ask((&host, WEB), "GET", "/api/v1/paths?to=here", "").0, 400);
    service.stop("path");
}

const LOOPED: &str = "
[profile.loop]
mode = \"enhanced-loopback\"
far-clock = { synchronized = true, error = \"1us\" }

[[policy]]
name = \"labels\"
from = \"s\"
color = 1
endpoint = \"r\"
profile = \"loop\"
candidate = [{ name = \"past-a\", segments = [\"a\", \"r\"] }]
";

fn lists_are_measured_in_a_loop_with_the_way_back_of_the_topology() {
    let net = Net::up();
    let topology =
        TOPOLOGY.replace("index = 2\n", "index = 2\ntimestamp-label = { extended = 240 }\n");
    // It writes T2, and its kernel knows no labels: the one that leads back is taken off here.
    let text = "\
listen = [\"192.0.2.2:8620\"]
[[timestamp]]
extended = 240
interfaces = [\"a-r\"]
[[forward]]
label = 16011
action = \"pop\"
interface = \"a-r\"
next-hop = \"10.0.2.1\"
";
    let folder = Folder::new();
    let far = folder.write("node.toml", text);
    let far = net.host("r").spawn(netns::binary("stamp-reflector").arg(far));
    far.wait_for_error_line(|line| line.contains("msg=\"listening on "));
    let service = Service::start(&net, &topology, &file(LOSSES, LOOPED));
    service.moved("policy=labels to=past-a", 1);
    let received = "stamp_session_packets_received_total{session=\"labels/past-a/0\"}";
    wait_for((&net.host("s"), WEB), received, |received| received > 0.0);
    let sessions = json(&net, "/api/v1/sessions");
    let session = &sessions["sessions"][0];
    assert_eq!(session["name"], "labels/past-a/0", "{sessions}");
    let path = &session["path"];
    assert_eq!(path["segments"], serde_json::json!(["16002", "extended:240"]), "{path}");
    assert_eq!(path["return_segments"], serde_json::json!(["16011", "16001"]), "{path}");
    assert!(session["stamping"]["stamped"].as_u64() > Some(0), "{session}");
    service.stop("path");
}

/// Of what may be computed only the way past c is short enough by the file, until that is drained.
const COMPUTED: &str = "
[class.quick]
require = { forward-p99 = \"500ms\" }
hold = \"1s\"
changes-per-hour = 100

[[policy]]
name = \"computed\"
from = \"s\"
color = 2
endpoint = \"r\"
class = \"quick\"
candidate = [{ name = \"quickest\", dynamic = { metric = \"delay\" } }]
";

fn a_path_that_was_computed_moves_with_the_topology() {
    let net = Net::up();
    let _far = net.reflector(OPEN, &["--clock", "synchronized,error=1us"]);
    let service = Service::start(&net, TOPOLOGY, &file(LOSSES, COMPUTED));
    service.moved("policy=computed to=quickest reason=first", 1);
    let nodes = || json(&net, "/api/v1/paths")["paths"][0]["lists"][0]["segments"].clone();
    let first = nodes();
    assert!(first.as_array().is_some_and(|it| it.iter().all(|word| word != "c")), "{first}");
    let host = net.host("s");
    let head = format!("{BEARER}Content-Length: 0\r\n");
    assert_eq!(ask((&host, WEB), "PUT", "/api/v1/drain?node=b", &head).0, 200);
    // The new list is measured before traffic moves; then the old one goes.
    service.moved("from=quickest to=quickest reason=rebalanced", 1);
    assert_eq!(nodes(), serde_json::json!(["c", "r"]));
    service.told("msg=\"paths were computed anew\" added=0 changed=0 tuned=0 removed=1 kept=1");
    let events = service.stop("path");
    assert_eq!(
        events.last().map(|event| &event["lists"][0]["name"]),
        Some(&"computed/quickest/1".into())
    );
}

/// A policy whose only list is one link and nothing else.
const LINK: &str = "
[[policy]]
name = \"link\"
from = \"s\"
color = 3
endpoint = \"b\"
profile = \"link\"
candidate = [{ name = \"itself\", segments = [\"b\"] }]

[profile.link]
te = { spacing = \"1s\" }
";

fn a_link_that_is_slower_than_the_file_says_is_left() {
    let mut net = Net::up();
    // The file knows 700 microseconds.
    net.delay("s>b", Duration::from_millis(120));
    let _far = net.reflector(OPEN, &["--clock", "synchronized,error=1us"]);
    let mut near = netns::binary("stamp-reflector");
    near.args(["--listen", ":8620", "--clock", "synchronized,error=1us"]);
    let middle = net.host("b");
    let near = middle.spawn(&mut near);
    middle.wait_for_udp_listener(&near, 8620);
    // What is announced of a link follows so many windows.
    let text = file(LOSSES, &format!("{COMPUTED}{LINK}"));
    let text = text.replace("window = \"1600ms\"", "window = \"1s\"");
    let service = Service::start(&net, TOPOLOGY, &text);
    service.told("msg=\"paths were computed anew\"");
    let host = net.host("s");
    let mut table = Followed::at((&host, WEB), "");
    let is_it = |path: &Value| {
        path["policy"] == "computed"
            && path["lists"][0]["segments"] == serde_json::json!(["c", "r"])
    };
    let whole = table.next("table");
    let mut is_there = whole["paths"].as_array().expect("paths").iter().any(is_it);
    while !is_there {
        is_there = is_it(&table.next("path"));
    }
    service.stop("path");
}
