//! When somebody sets the wall clock.

use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::time::{TimeSpec, TimeValLike};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use crate::error::NetError;

/// Becomes readable when the wall clock was set, by a hand, a leap second, or a change of the
/// difference between TAI and UTC; a [`Poller`](crate::Poller) can watch it.
#[derive(Debug)]
pub struct ClockSteps {
    timer: TimerFd,
}

impl ClockSteps {
    /// Watches from now on.
    ///
    /// # Errors
    ///
    /// [`NetError::NoDescriptors`], [`NetError::Call`].
    pub fn watch() -> Result<Self, NetError> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_REALTIME, flags)
            .map_err(NetError::errno("timerfd_create"))?;
        let this = Self { timer };
        this.arm()?;
        Ok(this)
    }

    /// Whether it was set since the last question.
    pub fn take(&self) -> bool {
        let mut count = [0; 8];
        let stepped = nix::unistd::read(&self.timer, &mut count) == Err(Errno::ECANCELED);
        if stepped {
            // It worked before, with the same arguments.
            let _ = self.arm();
        }
        stepped
    }

    /// An alarm that never comes; setting the clock takes it off.
    fn arm(&self) -> Result<(), NetError> {
        const NEVER_S: i64 = i32::MAX as i64 * 4;
        let flags =
            TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET;
        let never = Expiration::OneShot(TimeSpec::seconds(NEVER_S));
        self.timer.set(never, flags).map_err(NetError::errno("timerfd_settime"))
    }
}

impl AsFd for ClockSteps {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Poller, clock};

    #[test]
    fn a_clock_that_is_left_alone_has_no_step() {
        let steps = ClockSteps::watch().unwrap();
        let mut poller = Poller::new().unwrap();
        poller.add(&steps, 7).unwrap();
        let ready = poller.wait(Some(clock::monotonic_ns())).unwrap();
        assert_eq!((ready.iter().count(), steps.take()), (0, false));
    }
}
