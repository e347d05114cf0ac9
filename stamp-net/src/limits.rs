//! Limits of the process and of its sockets.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::error::NetError;
use crate::sysctl;

/// How many files and sockets the process may have open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DescriptorLimit {
    /// In force now.
    pub soft: u64,
    /// As far as the process may raise it by itself.
    pub hard: u64,
}

/// The limit in force.
///
/// # Errors
///
/// [`NetError::Call`] when a sandbox forbids the question.
pub fn descriptor_limit() -> Result<DescriptorLimit, NetError> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(NetError::errno("getrlimit"))?;
    Ok(DescriptorLimit { soft, hard })
}

/// Raises the limit to the hard one and returns what is in force then.
///
/// The caller compares it with what it needs; nothing is lowered.
///
/// # Errors
///
/// [`NetError::Call`] when a sandbox forbids it.
pub fn raise_descriptor_limit() -> Result<DescriptorLimit, NetError> {
    let limit = descriptor_limit()?;
    if limit.soft < limit.hard {
        setrlimit(Resource::RLIMIT_NOFILE, limit.hard, limit.hard)
            .map_err(NetError::errno("setrlimit"))?;
    }
    descriptor_limit()
}

/// Largest receive buffer that an ordinary user may ask for, in octets; `None` if unknown.
///
/// The kernel grants twice of it, to pay for its own bookkeeping.
#[must_use]
pub fn receive_buffer_maximum() -> Option<u64> {
    sysctl::RMEM_MAX.read().ok().flatten()
}

/// Largest send buffer that an ordinary user may ask for, in octets; `None` if unknown.
#[must_use]
pub fn send_buffer_maximum() -> Option<u64> {
    sysctl::WMEM_MAX.read().ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raising_reaches_the_hard_limit() {
        let before = descriptor_limit().unwrap();
        let after = raise_descriptor_limit().unwrap();
        assert_eq!(after, DescriptorLimit { soft: before.hard, hard: before.hard });
    }

    #[test]
    fn buffers_have_a_maximum() {
        // rmem_max is invisible inside some network namespaces.
        assert!(receive_buffer_maximum().is_none_or(|octets| octets > 0));
        assert!(send_buffer_maximum().is_none_or(|octets| octets > 0));
    }
}
