//! Counters of real traffic for the packet threads (RFC 8972 §4.5).
//!
//! A thread of its own reads them, so that no packet waits for the kernel or for a command: those of
//! an interface every [`PERIOD`], those of a command whenever it prints a line. A packet thread finds
//! the latest in an atomic word, which is at most as old as that.

mod command;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use stamp_net::{NetError, interface};
use stamp_session::traffic::{TrafficCounters, TrafficSource};

use crate::error::WorkerError;
use command::Hook;

/// How often an interface is asked.
pub const PERIOD: Duration = Duration::from_millis(5);

/// Why there are no counters.
#[derive(Debug, thiserror::Error)]
pub enum TrafficError {
    /// The interface cannot be asked.
    #[error(transparent)]
    Interface(#[from] NetError),
    /// There is no shell.
    #[error("sh -c '{command}': {source}")]
    Command {
        /// What was to be run.
        command: String,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// It tells nothing that can be read.
    #[error("`{command}` prints no line of two numbers, packets sent and received, within {} s", .within.as_secs())]
    Silent {
        /// What was run.
        command: String,
        /// How long it was waited for.
        within: Duration,
    },
}

/// Counters that are read for as long as somebody holds this.
#[derive(Clone, Debug)]
pub struct TrafficWatch(Arc<Watch>);

#[derive(Debug)]
struct Watch {
    latest: Arc<Latest>,
    hook: Option<Arc<Hook>>,
    /// Dropped to end the thread.
    stop: Option<Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl TrafficWatch {
    /// Reads them once, and from then on beside everything else.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Traffic`] when they cannot be read now, [`WorkerError::Thread`] when the kernel
    /// gives no thread.
    pub fn start(source: &TrafficSource) -> Result<Self, WorkerError> {
        let latest = Arc::new(Latest::default());
        let (stop, stopped) = mpsc::channel();
        let told = Arc::clone(&latest);
        let spawn = |work: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name("traffic".to_owned()).spawn(work);
            thread.map(Some).map_err(WorkerError::Thread)
        };
        let mut watch = Watch { latest, hook: None, stop: Some(stop), thread: None };
        match source {
            TrafficSource::Interface(name) => {
                let name = name.clone();
                told.set(Some(of_interface(&name).map_err(TrafficError::from)?));
                watch.thread = spawn(Box::new(move || watch_interface(&name, &told, &stopped)))?;
            }
            TrafficSource::Command(command) => {
                let hook = Arc::new(Hook::new(command));
                let (first, answer) = mpsc::channel();
                watch.hook = Some(Arc::clone(&hook));
                let running = Arc::clone(&hook);
                watch.thread = spawn(Box::new(move || running.watch(&told, &stopped, &first)))?;
                hook.wait_for_first(&answer)?;
            }
        }
        Ok(Self(Arc::new(watch)))
    }

    /// The latest; `None` while they cannot be read.
    #[must_use]
    pub fn counters(&self) -> Option<TrafficCounters> {
        self.0.latest.get()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop = None;
        match &self.hook {
            // What it started may hold its output open: nobody waits for that.
            Some(hook) => hook.stop(),
            None => {
                let _ = self.thread.take().map(JoinHandle::join);
            }
        }
    }
}

/// The latest counters, both in one word.
#[derive(Debug, Default)]
struct Latest {
    known: AtomicBool,
    both: AtomicU64,
}

impl Latest {
    fn set(&self, counters: Option<TrafficCounters>) {
        if let Some(TrafficCounters { transmitted, received }) = counters {
            let both = u64::from(transmitted) << u32::BITS | u64::from(received);
            self.both.store(both, Ordering::Relaxed);
        }
        self.known.store(counters.is_some(), Ordering::Release);
    }

    fn get(&self) -> Option<TrafficCounters> {
        self.known.load(Ordering::Acquire).then(|| {
            let both = self.both.load(Ordering::Relaxed);
            TrafficCounters { transmitted: modulo(both >> u32::BITS), received: modulo(both) }
        })
    }
}

/// As counters of 32 bits go (RFC 8972 §4.5).
fn modulo(counter: u64) -> u32 {
    u32::try_from(counter & u64::from(u32::MAX)).unwrap_or(0)
}

fn of_interface(name: &str) -> Result<TrafficCounters, NetError> {
    let packets = interface::packets(name)?;
    Ok(TrafficCounters {
        transmitted: modulo(packets.transmitted),
        received: modulo(packets.received),
    })
}

fn watch_interface(name: &str, latest: &Latest, stopped: &Receiver<Infallible>) {
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(PERIOD) {
        // One that is gone may come back.
        latest.set(of_interface(name).ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_counters_are_read_as_they_were_written() {
        let latest = Latest::default();
        assert_eq!(latest.get(), None);
        let counters = TrafficCounters { transmitted: u32::MAX, received: 7 };
        latest.set(Some(counters));
        assert_eq!(latest.get(), Some(counters));
        latest.set(None);
        assert_eq!(latest.get(), None);
        assert_eq!(modulo((3 << 32) + 5), 5);
    }

    #[test]
    fn an_interface_is_read_before_anything_is_told() {
        let watch = TrafficWatch::start(&TrafficSource::Interface("lo".to_owned())).unwrap();
        assert!(watch.counters().is_some());
        let missing = TrafficWatch::start(&TrafficSource::Interface("no-such-one".to_owned()));
        let Err(WorkerError::Traffic(TrafficError::Interface(error))) = missing else {
            panic!("{missing:?}");
        };
        assert!(matches!(error, NetError::NoSuchInterface { .. }), "{error}");
    }
}
