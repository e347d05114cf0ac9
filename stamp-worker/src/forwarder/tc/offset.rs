//! Keeps the program's idea of TAI right.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use stamp_net::clock::{self, ClockSteps};
use stamp_net::tc::Stamper;
use stamp_net::{Poller, Waker};

use super::lock;
use crate::error::WorkerError;

/// A thread that sleeps until the wall clock is set: by a leap second, or because somebody told the
/// kernel how far TAI is ahead.
#[derive(Debug)]
pub(super) struct OffsetKeeper {
    over: Arc<AtomicBool>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl OffsetKeeper {
    pub(super) fn start(stamper: &Arc<Mutex<Stamper>>) -> Result<Self, WorkerError> {
        let steps = ClockSteps::watch()?;
        let mut poller = Poller::new()?;
        poller.add(&steps, 0)?;
        // What changed before the watch began.
        lock(stamper).set_tai_offset(clock::tai_offset_ns())?;
        let over = Arc::new(AtomicBool::new(false));
        let (until, stamper, waker) = (Arc::clone(&over), Arc::clone(stamper), poller.waker());
        let thread = std::thread::Builder::new().name("tai-offset".to_owned());
        let thread = thread.spawn(move || {
            while !until.load(Ordering::Acquire) {
                // The kernel gives no reason but a signal or lack of memory; both pass.
                let _ = poller.wait(None);
                if steps.take() {
                    // It was written before; a sandbox that forbids it now leaves the old value.
                    let _ = lock(&stamper).set_tai_offset(clock::tai_offset_ns());
                }
            }
        });
        Ok(Self { over, waker, thread: Some(thread.map_err(WorkerError::Thread)?) })
    }
}

impl Drop for OffsetKeeper {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            // It cannot panic; if it did, it has ended too.
            let _ = thread.join();
        }
    }
}
