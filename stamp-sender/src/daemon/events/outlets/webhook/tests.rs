//! A webhook against a server that answers as a test wants.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread::JoinHandle;

use serde_json::Value;
use stamp_metrics::feed::{Feed, Wanted};
use stamp_metrics::http::client::Url;
use tokio::sync::watch;

use super::super::super::queue::{Sinks, queue};
use super::*;
use crate::daemon::config::Address;
use crate::output::schema::tests::assert_valid_webhook;

/// Answers a request after the other; the head and the body of each.
pub(in crate::daemon::events::outlets) fn server(
    answers: &'static [&'static str],
) -> (String, JoinHandle<Vec<(String, Value)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/stamp", listener.local_addr().unwrap());
    let heard = move |answer: &&str| {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut octets, mut part) = (Vec::new(), [0; 65_536]);
        loop {
            let count = stream.read(&mut part).unwrap();
            octets.extend_from_slice(&part[..count]);
            let text = String::from_utf8_lossy(&octets);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let head = head.to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1).unwrap();
            let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
            if body.len() == length {
                let body = serde_json::from_str(body).unwrap();
                write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").unwrap();
                return (head, body);
            }
        }
    };
    (url, std::thread::spawn(move || answers.iter().map(heard).collect()))
}

pub(in crate::daemon::events::outlets) fn config(url: &str) -> Webhook {
    Webhook {
        name: "noc".to_owned(),
        address: Address::Written(Url::read(url).unwrap()),
        wanted: Wanted::default(),
        every: Duration::from_millis(10),
        most: 1_000,
        timeout: Duration::from_secs(60),
        retry: Duration::from_secs(600),
        token_file: None,
        ca_file: None,
    }
}

/// Tells so many events at once, then lets go; delivered, dropped and failed attempts.
fn tell(config: Webhook, room: usize, events: usize) -> (u64, u64, u64) {
    let sinks = Sinks::default();
    let counts = sinks.of("noc");
    let (queue, inbox) = queue(room, &counts);
    let feed = Feed::new(10, |_| String::new());
    for number in 1..=events {
        let line = format!(
            "{{\"type\":\"config\",\"time\":\"1970-01-01T00:00:00.000000000Z\",\
             \"session\":null,\"to\":\"refused\",\"reason\":\"{number}\"}}"
        );
        queue.offer(&feed.tell("config", None, line));
    }
    drop(queue);
    let ((_configure, config), (_closing, closes)) = (watch::channel(config), watch::channel(()));
    let (alive, _ended) = mpsc::channel();
    let station = Station { inbox, counts, config, closes, _alive: alive };
    let mut task = Task::new(station);
    task.pauses = (Duration::from_millis(1), Duration::from_millis(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(task.run());
    let counted = &sinks.all()[0];
    assert_eq!(counted.queued, 0);
    (counted.delivered, counted.dropped, counted.failures)
}

/// What each event of a request is: its number, or how many are missing.
fn events(body: &Value) -> Vec<String> {
    assert_valid_webhook(body);
    let events = body["events"].as_array().unwrap().iter();
    let word = |event: &Value| match event["type"].as_str() {
        Some("dropped") => format!("{} missing", event["count"]),
        _ => event["reason"].as_str().unwrap().to_owned(),
    };
    events.map(word).collect()
}

#[test]
fn what_happens_at_once_goes_in_few_requests_complete_and_in_order() {
    let (url, heard) = server(&["200 OK"; 10]);
    assert_eq!(tell(config(&url), 65_536, 10_000), (10_000, 0, 0));
    let bodies = heard.join().unwrap();
    let told: Vec<String> = bodies.iter().flat_map(|(_, body)| events(body)).collect();
    let expected: Vec<String> = (1..=10_000).map(|number| number.to_string()).collect();
    assert_eq!(told, expected);
}

#[test]
fn what_found_no_place_is_told_behind_what_did() {
    let (url, heard) = server(&["204 No Content"]);
    assert_eq!(tell(config(&url), 3, 10), (3, 7, 0));
    let bodies = heard.join().unwrap();
    assert_eq!(events(&bodies[0].1), ["1", "2", "3", "7 missing"]);
}

#[test]
fn trouble_of_the_server_is_tried_again_under_the_same_identifier() {
    let (url, heard) = server(&["503 Service Unavailable", "200 OK", "200 OK"]);
    assert_eq!(tell(Webhook { most: 2, ..config(&url) }, 10, 3), (3, 0, 1));
    let bodies: Vec<Value> = heard.join().unwrap().into_iter().map(|(_, body)| body).collect();
    let attempts: Vec<_> = bodies.iter().map(|body| body["attempt"].as_u64().unwrap()).collect();
    assert_eq!(attempts, [1, 2, 1]);
    assert_eq!(bodies[0]["id"], bodies[1]["id"]);
    assert_ne!(bodies[1]["id"], bodies[2]["id"]);
    assert_eq!(
        bodies.iter().map(events).collect::<Vec<_>>(),
        [
            ["1", "2"].map(str::to_owned).to_vec(),
            ["1", "2"].map(str::to_owned).to_vec(),
            vec!["3".to_owned()]
        ]
    );
}

#[test]
fn what_is_refused_is_given_up_counted_and_told_in_its_place() {
    let (url, heard) = server(&["400 Bad Request", "200 OK"]);
    assert_eq!(tell(Webhook { most: 2, ..config(&url) }, 10, 3), (1, 2, 1));
    let bodies = heard.join().unwrap();
    assert_eq!(events(&bodies[1].1), ["2 missing", "3"]);
}

#[test]
fn whoever_is_not_there_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let config = Webhook { retry: Duration::ZERO, ..config(&url) };
    assert_eq!(tell(config, 10, 3), (0, 3, 1));
}

#[test]
fn the_token_is_shown_as_it_is_now() {
    let file = std::env::temp_dir().join(format!("stamp-token-{}", std::process::id()));
    std::fs::write(&file, "secret\n").unwrap();
    let (url, heard) = server(&["200 OK"]);
    let config = Webhook { token_file: Some(file.clone()), ..config(&url) };
    assert_eq!(tell(config, 10, 1), (1, 0, 0));
    std::fs::remove_file(file).unwrap();
    let (head, _) = &heard.join().unwrap()[0];
    assert!(head.starts_with("post /stamp http/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: bearer secret"), "{head}");
}

#[test]
fn a_server_that_wants_to_be_left_alone_for_too_long_is_given_up() {
    let (url, heard) = server(&["429 Too Many Requests\r\nRetry-After: 3600"]);
    assert_eq!(tell(config(&url), 10, 3), (0, 3, 1));
    heard.join().unwrap();
}

#[test]
fn an_address_is_read_from_its_file_and_never_told() {
    let file = std::env::temp_dir().join(format!("stamp-address-{}", std::process::id()));
    let (url, heard) = server(&["200 OK"]);
    std::fs::write(&file, format!("{url}\n")).unwrap();
    let address = Address::File(file.clone());
    assert_eq!(tell(Webhook { address: address.clone(), ..config(&url) }, 10, 1), (1, 0, 0));
    assert_eq!(heard.join().unwrap().len(), 1);
    std::fs::write(&file, "https://noc:secret@example/\n").unwrap();
    let refused = address.now().unwrap_err();
    assert!(refused.ends_with(
        ": expected http://HOST:PORT/PATH or https://HOST:PORT/PATH, without a user in it"
    ));
    assert!(!refused.contains("secret"), "{refused}");
    std::fs::remove_file(file).unwrap();
}
