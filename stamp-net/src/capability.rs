//! Which capabilities the calling thread has.

use std::fmt;
use std::fs;

use crate::error::NetError;
use crate::rights;

/// A capability that some feature of the toolkit asks for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Capability {
    /// Ports below `net.ipv4.ip_unprivileged_port_start`.
    NetBindService,
    /// Interfaces, routes, hardware stamps, buffers beyond the limit.
    NetAdmin,
    /// Raw frames.
    NetRaw,
    /// Real-time scheduling.
    SysNice,
    /// Resource limits beyond the hard limit.
    SysResource,
    /// BPF programs.
    Bpf,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::NetBindService,
        Self::NetAdmin,
        Self::NetRaw,
        Self::SysNice,
        Self::SysResource,
        Self::Bpf,
    ];

    /// Its number in `linux/capability.h`.
    const fn number(self) -> u32 {
        match self {
            Self::NetBindService => 10,
            Self::NetAdmin => 12,
            Self::NetRaw => 13,
            Self::SysNice => 23,
            Self::SysResource => 24,
            Self::Bpf => 39,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NetBindService => "CAP_NET_BIND_SERVICE",
            Self::NetAdmin => "CAP_NET_ADMIN",
            Self::NetRaw => "CAP_NET_RAW",
            Self::SysNice => "CAP_SYS_NICE",
            Self::SysResource => "CAP_SYS_RESOURCE",
            Self::Bpf => "CAP_BPF",
        })
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Capabilities(u64);

impl Capabilities {
    /// Whether the set holds `capability`.
    ///
    /// In a user namespace the answer is about that namespace, not about the host.
    #[must_use]
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & (1 << capability.number()) != 0
    }

    /// As the kernel numbers them.
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// As the kernel numbers them.
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    fn parse(status: &str) -> Option<Self> {
        let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
        u64::from_str_radix(line.trim(), 16).ok().map(Self)
    }
}

/// The effective capabilities of the calling thread.
///
/// # Errors
///
/// [`NetError::File`] when `/proc` is not mounted or unreadable.
pub fn effective() -> Result<Capabilities, NetError> {
    let own = own()?;
    Ok(rights::held().map_or(own, |held| Capabilities(own.0 | held.0)))
}

/// Those of the calling thread itself.
///
/// # Errors
///
/// As [`effective`].
pub fn own() -> Result<Capabilities, NetError> {
    // Capabilities belong to threads; `/proc/self` would be the main thread's.
    let path = "/proc/thread-self/status";
    let failed = |source| NetError::File { path: path.into(), source };
    let status = fs::read_to_string(path).map_err(failed)?;
    Capabilities::parse(&status).ok_or_else(|| failed(std::io::ErrorKind::InvalidData.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_of_the_kernel() {
        let all = Capabilities::parse("Name:\tx\nCapEff:\t000001ffffffffff\n").unwrap();
        let none = Capabilities::parse("CapEff:\t0000000000000000").unwrap();
        let raw = Capabilities::parse("CapEff:\t0000000000002000").unwrap();
        for capability in Capability::ALL {
            assert!(all.has(capability));
            assert!(!none.has(capability));
            assert_eq!(raw.has(capability), capability == Capability::NetRaw);
        }
    }

    #[test]
    fn a_status_without_the_line_is_refused() {
        assert_eq!(Capabilities::parse("Name:\tx\nCapPrm:\t0\n"), None);
        assert_eq!(Capabilities::parse("CapEff:\tzz"), None);
    }

    #[test]
    fn this_thread_has_a_readable_set() {
        let root = nix::unistd::Uid::effective().is_root();
        let set = effective().unwrap();
        // A root without any capability exists, but an ordinary user with all of them does not.
        assert!(root || !Capability::ALL.iter().all(|capability| set.has(*capability)));
    }
}
