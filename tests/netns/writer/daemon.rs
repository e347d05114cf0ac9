//! A server that tells of chosen paths as a daemon does.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::{Value, json};
use stamp_tests::netns::Host;

/// The server; whoever listens is cut off when it is dropped.
pub(crate) struct FakeDaemon {
    told: Arc<Mutex<Told>>,
    host: Host,
    port: u16,
}

#[derive(Default)]
struct Told {
    sequence: u64,
    paths: Vec<Value>,
    listeners: Vec<TcpStream>,
    is_over: bool,
}

impl FakeDaemon {
    pub(crate) fn start(host: &Host, port: u16) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = host.run(|| TcpListener::bind(address)).expect("the port is free");
        let told = Arc::<Mutex<Told>>::default();
        let served = Arc::clone(&told);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if !lock(&served).serve(stream.expect("a connection")) {
                    return;
                }
            }
        });
        Self { told, host: host.clone(), port }
    }

    /// The path of a policy is this one now.
    pub(crate) fn tell(&self, path: Value) {
        let mut told = lock(&self.told);
        told.sequence += 1;
        told.paths.retain(|it| it["policy"] != path["policy"]);
        told.paths.push(path.clone());
        let mut change = path;
        change["sequence"] = told.sequence.into();
        let event = format!("event: path\ndata: {change}\n\n");
        // Whoever has gone hears no more.
        told.listeners.retain_mut(|listener| listener.write_all(event.as_bytes()).is_ok());
    }
}

impl Told {
    fn serve(&mut self, mut stream: TcpStream) -> bool {
        if self.is_over {
            return false;
        }
        let (mut head, mut octet) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read_exact(&mut octet).is_err() {
                return true;
            }
            head.extend_from_slice(&octet);
        }
        let head = String::from_utf8(head).expect("text").to_ascii_lowercase();
        assert!(head.starts_with("get /api/v1/paths http/1.1\r\n"), "{head}");
        let document = json!({
            "schema_version": 1, "time": "2026-11-28T23:40:00.000000Z",
            "sequence": self.sequence, "paths": self.paths
        });
        if head.contains("accept: application/json") {
            let body = document.to_string();
            let length = body.len();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).expect("it reads");
            return true;
        }
        assert!(head.contains("accept: text/event-stream"), "{head}");
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n\
             retry: 2000\n\nevent: table\ndata: {document}\n\n"
        );
        stream.write_all(answer.as_bytes()).expect("it reads");
        self.listeners.push(stream);
        true
    }
}

impl Drop for FakeDaemon {
    fn drop(&mut self) {
        let mut told = lock(&self.told);
        told.is_over = true;
        for listener in told.listeners.drain(..) {
            let _ = listener.shutdown(Shutdown::Both);
        }
        drop(told);
        let wake = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let _ = self.host.run(|| TcpStream::connect(wake));
    }
}

fn lock(told: &Mutex<Told>) -> std::sync::MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}
