//! Which interfaces can stamp packets, and where.

use std::os::fd::{AsFd, OwnedFd};

use socket2::{Domain, Socket, Type};

use crate::capability::Capability;
use crate::error::NetError;
use crate::sys::device;

/// `HWTSTAMP_TX_ON`.
const TRANSMIT_ON: i32 = 1;
/// `HWTSTAMP_FILTER_ALL`.
const FILTER_ALL: i32 = 1;

/// What stamps an interface can take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TimestampingCapabilities {
    /// The kernel stamps what arrives.
    pub software_receive: bool,
    /// The driver stamps what leaves; without it there are no transmit stamps at all.
    pub software_transmit: bool,
    /// The card stamps what arrives, any packet and not only PTP.
    pub hardware_receive: bool,
    /// The card stamps what leaves.
    pub hardware_transmit: bool,
    /// Number of the card's clock: `/dev/ptpN`.
    pub clock_index: Option<u32>,
}

/// Which stamps the card of an interface takes at the moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HardwareConfiguration {
    /// It stamps everything that arrives.
    pub receives_all: bool,
    /// It stamps what leaves and asks for it.
    pub transmits: bool,
}

/// What stamps the interface called `name` can take; needs no right.
///
/// # Errors
///
/// [`NetError::NoSuchInterface`], or the call that failed.
pub fn capabilities(name: &str) -> Result<TimestampingCapabilities, NetError> {
    let info = device::timestamping_info(any_socket()?.as_fd(), name).map_err(failure(name))?;
    let has = |flag| info.flags & flag != 0;
    let raw = has(libc::SOF_TIMESTAMPING_RAW_HARDWARE);
    Ok(TimestampingCapabilities {
        software_receive: has(libc::SOF_TIMESTAMPING_RX_SOFTWARE),
        software_transmit: has(libc::SOF_TIMESTAMPING_TX_SOFTWARE),
        hardware_receive: raw
            && has(libc::SOF_TIMESTAMPING_RX_HARDWARE)
            && info.receive_filters & (1 << FILTER_ALL) != 0,
        hardware_transmit: raw
            && has(libc::SOF_TIMESTAMPING_TX_HARDWARE)
            && info.transmit_types & (1 << TRANSMIT_ON) != 0,
        clock_index: info.clock_index.try_into().ok(),
    })
}

/// What the card of an interface stamps at the moment; `None` when it cannot stamp.
///
/// # Errors
///
/// [`NetError::NoSuchInterface`], or the call that failed.
pub fn hardware_configuration(name: &str) -> Result<Option<HardwareConfiguration>, NetError> {
    match device::hardware_stamps(any_socket()?.as_fd(), name) {
        Ok(stamps) => Ok(Some(HardwareConfiguration {
            receives_all: stamps.receive_filter == FILTER_ALL,
            transmits: stamps.transmit_type >= TRANSMIT_ON,
        })),
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(None),
        Err(error) => Err(failure(name)(error)),
    }
}

/// Makes the card of an interface stamp every packet, both ways.
///
/// This changes the card for everyone on the host, a PTP daemon included: only when the operator
/// asked for it.
///
/// # Errors
///
/// [`NetError::PermissionDenied`] without `CAP_NET_ADMIN`, [`NetError::NoSuchInterface`], or the
/// call that failed, with `EOPNOTSUPP` or `ERANGE` when the card cannot.
pub fn configure_hardware(name: &str) -> Result<(), NetError> {
    device::set_hardware_stamps(any_socket()?.as_fd(), name, TRANSMIT_ON, FILTER_ALL)
        .map_err(failure(name))
}

/// Questions to a device are asked through a socket of whatever family there is.
fn any_socket() -> Result<OwnedFd, NetError> {
    let open = |domain| Socket::new(domain, Type::DGRAM.cloexec(), None);
    let socket = open(Domain::IPV4).or_else(|_| open(Domain::IPV6));
    socket.map(OwnedFd::from).map_err(NetError::call("socket"))
}

fn failure(name: &str) -> impl FnOnce(std::io::Error) -> NetError {
    move |source| match source.raw_os_error() {
        Some(libc::ENODEV) => NetError::NoSuchInterface { name: name.into() },
        Some(libc::EPERM) => NetError::PermissionDenied {
            what: "switching on hardware stamps",
            capability: Capability::NetAdmin,
        },
        _ => NetError::call("ioctl")(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_stamps_in_software_only() {
        let expected = TimestampingCapabilities {
            software_receive: true,
            software_transmit: true,
            hardware_receive: false,
            hardware_transmit: false,
            clock_index: None,
        };
        assert_eq!(capabilities("lo").unwrap(), expected);
        assert_eq!(hardware_configuration("lo").unwrap(), None);
    }

    #[test]
    fn loopback_refuses_hardware_stamps() {
        assert!(matches!(
            configure_hardware("lo"),
            Err(NetError::Call { .. } | NetError::PermissionDenied { .. })
        ));
    }

    #[test]
    fn an_interface_that_is_not_there_has_its_own_error() {
        for result in [capabilities("nothing").err(), hardware_configuration("nothing").err()] {
            assert!(matches!(result, Some(NetError::NoSuchInterface { .. })));
        }
    }
}
