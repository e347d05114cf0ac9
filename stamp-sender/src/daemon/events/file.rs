//! Events as lines of JSON in a file, written by a thread of its own: a disk that is slow or full
//! must not hold anything up.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use crate::exit::Failure;
use crate::output::ndjson::Entry;

/// What the writing thread is told.
enum Order {
    Line(String),
    Reopen,
}

/// What becomes of events, whatever file they go to.
#[derive(Debug, Default)]
pub(in crate::daemon) struct Counts {
    /// Not written yet.
    queued: AtomicU64,
    /// Never written.
    dropped: AtomicU64,
}

impl Counts {
    /// How many wait, and how many were lost.
    pub(in crate::daemon) fn get(&self) -> (u64, u64) {
        (self.queued.load(Ordering::Relaxed), self.dropped.load(Ordering::Relaxed))
    }
}

/// A file of events.
pub(super) struct EventFile {
    counts: Arc<Counts>,
    orders: Option<Sender<Order>>,
    writer: Option<JoinHandle<()>>,
}

/// Where lines go.
enum Place {
    Output,
    File(PathBuf, File),
}

impl EventFile {
    /// Goes on behind what stands in the file; `-` is standard output.
    pub(super) fn open(path: &Path, counts: &Arc<Counts>) -> Result<Self, Failure> {
        let place = match path == Path::new("-") {
            true => Place::Output,
            false => Place::File(
                path.to_owned(),
                append(path).map_err(|error| {
                    Failure::Input(format!("events.file = \"{}\": {error}", path.display()))
                })?,
            ),
        };
        let (orders, inbox) = mpsc::channel();
        let counted = Arc::clone(counts);
        let writer = thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || write(place, &inbox, &counted))
            .map_err(|source| Failure::System { what: "starting a thread", source })?;
        let counts = Arc::clone(counts);
        Ok(Self { counts, orders: Some(orders), writer: Some(writer) })
    }

    pub(super) fn write(&self, entry: &Entry) {
        if let Ok(mut line) = serde_json::to_string(entry) {
            line.push('\n');
            self.counts.queued.fetch_add(1, Ordering::Relaxed);
            self.order(Order::Line(line));
        }
    }

    pub(super) fn reopen(&self) {
        self.order(Order::Reopen);
    }

    fn order(&self, order: Order) {
        // The thread ends with its orders only.
        if let Some(orders) = &self.orders {
            let _ = orders.send(order);
        }
    }
}

impl Drop for EventFile {
    /// What has happened is written before the end.
    fn drop(&mut self) {
        self.orders = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn write(mut place: Place, inbox: &Receiver<Order>, counts: &Counts) {
    let mut failed = false;
    for order in inbox {
        let is_line = matches!(order, Order::Line(_));
        let written = match (order, &mut place) {
            (Order::Line(line), Place::Output) => io::stdout().write_all(line.as_bytes()),
            (Order::Line(line), Place::File(_, file)) => file.write_all(line.as_bytes()),
            (Order::Reopen, Place::Output) => Ok(()),
            (Order::Reopen, Place::File(path, file)) => {
                append(path).map(|reopened| *file = reopened)
            }
        };
        if is_line {
            counts.queued.fetch_sub(1, Ordering::Relaxed);
            counts.dropped.fetch_add(u64::from(written.is_err()), Ordering::Relaxed);
        }
        // Once, not for every line of a disk that stays full.
        match &written {
            Err(error) if !failed => tracing::error!(error = %error, "events cannot be written"),
            Ok(()) if failed => tracing::info!("events are written again"),
            _ => {}
        }
        failed = written.is_err();
    }
}
