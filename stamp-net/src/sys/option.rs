//! Socket options that neither nix nor socket2 knows.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Sets an option whose value is a C `int`.
///
/// # Errors
///
/// What `setsockopt` returned.
pub(crate) fn set_int(
    socket: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    set_octets(socket, level, name, &value.to_ne_bytes())
}

/// Sets an option whose value the kernel takes as octets, and knows the layout of.
///
/// # Errors
///
/// What `setsockopt` returned.
pub(crate) fn set_octets(
    socket: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    value: &[u8],
) -> io::Result<()> {
    let Ok(length) = libc::socklen_t::try_from(value.len()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    // SAFETY:
    // - the descriptor is open for as long as `socket` is borrowed;
    // - the kernel reads exactly the given length from `value`, which lives until the call
    //   returns; options whose value holds a pointer are not set by this function.
    let result =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value.as_ptr().cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Sets an option whose value is a classic BPF program.
///
/// # Errors
///
/// What `setsockopt` returned: `EINVAL` when the kernel's checker refuses the program.
pub(crate) fn set_program(
    socket: BorrowedFd<'_>,
    name: libc::c_int,
    program: &mut [libc::sock_filter],
) -> io::Result<()> {
    let Ok(length) = libc::c_ushort::try_from(program.len()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let description = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    // SAFETY:
    // - the descriptor is open for as long as `socket` is borrowed;
    // - the kernel reads exactly the given length from `description`, which lives until the call
    //   returns, and copies `length` instructions from the slice it points to, which is that long.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            name,
            (&raw const description).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Reads an option that consists of C `unsigned int`s, and how many of them the kernel wrote.
///
/// # Errors
///
/// What `getsockopt` returned.
pub(crate) fn get_words<const WORDS: usize>(
    socket: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
) -> io::Result<([u32; WORDS], usize)> {
    let mut words = [0; WORDS];
    let mut length = size_of_val(&words) as libc::socklen_t;
    // SAFETY:
    // - the descriptor is open for as long as `socket` is borrowed;
    // - the kernel writes at most `length` octets into `words`, which is exactly that long, and
    //   stores the written length; any bit pattern is a valid `u32`.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            name,
            words.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result == 0 {
        Ok((words, length as usize / size_of::<u32>()))
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Reads an option whose value is one C `int` that is never negative.
///
/// # Errors
///
/// What `getsockopt` returned.
pub(crate) fn get_word(
    socket: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
) -> io::Result<u32> {
    get_words::<1>(socket, level, name).map(|([word], _)| word)
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn what_was_set_is_read_back() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        set_int(socket.as_fd(), libc::IPPROTO_IP, libc::IP_TTL, 77).unwrap();
        assert_eq!(get_word(socket.as_fd(), libc::IPPROTO_IP, libc::IP_TTL).unwrap(), 77);
    }

    #[test]
    fn an_option_of_the_other_family_is_an_error() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let set = set_int(socket.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS, 77);
        assert_eq!(set.unwrap_err().raw_os_error(), Some(libc::ENOPROTOOPT));
        let got = get_word(socket.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS);
        assert!(got.is_err());
    }

    #[test]
    fn the_kernel_tells_how_many_words_it_wrote() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (_, words) =
            get_words::<16>(socket.as_fd(), libc::SOL_SOCKET, libc::SO_MEMINFO).unwrap();
        assert!((9..16).contains(&words), "{words}");
    }
}
