//! Clocks: reading them, and what the kernel knows about their quality.

mod steps;

use std::fs;

use nix::time::{ClockId, clock_gettime};
use stamp_proto::time::WallTime;

use crate::error::NetError;
use crate::sys;

pub use steps::ClockSteps;

const NS_PER_SECOND: i64 = 1_000_000_000;
const NS_PER_US: i64 = 1_000;

/// Both clocks at one instant; see [`read`] for how exactly.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClockReading {
    /// `CLOCK_MONOTONIC` in nanoseconds.
    pub monotonic_ns: u64,
    /// `CLOCK_REALTIME`.
    pub wall: WallTime,
}

/// Widest bracket around a reading of the wall clock that is taken at once.
const NARROW_NS: u64 = 5_000;
/// Attempts at a narrow bracket; after them the narrowest counts.
const ATTEMPTS: usize = 8;

/// Reads both clocks.
///
/// The wall clock is read between two readings of the monotonic one and belongs to their middle.
/// Whoever compares two such pairs sees a step of a clock in their difference, so a thread that was
/// put aside between the readings must not look like one: it tries again.
#[must_use]
pub fn read() -> ClockReading {
    narrowest(|| (monotonic_ns(), wall_now(), monotonic_ns()))
}

/// The pair with the narrowest bracket of a few attempts.
fn narrowest(mut attempt: impl FnMut() -> (u64, WallTime, u64)) -> ClockReading {
    let mut best: Option<(u64, ClockReading)> = None;
    for _ in 0..ATTEMPTS {
        let (before, wall, after) = attempt();
        let width = after.saturating_sub(before);
        let reading = ClockReading { monotonic_ns: before + width / 2, wall };
        if width <= NARROW_NS {
            return reading;
        }
        if best.is_none_or(|(narrowest, _)| width < narrowest) {
            best = Some((width, reading));
        }
    }
    best.map_or_else(
        || ClockReading { monotonic_ns: monotonic_ns(), wall: wall_now() },
        |(_, reading)| reading,
    )
}

/// `CLOCK_MONOTONIC` in nanoseconds: for schedules and deadlines.
#[must_use]
pub fn monotonic_ns() -> u64 {
    read_ns(ClockId::CLOCK_MONOTONIC).unsigned_abs()
}

/// `CLOCK_REALTIME`: for the wire.
#[must_use]
pub fn wall_now() -> WallTime {
    WallTime::from_unix_ns(read_ns(ClockId::CLOCK_REALTIME))
}

/// Processor time of the calling thread in nanoseconds.
#[must_use]
pub fn thread_cpu_ns() -> u64 {
    read_ns(ClockId::CLOCK_THREAD_CPUTIME_ID).unsigned_abs()
}

fn read_ns(clock: ClockId) -> i64 {
    // Fails for unknown clocks and bad pointers only, neither of which occurs here.
    let Ok(time) = clock_gettime(clock) else { return 0 };
    time.tv_sec() * NS_PER_SECOND + time.tv_nsec()
}

/// Lets timers of the calling thread fire up to `ns` late; the kernel's own choice is 50 000.
///
/// # Errors
///
/// [`NetError::Call`] when a sandbox forbids it.
pub fn set_timer_slack_ns(ns: u64) -> Result<(), NetError> {
    nix::sys::prctl::set_timerslack(ns).map_err(NetError::errno("prctl"))
}

/// How far TAI is ahead of UTC; 0 when nobody told the kernel.
#[must_use]
pub fn tai_offset_ns() -> i64 {
    kernel_clock().map_or(0, |clock| i64::from(clock.tai_offset_s) * NS_PER_SECOND)
}

/// Name of the hardware counter behind the clocks, such as `tsc` or `kvm-clock`.
#[must_use]
pub fn clock_source() -> Option<String> {
    let path = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let name = fs::read_to_string(path).ok()?;
    Some(name.trim().to_owned())
}

/// What the kernel knows about its wall clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KernelClock {
    /// Somebody disciplines the clock and says that it is right.
    ///
    /// Often false on virtual machines, whose host keeps the time without telling anyone.
    pub synchronized: bool,
    /// Largest error in nanoseconds; grows by itself while nobody disciplines the clock.
    pub maximum_error_ns: u64,
    /// Estimated error in nanoseconds.
    pub estimated_error_ns: u64,
    /// TAI − UTC in seconds; 0 when nobody told the kernel.
    pub tai_offset_s: i32,
    /// A leap second is near.
    pub leap: LeapSecond,
    /// What disciplines the clock, as bits.
    pub status: ClockStatus,
}

/// Whether a leap second is near.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LeapSecond {
    /// None is.
    None,
    /// One will be inserted at the end of the UTC day.
    Insert,
    /// One will be deleted at the end of the UTC day.
    Delete,
    /// It is happening now.
    InProgress,
    /// It has happened and is not yet cleared.
    Past,
}

/// The kernel's `STA_*` bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClockStatus(pub i32);

impl ClockStatus {
    /// Nobody disciplines the clock, or it has been left alone for too long.
    #[must_use]
    pub const fn unsynchronized(self) -> bool {
        self.0 & libc::STA_UNSYNC != 0
    }

    /// A phase-locked loop runs.
    #[must_use]
    pub const fn phase_locked(self) -> bool {
        self.0 & libc::STA_PLL != 0
    }

    /// A pulse per second is present.
    #[must_use]
    pub const fn pulse_per_second(self) -> bool {
        self.0 & libc::STA_PPSSIGNAL != 0
    }

    /// The clock hardware failed.
    #[must_use]
    pub const fn hardware_fault(self) -> bool {
        self.0 & libc::STA_CLOCKERR != 0
    }
}

/// Reads the state of the kernel's wall clock; needs no right.
///
/// # Errors
///
/// [`NetError::Call`] when a sandbox forbids it.
pub fn kernel_clock() -> Result<KernelClock, NetError> {
    sys::time::discipline().map(KernelClock::from).map_err(NetError::call("adjtimex"))
}

impl From<sys::time::Discipline> for KernelClock {
    fn from(discipline: sys::time::Discipline) -> Self {
        let status = ClockStatus(discipline.status);
        Self {
            synchronized: discipline.state != libc::TIME_ERROR
                && !status.unsynchronized()
                && !status.hardware_fault(),
            maximum_error_ns: ns(discipline.maximum_error_us),
            estimated_error_ns: ns(discipline.estimated_error_us),
            tai_offset_s: discipline.tai_offset_s,
            leap: match discipline.state {
                libc::TIME_INS => LeapSecond::Insert,
                libc::TIME_DEL => LeapSecond::Delete,
                libc::TIME_OOP => LeapSecond::InProgress,
                libc::TIME_WAIT => LeapSecond::Past,
                _ => LeapSecond::None,
            },
            status,
        }
    }
}

fn ns(us: i64) -> u64 {
    us.saturating_mul(NS_PER_US).try_into().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: sys::time::Discipline = sys::time::Discipline {
        state: libc::TIME_OK,
        status: libc::STA_PLL,
        maximum_error_us: 1_500,
        estimated_error_us: 12,
        tai_offset_s: 37,
    };

    #[test]
    fn a_thread_put_aside_between_the_readings_is_no_clock_step() {
        let wall = WallTime::from_unix_ns;
        let mut attempts =
            [(1_000, wall(5), 3_001_000), (4_000_000, wall(7), 4_000_100)].into_iter();
        let reading = narrowest(|| attempts.next().unwrap());
        assert_eq!(reading, ClockReading { monotonic_ns: 4_000_050, wall: wall(7) });
    }

    #[test]
    fn on_a_machine_that_never_gives_a_narrow_bracket_the_narrowest_counts() {
        let widths = [90_000, 60_000, 80_000, 70_000, 90_000, 90_000, 90_000, 90_000];
        let mut attempts = widths.into_iter().map(|width| (0, WallTime::from_unix_ns(9), width));
        let reading = narrowest(|| attempts.next().unwrap());
        assert_eq!(reading.monotonic_ns, 30_000);
    }

    #[test]
    fn a_disciplined_clock_is_synchronized() {
        let clock = KernelClock::from(GOOD);
        assert!(clock.synchronized);
        assert_eq!((clock.maximum_error_ns, clock.estimated_error_ns), (1_500_000, 12_000));
        assert_eq!((clock.tai_offset_s, clock.leap), (37, LeapSecond::None));
    }

    #[test]
    fn every_sign_of_a_bad_clock_counts() {
        for (state, status) in [
            (libc::TIME_ERROR, libc::STA_PLL),
            (libc::TIME_OK, libc::STA_UNSYNC),
            (libc::TIME_OK, libc::STA_CLOCKERR),
        ] {
            let clock = KernelClock::from(sys::time::Discipline { state, status, ..GOOD });
            assert!(!clock.synchronized, "{state} {status}");
        }
    }

    #[test]
    fn a_coming_leap_second_is_told() {
        let clock = KernelClock::from(sys::time::Discipline { state: libc::TIME_INS, ..GOOD });
        assert_eq!(clock.leap, LeapSecond::Insert);
        assert!(clock.synchronized);
    }

    #[test]
    fn the_monotonic_clock_never_goes_back() {
        let first = read();
        let second = read();
        assert!(second.monotonic_ns >= first.monotonic_ns);
        // 2020-01-01: no test machine is that wrong.
        assert!(first.wall.unix_ns() > 1_577_836_800_000_000_000);
    }

    #[test]
    fn this_kernel_tells_about_its_clock() {
        let clock = kernel_clock().unwrap();
        assert!(!(clock.synchronized && clock.status.unsynchronized()));
        assert!(clock_source().is_some_and(|name| !name.is_empty()));
    }

    #[test]
    fn timer_slack_is_set_for_this_thread() {
        set_timer_slack_ns(1).unwrap();
        assert_eq!(nix::sys::prctl::get_timerslack().unwrap(), 1);
    }

    #[test]
    fn processor_time_passes_while_computing() {
        let before = thread_cpu_ns();
        while thread_cpu_ns() == before {}
        assert!(thread_cpu_ns() > before);
    }
}
