//! Which socket of a group gets a probe: sessions stay together, not five-tuples.
//!
//! The kernel spreads datagrams over the sockets of a port by a hash of addresses and ports. A NAT
//! that gives a flow another port would so move its session to another worker, which has never
//! heard of it. A classic BPF program chooses by source address and SSID (RFC 8972 §3) instead;
//! probes without SSID are left to the kernel's hash.

use std::os::fd::BorrowedFd;

use libc::sock_filter;

use crate::bpf::{
    IF_AT_LEAST, IF_EQUAL, KEEP, LOAD_HALF, LOAD_LENGTH, LOAD_WORD, MODULO, MULTIPLY, RETURN,
    RETURN_CONSTANT, SHIFT_RIGHT, XOR_KEPT, branch, step,
};
use crate::error::NetError;
use crate::sys;

/// Offset of the SSID in both directions and modes (RFC 8972 §3). Where one mode has its SSID the
/// other has octets that are zero, so the two can be taken together without knowing the mode.
const SSID_OFFSETS: [u32; 2] = [14, 26];
/// Shorter datagrams do not reach as far as both.
const SHORTEST: u32 = 28;
/// Loads relative to the network header (`SKF_NET_OFF`, -0x100000); the payload is at 0 here.
const NETWORK: u32 = 0xfff0_0000;
/// An index beyond every group: the kernel falls back to its own hash.
const NO_CHOICE: u32 = u32::MAX;

/// Odd constants that mix the bits of SSID and address (golden ratio, and one of MurmurHash3).
const MIX: [u32; 2] = [0x9e37_79b1, 0x85eb_ca6b];

/// Makes the group that `socket` belongs to keep sessions together.
///
/// # Errors
///
/// [`NetError::SocketOption`] when the kernel takes no such program.
pub(super) fn by_session(socket: BorrowedFd<'_>, ipv6: bool, group: usize) -> Result<(), NetError> {
    let group = u32::try_from(group).unwrap_or(u32::MAX);
    let mut program = program(ipv6, group);
    sys::option::set_program(socket, libc::SO_ATTACH_REUSEPORT_CBPF, &mut program)
        .map_err(NetError::option("SO_ATTACH_REUSEPORT_CBPF"))
}

fn program(ipv6: bool, group: u32) -> Vec<sock_filter> {
    // Words of the source address, by their offset in the network header.
    let address: &[u32] = if ipv6 { &[8, 12, 16, 20] } else { &[12] };
    let mut program = vec![
        step(LOAD_LENGTH, 0),
        branch(IF_AT_LEAST, SHORTEST, 1, 0),
        step(RETURN_CONSTANT, NO_CHOICE),
        step(LOAD_HALF, SSID_OFFSETS[0]),
        step(KEEP, 0),
        step(LOAD_HALF, SSID_OFFSETS[1]),
        step(XOR_KEPT, 0),
        branch(IF_EQUAL, 0, 0, 1),
        step(RETURN_CONSTANT, NO_CHOICE),
        step(MULTIPLY, MIX[0]),
    ];
    for offset in address {
        program.extend([step(KEEP, 0), step(LOAD_WORD, NETWORK + offset), step(XOR_KEPT, 0)]);
    }
    program.extend([
        step(MULTIPLY, MIX[1]),
        step(SHIFT_RIGHT, 16),
        step(MODULO, group),
        step(RETURN, 0),
    ]);
    program
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as Plain};

    use crate::{NetError, ReceiveBatch, SocketOptions, UdpSocket};

    const WORKERS: usize = 4;

    fn probe(ssid: u16, offset: usize) -> Vec<u8> {
        let mut octets = vec![0; 112];
        octets[offset..offset + 2].copy_from_slice(&ssid.to_be_bytes());
        octets
    }

    /// Which socket of the group gets `payload` from a port that nobody used before.
    fn chosen(group: &[UdpSocket], payload: &[u8]) -> usize {
        let target = group[0].local_addr();
        let source = Plain::bind((target.ip(), 0)).unwrap();
        source.send_to(payload, target).unwrap();
        let mut batch = ReceiveBatch::new(1, 2048);
        let mut is_there = |socket: &UdpSocket| socket.receive(&mut batch).unwrap() == 1;
        let home = group.iter().position(&mut is_there);
        home.expect("loopback delivers at once")
    }

    fn on_both_families(check: impl Fn(&[UdpSocket])) {
        for address in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()] {
            let options = SocketOptions::new(SocketAddr::new(address, 0));
            match UdpSocket::open_group(&options, WORKERS) {
                Err(NetError::FamilyUnavailable { .. } | NetError::AddressNotAvailable { .. }) => {}
                group => check(&group.unwrap()),
            }
        }
    }

    #[test]
    fn a_session_stays_with_its_socket_whatever_port_it_comes_from() {
        on_both_families(|group| {
            for offset in [14, 26] {
                let home = chosen(group, &probe(4711, offset));
                assert!((0..20).all(|_| chosen(group, &probe(4711, offset)) == home));
            }
        });
    }

    #[test]
    fn sessions_are_spread_over_the_sockets() {
        on_both_families(|group| {
            let mut load = [0; WORKERS];
            for ssid in 1..=200 {
                load[chosen(group, &probe(ssid * 251, 14))] += 1;
            }
            assert!(load.iter().all(|count| (20..=80).contains(count)), "{load:?}");
        });
    }

    #[test]
    fn probes_without_ssid_and_short_ones_are_spread_by_their_port() {
        on_both_families(|group| {
            for payload in [probe(0, 14), vec![0; 14]] {
                let homes: std::collections::HashSet<usize> =
                    (0..64).map(|_| chosen(group, &payload)).collect();
                assert!(homes.len() > 1, "{homes:?}");
            }
        });
    }
}
