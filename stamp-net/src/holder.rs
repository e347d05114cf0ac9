//! Which process holds a UDP port, as far as the kernel tells.

use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

mod diag;
mod table;

/// A process that holds a port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PortHolder {
    /// Its process id.
    pub pid: u32,
    /// Its command name, at most 15 octets, with control characters replaced.
    pub command: Box<str>,
}

impl fmt::Display for PortHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.command, self.pid)
    }
}

/// Who has a UDP socket that overlaps `address`, in the network namespace of this thread.
///
/// `None` when nobody has, or when it belongs to someone whose descriptors we may not see.
#[must_use]
pub fn find(address: SocketAddr) -> Option<PortHolder> {
    let inodes = match diag::sockets(address.port()) {
        Ok(sockets) => overlapping(sockets, address),
        // Kernels without `sock_diag` for UDP.
        Err(_) => (0..table::READINGS)
            .map(|_| overlapping(table::sockets(), address))
            .find(|inodes| !inodes.is_empty())
            .unwrap_or_default(),
    };
    if inodes.is_empty() {
        return None;
    }
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        holds(&process.path(), &inodes)
            .then(|| PortHolder { pid, command: command(&process.path()) })
    })
}

/// The inodes of those of `sockets` that overlap `address`.
fn overlapping(sockets: Vec<UdpSocket>, address: SocketAddr) -> Vec<u64> {
    sockets
        .into_iter()
        .filter(|socket| socket.overlaps(address))
        .map(|socket| socket.inode)
        .collect()
}

/// A UDP socket of the network namespace of this thread.
struct UdpSocket {
    local: SocketAddr,
    inode: u64,
    /// It takes datagrams of IPv4 too, though its address is of IPv6.
    both_versions: bool,
}

impl UdpSocket {
    /// Whether a socket that is bound to `wanted` would get datagrams that this one gets.
    fn overlaps(&self, wanted: SocketAddr) -> bool {
        let ours = self.local.ip().to_canonical();
        let same_version = ours.is_ipv4() == wanted.is_ipv4();
        self.local.port() == wanted.port()
            && (ours == wanted.ip()
                || ours.is_unspecified() && (same_version || self.both_versions)
                || wanted.ip().is_unspecified() && same_version)
    }
}

fn holds(process: &Path, inodes: &[u64]) -> bool {
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else { return false };
    descriptors.flatten().any(|descriptor| {
        let Ok(target) = fs::read_link(descriptor.path()) else { return false };
        let inode = target.to_str().and_then(|text| text.strip_prefix("socket:["));
        let inode = inode.and_then(|text| text.strip_suffix(']')?.parse().ok());
        inode.is_some_and(|inode| inodes.contains(&inode))
    })
}

fn command(process: &Path) -> Box<str> {
    let name = fs::read(process.join("comm")).unwrap_or_default();
    // Whoever named the process may have put anything in there.
    let name = String::from_utf8_lossy(name.trim_ascii_end());
    name.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn our_own_socket_is_found() {
        for local in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(socket) = UdpSocket::bind(local) else { continue };
            let address = socket.local_addr().unwrap();
            let holder = find(address).unwrap();
            assert_eq!(holder.pid, std::process::id(), "{address}");
            assert!(!holder.command.is_empty());
        }
    }

    #[test]
    fn a_socket_is_found_while_others_come_and_go() {
        let ours: Vec<_> = (0..40).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let _closed: Vec<_> = (0..40).map(|_| UdpSocket::bind("127.0.0.1:0")).collect();
                }
            });
            let missed = ours.iter().filter(|socket| find(socket.local_addr().unwrap()).is_none());
            let missed = missed.count();
            done.store(true, Ordering::Relaxed);
            assert_eq!(missed, 0);
        });
    }

    #[test]
    fn a_socket_of_ipv6_holds_a_port_of_ipv4_unless_it_is_of_ipv6_alone() {
        for (alone, held) in [(false, true), (true, false)] {
            let kind = socket2::Type::DGRAM;
            let Ok(socket) = socket2::Socket::new(socket2::Domain::IPV6, kind, None) else {
                continue;
            };
            socket.set_only_v6(alone).unwrap();
            socket.bind(&"[::]:0".parse::<SocketAddr>().unwrap().into()).unwrap();
            let port = socket.local_addr().unwrap().as_socket().unwrap().port();
            let wanted = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
            assert_eq!(find(wanted).is_some(), held, "IPv6 alone: {alone}");
        }
    }

    #[test]
    fn a_wildcard_overlaps_every_address_of_its_port() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert!(find(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)).is_some());
        assert!(find(SocketAddr::new(Ipv4Addr::new(127, 0, 0, 2).into(), port)).is_none());
    }
}
