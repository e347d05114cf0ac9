//! Events as clients of the server meet them.

use std::io::{BufRead as _, BufReader};

use super::*;

impl Stage {
    fn tell(&self, session: &str, count: usize) {
        for number in 0..count {
            let line = format!("{{\"number\":{number}}}");
            self.site.feed.tell("state", Some(session.to_owned()), line);
        }
    }

    /// A client that listens.
    fn listen(&self, query: &str, head: &str) -> BufReader<TcpStream> {
        let mut stream = self.connect();
        let request = format!("GET /api/v1/events{query} HTTP/1.1\r\nHost: stamp\r\n{head}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        BufReader::new(stream)
    }
}

/// Reads until there is a line that ends so; all of it.
fn until(reader: &mut BufReader<TcpStream>, end: &str) -> String {
    let mut text = String::new();
    while !text.trim_end().ends_with(end) {
        let octets = reader.read_line(&mut text).unwrap();
        assert!(octets > 0, "{text}");
    }
    text
}

#[test]
fn listeners_hear_what_they_asked_for_and_may_come_back() {
    let stage = Stage::new(1, None);
    let mut all = stage.listen("", "");
    let head = until(&mut all, "retry: 2000");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
    let mut one = stage.listen("?session=b%20c&type=state", "");
    until(&mut one, "retry: 2000");
    stage.tell("a", 2);
    stage.tell("b c", 1);
    let heard = until(&mut all, "{\"number\":1}") + &until(&mut all, "{\"number\":0}");
    assert_eq!(heard.matches("event: state").count(), 3, "{heard}");
    let heard = until(&mut one, "}");
    assert_eq!(heard.matches("data: ").count(), 1, "{heard}");
    let id = heard.lines().rev().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    drop(one);
    stage.tell("b c", 2);
    let mut back = stage.listen("?session=b%20c", &format!("Last-Event-ID: {id}\r\n"));
    let heard = until(&mut back, "{\"number\":1}");
    assert_eq!(heard.matches("data: ").count(), 2, "{heard}");
}

#[test]
fn the_latest_are_a_document_for_who_asks_so() {
    let stage = Stage::new(1, None);
    stage.tell("a", 200);
    let json = "Accept: application/json\r\n";
    let answer = stage.ask(&format!("GET /api/v1/events HTTP/1.1\r\n{json}"));
    assert!(answer.contains("content-type: application/json\r\n"), "{answer}");
    assert_eq!(answer.matches("\"number\"").count(), 100);
    let answer = stage.ask(&format!("GET /api/v1/events?last=2 HTTP/1.1\r\n{json}"));
    let numbers = [197, 198, 199].map(|number| answer.contains(&format!("\"number\":{number}}}")));
    assert_eq!(numbers, [false, true, true], "{answer}");
    let answer = stage.ask(&format!("GET /api/v1/events?last=x HTTP/1.1\r\n{json}"));
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let head = stage.ask("HEAD /api/v1/events HTTP/1.1\r\n");
    assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
}

#[test]
fn listeners_leave_room_for_scrapes_and_are_limited_themselves() {
    let stage = Stage::new(1, None);
    let mut listeners: Vec<_> = (0..64).map(|_| stage.listen("", "")).collect();
    for listener in &mut listeners {
        until(listener, "retry: 2000");
    }
    let answer = stage.ask("GET /api/v1/events HTTP/1.1\r\n");
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 5"), "{answer}");
    let _silent: Vec<TcpStream> = (0..80).map(|_| stage.connect()).collect();
    assert!(stage.ask("GET /metrics HTTP/1.1\r\n").contains("piece 0"));
    stage.tell("a", 1);
    for listener in &mut listeners {
        until(listener, "{\"number\":0}");
    }
    drop(listeners);
    // As soon as one has gone, another may come.
    let heard = (0..1_000).any(|_| {
        let mut answer = String::new();
        stage.listen("", "").read_line(&mut answer).unwrap();
        answer.contains("200")
    });
    assert!(heard);
}
