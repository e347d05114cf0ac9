//! What is said on the socket of a lab: a line of JSON each way.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use serde::{Deserialize, Serialize};

use crate::exit::Failure;

/// Longest line; a table of a thousand nodes is shorter.
const LINE_OCTETS: u64 = 1 << 20;

/// What is asked.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Request {
    /// What there is.
    Show,
    /// A way into a node, for as long as the connection lasts.
    Enter { node: String },
    /// Another treatment of packets.
    Degrade(Change),
    /// The end.
    Down,
}

/// What a link shall do from now on; what is absent stays.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Change {
    pub(super) link: String,
    /// From one node to the other; both directions without it.
    pub(super) direction: Option<(String, String)>,
    pub(super) delay_ns: Option<u64>,
    pub(super) jitter_ns: Option<u64>,
    pub(super) loss_billionths: Option<u32>,
    pub(super) reordering_billionths: Option<u32>,
}

/// What is answered.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reply {
    /// For the user.
    Text { text: String },
    /// A descriptor of the holder's, which is a node's namespace.
    Entrance { process: u32, descriptor: i32 },
    /// No, with the exit status.
    Refused { status: u8, problem: String },
}

impl Reply {
    pub(super) fn read(line: &str) -> Result<Self, Failure> {
        serde_json::from_str(line).map_err(|_| nonsense())
    }
}

/// Asks the holder at the other end.
pub(super) fn ask(connection: &UnixStream, request: &Request) -> Result<Reply, Failure> {
    say(connection, request)?;
    match hear(connection)? {
        line if line.is_empty() => Err(gone()),
        line => Reply::read(&line),
    }
}

/// Writes a line.
pub(super) fn say(mut stream: impl Write, what: &impl Serialize) -> Result<(), Failure> {
    let mut line = serde_json::to_string(what).map_err(|_| nonsense())?;
    line.push('\n');
    let said = stream.write_all(line.as_bytes()).and_then(|()| stream.flush());
    said.map_err(failed)
}

/// Reads a line.
pub(super) fn hear(connection: &UnixStream) -> Result<String, Failure> {
    let mut line = String::new();
    let limited = io::Read::take(connection, LINE_OCTETS);
    let heard = BufReader::new(limited).read_line(&mut line);
    heard.map_err(failed)?;
    Ok(line)
}

fn failed(source: io::Error) -> Failure {
    match source.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => gone(),
        _ => Failure::System { what: "talking to the lab", source },
    }
}

fn gone() -> Failure {
    Failure::Refused { status: 2, problem: "the lab has just ended".to_owned() }
}

/// The other end is no lab of this version.
pub(super) fn nonsense() -> Failure {
    let problem =
        "the lab's process gave no answer that makes sense; stamp-sender lab down ends it";
    Failure::Refused { status: 4, problem: problem.to_owned() }
}
