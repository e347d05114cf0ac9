//! One-way probes as lines for programs: what the reflector knows and nobody else does.

use core::sync::atomic::{AtomicU64, Ordering};
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use stamp_session::reflector::OneWayArrival;

use crate::failure::Failure;

/// Lines that wait to be written.
const QUEUE: usize = 8_192;

/// The packet threads' end: hands arrivals over without ever blocking.
#[derive(Debug)]
pub(crate) struct Export {
    arrivals: SyncSender<OneWayArrival>,
    lost: Arc<AtomicU64>,
}

/// The control side's end: the thread that writes.
#[derive(Debug)]
pub(crate) struct Lines {
    thread: JoinHandle<()>,
    lost: Arc<AtomicU64>,
}

impl Export {
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
        let (arrivals, waiting) = sync_channel(QUEUE);
        let lost = Arc::<AtomicU64>::default();
        let thread = Builder::new()
            .name("one-way-export".to_owned())
            .spawn(move || write(&waiting, BufWriter::new(out)))
            .map_err(|source| Failure::System { what: "cannot start a thread", source })?;
        Ok((Self { arrivals, lost: Arc::clone(&lost) }, Lines { thread, lost }))
    }

    /// Has a line written; one that finds no place is counted.
    pub(crate) fn put(&self, arrival: OneWayArrival) {
        if self.arrivals.try_send(arrival).is_err() {
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
            tracing::warn!(lines = lost, "one-way lines were not written: nobody reads as fast");
        }
    }
}

/// Writes until every packet thread has ended, or nobody reads any more.
fn write(waiting: &Receiver<OneWayArrival>, mut out: BufWriter<Box<dyn Write + Send>>) {
    while let Ok(arrival) = waiting.recv() {
        let mut next = Some(arrival);
        while let Some(arrival) = next {
            if writeln!(out, "{}", line(&arrival)).is_err() {
                return;
            }
            next = waiting.try_recv().ok();
        }
        // Whoever follows the file sees a probe as soon as no other is waiting.
        if out.flush().is_err() {
            return;
        }
    }
}

/// A JSON object; times are nanoseconds since 1970 in UTC.
fn line(arrival: &OneWayArrival) -> String {
    let number = |value: Option<i64>| value.map_or_else(|| "null".to_owned(), |ns| ns.to_string());
    format!(
        "{{\"type\":\"one_way\",\"sequence\":{},\"ssid\":{},\"source\":\"{}\",\"source_port\":{},\
         \"destination\":\"{}\",\"destination_port\":{},\"probe_sent_ns\":{},\"probe_received_ns\":{},\
         \"forward_ns\":{},\"clock_synchronized\":{}}}",
        arrival.sequence,
        arrival.ssid.0,
        arrival.from.ip().to_canonical(),
        arrival.from.port(),
        arrival.to.ip().to_canonical(),
        arrival.to.port(),
        number(arrival.probe_sent.map(|sent| sent.unix_ns())),
        arrival.probe_received.unix_ns(),
        number(arrival.forward_delay().map(|delay| delay.ns())),
        arrival.clock_synchronized,
    )
}

#[cfg(test)]
mod tests {
    use stamp_proto::packet::Ssid;
    use stamp_proto::time::WallTime;

    use super::*;

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
            line(&arrival(Some(sent))),
            "{\"type\":\"one_way\",\"sequence\":3,\"ssid\":7,\"source\":\"2001:db8::1\",\
             \"source_port\":49200,\"destination\":\"2001:db8::2\",\"destination_port\":862,\
             \"probe_sent_ns\":1700000000000000000,\"probe_received_ns\":1700000000000000250,\
             \"forward_ns\":250,\"clock_synchronized\":false}"
        );
        assert!(line(&arrival(None)).contains("\"probe_sent_ns\":null"));
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
