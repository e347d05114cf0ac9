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
        let (mut synchronized, mut error) = (None, None);
        for word in text.split(',').map(str::trim) {
            match word {
                "synchronized" | "synchronized=true" => synchronized = Some(true),
                "unsynchronized" | "synchronized=false" => synchronized = Some(false),
                _ => error = Some(ClockError::read(word.strip_prefix("error=")?)?),
            }
        }
        match (synchronized?, error) {
            (true, Some(error)) => Self::synchronized(error),
            (false, None) => Some(Self::unsynchronized()),
            (true, None) | (false, Some(_)) => None,
        }
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

/// Where what is known of the far clock comes from, when its packets do not tell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FarClock {
    /// The operator.
    Declared(DeclaredClock),
    /// A reflector at the far node: that of the session's own host, or another one.
    Learned(Option<String>),
}

impl Setting for FarClock {
    const EXPECTED: &'static str = "synchronized,error=DURATION, unsynchronized, learn, or \
                                    learn,HOST[:PORT] for a reflector at another address of the far \
                                    node";
    fn read(text: &str) -> Option<Self> {
        match text.split_once(',') {
            _ if text == "learn" => Some(Self::Learned(None)),
            Some(("learn", host)) => {
                let host = host.trim();
                (!host.is_empty()).then(|| Self::Learned(Some(host.to_owned())))
            }
            _ => DeclaredClock::read(text).map(Self::Declared),
        }
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

    #[test]
    fn a_far_clock_is_declared_or_learned() {
        let declared = DeclaredClock::read("synchronized,error=1us").unwrap();
        assert_eq!(FarClock::read("synchronized,error=1us"), Some(FarClock::Declared(declared)));
        assert_eq!(FarClock::read("learn"), Some(FarClock::Learned(None)));
        let host = Some("[2001:db8::2]:8620".to_owned());
        assert_eq!(FarClock::read("learn,[2001:db8::2]:8620"), Some(FarClock::Learned(host)));
        assert_eq!((FarClock::read("learn,"), FarClock::read("learned")), (None, None));
    }
}
