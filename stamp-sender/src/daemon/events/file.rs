//! Events as lines of JSON in a file, written by a thread of its own: a disk that is slow or full
//! must not hold anything up.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use stamp_metrics::feed::Told;

use super::queue::{self, Counts, Inbox, Next, Queue};
use crate::exit::Failure;
use crate::output::ndjson::Entry;

/// What the file is called among sinks.
pub(super) const NAME: &str = "file";
/// Events that wait for the disk.
const QUEUE: usize = 65_536;

/// A file of events.
pub(in crate::daemon) struct EventFile {
    queue: Option<Queue>,
    /// A file of the same name is to be begun.
    reopen: Arc<AtomicBool>,
    writer: Option<JoinHandle<()>>,
}

/// Where lines go.
enum Place {
    Output,
    File(PathBuf, File),
}

/// The writing thread.
struct Writer {
    place: Place,
    inbox: Inbox,
    counts: Arc<Counts>,
    reopen: Arc<AtomicBool>,
    /// Lines that could not be written, and were not told to be missing.
    lost: u64,
    /// The latest line was not.
    failing: bool,
    /// The file ends within a line.
    torn: bool,
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
        let (queue, inbox) = queue::queue(QUEUE, counts);
        let reopen = Arc::<AtomicBool>::default();
        let (counts, reopened) = (Arc::clone(counts), Arc::clone(&reopen));
        let writer =
            Writer { place, inbox, counts, reopen: reopened, lost: 0, failing: false, torn: false };
        let writer = thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| Failure::System { what: "starting a thread", source })?;
        Ok(Self { queue: Some(queue), reopen, writer: Some(writer) })
    }

    pub(super) fn offer(&self, told: &Arc<Told>) {
        if let Some(queue) = &self.queue {
            queue.offer(told);
        }
    }

    pub(super) fn reopen(&self) {
        self.reopen.store(true, Ordering::Release);
        if let Some(queue) = &self.queue {
            queue.nudge();
        }
    }
}

impl Drop for EventFile {
    /// What has happened is written before the end.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

impl Writer {
    fn run(mut self) {
        while let Some(next) = self.inbox.blocking_next() {
            if self.reopen.swap(false, Ordering::AcqRel) {
                self.begin_anew();
            }
            match next {
                Next::Nudge => {}
                Next::Missing(count) => self.lost += count,
                Next::Told(told) => match self.write_all_of(&told.line) {
                    Ok(()) => {
                        self.failing = false;
                        self.counts.delivered(1);
                    }
                    Err(error) => {
                        // Once, not for every line of a disk that stays full.
                        if !std::mem::replace(&mut self.failing, true) {
                            tracing::error!(%error, "events cannot be written");
                        }
                        self.lost += 1;
                        self.counts.went_wrong();
                        self.counts.failed(1);
                    }
                },
            }
        }
        // Whoever reads the file has to know that its end is not all.
        let _ = self.tell_lost();
    }

    fn write_all_of(&mut self, line: &str) -> io::Result<()> {
        self.tell_lost()?;
        self.write(line)
    }

    /// What is missing is told where it is missing, before anything that comes behind it.
    fn tell_lost(&mut self) -> io::Result<()> {
        if self.lost > 0 {
            let entry = Entry::dropped(NAME, self.lost, stamp_worker::now().wall);
            let line = serde_json::to_string(&entry).map_err(io::Error::other)?;
            self.write(&line)?;
            tracing::warn!(
                missing = self.lost,
                "events are written, and some before them are missing"
            );
            self.lost = 0;
        }
        Ok(())
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        let start = if self.torn { "\n" } else { "" };
        let text = format!("{start}{line}\n");
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let written = match &mut self.place {
                Place::Output => io::stdout().write(rest),
                Place::File(_, file) => file.write(rest),
            };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            // A disk may take a part of a line: what comes next must not hang on to it.
            self.torn = !rest.is_empty();
        }
        Ok(())
    }

    fn begin_anew(&mut self) {
        if let Place::File(path, file) = &mut self.place {
            match append(path) {
                Ok(reopened) => {
                    *file = reopened;
                    self.torn = false;
                }
                Err(error) => tracing::error!(%error, "the file of events cannot be begun anew"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::daemon::events::Sinks;

    fn told(number: u64) -> Arc<Told> {
        let line = format!("{{\"number\":{number}}}");
        Arc::new(Told { number, kind: "state", session: None, line })
    }

    #[test]
    fn what_a_full_disk_did_not_take_is_told_when_it_does_again() {
        let folder = std::env::temp_dir().join(format!("stamp-full-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("events");
        symlink("/dev/full", &path).unwrap();
        let sinks = Sinks::default();
        let file = EventFile::open(&path, &sinks.of(NAME)).unwrap();
        (1..=2).for_each(|number| file.offer(&told(number)));
        while sinks.all()[0].dropped < 2 {
            thread::yield_now();
        }
        std::fs::remove_file(&path).unwrap();
        file.reopen();
        file.offer(&told(3));
        drop(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["type"], &lines[0]["count"]), (&"dropped".into(), &2.into()));
        assert_eq!((lines[1]["number"].as_u64(), lines.len()), (Some(3), 2));
        assert_eq!((sinks.all()[0].dropped, sinks.all()[0].queued), (2, 0));
    }
}
