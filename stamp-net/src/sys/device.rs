//! Questions to a network device: `SIOCETHTOOL` and the hardware timestamping calls.

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};

/// `ETHTOOL_GET_TS_INFO`.
const GET_TIMESTAMPING: u32 = 0x41;
/// `SIOCSHWTSTAMP`.
const SET_HARDWARE_STAMPS: u32 = 0x89b0;
/// `SIOCGHWTSTAMP`.
const GET_HARDWARE_STAMPS: u32 = 0x89b1;
/// `SIOCETHTOOL`.
const ETHTOOL: u32 = 0x8946;

/// `struct ethtool_ts_info`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TimestampingInfo {
    command: u32,
    /// `SOF_TIMESTAMPING_*` bits.
    pub(crate) flags: u32,
    /// Number of the PTP clock, −1 for none.
    pub(crate) clock_index: i32,
    /// One bit per `HWTSTAMP_TX_*`.
    pub(crate) transmit_types: u32,
    transmit_reserved: [u32; 3],
    /// One bit per `HWTSTAMP_FILTER_*`.
    pub(crate) receive_filters: u32,
    receive_reserved: [u32; 3],
}

/// `struct hwtstamp_config`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HardwareStamps {
    flags: i32,
    /// `HWTSTAMP_TX_*`.
    pub(crate) transmit_type: i32,
    /// `HWTSTAMP_FILTER_*`.
    pub(crate) receive_filter: i32,
}

/// What stamps the device called `name` can take.
///
/// # Errors
///
/// What `ioctl` returned; `ENODEV` when there is no such device.
pub(crate) fn timestamping_info(
    socket: BorrowedFd<'_>,
    name: &str,
) -> io::Result<TimestampingInfo> {
    let mut info = TimestampingInfo { command: GET_TIMESTAMPING, ..TimestampingInfo::default() };
    ask(socket, ETHTOOL, name, &mut info)?;
    Ok(info)
}

/// Which hardware stamps the device takes at the moment.
///
/// # Errors
///
/// What `ioctl` returned; `EOPNOTSUPP` when the device has none.
pub(crate) fn hardware_stamps(socket: BorrowedFd<'_>, name: &str) -> io::Result<HardwareStamps> {
    let mut stamps = HardwareStamps::default();
    ask(socket, GET_HARDWARE_STAMPS, name, &mut stamps)?;
    Ok(stamps)
}

/// Makes the device take these hardware stamps, for everyone on this host.
///
/// # Errors
///
/// What `ioctl` returned; `EPERM` without `CAP_NET_ADMIN`.
pub(crate) fn set_hardware_stamps(
    socket: BorrowedFd<'_>,
    name: &str,
    transmit_type: i32,
    receive_filter: i32,
) -> io::Result<()> {
    let mut stamps = HardwareStamps { flags: 0, transmit_type, receive_filter };
    ask(socket, SET_HARDWARE_STAMPS, name, &mut stamps)
}

/// Structures that the kernel reads and writes behind `ifr_data`.
trait DeviceData {}
impl DeviceData for TimestampingInfo {}
impl DeviceData for HardwareStamps {}

fn ask(
    socket: BorrowedFd<'_>,
    request: u32,
    device: &str,
    data: &mut impl DeviceData,
) -> io::Result<()> {
    // SAFETY: `ifreq` is a character array and a union of plain C data; zero is valid for all.
    let mut interface: libc::ifreq = unsafe { mem::zeroed() };
    // One octet stays zero: the kernel wants a terminated name.
    if device.len() >= interface.ifr_name.len() || device.bytes().any(|octet| octet == 0) {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    for (place, octet) in interface.ifr_name.iter_mut().zip(device.bytes()) {
        *place = octet as libc::c_char;
    }
    interface.ifr_ifru.ifru_data = (&raw mut *data).cast();
    // SAFETY:
    // - the descriptor is open for as long as `socket` is borrowed;
    // - the three requests used take a pointer to `ifreq`, whose name is terminated;
    // - `ifru_data` points to the structure that belongs to the request (`DeviceData` is
    //   implemented for these alone, with the layout of the kernel's headers), exclusively
    //   borrowed, of integers only, so that whatever the kernel writes is valid.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), request as _, &raw mut interface) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn loopback_stamps_in_software_and_has_no_clock() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let info = timestamping_info(socket.as_fd(), "lo").unwrap();
        assert_ne!(info.flags & libc::SOF_TIMESTAMPING_RX_SOFTWARE, 0);
        assert_eq!(info.clock_index, -1);
        let error = hardware_stamps(socket.as_fd(), "lo").unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EOPNOTSUPP));
    }

    #[test]
    fn loopback_cannot_be_made_to_stamp_in_hardware() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(set_hardware_stamps(socket.as_fd(), "lo", 1, 1).is_err());
    }

    #[test]
    fn a_device_that_does_not_exist_is_an_error() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for name in ["no-such-device", "a-name-that-is-far-too-long", "l\0o"] {
            let error = timestamping_info(socket.as_fd(), name).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ENODEV), "{name:?}");
        }
    }
}
