//! Addresses of packet sockets, which socket2 can hold but not build.

use std::io;

use socket2::SockAddr;

/// The address of an interface, or of all of them (0), and an EtherType.
pub(crate) fn link_address(interface: u32, protocol: u16) -> SockAddr {
    // SAFETY:
    // - the storage is larger than a `sockaddr_ll` and aligned for every socket address;
    // - it comes zeroed, and zero is a valid value of the fields left alone;
    // - the length that is set is that of what was written.
    let built = unsafe {
        SockAddr::try_init(|storage, length| {
            let address = storage.cast::<libc::sockaddr_ll>();
            (*address).sll_family = libc::AF_PACKET as libc::sa_family_t;
            (*address).sll_protocol = protocol.to_be();
            (*address).sll_ifindex = interface.cast_signed();
            *length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
            Ok::<(), io::Error>(())
        })
    };
    match built {
        Ok(((), address)) => address,
        Err(error) => unreachable!("nothing above fails: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_the_packet_family_and_its_length() {
        let address = link_address(7, 0x8847);
        assert_eq!(i32::from(address.family()), libc::AF_PACKET);
        assert_eq!(address.len() as usize, size_of::<libc::sockaddr_ll>());
    }
}
