//! Making sure that the kernel stamps what arrives before the first datagram that matters.
//!
//! Stamping costs every packet of the host, so the kernel begins with it when the first socket
//! asks, and not at once but a moment later. What arrives in between has no stamp.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use super::control::Controls;
use super::receive::stamp;
use crate::sys;
use crate::sys::message::{CONTROL_OCTETS, Filled, NAME_OCTETS, ReceiveBuffers};

const ATTEMPTS: usize = 100;
const PAUSE: Duration = Duration::from_micros(100);

/// Waits once per process until stamps are taken, at most some ten milliseconds, and keeps a
/// socket open so that the kernel does not stop.
///
/// Where loopback is down nothing can be tried and nothing is waited for.
pub(crate) fn ensure_stamps() {
    static KEEPER: OnceLock<Option<UdpSocket>> = OnceLock::new();
    KEEPER.get_or_init(|| {
        let socket = asking_socket().ok()?;
        for _ in 0..ATTEMPTS {
            match own_datagram_is_stamped(&socket) {
                Ok(false) => thread::sleep(PAUSE),
                Ok(true) | Err(_) => break,
            }
        }
        Some(socket)
    });
}

fn asking_socket() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect(socket.local_addr()?)?;
    let flags = libc::SOF_TIMESTAMPING_RX_SOFTWARE | libc::SOF_TIMESTAMPING_SOFTWARE;
    let (level, option) = (libc::SOL_SOCKET, libc::SO_TIMESTAMPING);
    sys::option::set_int(socket.as_fd(), level, option, flags as i32)?;
    Ok(socket)
}

fn own_datagram_is_stamped(socket: &UdpSocket) -> io::Result<bool> {
    socket.send(&[])?;
    let (mut name, mut control) = ([0; NAME_OCTETS], [0; CONTROL_OCTETS]);
    let buffers = ReceiveBuffers { payload: &mut [], name: &mut name, control: &mut control };
    let mut filled = [Filled::default()];
    sys::message::receive(socket.as_fd(), 0, [buffers].into_iter(), &mut filled)?;
    let mut controls = Controls::new(&control[..filled[0].control]);
    Ok(controls.any(|control| {
        (control.level, control.kind) == (libc::SOL_SOCKET, libc::SCM_TIMESTAMPING)
            && stamp(control, false).is_some()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_wait_datagrams_are_stamped() {
        ensure_stamps();
        assert!(own_datagram_is_stamped(&asking_socket().unwrap()).unwrap());
    }
}
