//! One entry of `listen`.

use core::fmt;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use stamp_config::Setting;
use stamp_config::document::{Problem, Section};

use super::listen_address::{Host, ListenAddress};
use super::words::InterfaceName;

/// Where to listen, and on which interface only.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ListenerSpec {
    /// Address and port.
    pub(crate) address: ListenAddress,
    /// The interface or VRF that packets have to arrive in.
    pub(crate) device: Option<Device>,
}

/// What a socket is bound to besides an address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Device {
    /// An interface.
    Interface(InterfaceName),
    /// A VRF.
    Vrf(InterfaceName),
}

impl Device {
    /// What `interface` and `vrf` of one table say; both together are a mistake.
    pub(crate) fn read(section: &Section<'_>) -> Option<Self> {
        let interface = section.get::<InterfaceName>("interface").map(Self::Interface);
        let vrf = section.get::<InterfaceName>("vrf").map(Self::Vrf);
        if interface.is_some() && vrf.is_some() {
            section.problem("interface", Problem::Conflict { with: "vrf" });
        }
        interface.or(vrf)
    }
}

impl ListenerSpec {
    /// The STAMP port on every address of both families (RFC 8762 §4.1).
    pub(crate) fn defaults() -> Vec<Self> {
        let every = |address: IpAddr| Self {
            address: ListenAddress { host: Some(Host { address, zone: None }), port: 862 },
            device: None,
        };
        vec![every(Ipv6Addr::UNSPECIFIED.into()), every(Ipv4Addr::UNSPECIFIED.into())]
    }

    /// As it would stand in a file.
    pub(crate) fn in_file(&self) -> String {
        let address = toml::Value::from(self.address.to_string());
        let device = match &self.device {
            None => return address.to_string(),
            Some(Device::Interface(name)) => ("interface", name),
            Some(Device::Vrf(name)) => ("vrf", name),
        };
        let (kind, name) = (device.0, toml::Value::from(device.1.0.as_str()));
        format!("{{ address = {address}, {kind} = {name} }}")
    }

    /// Reads `{ address = …, interface = …, vrf = … }`.
    pub(crate) fn read_table(section: &Section<'_>) -> Option<Self> {
        let device = Device::read(section);
        section.require("address").map(|address| Self { address, device })
    }
}

impl Setting for ListenerSpec {
    const EXPECTED: &'static str = ListenAddress::EXPECTED;
    fn read(text: &str) -> Option<Self> {
        ListenAddress::read(text).map(|address| Self { address, device: None })
    }
}

impl fmt::Display for ListenerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        match &self.device {
            None => Ok(()),
            Some(Device::Interface(name)) => write!(f, " on {}", name.0),
            Some(Device::Vrf(name)) => write!(f, " in VRF {}", name.0),
        }
    }
}
