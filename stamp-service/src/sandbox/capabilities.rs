//! Capabilities of the calling thread, and of those that it starts.

use caps::errors::CapsError;
use caps::{CapSet, CapsHashSet};
use stamp_net::capability::Capability;

/// Gives away every capability but these; those that it has not are not missed.
///
/// # Errors
///
/// Why the kernel refuses.
pub(super) fn keep(kept: &[Capability]) -> Result<(), String> {
    try_keep(kept).map_err(|error| error.to_string())
}

fn try_keep(kept: &[Capability]) -> Result<(), CapsError> {
    let mut kept: CapsHashSet = kept.iter().map(|capability| number(*capability)).collect();
    if kept.contains(&caps::Capability::CAP_BPF) {
        // Linux 6.1 lets no program compare or move pointers without it.
        kept.insert(caps::Capability::CAP_PERFMON);
    }
    let held = caps::read(None, CapSet::Permitted)?;
    let kept: CapsHashSet = held.intersection(&kept).copied().collect();
    if held != kept {
        caps::set(None, CapSet::Effective, &kept)?;
        caps::set(None, CapSet::Permitted, &kept)?;
    }
    // Nothing that is started from here on has more. A kernel without the set has nothing in it.
    let _ = caps::clear(None, CapSet::Ambient);
    let inherited = caps::read(None, CapSet::Inheritable)?;
    if inherited.is_empty() { Ok(()) } else { caps::clear(None, CapSet::Inheritable) }
}

const fn number(capability: Capability) -> caps::Capability {
    use caps::Capability as Linux;
    match capability {
        Capability::NetBindService => Linux::CAP_NET_BIND_SERVICE,
        Capability::NetAdmin => Linux::CAP_NET_ADMIN,
        Capability::NetRaw => Linux::CAP_NET_RAW,
        Capability::SysNice => Linux::CAP_SYS_NICE,
        Capability::SysResource => Linux::CAP_SYS_RESOURCE,
        Capability::Bpf => Linux::CAP_BPF,
    }
}
