//! The table of UDP sockets as text, for kernels that cannot be asked for those of one port.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::UdpSocket;

/// The kernel hands its table out a page at a time and finds its place again by counting, so that a
/// socket closed in between hides one of the next page. Two busy threads hide one in 30 readings.
pub(super) const READINGS: usize = 8;

/// Not /proc/net: that is the main thread's namespace.
const TABLES: [&str; 2] = ["/proc/thread-self/net/udp", "/proc/thread-self/net/udp6"];

/// The sockets that one reading shows.
pub(super) fn sockets() -> Vec<UdpSocket> {
    let read = |table: &&str| fs::read_to_string(table).unwrap_or_default();
    let sockets = |table: String| table.lines().filter_map(entry).collect::<Vec<_>>();
    TABLES.iter().map(read).flat_map(sockets).collect()
}

/// The socket of one line of the table.
fn entry(line: &str) -> Option<UdpSocket> {
    let mut fields = line.split_whitespace();
    let (address, port) = fields.nth(1)?.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let inode = fields.nth(7)?.parse().ok()?;
    let local = SocketAddr::new(parse_address(address)?, port);
    // The table does not tell whether a socket of IPv6 takes IPv4 too.
    Some(UdpSocket { local, inode, both_versions: false })
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

#[cfg(test)]
mod tests {
    use std::net;

    use super::*;

    #[test]
    fn a_socket_of_our_own_is_in_the_table() {
        for local in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(socket) = net::UdpSocket::bind(local) else { continue };
            let address = socket.local_addr().unwrap();
            let is_there = |_| sockets().iter().any(|socket| socket.local == address);
            assert!((0..READINGS).any(is_there), "{address}");
        }
    }

    #[test]
    fn lines_of_the_table_are_read() {
        let line = " 1105: 0100007F:035E 00000000:0000 07 00000000:00000000 00:00000000 00000000     \
                    0        0 12345 2 0000000000000000 0";
        let socket = entry(line).unwrap();
        assert_eq!(socket.inode, 12_345);
        #[cfg(target_endian = "little")]
        assert_eq!(socket.local, "127.0.0.1:862".parse().unwrap());
        let heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt";
        assert!(entry(heading).is_none());
        assert_eq!(parse_address("0100007"), None);
    }
}
