//! From what the operator wrote to bound sockets.

use core::fmt;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, BorrowedFd};

use socket2::SockRef;
use stamp_net::{NetError, SocketOptions, UdpSocket, interface};
use stamp_service::inherited::{self, Inherited};

use crate::config::{Config, Device, Host, InterfaceName, ListenerSpec};
use crate::failure::Failure;

/// One address of one family to listen on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Endpoint {
    host: Host,
    port: u16,
    device: Option<Device>,
}

/// A bound endpoint: a socket for each worker.
#[derive(Debug)]
pub(crate) struct Bound {
    /// What it listens for.
    pub(crate) endpoint: Endpoint,
    /// Its address with the port the kernel chose.
    pub(crate) local: SocketAddr,
    /// A socket for each worker.
    pub(crate) sockets: Vec<UdpSocket>,
}

/// Every endpoint of `config`, once.
pub(crate) fn endpoints(config: &Config) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for endpoint in config.listeners.iter().flat_map(Endpoint::of) {
        if endpoint.port == 0 || !endpoints.contains(&endpoint) {
            endpoints.push(endpoint);
        }
    }
    endpoints
}

/// Binds `endpoints` for so many workers, with the sockets that were passed on where there are any, and
/// gives them to the service manager to keep over a restart.
///
/// A wildcard of a family that this host lacks is left out with a note: the default and `:PORT`
/// mean "both families, as far as there are any".
///
/// # Errors
///
/// When any other endpoint cannot be bound; then none is.
pub(crate) fn bind(
    endpoints: &[Endpoint],
    workers: usize,
    hardware_stamps: bool,
    inherited: &mut Inherited,
) -> Result<Vec<Bound>, Failure> {
    let mut bound = Vec::new();
    for endpoint in endpoints {
        match endpoint.open(workers, hardware_stamps, inherited) {
            Ok(sockets) => {
                let local = sockets.first().map_or(endpoint.unscoped(), UdpSocket::local_addr);
                let all: Vec<BorrowedFd<'_>> = sockets.iter().map(AsFd::as_fd).collect();
                inherited::keep(&endpoint.kept_as(), &all);
                bound.push(Bound { endpoint: endpoint.clone(), local, sockets });
            }
            Err(error @ NetError::FamilyUnavailable { .. })
                if endpoint.host.address.is_unspecified() =>
            {
                tracing::info!(listener = %endpoint, "not listening: {error}");
            }
            Err(source) => {
                return Err(Failure::Listen { listener: endpoint.to_string(), source });
            }
        }
    }
    Ok(bound)
}

/// Notes wildcards that nothing can reach because the host has no address of their family.
pub(crate) fn note_missing_families<'e>(
    endpoints: impl Iterator<Item = &'e Endpoint>,
    addresses: &[IpAddr],
) {
    let has = |ipv6: bool| {
        addresses.iter().any(|address| address.is_ipv6() == ipv6 && !address.is_loopback())
    };
    for endpoint in endpoints.filter(|endpoint| endpoint.host.address.is_unspecified()) {
        let ipv6 = endpoint.host.address.is_ipv6();
        if !has(ipv6) && has(!ipv6) {
            let version = if ipv6 { 6 } else { 4 };
            tracing::info!(
                listener = %endpoint,
                "this host has no IPv{version} address but loopback: nobody outside reaches this \
                 listener until there is one"
            );
        }
    }
}

/// The interfaces that `endpoints` keep to; empty when any of them listens on all.
pub(crate) fn interfaces<'e>(endpoints: impl Iterator<Item = &'e Endpoint>) -> Vec<&'e str> {
    let name = |endpoint: &'e Endpoint| match &endpoint.device {
        Some(Device::Interface(name)) => Some(name.0.as_str()),
        Some(Device::Vrf(_)) | None => None,
    };
    endpoints.map(name).collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// Every local address and port that `bound` answers on: replies from there are our own.
pub(crate) fn own_listeners(bound: &[SocketAddr], addresses: &[IpAddr]) -> Vec<SocketAddr> {
    let mut own = Vec::new();
    for local in bound {
        if local.ip().is_unspecified() {
            let family = addresses.iter().filter(|address| address.is_ipv6() == local.is_ipv6());
            own.extend(family.map(|address| SocketAddr::new(*address, local.port())));
        } else {
            own.push(*local);
        }
    }
    own
}

impl Endpoint {
    fn of(spec: &ListenerSpec) -> Vec<Self> {
        let (port, device) = (spec.address.port, &spec.device);
        let hosts = spec.address.hosts();
        hosts.into_iter().map(|host| Self { host, port, device: device.clone() }).collect()
    }

    /// The same with the port that the kernel chose.
    pub(crate) fn with_port(&self, port: u16) -> Self {
        Self { port, ..self.clone() }
    }

    /// What the service manager knows its sockets by; it takes no colon.
    pub(crate) fn kept_as(&self) -> String {
        self.to_string().replace(':', "_")
    }

    fn open(
        &self,
        workers: usize,
        hardware_stamps: bool,
        inherited: &mut Inherited,
    ) -> Result<Vec<UdpSocket>, NetError> {
        let mut options = SocketOptions::new(self.address()?);
        options.stamps_on_request = true;
        options.interface = match &self.device {
            None => None,
            Some(Device::Interface(name)) => Some(interface::by_name(&name.0)?.name),
            Some(Device::Vrf(name)) => Some(interface::vrf(&name.0)?.name),
        };
        options.hardware_stamps = hardware_stamps;
        let device = options.interface.as_deref().map(str::as_bytes);
        let passed = inherited.datagrams(options.local, |socket| {
            SockRef::from(&socket).device().is_ok_and(|bound| bound.as_deref() == device)
        });
        let count = passed.len();
        if count == 0 {
            return UdpSocket::open_group(&options, workers);
        }
        tracing::info!(listener = %self, sockets = count, "goes on with the sockets passed on");
        if count > workers {
            // Those without a worker would go on receiving.
            inherited::forget(&self.kept_as());
        }
        UdpSocket::adopt_group(passed, &options, workers)
    }

    /// The address with the number of its interface, where it names one.
    fn address(&self) -> Result<SocketAddr, NetError> {
        let IpAddr::V6(address) = self.host.address else { return Ok(self.unscoped()) };
        let zone = match (&self.host.zone, &self.device) {
            (Some(InterfaceName(zone)), _) => Some(zone),
            (None, Some(Device::Interface(name))) if address.is_unicast_link_local() => {
                Some(&name.0)
            }
            _ => None,
        };
        let scope = zone.map_or(Ok(0), |zone| interface::index_of(zone))?;
        Ok(SocketAddrV6::new(address, self.port, 0, scope).into())
    }

    fn unscoped(&self) -> SocketAddr {
        SocketAddr::new(self.host.address, self.port)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address =
            crate::config::ListenAddress { host: Some(self.host.clone()), port: self.port };
        ListenerSpec { address, device: self.device.clone() }.fmt(f)
    }
}
