//! Which process holds a UDP port, as far as `/proc` tells.

use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

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

/// The kernel hands its table out a page at a time and finds its place again by counting, so that a
/// socket closed in between hides one of the next page. Two busy threads hide one in 30 readings.
const TABLE_READINGS: usize = 8;

/// Who has a UDP socket that overlaps `address`, in the network namespace of this thread.
///
/// `None` when nobody has, or when it belongs to someone whose descriptors we may not see.
#[must_use]
pub fn find(address: SocketAddr) -> Option<PortHolder> {
    // Not /proc/net: that is the main thread's namespace.
    let table = match address {
        SocketAddr::V4(_) => "/proc/thread-self/net/udp",
        SocketAddr::V6(_) => "/proc/thread-self/net/udp6",
    };
    let inodes = (0..TABLE_READINGS).find_map(|_| overlapping(table, address))?;
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        holds(&process.path(), &inodes)
            .then(|| PortHolder { pid, command: command(&process.path()) })
    })
}

/// The inodes of the sockets in `table` that overlap `address`; `None` when the reading shows none.
fn overlapping(table: &str, address: SocketAddr) -> Option<Vec<u64>> {
    let table = fs::read_to_string(table).ok()?;
    let inodes: Vec<u64> = table
        .lines()
        .filter_map(entry)
        .filter(|(local, _)| overlaps(*local, address))
        .map(|(_, inode)| inode)
        .collect();
    (!inodes.is_empty()).then_some(inodes)
}

fn overlaps(held: SocketAddr, wanted: SocketAddr) -> bool {
    held.port() == wanted.port()
        && (held.ip() == wanted.ip() || held.ip().is_unspecified() || wanted.ip().is_unspecified())
}

/// Local address and inode of one line of the table.
fn entry(line: &str) -> Option<(SocketAddr, u64)> {
    let mut fields = line.split_whitespace();
    let (address, port) = fields.nth(1)?.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let inode = fields.nth(7)?.parse().ok()?;
    Some((SocketAddr::new(parse_address(address)?, port), inode))
}

/// The address is printed as machine words, each in the order of this machine.
fn parse_address(hex: &str) -> Option<IpAddr> {
    let word = |index: usize| -> Option<[u8; 4]> {
        let digits = hex.get(index * 8..index * 8 + 8)?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
    };
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut octets = [0; 16];
            for (index, chunk) in octets.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(index)?);
            }
            Some(Ipv6Addr::from(octets).into())
        }
        _ => None,
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
    use std::net::UdpSocket;
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
    fn a_wildcard_overlaps_every_address_of_its_port() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert!(find(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)).is_some());
        assert!(find(SocketAddr::new(Ipv4Addr::new(127, 0, 0, 2).into(), port)).is_none());
    }

    #[test]
    fn lines_of_the_table_are_read() {
        let line = " 1105: 0100007F:035E 00000000:0000 07 00000000:00000000 00:00000000 00000000     \
                    0        0 12345 2 0000000000000000 0";
        let expected = ("127.0.0.1:862".parse().unwrap(), 12_345);
        #[cfg(target_endian = "little")]
        assert_eq!(entry(line), Some(expected));
        let heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt";
        assert_eq!(entry(heading), None);
        assert_eq!(parse_address("0100007"), None);
    }
}
