//! The client against a server that says what a test wants.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread::JoinHandle;

use super::*;

fn client() -> Client {
    Client { ca_file: None, token: None, time: Duration::from_secs(60), octets: 100 }
}

fn get(client: &Client, url: &str) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(client.get(&Url::read(url).unwrap(), "application/json"));
    answer.map(|octets| String::from_utf8(octets).unwrap()).map_err(|error| error.to_string())
}

/// Answers one request with `answer`; what was asked.
fn once(answer: &'static str) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut asked, mut octets) = (String::new(), [0; 1024]);
        while !asked.contains("\r\n\r\n") {
            let count = stream.read(&mut octets).unwrap();
            asked.push_str(std::str::from_utf8(&octets[..count]).unwrap());
        }
        // It may have gone before all of a long answer.
        let _ = stream.write_all(answer.as_bytes());
        asked.to_ascii_lowercase()
    });
    (at, thread)
}

#[test]
fn an_address_is_one_of_http_without_a_user() {
    let parts = |text: &str| Url::read(text).map(|url| (url.secure, url.host, url.port, url.path));
    let plain = (false, "a".to_owned(), 80, "/".to_owned());
    assert_eq!(parts("http://a"), Some(plain));
    let secure = (true, "2001:db8::1".to_owned(), 8443, "/t?x=1".to_owned());
    assert_eq!(parts("https://[2001:db8::1]:8443/t?x=1"), Some(secure));
    for text in ["", "a", "/t", "ftp://a/", "http://user:secret@a/", "http://"] {
        assert_eq!(Url::read(text), None, "{text}");
    }
}

#[test]
fn an_answer_is_taken_and_the_token_shown() {
    let (at, asked) = once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]");
    let client = Client { token: Some("secret".to_owned()), ..client() };
    assert_eq!(get(&client, &format!("http://{at}/targets?site=ams")).as_deref(), Ok("[]"));
    let asked = asked.join().unwrap();
    assert!(asked.starts_with("get /targets?site=ams http/1.1\r\n"), "{asked}");
    assert!(asked.contains("authorization: bearer secret\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: {at}\r\n")), "{asked}");
}

#[test]
fn what_is_no_answer_says_why() {
    let (at, _) = once("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(
        get(&client(), &format!("http://{at}/")).unwrap_err(),
        "the answer is 503 Service Unavailable"
    );
    let (at, _) = once(
        "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789x",
    );
    assert_eq!(
        get(&client(), &format!("http://{at}/")).unwrap_err(),
        "the answer is longer than 100 octets"
    );
    let (at, _) = once("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nhal");
    assert!(get(&client(), &format!("http://{at}/")).is_err());
    let (at, _) = once("nonsense\r\n\r\n");
    assert!(get(&client(), &format!("http://{at}/")).is_err());
}

#[test]
fn nobody_is_waited_for_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let client = Client { time: Duration::from_millis(10), ..client() };
    assert_eq!(get(&client, &format!("http://{at}/")).unwrap_err(), "no answer within 10ms");
}

#[test]
fn authorities_are_those_of_the_file_that_is_named() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/fixtures");
    assert!(trust::config(Some(&fixtures.join("server.crt"))).is_ok());
    for (file, words) in [("server.key", "no certificate in it"), ("none", "server.crt")] {
        let error = trust::config(Some(&fixtures.join(file))).err().map(|error| error.to_string());
        let error = error.unwrap();
        assert!(error.contains(file) && (file == "none" || error.contains(words)), "{error}");
    }
}

#[test]
fn an_answer_that_goes_on_is_handed_over_until_its_end() {
    let (at, asked) = once(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
         6\r\n:one\n\n\r\n6\r\n:two\n\n\r\n0\r\n\r\n",
    );
    let (url, mut heard) = (Url::read(&format!("http://{at}/base/")).unwrap(), Vec::new());
    assert_eq!(url.below("/api").text(), format!("http://{at}/base/api"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let take = |piece: &[u8]| heard.extend_from_slice(piece);
    runtime.block_on(client().follow(&url.below("/api"), "text/event-stream", take)).unwrap();
    assert_eq!(heard, b":one\n\n:two\n\n");
    let asked = asked.join().unwrap();
    assert!(asked.starts_with("get /base/api http/1.1\r\n"), "{asked}");
    assert!(asked.contains("accept: text/event-stream\r\n"), "{asked}");
}

#[test]
fn a_server_that_falls_silent_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::read(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let client = Client { time: Duration::from_millis(20), ..client() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ended = runtime.block_on(client.follow(&url, "text/event-stream", |_| {}));
    assert!(matches!(ended, Err(ClientError::Time(_))), "{ended:?}");
}
