//! How a process comes to build networks: as root, in a user namespace, or not at all.

use std::fs;
use std::io;
use std::thread;

use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::unistd::{getegid, geteuid};
use stamp_net::sysctl;

use crate::LabError;

/// Capabilities that building a network takes: CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN.
const WANTED: u64 = 1 << 12 | 1 << 13 | 1 << 21;

/// By what right this process builds networks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rights {
    /// Root, or whoever has its capabilities.
    Root,
    /// Root of a user namespace of our own.
    UserNamespace,
}

/// Enters a user namespace unless this process has the rights already.
///
/// Call it before any thread exists: the kernel refuses it afterwards.
///
/// # Errors
///
/// [`LabError::Forbidden`] with the line that allows it.
pub fn obtain() -> Result<Rights, LabError> {
    let rights = if effective_capabilities() & WANTED == WANTED {
        Rights::Root
    } else {
        enter_user_namespace().map_err(|error| forbidden("a user namespace", error))?;
        Rights::UserNamespace
    };
    // AppArmor lets a user namespace be created and takes its capabilities away: try one.
    match thread::spawn(|| unshare(CloneFlags::CLONE_NEWNET)).join() {
        Ok(Ok(())) => Ok(rights),
        Ok(Err(errno)) => Err(forbidden("a network namespace", errno.into())),
        Err(_) => Err(forbidden("a thread", io::Error::other("it panicked"))),
    }
}

fn forbidden(what: &'static str, source: io::Error) -> LabError {
    LabError::Forbidden { what, source, allow: remedy() }
}

fn effective_capabilities() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0)
}

fn enter_user_namespace() -> io::Result<()> {
    let (user, group) = (geteuid(), getegid());
    // A program with file capabilities cannot write its own maps while it is not dumpable.
    prctl::set_dumpable(true)?;
    unshare(CloneFlags::CLONE_NEWUSER)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))
}

/// The line that most likely removes the obstacle, by what the kernel's switches say.
fn remedy() -> String {
    let hindrances = sysctl::namespace_hindrances().unwrap_or_default();
    let first = hindrances.first();
    first.map(|hindrance| hindrance.setting.mending_line(hindrance.wanted)).unwrap_or_else(|| {
        "run it as root; in a container: --cap-add SYS_ADMIN --cap-add NET_ADMIN \
         --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
            .to_owned()
    })
}
