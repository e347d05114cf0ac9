//! Targets that others name, in files and over HTTP.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use stamp_tests::netns::{self, Families, Host, Trial, trials};

use super::{Daemon, reflector, states};
use crate::http::{ask, wait_for};

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        targets_of_files_are_sessions_that_follow_them,
        targets_of_a_server_are_sessions_and_stay_when_it_fails,
    ]
}

/// Where the daemon tells its metrics.
const PORT: u16 = 9862;

const FILES: &str = "\
events = { file = \"events.ndjson\" }

[defaults]
interval = \"10ms\"
timeout = \"1s\"

[[session]]
name = \"ours\"
target = \"FAR\"

[[discovery]]
files = [\"targets-*.json\"]
name = \"{site}\"
";

fn json(host: &Host, path: &str) -> Value {
    let (status, text) = ask((host, PORT), "GET", path, "");
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

fn targets_of_files_are_sessions_that_follow_them() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let group = |site: &str, more: &str| {
        let far = net.far.ipv4();
        format!(r#"{{"targets": ["{far}"], "labels": {{"site": "{site}"{more}}}}}"#)
    };
    let daemon = Daemon::start(&net.near, &net.far, FILES);
    daemon.told("msg=\"session is up\" session=ours");
    let write = |text: &str| {
        // As others do it, so that nobody reads half of it.
        let half = daemon.folder.write("half", text);
        fs::rename(half, daemon.folder.path("targets-a.json")).expect("the folder is ours");
    };
    write(&format!("[{}]", group("ams", "")));
    daemon.told("msg=\"session is up\" session=ams");
    daemon.told("msg=\"other targets were discovered\" added=1 changed=0 tuned=0 removed=0 kept=1");
    write(&format!("[{}, {}]", group("ams", ""), group("lon", ", \"dscp\": \"XX\"")));
    daemon.told("msg=\"a discovered target is no session\"");
    let refused = "stamp_discovery_targets{source=\"";
    let listed = json(&net.near, "/api/v1/discovery");
    let source = &listed["sources"][0];
    assert_eq!((&source["targets"], &source["failures"]), (&2.into(), &0.into()), "{listed}");
    let reason = source["refused"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("dscp = \"XX\": expected a DSCP"), "{listed}");
    write("[{");
    daemon.told("msg=\"discovery fails; what was known stays\"");
    let pattern = daemon.folder.path("targets-*.json");
    let failures = format!("stamp_discovery_failures_total{{source=\"{}\"}}", pattern.display());
    let text = wait_for((&net.near, PORT), &failures, |count| count >= 1.0);
    assert!(text.contains(refused), "{text}");
    write(&format!("[{}]", group("lon", ", \"dscp\": \"EF\"")));
    daemon.told("msg=\"session is up\" session=lon");
    daemon.told("msg=\"discovery works again\"");
    daemon.told("msg=\"other targets were discovered\" added=1 changed=0 tuned=0 removed=1 kept=1");
    let groups = json(&net.near, "/api/v1/sd");
    let group = &groups[0];
    assert_eq!(group["targets"][0], net.far.ipv4().to_string(), "{groups}");
    assert_eq!((&group["labels"]["name"], &group["labels"]["dscp"]), (&"lon".into(), &"EF".into()));
    let (_, events) = daemon.stop();
    assert_eq!(states(&events, "ours"), [("init", "up")], "it went on all the time");
    assert_eq!(states(&events, "ams"), [("init", "up")]);
}

/// Says over HTTP whatever `says` holds, a status and a text.
fn serve(host: &Host, says: &Arc<Mutex<(u16, String)>>) -> u16 {
    let listener = host.run(|| TcpListener::bind("127.0.0.1:0")).expect("a socket");
    let port = listener.local_addr().expect("it is bound").port();
    let says = Arc::clone(says);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), mut octets) = (stream, [0; 1024]) else { return };
            let _ = stream.read(&mut octets);
            let (status, text) = says.lock().expect("nobody panics").clone();
            let length = text.len();
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{text}");
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

fn targets_of_a_server_are_sessions_and_stay_when_it_fails() {
    let net = netns::two_hosts(Families::V4);
    let _far = reflector(&net.far);
    let far = net.far.ipv4();
    let text = format!(r#"[{{"targets": ["{far}"], "labels": {{"name": "a"}}}}]"#);
    let says = Arc::new(Mutex::new((200, text)));
    let port = serve(&net.near, &says);
    let file = format!(
        "events.file = \"events.ndjson\"\n[[discovery]]\nurl = \"http://127.0.0.1:{port}/t\"\n\
         refresh-interval = \"1s\"\ninterval = \"10ms\"\ntimeout = \"1s\"\n"
    );
    let daemon = Daemon::start(&net.near, &net.far, &file);
    daemon.told("msg=\"session is up\" session=a");
    says.lock().expect("nobody panics").0 = 503;
    daemon.told("msg=\"discovery fails; what was known stays\"");
    let text = format!(r#"[{{"targets": ["{far}"], "labels": {{"name": "b"}}}}]"#);
    *says.lock().expect("nobody panics") = (200, text);
    daemon.told("msg=\"session is up\" session=b");
    let (finished, events) = daemon.stop();
    assert_eq!(finished.stderr.matches("other targets were discovered").count(), 2, "{finished}");
    assert_eq!(states(&events, "a"), [("init", "up")]);
}
