//! What the reflector knows and nobody else does, as lines for programs.

use core::sync::atomic::{AtomicU64, Ordering};
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use stamp_proto::time::WallTime;
use stamp_session::reflector::{ForwardChange, OneWayArrival};

use crate::failure::Failure;

/// Lines that wait to be written.
const QUEUE: usize = 8_192;

/// Something that is told in a line.
pub(crate) trait Line: Send + 'static {
    /// The key that asks for it.
    const KEY: &'static str;

    /// A JSON object.
    fn line(&self) -> String;
}

/// A session went down or came up, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transition {
    pub(crate) change: ForwardChange,
    pub(crate) time: WallTime,
}

/// The packet threads' end: hands things over without ever blocking.
#[derive(Debug)]
pub(crate) struct Export<T> {
    waiting: SyncSender<T>,
    lost: Arc<AtomicU64>,
}

/// The control side's end: the thread that writes.
#[derive(Debug)]
pub(crate) struct Lines {
    key: &'static str,
    thread: JoinHandle<()>,
    lost: Arc<AtomicU64>,
}

impl<T: Line> Export<T> {
    /// Begins to write to a file, behind what is there, or with `-` to standard output.
    ///
    /// # Errors
    ///
    /// [`Failure::Write`] or [`Failure::System`].
    pub(crate) fn open(path: &Path) -> Result<(Self, Lines), Failure> {
        let out: Box<dyn Write + Send> = if path == Path::new("-") {
            Box::new(io::stdout())
        } else {
            let file = OpenOptions::new().create(true).append(true).open(path);
            Box::new(file.map_err(|source| Failure::Write { path: path.to_owned(), source })?)
        };
        let (sender, receiver) = sync_channel(QUEUE);
        let lost = Arc::<AtomicU64>::default();
        let thread = Builder::new()
            .name(T::KEY.to_owned())
            .spawn(move || write::<T>(&receiver, BufWriter::new(out)))
            .map_err(|source| Failure::System { what: "cannot start a thread", source })?;
        let lines = Lines { key: T::KEY, thread, lost: Arc::clone(&lost) };
        Ok((Self { waiting: sender, lost }, lines))
    }

    /// Has a line written; one that finds no place is counted.
    pub(crate) fn put(&self, told: T) {
        if self.waiting.try_send(told).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Lines {
    /// Waits until everything is written; the packet threads have to have ended.
    pub(crate) fn finish(self) {
        // A thread that panicked has said so already.
        let _ = self.thread.join();
        let lost = self.lost.load(Ordering::Relaxed);
        if lost > 0 {
            tracing::warn!(
                lines = lost,
                "lines of {} were not written: nobody reads as fast",
                self.key
            );
        }
    }
}

/// Writes until every packet thread has ended, or nobody reads any more.
fn write<T: Line>(waiting: &Receiver<T>, mut out: BufWriter<Box<dyn Write + Send>>) {
    while let Ok(told) = waiting.recv() {
        let mut next = Some(told);
        while let Some(told) = next {
            if writeln!(out, "{}", told.line()).is_err() {
                return;
            }
            next = waiting.try_recv().ok();
        }
        // Whoever follows the file sees a line as soon as no other is waiting.
        if out.flush().is_err() {
            return;
        }
    }
}

impl Line for OneWayArrival {
    const KEY: &'static str = "one-way-export";

    /// Times are nanoseconds since 1970 in UTC.
    fn line(&self) -> String {
        let number =
            |value: Option<i64>| value.map_or_else(|| "null".to_owned(), |ns| ns.to_string());
        format!(
            "{{\"type\":\"one_way\",\"sequence\":{},\"ssid\":{},{},\"probe_sent_ns\":{},\
             \"probe_received_ns\":{},\"forward_ns\":{},\"clock_synchronized\":{}}}",
            self.sequence,
            self.ssid.0,
            ends(self.from, self.to),
            number(self.probe_sent.map(|sent| sent.unix_ns())),
            self.probe_received.unix_ns(),
            number(self.forward_delay().map(|delay| delay.ns())),
            self.clock_synchronized,
        )
    }
}

impl Line for Transition {
    const KEY: &'static str = "event-export";

    /// As a sender tells its own, in the direction that only this end sees.
    fn line(&self) -> String {
        let ForwardChange { source, destination, ssid, down, at, run, limit, sequences } =
            self.change;
        let (from, to) = if down { ("up", "down") } else { ("down", "up") };
        let time = jiff::Timestamp::from_nanosecond(self.time.unix_ns().into());
        let time = time.map_or_else(|_| "null".to_owned(), |time| format!("\"{time:.9}\""));
        format!(
            "{{\"type\":\"state\",\"time\":{time},\"monotonic_ns\":{},\"ssid\":{},{},\
             \"direction\":\"forward\",\"from\":\"{from}\",\"to\":\"{to}\",\"value\":{run},\
             \"limit\":{limit},\"sequences\":[{},{}],\"reason\":\"{}\"}}",
            at.ns(),
            ssid.0,
            ends(source, destination),
            sequences.0,
            sequences.1,
            if down { "probes_missing" } else { "probe" },
        )
    }
}

/// Both ends of a session, as members of a JSON object.
pub(crate) fn ends(from: SocketAddr, to: SocketAddr) -> String {
    format!(
        "\"source\":\"{}\",\"source_port\":{},\"destination\":\"{}\",\"destination_port\":{}",
        from.ip().to_canonical(),
        from.port(),
        to.ip().to_canonical(),
        to.port()
    )
}

#[cfg(test)]
mod tests {
    use stamp_proto::packet::Ssid;
    use stamp_proto::time::WallTime;

    use super::*;
    use crate::machine_format::tests::assert_valid_line;

    fn arrival(probe_sent: Option<WallTime>) -> OneWayArrival {
        OneWayArrival {
            sequence: 3,
            ssid: Ssid(7),
            from: "[2001:db8::1]:49200".parse().unwrap(),
            to: "[2001:db8::2]:862".parse().unwrap(),
            probe_sent,
            probe_received: WallTime::from_unix_ns(1_700_000_000_000_000_250),
            clock_synchronized: false,
        }
    }

    #[test]
    fn a_probe_is_a_json_object() {
        let sent = WallTime::from_unix_ns(1_700_000_000_000_000_000);
        assert_eq!(
            arrival(Some(sent)).line(),
            "{\"type\":\"one_way\",\"sequence\":3,\"ssid\":7,\"source\":\"2001:db8::1\",\
             \"source_port\":49200,\"destination\":\"2001:db8::2\",\"destination_port\":862,\
             \"probe_sent_ns\":1700000000000000000,\"probe_received_ns\":1700000000000000250,\
             \"forward_ns\":250,\"clock_synchronized\":false}"
        );
        assert!(arrival(None).line().contains("\"probe_sent_ns\":null"));
        assert_valid_line(&arrival(Some(sent)).line());
        assert_valid_line(&arrival(None).line());
    }

    #[test]
    fn a_transition_is_the_event_that_a_sender_would_write() {
        let change = ForwardChange {
            source: "192.0.2.1:49200".parse().unwrap(),
            destination: "192.0.2.2:862".parse().unwrap(),
            ssid: Ssid(7),
            down: true,
            at: stamp_session::clock::MonotonicTime::from_ns(5),
            run: 3,
            limit: 3,
            sequences: (21, 23),
        };
        let time = WallTime::from_unix_ns(1_700_000_000_000_000_250);
        assert_valid_line(&Transition { change, time }.line());
        assert_valid_line(
            &Transition { change: ForwardChange { down: false, ..change }, time }.line(),
        );
        assert_eq!(
            Transition { change, time }.line(),
            "{\"type\":\"state\",\"time\":\"2023-11-14T22:13:20.000000250Z\",\"monotonic_ns\":5,\
             \"ssid\":7,\"source\":\"192.0.2.1\",\"source_port\":49200,\
             \"destination\":\"192.0.2.2\",\"destination_port\":862,\"direction\":\"forward\",\
             \"from\":\"up\",\"to\":\"down\",\"value\":3,\"limit\":3,\"sequences\":[21,23],\
             \"reason\":\"probes_missing\"}"
        );
    }

    #[test]
    fn lines_go_behind_what_is_in_the_file() {
        let path = std::env::temp_dir().join(format!("one-way-{}", std::process::id()));
        std::fs::write(&path, "first\n").unwrap();
        let file = OpenOptions::new().append(true).open(&path).unwrap();
        let (sender, waiting) = sync_channel(4);
        sender.send(arrival(None)).unwrap();
        sender.send(arrival(None)).unwrap();
        drop(sender);
        write(&waiting, BufWriter::new(Box::new(file)));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(text.starts_with("first\n{") && text.lines().count() == 3, "{text}");
    }
}
