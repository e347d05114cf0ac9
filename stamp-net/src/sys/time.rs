//! What the kernel knows about its own clock: `adjtimex`.

use std::io;
use std::mem;

/// The kernel's clock discipline, read without changing it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Discipline {
    /// `TIME_OK`, `TIME_INS`, … `TIME_ERROR`.
    pub(crate) state: libc::c_int,
    /// `STA_*` bits.
    pub(crate) status: libc::c_int,
    pub(crate) maximum_error_us: i64,
    pub(crate) estimated_error_us: i64,
    pub(crate) tai_offset_s: i32,
}

/// Reads the clock discipline; needs no right.
///
/// # Errors
///
/// What `adjtimex` returned, for instance because a sandbox forbids it.
pub(crate) fn discipline() -> io::Result<Discipline> {
    // SAFETY: `timex` consists of integers, for which zero is a valid value.
    let mut timex: libc::timex = unsafe { mem::zeroed() };
    // SAFETY:
    // - `timex` is initialised and exclusively borrowed for the call;
    // - `modes` is zero, so that nothing is changed and no right is needed.
    let state = unsafe { libc::adjtimex(&raw mut timex) };
    if state < 0 {
        return Err(io::Error::last_os_error());
    }
    #[allow(
        clippy::useless_conversion,
        clippy::unnecessary_cast,
        reason = "the width of these fields differs between platforms"
    )]
    Ok(Discipline {
        state,
        status: timex.status,
        maximum_error_us: timex.maxerror as i64,
        estimated_error_us: timex.esterror as i64,
        tai_offset_s: timex.tai,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_discipline_can_be_read_without_rights() {
        let discipline = discipline().unwrap();
        assert!((libc::TIME_OK..=libc::TIME_ERROR).contains(&discipline.state));
        assert!(discipline.maximum_error_us >= 0);
    }
}
