//! A server that takes what webhooks send.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;
use stamp_tests::netns::Host;

/// How long a request may be waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server on a host; it ends when dropped.
pub(crate) struct Receiver {
    host: Host,
    port: u16,
    bodies: mpsc::Receiver<(Instant, Value)>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Takes everything that comes to `port`.
    pub(crate) fn start(host: &Host, port: u16) -> Self {
        Self::answering(host, port, &[])
    }

    /// Answers so at first, and then takes everything that comes to `port`.
    pub(crate) fn answering(host: &Host, port: u16, answers: &'static [&'static str]) -> Self {
        let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        let listener = host.run(|| TcpListener::bind(address)).expect("the port is free");
        let (sender, bodies) = mpsc::channel();
        let ends = Arc::<AtomicBool>::default();
        let ended = Arc::clone(&ends);
        let thread = Some(thread::spawn(move || serve(&listener, &ended, &sender, answers)));
        Self { host: host.clone(), port, bodies, ends, thread }
    }

    /// What the next request says; waits for it.
    #[track_caller]
    pub(crate) fn next(&self) -> Value {
        self.next_at().1
    }

    /// When it came, too.
    #[track_caller]
    pub(crate) fn next_at(&self) -> (Instant, Value) {
        self.bodies.recv_timeout(PATIENCE).expect("a webhook tells")
    }

    /// So many events, in the order they came.
    #[track_caller]
    pub(crate) fn events(&self, count: usize) -> Vec<Value> {
        let mut events = Vec::new();
        while events.len() < count {
            let Value::Array(more) = self.next()["events"].take() else { panic!("no events") };
            events.extend(more);
        }
        assert_eq!(events.len(), count, "{events:?}");
        events
    }

    /// What came and was not asked for.
    pub(crate) fn rest(&self) -> Vec<Value> {
        self.bodies.try_iter().map(|(_, body)| body).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let wake = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let _ = self.host.run(|| TcpStream::connect(wake));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn serve(
    listener: &TcpListener,
    ended: &AtomicBool,
    bodies: &Sender<(Instant, Value)>,
    answers: &[&str],
) {
    let mut answers = answers.iter();
    for stream in listener.incoming() {
        if ended.load(Ordering::SeqCst) {
            return;
        }
        let mut stream = stream.expect("a connection");
        let body = body(&mut stream);
        // Whoever waits for them may have gone.
        let body = serde_json::from_slice(&body).expect("a JSON object");
        let _ = bodies.send((Instant::now(), body));
        let status = answers.next().unwrap_or(&"200 OK");
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).expect("it reads");
    }
}

/// The body of a request, which is as long as its head says.
pub(crate) fn body(stream: &mut TcpStream) -> Vec<u8> {
    let (mut head, mut octet) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut octet).expect("a head");
        head.extend_from_slice(&octet);
    }
    let head = String::from_utf8(head).expect("text").to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.and_then(|length| length.parse().ok()).expect("a length");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("all of it");
    body
}
