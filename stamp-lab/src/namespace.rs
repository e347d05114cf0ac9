//! A network namespace, and how to do something inside.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::panic::resume_unwind;
use std::process::{Child, Command};
use std::sync::Arc;
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};

/// A network namespace. It lives as long as one of its clones, a socket created in it, or a program
/// running in it.
#[derive(Clone, Debug)]
pub struct Namespace {
    descriptor: Arc<OwnedFd>,
}

impl Namespace {
    /// A new namespace; `prepare` runs inside before anything else.
    ///
    /// # Errors
    ///
    /// What the kernel or `prepare` returned.
    pub fn new<T: Send + 'static>(
        prepare: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<(Self, T)> {
        let work = || -> io::Result<(OwnedFd, T)> {
            unshare(CloneFlags::CLONE_NEWNET)?;
            let prepared = prepare()?;
            // Not `/proc/self`: that is the main thread.
            Ok((File::open("/proc/thread-self/ns/net")?.into(), prepared))
        };
        let made = thread::Builder::new().spawn(work)?.join();
        let (descriptor, prepared) = made.unwrap_or_else(|panic| resume_unwind(panic))?;
        Ok((Self { descriptor: Arc::new(descriptor) }, prepared))
    }

    /// Does `work` inside, on a thread of its own: the namespace belongs to the thread, and one that
    /// is used again would carry it into the next job.
    ///
    /// # Errors
    ///
    /// What the kernel returned when no thread could be had or the namespace not be entered.
    ///
    /// # Panics
    ///
    /// With the panic of `work`, if it panics.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        let inside = || -> io::Result<T> {
            setns(&self.descriptor, CloneFlags::CLONE_NEWNET)?;
            Ok(work())
        };
        thread::scope(|scope| {
            let thread = thread::Builder::new().spawn_scoped(scope, inside)?;
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// Starts a program inside.
    ///
    /// # Errors
    ///
    /// What the kernel returned.
    pub fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        self.run(|| command.spawn())?
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl AsRawFd for Namespace {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}
