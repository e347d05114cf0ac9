//! How this process comes to build networks: as root, in a user namespace, or not at all.

use std::fs;
use std::io;
use std::thread;

use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::unistd::{getegid, geteuid};

/// Capabilities that building a network takes: CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN.
const WANTED: u64 = 1 << 12 | 1 << 13 | 1 << 21;

/// What the kernel lets this process do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Access {
    /// Real root, or whoever has its capabilities.
    Root,
    /// Root of a user namespace of our own.
    UserNamespace,
    /// No network can be built here.
    Forbidden {
        /// What was tried and what the kernel said.
        reason: String,
        /// The line that allows it.
        allow: &'static str,
    },
}

impl Access {
    /// Enters a user namespace unless this process has the rights already.
    ///
    /// Call it before any thread exists: the kernel refuses it afterwards.
    pub fn obtain() -> Self {
        let access = if effective_capabilities() & WANTED == WANTED {
            Self::Root
        } else {
            match enter_user_namespace() {
                Ok(()) => Self::UserNamespace,
                Err(error) => return Self::forbidden("a user namespace", &error),
            }
        };
        // AppArmor lets a user namespace be created and takes its capabilities away: try one.
        match thread::spawn(|| unshare(CloneFlags::CLONE_NEWNET)).join() {
            Ok(Ok(())) => access,
            Ok(Err(errno)) => Self::forbidden("a network namespace", &errno.into()),
            Err(_) => Self::forbidden("a thread", &io::Error::other("it panicked")),
        }
    }

    fn forbidden(what: &str, error: &io::Error) -> Self {
        Self::Forbidden { reason: format!("cannot create {what}: {error}"), allow: remedy() }
    }
}

fn effective_capabilities() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0)
}

fn enter_user_namespace() -> io::Result<()> {
    let (user, group) = (geteuid(), getegid());
    // A binary with file capabilities cannot write its own maps while it is not dumpable.
    prctl::set_dumpable(true)?;
    unshare(CloneFlags::CLONE_NEWUSER)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))
}

/// The line that most likely removes the obstacle, by what the kernel's switches say.
fn remedy() -> &'static str {
    let is = |path: &str, value: &str| fs::read_to_string(path).is_ok_and(|v| v.trim() == value);
    if is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") {
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    } else if is("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        "sudo sysctl kernel.unprivileged_userns_clone=1"
    } else if is("/proc/sys/user/max_user_namespaces", "0") {
        "sudo sysctl user.max_user_namespaces=10000"
    } else {
        "run the tests as root; in a container: --cap-add SYS_ADMIN --cap-add NET_ADMIN \
         --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    }
}
