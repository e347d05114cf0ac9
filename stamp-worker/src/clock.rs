//! The two clocks of the kernel as the engines want them.

use core::time::Duration;

use stamp_net::clock;
use stamp_proto::time::{Stamp, StampSource};
use stamp_session::clock::{ClockState, MonotonicTime, Now};

/// How often the quality of the kernel's clock is read again.
const RENEW: Duration = Duration::from_secs(1);

/// Both clocks, read back to back.
#[must_use]
pub fn now() -> Now {
    let reading = clock::read();
    Now { monotonic: MonotonicTime::from_ns(reading.monotonic_ns), wall: reading.wall }
}

/// The clock of schedules alone: a third of the cost of [`now`].
#[must_use]
pub(crate) fn monotonic() -> MonotonicTime {
    MonotonicTime::from_ns(clock::monotonic_ns())
}

/// Quality of this host's clock as the kernel tells it; unknown when it does not.
#[must_use]
pub fn clock_state() -> ClockState {
    clock::kernel_clock().map_or(ClockState::UNKNOWN, |kernel| ClockState {
        synchronized: kernel.synchronized,
        error_bound_ns: kernel.synchronized.then_some(kernel.maximum_error_ns),
        declared: false,
    })
}

/// A stamp taken by the program itself, where the kernel gave none.
pub(crate) fn user_stamp(now: Now) -> Stamp {
    Stamp { time: now.wall, source: StampSource::User }
}

/// Reads the kernel clock's quality again, at most once a second and never when it was declared.
#[derive(Debug)]
pub(crate) struct ClockWatch {
    /// What the engines were told last.
    told: ClockState,
    read: MonotonicTime,
}

impl ClockWatch {
    pub(crate) const fn new(told: ClockState, now: MonotonicTime) -> Self {
        Self { told, read: now }
    }

    /// What changed since the engines were told, if it is time to look and something did.
    pub(crate) fn poll(&mut self, now: MonotonicTime) -> Option<ClockState> {
        if self.told.declared || now.since(self.read) < RENEW {
            return None;
        }
        self.read = now;
        let state = clock_state();
        (state != self.told).then(|| {
            self.told = state;
            state
        })
    }
}
