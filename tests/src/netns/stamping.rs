//! The node of enhanced loopback: it writes T2 and sends probes back, and no session ends there.

use std::path::Path;

use super::binary::binary;
use super::host::Host;
use super::program::Program;

/// Where [`stamping_node`] is on the way of a probe: its End.TSF.
pub const STAMPING_SID: &str = "fc00:bb:2:f::";

const FILE: &str = "listen = [\"127.0.0.1:8620\"]\n[[timestamp]]\nsid = \"fc00:bb:2:f::/64\"\n\
                    interfaces = [\"eth0\"]\n";

/// Starts it on `far`, which forwards from now on, with `file` for its configuration, and gives `near`
/// the route to it.
///
/// # Panics
///
/// When the file cannot be written, or the node does not start.
#[track_caller]
#[must_use]
pub fn stamping_node(near: &Host, far: &Host, file: &Path) -> Program {
    for interface in ["all", "eth0"] {
        far.set_sysctl(&format!("net.ipv6.conf.{interface}.forwarding"), "1");
    }
    near.add_route("fc00:bb:2::/48", Some(far.ipv6().into()), "eth0");
    std::fs::write(file, FILE).expect("the file can be written");
    let node = far.spawn(binary("stamp-reflector").arg(file));
    node.wait_for_error_line(|line| line.contains("msg=\"listening on "));
    node
}
