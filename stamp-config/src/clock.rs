//! What an operator says about a clock (`--clock synchronized,error=1us`).

use stamp_session::clock::ClockState;

use crate::Setting;
use crate::quantity::ClockError;

/// A clock's quality as declared, where the kernel cannot know it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeclaredClock(pub ClockState);

impl Setting for DeclaredClock {
    const EXPECTED: &'static str =
        "synchronized,error=DURATION (such as synchronized,error=1us) or unsynchronized";
    fn read(text: &str) -> Option<Self> {
        if text == "unsynchronized" {
            return Some(Self::unsynchronized());
        }
        let error = text.strip_prefix("synchronized,error=")?;
        Self::synchronized(ClockError::read(error)?)
    }
}

impl DeclaredClock {
    /// A clock that the operator says is within `error` of UTC.
    #[must_use]
    pub fn synchronized(error: ClockError) -> Option<Self> {
        let error_bound_ns = u64::try_from(error.0.as_nanos()).ok()?;
        Some(Self(ClockState {
            synchronized: true,
            error_bound_ns: Some(error_bound_ns),
            declared: true,
        }))
    }

    /// A clock that the operator says is not to be trusted.
    #[must_use]
    pub const fn unsynchronized() -> Self {
        Self(ClockState { synchronized: false, error_bound_ns: None, declared: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_clock_carries_its_bound() {
        let clock = DeclaredClock::read("synchronized,error=1us").unwrap().0;
        assert!(clock.synchronized && clock.declared);
        assert_eq!(clock.error_bound_ns, Some(1_000));
    }

    #[test]
    fn a_synchronized_clock_without_a_bound_is_refused() {
        assert_eq!(DeclaredClock::read("synchronized"), None);
        assert_eq!(DeclaredClock::read("synchronized,error=0"), None);
        assert!(!DeclaredClock::read("unsynchronized").unwrap().0.synchronized);
    }
}
