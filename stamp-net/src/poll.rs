//! Waiting for sockets, for a deadline and for other threads at once.

use std::os::fd::AsFd;
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::{TimeSpec, TimeValLike};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use crate::clock;
use crate::error::NetError;

const TIMER: u64 = u64::MAX;
const WAKER: u64 = u64::MAX - 1;

/// Most events that one [`Poller::wait`] reports; the rest comes with the next. Few: in between, whoever is late
/// sends what is due, while what has arrived has its stamp already and can wait.
const EVENTS: usize = 32;

/// Waits for the sockets of one worker, of whatever kind.
///
/// Deadlines are absolute, so that time spent on computing never adds up.
#[derive(Debug)]
pub struct Poller {
    epoll: Epoll,
    timer: TimerFd,
    /// What the timer is set to, to leave out a system call when nothing changed.
    armed_ns: Option<u64>,
    waker: Waker,
    events: [EpollEvent; EVENTS],
}

impl Poller {
    /// A poller without sockets.
    ///
    /// # Errors
    ///
    /// [`NetError::NoDescriptors`] when the limit is reached; it takes three.
    pub fn new() -> Result<Self, NetError> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)
            .map_err(NetError::errno("epoll_create1"))?;
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)
            .map_err(NetError::errno("timerfd_create"))?;
        let event = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)
            .map_err(NetError::errno("eventfd"))?;
        let waker = Waker { event: Arc::new(event) };
        let failed = NetError::errno("epoll_ctl");
        epoll
            .add(&timer, EpollEvent::new(EpollFlags::EPOLLIN, TIMER))
            .and_then(|()| epoll.add(&*waker.event, EpollEvent::new(EpollFlags::EPOLLIN, WAKER)))
            .map_err(failed)?;
        let events = [EpollEvent::empty(); EVENTS];
        Ok(Self { epoll, timer, armed_ns: None, waker, events })
    }

    /// Watches a socket, or anything else with a descriptor, from now on, until it is closed;
    /// events carry `token`.
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] when the socket is watched already.
    pub fn add(&self, socket: &impl AsFd, token: u32) -> Result<(), NetError> {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, u64::from(token));
        self.epoll.add(socket.as_fd(), event).map_err(NetError::errno("epoll_ctl"))
    }

    /// No longer watches a socket.
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] when it was not watched.
    pub fn remove(&self, socket: &impl AsFd) -> Result<(), NetError> {
        self.epoll.delete(socket.as_fd()).map_err(NetError::errno("epoll_ctl"))
    }

    /// Something for other threads to end a [`Self::wait`] with.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Waits until a socket has something, the clock reaches `deadline_ns`, or somebody wakes us.
    ///
    /// The deadline is an instant of [`clock::monotonic_ns`]; one that has passed makes this a
    /// look without waiting, `None` waits for as long as it takes. A signal ends the wait with
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`NetError::Call`] when a sandbox forbids it.
    pub fn wait(&mut self, deadline_ns: Option<u64>) -> Result<Readiness<'_>, NetError> {
        let has_passed = |deadline| deadline == 0 || deadline <= clock::monotonic_ns();
        let late = deadline_ns.is_some_and(has_passed);
        let timeout = if late {
            EpollTimeout::ZERO
        } else {
            self.arm(deadline_ns)?;
            EpollTimeout::NONE
        };
        let count = match self.epoll.wait(&mut self.events, timeout) {
            Ok(count) => count,
            Err(Errno::EINTR) => 0,
            Err(errno) => return Err(NetError::errno("epoll_wait")(errno)),
        };
        let events = &self.events[..count];
        if events.iter().any(|event| event.data() == WAKER) {
            self.waker.reset();
        }
        if events.iter().any(|event| event.data() == TIMER) {
            // Reading makes it quiet; it was set to fire once.
            self.armed_ns = None;
            let _ = self.timer.wait();
        }
        Ok(Readiness { events, late })
    }

    fn arm(&mut self, deadline_ns: Option<u64>) -> Result<(), NetError> {
        if deadline_ns == self.armed_ns {
            return Ok(());
        }
        let result = match deadline_ns {
            Some(deadline) => {
                let deadline = TimeSpec::nanoseconds(deadline.try_into().unwrap_or(i64::MAX));
                let flags = TimerSetTimeFlags::TFD_TIMER_ABSTIME;
                self.timer.set(Expiration::OneShot(deadline), flags)
            }
            None => self.timer.unset(),
        };
        result.map_err(NetError::errno("timerfd_settime"))?;
        self.armed_ns = deadline_ns;
        Ok(())
    }
}

/// Ends the wait of a [`Poller`] from another thread.
#[derive(Clone, Debug)]
pub struct Waker {
    event: Arc<EventFd>,
}

impl Waker {
    /// Makes the current wait, or else the next one, return at once. Never blocks.
    pub fn wake(&self) {
        // Can only fail when billions of wakes are pending already.
        let _ = self.event.write(1);
    }

    fn reset(&self) {
        let _ = self.event.read();
    }
}

/// What ended a wait.
#[derive(Clone, Copy, Debug)]
pub struct Readiness<'p> {
    events: &'p [EpollEvent],
    late: bool,
}

/// A socket that has something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ready {
    /// Which socket, by the token given to [`Poller::add`].
    pub token: u32,
    /// A datagram waits.
    pub readable: bool,
    /// The error queue holds something; until it is read, no wait will last.
    pub error: bool,
}

impl Readiness<'_> {
    /// The sockets that have something.
    pub fn iter(&self) -> impl Iterator<Item = Ready> {
        self.events.iter().filter_map(|event| {
            let token = event.data().try_into().ok()?;
            let flags = event.events();
            Some(Ready {
                token,
                readable: flags.contains(EpollFlags::EPOLLIN),
                error: flags.contains(EpollFlags::EPOLLERR),
            })
        })
    }

    /// The deadline has passed.
    #[must_use]
    pub fn timer(&self) -> bool {
        self.late || self.has(TIMER)
    }

    /// A [`Waker`] was used.
    #[must_use]
    pub fn woken(&self) -> bool {
        self.has(WAKER)
    }

    fn has(&self, token: u64) -> bool {
        self.events.iter().any(|event| event.data() == token)
    }
}

#[cfg(test)]
mod tests;
