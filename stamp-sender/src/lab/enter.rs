//! `stamp-sender lab exec`: this process becomes the command, at a node.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use stamp_net::lifeline;

use super::place::Place;
use super::protocol::{self, Reply, Request};
use crate::Ended;
use crate::exit::{self, Failure};

/// Returns only when it fails.
pub(super) fn exec(place: &Place, node: &str, command: &[OsString]) -> Ended {
    let connection = place.connect()?;
    let (process, descriptor) =
        match protocol::ask(&connection, &Request::Enter { node: node.to_owned() })? {
            Reply::Entrance { process, descriptor } => (process, descriptor),
            Reply::Refused { status, problem } => {
                return Err(Failure::Refused { status, problem });
            }
            Reply::Text { .. } => return Err(protocol::nonsense()),
        };
    enter(process, descriptor)
        .map_err(|source| Failure::System { what: "entering the node", source })?;
    if let Err(error) = know_names(&place.hosts()) {
        exit::tell(&format!("stamp-sender: names of nodes are unknown to the command: {error}\n"));
    }
    // By this connection the lab knows whom to end, and the kernel whom to kill when the lab dies.
    lifeline::tie(connection)?;
    let Some((program, arguments)) = command.split_first() else {
        return Err(protocol::nonsense());
    };
    let source = Command::new(program).args(arguments).exec();
    let problem = format!("{}: {source}", program.display());
    // As a shell says it.
    let status = if source.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
    Err(Failure::Refused { status, problem })
}

/// This process has a single thread, as the kernel wants it for a user namespace.
fn enter(process: u32, descriptor: i32) -> io::Result<()> {
    let users = File::open(format!("/proc/{process}/ns/user"))?;
    let network = File::open(format!("/proc/{process}/fd/{descriptor}"))?;
    let is_own = users.metadata()?.ino() == fs::metadata("/proc/self/ns/user")?.ino();
    if !is_own {
        setns(&users, CloneFlags::CLONE_NEWUSER)?;
    }
    Ok(setns(&network, CloneFlags::CLONE_NEWNET)?)
}

/// Puts the lab's names in front of the machine's, and the node's interfaces into `/sys`, for this
/// process and its children only.
fn know_names(hosts: &Path) -> io::Result<()> {
    const NOTHING: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(NOTHING, "/", NOTHING, MsFlags::MS_REC | MsFlags::MS_SLAVE, NOTHING)?;
    mount(Some(hosts), "/etc/hosts", NOTHING, MsFlags::MS_BIND, NOTHING)?;
    // What looks for interfaces there finds those of the machine where this is forbidden.
    let _as_before = mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::empty(), NOTHING);
    Ok(())
}
