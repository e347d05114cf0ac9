//! Whatever answers as Prometheus would that has just scraped a daemon.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use serde_json::{Map, Value, json};
use stamp_tests::netns::Host;

use crate::daemon::receiver::body;
use crate::http::{At, scrape};

/// The port of [`Prometheus`].
pub(super) const PORT: u16 = 9090;
/// The series that there is once for each session.
const RUNNING: &str = "stamp_session_running";

/// Answers on the loopback of a host; ends when dropped.
pub(super) struct Prometheus {
    host: Host,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Prometheus {
    /// To each question it tells all that a daemon of this host tells at `daemon` then.
    pub(super) fn start(host: &Host, daemon: u16) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
        let listener = host.run(|| TcpListener::bind(address)).expect("the port is free");
        let ends = Arc::<AtomicBool>::default();
        let (ended, place) = (Arc::clone(&ends), host.clone());
        let thread = Some(thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                answer(&mut stream.expect("a connection"), (&place, daemon));
            }
        }));
        Self { host: host.clone(), ends, thread }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let wake = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
        let _ = self.host.run(|| TcpStream::connect(wake));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn answer(stream: &mut TcpStream, daemon: At<'_>) {
    // Whatever is asked for is a part of all that there is.
    let _question = body(stream);
    let result = vector(&scrape(daemon));
    let text = json!({ "status": "success", "data": { "resultType": "vector", "result": result } });
    let text = text.to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{text}", text.len());
    // Whoever asked may ask anew already.
    let _ = stream.write_all(answer.as_bytes());
}

/// The series of a text, and when those of each session were scraped.
fn vector(text: &str) -> Vec<Value> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later");
    let now = now.as_secs_f64();
    let mut samples = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("stamp_")) {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let mut labels = read(labels);
        if name == RUNNING {
            let mut scraped = labels.clone();
            scraped.insert("stamp_reading".to_owned(), "scraped".into());
            samples.push(json!({ "metric": scraped, "value": [now, now.to_string()] }));
        }
        labels.insert("__name__".to_owned(), name.into());
        samples.push(json!({ "metric": labels, "value": [now, value] }));
    }
    samples
}

/// Labels with the brace behind them; none of these trials needs a quote in a value.
fn read(text: &str) -> Map<String, Value> {
    let mut labels = Map::from_iter([("instance".to_owned(), "s".into())]);
    let mut rest = text;
    while let Some((name, quoted)) = rest.split_once("=\"") {
        let (value, more) = quoted.split_once('"').expect("the end of a value");
        labels.insert(name.trim_start_matches(',').to_owned(), value.into());
        rest = more;
    }
    labels
}
