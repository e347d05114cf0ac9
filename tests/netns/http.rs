//! What programs tell over HTTP, as a plain client sees it.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use stamp_tests::netns::Host;

/// How long something may take to come true.
const PATIENCE: Duration = Duration::from_secs(60);

/// Shows the control token of these trials.
pub(crate) const BEARER: &str = "Authorization: Bearer 0123456789abcdef\r\n";

/// A host, and a port on its loopback.
pub(crate) type At<'h> = (&'h Host, u16);

#[track_caller]
pub(crate) fn connect((host, port): At<'_>) -> TcpStream {
    connect_from(host, (Ipv4Addr::LOCALHOST, port).into())
}

#[track_caller]
fn connect_from(host: &Host, at: SocketAddr) -> TcpStream {
    let stream = host.run(|| TcpStream::connect(at)).expect("somebody listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream
}

/// Status and text of an answer.
#[track_caller]
pub(crate) fn ask(at: At<'_>, method: &str, path: &str, more: &str) -> (u16, String) {
    exchange(connect(at), method, path, more)
}

/// Status and text of what a host is answered by another.
#[track_caller]
pub(crate) fn ask_from(
    host: &Host,
    at: SocketAddr,
    method: &str,
    path: &str,
    more: &str,
) -> (u16, String) {
    exchange(connect_from(host, at), method, path, more)
}

#[track_caller]
fn exchange(mut stream: TcpStream, method: &str, path: &str, more: &str) -> (u16, String) {
    let head = format!("{method} {path} HTTP/1.0\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, text) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), text.to_owned())
}

#[track_caller]
pub(crate) fn scrape(at: At<'_>) -> String {
    let (status, text) = ask(at, "GET", "/metrics", "");
    assert_eq!(status, 200, "{text}");
    text
}

/// The value of a series.
pub(crate) fn value(text: &str, series: &str) -> Option<f64> {
    let line = text
        .lines()
        .find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

/// Scrapes until a series has such a value.
#[track_caller]
pub(crate) fn wait_for(at: At<'_>, series: &str, is_it: impl Fn(f64) -> bool) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        let text = scrape(at);
        if value(&text, series).is_some_and(&is_it) {
            return text;
        }
        assert!(Instant::now() < end, "{series} in {text}");
    }
}
