//! `stamp-reflector` as an operator meets it: start, listeners, limits, signals.

mod admission;
mod listeners;
mod reload;
mod start;
mod web;

use std::net::{SocketAddr, UdpSocket};
use std::process::Command;

use stamp_proto::packet::{
    AuthenticationMode, ReflectorPacket, SenderPacket, Ssid, UNAUTHENTICATED_BASE_OCTETS,
};
use stamp_proto::time::{ErrorEstimate, Timestamp, TimestampFormat, WallTime};
use stamp_tests::netns::{self, Finished, Host, Program, Signal, Trial};

use crate::folder::Folder;

pub(crate) fn trials() -> Vec<Trial> {
    [start::trials(), listeners::trials(), admission::trials(), reload::trials(), web::trials()]
        .into_iter()
        .flatten()
        .collect()
}

/// The program with these arguments, separated by blanks.
fn command(arguments: &str) -> Command {
    let mut command = netns::binary("stamp-reflector");
    command.args(arguments.split_whitespace());
    command
}

/// Starts the program and waits until it says that it listens on `count` addresses.
#[track_caller]
fn reflector(host: &Host, count: usize, command: &mut Command) -> Program {
    let program = host.spawn(command);
    let mut seen = std::collections::HashSet::new();
    while seen.len() < count {
        let known = seen.clone();
        let line = program.wait_for_error_line(move |line| {
            line.contains("msg=\"listening on ") && !known.contains(line)
        });
        seen.insert(line);
    }
    program
}

/// Ends the program as systemd does and returns what it told.
#[track_caller]
fn stopped(program: &Program) -> Finished {
    program.signal(Signal::SIGTERM);
    let finished = program.wait();
    finished.assert_code(0);
    finished
}

/// Prints the statistics and returns the count in front of which `name` stands; 0 without a line.
#[track_caller]
fn counted(finished: &Finished, name: &str) -> u64 {
    let last = finished.stderr.rfind("statistics of stamp-reflector").expect("statistics at exit");
    let words = finished.stderr[last..].lines().map(|line| line.split_whitespace());
    words
        .filter_map(|mut words| (words.next() == Some(name)).then(|| words.next()).flatten())
        .find_map(|count| count.parse().ok())
        .unwrap_or(0)
}

/// One Session-Sender, as simple as can be.
struct Prober {
    socket: UdpSocket,
    ssid: u16,
    sequence: u32,
}

impl Prober {
    /// Probes of one session from `host` to `target`.
    #[track_caller]
    fn new(host: &Host, local: impl Into<SocketAddr>, target: SocketAddr, ssid: u16) -> Self {
        let socket = host.udp_socket(local);
        socket.connect(target).expect("the target is reachable");
        Self { socket, ssid, sequence: 0 }
    }

    /// The next probe.
    fn probe(&mut self) -> Vec<u8> {
        let format = TimestampFormat::Ntp;
        let probe = SenderPacket {
            sequence: self.sequence,
            timestamp: Timestamp::from_wall(
                WallTime::from_unix_ns(1_800_000_000_000_000_000),
                format,
            ),
            error_estimate: ErrorEstimate::unsynchronized(format),
            ssid: Ssid(self.ssid),
        };
        self.sequence += 1;
        let mut octets = vec![0; UNAUTHENTICATED_BASE_OCTETS];
        probe.emit(AuthenticationMode::Unauthenticated, &mut octets).expect("it fits");
        octets
    }

    /// Sends the next probe and waits for no reply.
    fn send(&mut self) {
        let probe = self.probe();
        self.socket.send(&probe).expect("the probe leaves");
    }

    /// Sends the next probe and returns its reply.
    #[track_caller]
    fn exchange(&mut self) -> ReflectorPacket {
        self.send();
        let mut octets = [0; 2048];
        let count = self.socket.recv(&mut octets).expect("a reply comes");
        let reply = ReflectorPacket::parse(AuthenticationMode::Unauthenticated, &octets[..count]);
        let reply = reply.expect("the reply is one");
        assert_eq!(reply.sender_sequence + 1, self.sequence, "the reply to another probe");
        reply
    }

    /// Sends a probe to a port that nobody has.
    #[track_caller]
    fn assert_refused(&mut self) {
        self.send();
        let refused = self.socket.recv(&mut [0; 2048]).expect_err("nobody answers there");
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    }
}
